import json
import subprocess
import sys

import labels
import pandas as pd
import pytest
from rasters import DAYS, PATCHES, write_root

from multisenge_lib import cli


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


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--months", "9,7"], "out of order"),
        (["--months", "7;8"], "joined by commas"),
        (["--months", "14"], "1 to 12"),
        (["--days-gap", "-3"], "days gap -3"),
        (["--s1-rule", "last"], "S1 rule 'last'"),
        (["--data-root", "/nowhere"], "/nowhere/s1 cannot be listed"),
        (["--labels", "/nowhere"], "/nowhere does not exist"),
    ],
)
def test_wrong_options_are_one_line_and_exit_2(run, sample_root, tmp_path, arguments, named):
    given = ["--labels", sample_root / "labels", "--out", tmp_path / "out.csv", *arguments]
    code, _, err = run("select", *given)
    assert code == 2
    assert err.startswith("error: ")
    assert named in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()


def test_damaged_labels_are_one_line(run, tmp_path):
    labels.write(tmp_path / "labels", "31UEQ_0_0").write_text('{"labels": ')
    code, _, err = run("index", "--labels", tmp_path / "labels")
    assert code == 2
    assert "31UEQ_0_0.json" in err
    assert err.count("\n") == 1


def test_an_output_that_cannot_be_written_is_one_line(run, sample_root, tmp_path):
    out = tmp_path / "nowhere" / "out.csv"
    code, _, err = run("select", "--labels", sample_root / "labels", "--out", out)
    assert code == 2
    assert "nowhere" in err
    assert err.count("\n") == 1


def test_index_exports_for_a_gis(run, sample_root, tmp_path):
    code, printed, _ = run(
        "index", "--labels", sample_root / "labels", "--out", tmp_path / "p.gpkg"
    )
    assert code == 0
    assert (tmp_path / "p.gpkg").stat().st_size > 0
    assert "patches on" in printed


def test_records_without_labels_says_what_to_set(run, monkeypatch):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    code, _, err = run("records")
    assert code == 2
    assert "MULTISENGE_LABELS" in err


def test_check_reports_and_says_by_its_exit_whether_there_is_something_to_mend(run, tmp_path):
    write_root(tmp_path)
    code, out, _ = run("check", str(tmp_path))
    assert code == 1 and "labels: " in out
    days = [str(day).replace("-", "") for day in DAYS]
    for patch in PATCHES:
        labels.write(tmp_path / "labels", patch, **labels.document(patch, s2=days, s1=days))
    code, out, _ = run("check", str(tmp_path), "--json")
    assert code == 0 and json.loads(out)["problems"] == []


def test_the_command_is_installed():
    done = subprocess.run(
        [sys.executable, "-m", "multisenge_lib.cli", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    for command in ("sample", "index", "select", "records"):
        assert command in done.stdout
