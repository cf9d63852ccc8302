import ast
import inspect
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import labels
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import typer
from cards import write_card
from own_images import NORTH, WEST, scene, write
from rasters import write_raster, write_root
from records import make_record

from multisenge_lib import cli, maps, models, paths
from multisenge_lib.area import import_area
from multisenge_lib.audit import RECORD
from multisenge_lib.dataset import (
    LARGEST_SIZE,
    MULTISENGE,
    S1_RULES,
    S2_BANDS,
    SIZE_MULTIPLE,
    dataset_of_root,
    write_dataset_toml,
)
from multisenge_lib.results import COMPARABLE, read_record, write_record


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; gives exit code, standard output and error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["multisenge", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
            raise SystemExit(0)
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def test_select_writes_and_counts(run, real_labels, tmp_path):
    out = tmp_path / "out.csv"
    code, printed, _ = run(
        "select", "--labels", real_labels, "--months", "7,8,9,11", "--days-gap", "17", "--out", out
    )
    assert code == 0
    assert printed.splitlines()[0].startswith("5,890 patches")
    assert [line.split() for line in printed.splitlines()[1:] if not line.startswith(" ")] == [
        ["train", "3,369"],
        ["validation", "1,911"],
        ["test", "610"],
    ]
    table = pd.read_csv(out)
    assert table.columns.tolist() == ["patch", "tile", "split", "s2_dates", "s1_dates"]
    assert len(table) == 5890


def test_select_lists_patches_without_sentinel_1(run, tmp_path):
    for x, s1 in enumerate((("20200715",), ())):
        patch = f"31UEQ_{257 * x}_0"
        labels.write(tmp_path / "labels", patch, **labels.document(patch, s2=("20200710",), s1=s1))
    out = tmp_path / "out.csv"
    beside = tmp_path / "alone.txt"
    options = ("--labels", tmp_path / "labels", "--months", "7", "--left-out", beside)
    code, _, err = run("select", "--out", out, *options)
    assert code == 0 and err.startswith("warning: left out 1 patch without a Sentinel-1"), err
    assert beside.read_text() == "31UEQ_257_0\n"


@pytest.mark.fault("select: --out and --left-out are one file, or one is a device -> refused")
def test_the_list_of_left_out_patches_has_a_file_of_its_own(run, tmp_path):
    labels.write(tmp_path / "labels", "31UEQ_0_0", **labels.document("31UEQ_0_0"))
    out = tmp_path / "out.csv"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for beside in (out, pipe, tmp_path / "missing" / "list.txt"):
        options = ("--labels", tmp_path / "labels", "--out", out, "--left-out", beside)
        code, _, err = run("select", *options)
        assert code == 2 and err.count("\n") == 1, err
    assert pipe.is_fifo() and not out.exists() and not (tmp_path / "missing").exists()


@pytest.mark.fault("select: Sentinel-1 alone lacks a month -> said, not the gap of Sentinel-2")
@pytest.mark.filterwarnings("ignore:left out 1 patch without a Sentinel-1")
def test_select_says_which_sensor_lacks_images(run, tmp_path):
    patch = "31UEQ_0_0"
    labels.write(tmp_path / "labels", patch, **labels.document(patch, s2=("20200710",), s1=()))
    options = ("--labels", tmp_path / "labels", "--months", "7", "--out", tmp_path / "out.csv")
    code, _, err = run("select", *options)
    assert code == 2
    assert "no patch has a Sentinel-1 image of month 7" in err
    assert "gap" not in err


@pytest.mark.fault("command line: --out=~/x, which shells leave as it is -> the home folder")
def test_a_home_folder_behind_an_equals_sign(run, monkeypatch, tmp_path):
    patch = "31UEQ_0_0"
    labels.write(tmp_path / "labels", patch, **labels.document(patch))
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    code, _, err = run("index", "--labels=~/../labels", "--out=~/patches.parquet")
    assert code == 0, err
    assert (tmp_path / "home/patches.parquet").is_file()
    assert not (tmp_path / "~").exists()


def refused(run, *arguments):
    """What a command says that must end with one line and exit code 2."""
    code, _, err = run(*arguments)
    assert code == 2, err
    assert err.startswith("error: ") and err.count("\n") == 1, err
    return err


WRONG = pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--months", "9,7"], "out of order"),
        (["--months", "7;8"], "joined by commas"),
        (["--months", "14"], "1 to 12"),
        (["--months", "2"], "0 patches selected, out.csv is not written"),
        (["--days-gap", "-3"], "days gap -3"),
        (["--days-gap", "9" * 20], "days gap 9999"),
        (["--s1-rule", "last"], "S1 rule 'last'"),
        (["--data-root", "/nowhere"], "/nowhere/s1 cannot be listed"),
        (["--labels", "/nowhere"], "/nowhere does not exist"),
        (["--labels", "/dev/zero"], "/dev/zero is neither a folder nor a file"),
        (["--out", "/nowhere/out.csv"], "no folder /nowhere: make it first"),
        (["--out", "/proc/out.csv"], "/proc/out.csv cannot be written"),
        (["--out", "out.shp"], r"out.shp: the ending must be .csv or .parquet or .gpkg"),
    ],
)


@WRONG
@pytest.mark.fault("command line: an option that cannot be -> one line that names it, exit code 2")
def test_wrong_options_are_one_line_and_exit_2(run, sample_root, tmp_path, arguments, named):
    command_line = ["--labels", sample_root / "labels", "--out", tmp_path / "out.csv", *arguments]
    assert named in refused(run, "select", *command_line)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.fault("import --reclass, --fill: one name with two values -> refused, none is dropped")
def test_pairs_of_one_name(run, tmp_path):
    for option, words in [
        (["--reclass", "10=1,20=2,10=3"], "--reclass gives 10 both 1 and 3"),
        (["--reclass", "10=1,20"], "--reclass '20': give pairs"),
        (["--fill", "B8A=B8", "--fill", "B8A=B7"], "--fill gives B8A both B8 and B7"),
    ]:
        assert words in refused(run, "import", tmp_path / "root", tmp_path, *option)


@pytest.mark.fault("import --reclass: class names with a comma or an equals sign -> replaced")
def test_names_with_commas_are_replaced(run, tmp_path):
    image = write(tmp_path / "S2_20230105.tif", scene(), S2_BANDS)
    column = {"land": ["Wheat, winter", "a=b"]}
    shapes = [shapely.box(WEST, NORTH - 1000, WEST + x, NORTH) for x in (1500, 500)]
    frame = gpd.GeoDataFrame(column, geometry=shapes, crs="EPSG:32719")
    frame.to_file(tmp_path / "reference.gpkg")
    reference = ["--reference", tmp_path / "reference.gpkg", "--classes", "Field,Town"]
    options = [*reference, "--size", 32, "--reclass", "Wheat, winter=1,a=b=2"]
    code, _, err = run("import", tmp_path / "root", image, *options)
    assert code == 0, err
    ids = set()
    for path in (tmp_path / "root" / "ground_reference").iterdir():
        with rasterio.open(path) as raster:
            ids.update(np.unique(raster.read(1)).tolist())
    assert ids == {1, 2}


@pytest.mark.fault("index: a FIFO, a folder, a column beyond the tile -> each named, exit code 2")
def test_damaged_labels_are_named(run, tmp_path):
    folder = tmp_path / "labels"
    labels.write(folder, "31UEQ_0_0").write_text('{"labels": ')
    assert "31UEQ_0_0.json: not JSON" in refused(run, "index", "--labels", folder)
    (folder / "31UEQ_0_0.json").unlink()
    os.mkfifo(folder / "31UEQ_0_257.json")
    assert "31UEQ_0_257.json: is not a file" in refused(run, "index", "--labels", folder)
    (folder / "x.json").mkdir()
    labels.write(folder, f"31UEQ_{10**20}_0")
    labels.write(folder, "31UEQ_20000_0")
    code, _, err = run("index", "--labels", folder)
    assert code == 2 and err.startswith("error: 4 of 4 label files are wrong:")
    assert "31UEQ_20000_0.json: the patch ends beyond its tile" in err
    assert "x.json: is not a file" in err


@pytest.mark.fault("index: another tile or year -> the options that accept it are named")
def test_the_options_that_would_help_are_named(run, tmp_path):
    labels.write(tmp_path / "a", "30TYT_0_0")
    assert "--any-tile" in refused(run, "index", "--labels", tmp_path / "a")
    other = labels.document("31UEQ_0_0", s2=("20210715",), s1=())
    labels.write(tmp_path / "b", "31UEQ_0_0", **other)
    assert "--year 2021" in refused(run, "index", "--labels", tmp_path / "b")
    assert run("index", "--labels", tmp_path / "a", "--any-tile")[0] == 0
    assert run("index", "--labels", tmp_path / "b", "--year", "2021")[0] == 0
    labels.write(tmp_path / "a", "31UEQ_0_0")
    out = tmp_path / "out.csv"
    assert run("select", "--labels", tmp_path / "a", "--any-tile", "--out", out)[0] == 0
    assert pd.read_csv(out)["split"].tolist() == ["train", "test"]


def test_index_exports_each_patch_in_its_own_size(run, sample_root, tmp_path):
    code, printed, _ = run(
        "index", "--labels", sample_root / "labels", "--out", tmp_path / "p.gpkg"
    )
    assert code == 0 and "patches on" in printed
    squares = gpd.read_file(tmp_path / "p.gpkg").to_crs(2154).area
    np.testing.assert_allclose(squares, 640**2, rtol=0.01)


@pytest.mark.parametrize("ending", ["gpkg", "parquet"])
def test_a_selection_for_a_gis_has_its_dates_as_text(run, sample_root, tmp_path, ending):
    out = tmp_path / f"patches.{ending}"
    assert run("select", "--labels", sample_root / "labels", "--out", out)[0] == 0
    table = gpd.read_parquet(out) if ending == "parquet" else gpd.read_file(out)
    assert table["s2_dates"].str.fullmatch(r"2020-07-\d\d(;2020-\d\d-\d\d){3}").all()
    assert table.crs.to_epsg() == 4326


@pytest.mark.fault("index --out: a GeoPackage where no file can be -> one line")
def test_a_geopackage_that_cannot_be_written_is_one_line(run, sample_root, monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise RuntimeError("unable to open database file")

    monkeypatch.setattr("geopandas.GeoDataFrame.to_file", refuse)
    code, _, error = run("index", "--labels", sample_root / "labels", "--out", tmp_path / "a.gpkg")
    assert code == 2 and "a.gpkg cannot be written (unable to open" in error
    assert not list(tmp_path.iterdir())


def test_another_area_is_selected_by_what_it_says_of_itself(run, tmp_path):
    days = {"s2": ("20211120", "20220105"), "s1": ()}
    for x in (0, 64):
        labels.write(tmp_path / "labels", f"19FDV_{x}_0", **labels.document(f"19FDV_{x}_0", **days))
    valley = replace(
        MULTISENGE, name="valley", years=(2021, 2022), months=(11, 1), patch_pixels=64,
        split_of_tile={"19FDV": "test"}, bands={"s2": MULTISENGE.bands["s2"]},
    )  # fmt: skip
    write_dataset_toml(tmp_path, valley)
    code, printed, err = run("select", "--labels", tmp_path, "--out", tmp_path / "out.csv")
    assert code == 0, err
    assert printed.splitlines()[0].startswith("2 patches")
    assert pd.read_csv(tmp_path / "out.csv")["s2_dates"].tolist() == ["20211120;20220105"] * 2


def test_count_labels_without_labels_says_what_to_set(run, monkeypatch):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    assert "MULTISENGE_LABELS" in refused(run, "count-labels")


def test_check_reports_and_says_by_its_exit_whether_there_is_something_to_mend(run, tmp_path):
    write_root(tmp_path)
    two_months = replace(MULTISENGE, name="two-months", months=(7, 8), patch_pixels=32)
    write_dataset_toml(tmp_path, two_months)
    code, out, _ = run("check", tmp_path, "--json")
    assert code == 0 and json.loads(out)["problems"] == []
    next((tmp_path / "s1").iterdir()).write_text("")
    code, out, _ = run("check", tmp_path)
    assert code == 1 and "is empty" in out


@pytest.mark.fault("count-labels: labels of the sample -> refused, the committed record stays")
def test_other_labels_than_multisenges_are_refused(run, sample_root):
    before = (RECORD / "record.json").read_bytes()
    assert "MultiSenGE 8,157" in refused(run, "count-labels", "--labels", sample_root / "labels")
    assert (RECORD / "record.json").read_bytes() == before


@pytest.mark.fault("command line: Ctrl-C while a command works -> one line, status 130")
def test_an_interruption_is_one_line(run, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("multisenge_lib.dataset.read_index", interrupted)
    code, _, err = run("index", "--labels", labels.write(tmp_path / "labels", "31UEQ_0_0").parent)
    assert (code, err) == (130, "error: interrupted\n")


def test_a_plan_ends_with_what_to_compare_first(run, real_labels):
    code, printed, err = run("check", real_labels, "--plan")
    assert code == 0, err
    assert re.search(r"patches selected +5,890", printed)
    assert "rates of one machine" in printed
    first = printed.splitlines()[-10:]
    assert sum(int(line.split()[-1].replace(",", "")) for line in first) == 610 * 256 * 256


@pytest.mark.fault("check --plan: options that it has no use for -> one line names them")
def test_a_plan_takes_no_options_of_reading(run, tmp_path):
    code, printed, err = run("check", tmp_path, "--plan", "--json", "--workers", 2)
    assert (code, printed) == (2, "")
    assert err == (
        "error: --json, --workers: for reading the rasters only, leave it out with --plan\n"
    )


def test_defaults_are_those_of_the_library():
    """Typed in the command line, which imports nothing that takes seconds."""
    from multisenge_lib.cli import area_commands, network_commands
    from multisenge_lib.tools import transfer

    def option(command, name):
        return inspect.signature(command).parameters[name]

    updates = option(network_commands.compare_transfer, "updates")
    assert updates.default == transfer.UPDATES
    size = option(area_commands.import_images, "size")
    assert size.default == inspect.signature(import_area).parameters["size"].default
    assert f"from {SIZE_MULTIPLE} to {LARGEST_SIZE}" in size.annotation.__metadata__[0].help


def test_select_and_index_say_that_they_use_the_sample(run, sample_root, monkeypatch, tmp_path):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    monkeypatch.setattr("multisenge_lib.sample.ensure_sample", lambda: sample_root)
    for arguments in (["index"], ["select", "--out", tmp_path / "out.csv"]):
        code, printed, err = run(*arguments)
        assert code == 0, err
        assert printed.startswith("Using the synthetic sample")
    monkeypatch.setenv("MULTISENGE_ROOT", str(sample_root))
    assert "Using the synthetic" not in run("index")[1]


def test_the_path_to_export_is_absolute(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("multisenge_lib.sample.write_sample", lambda out, **_: out)
    _, printed, _ = run("sample", "small")
    assert printed.endswith(f"export MULTISENGE_ROOT={tmp_path / 'small'}\n")


@pytest.mark.fault(
    "command line: a package of an extra is missing -> one line that names the extra"
)
@pytest.mark.parametrize(
    ("package", "extra"),
    [("tensorflow", "cpu"), ("jax", "jax"), ("xarray", "area"), ("odc", "stac")],
)
def test_a_missing_extra_is_one_line(run, monkeypatch, package, extra):
    def missing(*_, **__):
        raise ModuleNotFoundError(f"No module named '{package}'", name=f"{package}.core")

    monkeypatch.setattr("multisenge_lib.audit.findings", missing)
    err = refused(run, "audit")
    assert package in err and f"pip install '.[{extra}]'" in err


@pytest.mark.fault("command line: no memory for a library of a package -> one line")
def test_a_package_that_cannot_be_loaded_is_one_line(run, monkeypatch):
    def failing(*_, **__):
        raise ImportError("libtensorflow.so: cannot allocate memory\nmore", name="tensorflow")

    monkeypatch.setattr("multisenge_lib.audit.findings", failing)
    err = refused(run, "audit")
    assert "cannot be loaded (libtensorflow.so: cannot allocate memory): free memory" in err


@pytest.mark.fault("command line: KERAS_BACKEND is torch or mistyped -> one line, exit code 2")
@pytest.mark.parametrize("backend", ["torch", "tensorfow"])
def test_another_backend_is_one_line(run, monkeypatch, tmp_path, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.delitem(sys.modules, "keras", raising=False)  # which another test has imported
    model = write_card(tmp_path / "model.keras")
    assert f"KERAS_BACKEND is {backend!r}" in refused(run, "predict", model, "root")


@pytest.mark.fault("bench: no clone in this folder -> one line, exit code 2")
def test_the_benchmarks_need_a_clone(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "in the folder of a clone" in refused(run, "bench")


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_the_help_shows_each_command_with_its_whole_sentence(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    code, printed, _ = run("--help")
    assert code == 0 and "..." not in printed.split("Commands:")[1]
    words = " ".join(printed.split())
    for command in cli.app.registered_commands:
        sentence = command.callback.__doc__.strip().partition("\n")[0]
        assert sentence.endswith(".") and f"{command.name} {sentence}" in words
        assert len(sentence) <= 62, "longer than a line of 80 columns has room for"


def test_the_help_of_each_option_is_a_sentence():
    for command in typer.main.get_command(cli.app).commands.values():
        for parameter in command.params:
            assert re.match(r"[A-Z].*[.]$", parameter.help), f"{command.name} {parameter.name}"


def help_of(command: str, parameter: str) -> str:
    """The help of an option or argument of a command."""
    parameters = typer.main.get_command(cli.app).commands[command].params
    (text,) = [one.help for one in parameters if one.name == parameter]
    return text


def test_the_help_names_every_value_that_is_taken():
    # The lists stand in the help as text: to import them would take longer than the help itself.
    for score in COMPARABLE:
        assert score in help_of("compare", "score")
    for rule in (*S1_RULES, "first2", "first9"):
        assert rule in help_of("select", "s1_rule")
    source = Path(paths.PROJECT, "benchmarks", "run.py").read_text("utf-8")
    parts = re.search(r"^PARTS = (.+)$", source, re.MULTILINE)[1]
    for part in (*ast.literal_eval(parts), "tile"):
        assert part in help_of("bench", "parts")


def test_the_help_of_predict_shows_that_rasters_are_files(run):
    _, printed, _ = run("predict", "--help")
    assert "--s2 FILES" in printed and "--s1 FILES" in printed


@pytest.mark.slow
def test_the_help_is_there_at_once():
    command = [sys.executable, "-X", "importtime", "-m", "multisenge_lib", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    for name in ("sample", "index", "select", "count-labels", "download"):
        assert name in done.stdout
    for package in ("numpy", "pandas", "geopandas", "rasterio", "keras", "rich"):
        assert not re.search(rf"\| +{package}\n", done.stderr), f"the help imports {package}"


@pytest.mark.parametrize(
    ("typed", "s2", "s1"),
    [
        ("m --s2 a b --out x --s1 c", "a b", "c"),
        ("m --s2 a --entropy --s2 b --out x", "a b", ""),
        ("m --s2=a b --out=x", "a b", ""),
        ("m --out x --s1=c --s2=a --s2 b", "a b", "c"),
        ("--s2 a b --s1 c --out x m", "a b", "c"),
        ("--s2 a b --out x -- m", "a b", ""),
        ("--out x --s2 a b -- m", "a b", ""),
    ],
)
def test_predict_takes_several_rasters_an_option(run, monkeypatch, typed, s2, s1):
    received = {}

    def predict_rasters(model, rasters, out, **options):
        received.update(model=model, out=out, **rasters)
        return out

    monkeypatch.setattr(models, "read_model_card", lambda path: None)
    monkeypatch.setattr(maps, "predict_rasters", predict_rasters)
    code, out, err = run("predict", *typed.split())
    assert (code, out, err) == (0, "Wrote x\n", "")
    expected = {"model": Path("m"), "out": Path("x"), "s2": [Path(name) for name in s2.split()]}
    if s1:
        expected["s1"] = [Path(name) for name in s1.split()]
    assert received == expected


@pytest.mark.fault("predict: no model, no rasters, options that would be ignored -> one line")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no MODEL: name it before --s2"),
        (["--s2", "a", "b", "model.keras"], "no MODEL: name it before --s2"),
        (["model.keras"], "give either a data root, or rasters"),
        (["model.keras", "--s2", "--out", "x.tif"], "give either a data root, or rasters"),
        (["model.keras", "root", "--s2", "a", "b"], "give either a data root, or rasters"),
        (["model.keras", "--s2", "a", "b"], "model.keras is missing"),
        (["model.keras", "--s2", "a", "--tiles", "31UEQ"], "--tiles: for a data root only"),
        (["model.keras", "root", "--window", "256"], "--window: for rasters only"),
        (["model.keras", "root", "--any-month", "--overlap", "1"], "--overlap, --any-month: for"),
        (["model.keras", "--s2", "a", "--band-order", "x"], "band order 'x': choose spectral"),
        (["model.keras", "root", "--out", "map.tif"], "--out map.tif is no folder"),
        (["model.keras", "root", "--out", "/dev/null"], "--out /dev/null is no folder"),
    ],
)
def test_predict_refuses_in_one_line(run, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("predict", *arguments)
    assert code == 2, err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_import_makes_a_root_that_check_takes(run, tmp_path):
    rng = np.random.default_rng(0)
    for day in ("20210705", "20210809"):
        pixels = rng.integers(100, 4000, (10, 70, 100), dtype=np.uint16)
        path = tmp_path / "in" / f"31UFQ_{day}_S2_0_0.tif"
        write_raster(path, pixels, S2_BANDS)
    root = tmp_path / "my valley"
    code, out, err = run("import", root, tmp_path / "in", "--size", "32")
    assert code == 0, err
    assert "6 rows in the south fill no patch" in out
    assert f"Wrote 6 patches of 32 pixels to {root}\nLook at {root / 'dataset.toml'}" in out
    assert dataset_of_root(root).name == "my-valley" and dataset_of_root(root).months == (7, 8)
    code, out, _ = run("check", root)
    assert code == 0 and "Nothing to fix" in out


@pytest.mark.fault("check: dataset.toml is wrong -> to mend, exit 1")
def test_check_ends_with_1_where_the_description_is_wrong(run, tmp_path):
    write_root(tmp_path, patches=["31UFQ_0_0"])
    (tmp_path / "dataset.toml").write_text("name = 3\n")
    code, out, _ = run("check", tmp_path)
    assert code == 1 and "dataset.toml" in out and "Nothing to fix" not in out


def test_import_asks_for_what_it_cannot_know(run, tmp_path):
    code, _, err = run("import", tmp_path / "root", tmp_path / "none")
    assert code == 2 and err.count("\n") == 1 and "does not exist" in err
    code, _, err = run("import", tmp_path / "root", tmp_path, "--fill", "B8A")
    assert code == 2 and "B8A=B8" in err


@pytest.fixture
def records_of_two(tmp_path, monkeypatch):
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    for name in ("s1_10c", "s2_10c"):
        for seed in (1, 2):
            write_record(make_record(name, seed))


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_compare_prints_a_table_and_writes_one(run, records_of_two, tmp_path, ending):
    out = tmp_path / f"table.{ending}"
    code, printed, err = run("compare", "s1_10c", "s2_10c", "--score", "mean_iou", "--out", out)
    assert code == 0, err
    first_line = printed.partition("\n")[0]
    assert first_line == "mean_iou on sample (MULTISENGE_ROOT is not set); differences to s1_10c"
    written = pd.read_csv(out) if ending == "csv" else pd.read_json(out)
    assert written["experiment"].tolist() == ["s1_10c", "s2_10c"]
    expected = read_record("sample", "s2_10c").scores["mean_iou"]
    expected += read_record("sample", "s2_10c", 2).scores["mean_iou"]
    assert written["mean"][1] == pytest.approx(expected / 2)


@pytest.mark.fault("transfer: no model, seeds that are no numbers -> one line")
def test_transfer_refuses_in_one_line(run, tmp_path):
    missing = tmp_path / "model.keras"
    assert "model.keras is missing" in refused(run, "transfer", missing)
    assert "give whole numbers" in refused(run, "transfer", missing, "--seeds", "1,two")


def test_compare_and_config_read_the_records_of_the_data_root(
    run, records_of_two, tmp_path, monkeypatch
):
    root = tmp_path / "root"
    root.mkdir()
    write_dataset_toml(root, replace(MULTISENGE, name="vosges"))
    monkeypatch.setenv("MULTISENGE_ROOT", str(root))
    write_record(make_record("s1_10c", 1, dataset="vosges"))

    code, printed, err = run("compare", "s1_10c")
    assert code == 0, err
    assert printed.startswith("macro_f1 on vosges (the dataset of MULTISENGE_ROOT); ")
    code, printed, err = run("config", "s1_10c")
    assert code == 0 and "the record of vosges (the dataset of MULTISENGE_ROOT)" in err
    code, printed, err = run("compare", "s1_10c", "--dataset", "sample")
    assert code == 0 and printed.startswith("macro_f1 on sample (--dataset); ")


@pytest.mark.fault("compare, config: no record, no such score, a wrong ending -> one line")
def test_compare_and_config_refuse_in_one_line(run, records_of_two):
    assert "no record of s1s2_10c" in refused(run, "compare", "s1_10c", "s1s2_10c")
    assert "no score 'best'" in refused(run, "compare", "s1_10c", "--score", "best")
    assert "must be .csv or .json" in refused(run, "compare", "s1_10c", "--out", "a.txt")
    assert "there are seeds 1" in refused(run, "config", "s1_10c", "--seed", "3")
    assert "there are records of s1_10c" in refused(run, "config", "nothing_10c")
    assert "must be .yaml" in refused(run, "config", "s1_10c", "--out", "a.txt")


def test_config_gives_the_parameters_of_a_record(run, records_of_two, tmp_path):
    code, printed, _ = run("config", "s2_10c", "--seed", "2")
    assert code == 0 and "\nexp: s2_10c\n" in printed
    out = tmp_path / "again.yaml"
    assert run("config", "s2_10c", "--seed", "2", "--out", out)[0] == 0
    assert out.read_text() == printed
