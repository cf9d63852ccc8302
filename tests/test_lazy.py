"""Packages that load a module when one of its names is asked for."""

import sys

import pytest

from multisenge_lib import models
from multisenge_lib.lazy import lazy_names


def test_a_name_is_found_in_its_module():
    get, names = lazy_names("multisenge_lib.results", {"scores": "metrics"})
    assert get("scores") is sys.modules["multisenge_lib.results.metrics"].scores
    assert "scores" in names()


def test_another_name_is_refused_without_loading_anything():
    get, _ = lazy_names("multisenge_lib.results", {"scores": "no_such_module"})
    with pytest.raises(
        AttributeError, match=r"'multisenge_lib\.results' has no attribute 'nothing'"
    ):
        get("nothing")


def test_the_check_comes_before_the_module():
    def refuse():
        raise ValueError("no backend: install one")

    get, _ = lazy_names("multisenge_lib.results", {"scores": "no_such_module"}, refuse)
    with pytest.raises(ValueError, match="install one"):
        get("scores")


def test_a_package_shows_its_lazy_names():
    assert "build_model" in dir(models)
    assert models.build_model.__module__ == "multisenge_lib.models.build"
