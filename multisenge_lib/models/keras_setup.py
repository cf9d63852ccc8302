"""Check that Keras can run here: its backend is installed, and its numbers are ours."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from multisenge_lib.errors import SetupError

#: The backends that the networks run on; for each, the extra that installs it.
_EXTRA_OF_BACKEND = {"tensorflow": "cpu", "jax": "jax"}


def check_keras() -> None:
    """Refuse an environment in which Keras cannot build the networks, before it is imported.

    Keras reads `KERAS_BACKEND` and its own `keras.json` when it is imported, and ends in a
    traceback of forty lines when a backend is not installed. Some of its other settings work until
    training has begun.

    Raises:
        SetupError: a backend is not installed or not supported, or the configuration orders the
            axes or numbers of images in a way that the networks do not have.
    """
    if "keras" in sys.modules:
        # It could be imported, so its backend is there; what it computes with may still be wrong.
        _check_numbers(sys.modules["keras"].config)
        return
    path = _configuration_path()
    configuration = _read_configuration(path)
    _check_backend(configuration, path)

    try:
        import keras
    except ImportError:
        raise
    except Exception as error:  # Keras asserts that the values in its configuration are known
        raise SetupError(
            f"Keras cannot be imported ({type(error).__name__}): where its configuration, {path}, "
            "holds values that it does not know, delete this file"
        ) from None

    _check_numbers(keras.config)


def _check_backend(configuration: dict[str, Any], path: Path) -> None:
    """Refuse a backend that the networks do not run on, or that is not installed."""
    backend = os.environ.get("KERAS_BACKEND")
    source = "KERAS_BACKEND"
    remedy = "unset it, or set it to tensorflow or jax"
    if not backend:
        backend = configuration.get("backend", "tensorflow")
        source = f"the backend in {path}"
        remedy = "delete this file, or set KERAS_BACKEND to tensorflow or jax"
    if backend not in _EXTRA_OF_BACKEND:
        raise SetupError(
            f"{source} is {backend!r}, and the networks run on tensorflow or jax: {remedy}"
        )
    if not _is_installed(backend):
        extra = _EXTRA_OF_BACKEND[backend]
        raise SetupError(
            f"the networks need Keras' backend {backend}, which is not installed: run "
            f"pip install '.[{extra}]' in a clone of the repository{_installed_instead(backend)}"
        )


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _installed_instead(missing: str) -> str:
    """Name the other backend where it is the one that is installed."""
    for backend in _EXTRA_OF_BACKEND:
        if backend != missing and _is_installed(backend):
            return f", or set KERAS_BACKEND={backend}, which is installed"
    return ""


def _check_numbers(config: Any) -> None:
    """Refuse an order of axes, or a type of numbers, that the networks are not made for."""
    file = _configuration_path()
    if config.image_data_format() != "channels_last":
        raise SetupError(
            f"Keras' image_data_format is {config.image_data_format()!r}, and the networks have "
            f"the channels last: set it to channels_last in {file}, or delete this file"
        )
    if config.floatx() != "float32":
        raise SetupError(
            f"Keras' floatx is {config.floatx()!r}, and the networks are trained and saved in "
            f"float32: set it to float32 in {file}, or delete this file"
        )


def _configuration_path() -> Path:
    """Return where Keras looks for its configuration."""
    folder = os.environ.get("KERAS_HOME")
    if folder is not None:
        return Path(folder).expanduser() / "keras.json"
    home = Path.home()
    if not os.access(home, os.W_OK):
        home = Path("/tmp")
    return home / ".keras" / "keras.json"


def _read_configuration(path: Path) -> dict[str, Any]:
    """Return Keras' configuration; empty where it has none that can be read, as Keras does."""
    if path.exists() and not path.is_file():  # a folder; or a pipe, which would be waited for
        raise SetupError(f"Keras' configuration {path} is not a file: delete it")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
