"""What a choice left open changes; the statistics are tested with `results.differences`."""

import numpy as np
import pytest
from records import make_record

from multisenge_lib import chapters, results
from multisenge_lib.chapters.variant_results import BASE
from multisenge_lib.models import VARIANTS


@pytest.fixture(autouse=True)
def results_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))


def write(hits, ending="", seeds=3, **changes):
    """Records of inception_10c or a variant, with so many right pixels of each class or more."""
    for seed in range(1, seeds + 1):
        confusion = (hits + seed % 2) * np.eye(10, dtype=int) + 1
        confusions = np.arange(1, 7)[:, None, None] * confusion
        record = make_record(f"inception_10c{ending}", seed, confusions=confusions, **changes)
        results.write_record(record)


def test_nothing_trained_nothing_shown():
    runs = chapters.variant_runs("sample", "inception_10c")
    assert runs == {} and chapters.variant_changes(runs) == {}
    assert chapters.variant_scores(runs).empty
    assert ("kappa", "mean") in chapters.variant_scores(runs)  # the page shows an empty table
    assert len(chapters.variants_not_trained(runs)) == len(VARIANTS)


def test_each_variant_is_compared_with_its_base():
    write(30, seeds=5)
    write(60, "+full_skip", seeds=5)
    write(30, "+peepholes")
    runs = chapters.variant_runs("sample", "inception_10c")
    assert list(runs) == [BASE, "peepholes", "full-resolution skip"]

    scores = chapters.variant_scores(runs)
    by_hand = [record.scores["kappa"] for record in runs[BASE]]
    assert scores.loc[BASE, ("kappa", "mean")] == pytest.approx(np.mean(by_hand))
    assert scores.loc[BASE, ("kappa", "std")] == pytest.approx(np.std(by_hand, ddof=1))
    assert scores["", "seeds"].tolist() == [5, 3, 5]

    changes = chapters.variant_changes(runs)
    assert len(changes) == 2 * 3  # one family: two variants, three scores
    skip = changes["full-resolution skip", "macro_f1"]
    assert skip.is_clear and skip.difference.value > 0.05
    assert not changes["peepholes", "macro_f1"].is_clear
    assert "full-resolution skip" not in chapters.variants_not_trained(runs)
    assert "ReLU for tanh" in chapters.variants_not_trained(runs)


def test_four_pairs_are_no_claim():
    write(30, seeds=5)
    write(60, "+full_skip", seeds=4)
    changes = chapters.variant_changes(chapters.variant_runs("sample", "inception_10c"))
    assert not changes["full-resolution skip", "macro_f1"].is_clear


def test_only_runs_like_those_of_the_base_are_compared():
    start = {"experiment": "s1_6c", "dataset": "area", "digest": "0", "part": "all"}
    write(30)
    write(60, "+full_skip", fingerprint="older")
    write(60, "+relu", start_from=start)
    write(60, "+peepholes", settings={"epochs": 1})
    write(60, "+no_class_weights", settings={"epochs": 2, "class_weights": False})
    write(60, "+no_augmentation", settings={"epochs": 1, "augmentation": "none"})
    kept = [BASE, "no class weights"]
    assert list(chapters.variant_runs("sample", "inception_10c")) == kept
