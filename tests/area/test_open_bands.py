"""A band as if it lay on the target grid: its values, and which of them mean no data."""

from functools import partial

import numpy as np
import pytest
import rasterio
from own_images import GREEN, NORTH, WEST, pixel_of, refused, write
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform
from rasterio.windows import Window
from rasters import write_separate

from multisenge_lib.area import InputUnits, import_area
from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.open_bands import bands_on_grid, pixel_metres
from multisenge_lib.area.target_grid import TargetGrid
from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import ImportAreaError

INFINITE = [np.inf, -np.inf, np.nan]
SIGNED_FILL = [-10_000, -9999, -32_768]
NOTHING_SAID = InputUnits()


def read_band(
    path,
    sensor="s2",
    units=NOTHING_SAID,
    index=1,
    crs=None,
    height=8,
    width=8,
):
    """Stored values of a band on a grid of this size, where they mean no data, and its encoding."""
    grid = TargetGrid(CRS.from_epsg(32719), WEST, NORTH, width, height)
    source = BandSource(path.name, partial(rasterio.open, path), str(path), index, crs)
    with bands_on_grid([source], sensor, grid, units) as (band,):
        stored = band.read(Window(0, 0, width, height))
        return stored, band.marked(stored), band.encoding


@pytest.mark.parametrize(
    ("sensor", "dtype", "tag", "user", "no_data"),
    [
        ("s2", "int16", None, None, SIGNED_FILL),
        ("s2", "int16", -1, None, [-1, *SIGNED_FILL]),
        ("s2", "int16", -1, 300, [-1, 300, *SIGNED_FILL]),
        ("s2", "float32", None, None, [*SIGNED_FILL, *INFINITE]),
        ("s2", "float32", np.nan, None, [*SIGNED_FILL, *INFINITE]),
        ("s2", "uint16", None, None, [65_535]),
        ("s2", "uint16", 7, None, [7, 65_535]),
        # 0 in one band alone is dark, also where a tag calls it no data.
        ("s2", "uint16", 0, None, [65_535]),
        # Decibels x 100 may be any negative number.
        ("s1", "int16", None, None, []),
        ("s1", "float32", None, None, INFINITE),
        ("s1", "float32", -1, -9999, [-1, -9999, *INFINITE]),
    ],
)
def test_which_values_mean_no_data_on_the_grid(tmp_path, sensor, dtype, tag, user, no_data):
    values = [0, 1, 7, 300, 9999]
    values += [65_535] if dtype == "uint16" else [-1, *SIGNED_FILL]
    values += INFINITE if dtype == "float32" else []
    row = np.array([[values]], dtype)
    data_elsewhere = np.full_like(row, 300)
    path = write(tmp_path / "a.tif", np.concatenate([row, data_elsewhere]), nodata=tag)
    units = InputUnits(no_data=user)
    stored, marked, _ = read_band(path, sensor, units, height=1, width=row.shape[2])
    np.testing.assert_array_equal(stored, row[0])
    assert marked[0].tolist() == [value in no_data for value in values]


@pytest.mark.parametrize(
    ("dtype", "fill"),
    [
        ("int16", -10_000),
        ("int16", -9999),
        ("int16", -32_768),
        ("int32", -10_000),
        ("float32", -10_000),
        ("float32", -9999),
        ("uint16", 65_535),
        ("uint16", 0),
    ],
)
@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("holes", [1, 2])
def test_no_data_of_a_band_is_mixed_into_no_neighbour(tmp_path, dtype, fill, tagged, holes):
    """Pixels of 20 m; the first band holds data everywhere, or has the hole of the second."""
    pixels = np.full((2, 4, 4), 300, dtype)
    pixels[-holes:, :, 2:] = fill
    path = write(tmp_path / "a.tif", pixels, res=20.0, nodata=fill if tagged else None)
    stored, marked, _ = read_band(path, index=2)
    assert (stored[:, :4] == 300).all() and (stored[:, 5:] == fill).all()
    # A pixel of 10 m beside a hole of one band alone may be taken from its other neighbour.
    assert set(stored[:, 4]) <= ({300, fill} if holes == 1 else {fill})
    assert (marked == (stored == fill)).all() or fill == 0


@pytest.mark.fault("no data in one band of a stack of 20 m -> mixed into none of its neighbours")
def test_a_hole_in_one_band_of_a_stack(tmp_path):
    """As exports of Earth Engine have it, where the bands' swaths end beside each other."""
    pixels = np.tile(GREEN[:, None, None].astype(np.uint16), (1, 32, 32))
    pixels[4, :, 20:] = 0
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS, res=20.0)
    imported = import_area(tmp_path / "root", [path], size=64)
    for column in (37, 38, 39):
        values = pixel_of(imported.root, "s2", "20230105", column=column)
        assert values.tolist() == GREEN.tolist()


def test_the_tags_and_the_type_of_a_band_are_its_own(tmp_path):
    """Pixels of 20 m: a mask of 8 bit, and an image without a no-data tag."""
    mask = np.full((4, 4), 255, np.uint8)
    image = np.full((4, 4), 300, np.int16)
    image[:, 2:] = -10_000
    bands = [
        ("mask", mask, {"NoDataValue": 255, "Offset": 10, "Scale": 3}),
        ("image", image, {"Offset": 20, "Scale": 2}),
    ]
    place = Affine(20, 0, WEST, 0, -20, NORTH)
    path = write_separate(tmp_path / "stack.vrt", bands, "EPSG:32719", place)
    stored, marked, encoding = read_band(path, index=2)
    assert (stored[:, :4] == 300).all() and (stored[:, 5:] == -10_000).all()
    assert marked[:, 5:].all() and not marked[:, :4].any()
    assert (encoding.scale, encoding.offset) == (2, 20)


def test_coarser_pixels_are_bilinear(tmp_path):
    """Pixels of 20 m; those of 10 m lie a quarter of a pixel beside their middles."""
    columns = np.array([1000, 1000, 2000, 2000], np.uint16)
    path = write(tmp_path / "a.tif", np.tile(columns, (1, 4, 1)), res=20.0)
    stored, _, _ = read_band(path)
    assert stored[0].tolist() == [1000, 1000, 1000, 1250, 1750, 2000, 2000, 2000]


def test_pixels_of_10_m_beside_the_grid_are_bilinear(tmp_path):
    """They lie 4 m east of the grid; the last four columns hold no data."""
    columns = np.array([1000, 1000, 2000, 2000, 0, 0, 0, 0], np.uint16)
    path = write(tmp_path / "a.tif", np.tile(columns, (1, 8, 1)), west=WEST + 4)
    stored, _, _ = read_band(path)
    # The middle of the fifth pixel lies in a pixel without data, so it has none either.
    assert stored[0].tolist() == [1000, 1000, 1600, 2000, 0, 0, 0, 0]


def test_fill_values_of_reflectance_are_none_of_radar(tmp_path):
    """Their place is asked for, with --no-data, on the grid and beside it."""
    pixels = np.full((1, 4, 4), 0.1, np.float32)
    pixels[:, :, 2:] = -9999
    for res in (10.0, 20.0):
        stored, marked, _ = read_band(write(tmp_path / "a.tif", pixels, res=res), "s1")
        assert not marked.any() and stored.min() == -9999


@pytest.mark.parametrize("epsg", [32719, 32718])
def test_the_mean_of_finer_pixels_keeps_an_edge_sharp(tmp_path, epsg):
    """Pixels of 2.5 m of two values; only the pixels that the edge cuts hold another one.

    In the zone of the grid and in the neighbouring one.
    """
    halves = np.repeat(np.array([1000, 3000], np.uint16), 160)
    path = write(tmp_path / "a.tif", np.tile(halves, (1, 320, 1)), res=2.5)
    (west,), (north,) = transform("EPSG:32719", f"EPSG:{epsg}", [WEST + 200], [NORTH - 200])
    grid = TargetGrid(CRS.from_epsg(epsg), int(west) + 3, int(north) + 3, 30, 30)
    source = BandSource("a.tif", partial(rasterio.open, path), "a.tif")
    with bands_on_grid([source], "s2", grid, NOTHING_SAID) as (band,):
        stored = band.read(Window(0, 0, 30, 30))
    mixed = ((stored > 1000) & (stored < 3000)).sum(axis=1)
    assert np.median(mixed) == 1 and (stored >= 1000).all()


def test_pixels_on_the_grid_are_taken_bit_by_bit(tmp_path):
    """An edge may miss the grid by millimetres; nothing is mixed for that."""
    rng = np.random.Generator(np.random.PCG64(0))
    pixels = rng.gamma(4, 0.02, (1, 8, 8)).astype(np.float32)
    path = write(tmp_path / "a.tif", pixels, west=WEST + 0.005)
    stored, _, _ = read_band(path, "s1")
    np.testing.assert_array_equal(stored, pixels[0])


def test_the_projection_of_the_user_places_a_raster_that_names_none(tmp_path):
    """In degrees, on a grid in metres."""
    (west,), (north,) = transform("EPSG:32719", "EPSG:4326", [WEST], [NORTH])
    corner = {"west": west - 0.005, "north": north + 0.005, "res": 1e-4, "crs": None}
    path = write(tmp_path / "a.tif", np.full((1, 100, 100), 300, np.uint16), **corner)
    stored, _, _ = read_band(path, crs=CRS.from_epsg(4326))
    assert (stored == 300).all()


@pytest.mark.parametrize("west", [179.996, -180.004])
def test_both_sides_of_the_antimeridian_are_read(tmp_path, west):
    """80 columns in degrees, half of them on each side, on a grid that lies inside them."""
    corner = {"west": west, "north": 10, "res": 1e-4, "crs": "EPSG:4326"}
    pixels = np.full((1, 80, 80), 300, np.uint16)
    path = write(tmp_path / "a.tif", pixels, **corner)
    (left,), (top,) = transform("EPSG:4326", "EPSG:32660", [179.997], [9.999])
    grid = TargetGrid(CRS.from_epsg(32660), int(left), int(top), 60, 60)
    source = BandSource("a.tif", partial(rasterio.open, path), "a.tif")
    with bands_on_grid([source], "s2", grid, NOTHING_SAID) as (band,):
        stored = band.read(Window(0, 0, 60, 60))
    assert (stored == 300).all()


def test_a_type_that_no_image_has_is_named(tmp_path):
    path = write(tmp_path / "a.tif", np.full((1, 8, 8), 200, np.uint8))
    with pytest.raises(ImportAreaError, match=r"^a\.tif ") as caught:
        read_band(path)
    assert "8-bit" in str(caught.value) and "cannot be read" not in str(caught.value)


@pytest.mark.fault("an untagged -999 on another grid -> mixed into no neighbour")
@pytest.mark.parametrize("fill", [-999, -99, -1, -32_767])
@pytest.mark.parametrize("tag", [None, np.nan])
def test_an_unusual_number_in_all_bands_is_no_data(tmp_path, fill, tag):
    """Pixels of 20 m beside noise around dark water, which is measured."""
    noise = np.random.Generator(np.random.PCG64(0)).integers(-6, 40, (10, 40, 40))
    pixels = np.repeat(GREEN[:, None, None], 40, 1).repeat(40, 2)
    pixels[:, :, 20:] = noise[:, :, 20:]
    pixels[:, :, :10] = fill
    dtype = "int16" if tag is None else "float32"
    path = write(tmp_path / "S2_20230105.tif", pixels.astype(dtype), S2_BANDS, res=20.0, nodata=tag)
    root = import_area(tmp_path / "root", [path], size=64).root
    for column, expected in [(17, 0), (18, 0), (22, GREEN), (25, GREEN)]:
        values = pixel_of(root, "s2", "20230105", column=column)
        assert (values == expected).all()
    assert pixel_of(root, "s2", "20230105", column=50).any()


@pytest.mark.fault("decibels with an untagged -999 on another grid -> mixed into no neighbour")
@pytest.mark.parametrize("no_data", [None, -999])
def test_a_number_that_no_radar_measures_is_not_mixed(tmp_path, no_data):
    pixels = np.full((2, 40, 40), -11, np.float32)
    pixels[1] = -17
    pixels[:, :, :10] = -999
    path = write(tmp_path / "S1_20230105.tif", pixels, ("VV", "VH"), res=20.0)
    units = InputUnits(s1="db", no_data=no_data)
    root = import_area(tmp_path / "root", [path], size=64, units=units).root
    values = np.array([pixel_of(root, "s1", "20230105", column=column)[0] for column in range(32)])
    assert set(np.round(10 * np.log10(values[values > 0]), 3)) == {-11}


@pytest.mark.fault("a fill value of linear intensity on another grid -> quoted as it is stored")
def test_a_number_that_no_radar_measures_is_quoted_as_stored(tmp_path):
    pixels = np.full((2, 40, 40), 0.1, np.float32)
    pixels[1] = 0.02
    pixels[:, :, :10] = -9999
    path = write(tmp_path / "S1_20230105.tif", pixels, ("VV", "VH"), west=WEST + 4)
    assert "give --no-data -9999;" in refused(tmp_path, [path])


@pytest.mark.fault("--no-data -24.9 for decimals of 32 bits on another grid -> no data")
@pytest.mark.parametrize("no_data", [-24.9, 0.1, 1e-10])
def test_no_data_is_rounded_as_the_raster_stores_it(tmp_path, no_data):
    unit = "db" if no_data < 0 else "linear"
    pixels = np.full((2, 40, 40), -11 if unit == "db" else 0.3, np.float32)
    pixels[1] = -17 if unit == "db" else 0.05
    pixels[:, :, :10] = no_data
    path = write(tmp_path / "S1_20230105.tif", pixels, ("VV", "VH"), west=WEST + 4)
    units = InputUnits(s1=unit, no_data=no_data)
    root = import_area(tmp_path / "root", [path], size=32, units=units).root
    values = np.array([pixel_of(root, "s1", "20230105", column=column)[0] for column in range(32)])
    expected = 10**-1.1 if unit == "db" else 0.3
    np.testing.assert_allclose(values, np.where(np.arange(32) < 9, 0, expected), rtol=1e-5)


@pytest.mark.fault("NetCDF's own no data, 1e37, without a tag and off the grid -> quoted as stored")
def test_an_enormous_number_is_quoted_as_stored(tmp_path):
    pixels = np.full((2, 40, 40), 0.1, np.float32)
    pixels[1] = 0.02
    pixels[:, :, :10] = 9.969209968386869e36
    path = write(tmp_path / "S1_20230105.tif", pixels, ("VV", "VH"), west=WEST + 4)
    assert "give --no-data 9.96921e+36;" in refused(tmp_path, [path])
    units = InputUnits(no_data=9.96921e36)
    root = import_area(tmp_path / "root", [path], size=32, units=units).root
    assert pixel_of(root, "s1", "20230105", column=20)[0] == pytest.approx(0.1)


def test_measured_numbers_below_zero_are_no_fill(tmp_path):
    """Reflectance of shadows, a little below 0; -1 is common in some bands, and not in others."""
    rng = np.random.Generator(np.random.PCG64(0))
    pixels = np.repeat(GREEN[:, None, None], 40, 1).repeat(40, 2).astype(np.int16)
    pixels[:, :20] = rng.integers(-8, 9, (10, 20, 40))
    pixels[7:, 30:] = -1
    path = write(tmp_path / "S2_20230105.tif", pixels, S2_BANDS, res=20.0)
    sources = [BandSource("a", partial(rasterio.open, path), "a", i) for i in range(1, 11)]
    grid = TargetGrid(CRS.from_epsg(32719), WEST, NORTH, 64, 64)
    with bands_on_grid(sources, "s2", grid, NOTHING_SAID) as bands:
        for band in bands:
            assert not {-1, -2, -3} & set(band.no_data)


@pytest.mark.parametrize("epsg", [4326, 3857, 32718, 32719])
def test_pixels_are_measured_amid_the_grid(tmp_path, epsg):
    """A strip of 2 x 100 pixels of 20 m; a rectangle around it would be wider when it is turned."""
    corners = transform("EPSG:32719", f"EPSG:{epsg}", [WEST, WEST + 20], [NORTH, NORTH])
    res = float(np.hypot(*np.diff(corners, axis=1)[:, 0]))
    pixels = np.ones((1, 2, 100), np.uint8)
    path = write(
        tmp_path / "a.tif",
        pixels,
        west=corners[0][0],
        north=corners[1][0],
        res=res,
        crs=f"EPSG:{epsg}",
    )
    grid = TargetGrid(CRS.from_epsg(32719), WEST, NORTH, 64, 64)
    with rasterio.open(path) as raster:
        metres = pixel_metres(raster, grid)
    # Degrees of longitude are shorter than those of latitude, which are as many.
    assert metres == pytest.approx(20 if epsg != 4326 else 23.4, rel=0.02)


@pytest.mark.fault("finer pixels in degrees -> their mean, as the notice says")
def test_finer_pixels_in_degrees_are_averaged(tmp_path):
    """Pixels of about 2 m, bright and dark by turns: their mean is the same everywhere."""
    (west,), (north,) = transform("EPSG:32719", "EPSG:4326", [WEST], [NORTH])
    pixels = np.where(np.indices((1, 200, 200)).sum(axis=0) % 2, 1000, 3000).astype(np.uint16)
    corner = {"west": west - 5e-4, "north": north + 5e-4, "res": 2e-5, "crs": "EPSG:4326"}
    stored, _, _ = read_band(write(tmp_path / "a.tif", pixels, **corner))
    assert np.abs(stored.astype(int) - 2000).max() < 150


@pytest.mark.fault("an offset tag of NaN or infinity -> named, not the scale")
@pytest.mark.parametrize("offset", [np.nan, np.inf])
def test_an_offset_that_is_no_number_is_named(tmp_path, offset):
    path = write(tmp_path / "a.tif", np.full((1, 8, 8), 300, np.uint16))
    with rasterio.open(path, "r+") as raster:
        raster.offsets = [offset]
    with pytest.raises(ImportAreaError, match=r"has an offset tag of (nan|inf)"):
        read_band(path)
