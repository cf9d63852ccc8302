"""Training that starts from the weights of another network."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from small_network import small_experiment, write_network, write_two_months

from multisenge_lib import results
from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
from multisenge_lib.errors import ExperimentError, ModelError, RecordError
from multisenge_lib.models import build_model, model_card, save_model
from multisenge_lib.training import preparation
from multisenge_lib.training import run as training
from multisenge_lib.training.settings import Settings, settings_from_parameters
from multisenge_lib.training.start_from import starting_point, take_weights

FAST = Settings(epochs=1, batch_size=2, reader_threads=1)
SIX = TYPOLOGIES["6c"].names
TEN = TYPOLOGIES["10c"].names


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path):
    return write_network(tmp_path)


@pytest.fixture
def source(file, tmp_path):
    """A saved network of six classes, all of whose weights are 0.5."""
    experiment = small_experiment("s2_6c", file, MULTISENGE)
    model = build_model(experiment, 32)
    model.set_weights([np.full(weight.shape, 0.5) for weight in model.get_weights()])
    card = model_card(experiment, TYPOLOGIES["6c"], 32, "sample")
    return save_model(model, card, tmp_path / "source.keras")


ENCODER = ("encoder1_conv/kernel", "encoder1_conv/bias")
MIDDLE = ("middle_bn/gamma", "middle_bn/beta", "middle_bn/moving_mean", "middle_bn/moving_variance")
LOGITS = ("logits/kernel", "logits/bias")


def test_all_weights_of_the_same_network_are_taken(file, source):
    model = build_model(small_experiment("s2_6c", file, MULTISENGE), 32)
    weights = take_weights(model, SIX, starting_point(source))
    assert set(weights.taken) == {*ENCODER, *MIDDLE, *LOGITS} and weights.at_random == ()
    assert all((weight == 0.5).all() for weight in model.get_weights())


def test_the_encoder_alone_can_be_taken(file, source):
    model = build_model(small_experiment("s2_6c", file, MULTISENGE), 32)
    before = model.get_layer("logits").kernel.numpy()
    weights = take_weights(model, SIX, starting_point(source, "encoder"))
    assert weights.taken == ENCODER and set(weights.at_random) == {*MIDDLE, *LOGITS}
    assert (model.get_layer("encoder1_conv").kernel.numpy() == 0.5).all()
    assert (model.get_layer("logits").kernel.numpy() == before).all()


def test_logits_of_other_classes_are_left(file, source):
    model = build_model(small_experiment("s2_10c", file, MULTISENGE), 32)
    weights = take_weights(model, TEN, starting_point(source))
    assert set(weights.taken) == {*ENCODER, *MIDDLE} and weights.at_random == LOGITS


@pytest.mark.fault("start_from: as many classes of other names -> their logits are left")
def test_logits_of_as_many_other_classes_are_left(file, source):
    model = build_model(small_experiment("s2_6c", file, MULTISENGE), 32)
    others = tuple(f"other {name}" for name in SIX)
    assert take_weights(model, others, starting_point(source)).at_random == LOGITS


def test_layers_without_a_name_are_found_by_their_order(tmp_path):
    """Keras numbers them through the process: the first is conv2d, that of the next conv2d_2."""
    file = tmp_path / "unnamed.py"
    file.write_text(
        "from keras import layers\n"
        "def build(series, classes):\n"
        "    x = layers.Conv2D(10, 3, padding='same')(series['s2'][:, 0])\n"
        "    x = layers.Conv2D(10, 3, padding='same')(x)\n"
        "    return layers.Conv2D(classes, 1)(x)\n"
    )
    experiment = small_experiment("s2_6c", file, MULTISENGE)
    model = build_model(experiment, 32)
    weights = [np.full(weight.shape, number) for number, weight in enumerate(model.get_weights())]
    model.set_weights(weights)
    card = model_card(experiment, TYPOLOGIES["6c"], 32, "sample")
    path = save_model(model, card, tmp_path / "unnamed.keras")
    build_model(small_experiment("s2_10c", file, MULTISENGE), 32)  # so that numbers differ

    other = build_model(experiment, 32)
    assert other.layers[-1].name != model.layers[-1].name
    taken = take_weights(other, SIX, starting_point(path)).taken
    assert taken[::2] == ("conv2d/kernel", "conv2d_1/kernel", "conv2d_2/kernel")
    for number, weight in enumerate(other.get_weights()):
        assert (weight == number).all()
    ten = build_model(small_experiment("s2_10c", file, MULTISENGE), 32)
    at_random = take_weights(ten, TEN, starting_point(path)).at_random
    assert at_random == ("conv2d_2/kernel", "conv2d_2/bias")


def test_weights_of_another_shape_are_left(file, source):
    model = build_model(small_experiment("s1s2_6c", file, MULTISENGE), 32)  # twelve bands
    weights = take_weights(model, SIX, starting_point(source))
    assert weights.at_random == ("encoder1_conv/kernel",)


@pytest.mark.fault("start_from: hardly a weight fits -> a warning with the number")
def test_a_start_with_hardly_a_weight_is_said(file, tmp_path):
    inputs = keras.Input((4, 32, 32, 10), name="s2")
    x = inputs[:, 0]
    for width in range(3, 9):  # the other network has other widths, so one bias alone fits
        x = keras.layers.Conv2D(width, 1, name=f"conv{width}")(x)
    ours = keras.Model({"s2": inputs}, keras.layers.Conv2D(6, 1, name="logits")(x))
    theirs = keras.Model({"s2": inputs}, keras.layers.Conv2D(6, 1, name="logits")(inputs[:, 0]))
    card = model_card(small_experiment("s2_6c", file, MULTISENGE), TYPOLOGIES["6c"], 32, "sample")
    path = save_model(theirs, card, tmp_path / "theirs.keras")
    with pytest.warns(UserWarning, match="1 weight of 14 fit .* such as logits/bias: nearly all"):
        weights = take_weights(ours, SIX, starting_point(path))
    assert weights.taken == ("logits/bias",)


def test_the_papers_encoder_has_the_names_of_vgg_16(tmp_path, monkeypatch):
    from networks import slim_unet

    slim_unet(monkeypatch)
    ten = replace_filters("s2_10c")
    card = model_card(ten, TYPOLOGIES["10c"], 32, "sample")
    path = save_model(build_model(ten, 32), card, tmp_path / "model.keras")
    model = build_model(replace_filters("s2_6c"), 32)
    weights = take_weights(model, SIX, starting_point(path, "encoder"))
    assert weights.taken[0] == "unet/block1_conv1/kernel"
    assert len(weights.taken) == 2 * 5  # kernel and bias of five convolutions
    everything = take_weights(model, SIX, starting_point(path))
    assert everything.at_random == ("unet/logits/kernel", "unet/logits/bias")


def replace_filters(name):
    from multisenge_lib.models import get_experiment

    return replace(get_experiment(name), filters=2)


@pytest.mark.fault("start_from: no file, another network, an unknown part -> one line")
def test_a_start_that_cannot_be_is_refused(file, source, tmp_path):
    with pytest.raises(ModelError, match=r"none\.keras is missing"):
        starting_point(tmp_path / "none.keras")
    with pytest.raises(ExperimentError, match="start_from_part is 'half': give all or encoder"):
        starting_point(source, "half")
    other = build_model(small_experiment("s2_10c", file, MULTISENGE, "with_days"), 32)
    with pytest.raises(ExperimentError, match="not one of its weights fits small_with_days_s2_10c"):
        take_weights(other, TEN, starting_point(source))
    with pytest.raises(ExperimentError, match="encoder has layers called encoder"):
        take_weights(other, TEN, starting_point(source, "encoder"))


def test_a_run_says_from_where_it_started(file, source, tmp_path, capsys):
    dataset = write_two_months(tmp_path / "root")
    experiment = small_experiment("s2_6c", file, dataset)

    def train(**start):
        return training.train(experiment, FAST, tmp_path / "root", dataset=dataset, **start)

    plain = train()
    assert plain.record.metadata.start_from is None
    # The source takes four dates and this network two, but the weights do not depend on that.
    started = train(start_from=source)
    assert "8 weights taken, 0 left at random: none" in capsys.readouterr().out
    encoder = train(start_from=source, start_from_part="encoder")
    assert len({plain.folder, started.folder, encoder.folder}) == 3

    results.write_record(encoder.record)
    with pytest.raises(RecordError, match="a record of other weights to start from"):
        train(start_from=source, replace_record=False)
    recorded = results.read_record(dataset.name, "small_s2_6c").metadata
    assert recorded.start_from["experiment"] == "small_s2_6c"
    assert recorded.start_from["part"] == "encoder"
    assert recorded.start_from["taken"] == list(ENCODER)
    assert recorded.choices["network"] == "small.py:build"
    assert recorded.choices["network_digest"] == experiment.network_digest


def test_a_network_that_asks_for_days_is_trained(file, tmp_path):
    dataset = write_two_months(tmp_path / "root")
    experiment = small_experiment("s2_6c", file, dataset, "with_days")
    run = training.train(experiment, FAST, tmp_path / "root", dataset=dataset, progress=False)
    assert np.isfinite(run.record.history["loss"]).all()
    assert run.record.spatial.by_distance.sum() == 32 * 32
    prepared = preparation.prepare(tmp_path / "root", experiment, FAST, dataset=dataset)
    inputs, _ = prepared.batches("train")[0]
    # The seventh of July and the sixth of August of a leap year.
    assert inputs["s2_days"].tolist() == [[189, 219], [189, 219]]


def test_a_variant_of_the_settings_is_trained_so(file, tmp_path):
    dataset = write_two_months(tmp_path / "root")
    experiment = small_experiment("s2_6c+no_class_weights", file, dataset)
    run = training.train(experiment, FAST, tmp_path / "root", dataset=dataset, progress=False)
    metadata = run.record.metadata
    assert metadata.experiment == "small_s2_6c+no_class_weights"
    assert metadata.settings["class_weights"] is False
    assert set(metadata.class_weights) == {1.0}
    folder = results.write_record(run.record)
    assert folder.name == "small_s2_6c+no_class_weights"
    assert results.list_records(dataset.name)[0].experiment == metadata.experiment


def test_parameters_of_the_start_are_known():
    assert settings_from_parameters({"start_from": "m", "start_from_part": "all"}) == {}
    assert replace(FAST, seed=2).seed == 2
