"""The package as a wheel, without a clone: from an empty folder, and without the extras."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cards import write_card
from samples import part_of_sample

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


@pytest.fixture(scope="module")
def run(installed, sample_root, tmp_path_factory):
    """Run Python with the installed package in an empty folder; gives the folder beside the end."""

    def run(*arguments):
        folder = tmp_path_factory.mktemp("empty")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("MULTISENGE")
        }
        environment |= {"PYTHONPATH": str(installed), "MULTISENGE_CACHE": str(sample_root.parent)}
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        return done, folder

    return run


def test_it_is_the_wheel_and_its_records_go_to_the_current_folder(run, installed):
    code = "from multisenge_lib import paths; print(paths.__file__); print(paths.results_dir())"
    done, folder = run("-c", code)
    assert done.stdout.split() == [
        str(installed / "multisenge_lib" / "paths.py"),
        str(folder / "results"),
    ], done.stderr


#: Runs each command of the first argument as the program `multisenge` would, and prints how it
#: ended. One process for all, for each would load pandas and rasterio again.
COMMANDS = """
import contextlib, io, json, sys
from multisenge_lib import cli

ends = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["multisenge", *arguments]
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    ends.append((code, out.getvalue(), err.getvalue()))
print(json.dumps(ends))
"""
WORKING = [
    ["--help"],
    ["index"],
    ["select", "--out", "selection.csv"],
    ["audit"],
    ["check", "ROOT", "--plan"],
    ["check", "ROOT"],
]
#: Commands that need an extra or a clone, and what their line names.
REFUSED = [
    (["predict", "model.keras", "ROOT"], "'.[cpu]'"),
    (["import", "area", "cube.nc"], ".[area]"),
    (["bench"], "in the folder of a clone"),
    (["count-labels"], "MULTISENGE_LABELS"),
]


@pytest.fixture(scope="module")
def ends(run, sample_root, tmp_path_factory):
    """Exit code, output and errors of each command, by its arguments."""
    # Checking all patches of the sample would read 3,000 rasters.
    part = part_of_sample(sample_root, tmp_path_factory.mktemp("part"))
    cube = tmp_path_factory.mktemp("cube") / "cube.nc"
    cube.touch()
    model = write_card(cube.with_name("model.keras"))
    places = {"ROOT": str(part), "cube.nc": str(cube), "model.keras": str(model)}
    commands = [*WORKING, *(arguments for arguments, _ in REFUSED)]
    arguments = [[places.get(word, word) for word in command] for command in commands]
    done, _ = run("-c", COMMANDS, json.dumps(arguments))
    assert done.returncode == 0, done.stderr
    return dict(zip(map(tuple, commands), json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("arguments", WORKING, ids=" ".join)
def test_a_command_that_needs_no_extra_works(ends, arguments):
    code, out, err = ends[tuple(arguments)]
    assert code == 0, err
    assert out


@pytest.mark.fault("an installed package without extras -> each command is one line, exit code 2")
@pytest.mark.parametrize(
    ("arguments", "named"), REFUSED, ids=lambda value: value[0] if isinstance(value, list) else None
)
def test_a_command_that_needs_an_extra_says_which(ends, arguments, named):
    code, _, err = ends[tuple(arguments)]
    assert code == 2, err
    assert err.count("\n") == 1 and named in err


def test_the_packages_of_figures_import_without_ipython(run):
    done, _ = run("-c", "from multisenge_lib.chapters import html, use_style; use_style()")
    assert done.returncode == 0, done.stderr
