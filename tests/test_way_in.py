"""The way in: `import multisenge_lib as ms`, fourteen names, each with an example that runs."""

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import multisenge_lib as ms

NAMES = list(ms.__all__)
#: Tables of data have no docstring of their own; their example is in that of their module.
MODULE_OF_TABLE = {
    "TYPOLOGIES": "multisenge_lib.dataset.typology",
    "EXPERIMENTS": "multisenge_lib.models.experiments",
}
HEAVY = ("keras", "tensorflow", "jax", "matplotlib", "geopandas", "pandas", "rasterio", "IPython")


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy packages a new interpreter loads for an import."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(HEAVY) & set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import multisenge_lib", HEAVY),
        ("import multisenge_lib.dataset", ("matplotlib", "geopandas", "keras", "tensorflow")),
        ("from multisenge_lib.training import Settings", ("keras", "tensorflow", "matplotlib")),
        ("import multisenge_lib as ms; ms.Settings", ("keras", "tensorflow", "matplotlib")),
        ("import multisenge_lib as ms; ms.scores", ("keras", "tensorflow", "matplotlib")),
        ("import multisenge_lib.models", ("keras", "tensorflow", "matplotlib")),
    ],
)
def test_an_import_loads_only_what_it_needs(statement, absent):
    assert not loaded_by(statement) & set(absent)


def test_each_name_is_there_and_is_listed():
    for name in NAMES:
        assert getattr(ms, name) is not None
        assert name in dir(ms)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = ms.trian


def test_editors_are_told_the_same_names():
    tree = ast.parse(Path(ms.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in block.body for alias in node.names}
    assert imported == set(ms.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_each_name_runs(name, sample_root, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_ROOT", str(sample_root))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path))
    if name in MODULE_OF_TABLE:
        target = importlib.import_module(MODULE_OF_TABLE[name])
    else:
        target = getattr(ms, name)
    text = inspect.getdoc(target)
    assert "Examples:" in text, f"{name} has no example"
    parsed = doctest.DocTestParser().get_doctest(text, {"ms": ms}, name, None, None)
    assert parsed.examples, f"the example of {name} has no line that begins with >>>"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    printed = []
    runner.run(parsed, out=printed.append)
    assert runner.failures == 0, "".join(printed)
