# The eight experiments of Table 4, through the notebook; only what is stale. `make experiments`
#
#   snakemake --cores 2                                     on this machine
#   snakemake --cores 2 --config exp=s1s2_10c seeds=1,2,3   some experiments, several seeds
#   snakemake --cores 2 --config epochs=60                  any parameter of the notebook
#   snakemake --cores 2 --config epochs=60 replace_record=True   also where a record of other settings is
#   snakemake --cores 2 --config exp=utae_10c,forest_10c    other networks; a random forest
#   snakemake --cores 2 --config exp=inception_10c+relu     what the paper leaves open, chosen otherwise
#   snakemake --cores 2 --config network=my.py:build        a network in a file of your own
#   snakemake --cores 2 maps --config exp=s1s2_10c          maps of the data root, one job per tile
#   snakemake --profile profiles/slurm                      on a cluster; with `maps`, the maps
#
# A record is stale when it is missing, or older than the notebook, the library, or the description of its data root.
# A run that was interrupted goes on from its checkpoint; until it has ended, the old record stays.
# MULTISENGE_ROOT names the data; unset, it is the sample. What belongs to one data root lies in a folder of its own
# below runs/, so that two roots of one name are never mixed; maps go to maps/ in it.
from pathlib import Path

from multisenge_lib import paths
from multisenge_lib.dataset import MULTISENGE, SAMPLE, dataset_of_root, root_digest, with_selection
from multisenge_lib.maps import patches_to_map
from multisenge_lib.models import EXPERIMENTS as TABLE_4
from multisenge_lib.models import experiments_of, get_experiment, with_network
from multisenge_lib.other_networks import forest_names
from multisenge_lib.sample import find_data_root

import re
import shlex

# --- What was asked for, by --config ---
SELECTION = {name: config[name] for name in ("months", "days_gap", "s1_rule", "tiles") if name in config}
READING = {name: config[name] for name in ("band_order", "on_error") if name in config}
START = {name: config[name] for name in ("start_from", "start_from_part") if name in config}
NOT_SETTINGS = ("exp", "network", "seeds", "replace_record", *SELECTION, *READING, *START)
SETTINGS = {name: value for name, value in config.items() if name not in NOT_SETTINGS}
# Quoted for the shell: the path of a network or of a model may have spaces in it.
PARAMETERS = " ".join(
    f"-p {name} {shlex.quote(str(value))}" for name, value in config.items() if name not in ("exp", "seeds")
)

# --- The data, and what is trained on them ---
ROOT = paths.real_data_root()
DATA = with_selection(dataset_of_root(ROOT) if ROOT else SAMPLE, **SELECTION)
EXPERIMENTS = experiments_of(DATA)
# Of a dataset with MultiSenGE's classifications those of Table 4, of another one all that it offers.
BY_DEFAULT = [name for name in EXPERIMENTS if name in TABLE_4 or DATA.typologies != MULTISENGE.typologies]
NETWORK = config.get("network", "")
# A file of one's own, without the name of the function in it.
NETWORK_FILES = [re.sub(r":\w+$", "", NETWORK)] if ".py" in NETWORK else []


def requested(name):
    """The experiment that a name of --config stands for, with the network of --config."""
    experiment = get_experiment(name, DATA)
    return with_network(experiment, NETWORK) if NETWORK else experiment


FORESTS = forest_names(DATA)
ASKED_FOR = str(config.get("exp", ",".join(BY_DEFAULT))).split(",")
# By the names of their records: a network of --config has names of its own. Of each, the name that was asked for.
EXPERIMENT_OF = {requested(name).name: name for name in ASKED_FOR if name not in FORESTS}
NAMES = list(EXPERIMENT_OF)
FORESTS_ASKED_FOR = [name for name in ASKED_FOR if name in FORESTS]
SEEDS = [int(seed) for seed in str(config.get("seeds", 1)).split(",")]

# --- Where the results go ---
RECORDS = paths.results_dir() / DATA.name
RUNS = Path("runs", f"{DATA.name}-{root_digest(ROOT)}" if ROOT else DATA.name)
MAPS = RUNS / "maps"

# --- What every run depends on: the whole library, and what the data root says of itself ---
CODE = [str(path) for path in sorted(Path("multisenge_lib").rglob("*")) if path.suffix in (".py", ".json", ".toml", ".yaml")]
DESCRIPTIONS = [ROOT / name for name in ("dataset.toml", "sample.json")] if ROOT else []
INPUTS = CODE + [str(path) for path in DESCRIPTIONS if path.is_file()] + NETWORK_FILES


def tiles(name):
    """Tiles of the data root with patches that the network of an experiment maps."""
    experiment = requested(EXPERIMENT_OF[name])
    patches = patches_to_map(find_data_root(), experiment.months, experiment.sensors, experiment.s1_per_month)
    return sorted(patches["tile"].unique())


def seed_folder(seed):
    """Where a seed's files lie below its experiment's folder, as in `results.record_folder`."""
    return "" if seed == 1 else f"seed{seed}/"


def seed_of(wildcards):
    """The seed of a path such as s1s2_10c/seed2/, or of one without: 1."""
    return int(wildcards.seed.removeprefix("seed").removesuffix("/") or 1)


wildcard_constraints:
    exp="|".join(re.escape(name) for name in {*EXPERIMENTS, *NAMES}),
    forest="|".join(FORESTS),
    seed=r"(seed\d+/)?",
    tile=r"[0-9A-Z]{5}",


rule all:
    input:
        [RECORDS / exp / f"{seed_folder(seed)}metrics.json" for exp in NAMES + FORESTS_ASKED_FOR for seed in SEEDS],
        [RUNS / exp / f"{seed_folder(seed)}recorded" for exp in NAMES + FORESTS_ASKED_FOR for seed in SEEDS],


# Once for all experiments: they read the same patches.
rule pack:
    input:
        INPUTS,
    output:
        touch(RUNS / "packed"),
    run:
        from multisenge_lib.training import prepare, settings_for

        root = find_data_root()
        prepare(root, get_experiment(BY_DEFAULT[-1], DATA), settings_for(root), dataset=DATA, **READING)


# `recorded` says that the record is this data root's: another root of its name has another folder below runs/.
rule train:
    input:
        INPUTS,
        ancient(RUNS / "packed"),
        notebook="notebooks/train.ipynb",
    output:
        update(RECORDS / "{exp}/{seed}metrics.json"),
        touch(RUNS / "{exp}/{seed}recorded"),
    params:
        seed=seed_of,
        executed=lambda wildcards: RUNS / f"{wildcards.exp}-seed{seed_of(wildcards)}.ipynb",
        parameters=PARAMETERS,
        asked_for=lambda wildcards: EXPERIMENT_OF.get(wildcards.exp, wildcards.exp),
    # All cores that --cores gives, so that runs follow one another on one machine.
    threads: 1024
    resources:
        runtime=24 * 60,
        mem_mb=64000,
    shell:
        "papermill --log-output {input.notebook} {params.executed} -p exp {params.asked_for} -p seed {params.seed} "
        "{params.parameters} < /dev/null"


# The random forest: what the networks have to beat. Of the settings of --config it has the seed alone.
rule forest:
    input:
        INPUTS,
        ancient(RUNS / "packed"),
    output:
        update(RECORDS / "{forest}/{seed}metrics.json"),
        touch(RUNS / "{forest}/{seed}recorded"),
    threads: 1024
    run:
        from multisenge_lib.other_networks import train_forest
        from multisenge_lib.results import write_record

        record = train_forest(wildcards.forest, seed_of(wildcards), find_data_root(), dataset=DATA, **READING)
        write_record(record, replace=bool(config.get("replace_record")))


rule maps:
    input:
        lambda _: [
            MAPS / exp / f"{seed_folder(seed)}{tile}.tif"
            for exp in NAMES
            for tile in tiles(exp)
            for seed in SEEDS
        ],


# The trained network; trained now where it is not yet.
rule network:
    input:
        INPUTS,
        ancient(RUNS / "packed"),
    output:
        MAPS / "{exp}/{seed}model.keras",
    params:
        # Not used below: with other parameters of --config the network is trained anew.
        parameters=PARAMETERS,
    threads: 1024
    resources:
        runtime=24 * 60,
        mem_mb=64000,
    run:
        import shutil
        from multisenge_lib.memory import keep_freed_memory
        from multisenge_lib.training import settings_for, train

        # As the notebook does: on Linux a training step is then more than twice as fast, since freed arrays are used
        # again. It changes the whole process, so no function of the library calls it.
        keep_freed_memory()
        root = find_data_root()
        settings = settings_for(root, seed=seed_of(wildcards), **SETTINGS)
        trained = train(requested(EXPERIMENT_OF[wildcards.exp]), settings, root, dataset=DATA, **READING, **START)
        shutil.copy(trained.folder / "model.keras", output[0])


rule predict:
    input:
        MAPS / "{exp}/{seed}model.keras",
    output:
        MAPS / "{exp}/{seed}{tile}.tif",
    params:
        root=lambda _: find_data_root(),
        order=f"--band-order {READING['band_order']}" if "band_order" in READING else "",
        network=f"--network {shlex.quote(NETWORK)}" if NETWORK_FILES else "",
    threads: 1024
    resources:
        runtime=4 * 60,
        mem_mb=16000,
    shell:
        "multisenge predict {input} {params.root:q} --tiles {wildcards.tile} --out $(dirname {output}) {params.order} "
        "{params.network}"
