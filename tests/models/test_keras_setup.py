"""An environment in which Keras cannot run ends in one line; and what needs no Keras loads none."""

import json
import os
import subprocess
import sys

import pytest

from multisenge_lib.errors import SetupError
from multisenge_lib.models import check_keras, keras_setup


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """As in a process that has not imported Keras yet, with a configuration of its own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    installed = {"tensorflow", "jax"}
    monkeypatch.setattr(keras_setup, "_is_installed", lambda package: package in installed)

    def configure(**content):
        (tmp_path / "keras.json").write_text(json.dumps(content))

    return configure, installed


def refused(words):
    with pytest.raises(SetupError, match=words) as caught:
        check_keras()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.fault("environment: KERAS_BACKEND=torch, or mistyped -> one line that names it")
@pytest.mark.parametrize("backend", ["torch", "tensorflw", "openvino"])
def test_another_backend_is_refused(fresh, monkeypatch, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    refused(f"KERAS_BACKEND is '{backend}'.*unset it, or set it to tensorflow or jax")


@pytest.mark.fault("environment: no backend is installed -> one line with the command that does it")
def test_a_missing_backend_is_named_with_its_remedy(fresh, monkeypatch):
    _, installed = fresh
    installed.clear()
    refused(r"tensorflow, which is not installed: run pip install '\.\[cpu\]' in a clone")
    installed.add("jax")
    assert refused("tensorflow, which is not installed").endswith(
        "or set KERAS_BACKEND=jax, which is installed"
    )
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    installed.clear()
    refused(r"jax, which is not installed: run pip install '\.\[jax\]'")


@pytest.mark.fault("environment: an old keras.json that names theano -> one line that names it")
def test_the_backend_of_a_configuration_is_checked(fresh):
    configure, _ = fresh
    configure(backend="theano")
    refused(r"the backend in .*keras\.json is 'theano'.*delete this file")


def test_a_variable_wins_over_the_configuration(fresh, monkeypatch):
    configure, _ = fresh
    configure(backend="theano")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    refused("KERAS_BACKEND is 'torch'")


@pytest.mark.fault("environment: keras.json with values that Keras asserts on -> one line")
def test_a_configuration_that_keras_refuses_is_named(fresh, monkeypatch, tmp_path):
    configure, _ = fresh
    configure(floatx="float99")
    (tmp_path / "keras.py").write_text("assert False")  # as Keras' own configuration does
    monkeypatch.syspath_prepend(tmp_path)
    refused(r"cannot be imported \(AssertionError\).*keras\.json, .*delete this file")


@pytest.mark.fault("environment: keras.json is a pipe or a folder -> one line, no waiting")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_configuration_that_is_no_file_is_named(fresh, tmp_path, make):
    make(tmp_path / "keras.json")
    refused(r"keras\.json is not a file: delete it")


@pytest.mark.fault("environment: keras.json with channels_first or float16 -> one line")
def test_other_numbers_are_refused(tmp_path):
    """In a process of its own, since Keras reads its configuration once."""
    content = {"image_data_format": "channels_first", "floatx": "float16"}
    (tmp_path / "keras.json").write_text(json.dumps(content))
    code = (
        "from multisenge_lib.errors import SetupError\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        from multisenge_lib.models import build_model\n"
        "    except SetupError as error:\n"
        "        print(error)\n"
        "    # The second time only the other number is wrong.\n"
        "    import keras\n"
        "    keras.config.set_image_data_format('channels_last')\n"
    )
    first, second = run_python(code, KERAS_HOME=str(tmp_path)).strip().splitlines()
    assert "image_data_format is 'channels_first'" in first and "keras.json" in first
    assert "floatx is 'float16'" in second and "keras.json" in second


def run_python(code, **variables):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_environment_of_these_tests_passes():
    check_keras()


def test_settings_and_experiments_load_no_keras():
    code = (
        "import sys\n"
        "from multisenge_lib.training import Settings, settings_for\n"
        "import multisenge_lib.training.settings\n"
        "from multisenge_lib.models import EXPERIMENTS\n"
        "from multisenge_lib.maps import patches_to_map\n"
        "print({'keras', 'tensorflow', 'jax', 'matplotlib'} & set(sys.modules))\n"
    )
    assert run_python(code).strip() == "set()"
