"""Tables of the benchmarks' record: each number where it belongs, missed targets named."""

import pytest

from multisenge_lib import chapters


@pytest.fixture
def record():
    peer = {
        "peer": "scikit-learn",
        "turns": 3,
        "unit": "s",
        "from": 9.5,
        "to": 11.25,
        "theirs": 2.0,
    }
    fast = {
        "work": "scores",
        "ratio": 10.0,
        "ours": 0.2,
        "target": "at least 5 x",
        "target_met": True,
    }
    slow = {
        "work": "packing",
        "ratio": 0.5,
        "ours": 4.0,
        "target": "at least 1 x",
        "target_met": False,
    }
    bare = {"work": "reading", "ratio": 1.0, "ours": 2.0, "target": "", "target_met": None}
    growth = []
    for pixels in (16, 32, 64):
        point = {"curve": "pixels", "value": pixels, "seconds": pixels, "operations": pixels**2}
        growth.append(point)
    share = {"experiment": "s1_10c", "share": 0.5, "seconds": 0.25, "operations": 2e11}
    return {
        "machine": {"processor": "A", "cores": 2, "memory_gib": 23.5, "instructions": []},
        "code": {"commit": None, "uncommitted": True, "versions": {"numpy": "2.0", "keras": "3"}},
        "load": {"before": [0.2], "after": [1.5]},
        "date": "2026-01-01",
        "seconds": 120,
        "rows": [fast | peer, slow | peer, bare | peer],
        "growth": growth,
        "shares": [share],
    }


def test_the_machine_is_named_with_the_versions_that_matter(record):
    rows = chapters.machine_table(record).iloc[:, 0]
    assert rows["machine"] == "A, 2 cores, 23.5 GiB"
    assert rows["versions"] == "numpy 2.0"
    assert rows["commit"] == "unknown with changes"


def test_ratios_and_missed_targets(record):
    table = chapters.peer_table(record)
    assert table.loc["scores", "ratio"] == "10\N{NO-BREAK SPACE}×"
    assert table["target"].tolist() == [
        "at least 5\N{NO-BREAK SPACE}×",
        "at least 1\N{NO-BREAK SPACE}×: missed",
        "–",
    ]
    assert table.loc["scores", ["library", "other"]].tolist() == [
        "0.2\N{NO-BREAK SPACE}s",
        "2\N{NO-BREAK SPACE}s",
    ]
    assert chapters.target_counts(record) == (2, 1)


def test_exponents_of_growth(record):
    row = chapters.growth_table(record).loc["pixels"]
    assert row[["measured", "counted"]].tolist() == pytest.approx([1, 2])
    assert row[["from", "to"]].tolist() == [16, 64]


def test_shares_of_the_peak(record):
    assert chapters.share_table(record).loc["ConvLSTM-S1"].tolist() == ["0.25", "200", "50%"]


def network_row(work, ours, peer, theirs, **more):
    return {"work": work, "ours": ours, "peer": peer, "theirs": theirs} | more


def test_each_way_of_running_pytorch_has_a_row(record):
    variants = {"eager, float32": 2.0, "torch.compile, channels last, float32": 1.5}
    fastest = "PyTorch, torch.compile, channels last, float32"
    record["rows"] = [
        network_row("prediction, float32", 0.5, fastest, 1.5, variants=variants),
        network_row("training step, mixed_bfloat16", 1.25, "PyTorch, eager", 4.0, variants={}),
        network_row("packing", 1.0, "copying", 1.0),
    ]
    table = chapters.peer_variants_table(record)
    assert table["prediction"].to_dict() == {
        "PyTorch, eager, float32": "2.00 s",
        "PyTorch, torch.compile, channels last, float32": "1.50 s",
        "the library, float32": "0.50 s",
        "the library, mixed_bfloat16": "–",
    }
    assert table.loc["the library, mixed_bfloat16", "training step"] == "1.25 s"
    assert chapters.peer_variants_note(record) == "All of them were measured."


def test_a_way_that_could_not_be_measured_is_named(record):
    row = network_row("prediction, float32", 0.5, "PyTorch, eager", 1.0, variants={"eager": 1.0})
    record["rows"] = [row]
    record["skipped"] = [{"what": "PyTorch compiled (torch.compile)", "why": "there is no g++"}]
    note = chapters.peer_variants_note(record)
    assert note == "PyTorch compiled (torch.compile) was skipped, since there is no g++."
