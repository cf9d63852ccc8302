import json
from dataclasses import asdict

import pandas as pd
import pytest

from multisenge_lib import chapters
from multisenge_lib.chapters.ablation_records import AblationRun, Ablations
from multisenge_lib.errors import RecordError


def written(path, *rows):
    """A record of runs: variant, seed, weighted F1, macro F1, kappa, urban F1."""
    rest = {"accuracy": 0.5, "epochs": 2, "best_epoch": 1, "seconds": 1.0}
    rest |= {"finished": "2026-01-01", "commit": None}
    names = ("variant", "seed", "weighted_f1", "macro_f1", "kappa", "urban_f1")
    runs = [AblationRun(**dict(zip(names, row, strict=True)), **rest) for row in rows]
    path.write_text(json.dumps(asdict(Ablations({}, runs))))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ablations.json"


def test_no_record_no_table(path):
    assert chapters.ablation_table(path) is None
    assert chapters.effect_note(path) == "No variant has been measured."


def test_means_spreads_and_differences(path):
    rows = [("baseline", 1, 0.5, 0.4, 0.3, 0.2), ("baseline", 2, 0.7, 0.4, 0.3, 0.2)]
    table = chapters.ablation_table(written(path, *rows, ("peephole", 1, 0.9, 0.4, 0.3, 0.1)))
    assert table.loc["baseline", ("weighted_f1", "mean")] == pytest.approx(0.6)
    assert table.loc["baseline", ("weighted_f1", "spread")] == pytest.approx(0.02**0.5)
    assert table.loc["peephole", ("weighted_f1", "difference")] == pytest.approx(0.3)
    assert pd.isna(table.loc["peephole", ("weighted_f1", "spread")])
    assert table[("", "runs")].tolist() == [2, 1]


def test_every_score_has_its_own_effects(path):
    """Weights of classes may raise the one and lower the other."""
    rows = [
        (
            name,
            seed,
            *(score + 0.01 * seed + 0.001 * (seed % 2) * (name != "baseline") for score in scores),
        )
        for name, scores in {
            "baseline": (0.5, 0.5, 0.5, 0.5),
            "near": (0.5, 0.5, 0.5, 0.5),
            "far": (0.5, 0.5, 0.6, 0.3),
        }.items()
        for seed in range(5)
    ]
    assert chapters.effect_note(written(path, *rows)) == (
        "Changes that are clear from 5 pairs of runs with one seed, corrected for 6 comparisons: "
        "in macro F1 none; in kappa far (+0.100); in urban F1 far (−0.200). "
        "The luck of the test patches is not part of this."
    )
    few = [row for row in rows if row[1] < 2]
    assert "With 2 pairs of runs" in chapters.effect_note(written(path, *few))
    # One variant with fewer seeds than a claim needs is enough: the least number counts.
    uneven = [row for row in rows if row[0] != "near" or row[1] < 2]
    assert "With 2 pairs of runs" in chapters.effect_note(written(path, *uneven))


def test_the_interval_of_a_change_covers_its_mean(path):
    rows = [("baseline", seed, 0.5, 0.5, 0.5, 0.5) for seed in range(3)]
    rows += [("other", seed, 0.5, 0.5 + 0.01 * seed, 0.5, 0.5) for seed in range(3)]
    low, high = chapters.effect_interval("other", "macro_f1", written(path, *rows))
    # The mean is 0.01; t for two degrees of freedom times 0.01 / sqrt(3) on either side.
    assert (low, high) == pytest.approx((0.01 - 0.02484, 0.01 + 0.02484), abs=1e-5)
    assert chapters.effect_interval("missing", "macro_f1", path) is None
    one_seed = [row for row in rows if row[1] == 0]
    assert chapters.effect_interval("other", "macro_f1", written(path, *one_seed)) is None


@pytest.mark.parametrize("text", ["{", "{}", "[" * 100_000, b"\xff", '{"source": {}, "runs": [1]}'])
def test_a_damaged_record_is_refused(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecordError, match="restore it, or delete it") as caught:
        chapters.ablation_table(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_record_without_the_baseline_is_refused(path):
    with pytest.raises(RecordError, match="no run of the baseline"):
        chapters.ablation_table(written(path, ("peephole", 1, 0.9, 0.4, 0.3, 0.1)))
