# The eight experiments of Table 4, through the notebook; only what is stale. `make experiments`
#
#   snakemake --cores 2                                     on this machine
#   snakemake --cores 2 --config exp=s1s2_10c seeds=1,2,3   some experiments, several seeds
#   snakemake --cores 2 --config epochs=60                  any parameter of the notebook
#   snakemake --cores 2 maps --config exp=s1s2_10c          maps of the data root, a job a tile
#   snakemake --profile profiles/slurm                      on a cluster; with `maps`, the maps
#
# A record is stale when it is missing, or older than the notebook or the code that makes it (MAKES below). A run
# that was interrupted goes on from its checkpoint; until it has ended, the old record stays.
# MULTISENGE_ROOT names the data; unset, it is the sample. Maps go to runs/<dataset>/maps/; a tile that was
# interrupted goes on where it was.
from pathlib import Path

from multisenge_lib import paths, results
from multisenge_lib.dataset import MULTISENGE, SAMPLE, dataset_of_root, is_sample, load_to_map, with_selection
from multisenge_lib.models import EXPERIMENTS as TABLE_4
from multisenge_lib.models import experiments_of, get_experiment
from multisenge_lib.sample import find_data_root

ROOT = paths.real_data_root()
CHOSEN = {name: config[name] for name in ("months", "days_gap", "s1_rule", "tiles") if name in config}
DATA = with_selection(dataset_of_root(ROOT) if ROOT else SAMPLE, **CHOSEN)
DATASET, EXPERIMENTS = DATA.name, experiments_of(DATA)
RECORDS = paths.results_dir() / DATASET
# Of a dataset with MultiSenGE's classifications those of Table 4, of another one all that it offers.
BY_DEFAULT = [name for name in EXPERIMENTS if name in TABLE_4 or DATA.typologies != MULTISENGE.typologies]
NAMES = [get_experiment(name, DATA).name for name in str(config.get("exp", ",".join(BY_DEFAULT))).split(",")]
SEEDS = [int(seed) for seed in str(config.get("seeds", 1)).split(",")]
OPTIONS = " ".join(f"-p {name} {value}" for name, value in config.items() if name not in ("exp", "seeds"))
READING = {name: config[name] for name in ("band_order", "on_error") if name in config}
SETTINGS = {name: value for name, value in config.items() if name not in ("exp", "seeds", *READING, *CHOSEN)}
MAPS = Path("runs", DATASET, "maps")

MAKES = {
    "dataset": "bands root labels layout rasters selection splits store typology",
    "models": "build conv_lstm experiments inception unet",
    "results": "metrics",
    "training": "batches checkpoint devices loss optimizer settings run",
}
CODE = [f"multisenge_lib/{room}/{name}.py" for room, names in MAKES.items() for name in names.split()]
CODE.append("multisenge_lib/dataset/multisenge.toml")
if ROOT and (ROOT / "dataset.toml").is_file():
    CODE.append(str(ROOT / "dataset.toml"))  # its classes and bands are part of every run
if is_sample(DATASET):
    CODE += sorted(map(str, Path("multisenge_lib/sample").glob("*.[py]*")))


def tiles(name):
    """Tiles of the data root with patches that the network of an experiment maps."""
    of = get_experiment(name, DATA)
    return sorted(load_to_map(find_data_root(), of.months, of.sensors)["tile"].unique())


wildcard_constraints:
    exp="|".join(EXPERIMENTS),
    seed=r"(seed\d+/)?",
    tile=r"[0-9A-Z]{5}",


rule all:
    input:
        [results.record_folder(DATASET, exp, seed) / "metrics.json" for exp in NAMES for seed in SEEDS],


# Once for all experiments: they read the same patches.
rule pack:
    input:
        CODE,
    output:
        touch(f"runs/{DATASET}/packed"),
    run:
        from multisenge_lib.training import load, settings_for

        root = find_data_root()
        load(root, get_experiment(NAMES[-1], DATA), settings_for(root), dataset=DATA, **READING)


rule train:
    input:
        CODE,
        ancient(f"runs/{DATASET}/packed"),
        notebook="notebooks/train.ipynb",
    output:
        update(RECORDS / "{exp}/{seed}metrics.json"),
    params:
        seed=lambda wildcards: wildcards.seed.strip("seed/") or 1,
        executed=lambda wildcards: f"runs/{DATASET}/{wildcards.exp}-{wildcards.seed.strip('/') or 'seed1'}.ipynb",
        options=OPTIONS,
    # All cores that --cores gives, so that runs follow one another on one machine.
    threads: 1024
    resources:
        runtime=24 * 60,
        mem_mb=64000,
    shell:
        "papermill {input.notebook} {params.executed} -p exp {wildcards.exp} -p seed {params.seed} "
        "{params.options} < /dev/null"


rule maps:
    input:
        lambda _: [
            MAPS / results.record_folder(DATASET, exp, seed).relative_to(RECORDS) / f"{tile}.tif"
            for exp in NAMES
            for tile in tiles(exp)
            for seed in SEEDS
        ],


# The trained network; trained now where it is not yet.
rule network:
    input:
        CODE,
        ancient(f"runs/{DATASET}/packed"),
    output:
        MAPS / "{exp}/{seed}model.keras",
    threads: 1024
    resources:
        runtime=24 * 60,
        mem_mb=64000,
    run:
        import shutil
        from multisenge_lib.training import settings_for, train

        root, seed = find_data_root(), int(wildcards.seed.strip("seed/") or 1)
        done = train(wildcards.exp, settings_for(root, seed=seed, **SETTINGS), root, dataset=DATA, **READING)
        shutil.copy(done.folder / "model.keras", output[0])


rule predict:
    input:
        MAPS / "{exp}/{seed}model.keras",
    output:
        MAPS / "{exp}/{seed}{tile}.tif",
    params:
        root=lambda _: find_data_root(),
        order=f"--band-order {READING['band_order']}" if "band_order" in READING else "",
    threads: 1024
    resources:
        runtime=4 * 60,
        mem_mb=16000,
    shell:
        "multisenge predict {input} {params.root:q} --tiles {wildcards.tile} --out $(dirname {output}) {params.order}"
