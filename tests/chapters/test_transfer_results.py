"""Fine-tuning beside training from scratch, with all, some and none of the runs."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from records import record_of_hits as record

from multisenge_lib import chapters, results, tools
from multisenge_lib.chapters import transfer_results
from multisenge_lib.chapters.ladder import NOT_TRAINED

SETTINGS = {"batch_size": 4, "passes_per_epoch": 3, "augmentation": "replace"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))

    def write(share, way, hits, seeds=(1, 2, 3), epochs=2, origin="0a1b", **changes):
        changes |= {"dataset": "south", "settings": SETTINGS | {"epochs": epochs}}
        changes["patches"] = {"train": 4 * share, "validation": 1, "test": 6}
        if way == "tuned":
            start = {"experiment": "s1s2_10c", "dataset": "sample", "part": "all"}
            changes["start_from"] = start | {"digest": origin}
        for seed in seeds:
            name = f"s1s2_10c-{share}-{way}"
            results.write_record(record(hits, name, seed, **changes), replace=True)

    yield write
    plt.close("all")


def test_without_records_the_page_says_so(write):
    nothing = chapters.read_transfer()
    assert nothing.runs == {} and nothing.untouched is None
    table = chapters.transfer_table(nothing)
    assert (table["from scratch"] == NOT_TRAINED).all()
    assert "not trained yet" in chapters.transfer_sentences(nothing)


def test_both_ways_are_compared_by_share(write):
    write(5, "tuned", 60)
    write(5, "scratch", 20)
    write(20, "tuned", 60, seeds=[4])
    write(20, "scratch", 60, seeds=[5])  # no seed in common: not compared
    write(100, "tuned", 60)
    table = chapters.transfer_table(chapters.read_transfer())
    assert table["pairs of runs"].tolist() == ["3", "0", "0"]
    assert table["training patches"].tolist() == ["20", "80", "400"]
    # Two epochs of three passes through 5, 20 and 100 batches.
    assert table["steps"].tolist() == ["30", "120", "600"]
    assert table.loc["5%", "difference"].startswith("+0.")
    assert "clear" not in table.loc["5%", "difference"]  # three pairs are too few
    assert table.loc["100%", "from scratch"] == NOT_TRAINED
    assert chapters.transfer_figure(chapters.read_transfer()).axes
    sentences = chapters.transfer_sentences(chapters.read_transfer())
    assert "with 5% of the patches (0." in sentences
    assert sentences.endswith(
        "With at most three pairs of runs for a change, none can be called clear."
    )


LATER = "2026-02-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "change", [{"epochs": 15}, {"origin": "2c3d"}, {"fingerprint": "newer"}], ids=str
)
def test_only_runs_that_belong_together_are_compared(write, change):
    """Runs of a shorter experiment were averaged with those of the longer one after it."""
    write(5, "scratch", 20)
    write(5, "tuned", 30)
    write(5, "tuned", 60, seeds=[2], finished=LATER, **change)
    runs = chapters.read_transfer().runs
    assert [run.metadata.seed for run in runs[5, "tuned"]] == [2]
    still_compared = "origin" in change  # another network to start from changes nothing in scratch
    assert bool(runs[5, "scratch"]) == still_compared


def test_the_network_as_it_is_is_the_one_that_was_tuned(write):
    for digest, finished in (("0a1b", "2026-01-01T00:00:00+00:00"), ("2c3d", LATER)):
        evaluation = {"model_sha256": digest, "split": "test", "trained_on": "sample"}
        untouched = record(9, seed=0, dataset="south", evaluation=evaluation, finished=finished)
        folder = results.record_folder("evaluations", f"south/s1s2_10c-of-sample-{digest}/test")
        results.write_record(untouched, folder=folder)
    assert chapters.read_transfer().untouched is None  # nothing is trained
    write(5, "tuned", 60)
    untouched = chapters.read_transfer().untouched
    assert untouched.metadata.evaluation["model_sha256"] == "0a1b"


def test_the_page_reads_what_the_tool_writes():
    name = tools.transfer_name("s1s2_10c", 20, tools.FINE_TUNED)
    assert name == "s1s2_10c-20-tuned"
    assert transfer_results._NAME.fullmatch(name).groups() == ("s1s2_10c", "20", "tuned")


def test_added_copies_are_steps_too(write):
    write(5, "scratch", 20)
    run = chapters.read_transfer().runs[5, "scratch"][0]
    # Two epochs of three passes through 20 patches, and with 15 copies.
    assert chapters.training_steps(run) == 2 * 3 * 5
    settings = run.metadata.settings | {"augmentation": "extend"}
    longer = replace(run, metadata=replace(run.metadata, settings=settings))
    assert chapters.training_steps(longer) == 2 * 3 * 8
