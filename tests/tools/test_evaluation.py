"""A trained network scored on a root, and refused where it does not fit."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import rasterio
from map_inputs import EXPERIMENT, TYPOLOGY
from rasters import write_raster, write_root
from records import make_record
from small_network import small_experiment, write_network, write_two_months

from multisenge_lib import cli, paths, results
from multisenge_lib.dataset import (
    MULTISENGE,
    S2_BANDS,
    dataset_of_root,
    load_selection,
    make_typology,
    read_patch,
    reclassify,
    root_digest,
    write_dataset_toml,
)
from multisenge_lib.dataset.layout import BAND_ORDERS
from multisenge_lib.errors import DescriptionError, FileError, ModelError, RecordError, SetupError
from multisenge_lib.maps import predict_root
from multisenge_lib.models import (
    build_model,
    get_experiment,
    load_model,
    model_card,
    predict,
    save_model,
    with_network,
)
from multisenge_lib.results.parameters import to_parameters
from multisenge_lib.tools import evaluate_model, evaluation, evaluation_table, write_evaluation
from multisenge_lib.tools.evaluation import evaluation_folder, find_typology
from multisenge_lib.training import Settings, evaluate, prepare, train

TWO_MONTHS = replace(MULTISENGE, name="other", months=(7, 8), patch_pixels=32)


def network(classes=10):
    """A convolution over two dates of both sensors."""
    keras.utils.set_random_seed(4)
    inputs = {
        "s1": keras.Input((2, 32, 32, 2), name="s1"),
        "s2": keras.Input((2, 32, 32, 10), name="s2"),
    }
    dates = [keras.layers.Rescaling(1e-3)(inputs["s2"])[:, date] for date in range(2)]
    dates += [inputs["s1"][:, date] for date in range(2)]
    outputs = keras.layers.Conv2D(classes, 1)(keras.layers.Concatenate()(dates))
    return keras.Model(inputs, outputs)


@pytest.fixture(autouse=True)
def results_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Six patches of two dates: one for validation, one for test, four for training."""
    root = tmp_path_factory.mktemp("root")
    write_root(root)
    write_dataset_toml(root, TWO_MONTHS)
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network that says that it was trained on another place with the same classes."""
    card = model_card(replace(EXPERIMENT, months=(7, 8)), TYPOLOGY, 32, "elsewhere")
    return save_model(network(), card, tmp_path_factory.mktemp("model") / "model.keras")


def test_each_patch_of_the_split_is_scored_on_its_own(model, root):
    record = evaluate_model(model, root, "train")
    trained, _ = load_model(model)
    selection = load_selection(root)
    selection = selection[selection["split"] == "train"]
    assert record.patches == tuple(selection["patch"]) and len(selection) == 4
    for row, confusion in zip(selection.itertuples(), record.confusions, strict=True):
        patch = read_patch(root, row)
        series = {"s1": patch.s1[None], "s2": patch.s2[None].astype(np.float32)}
        predicted = predict(trained, series)[0].argmax(-1) + 1
        reference = reclassify(patch.reference, TYPOLOGY)
        expected = results.confusion_matrix(reference, predicted, 10)
        np.testing.assert_array_equal(confusion, expected)
    assert record.spatial.labelled_pixels == record.confusion.sum()
    assert set(record.maps) == set(record.patches[:3])


def test_the_scores_are_those_that_training_counts(model, root):
    """The same network on the same patches, packed and in batches there, read one by one here."""
    experiment = get_experiment("s1s2_10c", dataset_of_root(root))
    prepared = prepare(root, experiment, Settings(batch_size=3, reader_threads=1))
    trained, _ = load_model(model)
    of_training = evaluate(trained, prepared, "train")
    record = evaluate_model(model, root, "train")
    assert record.patches == of_training.patches
    np.testing.assert_array_equal(record.confusions, of_training.confusions)
    np.testing.assert_array_equal(record.spatial.by_distance, of_training.spatial.by_distance)
    for patch, ids in of_training.maps.items():
        np.testing.assert_array_equal(record.maps[patch], ids)


def test_the_record_says_what_was_evaluated(model, root):
    record = evaluate_model(model, root)
    metadata = record.metadata
    assert (metadata.dataset, metadata.experiment, metadata.seed) == ("other", "s1s2_10c", 0)
    assert metadata.title == "s1s2_10c, trained on elsewhere"
    assert metadata.classes == TYPOLOGY.names
    assert metadata.patches == {"test": 1}
    assert metadata.evaluation["split"] == "test"
    assert metadata.evaluation["trained_on"] == "elsewhere"
    model_digest = hashlib.sha256(model.read_bytes()).hexdigest()
    assert metadata.evaluation["model_sha256"] == model_digest
    assert metadata.fingerprint == root_digest(root)
    assert (metadata.colors, metadata.members) == (TYPOLOGY.colors, TYPOLOGY.members)
    assert (metadata.split, metadata.size) == (TWO_MONTHS.split_rule, 32)
    weights = 24 * 10 + 10  # of a convolution over two dates of twelve bands
    assert metadata.parameters == {"trainable": weights, "total": weights}
    folder = Path("evaluations", "other", f"s1s2_10c-of-elsewhere-{model_digest[:8]}", "test")
    assert evaluation_folder(record) == paths.results_dir() / folder


def test_the_classification_is_that_of_the_root(model, tmp_path):
    """It has the classes of the network under another name."""
    write_root(tmp_path / "root", patches=["31UEQ_0_0"])
    renamed = replace(TYPOLOGY, name="ten")
    write_dataset_toml(tmp_path / "root", replace(TWO_MONTHS, groupings=(renamed,)))
    metadata = evaluate_model(model, tmp_path / "root").metadata
    assert (metadata.classification, metadata.experiment) == ("ten", "s1s2_10c")


def test_the_maps_of_the_showcase_are_kept(model, tmp_path):
    write_root(tmp_path / "root")
    write_dataset_toml(tmp_path / "root", replace(TWO_MONTHS, showcase=("31UFQ_257_0",)))
    record = evaluate_model(model, tmp_path / "root", "train")
    assert list(record.maps) == list(record.references) == ["31UFQ_257_0"]


def test_patches_of_another_size_are_scored(model, tmp_path):
    write_root(tmp_path / "root", size=64, patches=["31UEQ_0_0"])
    write_dataset_toml(tmp_path / "root", replace(TWO_MONTHS, patch_pixels=64))
    record = evaluate_model(model, tmp_path / "root")
    assert record.metadata.size == 64 and record.confusion.sum() == 64 * 64


def test_the_order_of_bands_without_names_is_that_of_the_user(model, root, tmp_path):
    write_root(tmp_path / "root", patches=["31UEQ_0_0"])
    write_dataset_toml(tmp_path / "root", TWO_MONTHS)
    expected = evaluate_model(model, tmp_path / "root").confusion
    positions = [S2_BANDS.index(band) for band in BAND_ORDERS["resolution"]]
    for path in (tmp_path / "root" / "s2").iterdir():
        with rasterio.open(path) as raster:
            pixels = raster.read()
        path.unlink()
        write_raster(path, pixels[positions])
    record = evaluate_model(model, tmp_path / "root", band_order="resolution")
    np.testing.assert_array_equal(record.confusion, expected)


def test_only_the_rasters_of_the_networks_sensors_are_read(tmp_path):
    write_root(tmp_path / "root", patches=["31UEQ_0_0"])
    write_dataset_toml(tmp_path / "root", TWO_MONTHS)
    for path in (tmp_path / "root" / "s1").iterdir():
        path.write_bytes(b"damaged")
    optical = keras.Input((2, 32, 32, 10), name="s2")
    outputs = keras.layers.Conv2D(10, 1)(optical[:, 0])
    experiment = replace(get_experiment("s2_10c"), months=(7, 8))
    card = model_card(experiment, TYPOLOGY, 32, "elsewhere")
    path = save_model(keras.Model({"s2": optical}, outputs), card, tmp_path / "model.keras")
    assert evaluate_model(path, tmp_path / "root").confusion.sum() == 32 * 32


def test_a_network_with_layers_of_its_own_is_scored(root, tmp_path, monkeypatch):
    file = tmp_path / "own.py"
    file.write_text(OWN_LAYER)
    experiment = with_network(get_experiment("s2_10c"), f"{file}:build")
    experiment = replace(experiment, months=(7, 8))
    card = model_card(experiment, TYPOLOGY, 32, "elsewhere")
    path = save_model(build_model(experiment, 32), card, tmp_path / "model.keras")
    for name in [name for name in sys.modules if name.startswith("multisenge_network_")]:
        monkeypatch.delitem(sys.modules, name)  # as in another process
    with pytest.raises(ModelError, match="--network"):
        evaluate_model(path, root)
    record = evaluate_model(path, root, network=f"{file}:build")
    assert record.metadata.experiment == "own_s2_10c"


#: A network that its `.keras` file alone does not describe.
OWN_LAYER = """
from keras import layers

class Twice(layers.Layer):
    def call(self, x):
        return 2 * x

def build(series, classes):
    return layers.Conv2D(classes, 1, name="logits")(Twice()(series["s2"][:, 0]))
"""


def test_projections_are_checked_before_anything_is_read(monkeypatch):
    def fail():
        raise SetupError("no projections")

    monkeypatch.setattr(evaluation, "check_projections", fail)
    with pytest.raises(SetupError, match="no projections"):
        evaluate_model("missing.keras", "nowhere")


def test_a_record_of_an_evaluation_is_written_and_read_back(model, root):
    record = evaluate_model(model, root)
    folder = write_evaluation(record)
    read = results.read_record_from(folder)
    assert read.metadata == record.metadata
    assert read.scores == record.scores
    np.testing.assert_array_equal(read.confusions, record.confusions)
    assert read.history.empty
    assert write_evaluation(record) == folder  # the same again replaces it
    assert results.list_records("other") == []
    with pytest.raises(RecordError, match="it is of an evaluation"):
        to_parameters(read)


SAME_NETWORK = {"trained_on": "elsewhere", "model_sha256": "0123456789abcdef", "split": "test"}


def evaluated(**changes):
    """A record of an evaluation that never was."""
    of_other = {"dataset": "other", "evaluation": SAME_NETWORK}
    return make_record("s1s2_10c", **of_other | changes)


def test_other_months_have_a_folder_of_their_own():
    usual = evaluation_folder(evaluated())
    changes = {"months": [1, 2, 3, 5], "band_order": "resolution"}
    others = [{name: value} for name, value in changes.items()] + [changes]
    folders = [evaluation_folder(evaluated(evaluation=SAME_NETWORK | of)) for of in others]
    names = [folder.name for folder in folders]
    assert names == ["test-months-1-2-3-5", "test-resolution", "test-months-1-2-3-5-resolution"]
    assert {folder.parent for folder in folders} == {usual.parent} and usual.name == "test"


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "third"},
        {"fingerprint": "of other pixels"},
        {"evaluation": SAME_NETWORK | {"model_sha256": "f" * 16}},
        {"evaluation": SAME_NETWORK | {"months": [1, 2, 3, 5]}},
        {"evaluation": SAME_NETWORK | {"band_order": "resolution"}},
    ],
    ids=["data", "pixels", "network", "months", "order of bands"],
)
def test_the_record_of_another_evaluation_is_kept(changes, tmp_path):
    folder = write_evaluation(evaluated(), tmp_path / "record")
    later = evaluated(finished="2026-01-02T00:00:00+00:00")
    assert write_evaluation(later, folder) == folder
    with pytest.raises(FileError, match="which is another one"):
        write_evaluation(evaluated(**changes), folder)
    assert results.read_record_from(folder).metadata == later.metadata


@pytest.mark.fault("evaluate --out: the record of a training, or a user's files -> kept, one line")
def test_nothing_else_is_replaced(model, root, tmp_path):
    record = evaluate_model(model, root)
    training = results.write_record(make_record("s1s2_10c", dataset="other"))
    before = {path.name: path.read_bytes() for path in training.iterdir()}
    with pytest.raises(FileError, match="holds the record of a training, of s1s2_10c"):
        write_evaluation(record, training)
    assert {path.name: path.read_bytes() for path in training.iterdir()} == before

    mine = tmp_path / "mine"
    mine.mkdir()
    write_evaluation(record, mine)  # an empty folder will do
    with pytest.raises(FileError, match="which is another one"):
        write_evaluation(evaluate_model(model, root, "validation"), mine)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "history.csv").write_text("my own")
    with pytest.raises(FileError, match="holds something else than the record"):
        write_evaluation(record, tmp_path / "notes")
    assert (tmp_path / "notes" / "history.csv").read_text() == "my own"


def test_the_table_has_classes_and_their_mean(model, root):
    record = evaluate_model(model, root, "train")
    table = evaluation_table(record)
    assert table.index.tolist() == [*TYPOLOGY.names, "mean over classes"]
    assert table.loc["mean over classes", "F1"] == pytest.approx(record.scores["macro_f1"])
    assert table.loc["mean over classes", "IoU"] == pytest.approx(record.scores["mean_iou"])
    assert table.loc["mean over classes", "pixels"] == record.confusion.sum()
    of_classes = table[:-1]
    for column, score in (("precision", "precision"), ("recall", "recall"), ("F1", "f1")):
        np.testing.assert_allclose(of_classes[column], record.scores[score])
    np.testing.assert_allclose(of_classes["IoU"], record.scores["iou"])
    assert of_classes["pixels"].tolist() == record.confusion.sum(axis=1).tolist()


def test_classes_are_found_by_their_names(tmp_path):
    card = model_card(EXPERIMENT, TYPOLOGY, 32, "elsewhere")
    assert find_typology(MULTISENGE, card) == TYPOLOGY
    renamed = replace(TYPOLOGY, name="ten")
    assert find_typology(replace(MULTISENGE, groupings=(renamed,)), card) == renamed
    # MultiSenNA has a class more, which its grouping of these names gathers with another one.
    content = 'based_on = "multisenna"\nyears = [2020]\n[tiles]\n30TXR = "test"\n'
    (tmp_path / "dataset.toml").write_text(content)
    assert find_typology(dataset_of_root(tmp_path), card).lookup[15] == 9
    # Two classifications of these names: that of the network's own name.
    both = replace(MULTISENGE, groupings=(renamed, TYPOLOGY))
    assert find_typology(both, card) == TYPOLOGY
    neither = replace(MULTISENGE, groupings=(renamed, replace(TYPOLOGY, name="other_ten")))
    with pytest.raises(ModelError, match=r"several .* ten, other_ten: give the one .* name 10c in"):
        find_typology(neither, card)


@pytest.mark.fault("evaluate: a root of other classes, as many or not -> refused in one line")
def test_other_classes_are_refused(model, root, tmp_path):
    write_root(tmp_path / "root")
    rows = [
        (name, "#a50026", members)
        for name, members in zip("abcdefghij", TYPOLOGY.members, strict=True)
    ]
    other = replace(TWO_MONTHS, groupings=(make_typology(rows),))
    write_dataset_toml(tmp_path / "root", other)
    with pytest.raises(ModelError, match=r"other has no classification of these classes") as error:
        evaluate_model(model, tmp_path / "root")
    assert "\n" not in str(error.value)
    # The same classes in another order have other ids.
    swapped = replace(TYPOLOGY, classes=(*TYPOLOGY.classes[1::-1], *TYPOLOGY.classes[2:]))
    with pytest.raises(ModelError, match="in this order"):
        find_typology(replace(MULTISENGE, groupings=(swapped,)), load_model(model)[1])


@pytest.mark.fault("evaluate: other bands, no such split, an empty one -> one line each")
def test_what_does_not_fit_is_refused(model, root, tmp_path):
    with pytest.raises(ModelError, match="split 'all': choose one of train, validation, test"):
        evaluate_model(model, root, "all")
    write_root(tmp_path / "root", patches=["31UFQ_0_0"])
    write_dataset_toml(tmp_path / "root", TWO_MONTHS)
    with pytest.raises(ModelError, match=r"no patch for test .* months 7, 8, but 1 for train, 0"):
        evaluate_model(model, tmp_path / "root")
    bands = {"s1": MULTISENGE.bands["s1"], "s2": MULTISENGE.bands["s2"][:9]}
    write_dataset_toml(tmp_path / "root", replace(TWO_MONTHS, bands=bands))
    with pytest.raises(ModelError, match="s2 has B2"):
        evaluate_model(model, tmp_path / "root")


def test_the_months_of_a_root_of_another_calendar_can_be_taken(root, tmp_path):
    """The network was trained on January and February; the root has July and August."""
    card = model_card(replace(EXPERIMENT, months=(1, 2)), TYPOLOGY, 32, "south")
    path = save_model(network(), card, tmp_path / "model.keras")
    reason = "no patch has a Sentinel-2 image of months 1 and 2.*; --own-months takes the months"
    with pytest.raises(ModelError, match=reason):
        evaluate_model(path, root)
    record = evaluate_model(path, root, own_months=True)
    assert record.patches == ("31UEQ_0_0",)
    assert record.metadata.evaluation["months"] == list(dataset_of_root(root).months)
    write_root(tmp_path / "root", patches=["31UEQ_0_0"])
    write_dataset_toml(tmp_path / "root", replace(TWO_MONTHS, months=(7, 8, 9)))
    with pytest.raises(ModelError, match="has a series of 3 months, the network takes 2"):
        evaluate_model(path, tmp_path / "root", own_months=True)


def test_as_many_radar_images_of_a_month_are_needed_as_the_network_takes(root, tmp_path):
    """The root has one of each month."""
    inputs = {
        "s1": keras.Input((4, 32, 32, 2), name="s1"),
        "s2": keras.Input((2, 32, 32, 10), name="s2"),
    }
    both = keras.layers.Concatenate()([inputs["s1"][:, 3], inputs["s2"][:, 0]])
    network = keras.Model(inputs, keras.layers.Conv2D(10, 1)(both))
    experiment = replace(EXPERIMENT, months=(7, 8), s1_per_month=2)
    card = model_card(experiment, TYPOLOGY, 32, "elsewhere")
    path = save_model(network, card, tmp_path / "model.keras")
    with (
        pytest.raises(ModelError, match="no patch has 2 Sentinel-1 images in the month"),
        pytest.warns(UserWarning, match="left out . patch.* without a Sentinel-1 image"),
    ):
        evaluate_model(path, root)


def test_maps_of_the_split_alone(model, root, tmp_path):
    (out,) = predict_root(model, root, tmp_path / "maps", split="test")
    assert out.name == "31UEQ.tif"
    record = evaluate_model(model, root)
    with rasterio.open(out) as source:
        np.testing.assert_array_equal(source.read(1), record.maps["31UEQ_0_0"])
    assert dataset_of_root(root).split_of("31UEQ") == "test"


def run(monkeypatch, *arguments):
    """Run the command in this process; gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["multisenge", "evaluate", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
        raise SystemExit(0)
    return end.value.code


def test_the_command_writes_a_record_and_maps_and_prints_scores(
    model, root, tmp_path, monkeypatch, capsys
):
    options = ("--split", "train", "--out", tmp_path / "record", "--maps", tmp_path / "maps")
    assert not run(monkeypatch, model, root, *options)
    printed = capsys.readouterr().out
    record = results.read_record_from(tmp_path / "record")
    assert "s1s2_10c, trained on elsewhere: 4 patches for train of other" in printed
    assert f"mean_iou     {record.scores['mean_iou']:.4f}" in printed
    assert [path.name for path in sorted((tmp_path / "maps").glob("*.tif"))] == ["31UFQ.tif"]


@pytest.mark.fault("evaluate --maps: another file lies at the place -> kept, unless --overwrite")
def test_maps_replace_other_files_only_when_asked(model, root, tmp_path, monkeypatch, capsys):
    options = ("--split", "train", "--out", tmp_path / "record", "--maps", tmp_path / "maps")
    (tmp_path / "maps").mkdir()
    mine = tmp_path / "maps" / "31UFQ.tif"
    mine.write_text("mine")
    assert run(monkeypatch, model, root, *options) == 2
    assert "--overwrite" in capsys.readouterr().err and mine.read_text() == "mine"
    assert run(monkeypatch, model, root, "--overwrite") == 2
    assert "give --maps" in capsys.readouterr().err
    assert not run(monkeypatch, model, root, *options, "--overwrite")
    with rasterio.open(mine) as source:
        assert source.count == 1


@pytest.mark.fault("evaluate: no model, no root, no such split -> one line, exit code 2")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "missing.keras"}, "missing.keras is missing"),
        ({"root": "nowhere"}, "nowhere"),
        ({"split": "all"}, "split 'all'"),
    ],
)
def test_the_command_refuses_in_one_line(model, root, monkeypatch, capsys, change, message):
    asked = {"model": model, "root": root, "split": "test"} | change
    code = run(monkeypatch, asked["model"], asked["root"], "--split", asked["split"])
    error = capsys.readouterr().err
    assert code == 2 and message in error and error.count("\n") == 1


@pytest.mark.fault("evaluate: a place that cannot be written -> refused before the evaluation")
@pytest.mark.parametrize("option", ["--out", "--maps"])
def test_a_place_that_cannot_be_written_is_refused_first(
    model, root, tmp_path, monkeypatch, capsys, option
):
    (tmp_path / "file").write_text("mine")
    # It must not be called.
    monkeypatch.setattr("multisenge_lib.tools.evaluation.prepare_evaluation", None)
    code = run(monkeypatch, model, root, option, tmp_path / "file" / "new")
    error = capsys.readouterr().err
    assert code == 2 and "cannot be written: give another" in error and option in error


@pytest.mark.fault("evaluate --out: a folder with other files -> refused before the evaluation")
def test_a_folder_that_holds_something_else_is_refused_first(
    model, root, tmp_path, monkeypatch, capsys
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    training = results.write_record(make_record("s1s2_10c", dataset="other"))
    # It must not be called.
    monkeypatch.setattr("multisenge_lib.tools.evaluation.prepare_evaluation", None)
    for folder, holds in [
        (tmp_path / "mine", "something else"),
        (training, "record of a training"),
    ]:
        code = run(monkeypatch, model, root, "--out", folder)
        error = capsys.readouterr().err
        assert code == 2 and holds in error and "--out" in error


@pytest.mark.fault("evaluate: another map or record at its place -> refused before the evaluation")
@pytest.mark.parametrize("option", ["--maps", "--out"])
def test_what_is_at_its_place_is_found_before_the_scores(
    model, root, tmp_path, monkeypatch, capsys, option
):
    options = ("--split", "train", "--out", tmp_path / "record", "--maps", tmp_path / "maps")
    assert not run(monkeypatch, model, root, *options)
    assert not run(monkeypatch, model, root, *options)  # what is finished may stay
    capsys.readouterr()
    monkeypatch.setattr("multisenge_lib.tools.evaluation.score_patches", None)  # not called
    before = (tmp_path / "maps" / "31UFQ.tif").read_bytes()
    if option == "--maps":
        changed = ("--out", tmp_path / "other", "--band-order", "resolution")
        words = "31UFQ.tif is there already, of other data or settings"
    else:
        changed = ("--split", "validation", "--maps", tmp_path / "other")
        words = "record holds the record of s1s2_10c on other, which is another one"
    assert run(monkeypatch, model, root, *options, *changed) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "other").exists()
    assert (tmp_path / "maps" / "31UFQ.tif").read_bytes() == before


GROUND = tuple(range(6, 15))
URBAN = make_typology([("town", "#a50026", (1, 2, 3, 4, 5)), ("rest", "#ffef9f", GROUND)], "urban")
WATER = make_typology(
    [("water", "#0e80ee", (13, 14)), ("land", "#ffef9f", tuple(range(1, 13)))], "water"
)


@pytest.mark.fault("two classifications of one size in a root -> each network has its own classes")
def test_two_classifications_of_one_size_are_kept_apart(tmp_path, monkeypatch):
    """Trained, recorded, evaluated here and elsewhere, and started from each other."""
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))
    file = write_network(tmp_path)
    two_months = write_two_months(tmp_path / "root")
    dataset = replace(two_months, name="other", groupings=(URBAN, WATER), patch_pixels=32)
    write_dataset_toml(tmp_path / "root", dataset)
    settings = Settings(epochs=1, batch_size=2, reader_threads=1)

    def trained(classes, **start):
        experiment = small_experiment(f"s2_{classes}", file, dataset)
        return train(experiment, settings, tmp_path / "root", progress=False, **start)

    town = trained("urban")
    model = town.folder / "model.keras"
    water = trained("water", start_from=model)
    # Two classes each, but the logits of the one say nothing about the other.
    assert water.record.metadata.start_from["left"] == ("logits/kernel", "logits/bias")
    for run, typology in ((town, URBAN), (water, WATER)):
        assert run.record.metadata.experiment == f"small_s2_{typology.name}"
        evaluated = evaluate_model(run.folder / "model.keras", tmp_path / "root")
        assert evaluated.metadata.classes == typology.names
        np.testing.assert_array_equal(evaluated.confusions, run.record.confusions)

    write_root(tmp_path / "elsewhere")
    write_dataset_toml(tmp_path / "elsewhere", replace(dataset, groupings=(WATER,)))
    with pytest.raises(ModelError, match="separates town, rest, and other has no classification"):
        evaluate_model(model, tmp_path / "elsewhere")


@pytest.mark.fault("dataset.toml: a grouping called s2_6c -> refused, utae_s2_6c would be two")
@pytest.mark.parametrize("name", ["s2_6c", "S1_urban", "s2"])
def test_a_classification_is_not_called_like_a_sensor(name, tmp_path):
    with pytest.raises(DescriptionError, match=r"begins with the name of a sensor") as caught:
        replace(MULTISENGE, groupings=(replace(URBAN, name=name),))
    assert "\n" not in str(caught.value)
    content = f"""name = "valley"
years = [2020]
months = [7]
patch_pixels = 64
[tiles]
31UEQ = "train"
[groupings]
{name} = [
  {{name = "a", color = "#000000", ids = [1, 2, 3, 4, 5]}},
  {{name = "b", color = "#ffffff", ids = [6, 7, 8, 9, 10, 11, 12, 13, 14]}},
]
"""
    (tmp_path / "dataset.toml").write_text(content)
    with pytest.raises(DescriptionError, match="begins with the name of a sensor"):
        dataset_of_root(tmp_path)
