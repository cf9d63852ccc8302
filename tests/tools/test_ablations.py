import json
from dataclasses import replace
from types import SimpleNamespace

import labels
import pytest
from records import make_record

from multisenge_lib import chapters
from multisenge_lib.errors import ExperimentError, RecordError
from multisenge_lib.models.experiments import get_experiment
from multisenge_lib.tools import ablations
from multisenge_lib.training.run import Settings


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Stand in for the training: notes what was asked for, and gives scores."""
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("MULTISENGE_CACHE", str(tmp_path / "cache"))
    asked = []

    def train(experiment, settings, root, runs):
        asked.append((experiment, settings))
        folder = runs / "run"
        folder.mkdir(parents=True)
        score = 0.5 + 0.01 * settings.seed
        record = make_record("inception_10c", settings.seed)
        record.scores.update(dict.fromkeys(("weighted_f1", "macro_f1", "kappa"), score))
        return SimpleNamespace(record=record, folder=folder)

    monkeypatch.setattr(ablations, "train", train)
    labels.write(tmp_path / "root" / "labels", "31UEQ_0_0")
    return asked, tmp_path / "root"


@pytest.mark.parametrize("name", ablations.VARIANTS)
def test_every_variant_changes_fields_that_exist(name):
    variant = ablations.VARIANTS[name]
    base = get_experiment(ablations.BASE)
    changed = (replace(base, **variant.experiment), replace(Settings(), **variant.settings))
    assert (changed == (base, Settings())) == (name == chapters.BASELINE)


def test_a_series_goes_on_where_it_was(measured):
    asked, root = measured
    ablations.measure_all([1], 2, root, ["baseline", "peepholes"])
    ablations.measure_all([1, 2], 2, root, ["baseline", "peepholes"])
    assert [(e.peephole, s.seed) for e, s in asked] == [
        (False, 1),
        (True, 1),
        (False, 2),
        (True, 2),
    ]
    table = chapters.ablation_table(chapters.ablations_path("multisenge", 2))
    assert table.loc["peepholes", ("", "runs")] == 2
    assert table.loc["baseline", ("kappa", "mean")] == pytest.approx(0.515)


@pytest.mark.fault("ablations: a run of the user's own, the same but for its folder -> it stays")
def test_what_is_deleted_lies_in_a_folder_of_its_own(measured, tmp_path):
    """Runs of variants were once those of the user, and so were the folders that were deleted."""
    own = tmp_path / "cache" / "runs" / "run"
    own.mkdir(parents=True)
    ablations.measure_all([1], 2, measured[1], ["baseline"])
    assert own.exists() and not (tmp_path / "cache" / "ablations" / "run").exists()


def test_a_record_of_other_settings_is_not_gone_on_with(measured):
    _, root = measured
    path = ablations.measure_all([1], 2, root, ["baseline"])
    document = json.loads(path.read_text())
    document["source"]["settings"]["batch_size"] += 1
    path.write_text(json.dumps(document))
    with pytest.raises(RecordError, match="other data or settings"):
        ablations.measure_all([2], 2, root, ["baseline"])
    path.write_text(json.dumps({"runs": []}))  # and no source
    with pytest.raises(RecordError, match="cannot be read"):
        ablations.measure_all([2], 2, root, ["baseline"])


def test_unknown_variants_are_named(measured):
    with pytest.raises(ExperimentError, match="bigger"):
        ablations.measure_all([1], 2, measured[1], ["bigger"])


@pytest.mark.fault("ablations on real data, with more epochs -> a record of their own")
def test_datasets_and_epochs_have_records_of_their_own(measured):
    _, root = measured
    path = ablations.measure_all([1], 2, root, ["baseline"])
    assert path == chapters.ablations_path("multisenge", 2)
    assert ablations.measure_all([1], 10, root, ["baseline"]).name == "ablations.json"
    (root / "sample.json").write_text("{}")
    assert ablations.measure_all([1], 2, root, ["baseline"]) == chapters.ablations_path("sample", 2)


def test_the_setting_is_read_from_the_record(measured):
    _, root = measured
    sentence = chapters.ablation_setting(ablations.measure_all([1, 3], 7, root, ["baseline"]))
    assert "at most 7 epochs" in sentence
    assert sentence.endswith("seeds 1, 3.")


@pytest.mark.fault("ablations twice at once, with other seeds -> the runs of both are recorded")
def test_runs_of_another_process_are_kept(measured, monkeypatch):
    asked, root = measured
    train = ablations.train

    def train_beside_another(experiment, settings, root, **options):
        run = train(experiment, settings, root, **options)
        if settings.seed == 1:  # while this one trains, another process measures seed 2
            run.folder.rename(run.folder.with_name("first"))
            ablations.measure_all([2], 2, root, ["baseline"])
            run.folder.with_name("first").rename(run.folder)
        return run

    monkeypatch.setattr(ablations, "train", train_beside_another)
    path = ablations.measure_all([1], 2, root, ["baseline"])
    assert sorted(run["seed"] for run in json.loads(path.read_text())["runs"]) == [1, 2]
    assert len(asked) == 2
