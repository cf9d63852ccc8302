"""The Snakefile's maps: a job a tile of the data root, from the network of an experiment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio
from rasters import PATCHES, write_root
from samples import part_of_sample
from small_network import write_network

from multisenge_lib import paths
from multisenge_lib.dataset import load_selection, root_digest
from multisenge_lib.maps import predict_root

pytestmark = pytest.mark.slow


@pytest.fixture
def snakemake(tmp_path, sample_root):
    """Runs the Snakefile on the sample, in a folder of its own; gives what it said."""
    for name in ("multisenge_lib", "notebooks"):
        (tmp_path / name).symlink_to(paths.PROJECT / name)
    variables = {
        "MULTISENGE_CACHE": str(sample_root.parent),
        "MULTISENGE_RESULTS": str(tmp_path / "results"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(paths.PROJECT),
    }

    def run(*arguments, root=""):
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", tmp_path]
        done = subprocess.run(
            [*command, "--snakefile", paths.PROJECT / "Snakefile", *arguments],
            env=os.environ | variables | {"MULTISENGE_ROOT": str(root)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr

    return run


def test_maps_are_a_job_a_tile_and_seed(snakemake, sample_root):
    plan = snakemake("--dry-run", "maps", "--config", "exp=s1_6c", "seeds=1,2")
    for tile in load_selection(sample_root)["tile"].unique():
        for seed in ("", "seed2/"):
            assert f"output: runs/sample/maps/s1_6c/{seed}{tile}.tif" in plan
    assert plan.count("rule network:") == 2 and "rule train:" not in plan


@pytest.mark.fault("workflow: a space in the path of a network -> the file is an input, and quoted")
def test_a_network_of_ones_own_lies_in_a_folder_of_any_name(snakemake, tmp_path):
    file = tmp_path / "my nets.pyx" / "mine.py"
    file.parent.mkdir()
    file.write_text("def build(series, classes): pass")
    request = ("--config", "exp=s2_10c", f"network={file}:build", "months=7,8")
    shown = snakemake("--dry-run", "--printshellcmds", *request)
    assert f"-p network '{file}:build' -p months 7,8" in shown
    assert f"{file}, runs/sample" in shown  # an input: the record is stale once it is edited
    assert "/mine_s2_10c/metrics.json" in shown


def test_a_map_is_drawn_with_the_network_that_training_left(snakemake, small_sample_root, tmp_path):
    root = part_of_sample(small_sample_root, tmp_path / "part")
    tile = load_selection(root)["tile"].iloc[-1]
    folder = tmp_path / "runs" / f"sample-{root_digest(root)}" / "maps" / "small_s1_6c"
    wanted = str((folder / f"{tile}.tif").relative_to(tmp_path))
    network = f"network={write_network(tmp_path)}:build"  # of few weights, so that it is fast
    request = (wanted, "--config", "exp=s1_6c", network, "epochs=1", "passes_per_epoch=1")
    snakemake(*request, root=root)
    (again,) = predict_root(folder / "model.keras", root, tmp_path, tiles=[tile])
    with rasterio.open(folder / f"{tile}.tif") as drawn, rasterio.open(again) as other:
        ids = drawn.read(1)
        assert (ids == other.read(1)).all() and ids.any()
    assert "Nothing to be done" in snakemake(*request, root=root)
    # A map of other settings is drawn with a network of those settings.
    longer = [argument.replace("epochs=1", "epochs=2") for argument in request]
    assert "rule network:" in snakemake("--dry-run", *longer, root=root)


@pytest.mark.fault("workflow: two data roots of one name -> none takes the other's records or maps")
def test_two_roots_of_one_name_share_nothing(snakemake, tmp_path):
    """What was made for the first is planned again for the second, in a folder of its own."""
    plan = ("--dry-run", "--config", "exp=s1_6c")
    first = tmp_path / "a" / "area"
    second = tmp_path / "b" / "area"
    write_root(first, patches=PATCHES[:3])
    write_root(second, patches=PATCHES)
    runs = f"runs/multisenge-{root_digest(first)}"
    for name in ("results/multisenge/s1_6c/metrics.json", f"{runs}/s1_6c/recorded"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / runs / "packed").touch()
    assert "Nothing to be done" in snakemake(*plan, root=first)

    planned = snakemake(*plan, root=second)
    assert "rule train:" in planned and "rule pack:" in planned
    assert f"runs/multisenge-{root_digest(second)}/s1_6c/recorded" in planned
    assert runs not in planned
