"""Cubes of xarray, in memory and in files, whole and harmed."""

import numpy as np
import pytest
from affine import Affine
from own_images import GREEN, HEIGHT, NORTH, WEST, WIDTH, pixel_of, refused, scene, write_bands

from multisenge_lib.area import import_area
from multisenge_lib.dataset import S2_BANDS

xarray = pytest.importorskip("xarray")


def cube(days=("2022-12-03", "2023-01-05")):
    """A Dataset with bands along a dimension and its projection as an attribute."""
    times = np.array(days, "datetime64[ns]")
    pixels = np.stack([scene(i) for i in range(len(days))])
    return xarray.Dataset(
        {"reflectance": (("time", "band", "y", "x"), pixels)},
        {
            "time": times,
            "band": list(S2_BANDS),
            "y": NORTH - 5 - 10.0 * np.arange(HEIGHT),
            "x": WEST + 5 + 10.0 * np.arange(WIDTH),
        },
        {"crs": "EPSG:32719"},
    )


@pytest.mark.fault("a DataArray, as stackstac gives it -> taken as a Dataset")
def test_a_data_array_is_taken(tmp_path):
    array = cube()["reflectance"].assign_coords(epsg=32719)
    assert "crs" not in array.attrs
    imported = import_area(tmp_path / "root", [array], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    from_array = import_area(tmp_path / "alone", array, size=96)
    assert from_array.patches == imported.patches


def test_bands_by_the_names_of_digital_earth_australia(tmp_path):
    names = [
        "blue",
        "green",
        "red",
        "red_edge_1",
        "red_edge_2",
        "red_edge_3",
        "nir_1",
        "nir_2",
        "swir_2",
        "swir_3",
    ]
    named = cube().assign_coords(band=[f"nbart_{name}" for name in names])
    imported = import_area(tmp_path / "root", [named], size=96)
    assert imported.dataset.bands["s2"] == S2_BANDS
    landsat = cube().assign_coords(band=[f"nbart_{n}" for n in ["swir_1", *names[1:]]])
    assert "a band of Landsat" in refused(tmp_path / "b", [landsat])


def test_a_file_of_one_date_takes_the_date_of_its_name(tmp_path):
    path = tmp_path / "S2_20230105.nc"
    single = cube().isel(time=1, drop=True)
    bands = {band: single["reflectance"].sel(band=band, drop=True) for band in S2_BANDS}
    xarray.Dataset(bands, attrs=single.attrs).to_netcdf(path, engine="h5netcdf")
    imported = import_area(tmp_path / "root", [path], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    path.rename(tmp_path / "cube.nc")
    message = refused(tmp_path / "b", [tmp_path / "cube.nc"])
    assert "a name with the date yyyymmdd" in message


@pytest.mark.fault("scale and offset as attributes of a cube -> applied, as tags of rasters are")
def test_scale_and_offset_attributes_are_applied(tmp_path):
    # As rioxarray.open_rasterio gives a file whose tags it does not apply.
    stored = cube() + 1000
    stored["reflectance"].attrs = {"scale_factor": 1e-4, "add_offset": -0.1}
    stored.attrs = {"crs": "EPSG:32719"}
    imported = import_area(tmp_path / "root", [stored], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    assert any("have scale or offset tags, which are applied" in n for n in imported.notices)

    stored["reflectance"].attrs["scale_factor"] = "a tenth"
    assert "scale_factor a tenth, which is not one number" in refused(tmp_path / "b", [stored])


@pytest.mark.parametrize(("value", "has_data"), [(65_535, False), (70_000, True), (-1, True)])
def test_a_fill_value_counts_where_the_type_can_hold_it(tmp_path, value, has_data):
    stored = cube()
    stored["reflectance"][1, :, :40, :40] = 9000 if has_data else value
    stored["reflectance"].attrs["nodata"] = value
    imported = import_area(tmp_path / "root", [stored], size=96)
    assert pixel_of(imported.root, "s2", "20230105").any() == has_data


@pytest.mark.fault("a cube whose name says N0400 -> its offset is applied, as to rasters")
def test_the_baseline_in_the_name_of_a_cube(tmp_path):
    stored = cube()["reflectance"].isel(time=1, drop=True) + 1000
    bands = {band: stored.sel(band=band, drop=True) for band in S2_BANDS}
    path = tmp_path / "S2A_MSIL2A_20230105T104031_N0509_R008.nc"
    xarray.Dataset(bands, attrs={"crs": "EPSG:32719"}).to_netcdf(path, engine="h5netcdf")
    imported = import_area(tmp_path / "root", [path], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()


@pytest.mark.parametrize("code", ["32719", 32719, "EPSG:32719"])
def test_a_bare_code_is_a_projection(tmp_path, code):
    without = cube().drop_attrs()
    assert import_area(tmp_path / "root", [without], size=96, crs=code).patches == 1


def without_x(cube):
    return cube.drop_vars("x")


def with_missing_date(cube):
    times = cube["time"].values.copy()
    times[0] = np.datetime64("NaT")
    return cube.assign_coords(time=times)


@pytest.mark.fault("cubes with NaT, without x, of truth values or complex numbers -> one line")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (with_missing_date, "1 of its 2 dates are missing (NaT)"),
        (without_x, "no coordinate for x"),
        (lambda c: c > 100, "is of type bool"),
        (lambda c: c.astype(np.complex64), "is of type complex64"),
        (lambda c: c.isel(x=[0]), "too few"),
    ],
)
def test_harmed_cubes(tmp_path, harm, words):
    harmed = harm(cube())
    harmed.attrs["crs"] = "EPSG:32719"
    assert words in refused(tmp_path, [harmed])


@pytest.mark.fault("a NetCDF file that keeps its data in groups -> the groups are named")
def test_groups_are_named(tmp_path):
    cube().to_netcdf(tmp_path / "cube.nc", group="l2a", engine="h5netcdf")
    assert "keeps its data in groups (/l2a)" in refused(tmp_path, [tmp_path / "cube.nc"])


@pytest.mark.fault("one band that is NaN everywhere -> that band is named")
def test_an_empty_band_is_named(tmp_path):
    empty = cube(["2022-12-03"]).astype(np.float32)
    empty["reflectance"][:, S2_BANDS.index("B5")] = np.nan
    empty["reflectance"][:, S2_BANDS.index("B4"), :, :10] = np.nan  # not everywhere
    assert " is left out: B5 holds no data anywhere" in refused(tmp_path, [empty])


@pytest.mark.fault("a chunk of a Zarr store is damaged -> one line that names the cube")
def test_a_damaged_chunk_is_one_line(tmp_path):
    pytest.importorskip("zarr")
    path = tmp_path / "cube.zarr"
    cube().to_zarr(path, zarr_format=2)
    for chunk in (path / "reflectance").glob("[0-9]*"):
        chunk.write_bytes(b"\xff" * 20)
    message = refused(tmp_path, [path])
    assert "cube.zarr" in message and "cannot be read" in message


@pytest.mark.parametrize("first", [179.995, -180.005])
def test_across_the_antimeridian(tmp_path, first):
    around = cube().assign_coords(
        x=first + 1e-4 * np.arange(WIDTH), y=-16.5 - 1e-4 * np.arange(HEIGHT)
    )
    imported = import_area(tmp_path / "root", [around], size=32, crs="EPSG:4326")
    assert {tile[:2] for tile in imported.dataset.tiles} == {"01"}
    # The area is turned a little against the zone; half of it was lost at 180 degrees before.
    assert "s2 of 2023-01-05: 1% of the pixels are no data" in imported.notices
    assert abs(int(pixel_of(imported.root, "s2", "20230105", 9, 9)[2]) - GREEN[2]) < 200


def test_a_cube_alone_is_taken_whole(tmp_path):
    imported = import_area(tmp_path / "root", cube(), size=96)
    assert len(list((imported.root / "s2").iterdir())) == 2


@pytest.mark.fault("a cube whose variables are numbered -> asked for their names")
@pytest.mark.parametrize("first", [0, 1])
def test_numbered_variables_are_no_names(tmp_path, first):
    named = cube()["reflectance"]
    variables = {}
    for number, band in enumerate(S2_BANDS, first):
        variables[f"B{number}"] = named.sel(band=band, drop=True)
    numbered = xarray.Dataset(variables, attrs={"crs": "EPSG:32719"})
    assert "only numbers its bands" in refused(tmp_path, [numbered])


def variables(dims=("time", "y", "x"), **coords):
    """A Dataset with a variable for each band of Sentinel-2, of one date."""
    stored = cube(["2023-01-05"])
    shape = [stored.sizes.get(dim, 1) for dim in dims]
    bands = {
        name: (dims, pixels.reshape(shape)) for name, pixels in zip(S2_BANDS, scene(1), strict=True)
    }
    kept = {dim: stored[dim].values for dim in ("time", "y", "x") if dim in dims}
    return xarray.Dataset(bands, kept | coords, {"crs": "EPSG:32719"})


def with_radar(dims, days, **coords):
    """`variables`, and VV and VH along other dimensions."""
    stored = variables()
    sizes = {"y": HEIGHT, "x": WIDTH, "t_s1": len(days), "orbit": 2}
    values = np.full([sizes.get(dim, 1) for dim in dims], 0.1)
    values += np.random.Generator(np.random.PCG64(0)).uniform(0, 0.1, values.shape)
    times = {"t_s1": np.array(days, "datetime64[ns]")} if days else {}
    return stored.assign({"VV": (dims, values), "VH": (dims, values / 5)}).assign_coords(
        times | coords
    )


@pytest.mark.fault("a cube in which each sensor has its own dates -> both are taken")
def test_each_sensor_has_its_own_dates(tmp_path):
    both = with_radar(("t_s1", "y", "x"), ["2023-01-03", "2023-01-15"])
    imported = import_area(tmp_path / "root", [both], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    for step, day in enumerate(["20230103", "20230115"]):
        expected = float(both["VV"][step, 0, 0])
        assert pixel_of(imported.root, "s1", day)[0] == pytest.approx(expected)


@pytest.mark.fault("dates of a cube as texts or as whole numbers -> read")
@pytest.mark.parametrize("days", [["2022-12-03", "2023-01-05"], [20221203, 20230105]])
def test_dates_of_other_types(tmp_path, days):
    imported = import_area(tmp_path / "root", [cube().assign_coords(time=days)], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()


@pytest.mark.fault("hours since some moment as dates of a cube -> refused")
def test_numbers_that_are_no_dates(tmp_path):
    message = refused(tmp_path, [cube().assign_coords(time=[2_012_030, 2_013_010])])
    assert "what stands along time is no date: give it dates of type datetime64" in message


@pytest.mark.fault("VV and VH by orbit -> left out, and said with the dimension")
def test_variables_along_another_dimension_are_named(tmp_path):
    orbits = with_radar(("time", "orbit", "y", "x"), [], orbit=["ascending", "descending"])
    imported = import_area(tmp_path / "root", [orbits], size=96)
    assert list(imported.dataset.bands) == ["s2"]
    said = "cube 1: VV, VH left out, they lie along orbit (2) too: choose one step of it"
    assert any(notice.startswith(said) for notice in imported.notices)
    message = refused(tmp_path / "b", [orbits[["VV", "VH"]]])
    assert message.startswith(said)


@pytest.mark.fault(
    "rioxarray's dimension `band` of one step in some bands or in all -> passed over"
)
@pytest.mark.parametrize("bands", [S2_BANDS, ("B5", "B6")])
def test_dimensions_of_one_step_are_passed_over(tmp_path, bands):
    stored = variables()
    stored = stored.assign({band: stored[band].expand_dims(band=[1]) for band in bands})
    imported = import_area(tmp_path / "root", [stored], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()


def test_variables_without_dates_beside_dates_are_left_out(tmp_path):
    stored = variables()
    stored["VV"] = stored["B2"].isel(time=0, drop=True) / 1e4  # an angle, or a mean of all dates
    imported = import_area(tmp_path / "root", [stored], size=96)
    assert "cube 1: VV left out, they have no dates, and others do" in "\n".join(imported.notices)


@pytest.mark.fault("a fill value named by a cube of decimal numbers -> mixed into no neighbour")
@pytest.mark.parametrize(("dtype", "fill"), [("float32", 0), ("float32", -9999), ("float64", -1)])
@pytest.mark.parametrize("key", ["_FillValue", "nodata"])
def test_a_fill_value_of_decimal_numbers(tmp_path, dtype, fill, key):
    """Pixels of 20 m beside the grid, of 600 in every band."""
    pixels = np.full((1, 10, 60, 60), 600, dtype)
    pixels[..., :20] = fill
    places = {
        "time": np.array(["2023-01-05"], "datetime64[ns]"),
        "band": list(S2_BANDS),
        "y": NORTH - 10 - 20.0 * np.arange(60),
        "x": WEST + 10 + 20.0 * np.arange(60),
    }
    array = xarray.DataArray(pixels, places, ("time", "band", "y", "x"), attrs={key: fill})
    stored = array.to_dataset(name="a").assign_attrs(crs="EPSG:32719")
    imported = import_area(tmp_path / "root", [stored], size=96)
    row = [int(pixel_of(imported.root, "s2", "20230105", 9, c)[0]) for c in range(30, 60)]
    assert set(row) == {0, 600} and row[:8] == [0] * 8 and row[12:] == [600] * 18


def test_zero_in_one_band_of_decimal_numbers_is_dark(tmp_path):
    stored = cube(["2023-01-05"]).astype(np.float32)
    stored["reflectance"][:, S2_BANDS.index("B12"), :, :40] = 0
    stored["reflectance"].attrs["nodata"] = 0
    imported = import_area(tmp_path / "root", [stored], size=96)
    assert pixel_of(imported.root, "s2", "20230105")[:3].tolist() == scene(0)[:3, 0, 0].tolist()


@pytest.mark.fault("several single dates of a cube -> `time` counts; else they must agree")
def test_the_date_among_several_is_called_time(tmp_path):
    days = {"created": np.datetime64("2024-02-05", "ns"), "time": np.datetime64("2023-01-05", "ns")}
    stored = variables(("y", "x"), **days)
    # What is no band may have dates of its own.
    stored["orbit_height"] = ("t_orbit", np.zeros(2))
    stored = stored.assign_coords(t_orbit=np.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"))
    imported = import_area(tmp_path / "root", [stored], size=96)
    assert pixel_of(imported.root, "s2", "20230105").any()
    unclear = stored.rename(time="sensing", created="begin")
    message = refused(tmp_path / "b", [unclear])
    assert "gives several dates (begin 2024-02-05, sensing 2023-01-05): call the" in message
    path = tmp_path / "S2_20230106.nc"
    stored.drop_vars("created").rename(time="sensing").to_netcdf(path, engine="h5netcdf")
    message = refused(tmp_path / "c", [path])
    assert "gives several dates (sensing 2023-01-05, the file's name 2023-01-06)" in message


@pytest.mark.fault("coordinates in kilometres -> said, and not that the area is too small")
def test_coordinates_in_kilometres(tmp_path):
    near = variables()
    near = near.assign_coords(x=near["x"] / 1000, y=near["y"] / 1000)
    assert "coordinates seem to be kilometres or degrees" in refused(tmp_path, [near])


@pytest.mark.fault("two scenes of one day in a cube -> advised to merge them")
def test_two_scenes_of_one_day(tmp_path):
    twice = cube(["2023-01-05T10:50:31", "2023-01-05T10:50:46"])
    assert "groupby='solar_day'" in refused(tmp_path, [twice])


@pytest.mark.fault("the processing baseline that stackstac keeps -> its offset is applied")
@pytest.mark.parametrize("applied", [False, True])
def test_the_baseline_of_a_date_in_stackstac(tmp_path, applied):
    stored = cube()
    stored["reflectance"][1] += 0 if applied else 1000
    stored = stored.assign_coords(
        {
            "s2:processing_baseline": ("time", np.array(["03.01", "05.09"])),
            "earthsearch:boa_offset_applied": applied,
        }
    )
    imported = import_area(tmp_path / "root", [stored], size=96)
    for seed, day in enumerate(["20221203", "20230105"]):
        assert pixel_of(imported.root, "s2", day).tolist() == scene(seed)[:, 0, 0].tolist()


#: Of the grid of `cube`: pixels of 10 m from its corner in the north-west.
TRANSFORM = Affine(10, 0, WEST, 0, -10, NORTH)


def stacked(at="topleft", **attributes):
    """A DataArray as stackstac gives it, with coordinates at the corners or middles of pixels."""
    array = cube()["reflectance"].assign_coords(epsg=32719).assign_attrs(attributes)
    if at == "center":
        return array
    return array.assign_coords(x=array["x"] - 5, y=array["y"] + 5)


@pytest.mark.fault("corners of pixels as coordinates (stackstac's default) -> not half a pixel off")
@pytest.mark.parametrize("at", ["topleft", "center"])
@pytest.mark.parametrize("transform", [TRANSFORM, str(TRANSFORM), repr(TRANSFORM), TRANSFORM[:6]])
def test_a_transform_tells_corners_from_middles(tmp_path, at, transform):
    imported = import_area(tmp_path / "root", [stacked(at, transform=transform)], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    part = stacked(at, transform=transform).isel(x=slice(32, None), y=slice(None, None, -1))
    imported = import_area(tmp_path / "part", [part], size=64)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 32].tolist()


def with_geotransform(array, west, north, step):
    """An array as odc-stac and rioxarray give it."""
    text = f"{west} {step} 0.0 {north} 0.0 -{step}"
    return array.assign_coords(spatial_ref=((), 0, {"GeoTransform": text}))


@pytest.mark.fault("GeoTransform of another place in the pixels -> refused, never half a pixel off")
@pytest.mark.parametrize("off", [5, 2.5])
def test_a_geotransform_of_an_earlier_grid(tmp_path, off):
    # As `interp` leaves it: the coordinates are middles of new pixels.
    array = stacked("center").drop_vars("epsg").assign_attrs(crs="EPSG:32719")
    moved = with_geotransform(array, WEST + off, NORTH - off, 10)
    message = refused(tmp_path / "a", [moved])
    assert "are not the middles of the pixels of its transform: write the transform" in message
    assert "rio.write_transform()" in message
    written = with_geotransform(array, WEST, NORTH, 10)  # as the message says
    imported = import_area(tmp_path / "root", [written], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()


def test_a_geotransform_of_merged_pixels_is_passed_over(tmp_path):
    merged = with_geotransform(stacked("center"), WEST, NORTH, 5)
    imported = import_area(tmp_path / "root", [merged], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()


@pytest.mark.fault("stackstac's corners merged, or without the transform -> refused in one line")
def test_corners_without_their_transform(tmp_path):
    remedy = "stack with xy_coords='center' before you merge pixels"
    merged = stacked(transform=TRANSFORM * Affine.scale(0.5))
    message = refused(tmp_path / "a", [merged])
    assert "not the middles of the pixels" in message and message.endswith(remedy)
    lost = stacked()
    for array in (lost, lost.coarsen(x=2, y=2, boundary="trim").mean()):
        message = refused(tmp_path / "b", [array])
        assert "the attribute transform, which would settle it, is missing" in message
        assert remedy in message
    middles = lost.drop_vars("epsg")  # as the message says
    import_area(tmp_path / "root", [middles], size=96, crs="EPSG:32719")


def weather():
    """Of no projection, on a grid without even steps."""
    places = {"lat": [1.0, 2, 3.5, 6], "lon": np.arange(5.0)}
    return xarray.Dataset({"t2m": (("lat", "lon"), np.zeros((4, 5)))}, places)


@pytest.mark.fault("tables, weights and weather beside images -> left out with a notice")
@pytest.mark.parametrize(
    "other",
    [
        weather(),
        weather().assign_coords(lat=np.arange(4.0)),
        xarray.Dataset({"height": ("station", np.arange(4.0))}),
        xarray.Dataset({f"layer_{n}": ("a", np.zeros(3)) for n in (1, 2)}),
    ],
)
def test_cubes_that_are_no_images(tmp_path, other):
    folder = write_bands(tmp_path / "in", "S2_20230105_{}.tif", scene(1))
    other.to_netcdf(folder / "other.nc", engine="h5netcdf")
    imported = import_area(tmp_path / "root", [folder], size=96)
    assert any("cubes that name no band" in notice for notice in imported.notices)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    assert "names no band" in refused(tmp_path / "b", [folder / "other.nc"])


def test_a_band_on_no_grid_is_refused_in_a_folder_too(tmp_path):
    folder = write_bands(tmp_path / "in", "S2_20230105_{}.tif")
    weather().rename(t2m="B2").to_netcdf(folder / "other.nc", engine="h5netcdf")
    assert "lat has no even steps" in refused(tmp_path, [folder])


@pytest.mark.fault("masks and errors of a band -> left out with a notice, not taken for the band")
@pytest.mark.parametrize("other", ["B2_mask", "QA_B2", "B2_uncertainty", "B3_error", "red_qa"])
def test_other_quantities_of_a_band(tmp_path, other):
    both = variables().assign({other: variables()["B2"] * 0 + 1})
    imported = import_area(tmp_path / "root", [both], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    assert any(f"cube 1: {other} left out, by their names" in n for n in imported.notices)
    assert f"{other} left out" in refused(tmp_path / "b", [both[[other]]])


@pytest.mark.fault("two variables of one band -> both are named")
def test_two_variables_of_one_band(tmp_path):
    twice = variables().assign(B02_raw=variables()["B2"])
    said = "holds B2 of 2023-01-05 twice, as B2 and as B02_raw: drop one of them"
    assert said in refused(tmp_path, [twice])


@pytest.mark.fault("numbers of 128 bits -> read as those of 64")
def test_long_decimal_numbers(tmp_path):
    imported = import_area(tmp_path / "root", [cube().astype(np.longdouble)], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()


@pytest.mark.fault("a cube that cannot be opened -> one line with a remedy")
def test_a_cube_that_cannot_be_opened(tmp_path):
    (tmp_path / "S2_20230105.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 200)
    assert ": fetch it again, or leave it out" in refused(tmp_path, [tmp_path / "S2_20230105.nc"])


@pytest.mark.fault("a damaged cube beside images in a folder -> left out with a notice")
@pytest.mark.parametrize("called", ["weights.hdf5", "orbit.cdf"])
def test_a_damaged_cube_in_a_folder(tmp_path, called):
    folder = write_bands(tmp_path / "in", "S2_20230105_{}.tif", scene(1))
    (folder / called).write_bytes(b"\xcd\xf3\x00\x01" + b"0" * 200)
    imported = import_area(tmp_path / "root", [folder], size=96)
    assert any("1 file left out as cubes that cannot be read" in n for n in imported.notices)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    message = refused(tmp_path / "b", [folder / called])
    assert "cannot be read as a cube" in message and "::" not in message
    assert ": fetch it again" in message


@pytest.mark.fault("B10 in a cube -> refused with a remedy for cubes")
def test_the_remedy_for_b10(tmp_path):
    stored = variables()
    message = refused(tmp_path / "a", [stored.assign(B10=stored["B2"])])
    assert "holds B10, which Sentinel-2 has in level 1C alone" in message
    assert "drop_vars('B10')" in message and "--s2-bands" not in message


@pytest.mark.fault("places and sentences on level 2A in a title -> no level 1C")
@pytest.mark.parametrize(
    ("key", "text", "is_refused"),
    [
        ("title", "Toa Baja", False),
        ("id", "toa-alta-2023", False),
        ("title", "Sentinel-2 Level-2A, corrected from Level-1C", False),
        ("title", "Surface reflectance, made of L1C", False),
        ("title", "Sentinel-2 Level-1C", True),
        ("id", "S2A_MSIL1C_20230105T104031", True),
        ("product_type", "TOA", True),
    ],
)
def test_level_1c_by_attributes(tmp_path, key, text, is_refused):
    named = variables().assign_attrs({key: text})
    if is_refused:
        assert "is of level 1C by its" in refused(tmp_path, [named])
    else:
        import_area(tmp_path / "root", [named], size=96)


@pytest.mark.fault("coordinates called otherwise, with CF's standard_name -> read")
@pytest.mark.parametrize("called", ["east", "projection_x_coordinate"])
def test_coordinates_by_their_standard_name(tmp_path, called):
    stored = cube()
    stored["x"].attrs["standard_name"] = "projection_x_coordinate"
    imported = import_area(tmp_path / "root", [stored.rename(x=called)], size=96)
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene(1)[:, 0, 0].tolist()
    stored["x"].attrs = {}
    assert "and call it x" in refused(tmp_path / "b", [stored.rename(x="east")])
