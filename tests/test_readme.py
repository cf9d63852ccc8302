"""README and CONTRIBUTING: the Python example runs, and what they name is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from samples import part_of_sample

from multisenge_lib import cli, paths

TEXT = (paths.PROJECT / "README.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_example_runs(small_sample_root, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_ROOT", str(part_of_sample(small_sample_root, tmp_path / "part")))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))
    # In a process of its own, whose memory it changes for good (`keep_freed_memory`).
    code = EXAMPLE + "print(class_ids.shape, probabilities.shape)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.PROJECT
    )
    assert done.returncode == 0, done.stderr
    assert "(4, 32, 32, 2) (4, 32, 32, 10) (32, 32)" in done.stdout
    assert "(32, 32) (32, 32, 10)" in done.stdout


def test_the_example_uses_the_names_of_the_way_in():
    import multisenge_lib as ms

    used = set(re.findall(r"\bms\.(\w+)", EXAMPLE))
    assert used <= set(ms.__all__)
    # The others are named right below the example.
    (sentence,) = re.findall(r"`ms` also has ([^.]*)", TEXT)
    assert set(re.findall(r"`(\w+)`", sentence)) == set(ms.__all__) - used


def test_each_command_of_the_library_is_named():
    commands = typer.main.get_command(cli.app).commands
    named = set(re.findall(r"`(?:multisenge )?([a-z-]+)[^`]*`", TEXT))
    assert set(commands) <= named


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT))))
def test_each_file_that_it_links_to_is_there(link):
    assert Path(paths.PROJECT, link).exists()


def test_each_chapter_that_it_names_is_there():
    for name, file in re.findall(r"chapter \*([^*]+)\* +\(`([^`]+)`\)", TEXT.replace("\n", " ")):
        assert f"# {name}\n" in (paths.PROJECT / file).read_text("utf-8")


def test_each_file_that_contributing_names_is_there():
    text = (paths.PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    library = paths.PROJECT / "multisenge_lib"
    for name in re.findall(r"`([\w/]+(?:[.]\w+|/))`", text):
        if "NAME" in name or "/" not in name:
            continue
        assert (paths.PROJECT / name).exists() or (library / name).exists(), name


def test_each_name_that_contributing_gives_is_in_the_files_of_its_row():
    """Constants and private names only: other words in backticks may be options or examples."""
    text = (paths.PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    library = paths.PROJECT / "multisenge_lib"
    not_python = {"MULTISENGE_LABELS", "CHANGELOG", "MULTISENGE_ROOT", "MULTISENGE_RESULTS"}
    # A row of a table or a paragraph names its files and what is in them.
    parts = re.split(r"\n(?=\|)|\n\n", text)
    checked = 0
    for part in parts:
        named = set(re.findall(r"`(_[A-Za-z]\w+|[A-Z][A-Z0-9_]{3,})`", part)) - not_python
        files = re.findall(r"`([\w/]+[.]py)`", part)
        sources = [library / file for file in files] + [paths.PROJECT / file for file in files]
        code = "\n".join(source.read_text("utf-8") for source in sources if source.exists())
        for name in named:
            assert re.search(rf"\b{name}\b", code), f"{name} is not in {', '.join(files)}"
            checked += 1
    assert checked > 20


def test_contributing_has_a_row_for_each_package():
    text = (paths.PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    packages = {path.parent.name for path in paths.PROJECT.glob("multisenge_lib/*/__init__.py")}
    for package in packages:
        assert f"`{package}/`" in text, package


def test_the_network_that_it_shows_is_built(tmp_path):
    from multisenge_lib.models import build_model, get_experiment, with_network

    (code,) = re.findall(
        r"^```\n(from keras import layers\n.*?)^```", TEXT, re.MULTILINE | re.DOTALL
    )
    file = tmp_path / "my_networks.py"
    file.write_text(code, "utf-8")
    experiment = with_network(get_experiment("s2_10c"), str(file))
    assert experiment.name == "my_networks_s2_10c"
    assert build_model(experiment, size=32).output_shape == (None, 32, 32, 10)
