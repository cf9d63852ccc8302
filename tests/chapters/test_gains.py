import numpy as np
import pytest
from records import make_record

from multisenge_lib import chapters, results
from multisenge_lib.chapters import gains
from multisenge_lib.errors import RecordError
from multisenge_lib.results.metrics import bootstrap, difference_interval


def runs(hits, seeds=3, experiment="s1s2_10c", spread=0):
    """Records with so many right pixels a class and patch, more by `spread` a seed; ten wrong."""
    patches = np.arange(1, 7)[:, None, None]
    made = []
    for seed in range(1, seeds + 1):
        right = (hits + spread * seed) * np.eye(10, dtype=int)
        made.append(make_record(experiment, seed, confusions=patches * (right + 1)))
    return made


def test_a_clear_gain_exceeds_the_noise_and_a_scattered_one_is_not():
    clear = gains.gain(runs(60), runs(30))
    assert clear.exceeds_noise and clear.low > 0 and clear.spread < 1e-9
    assert clear.difference == pytest.approx(61 / 70 - 31 / 40)
    assert not gains.gain(runs(60, spread=40), runs(55, spread=40)).exceeds_noise
    assert not gains.gain(runs(60, seeds=2), runs(30, seeds=2)).exceeds_noise  # too few
    assert not gains.gain(runs(60, seeds=1), runs(30, seeds=1)).exceeds_noise


def test_the_interval_is_of_the_same_draws():
    """Patches that are hard for both make no doubt about which is better."""
    hard, easy = np.array([[1, 30], [30, 1]]), np.diag([40, 40])
    worse = np.stack([hard, easy] * 6)
    better = worse + np.array([[3, 0], [0, 0]])
    low, high = difference_interval([better], [worse], gains.macro_score)
    (least, most) = bootstrap(worse, ["macro_f1"])["macro_f1"]
    assert 0 < low < high < (most - least) / 10
    assert difference_interval([worse], [worse], gains.macro_score) == (0, 0)


def test_a_draw_of_patches_without_reference_is_left_out_of_the_interval():
    two = np.stack([0 * np.eye(2, dtype=int), np.diag([3, 4])])
    assert difference_interval([two], [two], gains.macro_score) == (0, 0)
    assert bootstrap(two, ["macro_f1"])["macro_f1"] == (1, 1)


def test_a_spread_that_one_network_lacks_is_unknown():
    pairs = (runs(60, seeds=1), runs(30)), (runs(60), runs(30, seeds=1))
    assert all(np.isnan(gains.gain(*pair).spread) for pair in pairs)


def test_urban_score_leaves_absent_classes_out():
    confusion = np.diag([8, 8, 0, 8, 8, 1, 1, 1, 1, 1])
    confusion[0, 1] = 8
    expected = np.mean([2 * 8 / 24, 2 * 8 / 24, 1, 1])
    assert gains.urban_score(confusion) == pytest.approx(expected)


def test_networks_tested_on_other_patches_are_not_compared():
    with pytest.raises(RecordError, match="s1s2_10c and s1_10c were not tested on the same"):
        gains.gain(runs(60), [make_record("s1_10c")])


def test_steps_and_classes_of_a_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    assert "no records yet" in chapters.gain_note(chapters.step_gains("sample", 10))
    for record in (
        *runs(30, experiment="s1_10c"),
        *runs(60),
        *runs(60, experiment="inception_10c"),
    ):
        results.write_record(record)
    found = chapters.step_gains("sample", 10)
    assert list(found) == ["Sentinel-2, to Sentinel-1", "Inception, to both"]
    table = chapters.gain_table(found)
    assert table["beyond both"].tolist() == ["yes", "no"]
    note = chapters.gain_note(found)
    assert note.startswith(
        "Larger than seed and test-set variation: Sentinel-2, to Sentinel-1 (+0.0"
    )
    assert "Not decided by these runs: Inception, to both." in note
    assert note.endswith("With 3 seeds, the variation between seeds is not known well.")
    enough = {name: gain._replace(seeds=5) for name, gain in found.items()}
    assert chapters.gain_note(enough).endswith("Not decided by these runs: Inception, to both.")
    assert chapters.class_gains("sample") == {}
    results.write_record(make_record("s1s2_6c", confusions=runs(60)[0].confusions[:, :6, :6]))
    assert list(chapters.class_gains("sample")) == ["ConvLSTM-S1S2"]
