"""The tables of a GPU's record, on a record that is made up."""

import json
import re
from html import unescape

import pytest

from multisenge_lib import chapters
from multisenge_lib.chapters import gpu_record
from multisenge_lib.errors import RecordError

STEP = {
    "patches": 16,
    "pixels": 256,
    "seconds_per_step": 0.05,
    "patches_per_second": 320.0,
    "share_of_peak": 0.5,
    "peak_memory_bytes": 3 * 2**30,
    "predicted_memory_bytes": 4 * 2**30,
    "peer_mode": "torch.compile, channels last",
    "peer_seconds_per_step": 0.07,
    "peer_peak_memory_bytes": None,
    "times_as_fast_as_peer": 1.4,
    "least_times_as_fast": 1.35,
    "most_times_as_fast": 1.5,
}
EQUAL = {"epochs": 2, "equal": True, "largest_weight_difference": 0.0}
PARTS = {
    "device": {"name": "An invented card", "driver": {"driver_version": "1.2"}},
    "step_mixed_bfloat16": STEP,
    "step_float32_tf32": STEP | {"times_as_fast_as_peer": 1.2, "share_of_peak": 0.3},
    "reading": {"waiting_share": 0.01, "steps": 60, "steps_read_slower_than_computed": 3},
    "sample_run": {
        "epochs": 15,
        "seconds": 61.0,
        "scores": {"macro_f1": 0.61, "kappa": 0.5},
        "committed_scores": {"seeds": 3, "macro_f1": {"mean": 0.6, "deviation": 0.02}},
        "resumed_run": EQUAL,
        "repeated_run": EQUAL | {"equal": False, "largest_weight_difference": 1e-3},
    },
    "whole_map": {
        "pixels": 5490,
        "seconds": 30.0,
        "megapixels_per_second": 1.0047,
        "peak_memory_bytes": None,
    },
    "largest_batch": {
        "largest_batch": 128,
        "ended": "the memory was full",
        "points": [
            {
                "patches": 128,
                "seconds_per_step": 0.4,
                "predicted_memory_bytes": 2**35,
                "peak_memory_bytes": None,
            }
        ],
    },
}


@pytest.fixture
def record():
    parts = {name: {"state": "done", "results": results} for name, results in PARTS.items()}
    parts["step_float32"] = {"state": "skipped", "why": "50 seconds are reserved for it"}
    return {
        "date": "2026-01-01",
        "seconds": 420,
        "machine": {"processor": "A processor", "cores": 16, "memory_gib": 128},
        "code": {"commit": "0123456789abcdef", "versions": {"keras": "3.15.1"}},
        "explanations": {"speed_float32_tf32": "Both use the same library for convolutions."},
        "parts": parts,
    }


def text_of(html):
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", html.data)))


def test_targets_are_met_missed_or_not_measured(record):
    targets = {target.key: target for target in gpu_record.gpu_targets(record)}
    assert targets["speed_mixed_bfloat16"].is_met is True
    assert targets["speed_float32_tf32"].is_met is False
    assert targets["speed_float32_tf32"].explanation.startswith("Both use")
    assert targets["speed_float32"].is_met is None
    assert targets["speed_float32"].measured == "not measured: 50 seconds are reserved for it"
    assert targets["share_of_peak"].is_met is True
    assert targets["waiting"].is_met is True


@pytest.mark.parametrize(
    ("part", "name", "value", "key"),
    [
        ("step_mixed_bfloat16", "times_as_fast_as_peer", 1.29, "speed_mixed_bfloat16"),
        ("step_mixed_bfloat16", "share_of_peak", 0.44, "share_of_peak"),
        ("reading", "waiting_share", 0.03, "waiting"),
    ],
)
def test_a_target_just_missed_is_missed(record, part, name, value, key):
    results = record["parts"][part]["results"]
    record["parts"][part]["results"] = results | {name: value}
    targets = {target.key: target for target in gpu_record.gpu_targets(record)}
    assert targets[key].is_met is False


def test_a_failed_peer_is_named(record):
    results = record["parts"]["step_mixed_bfloat16"]["results"]
    without_peer = {name: value for name, value in results.items() if "times" not in name}
    without_peer["peer_error"] = "ModuleNotFoundError: No module named 'torch'"
    record["parts"]["step_mixed_bfloat16"]["results"] = without_peer
    first = gpu_record.gpu_targets(record)[0]
    assert first.is_met is None
    assert first.measured.endswith("No module named 'torch'")


def test_the_page_shows_every_part(record, tmp_path):
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps(record))
    text = text_of(chapters.gpu_record_tables(path))
    assert "An invented card" in text and "0123456" in text and "7.0 minutes" in text
    assert "mixed bfloat16: at least 1.3 times as fast as PyTorch 1.40 times" in text
    assert "seconds per step 0.05; patches per second 320" in text
    assert "peer peak memory bytes not known" in text
    assert "scores (macro f1 0.61; kappa 0.5); committed scores (seeds 3; macro f1" in text
    assert "resumed run (epochs 2; equal True;" in text
    assert "pixels 5,490; seconds 30; megapixels per second 1.005" in text
    assert "largest batch 128; ended the memory was full; points 1, see the record" in text
    assert "step float32 skipped: 50 seconds are reserved for it" in text


def test_a_record_that_ended_early_is_shown_as_far_as_it_goes(record, tmp_path):
    record["parts"] = {}
    path = tmp_path / "gpu.json"
    path.write_text(json.dumps(record))
    text = text_of(chapters.gpu_record_tables(path))
    assert "not measured: the run ended before it" in text


def test_no_record_is_one_sentence(tmp_path):
    shown = chapters.gpu_record_tables(tmp_path / "gpu.json")
    assert text_of(shown).strip() == "No record of a GPU has been sent in yet."


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"parts": 1, "machine": {}}'])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "gpu.json"
    path.write_text(content)
    with pytest.raises(RecordError, match=r"gpu_check\.py --out gpu\.json"):
        gpu_record.read_gpu_record(path)
