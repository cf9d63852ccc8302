"""The check of a GPU, at tiny sizes on a CPU; its tables are tested with the chapters.

A quick run of it computes with JAX, so its tests are part of `make test-jax`.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest

from multisenge_lib import chapters, paths

BENCHMARKS = paths.PROJECT / "benchmarks"
#: What a machine lent for such a run may lack, and what no part may need.
BLOCKED = """
import sys
class Blocked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "geopandas"):
            raise ImportError(f"{name} is blocked by a test")
sys.meta_path.insert(0, Blocked)
"""


@pytest.fixture(scope="module")
def gpu_check():
    sys.path.insert(0, str(BENCHMARKS))
    import gpu_check

    yield gpu_check
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """The record of a quick run, in which neither TensorFlow nor geopandas can be imported."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("the jax extra is not installed")
    folder = tmp_path_factory.mktemp("gpu")
    # Python imports this module, if there is one, in every process before anything else.
    (folder / "sitecustomize.py").write_text(BLOCKED)
    search_path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, BENCHMARKS / "gpu_check.py", "--quick", "--out", folder / "gpu.json"],
        env=os.environ | {"PYTHONPATH": search_path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads((folder / "gpu.json").read_text("utf-8"))


@pytest.mark.jax
@pytest.mark.slow
def test_a_quick_run_does_every_part(record, gpu_check):
    assert list(record["parts"]) == [part.name for part in gpu_check.PARTS]
    states = {name: (part["state"], part.get("why")) for name, part in record["parts"].items()}
    assert set(states.values()) == {("done", None)}, states
    assert record["complete"] and record["quick"] and record["explanations"] == {}
    assert record["code"]["versions"]["keras"] and record["machine"]["cores"] >= 1


@pytest.mark.jax
@pytest.mark.slow
def test_a_step_is_timed_and_its_numbers_agree(record):
    for name in ("step_mixed_bfloat16", "step_float32_tf32", "step_float32"):
        results = record["parts"][name]["results"]
        seconds = results["seconds_per_step"]
        assert results["patches_per_second"] == pytest.approx(results["patches"] / seconds)
        peak = record["parts"]["device"]["results"]["peak_operations_per_second"]
        share = results["operations_per_step"] / seconds / peak[name.removeprefix("step_")]
        assert results["share_of_peak"] == pytest.approx(share)
        assert results["peak_memory_bytes"] is None  # a CPU does not tell
    float32 = record["parts"]["step_float32"]["results"]["predicted_memory_bytes"]
    bfloat16 = record["parts"]["step_mixed_bfloat16"]["results"]["predicted_memory_bytes"]
    assert bfloat16 < float32


@pytest.mark.jax
@pytest.mark.slow
def test_the_peer_gives_the_same_logits(record):
    float32 = record["parts"]["step_float32"]["results"]
    if importlib.util.find_spec("torch") is None:
        assert "torch" in float32["peer_error"] and "times_as_fast_as_peer" not in float32
        pytest.skip("PyTorch, the peer, is not installed")
    assert float32["logits_distance_share"] < 1e-5
    for name in ("step_mixed_bfloat16", "step_float32_tf32", "step_float32"):
        results = record["parts"][name]["results"]
        assert results["logits_agree"] and "peer_error" not in results
        ratios = (results["least_times_as_fast"], results["most_times_as_fast"])
        assert ratios[0] <= results["times_as_fast_as_peer"] <= ratios[1]


@pytest.mark.jax
@pytest.mark.slow
def test_a_resumed_run_is_equal_on_the_cpu(record):
    results = record["parts"]["sample_run"]["results"]
    for name in ("repeated_run", "resumed_run"):
        assert results[name]["equal"] and results[name]["epochs"] == results["short_epochs"]
    committed = results["committed_scores"]
    assert committed["seeds"] >= 1
    # One run has no spread.
    assert ("kappa" in committed) == (committed["seeds"] > 1)


@pytest.mark.jax
@pytest.mark.slow
def test_both_maps_are_the_same_on_the_cpu(record):
    whole = record["parts"]["whole_map"]["results"]
    assert whole["trained"] and whole["megapixels_per_second"] > 0
    again = record["parts"]["map_on_cpu"]["results"]
    assert again["pixels"] == whole["crop_pixels"] ** 2
    # Two ways of multiplying float32 are one on a CPU.
    assert again["pixels_of_other_class"] == 0
    assert again["largest_probability_difference"] < 1e-5


@pytest.mark.jax
@pytest.mark.slow
def test_reading_growth_and_tests_are_reported(record):
    reading = record["parts"]["reading"]["results"]
    assert 0 <= reading["waiting_share"] < 1
    assert reading["steps_read_slower_than_computed"] <= reading["steps"]
    # Two patches of 64 x 64 pixels: 4 dates of 10 bands in 2 bytes and 2 in 4, and the reference.
    assert reading["bytes_per_batch"] == 2 * 64 * 64 * (4 * (10 * 2 + 2 * 4) + 1)
    largest = record["parts"]["largest_batch"]["results"]
    assert [point["patches"] for point in largest["points"]] == [1, 2]
    assert largest["largest_batch"] == 2
    growth = record["parts"]["growth"]["results"]["points"]
    assert [point["curve"] for point in growth] == ["base", "dates"]
    assert growth[0]["predicted_memory_bytes"] < growth[1]["predicted_memory_bytes"]
    tests = record["parts"]["network_tests"]["results"]
    assert tests["passed"] > 0 and tests["failed"] == 0


@pytest.mark.jax
@pytest.mark.slow
def test_the_page_shows_the_record(record, tmp_path):
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps(record))
    shown = chapters.gpu_record_tables(path).data
    assert re.search(r"resumed run \(epochs \d+; equal True", shown)
    assert "not measured: skipped" not in shown


# --- Parts that do not fit, fail or take too long ---


@pytest.mark.parametrize(
    ("remaining", "reserved_for_later", "allowed"),
    [
        (100, 60, 40),  # what the later parts do not need
        (100, 95, 30),  # its own seconds in any case
        (29, 0, None),
    ],
)
def test_a_part_leaves_the_later_ones_their_time(gpu_check, remaining, reserved_for_later, allowed):
    part = gpu_check.Part("a part", "device", seconds=30)
    assert gpu_check.seconds_allowed(part, remaining, reserved_for_later) == allowed


@pytest.mark.fault("GPU check: a part that fails -> recorded with its error, the others go on")
def test_a_failing_part_is_recorded_with_its_error(gpu_check, tmp_path, capfd):
    part = gpu_check.Part("a part", "no_such_module", seconds=30)
    entry = gpu_check.run_part(part, tmp_path, 60, quick=True)
    assert entry["state"] == "failed"
    assert entry["why"] == "ModuleNotFoundError: No module named 'gpu_parts.no_such_module'"
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.fault("GPU check: a part that takes too long -> stopped, what it measured is kept")
def test_a_part_that_takes_too_long_keeps_what_it_measured(gpu_check, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "GRACE_SECONDS", 0)
    part = gpu_check.Part("a part", "device", seconds=30)
    (tmp_path / "a part.json").write_text('{"results": {"name": "An invented card"}}')
    entry = gpu_check.run_part(part, tmp_path, 0, quick=True)
    assert entry["state"] == "stopped" and entry["why"] == "took more than 0 seconds"
    assert entry["results"] == {"name": "An invented card"}


@pytest.mark.fault("GPU check: no time for a part -> skipped with a word, the record is written")
def test_a_part_that_does_not_fit_is_skipped(gpu_check, tmp_path):
    record = gpu_check.check(tmp_path / "gpu.json", 10, False, ["growth"], commit="0123456")
    assert record["parts"]["growth"]["state"] == "skipped"
    assert record["parts"]["growth"]["why"].startswith("50 seconds are reserved for it")
    assert json.loads((tmp_path / "gpu.json").read_text("utf-8")) == record
