"""Small `.keras` files that would take gigabytes."""

import copy
import io
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zipfile

import h5py
import keras
import numpy as np
import pytest

from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.errors import ModelError
from multisenge_lib.models import (
    file_limits,
    get_experiment,
    load_model,
    model_card,
    read_model_card,
    save_model,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A network of two layers, saved."""
    x = keras.Input((4, 32, 32, 2), name="s1")
    hidden = keras.layers.ConvLSTM2D(4, 1, name="hidden")(x)
    model = keras.Model({"s1": x}, keras.layers.Conv2D(10, 1, name="logits")(hidden))
    card = model_card(get_experiment("s1_10c"), TYPOLOGIES["10c"], 32, "sample")
    return save_model(model, card, tmp_path_factory.mktemp("limits") / "small.keras")


def with_entries(path, target, entries, method=zipfile.ZIP_DEFLATED):
    """A copy of a `.keras` file in which some entries are others."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, value in {**content, **entries}.items():
            archive.writestr(name, value)
    return target


def configuration(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def enormous(path, what):
    """The configuration of a network of 40 GB or more, of the file's own two layers."""
    config = configuration(path)
    layers = {layer["name"]: layer for layer in config["config"]["layers"]}
    if what == "a wide layer":
        layers["logits"]["config"]["filters"] = 10**10
    elif what == "a large kernel":
        layers["logits"]["config"] |= {"kernel_size": [10**5, 10**5], "padding": "same"}
    elif what == "a wide recurrent layer":
        layers["hidden"]["config"]["filters"] = 10**5
    elif what == "many layers":
        for number in range(100):
            layer = copy.deepcopy(layers["logits"])
            layer["name"] = layer["config"]["name"] = f"wide_{number}"
            layer["config"]["filters"] = 10**8
            config["config"]["layers"].append(layer)
    if what != "a layer that says that it is built":
        for layer in layers.values():
            layer.pop("build_config", None)
    else:
        layers["logits"]["build_config"]["input_shape"][-1] = 10**10
    return json.dumps(config)


ENORMOUS = (
    "a wide layer",
    "a large kernel",
    "a wide recurrent layer",
    "many layers",
    "a layer that says that it is built",
)


@pytest.mark.fault("model.keras: a configuration of an enormous network -> refused, never made")
def test_an_enormous_network_is_refused_before_its_weights_are_made(path, tmp_path):
    # In a process of its own, with one gigabyte more than Keras itself takes.
    targets = []
    for what in ENORMOUS:
        target = tmp_path / f"{what.replace(' ', '_')}.keras"
        targets.append(with_entries(path, target, {"config.json": enormous(path, what)}))
    script = """
import resource, sys
import keras
from multisenge_lib.errors import ModelError
from multisenge_lib.models import load_model

*enormous, small = sys.argv[1:]
load_model(small)
kilobytes = [line.split()[1] for line in open("/proc/self/status") if "VmSize" in line]
resource.setrlimit(resource.RLIMIT_AS, (int(kilobytes[0]) * 1024 + 2**30,) * 2)
for path in enormous:
    try:
        load_model(path)
    except ModelError as error:
        print(error)
# Nothing of the networks that were refused is made later, and the same file is read as before.
with keras.StatelessScope():
    pass
load_model(small)
print("read", keras.Layer.add_weight.__module__)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, targets), str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *messages, last = done.stdout.splitlines()
    assert len(messages) == len(ENORMOUS)
    for message in messages:
        assert "bytes and describes a network of" in message
    assert last == "read keras.src.layers.layer"


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_a_layer_that_is_larger_than_described_is_for_keras_to_refuse(path, tmp_path):
    # 5 filters instead of 4 are no bomb: the message is about the shapes.
    config = configuration(path)
    for layer in config["config"]["layers"]:
        layer.pop("build_config", None)
        if layer["name"] == "hidden":
            layer["config"]["filters"] = 5
    target = with_entries(path, tmp_path / "model.keras", {"config.json": json.dumps(config)})
    with pytest.raises(ModelError, match="cannot be read as a network") as caught:
        load_model(target)
    assert "\n" not in str(caught.value)


def h5(**arrays):
    """The bytes of an HDF5 file; arrays are compressed, or, given as a shape, only declared."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, value in arrays.items():
            if isinstance(value, tuple):
                file.create_dataset(f"layers/{name}", value, "float32")
            else:
                file.create_dataset(f"layers/{name}", data=value, compression="gzip")
    return buffer.getvalue()


BOMBS = {
    "zip": lambda: {"config.json": b" " * 50_000_000},
    "compressed": lambda: {"model.weights.h5": h5(a=np.zeros(20_000_000, np.float32))},
    "declared": lambda: {"model.weights.h5": h5(a=(1_000_000, 1000))},
}


@pytest.mark.fault("model.keras: 1 MB that unpacks to gigabytes -> refused before it is unpacked")
@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_not_unpacked(what, path, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.saving, "load_model", None)
    target = with_entries(path, tmp_path / "model.keras", BOMBS[what]())
    with pytest.raises(ModelError, match=r"bytes and would unpack to [\d,]{10,}") as caught:
        load_model(target)
    assert "\n" not in str(caught.value)


@pytest.mark.fault("model.keras: entries that lie about their size -> refused, not unpacked")
def test_a_method_that_unpacks_whole_blocks_is_refused(path, tmp_path):
    # A block of bzip2 unpacks to a thousand times its size, whatever size the archive gives.
    target = with_entries(
        path, tmp_path / "model.keras", {"description.json": b" " * 10_000_000}, zipfile.ZIP_BZIP2
    )
    content = target.read_bytes()
    target.write_bytes(content.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 100)))
    with pytest.raises(ModelError, match="by a method that Keras does not write"):
        read_model_card(target)


@pytest.mark.fault("model.keras: groups that hold themselves -> one line at once, no endless walk")
def test_groups_that_lead_back_to_themselves_are_walked_once(path, tmp_path):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        group = file
        for level in range(60):
            below = group.create_group(f"a{level}")
            group[f"b{level}"] = below  # 2^60 paths lead to the last group
            group = below
        group["again"] = file["a0"]
        group.create_dataset("declared", (1_000_000, 1000), "float32")
    entries = {"model.weights.h5": buffer.getvalue()}
    target = with_entries(path, tmp_path / "model.keras", entries)
    with pytest.raises(ModelError, match=r"would unpack to 4,0\d\d,\d{3},\d{3}"):
        read_model_card(target)


def test_two_threads_leave_the_method_as_it_was(path):
    """Keras' method is replaced while a network is read, in the whole process."""
    before = keras.Layer.add_weight
    inside = threading.Event()
    order = []

    def read_second():
        inside.wait()
        with file_limits.limited_weights(path):
            order.append("second")

    thread = threading.Thread(target=read_second)
    thread.start()
    with file_limits.limited_weights(path):
        inside.set()
        time.sleep(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"] and keras.Layer.add_weight is before
