"""Folders from environment variables, from a checkout, and from an installed package."""

import pytest

from multisenge_lib import paths
from multisenge_lib.errors import MultiSenGEError

VARIABLES = ("MULTISENGE_ROOT", "MULTISENGE_LABELS", "MULTISENGE_CACHE", "MULTISENGE_RESULTS")


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """As if the package lay in a folder that is no checkout."""
    site_packages = tmp_path / "site-packages"
    site_packages.mkdir()
    monkeypatch.setattr(paths, "PROJECT", site_packages)
    return site_packages


def test_records_of_a_checkout_lie_in_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths.checkout() == paths.PROJECT
    assert paths.results_dir() == paths.PROJECT / "results"


@pytest.mark.fault("an installed package -> records in the current folder, not in site-packages")
def test_records_of_an_installed_package_lie_in_the_current_folder(
    installed, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert paths.checkout() is None
    assert paths.results_dir() == tmp_path / "results"


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.fault("a variable names the folder of an unknown user -> one line")
def test_an_unknown_user_is_one_line(variable, monkeypatch):
    monkeypatch.setenv(variable, "~nosuch-user/x")
    ask = {
        "MULTISENGE_ROOT": paths.real_data_root,
        "MULTISENGE_LABELS": paths.real_labels,
        "MULTISENGE_CACHE": paths.cache_dir,
        "MULTISENGE_RESULTS": paths.results_dir,
    }
    with pytest.raises(MultiSenGEError, match=variable) as caught:
        ask[variable]()
    assert "\n" not in str(caught.value)


def test_a_path_that_does_not_exist_is_named_on_one_line(monkeypatch):
    monkeypatch.setenv("MULTISENGE_ROOT", "no\nsuch")
    with pytest.raises(MultiSenGEError, match=r"MULTISENGE_ROOT names .*does not exist") as caught:
        paths.real_data_root()
    assert "\n" not in str(caught.value)


def test_a_relative_root_is_that_of_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "area").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MULTISENGE_ROOT", "area")
    assert paths.real_data_root() == tmp_path / "area"


def test_a_page_of_the_book_finds_a_root_given_where_the_command_was_typed(tmp_path, monkeypatch):
    """Jupyter changes to the page's folder, and leaves PWD as the shell set it."""
    (tmp_path / "area" / "labels").mkdir(parents=True)
    (tmp_path / "book").mkdir()
    monkeypatch.chdir(tmp_path / "book")
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("MULTISENGE_ROOT", "area")
    assert paths.real_data_root() == tmp_path / "area"
    monkeypatch.setenv("MULTISENGE_LABELS", "area/labels")
    assert paths.real_labels() == tmp_path / "area" / "labels"


def test_the_current_folder_comes_before_the_others(tmp_path, monkeypatch):
    for folder in (tmp_path / "here", tmp_path / "typed"):
        (folder / "area").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PWD", str(tmp_path / "typed"))
    monkeypatch.setenv("MULTISENGE_ROOT", "area")
    assert paths.real_data_root() == tmp_path / "here" / "area"


def test_a_relative_root_of_the_checkout_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("MULTISENGE_ROOT", "tests")
    assert paths.real_data_root() == paths.PROJECT / "tests"


def test_a_folder_to_be_made_lies_below_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MULTISENGE_CACHE", "new/cache")
    assert paths.cache_dir() == tmp_path / "new" / "cache"


def test_labels_are_found_below_the_root(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_ROOT", str(tmp_path))
    assert paths.real_labels() is None
    (tmp_path / "labels.tgz").write_bytes(b"")
    assert paths.real_labels() == tmp_path / "labels.tgz"
