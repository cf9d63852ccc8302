"""The package as a wheel, without a clone: from an empty folder, and without the extras."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from multisenge_lib import paths

pytestmark = pytest.mark.slow
#: Packages that only extras bring. A finder hides them, as if they were not installed.
OF_EXTRAS = ("tensorflow", "tensorboard", "jax", "xarray", "h5netcdf", "zarr", "odc", "IPython")
HIDE = f"""
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OF_EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy(paths.PROJECT / name, source)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(paths.PROJECT / "multisenge_lib", source / "multisenge_lib", ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    built = subprocess.run(command, capture_output=True, text=True)
    if "No module named pip" in built.stderr:
        pytest.skip("the environment has no pip to build a wheel with")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    (folder / "site" / "sitecustomize.py").write_text(HIDE)
    return folder / "site"


@pytest.fixture
def run(installed, sample_root, tmp_path):
    """Run Python with the installed package in an empty folder."""

    def run(*arguments):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("MULTISENGE")
        }
        environment |= {"PYTHONPATH": str(installed), "MULTISENGE_CACHE": str(sample_root.parent)}
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    return run


def test_it_is_the_wheel_and_its_records_go_to_the_current_folder(run, installed, tmp_path):
    code = "from multisenge_lib import paths; print(paths.__file__); print(paths.results_dir())"
    done = run("-c", code)
    assert done.stdout.split() == [
        str(installed / "multisenge_lib" / "paths.py"),
        str(tmp_path / "results"),
    ], done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["index"],
        ["select", "--out", "selection.csv"],
        ["audit"],
        ["check", "ROOT", "--plan"],
        ["check", "ROOT"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_that_needs_no_extra_works(run, sample_root, arguments):
    arguments = [sample_root if argument == "ROOT" else argument for argument in arguments]
    done = run("-m", "multisenge_lib.cli", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.fault("an installed package without extras -> each command is one line, exit code 2")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["predict", "model.keras", "ROOT"], "'.[cpu]'"),
        (["import", "area", "cube.nc"], ".[area]"),
        (["bench"], "in the folder of a clone"),
        (["count-labels"], "MULTISENGE_LABELS"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_command_that_needs_an_extra_says_which(run, sample_root, tmp_path, arguments, named):
    (tmp_path / "cube.nc").write_bytes(b"")
    arguments = [sample_root if argument == "ROOT" else argument for argument in arguments]
    done = run("-m", "multisenge_lib.cli", *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1 and named in done.stderr


def test_the_packages_of_figures_import_without_ipython(run):
    done = run("-c", "from multisenge_lib.chapters import html, use_style; use_style()")
    assert done.returncode == 0, done.stderr
