# The eight experiments of Table 4, through the notebook; only what is stale. `make experiments`
#
#   snakemake --cores 2                                     on this machine
#   snakemake --cores 2 --config exp=s1s2_10c seeds=1,2,3   some experiments, several seeds
#   snakemake --cores 2 --config epochs=60                  any parameter of the notebook
#   snakemake --profile profiles/slurm                      on a cluster
#
# A record is stale when it is missing, or older than the notebook or the code that makes it. A run
# that was interrupted goes on from its checkpoint; until it has ended, the old record stays.
# MULTISENGE_ROOT names the data; unset, it is the sample.
from pathlib import Path

from multisenge_lib import paths, results
from multisenge_lib.dataset import SAMPLE, describe
from multisenge_lib.models import experiments_of, get_experiment

ROOT = paths.real_data_root()
DATA = describe(ROOT) if ROOT else SAMPLE
DATASET, EXPERIMENTS = DATA.name, experiments_of(DATA)
RECORDS = paths.results_dir() / DATASET
NAMES = [get_experiment(name, DATA).name for name in str(config.get("exp", ",".join(EXPERIMENTS))).split(",")]
SEEDS = [int(seed) for seed in str(config.get("seeds", 1)).split(",")]
OPTIONS = " ".join(f"-p {name} {value}" for name, value in config.items() if name not in ("exp", "seeds"))

CODE = [f"multisenge_lib/dataset/{name}.py" for name in "layout rasters selection typology store".split()]
CODE += ["multisenge_lib/results/metrics.py"]
CODE += [f"multisenge_lib/models/{name}.py" for name in "build conv_lstm experiments inception unet".split()]
CODE += [f"multisenge_lib/training/{name}.py" for name in "batches devices loss settings train".split()]
if DATASET == "sample":
    CODE += sorted(map(str, Path("multisenge_lib/sample").glob("*.py")))


wildcard_constraints:
    exp="|".join(EXPERIMENTS),
    seed=r"(seed\d+/)?",


rule all:
    input:
        [results.record_folder(DATASET, exp, seed) / "metrics.json" for exp in NAMES for seed in SEEDS],


# Once for all experiments: they read the same patches.
rule pack:
    input:
        CODE,
    output:
        touch(f"runs/{DATASET}/packed"),
    params:
        options=f", on_error='{config['on_error']}'" if "on_error" in config else "",
        experiment=NAMES[-1],
    shell:
        "python -c 'from multisenge_lib.dataset import describe; from multisenge_lib.models import get_experiment; "
        "from multisenge_lib.sample import find_data_root; from multisenge_lib.training import load, settings_for; "
        "root = find_data_root(); experiment = get_experiment(\"{params.experiment}\", describe(root)); "
        "load(root, experiment, settings_for(root){params.options})'"


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
