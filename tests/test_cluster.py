"""The Slurm profile against a real Slurm, where there is one to start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
MISSING = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name)]


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"no Slurm to try the profile with: {MISSING} missing")
def test_the_profile_trains_an_experiment_and_draws_a_map_through_slurm(sample_root):
    environment = os.environ | {"MULTISENGE_CACHE": str(sample_root.parent), "MULTISENGE_ROOT": ""}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    script = PROJECT / "profiles" / "slurm" / "try_on_one_node.sh"
    done = subprocess.run([script], capture_output=True, text=True, env=environment)
    if done.returncode == 77:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    assert "record: s1_6c 1 epoch" in done.stdout and "map: 31UEQ.tif" in done.stdout
