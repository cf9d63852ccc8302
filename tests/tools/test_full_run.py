"""What a full run takes: arithmetic from the label counts and the rates of the benchmarks."""

import subprocess
import sys
from dataclasses import replace

import labels
import pytest

from multisenge_lib.dataset import MULTISENGE
from multisenge_lib.errors import SelectionError
from multisenge_lib.tools import measured_rates, plan_full_run
from multisenge_lib.tools.full_run import format_quantity


def values(table):
    return dict(zip(table["what"], table["value"], strict=True))


def test_the_real_labels_at_full_scale(real_labels):
    table, selected = plan_full_run(real_labels)
    assert selected == {"train": 3369, "validation": 1911, "test": 610}
    amounts = values(table)
    assert amounts["rasters that are read"] == 5890 * 9
    assert amounts["steps per epoch, batches of 16"] == 210
    bytes_per_pixel = 4 * (10 * 2 + 2 * 4) + 1  # four dates, two sensors, the reference
    assert amounts["packed store"] == 5890 * 256**2 * bytes_per_pixel / 1e9


def test_without_labels_the_committed_counts_are_planned():
    table, selected = plan_full_run(None)
    assert selected == {"train": 3369, "validation": 1911, "test": 610}
    assert values(table)["patches with labels"] == 8157


def test_times_are_rates_multiplied_by_patches():
    amounts = values(plan_full_run(None)[0])
    seconds = measured_rates().seconds_per_patch
    assert amounts["packing all patches"] == 5890 * seconds["pack"] / 60
    assert amounts["an epoch of training, without validation"] == 3369 * seconds["train"] / 3600
    longest = 200 * 3369 * seconds["train"] / 86_400
    assert amounts["200 epochs, the most"] == pytest.approx(longest)
    assert amounts["a step of 16 patches"] == 16 * seconds["train"]


def test_two_radar_images_of_each_month_are_counted():
    of_both = replace(MULTISENGE, s1_rule="first2")
    amounts = values(plan_full_run(None, of_both)[0])
    assert amounts["rasters that are read"] == 5890 * (1 + 4 + 8)
    bytes_per_pixel = 4 * 10 * 2 + 8 * 2 * 4 + 1
    assert amounts["packed store"] == 5890 * 256**2 * bytes_per_pixel / 1e9


def test_another_dataset_is_planned_by_its_description(tmp_path):
    for x in range(0, 320, 32):
        patch = f"19FDV_{x}_0"
        labels.write(tmp_path / "labels", patch, **labels.document(patch, s1=()))
    valley = replace(
        MULTISENGE,
        name="valley",
        patch_pixels=32,
        split_of_tile={"19FDV": "train"},
        bands={"s2": MULTISENGE.bands["s2"]},
    )
    table, selected = plan_full_run(tmp_path / "labels", valley)
    amounts = values(table)
    assert selected["train"] == 10
    assert amounts["rasters that are read"] == 50
    assert amounts["packed store"] == 10 * 32**2 * (4 * 10 * 2 + 1) / 1e9
    assert "archives to fetch" not in amounts
    with pytest.raises(SelectionError, match="there is nothing to plan; no patch has"):
        plan_full_run(tmp_path / "labels", replace(valley, months=(2,)))


def test_the_memory_of_a_step_is_what_the_network_gives():
    from multisenge_lib.models import build_model, step_memory

    rates = measured_rates()
    model = build_model(rates.network, rates.patch_pixels)
    assert rates.step_memory_bytes == int(step_memory(model, rates.batch_size).sum())


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5890, "", "5,890"),
        (43.6191, "GB", "43.6 GB"),
        (12, "ms", "12 ms"),
        (0.832, "ms", "0.832 ms"),
    ],
)
def test_quantities_as_text(value, unit, text):
    assert format_quantity(value, unit) == text


def test_a_plan_needs_no_keras(tmp_path):
    labels.write(tmp_path, "31UEQ_0_0")
    code = (
        "import sys; sys.modules['keras'] = None\n"
        f"from multisenge_lib.tools import plan_full_run; plan_full_run({str(tmp_path)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
