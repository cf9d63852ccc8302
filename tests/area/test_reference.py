"""References as people have them: other ids, other pixels, their own no data, vectors."""

import unicodedata

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from own_images import HEIGHT, MOON, NORTH, WEST, WIDTH, refused, scene, write

from multisenge_lib.area import InputUnits, import_area
from multisenge_lib.dataset import S2_BANDS

CLASSES = ["Town", "Field", "Water"]


@pytest.fixture
def image(tmp_path):
    return write(tmp_path / "S2_20230105.tif", scene(), S2_BANDS)


def ids_of(root):
    """Class ids of the area, put together again: rows and columns of whole patches."""
    parts = {}
    for path in (root / "ground_reference").iterdir():
        x, y = (int(part) for part in path.stem.split("_")[-2:])
        with rasterio.open(path) as raster:
            parts[y, x] = raster.read(1)
    rows = sorted({y for y, _ in parts})
    columns = sorted({x for _, x in parts})
    return np.block([[parts[y, x] for x in columns] for y in rows])


def stripes(res=10.0):
    """Ids 1, 2 and 3 in stripes of 500 m."""
    columns = np.arange(int(WIDTH * 10 / res)) * res // 500 + 1
    height = int(HEIGHT * 10 / res)
    return np.broadcast_to(columns, (1, height, len(columns))).astype(np.uint8)


EXPECTED = np.broadcast_to(np.arange(128) // 50 + 1, (96, 128))


def imported(tmp_path, image, reference, **options):
    options = {"classes": CLASSES, "size": 32} | options
    return import_area(tmp_path / "root", [image], reference=reference, **options)


def test_ids_of_another_nomenclature_are_replaced(tmp_path, image):
    worldcover = np.array([0, 50, 40, 80], np.uint8)[stripes()]
    reference = write(tmp_path / "worldcover.tif", worldcover)
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "--reclass" in message
    root = imported(tmp_path, image, reference, reclass={50: 1, 40: 2, 80: 3}).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)


@pytest.mark.fault("ids of more than six digits -> replaced, and named with all of them")
@pytest.mark.parametrize("kind", ["raster", "vector"])
def test_long_ids(tmp_path, image, kind):
    ids = np.array([0, 12110001, 12110002, 12110003], np.uint32)
    if kind == "raster":
        reference = write(tmp_path / "classes.tif", ids[stripes()])
    else:
        reference = tmp_path / "classes.gpkg"
        west = [WEST + 500 * i for i in range(3)]
        shapes = [shapely.box(x, NORTH - 10 * HEIGHT, x + 500, NORTH) for x in west]
        gpd.GeoDataFrame({"code": ids[1:]}, geometry=shapes, crs="EPSG:32719").to_file(reference)
    reclass = {int(number): i for i, number in enumerate(ids[1:], 1)}
    partly = dict(list(reclass.items())[:2])
    message = refused(
        tmp_path, [image], reference=reference, classes=CLASSES, size=32, reclass=partly
    )
    assert "12110003" in message
    root = imported(tmp_path, image, reference, reclass=reclass).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)


@pytest.mark.fault("a reference of several bands: a picture -> refused; others -> the first, said")
def test_a_reference_of_several_bands(tmp_path, image):
    picture = write(tmp_path / "picture.tif", np.repeat(stripes(), 3, axis=0), photometric="RGB")
    message = refused(tmp_path, [image], reference=picture, classes=CLASSES, size=32)
    assert "picture.tif is a picture in colours (RGB)" in message
    sure = np.concatenate([stripes(), np.full_like(stripes(), 2)])
    result = imported(tmp_path, image, write(tmp_path / "two.tif", sure))
    np.testing.assert_array_equal(ids_of(result.root), EXPECTED)
    assert "the reference has 2 bands: the first is taken" in result.notices
    alone = write(tmp_path / "one.tif", stripes())
    result = import_area(tmp_path / "alone", [image], reference=alone, classes=CLASSES, size=32)
    assert not any("bands" in notice for notice in result.notices)


def test_nan_is_no_data_in_a_reference_of_decimal_numbers(tmp_path, image):
    ids = stripes().astype(np.float32)
    ids[:, :, 50:100] = np.nan
    result = imported(tmp_path, image, write(tmp_path / "ids.tif", ids))
    np.testing.assert_array_equal(ids_of(result.root), np.where(EXPECTED == 2, 0, EXPECTED))


def shapes_of(**columns):
    """Two squares beside each other, the western half of the area and the eastern one."""
    middle = WEST + 640
    south = NORTH - 10 * HEIGHT
    west = shapely.box(WEST, south, middle, NORTH)
    east = shapely.box(middle, south, WEST + 10 * WIDTH, NORTH)
    return gpd.GeoDataFrame(columns, geometry=[west, east], crs="EPSG:32719")


@pytest.mark.fault("reference: a .gdb, which is a folder -> read; several layers -> one line")
@pytest.mark.filterwarnings("ignore:Field code of type Integer64:RuntimeWarning")
def test_a_geodatabase_is_a_folder(tmp_path, image):
    reference = tmp_path / "reference.gdb"
    shapes_of(code=[1, 3]).to_file(reference, driver="OpenFileGDB", layer="land")
    assert reference.is_dir()
    root = imported(tmp_path, image, reference).root
    expected = np.repeat([1, 3], 64)
    np.testing.assert_array_equal(ids_of(root), np.broadcast_to(expected, (96, 128)))

    several = tmp_path / "several.gpkg"
    shapes_of(code=[1, 3]).to_file(several, layer="land")
    shapes_of(code=[2, 2]).to_file(several, layer="sea")
    message = refused(tmp_path / "b", [image], reference=several, classes=CLASSES)
    assert "has 2 layers (land, sea)" in message


@pytest.mark.fault("reference: a .shp without its .shx, names without --reclass -> the remedy fits")
def test_the_remedies_for_vectors(tmp_path, image):
    reference = tmp_path / "reference.shp"
    shapes_of(land=["wet meadow", "town"]).to_file(reference)
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "--reclass 'wet meadow=1'" in message
    whole = reference.read_bytes()
    reference.write_bytes(b"<html>not found</html>")
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "cannot be read as a vector: " in message and "beside it" not in message
    reference.write_bytes(whole)
    reference.with_suffix(".shx").unlink()
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "put its .shx, .dbf and .prj beside it" in message


@pytest.mark.fault("--reclass: an id without class, a class that is none, no reference -> one line")
def test_what_reclass_refuses(tmp_path, image):
    reference = write(tmp_path / "reference.tif", stripes() * 10)
    options = {"reference": reference, "classes": CLASSES}
    message = refused(tmp_path, [image], reclass={10: 1, 20: 2}, **options)
    assert "holds 30, which --reclass does not name" in message
    assert "reclass 10=4" in refused(tmp_path, [image], reclass={10: 4}, **options)
    assert "give --reference" in refused(tmp_path, [image], reclass={10: 1})


@pytest.mark.parametrize("how", ["tag", "no_data", "reclass"])
def test_no_data_of_a_reference(tmp_path, image, how):
    ids = stripes().copy()
    ids[:, :16] = 255
    tag = {"nodata": 255} if how == "tag" else {}
    reference = write(tmp_path / "reference.tif", ids, **tag)
    options = {}
    if how == "no_data":
        options = {"units": InputUnits(no_data=255)}
    elif how == "reclass":
        options = {"reclass": {1: 1, 2: 2, 3: 3, 255: 0}}
    root = imported(tmp_path, image, reference, **options).root
    assert not ids_of(root)[:16].any()
    np.testing.assert_array_equal(ids_of(root)[16:], EXPECTED[16:])


def test_no_data_of_images_is_a_class_where_a_reference_has_it(tmp_path, image):
    reference = write(tmp_path / "reference.tif", stripes())
    root = imported(tmp_path, image, reference, units=InputUnits(no_data=3)).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)


def test_no_data_is_not_the_class_that_replaces_0(tmp_path, image):
    ids = np.where(stripes() == 2, 0, stripes()).astype(np.uint8)
    ids[:, :16] = 255
    reference = write(tmp_path / "reference.tif", ids, nodata=255)
    root = imported(tmp_path, image, reference, reclass={0: 2, 1: 1, 3: 3}).root
    assert not ids_of(root)[:16].any()
    np.testing.assert_array_equal(ids_of(root)[16:], EXPECTED[16:])


@pytest.mark.fault("--reclass of a raster names its tag of no data -> refused, no class is lost")
def test_a_class_is_not_lost_where_a_tag_means_no_data(tmp_path, image):
    from_zero = stripes() - np.uint8(1)
    reference = write(tmp_path / "from_zero.tif", from_zero, nodata=0)
    options = {"reference": reference, "classes": CLASSES}
    message = refused(tmp_path, [image], reclass={0: 1, 1: 2, 2: 3}, **options)
    assert "0 means no data in the reference" in message and "leave 0 out" in message
    tagged = write(tmp_path / "tagged.tif", from_zero, nodata=255)
    root = imported(tmp_path, image, tagged, reclass={0: 1, 1: 2, 2: 3}).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)


@pytest.mark.parametrize("res", [2.5, 10.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
def test_0_is_a_class_where_the_user_says_so(tmp_path, image, dtype, res):
    """Nothing is a class beyond the raster, whose first 200 m are not there."""
    ids = (stripes(res) - np.uint8(1)).astype(dtype)[:, int(200 / res) :]
    reference = write(tmp_path / "from_zero.tif", ids, north=NORTH - 200, res=res)
    root = imported(tmp_path, image, reference, reclass={0: 1, 1: 2, 2: 3}).root
    # The class of most finer pixels may reach one pixel beyond them.
    assert not ids_of(root)[:19].any()
    np.testing.assert_array_equal(ids_of(root)[20:], EXPECTED[20:])


def test_a_replaced_id_is_no_missing_value_of_images(tmp_path, image):
    reference = write(tmp_path / "tens.tif", stripes() * 10)
    options = {"units": InputUnits(no_data=20), "reclass": {10: 1, 20: 2, 30: 3}}
    np.testing.assert_array_equal(
        ids_of(imported(tmp_path, image, reference, **options).root), EXPECTED
    )


@pytest.mark.fault("a reference that was resampled by interpolation -> named, no class is dropped")
def test_mixed_ids_are_not_called_no_data(tmp_path, image):
    mixed = stripes().astype(np.float32)
    mixed[:, :, 49] = 2.5
    reference = write(tmp_path / "mixed.tif", mixed)
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "holds 2.5, and class ids are whole numbers" in message and "=0" not in message
    reclass = {1: 1, 2: 2, 3: 3}
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES, reclass=reclass)
    assert "holds 2.5, and class ids are whole numbers" in message and "=0" not in message


def test_the_id_to_replace_is_named(tmp_path, image):
    below = stripes().astype(np.int16)
    below[:, :16] = -1
    reference = write(tmp_path / "below.tif", below)
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "if -1 is no data, give the raster that tag (gdal_edit.py -a_nodata -1)" in message


def test_ids_may_be_given_as_decimal_numbers(tmp_path, image):
    reference = write(tmp_path / "tens.tif", stripes() * 10)
    root = imported(tmp_path, image, reference, reclass={10.0: 1, 20.0: 2, 30.0: 3}).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)


@pytest.mark.fault("--attribute with a raster reference -> refused")
def test_a_raster_has_no_columns(tmp_path, image):
    reference = write(tmp_path / "reference.tif", stripes())
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES, attribute="class")
    assert "--attribute class names a column of a vector" in message


@pytest.mark.fault("a reference finer than 10 m -> the class of most of its pixels, and said")
def test_finer_pixels_give_the_majority(tmp_path, image):
    fine = stripes(2.0).copy()
    fine[:, 2::5, 2::5] = 3  # the middle of each pixel of 10 m, which nearest would take
    reference = write(tmp_path / "reference.tif", fine, res=2.0)
    result = imported(tmp_path, image, reference)
    np.testing.assert_array_equal(ids_of(result.root), EXPECTED)
    assert any("has pixels of 2 m on another grid: each pixel" in line for line in result.notices)


def vector(path, values, column="class", crs=32719):
    """Stripes of 500 m as polygons, one above the other where they overlap."""
    south = NORTH - 10 * HEIGHT
    shapes = [shapely.box(WEST + 500 * i, south, WEST + 1500, NORTH) for i in range(3)]
    frame = gpd.GeoDataFrame({column: values}, geometry=shapes, crs=32719)
    frame.to_crs(crs).to_file(path)
    return path


@pytest.mark.parametrize(
    ("values", "column", "options"),
    [
        ([1, 2, 3], "class", {}),
        (CLASSES, "landuse", {}),
        ([111, 211, 511], "code_18", {"reclass": {111: 1, 211: 2, 511: 3}}),
        (["u", "f", "w"], "kind", {"reclass": {"u": 1, "f": 2, "w": 3}, "attribute": "kind"}),
    ],
)
def test_vectors_are_rasterised(tmp_path, image, values, column, options):
    reference = vector(tmp_path / "reference.gpkg", values, column)
    result = imported(tmp_path, image, reference, **options)
    np.testing.assert_array_equal(ids_of(result.root), EXPECTED)
    assert any("is a vector of 3 shapes" in line for line in result.notices)


def test_shapes_of_different_classes_on_each_other_are_said(tmp_path, image):
    # The second and the third stripe lie on the first.
    result = imported(tmp_path, image, vector(tmp_path / "over.gpkg", [1, 1, 2]))
    said = [line for line in result.notices if "in shapes of different classes" in line]
    assert said == [
        f"at least {50 * HEIGHT:,} pixels lie in shapes of different classes: the last of them in "
        "the file counts"
    ]
    alike = imported(tmp_path / "alike", image, vector(tmp_path / "alike.gpkg", [1, 1, 1]))
    assert not any("different classes" in line for line in alike.notices)


def test_lines_and_points_label_what_they_run_through(tmp_path, image):
    path = vector(tmp_path / "points.gpkg", [1, 2, 3])
    frame = gpd.read_file(path)
    frame.geometry = [shapely.Point(WEST + 105 + 100 * i, NORTH - 105) for i in range(3)]
    frame.to_file(path)
    result = imported(tmp_path, image, path)
    assert np.count_nonzero(ids_of(result.root)) == 3
    assert any("3 shapes are lines or points" in line for line in result.notices)


@pytest.mark.fault("a vector whose classes are in doubt, or that is none -> one line")
def test_vectors_in_doubt(tmp_path, image):
    options = {"classes": CLASSES}
    unknown = vector(tmp_path / "a.gpkg", [1, 2, 9])
    assert "holds 9 in class" in refused(tmp_path, [image], reference=unknown, **options)
    frame = gpd.read_file(unknown).rename(columns={"class": "a"}).assign(b=1)
    frame.to_file(tmp_path / "b.gpkg")
    message = refused(tmp_path, [image], reference=tmp_path / "b.gpkg", **options)
    assert "give one of a, b with --attribute" in message
    missing = {"reference": unknown, "attribute": "c"}
    assert "has no column c" in refused(tmp_path, [image], **missing, **options)
    (tmp_path / "c.gpkg").write_text("none")
    message = refused(tmp_path, [image], reference=tmp_path / "c.gpkg", **options)
    assert "cannot be read as a vector" in message and "make room" not in message
    shapefile = vector(tmp_path / "d.shp", [1, 2, 3])
    shapefile.with_suffix(".dbf").unlink()
    message = refused(tmp_path, [image], reference=shapefile, **options)
    assert "no column of classes" in message and ".dbf beside it" in message


@pytest.mark.fault("a vector without shapes, or in a projection of its own -> one line")
def test_vectors_that_lie_nowhere(tmp_path, image):
    options = {"classes": CLASSES}
    table = pd.DataFrame({"class": [1, 2]})
    pyogrio.write_dataframe(table, tmp_path / "table.gpkg", driver="GPKG")
    message = refused(tmp_path, [image], reference=tmp_path / "table.gpkg", **options)
    assert message.endswith("holds no shape: give one with polygons")
    local = vector(tmp_path / "local.gpkg", [1, 2, 3])
    frame = gpd.read_file(local).set_crs('LOCAL_CS["mine",UNIT["metre",1]]', allow_override=True)
    frame.to_parquet(tmp_path / "local.parquet")
    message = refused(tmp_path, [image], reference=tmp_path / "local.parquet", **options)
    assert "cannot be placed in EPSG:32719" in message


def test_a_class_that_is_a_list_is_none(tmp_path, image):
    frame = gpd.read_file(vector(tmp_path / "all.gpkg", [1, 2, 3]))
    frame["class"] = [[1, 2], [2], [3]]
    frame.to_parquet(tmp_path / "lists.parquet")
    lists = {"reference": tmp_path / "lists.parquet", "classes": CLASSES}
    assert "which are no class ids from 1 to 3" in refused(tmp_path, [image], **lists)


def test_a_missing_class_of_whole_numbers_is_no_data(tmp_path, image):
    frame = gpd.read_file(vector(tmp_path / "all.gpkg", [1, 2, 3]))
    frame["class"] = pd.array([1, None, 3], "Int64")
    frame.to_parquet(tmp_path / "some.parquet")
    root = imported(tmp_path, image, tmp_path / "some.parquet").root
    # The first shape lies below the second, which has no class.
    np.testing.assert_array_equal(ids_of(root), np.where(EXPECTED == 2, 1, EXPECTED))


def test_a_reference_of_another_projection(tmp_path, image):
    reference = vector(tmp_path / "reference.geojson", [1, 2, 3], crs=4326)
    result = imported(tmp_path, image, reference)
    assert (ids_of(result.root) == EXPECTED).mean() > 0.97


@pytest.mark.fault("no data in a reference with a second band, resampled -> no class 1 of it")
@pytest.mark.parametrize("tag", [None, 0, 255])
@pytest.mark.parametrize("res", [5.0, 20.0])
def test_no_data_beside_a_second_band(tmp_path, image, tag, res):
    """The second band, such as a confidence, holds a value everywhere."""
    first = stripes(res)
    first[:, : int(580 / res)] = tag or 0
    both = np.concatenate([first, np.full_like(first, 90)])
    reference = write(tmp_path / "r.tif", both, res=res, nodata=tag)
    result = imported(tmp_path, image, reference)
    assert "the reference has 2 bands: the first is taken" in result.notices
    expected = EXPECTED.copy()
    expected[:58] = 0
    np.testing.assert_array_equal(ids_of(result.root), expected)


@pytest.mark.fault("a reference in a projection that GDAL cannot change into UTM -> one short line")
def test_a_reference_of_another_planet(tmp_path, image):
    ids = np.ones((1, 32, 32), np.uint8)
    moon = {"west": -71, "north": -41, "res": 1e-4, "crs": MOON}
    reference = write(tmp_path / "moon.tif", ids, **moon)
    message = refused(tmp_path, [image], reference=reference)
    assert message.startswith(f"the reference {reference} cannot be placed in EPSG:32719: GDAL")
    assert message.endswith("warp it to UTM")


@pytest.mark.fault("a fine reference in a strip of another projection -> the class of most pixels")
def test_a_strip_is_measured_in_its_middle(tmp_path, image):
    """3 of 10 pixels of 2.5 m are of class 1, spread evenly; by the nearest one, as many are."""
    crs = rasterio.crs.CRS.from_proj4("+proj=laea +lat_0=-41 +lon_0=-60 +datum=WGS84")
    corner = ([WEST + 750], [NORTH - 600])
    (x,), (y,) = rasterio.warp.transform("EPSG:32719", crs, *corner)
    spread = np.random.Generator(np.random.PCG64(0)).random((1, 16_000, 400)) < 0.3
    ids = np.where(spread, 1, 2).astype(np.uint8)
    place = {"west": x - 500, "north": y + 20_000, "res": 2.5, "crs": crs}
    reference = write(tmp_path / "strip.tif", ids, compress="deflate", **place)
    result = imported(tmp_path, image, reference)
    assert any("pixels of 2.5 m on another grid" in notice for notice in result.notices)
    taken = ids_of(result.root)
    assert (taken > 0).mean() > 0.5
    assert 0 < (taken == 1).mean() < 0.1


def test_0_is_no_data_in_a_vector_too(tmp_path, image):
    reference = vector(tmp_path / "some.gpkg", [10, 0, 30])
    reclass = {10: 1, 30: 3}
    root = imported(tmp_path, image, reference, reclass=reclass).root
    np.testing.assert_array_equal(ids_of(root), np.where(EXPECTED == 2, 1, EXPECTED))


@pytest.mark.fault("-9999 as class of a shape -> named as no data, and --no-data holds for it")
def test_no_data_of_images_holds_for_vectors(tmp_path, image):
    reference = vector(tmp_path / "some.gpkg", [1, -9999, 3])
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "--reclass '-9999=1', or by 0 where it is no data" in message
    units = InputUnits(no_data=-9999)
    result = imported(tmp_path, image, reference, units=units)
    np.testing.assert_array_equal(ids_of(result.root), np.where(EXPECTED == 2, 1, EXPECTED))


@pytest.mark.fault("a class that is not in the area -> said")
def test_classes_without_a_pixel_are_named(tmp_path, image):
    two = np.where(stripes() == 3, 2, stripes()).astype(np.uint8)
    notices = imported(tmp_path, image, write(tmp_path / "two.tif", two)).notices
    assert "the reference holds no pixel of class 3 (Water); class ids count from 1" in notices


@pytest.mark.fault("ids that count from 0 -> refused with both replacements, of which each works")
@pytest.mark.parametrize("kind", ["raster", "tagged", "vector"])
def test_ids_that_count_from_0(tmp_path, image, kind):
    if kind == "vector":
        reference = vector(tmp_path / "from0.gpkg", [0, 1, 2])
    else:
        tag = {"nodata": 255} if kind == "tagged" else {}
        reference = write(tmp_path / "from0.tif", stripes() - np.uint8(1), **tag)
    options = {"reference": reference, "classes": CLASSES}
    message = refused(tmp_path, [image], **options)
    assert f"{reference} holds the ids 0, 1, 2 of its 3 classes, whose ids are 1 to 3" in message
    assert "if its ids count from 0, give --reclass 0=1,1=2,2=3;" in message
    assert message.endswith("if 0 is no data, give --reclass 0=0,1=1,2=2")
    root = imported(tmp_path / "a", image, reference, reclass={"0": 1, "1": 2, "2": 3}).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)
    root = imported(tmp_path / "b", image, reference, reclass={"0": 0, "1": 1, "2": 2}).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED - 1)


@pytest.mark.fault("ids from 0, and the last classes absent, as snow is -> refused, not moved")
@pytest.mark.parametrize("kind", ["raster", "vector"])
def test_ids_that_count_from_0_without_the_last_class(tmp_path, image, kind):
    classes = ["Water", "Trees", "Grass", "Flooded", "Crops", "Shrub", "Built", "Bare", "Snow"]
    if kind == "vector":
        reference = vector(tmp_path / "from0.gpkg", [0, 4, 6])
    else:
        ids = np.array([0, 0, 4, 6], np.uint8)[stripes()]
        reference = write(tmp_path / "from0.tif", ids)
    message = refused(tmp_path, [image], reference=reference, classes=classes)
    assert "holds the ids 0, 4, 6 of its 9 classes" in message
    assert "--reclass 0=1,4=5,6=7;" in message
    options = {"classes": classes, "reclass": {"0": 1, "4": 5, "6": 7}}
    root = imported(tmp_path, image, reference, **options).root
    np.testing.assert_array_equal(ids_of(root), np.array([0, 1, 5, 7])[EXPECTED])


@pytest.mark.parametrize(("missing", "classes"), [(50, None), (0, [*CLASSES[:2], "a", "b"])])
def test_0_is_no_data_in_a_plain_reference(tmp_path, image, missing, classes):
    """As in MultiSenGE's classes, or where next to no pixel holds 0."""
    ids = np.where(stripes() == 3, 2, stripes()).astype(np.uint8)
    ids[:, :, :missing] = 0
    ids[0, 0, 0] = 0
    reference = write(tmp_path / "reference.tif", ids)
    imported(tmp_path, image, reference, classes=classes or ())
    counts = np.bincount(ids[0, :96, :128].ravel())
    assert np.bincount(ids_of(tmp_path / "root").ravel()).tolist() == counts.tolist()


@pytest.mark.parametrize("how", ["tag", "no_data", "elsewhere", "mask", "beyond"])
def test_0_is_no_data_where_it_cannot_be_a_class(tmp_path, image, how):
    """The last class is not in the area, whose eastern stripe has no data, or is not covered."""
    ids = np.where(stripes() == 3, 0, stripes()).astype(np.uint8)
    options = {}
    tag = {}
    if how == "tag":
        tag = {"nodata": 0}
    elif how == "no_data":
        options = {"units": InputUnits(no_data=0)}
    elif how == "elsewhere":  # the last class is south of the image
        ids = np.concatenate([ids, np.full_like(ids, 3)], axis=1)
    elif how == "beyond":
        ids = ids[:, :, :100]
    reference = write(tmp_path / "reference.tif", ids, **tag)
    if how == "mask":
        with rasterio.open(reference, "r+") as raster:
            raster.write_mask(ids[0] > 0)
    result = imported(tmp_path, image, reference, **options)
    np.testing.assert_array_equal(ids_of(result.root), np.where(EXPECTED == 3, 0, EXPECTED))
    assert any("no pixel of class 3 (Water)" in notice for notice in result.notices)


@pytest.mark.fault("--attribute in another spelling of accents or case -> found; else the columns")
def test_the_column_is_found_however_its_name_is_stored(tmp_path, image):
    decomposed = unicodedata.normalize("NFD", "Légende")
    reference = vector(tmp_path / "a.gpkg", [1, 2, 3], column=decomposed)
    frame = gpd.read_file(reference).assign(other=1)
    frame.to_file(reference)
    for number, typed in enumerate(("Légende", "légende", decomposed, "LÉGENDE")):
        root = imported(tmp_path / str(number), image, reference, attribute=typed).root
        np.testing.assert_array_equal(ids_of(root), EXPECTED)
    options = {"reference": reference, "classes": CLASSES}
    message = refused(tmp_path, [image], attribute="Legende", **options)
    assert f"has no column Legende, its columns are: give one of {decomposed}, other" in message
    frame.rename(columns={decomposed: "Kind", "other": "kind"}).to_parquet(tmp_path / "b.parquet")
    options = {"reference": tmp_path / "b.parquet", "classes": CLASSES}
    root = imported(tmp_path / "b", image, tmp_path / "b.parquet", attribute="Kind").root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)
    message = refused(tmp_path, [image], attribute="KIND", **options)
    assert "give one of Kind, kind" in message


@pytest.mark.parametrize(
    ("values", "reclass"),
    [
        (["1", "2", "3"], {}),
        (["1.0", "2.0", "3.0"], {}),
        ([" 1", "Field ", "3."], {}),
        (["10.0", "20", " 30.00"], {"10": 1, "20": 2, 30: 3}),
    ],
)
def test_ids_that_are_stored_as_text(tmp_path, image, values, reclass):
    reference = vector(tmp_path / "text.gpkg", values)
    root = imported(tmp_path, image, reference, reclass=reclass).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)


@pytest.mark.fault("a vector without a class at some shapes -> said; at all of them -> one line")
@pytest.mark.parametrize("values", [[1, None, 3], ["Town", "", "Water"], ["1", "  ", None]])
def test_shapes_without_a_class(tmp_path, image, values):
    reference = vector(tmp_path / "some.gpkg", values)
    result = imported(tmp_path, image, reference)
    missing = sum(value in (None, "", "  ") for value in values)
    words = "1 shape has" if missing == 1 else "2 shapes have"
    assert f"{words} no value in the column class, and label nothing" in result.notices
    # The first shape lies below the others.
    last = 1 if values[2] is None else 3
    expected = np.choose(EXPECTED - 1, [1, 1, last])
    np.testing.assert_array_equal(ids_of(result.root), expected)

    empty = vector(tmp_path / "empty.gpkg", [None if value != "" else "" for value in values])
    message = refused(tmp_path / "b", [image], reference=empty, classes=CLASSES)
    assert message.startswith(f"the reference {empty} has no value in the column class")


@pytest.mark.fault("accents of two characters, as macOS writes them -> the same names")
def test_decomposed_accents_are_the_same_name(tmp_path, image):
    frame = gpd.read_file(vector(tmp_path / "all.gpkg", [1, 2, 3]))
    names = ["Forêt", "Pré", "Eau"]
    frame["class"] = [unicodedata.normalize("NFD", name) for name in names]
    frame.to_file(tmp_path / "names.gpkg")
    root = imported(tmp_path, image, tmp_path / "names.gpkg", classes=names).root
    np.testing.assert_array_equal(ids_of(root), EXPECTED)
    reclass = {"Forêt": 1, "Pré": 2, "Eau": 3}
    again = import_area(
        tmp_path / "again",
        [image],
        reference=tmp_path / "names.gpkg",
        classes=CLASSES,
        reclass=reclass,
        size=32,
    )
    np.testing.assert_array_equal(ids_of(again.root), EXPECTED)


@pytest.mark.fault("a GeoPackage that holds a raster -> said")
def test_a_raster_in_a_geopackage_is_named(tmp_path, image):
    reference = write(tmp_path / "r.gpkg", stripes(), driver="GPKG")
    message = refused(tmp_path, [image], reference=reference, classes=CLASSES)
    assert "holds a raster, and its ending is that of a vector" in message
