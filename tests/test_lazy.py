"""Packages that load a module when one of their names is asked for."""

import sys
from pathlib import Path

import pytest

from multisenge_lib import models
from multisenge_lib.lazy import lazy_names

PACKAGE = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from {name}.metrics import scores
    from {name}.no_such_module import nothing
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The name of a package with one module, which is not loaded yet."""
    name = "package_of_a_test"
    folder = tmp_path / name
    folder.mkdir()
    Path(folder, "__init__.py").write_text(PACKAGE.format(name=name))
    Path(folder, "metrics.py").write_text("def scores(): ...")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for module in (name, f"{name}.metrics"):
        sys.modules.pop(module, None)


def test_a_name_is_found_in_its_module(package):
    get, names = lazy_names(package)
    assert f"{package}.metrics" not in sys.modules
    assert get("scores") is sys.modules[f"{package}.metrics"].scores
    assert {"scores", "nothing"} <= set(names())


def test_another_name_is_refused_without_loading_anything(package):
    get, _ = lazy_names(package)
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'anything'"):
        get("anything")
    assert package not in sys.modules


def test_the_check_comes_before_the_module(package):
    def refuse():
        raise ValueError("no backend: install one")

    get, _ = lazy_names(package, refuse)
    with pytest.raises(ValueError, match="install one"):
        get("nothing")


def test_a_package_shows_its_lazy_names():
    assert "build_model" in dir(models)
    assert models.build_model.__module__ == "multisenge_lib.models.build"
