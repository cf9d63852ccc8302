"""The files that say what to install agree with one another."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import jupytext
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.11", "3.12", "3.13")


def read(name: str) -> str:
    return (PROJECT / name).read_text("utf-8")


PYPROJECT = tomllib.loads(read("pyproject.toml"))["project"]
EXTRAS = PYPROJECT["optional-dependencies"]
PINS = [Requirement(line) for line in read("constraints.txt").splitlines()]
DIRECT = [
    Requirement(line)
    for line in (*PYPROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines))
]
ENVIRONMENT = yaml.safe_load(read("environment.yml"))["dependencies"]
PIP = next(item["pip"] for item in ENVIRONMENT if isinstance(item, dict))


def makefile_sets() -> dict[str, list[str]]:
    """The extras of each set that the Makefile installs, with its default backend."""
    makefile = read("Makefile")
    backend = re.search(r"^BACKEND \?= (\w+)$", makefile, re.MULTILINE).group(1)
    sets = {}
    for name, extras in re.findall(r"^EXTRAS_(\w+) := (.+)$", makefile, re.MULTILINE):
        sets[name] = extras.replace("$(BACKEND)", backend).split(",")
    return sets


def test_each_constraint_is_one_exact_version():
    assert len(PINS) > len(DIRECT)
    for pin in PINS:
        assert [part.operator for part in pin.specifier] == ["=="], pin
        assert not pin.extras and not pin.url, pin


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_each_direct_dependency_is_pinned_within_its_range(requirement):
    name = canonicalize_name(requirement.name)
    pins = [pin for pin in PINS if canonicalize_name(pin.name) == name]
    assert len(pins) == 1
    (version,) = pins[0].specifier
    assert requirement.specifier.contains(version.version, prereleases=True)


@pytest.mark.parametrize(
    "name", ["constraints.txt", "environment.yml", "pyproject.toml", "Makefile"]
)
def test_no_download_address(name):
    assert not re.search(r"\w+://|--(extra-)?index-url|--find-links|\.whl\b", read(name))


def test_supported_pythons_are_those_of_the_makefile():
    supported = SpecifierSet(PYPROJECT["requires-python"])
    assert [v for v in ("3.10", *SUPPORTED, "3.14") if supported.contains(v)] == list(SUPPORTED)
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in read("Makefile")


def test_conda_installs_the_project_as_make_does():
    constraint, project = PIP
    assert constraint == "--constraint constraints.txt"
    extras = re.fullmatch(r"--editable \.\[(.+)\]", project).group(1).split(",")
    assert set(extras) == {extra for names in makefile_sets().values() for extra in names}
    python = next(item for item in ENVIRONMENT if str(item).startswith("python="))
    assert python.removeprefix("python=") in SUPPORTED
    assert "pip" in ENVIRONMENT


def test_conda_installs_no_dependency_that_pip_would_install_again():
    conda = {re.split("[=<> ]", item)[0] for item in ENVIRONMENT if isinstance(item, str)}
    assert not conda & {requirement.name for requirement in DIRECT}


def test_extras_installed_together_are_compatible():
    extras = {extra for names in makefile_sets().values() for extra in names}
    assert extras == set(EXTRAS) - {"gpu"}


def dry_run(target: str, folder: Path) -> str:
    """What make would do for a target, from nothing."""
    command = ["make", "--dry-run", "--no-print-directory", f"VENV={folder / 'venv'}", target]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("target", "sets"),
    [
        ("book", ["book"]),
        ("test", ["book", "test"]),
        ("test-fast", ["book", "test"]),
        ("test-jax", ["book", "test", "jax"]),
        ("check", ["check"]),
        ("experiments", ["book", "experiments"]),
        ("bench", ["book"]),
        ("env", ["book", "test", "check"]),
    ],
)
def test_a_command_installs_what_it_needs_and_no_more(target, sets, tmp_path):
    installed = re.findall(
        r"pip install -c constraints.txt -e '\.\[(.+)\]'", dry_run(target, tmp_path)
    )
    assert installed == [",".join(makefile_sets()[name]) for name in sets]


def test_binder_installs_what_the_book_needs():
    dependencies = yaml.safe_load(read(".binder/environment.yml"))["dependencies"]
    pip = next(item["pip"] for item in dependencies if isinstance(item, dict))
    extras = ",".join(makefile_sets()["book"])
    assert pip == ["--constraint ../constraints.txt", f"--editable ..[{extras}]"]


def packages_of(extras: list[str]) -> set[str]:
    """Every package that pip installs for the project with these extras, as far as it is here."""
    waiting = [*PYPROJECT["dependencies"], *(line for name in extras for line in EXTRAS[name])]
    packages = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in packages or (requirement.marker and not requirement.marker.evaluate()):
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        packages.add(name)
        for line in needs:
            if "extra ==" not in line:
                waiting.append(line)
    return packages


def imports_of(code: str) -> set[str]:
    """Names of the packages that a piece of Python imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names


def test_the_book_installs_what_its_pages_import_and_no_tool_of_the_tests():
    installed = packages_of(makefile_sets()["book"])
    assert not installed & {"hypothesis", "jax", "playwright", "pytest", "ruff", "snakemake"}

    imported = set()
    for page in PROJECT.glob("book/*.md"):
        for cell in jupytext.read(page, fmt="md:myst").cells:
            if cell.cell_type == "code":
                imported |= imports_of(cell.source)
    for path in PROJECT.glob("multisenge_lib/**/*.py"):
        imported |= imports_of(path.read_text("utf-8"))
    # JAX may take the place of TensorFlow, where somebody installs it.
    imported -= {"multisenge_lib", "jax"}
    distributions = metadata.packages_distributions()
    for name in imported & set(distributions):
        needed = {canonicalize_name(package) for package in distributions[name]}
        assert needed & installed, f"the book's pages import {name}, which make book lacks"


def test_version_is_the_same_everywhere():
    version = PYPROJECT["version"]
    assert str(yaml.safe_load(read("CITATION.cff"))["version"]) == version
    assert re.search(rf"^## (\[?{re.escape(version)}\]?)", read("CHANGELOG.md"), re.MULTILINE)


def test_licence_files_are_there():
    for name in PYPROJECT["license-files"]:
        assert read(name)


def test_links_of_the_book_lead_to_the_files_at_the_top():
    for name in ("_config.yml", "_toc.yml", "notebooks"):
        link = PROJECT / "book" / name
        assert link.is_symlink() and link.resolve() == PROJECT / name


def test_make_help_names_every_command():
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=PROJECT, capture_output=True, text=True
    ).stdout
    (phony,) = re.findall(r"^\.PHONY: (.+)$", read("Makefile"), re.MULTILINE)
    assert re.findall(r"^  make ([\w-]+)", shown, re.MULTILINE) == phony.split()


@pytest.mark.parametrize("notebook", sorted((PROJECT / "notebooks").glob("*.ipynb")), ids=str)
def test_a_notebook_and_its_text_hold_the_same_cells(notebook):
    (text,) = (path for path in notebook.parent.glob(f"{notebook.stem}.*") if path != notebook)
    cells = [
        [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]
        for path in (notebook, text)
    ]
    assert cells[0] == cells[1]
