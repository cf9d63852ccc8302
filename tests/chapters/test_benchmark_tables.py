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
    assert rows["commit"] == "none with changes"


def test_ratios_and_missed_targets(record):
    table = chapters.peer_table(record)
    assert table.loc["scores", "ratio"] == "10 ×"
    assert table["target"].tolist() == ["at least 5 ×", "at least 1 ×: missed", "–"]
    assert table.loc["scores", ["library", "other"]].tolist() == ["0.2 s", "2 s"]
    assert chapters.target_counts(record) == (2, 1)


def test_exponents_of_growth(record):
    row = chapters.growth_table(record).loc["pixels"]
    assert row[["measured", "counted"]].tolist() == pytest.approx([1, 2])
    assert row[["from", "to"]].tolist() == [16, 64]


def test_shares_of_the_peak(record):
    assert chapters.share_table(record).loc["ConvLSTM-S1"].tolist() == ["0.25", "200", "50%"]
