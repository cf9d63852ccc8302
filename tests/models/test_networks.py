"""Networks by name, networks in a file of one's own, and the names of their experiments."""

import os
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES
from multisenge_lib.errors import ExperimentError, ModelError
from multisenge_lib.models import (
    EXPERIMENTS,
    NETWORKS,
    build_model,
    check_can_be_read_again,
    get_experiment,
    load_model,
    model_card,
    save_model,
    takes_days,
    with_input_size,
    with_network,
)
from multisenge_lib.models.networks import find_builder, parse_network

#: A network as a user writes it: the mean over the dates, and one convolution.
MEAN_OF_DATES = """
from keras import Model, layers, ops

def build(series, classes):
    image = layers.Concatenate()([ops.mean(x, axis=1) for x in series.values()])
    return layers.Conv2D(classes, 3, padding="same", name="logits")(image)

def no_logits(series, classes):
    return "logits"

def a_class_less(series, classes):
    return build(series, classes - 1)

def half_size(series, classes):
    return layers.AveragePooling2D(2)(build(series, classes))

def other_parameters(inputs):
    return inputs

def with_days(series, classes, days):
    weights = ops.sin(days["s2"])[:, :, None, None, None]
    image = ops.mean(series["s2"] * weights, axis=1)
    return layers.Conv2D(classes, 1, name="logits")(image)

class Scale(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight((shape[-1],), "ones", name="scale")

    def call(self, x):
        return x * self.scale

def own_layer(series, classes):
    image = Scale(name="scale")(ops.mean(series["s2"], axis=1))
    return layers.Conv2D(classes, 1, name="logits")(image)

def nested(series, classes):
    image = ops.mean(series["s2"], axis=1)
    inside = layers.Input(image.shape[1:])
    block = Model(inside, Scale()(inside))
    return layers.Conv2D(classes, 1, name="logits")(block(image))

constant = 3

def more_parameters(series, classes, width):
    return build(series, classes)

def by_position(series, classes, /):
    return build(series, classes)

def another_sensor(series, classes):
    return build({"sar": series["sar"]}, classes)

def probabilities(series, classes):
    return layers.Softmax()(build(series, classes))

def probabilities_too(series, classes):
    image = ops.mean(series["s2"], axis=1)
    return layers.Conv2D(classes, 1, activation="softmax")(image)

def no_input(series, classes):
    return layers.Input((32, 32, classes))

def two_of_one_name(series, classes):
    image = layers.Dense(3, name="look")(ops.mean(series["s2"], axis=1))
    return layers.Dense(classes, name="look")(image)

def turned_round(classes, *, series, width=3):
    return build(series, classes)
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_networks.py"
    path.write_text(MEAN_OF_DATES)
    return path


def test_the_papers_networks_are_entries_like_any_other():
    used = {experiment.network for experiment in EXPERIMENTS.values()}
    assert used == {"conv_lstm", "inception"} <= set(NETWORKS)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_keeps_to_the_protocol(network):
    assert callable(find_builder(network))
    assert takes_days(network) == (network == "utae")


@pytest.mark.parametrize(
    ("name", "network", "sensors"),
    [
        ("utae_10c", "utae", ("s1", "s2")),
        ("utae_s2_10c", "utae", ("s2",)),
        ("stack_s1_6c", "stack", ("s1",)),
        ("unet3d_14c", "unet3d", ("s1", "s2")),
    ],
)
def test_networks_of_others_have_experiments(name, network, sensors):
    experiment = get_experiment(name)
    assert (experiment.name, experiment.network, experiment.sensors) == (name, network, sensors)
    assert experiment.months == MULTISENGE.months


def test_a_file_gives_its_experiments_their_names(file):
    both = with_network(get_experiment("s1s2_10c"), f"{file}:build")
    assert (both.name, both.title) == ("my_networks_10c", "my_networks-S1S2")
    one = with_network(get_experiment("s2_6c"), f"{file}:own_layer")
    assert one.name == "my_networks_own_layer_s2_6c"
    assert with_network(get_experiment("s1s2_10c"), str(file)).name == "my_networks_10c"
    assert with_network(get_experiment("s2_10c"), "utae") == get_experiment("utae_s2_10c")


def test_names_of_files_become_names_of_folders(tmp_path):
    path = tmp_path / "my net-2.py"
    path.write_text(MEAN_OF_DATES)
    assert with_network(get_experiment("s1s2_10c"), str(path)).name == "my_net_2_10c"


def test_the_order_of_the_parameters_does_not_matter(file):
    experiment = with_network(get_experiment("s2_6c"), f"{file}:turned_round")
    assert build_model(experiment, 32).output_shape == (None, 32, 32, 6)


def test_a_file_builds_a_network(file):
    model = build_model(with_network(get_experiment("s1s2_10c"), str(file)), 32)
    assert model.output_shape == (None, 32, 32, 10)
    assert set(model.input) == {"s1", "s2"}


def test_a_network_with_days_takes_them(file):
    experiment = with_network(get_experiment("s2_6c"), f"{file}:with_days")
    model = build_model(experiment, 32)
    images = np.ones((1, 4, 32, 32, 10))
    summer = model.predict_on_batch({"s2": images, "s2_days": np.full((1, 4), 200.0)})
    winter = model.predict_on_batch({"s2": images, "s2_days": np.full((1, 4), 20.0)})
    assert not np.allclose(summer, winter)


def test_logits_are_float32_under_any_precision(file):
    experiment = with_network(get_experiment("s2_6c"), str(file).replace(".py", ".py:own_layer"))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert build_model(experiment, 32).output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


PROTOCOL = {
    "no_logits": "returns a str: it must return the logits",
    "a_class_less": r"shape \(None, 32, 32, 5\): there must be one for each pixel and each",
    "half_size": r"shape \(None, 16, 16, 6\)",
    "other_parameters": "has no parameter series and classes",
    "missing": r"there is no function missing in it \(functions there: build, no_logits, a_class",
    "constant": "there is no function constant in it",
    "more_parameters": "more_parameters has a required parameter width, which is never passed",
    "by_position": "by_position takes series by position alone, .* remove the /",
    "another_sensor": r"stops in line 51 \(KeyError: 'sar'\): .* s1 \(None, 4, 32, 32, 2\), s2",
    "probabilities": "returns probabilities: .* leave the softmax out",
    "probabilities_too": "returns probabilities: it must return the logits",
    "no_input": "make no network .*: compute them from series",
    "two_of_one_name": "make no network .* give no two layers the same name",
}


@pytest.mark.fault("network: a function that breaks the protocol -> one line that says how")
@pytest.mark.parametrize("function", PROTOCOL)
def test_a_network_that_breaks_the_protocol_is_refused(function, file):
    experiment = with_network(get_experiment("s1s2_6c"), f"{file}:{function}")
    with pytest.raises(ExperimentError, match=PROTOCOL[function]) as caught:
        build_model(experiment, 32)
    assert "\n" not in str(caught.value) and "my_networks.py" in str(caught.value)


@pytest.mark.fault("network: no such name or file, a file that fails, a taken name -> one line")
def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(ExperimentError, match=r"no network 'segformer': choose one of conv_lstm,"):
        parse_network("segformer")
    with pytest.raises(ExperimentError, match=r"none\.py cannot be read \(No such file"):
        with_network(get_experiment("s2_6c"), str(tmp_path / "none.py"))
    os.mkfifo(tmp_path / "pipe.py")  # who reads it waits for ever
    with pytest.raises(ExperimentError, match=r"pipe\.py cannot be read \(it is not a file\)"):
        with_network(get_experiment("s2_6c"), str(tmp_path / "pipe.py"))
    for name in ("utae", "s1s2", "Inception"):
        with pytest.raises(ExperimentError, match="exist already: rename the file"):
            parse_network(f"{name}.py:build")
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_package")
    with pytest.raises(ExperimentError, match=r"cannot be imported \(ModuleNotFoundError"):
        build_model(with_network(get_experiment("s2_6c"), str(broken)), 32)
    broken.write_text("raise SystemExit(3)")
    with pytest.raises(ExperimentError, match=r"cannot be imported \(SystemExit: 3\)"):
        build_model(with_network(get_experiment("s2_6c"), str(broken)), 32)
    broken.write_text("def build(series, classes)\n    return 1")
    with pytest.raises(ExperimentError, match=r"SyntaxError: expected ':' \(broken.py, line 1\)"):
        build_model(with_network(get_experiment("s2_6c"), str(broken)), 32)
    with pytest.raises(ExperimentError, match="the paper's: ask for the experiment by its name"):
        with_network(get_experiment("s2_6c"), "inception")


@pytest.mark.fault("network: a file that imports another beside it -> refused, its hash is not all")
@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import blocks", "blocks"),
        ("from blocks import cell", "blocks"),
        ("import parts.cell", "parts"),
        ("from .blocks import cell", ".blocks"),
        ("import folder_without_init.cell", "folder_without_init"),
        ("from here import cell", "here"),
        ("def late():\n    import blocks", "blocks"),
    ],
)
def test_a_network_is_one_file(line, named, file, tmp_path_factory, monkeypatch):
    """An edited helper once trained another network under the name and the run of the old one."""
    current = tmp_path_factory.mktemp("current")
    (current / "here.py").write_text("cell = 1")
    monkeypatch.chdir(current)
    (file.parent / "folder_without_init").mkdir()
    (file.parent / "folder_without_init" / "cell.py").write_text("")
    (file.parent / "blocks.py").write_text("cell = 1")
    (file.parent / "parts").mkdir()
    (file.parent / "parts" / "__init__.py").write_text("")
    file.write_text(f"{line}\n{MEAN_OF_DATES}")
    with pytest.raises(ExperimentError, match=f"imports {named} from its own folder") as caught:
        with_network(get_experiment("s2_6c"), str(file))
    assert "\n" not in str(caught.value)


def test_the_library_and_installed_packages_may_lie_beside_the_file(file):
    for package in ("multisenge_lib", "unused"):
        (file.parent / package).mkdir()
        (file.parent / package / "__init__.py").write_text("")
    # A folder of data with a package's name is no package, and the file does not import itself.
    (file.parent / "numpy").mkdir()
    imports = "import sys, numpy\nfrom multisenge_lib import models\n"
    file.write_text(f"{imports}\n{MEAN_OF_DATES}\ndef late():\n    import my_networks\n")
    assert with_network(get_experiment("s2_6c"), str(file)).network_digest


@pytest.mark.fault("network: a name that ends in a sensor -> refused: utae_s2.py is not utae")
@pytest.mark.parametrize("network", ["utae_s2.py", "my_S1.py:build", "my_networks.py:s2"])
def test_a_name_that_ends_in_a_sensor_is_refused(network):
    with pytest.raises(ExperimentError, match="would be taken for those of one sensor: rename"):
        parse_network(network)


@pytest.mark.fault("network: a file edited after the experiment was made -> refused, not mixed up")
def test_an_edited_file_is_another_network(file):
    experiment = with_network(get_experiment("s2_6c"), str(file))
    file.write_text(MEAN_OF_DATES + "\n# edited\n")
    with pytest.raises(ExperimentError, match="has changed since the experiment was made"):
        build_model(experiment, 32)
    again = with_network(get_experiment("s2_6c"), str(file))
    assert again.network_digest != experiment.network_digest
    assert build_model(again, 32).output_shape == (None, 32, 32, 6)


def saved(experiment, folder):
    model = build_model(experiment, 32)
    card = model_card(experiment, TYPOLOGIES[experiment.classification], 32, "sample")
    return model, save_model(model, card, folder / "model.keras")


def test_a_saved_network_of_a_file_is_loaded_with_the_file(file, tmp_path):
    model, path = saved(with_network(get_experiment("s2_6c"), f"{file}:own_layer"), tmp_path)
    loaded, card = load_model(path, f"{file}:own_layer")
    assert card.network == "my_networks.py:own_layer"  # not the folder of this machine
    images = {"s2": np.random.default_rng(1).uniform(size=(1, 4, 32, 32, 10))}
    expected = model.predict_on_batch(images)
    np.testing.assert_allclose(loaded.predict_on_batch(images), expected, atol=1e-6)


def test_a_layer_of_a_file_inside_a_nested_model_takes_another_size(file, tmp_path):
    network = f"{file}:nested"
    _, path = saved(with_network(get_experiment("s2_6c"), network), tmp_path)
    for name in [name for name in sys.modules if name.startswith("multisenge_network_")]:
        del sys.modules[name]  # as in another process
    loaded, _ = load_model(path, network)
    assert with_input_size(loaded, 64).output_shape == (None, 64, 64, 6)


@pytest.mark.fault("model.keras: layers of a file that is not named -> one line with the remedy")
def test_layers_of_a_file_are_not_imported_unasked(file, tmp_path, monkeypatch):
    _, path = saved(with_network(get_experiment("s2_6c"), f"{file}:own_layer"), tmp_path)
    for name in [name for name in sys.modules if name.startswith("multisenge_network_")]:
        monkeypatch.delitem(sys.modules, name)  # as in another process
    with pytest.raises(ModelError, match=r"own_layer: if that file defines layers, .*--network"):
        load_model(path)


@pytest.mark.fault("network: layers that cannot be read from a file -> refused before training")
@pytest.mark.parametrize("function", ["with_lambda", "holds_a_layer"])
def test_a_network_that_could_not_be_read_again_is_refused(function, tmp_path):
    path = tmp_path / "unreadable.py"
    path.write_text(MEAN_OF_DATES + UNREADABLE)
    network = f"{path}:{function}"
    experiment = with_network(get_experiment("s2_6c"), network)
    card = model_card(experiment, TYPOLOGIES["6c"], 32, "sample")
    with pytest.raises(ExperimentError, match=r"could not be read from its file .* Lambda"):
        check_can_be_read_again(build_model(experiment, 32), card, network)
    network = f"{path}:own_layer"
    experiment = with_network(get_experiment("s2_6c"), network)
    check_can_be_read_again(build_model(experiment, 32), card, network)


UNREADABLE = """
def with_lambda(series, classes):
    image = layers.Lambda(lambda x: ops.mean(x, axis=1))(series["s2"])
    return layers.Conv2D(classes, 1)(image)

class Around(layers.Layer):
    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def call(self, x):
        return self.inner(x)

    def get_config(self):
        return {**super().get_config(), "inner": self.inner}

def holds_a_layer(series, classes):
    return Around(layers.Conv2D(classes, 1))(series["s2"][:, 0])
"""


def test_a_saved_utae_is_loaded_and_takes_days(tmp_path):
    experiment = replace(get_experiment("utae_s2_6c"), months=(7, 8))
    model, path = saved(experiment, tmp_path)
    loaded, card = load_model(path)
    assert card.network == "utae"
    images = np.random.default_rng(1).uniform(size=(1, 2, 32, 32, 10))
    inputs = {"s2": images, "s2_days": np.array([[190.0, 222]])}
    expected = model.predict_on_batch(inputs)
    np.testing.assert_allclose(loaded.predict_on_batch(inputs), expected, atol=1e-5)


def test_sentinel_1_may_have_more_dates_where_the_network_accepts_it():
    dataset = replace(MULTISENGE, s1_rule="first3")
    stacked = build_model(get_experiment("stack_6c", dataset), 32)
    assert stacked.input["s1"].shape == (None, 12, 32, 32, 2)
    assert stacked.input["s2"].shape == (None, 4, 32, 32, 10)
    with pytest.raises(
        ExperimentError,
        match=r"unet3d needs the same number of dates .* received 12 of s1 and 4 of s2: set",
    ):
        build_model(get_experiment("unet3d_6c", dataset), 32)


@pytest.mark.parametrize("name", ["s2_6c", "stack_s2_6c", "unet3d_s2_6c", "utae_s2_6c"])
def test_one_date_is_enough(name):
    model = build_model(replace(get_experiment(name), months=(7,)), 32)
    assert model.input["s2"].shape == (None, 1, 32, 32, 10)
    assert model.output_shape == (None, 32, 32, 6)
