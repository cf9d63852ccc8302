"""What names say, by hand: dates, sensors, bands, other products, offsets."""

import json
from pathlib import Path

import numpy as np
import pytest

from multisenge_lib.area.products import (
    band_of_level_1c,
    baseline_of,
    day_and_folder,
    day_in,
    foreign_band_problem,
    foreign_sensor,
    is_level_1c,
    is_mask,
    lone_uncorrected_band,
    name_problem,
    sensor_in,
    without_slope_correction,
)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("S2_20230105", "2023-01-05"),
        ("S2_2023-01-05_x", "2023-01-05"),
        ("S2_2023_01_05", "2023-01-05"),
        ("HLS.S30.T31UEQ.2020187T105031.v2.0.B02", "2020-07-05"),
        ("HLS.S30.T31UEQ.2021001T105031", "2021-01-01"),
        ("s1a_31UEQ_vv_DES_037_20200708txxxxxx", "2020-07-08"),
        ("S2_20231305_20230202", "2023-02-02"),
        ("S2_20231305", None),
        ("S2_2023.01.05", "2023-01-05"),
        ("S2_20230105105031", "2023-01-05"),
        ("S2_20230105995031", None),
        ("S2_2023010510503", None),
        ("S2_20230105_20230301", "2023-01-05"),
        # A date of processing or of a version in front, or an image's?
        ("20230301_S2_20230105", None),
        ("HLS.2020399T105031", None),
        ("HLS.2020000T105031", None),
        ("A034120230105", None),
        ("S2_202007061050", "2020-07-06"),
        ("S2_2020-7-6", "2020-07-06"),
        ("S2_2020-7-6_B2", "2020-07-06"),
        # A resolution or a tile behind the month is no day, nor are a row and a column.
        ("S2_2020_07_10m", None),
        ("S2_2020-07-10m", None),
        ("S2_2020_07_31UEQ", None),
        ("S2_2020_07_31TCJ", None),
        ("S2_202007_10m", None),
        ("mosaic_2020_07_12_05", None),
        ("mosaic_2020_07_12_05.tif", None),
        ("S2_2020_7_6", None),
        ("S2_2020_1024", None),
        ("S2_2020_07_06_10m_B2", "2020-07-06"),
        ("S2_2020_07_06_31UEQ", "2020-07-06"),
        ("S2_2020_07_06_10_50_31", "2020-07-06"),
        ("S2_2020_07_06_105031", "2020-07-06"),
        ("S2_2020_07_06T105031Z", "2020-07-06"),
        ("S2_2020-07-06Z", "2020-07-06"),
        ("S2_2020-07-06_1", "2020-07-06"),
        ("2020-07-08-00_00_2020-07-08-23_59_Sentinel-1_IW_VV+VH_VV_(Raw)", "2020-07-08"),
        ("2020-01-01_2020-12-31", "2020-01-01"),
        # The day of the year, or another number?
        ("S2_2020187", None),
        ("S2_2020187_20240105", None),
        ("S2_2020399_20240105", "2024-01-05"),
        ("S2_2023-01", None),
        ("Sigma0_VV_slv1_08Jan2020", "2020-01-08"),
        ("SIGMA0_VH_MST_31DEC2019", "2019-12-31"),
        ("Sigma0_VV_31Feb2020", None),
        ("Sigma0_VV_108Jan2020", None),
        ("Sigma0_VV_08Mai2020", None),
        # Before the sensors were in orbit, or to come: another date counts.
        ("S2_20120706", None),
        ("S2_20990706", None),
        ("AOI_19991231_20200706", "2020-07-06"),
        ("S2_20200706_v20990101", "2020-07-06"),
        ("S2_20200706_model20120101", "2020-07-06"),
        ("DEM_1999123T000000_S2_2020187T105031", "2020-07-05"),
        ("Sigma0_VV_08Jan2001", None),
        # Before December 2016 the first date of ESA's names is that of the file's making.
        (
            "S2A_USER_PRD_MSIL2A_PDMC_20160803T031502_R051_V20160730T105042_20160730T105042",
            "2016-07-30",
        ),
        ("S2A_USER_MSI_L2A_TL_SGS__20160802T162011_A005772_T31UEQ_B02_10m", None),
        ("20160730_S2A_USER_MSI_L2A_TL_SGS__20160802T162011_A005772_T31UEQ", "2016-07-30"),
    ],
)
def test_dates(name, day):
    assert day_in(name) == (None if day is None else np.datetime64(day))


@pytest.mark.fault("a date in a form that is not read, below a folder of another year -> asked for")
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("export_20240105/S2_20200706.tif", ("2020-07-06", None)),
        ("export_20240105/S2_summer.tif", ("2024-01-05", "export_20240105")),
        ("export_20240105/S2_july.tif", None),
        ("S2_20200706/S2_july.tif", ("2020-07-06", "S2_20200706")),
        ("S2_20200706/S2_Aug2020.tif", None),
        ("S2_20200706/S2_202008.tif", None),
        ("S2_20200706/S2_2020-08.tif", None),
        ("S2_20200706/S2_2020_07.tif", ("2020-07-06", "S2_20200706")),
        ("S2_20200706/S2_mayor_decimal.tif", ("2020-07-06", "S2_20200706")),
        ("S2_20240105/R10m/B2.tif", ("2024-01-05", "S2_20240105")),
        ("export_20240105/S2_2020_07_10m.tif", None),
        ("export_20240105/S2_202007.tif", None),
        ("export_20240105/S2_06-07-2020.tif", None),
        ("export_20240105/S2_2020187.tif", None),
        ("export_20240105/S2_20200705_2020187.tif", ("2020-07-05", None)),
        ("export_20240105/S2_20200706_2020186.tif", None),
        ("S2_20200706/S2_2020_07_10m.tif", ("2020-07-06", "S2_20200706")),
        ("S2_20200706/tile_2048_1024.tif", ("2020-07-06", "S2_20200706")),
    ],
)
def test_the_date_of_a_folder(path, found):
    day, folder = day_and_folder(Path(path))
    assert found == (None if day is None else (str(day), folder))


@pytest.mark.parametrize(
    ("path", "sensor"),
    [
        ("S2_20230105.tif", "s2"),
        ("s1a_31UEQ_vv.tif", "s1"),
        ("SENTINEL2A_2020.tif", "s2"),
        ("Sentinel-1/20200101.tif", "s1"),
        ("images/20200101.tif", None),
        ("S20_2020.tif", None),
        ("20230105_LEVEL2_SEN2A_BOA.tif", "s2"),
        ("S1_S2/20200101.tif", None),
        ("Sentinel-1/S1_S2_20200101.tif", None),
    ],
)
def test_sensors(path, sensor):
    assert sensor_in(Path(path)) == sensor


@pytest.mark.parametrize(
    ("path", "sensor"),
    [
        ("LC08_L2SP_199026_20200705_02_T1_SR_B5.TIF", "Landsat"),
        ("LC09_L2SP_199026_20220705_SR_B5.TIF", "Landsat"),
        ("LE07_L1TP_199026_B4.TIF", "Landsat"),
        ("LC81990262020187LGN00_B5.TIF", "Landsat"),
        ("HLS.L30.T31UEQ.2020187T105031.v2.0.B05.tif", "Landsat"),
        ("LANDSAT8-OLITIRS-XS_20200705_L2A/FRE_B5.tif", "Landsat"),
        ("2020/landsat_20200705_B5.tif", "Landsat"),
        ("20200705_LEVEL2_LND08_BOA.tif", "Landsat"),
        ("20200705_LEVEL2_SEN2A_BOA.tif", None),
        ("with_lnd08/20200705_LEVEL2_SEN2A_BOA.tif", None),
        ("L2F_T31UFS_20200801T104000_LS8_R198_B02_30m.TIF", "Landsat"),
        ("LS9_OLIL2H_20220801T104000_N0500_R198_T31UFS.SAFE/B04_30m.TIF", "Landsat"),
        ("L2F_T31UFS_20200801T105031_S2A_R051_B02_10m.TIF", None),
        ("RELS8_R/S2_20200705_B5.tif", None),
        ("S3A_OL_2_LFR____20200705.tif", "Sentinel-3"),
        ("MOD09GA.A2020187.h18v04.tif", "MODIS"),
        ("20230105_142741_ssc1_u0001_AnalyticMS_SR.tif", "PlanetScope"),
        ("SPOT5-HRG2-XS_20100705-105433-459_L2A/x_FRE_XS1.tif", "SPOT"),
        ("spotless/S2_20200705_B5.tif", None),
        ("HLS.S30.T31UEQ.2020187T105031.v2.0.B05.tif", None),
        ("landsat_and_s2/S2_20200705_B5.tif", None),
        ("L8_20200705.tif", "Landsat"),
        ("L8_20200705/B5.tif", "Landsat"),
        ("20200705_L8_B5.tif", "Landsat"),
        ("LC8_20200705_B5.tif", "Landsat"),
        ("HLSL30_20200705_B05.tif", "Landsat"),
        ("L8_and_others/S2_20200705_B5.tif", None),
        ("S2_field_L8_20200705_B5.tif", None),
        ("L2A_20200705_B5.tif", None),
        ("S2_SR_B5_20200705.tif", None),
        ("SENTINEL2A_20200705_L2A_SRE_B5.tif", None),
        # Short and plain names.
        ("L8-20200706.tif", "Landsat"),
        ("L8 2020-07-06.tif", "Landsat"),
        ("20200706_L8.tif", "Landsat"),
        ("2020-07-06_L8.tif", "Landsat"),
        ("LS8_20200706.tif", "Landsat"),
        ("L30_20200706.tif", "Landsat"),
        ("L8SR_20200706.tif", "Landsat"),
        ("20200706_OLI_SR.tif", "Landsat"),
        ("farm_20200706_LC08.tif", "Landsat"),
        ("Terra_MODIS_20200706.tif", "MODIS"),
        ("MOD09GA_20200706.tif", "MODIS"),
        ("MODIS/20200706.tif", "MODIS"),
        ("VNP09GA_20200706.tif", "VIIRS"),
        ("VENUS_20200706.tif", "Venus"),
        ("SPOT7_20200706.tif", "SPOT"),
        ("Planet_20200706.tif", "PlanetScope"),
        ("RapidEye_20200706.tif", "RapidEye"),
        ("PLEIADES_20200706.tif", "Pleiades"),
        ("CBERS4_20200706.tif", "CBERS"),
        ("Sentinel-3_20200706.tif", "Sentinel-3"),
        ("RCM1_20200708_VV_VH.tif", "RADARSAT"),
        ("RS2_20200708_VV_VH.tif", "RADARSAT"),
        ("TSX1_20200708_VV.tif", "TerraSAR-X"),
        ("ALOS2_20200708_VV.tif", "ALOS"),
        # Fields, farms and words; names that say Sentinel too.
        ("L7_20200706_S2.tif", None),
        ("field_L7_20200706.tif", None),
        ("farm_RS2_20200708_VV.tif", None),
        ("hot_spot_20200706.tif", None),
        ("blue_planet/20200706.tif", None),
        ("over_landsat_scene/20200706.tif", None),
        ("landsat_grid_S2_20200706.tif", None),
        ("landsat_grid/S2_20200706.tif", None),
        ("Modisburg_20200706.tif", None),
    ],
)
def test_other_sensors(path, sensor):
    assert foreign_sensor(Path(path)) == sensor


@pytest.mark.fault("bands of another sensor or of level 1C by their names -> said")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["sur_refl_b01", "sur_refl_b02"], "sur_refl_b01, a band of MODIS"),
        (["Landsat8_B2"], "a band of Landsat"),
        (["rtoa_B2"], "holds rtoa_B2, whose name says reflectance at the top"),
        (["TOA_B2"], "reflectance at the top"),
        (["B2_toa"], "reflectance at the top"),
        (["L_B2_radiance"], "reflectance at the top"),
        (["B2", "B3", "B8A", "B10"], "holds B10, which Sentinel-2 has in level 1C alone"),
        (["B2", "B3", "B8A", "B9"], None),
        # Layers beside an image, numbers, and a plot with a sensor's name.
        (["B2", "MODIS_LST", "TOA_irradiance"], None),
        ([f"B{number}" for number in range(1, 11)], None),
        (["S2_L8_B2"], None),
        (["S2_SR_B2"], None),
    ],
)
def test_bands_that_no_level_2a_has(names, words):
    problem = foreign_band_problem(names)
    assert problem is None if words is None else words in problem


def test_a_band_b10_that_the_user_passed_over_is_no_objection():
    assert foreign_band_problem(["B2", "B10"], may_hold_b10=True) is None
    assert "a band of MODIS" in foreign_band_problem(["sur_refl_b02"], may_hold_b10=True)


@pytest.mark.fault("level 1C by a file of B10 beside that of B02 -> found; a field B10 -> not")
def test_a_granule_of_level_1c_without_its_folder():
    granule = [Path(f"a/T31UEQ_20200706T105031_{band}.tif") for band in ("B02", "B8A", "B10")]
    assert band_of_level_1c(granule) == granule[2]
    assert band_of_level_1c(granule[:2]) is None
    field = [Path(f"a/field_B10_20200706_{name}.tif") for name in ("B02", "B03", "NDVI")]
    assert band_of_level_1c(field) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("S2A1C_20200706_051_Aoi_TOA_10.tif", True),
        ("S2_TOA_20200706.tif", True),
        ("sentinel2_toa/B02.tif", True),
        ("S2_Level-1C_20200706.tif", True),
        ("S2MSI1C_20200706.tif", True),
        ("S2_BOA_from_TOA_20200706.tif", False),
        ("TOA/S2_L2A_20200706.tif", False),
        ("S2_Toamasina_20200706.tif", False),
        ("S2_field_1C_20200706.tif", False),
    ],
)
def test_words_of_level_1c(path, expected):
    assert is_level_1c(Path(path)) == expected


def test_level_1c_and_masks():
    assert is_level_1c(Path("S2A_MSIL1C_20200705.SAFE/GRANULE/x/IMG_DATA/T31_B02.jp2"))
    assert is_level_1c(Path("S2_L1C_20200705.tif"))
    # ESA's granule without the folder of its product around it.
    assert is_level_1c(Path("L1C_T31UEQ_A018765_20200705T105431/IMG_DATA/T31UEQ_20200705_B02.jp2"))
    assert not is_level_1c(Path("L2A_T31UEQ_A018765_20200705T105431/IMG_DATA/T31UEQ_B02.jp2"))
    assert not is_level_1c(Path("S2A_MSIL2A_20200705.SAFE/IMG_DATA/T31_B02.jp2"))
    masks = [
        "x/MASKS/a.tif",
        "QI_DATA/b.jp2",
        "MSK_DETFOO_B02.jp2",
        "vv_BorderMask.tif",
        "Fmask.tif",
    ]
    assert all(is_mask(Path(path)) for path in masks)
    theia = "SENTINEL2A_20230105-105433-459_L2A_T19GBP_C_V2-2"
    layers = ("ATB_R1", "CLM_R2", "DTF_R1-B02", "DTF_R2-B8A", "DFP_R1-D04", "IAO_R1", "FLG_R1")
    assert all(is_mask(Path(f"{theia}_{layer}.tif")) for layer in layers)
    assert not any(is_mask(Path(f"{theia}_{band}.tif")) for band in ("FRE_B2", "SRE_B8A"))
    images = ("S2_cloudmasked.tif", "S2_unmasked.tif", "B02.tif", "Damaskus.tif", "S2_nomask.tif")
    assert not any(is_mask(Path(path)) for path in images)
    maja = "S2A_OPER_SSC_PDTIMG_L2VALD_31UEQ____20200706"
    assert is_mask(Path(f"{maja}_ATB_R1.DBL.TIF")) and not is_mask(Path(f"{maja}_FRE_R1.DBL.TIF"))


def test_other_quantities_than_an_images():
    names = ("view_zenith_B2.img", "S1_20200708_20200720_VV_coh.tif", "S1_20200708_VV_count.tif")
    assert all("holds by its name an angle" in name_problem(Path(name)) for name in names)
    assert name_problem(Path("S2_20200706_high_quality.tif")) is None


def test_sre_is_left_only_where_fre_is():
    fre = Path("p/SENTINEL2A_20200707_FRE_B2.tif")
    sre = Path("p/SENTINEL2A_20200707_SRE_B2.tif")
    other_band = Path("p/SENTINEL2A_20200707_SRE_B3.tif")
    other_folder = Path("q/SENTINEL2A_20200707_SRE_B2.tif")
    assert without_slope_correction([fre, sre, other_band, other_folder]) == [sre]
    maja = [Path(f"p/S2A_L2VALD_31UEQ____20200706_{kind}_R1.DBL.TIF") for kind in ("FRE", "SRE")]
    assert without_slope_correction(maja) == maja[1:]


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("S2A_MSIL2A_20211205T105431_N0301_R051", 0),
        ("S2A_MSIL2A_20211205T105431_N0399_R051", 0),
        ("S2A_MSIL2A_20220204T105201_N0400_R051", -1000),
        ("S2A_MSIL2A_20180204T105201_N0500_R051", -1000),
        ("S2A_20220204", None),
        # Of all versions of Sen2Cor.
        ("S2A_MSIL2A_20220204T105201_N9999_R051", None),
        ("DEM_N045E005", None),
    ],
)
def test_offsets_of_baselines(tmp_path, name, offset):
    baseline = baseline_of(tmp_path / f"{name}.SAFE" / "GRANULE" / "T31_20220204_B02.jp2")
    assert (None if baseline is None else baseline.offset) == offset


@pytest.mark.parametrize(("offsets", "offset"), [("", 0), ("<BOA_ADD_OFFSET>-1000", -1000)])
def test_a_product_that_users_make_with_sen2cor(tmp_path, offsets, offset):
    """All versions of Sen2Cor call it N9999; those before the offset write no such element."""
    text = f"<PROCESSING_BASELINE>99.99</PROCESSING_BASELINE>{offsets}"
    (tmp_path / "MTD_MSIL2A.xml").write_text(text)
    baseline = baseline_of(tmp_path / "IMG_DATA" / "T31_20220204_B02.jp2")
    assert (baseline.name, baseline.offset) == ("N9999", offset)


def write_item(path, href="https://x/B02.tif", properties=(), **fields):
    item = {"properties": dict(properties), "assets": {"blue": {"href": href} | fields}}
    path.write_text(json.dumps(item))
    return path


BASELINE = {"s2:processing_baseline": "05.11"}


@pytest.mark.parametrize(
    ("fields", "properties", "offset"),
    [
        ({"raster:bands": [{"scale": 0.0001, "offset": -0.1}]}, BASELINE, -1000),
        ({"raster:bands": [{"scale": 0.0001, "offset": 0}]}, BASELINE, 0),
        ({"raster:scale": 0.0001, "raster:offset": -0.1}, BASELINE, -1000),
        ({"bands": [{"raster:scale": 0.0001, "raster:offset": -0.1}]}, BASELINE, -1000),
        (
            {"raster:bands": [{"scale": 0.0001, "offset": -0.1}]},
            BASELINE | {"earthsearch:boa_offset_applied": True},
            0,
        ),
        ({"raster:bands": [{"scale": 0.0001, "offset": 3}]}, BASELINE, None),
        ({"raster:bands": [{"scale": 0, "offset": -0.1}]}, BASELINE, None),
        ({"raster:bands": [{"scale": "x", "offset": -0.1}]}, BASELINE, None),
        # As the Planetary Computer has it: the processor's version alone.
        ({"raster:bands": {}}, BASELINE, -1000),
        ({}, BASELINE, -1000),
        ({}, BASELINE | {"earthsearch:boa_offset_applied": True}, 0),
        ({}, {"s2:processing_baseline": "05"}, None),
    ],
)
def test_a_stac_item_beside_a_raster_gives_its_offset(tmp_path, fields, properties, offset):
    folder = tmp_path / "S2B_T31UFS_20220720"
    folder.mkdir()
    write_item(folder / "S2B_T31UFS_20220720.json", properties=properties, **fields)
    baseline = baseline_of(folder / "B02.tif")
    assert (None if baseline is None else (baseline.name, baseline.offset)) == (
        None if offset is None else ("N0511", offset)
    )
    assert baseline_of(folder / "B03.tif") is None  # no asset of the item


def test_files_that_are_no_stac_item_say_nothing(tmp_path):
    raster = tmp_path / "S2_20220720" / "B02.tif"
    raster.parent.mkdir()
    item = raster.parent / "item.json"
    for text in (
        "",
        "[]",
        "null",
        "[" * 200_000,
        '{"assets": []}',
        '{"properties": 1, "assets": {"a": 1}}',
    ):
        item.write_text(text)
        assert baseline_of(raster) is None
    write_item(item, properties=BASELINE, scale=0.0001, offset=-0.1)
    assert baseline_of(raster).offset == -1000
    write_item(item, scale=0.0001, offset=-0.1)
    assert baseline_of(raster).name == "N0400 or later"
    item.write_text(item.read_text() + " " * 1_000_000)
    assert baseline_of(raster) is None


def test_a_name_with_a_baseline_counts_after_the_item(tmp_path):
    """Catalogues copy products of N0400 and take the offset off."""
    folder = tmp_path / "S2A_MSIL2A_20220204T105201_N0400_R051"
    folder.mkdir()
    write_item(tmp_path / f"{folder.name}.json", properties=BASELINE, scale=1e-4, offset=0)
    assert baseline_of(folder / "B02.tif").offset == 0
    assert baseline_of(folder / "B03.tif").offset == -1000


def test_a_band_that_alone_lacks_its_correction_is_found():
    fre = [Path(f"p/SENTINEL2A_20200707_FRE_{band}.tif") for band in ("B2", "B3")]
    lone = Path("p/SENTINEL2A_20200707_SRE_B4.tif")
    beside = Path("p/SENTINEL2A_20200707_SRE_B2.tif")
    other_product = Path("p/SENTINEL2A_20200817_SRE_B4.tif")
    assert lone_uncorrected_band([*fre, beside, lone]) == lone
    assert lone_uncorrected_band([*fre, beside]) is None
    assert lone_uncorrected_band([*fre, beside, other_product]) is None
    assert lone_uncorrected_band([lone, beside]) is None  # all are uncorrected


def test_a_signed_address_of_an_asset_is_that_of_its_file(tmp_path):
    folder = tmp_path / "S2B_T31UFS_20220720"
    folder.mkdir()
    item = folder / "S2B_T31UFS_20220720.json"
    write_item(item, properties=BASELINE)
    item.write_text(item.read_text().replace("B02.tif", "B02.tif?st=2024&sig=x"))
    assert baseline_of(folder / "B02.tif").offset == -1000


@pytest.mark.parametrize(
    ("name", "sensor"),
    [("L8_20200706_B5", "Landsat"), ("20200706_L8_B5", "Landsat"), ("farm_L7_20200706", None)],
)
def test_a_field_called_l7_is_not_landsat(tmp_path, name, sensor):
    assert foreign_sensor(tmp_path / f"{name}.tif") == sensor


@pytest.mark.fault("folders, fields and places whose names are words of sensors -> images")
@pytest.mark.parametrize(
    "path",
    [
        "s3/T31UEQ_20200708T105031_B02.tif",
        "Planet/T31UEQ_20200708T105031_B02.tif",
        "landsat_and_sentinel/T31UEQ_20200708T105031_B02.tif",
        "Cosmo/20200708_B02.tif",
        "S2/L7_20200708_B02.tif",
        "S3_20200708.tif",
        "Toa_Baja/S2A_20200708.tif",
        "S2_L2A/Toa_20200708.tif",
        "Level-2A_from_Level-1C/S2_20200708.tif",
        "level2a_from_level1c_20200708_B02.tif",
        "S2_QA_20200708_B02.tif",
        "Error_creek_S2_20200708_B02.tif",
    ],
)
def test_names_that_only_sound_like_other_products(path):
    assert name_problem(Path("/data") / path) is None


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("20200708/Mar_Menor_B02.tif", "2020-07-08"),
        ("20200708/June_lake.tif", "2020-07-08"),
        ("S2_20200708/tile_2020_12_B02.tif", "2020-07-08"),
        ("20200708/S2_jan2020.tif", None),
        ("20200708/S2_2020_march.tif", None),
    ],
)
def test_places_that_are_called_as_months(path, day):
    found, _ = day_and_folder(Path(path))
    assert found == (None if day is None else np.datetime64(day))
