"""The benchmarks: parts of a quick run by the command, and the record that the book shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from multisenge_lib import paths
from multisenge_lib.models import EXPERIMENTS

DATA = paths.PROJECT / "book" / "data"
RECORD = json.loads((DATA / "performance.json").read_text("utf-8"))


def bench(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "multisenge_lib", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=paths.PROJECT)


@pytest.mark.slow
def test_a_quick_run_of_parts_writes_its_record_and_leaves_the_books(tmp_path):
    before = (DATA / "performance.json").read_bytes()
    ended = bench("metrics", "data", "--quick", "--out", tmp_path / "record.json")
    assert ended.returncode == 0, ended.stderr
    record = json.loads((tmp_path / "record.json").read_text("utf-8"))
    rows = {row["work"].split(",")[0]: row for row in record["rows"]}
    assert rows["confusion matrix and scores"]["target_met"]
    assert rows["memory of a batch of 16"]["unit"] == "MB"
    for row in record["rows"]:
        assert row["from"] <= row["ratio"] <= row["to"]
        assert row["ratio"] == pytest.approx(row["theirs"] / row["ours"])  # of one turn
        assert f"{row['work']:<45} {row['ratio']:7.2f}" in ended.stdout
    assert record["quick"] and record["machine"]["cores"] >= 1
    assert (DATA / "performance.json").read_bytes() == before


@pytest.mark.slow
@pytest.mark.fault("bench: a part that is not there -> one line, exit code 2")
def test_a_part_that_is_not_there_is_one_line():
    ended = bench("speed")
    assert ended.returncode == 2
    assert (
        ended.stderr.startswith("error: no part speed: choose among") and "metrics" in ended.stderr
    )


def test_the_books_record_has_what_the_page_reads():
    assert RECORD["code"]["commit"] and RECORD["load"]["busy"] in (True, False)
    assert {row["experiment"] for row in RECORD["shares"]} == {
        name for name in EXPERIMENTS if name.endswith("_10c")
    }
    assert {point["curve"] for point in RECORD["growth"]} == {"patches", "size", "dates", "filters"}
    for row in RECORD["rows"]:
        assert row["from"] <= row["ratio"] <= row["to"] and row["ours"] > 0
        assert bool(row["target"]) == (row["target_met"] is not None)


@pytest.fixture(scope="module")
def common():
    sys.path.insert(0, str(paths.PROJECT / "benchmarks"))
    import common

    yield common
    sys.path.pop(0)


def test_a_ratio_is_taken_turn_by_turn(common):
    row = common.row("work", [1.0, 2.0, 4.0], "peer", [2.0, 6.0, 4.0], target_ratio=1.5)
    assert (row["from"], row["ratio"], row["to"]) == (1, 2, 3)
    assert (row["ours"], row["theirs"]) == (2, 4)


@pytest.mark.parametrize(
    ("options", "met"),
    [
        ({}, None),
        ({"target_ratio": 2}, True),
        ({"target_ratio": 2.1}, False),
        ({"target_most": 0.9}, False),
        ({"target_ratio": 2, "target_times_floor": 1.6, "floor": 0.5}, False),
        ({"target_ratio": 2, "target_times_floor": 1.6, "floor": 0.7}, True),
        ({"floor": 0.5}, None),
    ],
)
def test_a_target_is_met_only_if_all_of_it_is(common, options, met):
    assert common.row("work", [1.0], "peer", [2.0], **options)["target_met"] is met


class FakeNetwork:
    """Takes as long as it is told, in both kinds of work."""

    def __init__(self, name: str, seconds: float, clock: list[float]):
        self.name = name
        self.seconds = seconds
        self.clock = clock

    def predict(self) -> None:
        self.clock[0] += self.seconds


def test_the_peer_is_the_fastest_variant_of_the_same_precision(common, monkeypatch):
    import bench_networks

    clock = [0.0]
    monkeypatch.setattr(common.time, "perf_counter", lambda: clock[0])
    contests = []
    for precision, ours, eager, compiled in (("float32", 1, 4, 2), ("mixed_bfloat16", 1, 3, 5)):
        contest = FakeNetwork("ours", ours, clock)
        contest.precision = precision
        contest.variants = [
            FakeNetwork(f"eager, {precision}", eager, clock),
            FakeNetwork(f"compiled, {precision}", compiled, clock),
        ]
        contests.append(contest)
    options = {"float32": {"target_ratio": 1.4}, "mixed_bfloat16": {}}
    in_float32, in_bfloat16 = bench_networks.rows_of("prediction", 3, contests, "predict", options)
    assert in_float32["peer"] == "PyTorch, compiled, float32"
    assert in_float32["ratio"] == 2 and in_float32["target_met"]
    assert in_float32["variants"] == {"eager, float32": 4, "compiled, float32": 2}
    assert in_bfloat16["peer"] == "PyTorch, eager, mixed_bfloat16"


def test_without_pytorch_the_networks_are_skipped_with_a_sentence(common, monkeypatch):
    import bench_networks

    monkeypatch.setattr(bench_networks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(common.Skipped, match="PyTorch is not installed"):
        bench_networks.measure(quick=True, rounds=1)


@pytest.mark.slow
def test_both_map_the_same_area_in_a_quick_run(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed, so there is no peer")
    ended = bench("networks", "--quick", "--out", tmp_path / "record.json")
    assert ended.returncode == 0, ended.stderr
    rows = json.loads((tmp_path / "record.json").read_text("utf-8"))["rows"]
    works = {row["work"].split(",")[0] for row in rows}
    assert works == {"prediction", "map of 160 x 160 pixels", "training step"}


def test_every_attempt_says_whether_it_was_adopted():
    for attempt in yaml.safe_load((DATA / "optimisation_log.yaml").read_text("utf-8")):
        assert list(attempt) == ["attempt", "machine", "result", "adopted"]
        assert attempt["adopted"].startswith(("yes", "no", "by hand"))


def test_the_peak_is_a_rate(common):
    assert common.matrix_peak(256, 2) > 1e8


def test_each_part_has_a_script():
    text = Path(paths.PROJECT, "benchmarks", "run.py").read_text("utf-8")
    scripts = {path.stem for path in Path(paths.PROJECT, "benchmarks").glob("bench_*.py")}
    assert all(f'"{name.removeprefix("bench_")}"' in text for name in scripts)


def test_the_packages_rates_are_those_of_the_books_record():
    sys.path.insert(0, str(paths.PROJECT / "benchmarks"))
    try:
        from run import RATES, rates_of
    finally:
        sys.path.pop(0)
    assert json.loads(RATES.read_text("utf-8")) == rates_of(RECORD)
