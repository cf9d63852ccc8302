"""The files of a map: written whole or not at all, and beside files of others."""

import json
import os
from collections import namedtuple

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_AppDefinedError
from rasterio.transform import from_origin

from multisenge_lib.errors import ExperimentError, FileError, ModelError
from multisenge_lib.maps import map_files
from multisenge_lib.maps.map_files import MapFiles, MapPart, entropy, to_class_ids, write_map

#: More than one block of 512 pixels, so that there are overviews.
SIDE = 600
CLASSES = 3
GRID = {
    "height": SIDE,
    "width": SIDE,
    "crs": "EPSG:32631",
    "transform": from_origin(5e5, 5.5e6, 10, 10),
}
LEGEND = [("Built", "#a50026"), ("Open", "#ffef9f"), ("Water", "#2b83ba")]
#: Random, so that nothing compresses it.
PROBABILITIES = np.random.default_rng(0).random((SIDE, SIDE, CLASSES), dtype=np.float32)
HALF = SIDE // 2


def map_at(path, identity="a run", extra_layers=()):
    return MapFiles(path, GRID, LEGEND, identity, extra_layers, "drawn by a test")


def two_halves(done):
    """The parts of a map: its northern and its southern half."""
    everywhere = np.ones((HALF, SIDE), bool)
    parts = [
        MapPart(0, 0, PROBABILITIES[:HALF], everywhere),
        MapPart(HALF, 0, PROBABILITIES[HALF:], everywhere),
    ]
    yield from parts[done:]


def half_and_no_more(done):
    """The northern half, after which the run is interrupted."""
    yield from list(two_halves(0))[done:1]
    raise KeyboardInterrupt


def recording(asked):
    """Give the halves, and note in a list how many were on disk already."""

    def parts(done):
        asked.append(done)
        yield from two_halves(done)

    return parts


def nothing_to_do(done):
    raise AssertionError("the map is finished")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a finished map."""
    folder = tmp_path_factory.mktemp("whole")
    write_map(map_at(folder / "map.tif"), two_halves)
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def begin(path, **changes):
    """Write the northern half of a map and stop."""
    with pytest.raises(KeyboardInterrupt):
        write_map(map_at(path, **changes), half_and_no_more)


# ------------------------------------------------------------------------------ what is written


def test_entropy_is_0_for_one_certain_class_and_1_for_all_alike():
    probabilities = np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(entropy(probabilities), [0, 1, 0.5], atol=1e-6)


def test_there_is_no_doubt_where_there_is_one_class():
    np.testing.assert_array_equal(entropy(np.ones((2, 3, 1), np.float32)), np.zeros((2, 3)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layer", ["probabilities", "entropy"])
def test_probabilities_of_nan_where_there_is_no_data(layer):
    probabilities = np.array([[[np.nan, np.nan], [1, 0]]], np.float32)
    part = MapPart(0, 0, probabilities, np.array([[False, True]]))
    stored = map_files._layer_values(layer, part)
    assert stored.dtype == np.uint8
    assert stored[0, 0].tolist() == [255, 250 if layer == "probabilities" else 0]


def test_a_pixel_without_data_has_no_class():
    probabilities = np.array([[[0.2, 0.8], [0.9, 0.1]]])
    valid = np.array([[True, False]])
    np.testing.assert_array_equal(to_class_ids(probabilities, valid), [[2, 0]])


@pytest.mark.fault("predict: probabilities of NaN -> one line, no class")
def test_no_class_of_a_probability_that_is_no_number():
    probabilities = np.array([[[np.nan, np.nan], [0.9, 0.1]]])
    with pytest.raises(ModelError, match="NaN"):
        to_class_ids(probabilities, np.array([[True, True]]))
    to_class_ids(probabilities, np.array([[False, True]]))  # there is no data anyway


def test_overviews_of_class_ids_hold_the_most_frequent_class(tmp_path):
    """Three of four pixels are class 1 and one is class 3.

    GDAL would average the colours of class ids: black and white to a dark grey, which is class 2.
    """
    greys = [("Black", "#000000"), ("Grey", "#404040"), ("White", "#ffffff")]
    probabilities = np.zeros((SIDE, SIDE, CLASSES), np.float32)
    probabilities[..., 0] = 1
    probabilities[::2, ::2] = [0, 0, 1]
    part = MapPart(0, 0, probabilities, np.ones((SIDE, SIDE), bool))
    target = MapFiles(tmp_path / "map.tif", GRID, greys, "a run", ("probabilities",))
    write_map(target, lambda _: [part])
    with rasterio.open(target.path, OVERVIEW_LEVEL=0) as overview:
        assert (overview.read(1) == 1).all()
    with rasterio.open(tmp_path / "map_probabilities.tif", OVERVIEW_LEVEL=0) as overview:
        np.testing.assert_allclose(overview.read(1)[:250, :250] / 250, 0.75, atol=0.01)


def test_class_names_with_control_characters(tmp_path):
    legend = [("Built\x1b[31m", "#a50026"), ('<Open> & "wide"', "#ffef9f"), ("W", "#2b83ba")]
    target = MapFiles(tmp_path / "map.tif", GRID, legend, "a run")
    write_map(target, two_halves)
    from xml.etree import ElementTree

    names = ElementTree.parse(target.class_names).iter("Category")
    assert [name.text for name in names] == ["No data", "Built [31m", '<Open> & "wide"', "W"]
    labels = [entry.get("label") for entry in ElementTree.parse(target.style).iter("paletteEntry")]
    assert labels == ["Built [31m", '<Open> & "wide"', "W"]


@pytest.mark.fault("predict: the name of the map is not UTF-8 -> one line")
def test_a_name_that_gdal_cannot_take(tmp_path):
    with pytest.raises(FileError, match="has a name that is not valid UTF-8") as error:
        map_at(tmp_path / "map\udcff.tif")
    assert str(error.value).isprintable()


def test_an_unknown_layer(tmp_path):
    with pytest.raises(ExperimentError, match="layer 'doubt': choose among probabilities, entropy"):
        map_at(tmp_path / "map.tif", extra_layers=("doubt",))


# --------------------------------------------------------------------------- disks that fill up


def cut_short(copy):
    """As GDAL does in a narrow window: the last bytes do not fit, and it says nothing."""

    def copied(source, target, **options):
        copy(source, target, **options)
        target.write_bytes(target.read_bytes()[:-5000])

    return copied


def refused(copy):
    def copied(*_, **options):
        raise CPLE_AppDefinedError(3, 1, "TIFFAppendToStrip:Seek error")

    return copied


@pytest.mark.fault("predict: the disk fills up at the last copy -> one line; the next run ends it")
@pytest.mark.parametrize(("harm", "reason"), [(cut_short, "Read failed"), (refused, "Seek error")])
def test_a_map_is_moved_into_place_whole_or_not_at_all(whole, tmp_path, monkeypatch, harm, reason):
    path = tmp_path / "map.tif"
    message = rf"map\.tif .*{reason}.*: make room, or choose another place; the next run goes"
    with monkeypatch.context() as patch:
        patch.setattr(rasterio.shutil, "copy", harm(rasterio.shutil.copy))
        with pytest.raises(FileError, match=message):
            write_map(map_at(path), two_halves)
    assert not path.exists()
    write_map(map_at(path), lambda done: [] if done == 2 else nothing_to_do(done))
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: room for the map but not for its copy too -> said before anything")
def test_the_room_that_is_asked_for_is_enough(tmp_path, monkeypatch):
    layers = ("probabilities", "entropy")
    target = map_at(tmp_path / "map.tif", extra_layers=layers)
    write_map(target, two_halves)
    copies = sum(place.stat().st_size for place in target.layers.values())
    uncompressed = (1 + CLASSES + 1) * SIDE**2
    usage = namedtuple("Usage", "free")(copies + uncompressed)
    monkeypatch.setattr(map_files.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FileError, match="has no room for 5 MB"):
        write_map(map_at(tmp_path / "other.tif", extra_layers=layers), two_halves)
    assert not (tmp_path / ".other.part").exists()


@pytest.mark.fault("predict: an OSError while it predicts (no memory) -> not reported as room")
def test_an_error_of_who_predicts_is_passed_on(tmp_path):
    def no_memory(done):
        raise OSError(12, "Cannot allocate memory")
        yield

    with pytest.raises(OSError, match="Cannot allocate memory") as error:
        write_map(map_at(tmp_path / "map.tif"), no_memory)
    assert not isinstance(error.value, FileError)


# -------------------------------------------------------------------------- unfinished and damaged


def test_an_unfinished_map_goes_on_from_the_parts_on_disk(whole, tmp_path):
    begin(tmp_path / "map.tif")
    asked = []
    write_map(map_at(tmp_path / "map.tif"), recording(asked))
    assert asked == [1]
    assert contents(tmp_path) == contents(whole)


def empty_progress(folder):
    (folder / "progress.json").write_text("")


def no_progress_number(folder):
    (folder / "progress.json").write_text("{}")


def list_for_progress(folder):
    (folder / "progress.json").write_text("[1]")


def larger_number(folder):
    progress = json.loads((folder / "progress.json").read_text())
    progress["done"] += 1
    (folder / "progress.json").write_text(json.dumps(progress))


def cut_layer(folder):
    layer = folder / "classes.tif"
    layer.write_bytes(layer.read_bytes()[: SIDE * SIDE // 4])  # in what is done


def missing_layer(folder):
    (folder / "classes.tif").unlink()


@pytest.mark.fault("predict: an unfinished map is damaged -> it is started anew")
@pytest.mark.parametrize(
    "damage",
    [
        empty_progress,
        no_progress_number,
        list_for_progress,
        larger_number,
        cut_layer,
        missing_layer,
    ],
)
def test_an_unfinished_map_that_is_damaged_is_started_anew(whole, tmp_path, damage):
    begin(tmp_path / "map.tif")
    damage(tmp_path / ".map.part")
    write_map(map_at(tmp_path / "map.tif"), two_halves)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: an unfinished map of other settings or code -> it is started anew")
@pytest.mark.parametrize("what", ["identity", "library"])
def test_an_unfinished_map_of_something_else_is_started_anew(whole, tmp_path, monkeypatch, what):
    if what == "identity":
        begin(tmp_path / "map.tif", identity="another run")
    else:
        with monkeypatch.context() as patch:
            patch.setattr(map_files.software, "library_digest", lambda: "older code")
            begin(tmp_path / "map.tif")
    asked = []
    write_map(map_at(tmp_path / "map.tif"), recording(asked))
    assert asked == [0]
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: killed right after the hidden folder was made -> it starts anew")
def test_an_empty_hidden_folder(whole, tmp_path):
    (tmp_path / ".map.part").mkdir()
    write_map(map_at(tmp_path / "map.tif"), two_halves)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: killed while the layers are made -> it starts anew")
def test_a_run_killed_at_its_start(whole, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(map_files, "_write_progress", killed)
        with pytest.raises(KeyboardInterrupt):
            write_map(map_at(tmp_path / "map.tif"), two_halves)
    write_map(map_at(tmp_path / "map.tif"), two_halves)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: a finished map is cut at its end -> it is made again")
@pytest.mark.parametrize("lost", [5, 5000])
def test_a_finished_map_that_was_cut_is_made_again(whole, tmp_path, lost):
    path = tmp_path / "map.tif"
    write_map(map_at(path), two_halves)
    path.write_bytes(path.read_bytes()[:-lost])
    write_map(map_at(path), two_halves)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: a side file of a finished map is gone -> made again")
@pytest.mark.parametrize("name", ["map.png", "map.qml", "map.tif.aux.xml"])
def test_a_side_file_that_was_deleted_is_made_again(whole, tmp_path, name):
    path = tmp_path / "map.tif"
    write_map(map_at(path), two_halves)
    (tmp_path / name).unlink()
    write_map(map_at(path), nothing_to_do)
    assert contents(tmp_path) == contents(whole)


def test_a_style_that_the_user_edited_stays(tmp_path):
    path = tmp_path / "map.tif"
    write_map(map_at(path), two_halves)
    (tmp_path / "map.qml").write_text("my colours")
    write_map(map_at(path), nothing_to_do)
    assert (tmp_path / "map.qml").read_text() == "my colours"


def test_the_hidden_folder_of_a_run_killed_at_its_end_is_removed(tmp_path):
    path = tmp_path / "map.tif"
    write_map(map_at(path), two_halves)
    (tmp_path / ".map.part").mkdir()
    (tmp_path / ".map.part" / "progress.json").write_text("{}")
    write_map(map_at(path), nothing_to_do)
    assert not (tmp_path / ".map.part").exists()


# -------------------------------------------------------------------------- files of other people


@pytest.mark.fault("predict: files of the user beside the map -> refused, or replaced if allowed")
@pytest.mark.parametrize(
    "name", ["map.tif", "map.png", "map.qml", "map.tif.aux.xml", "map_entropy.tif"]
)
def test_files_of_the_user_are_not_replaced_unless_allowed(tmp_path, name):
    target = map_at(tmp_path / "map.tif", extra_layers=("entropy",))
    theirs = tmp_path / name
    theirs.write_text("theirs")
    with pytest.raises(FileError, match="is there already") as error:
        write_map(target, two_halves)
    assert str(theirs) in str(error.value)
    assert contents(tmp_path) == {name: b"theirs"}
    write_map(target, two_halves, overwrite=True)
    assert theirs.read_bytes() != b"theirs"


@pytest.mark.fault("predict: a folder of the user has the name of the hidden folder -> refused")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_the_user_is_never_removed(tmp_path, overwrite):
    folder = tmp_path / ".map.part"
    folder.mkdir()
    (folder / "notes.txt").write_text("theirs")
    with pytest.raises(FileError, match=r"\.map\.part is not an unfinished map"):
        write_map(map_at(tmp_path / "map.tif"), two_halves, overwrite)
    assert (folder / "notes.txt").read_text() == "theirs"


@pytest.mark.fault("predict: a pipe lies at the place of a map or its style -> refused, no hang")
@pytest.mark.parametrize("name", ["map.tif", "map.qml"])
def test_a_pipe_at_the_place_of_a_file(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(FileError, match="is there already"):
        write_map(map_at(tmp_path / "map.tif"), two_halves)


def test_side_files_of_an_older_map_are_replaced(whole, tmp_path):
    """Their map was deleted or moved, and they are made from it alone."""
    path = tmp_path / "map.tif"
    write_map(map_at(path, identity="an older run"), two_halves)
    path.unlink()
    write_map(map_at(path), two_halves)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.fault("predict: a layer of an older map would pass for one of the new -> refused")
def test_a_layer_of_an_older_map(tmp_path):
    path = tmp_path / "map.tif"
    write_map(map_at(path, identity="an older run", extra_layers=("entropy",)), two_halves)
    path.unlink()
    with pytest.raises(FileError, match=r"map_entropy\.tif is a layer of an earlier map"):
        write_map(map_at(path), two_halves)
    write_map(map_at(path), two_halves, overwrite=True)
    assert not (tmp_path / "map_entropy.tif").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_of_the_user_with_the_name_of_a_layer_not_asked_for_stays(tmp_path, overwrite):
    theirs = tmp_path / "map_entropy.tif"
    theirs.write_text("theirs")
    write_map(map_at(tmp_path / "map.tif"), two_halves, overwrite)
    assert theirs.read_text() == "theirs"


def test_a_layer_of_this_map_stays_if_only_the_class_ids_are_made_again(tmp_path):
    path = tmp_path / "map.tif"
    write_map(map_at(path, extra_layers=("entropy",)), two_halves)
    path.unlink()
    write_map(map_at(path), two_halves)
    assert (tmp_path / "map_entropy.tif").exists()


@pytest.mark.fault("predict: a map of other data at its place -> refused, or replaced if allowed")
def test_a_map_of_another_identity(tmp_path):
    path = tmp_path / "map.tif"
    write_map(map_at(path, identity="an older run"), two_halves)
    with pytest.raises(FileError, match=r"map\.tif is there already, of other data"):
        write_map(map_at(path), two_halves)
    write_map(map_at(path), two_halves, overwrite=True)
    with rasterio.open(path) as source:
        assert source.tags()[map_files.MARK] == "a run"
