"""Variants: choices that the paper leaves open, each changed on its own.

A variant is part of an experiment's name: `inception_10c+peepholes` is `inception_10c` with
peepholes. It is trained, recorded and compared like any other experiment. Several can be joined:
`inception_10c+one_date+peepholes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.networks import FOREST, NETWORKS, PAPER_NETWORKS

#: Stands before each variant in the name of an experiment.
VARIANT_MARK = "+"
#: The networks that see more than the first date.
_OF_SEVERAL_DATES = tuple(network for network in NETWORKS if network != "unet")


@dataclass(frozen=True)
class Variant:
    """One choice of an experiment that is changed.

    Attributes:
        title: in words, for tables.
        experiment_changes: fields of the `Experiment` and their values.
        settings_changes: fields of the training's `Settings` and their values.
        networks: names of the networks that the choice exists for; empty for all.
    """

    title: str
    experiment_changes: Mapping[str, Any] = field(default_factory=dict)
    settings_changes: Mapping[str, Any] = field(default_factory=dict)
    networks: tuple[str, ...] = ()


#: By the names that experiments have; they become parts of folders' names.
VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "one_date": Variant("first date only", {"first_dates": 1}, networks=_OF_SEVERAL_DATES),
        "peepholes": Variant("peepholes", {"peephole": True}, networks=PAPER_NETWORKS),
        "relu": Variant("ReLU for tanh", {"activation": "relu"}, networks=PAPER_NETWORKS),
        "no_pool": Variant(
            "Inception without pooling", {"inception_pool": False}, networks=("inception",)
        ),
        "full_skip": Variant(
            "full-resolution skip", {"full_resolution_skip": True}, networks=PAPER_NETWORKS
        ),
        "frozen_encoder": Variant(
            "frozen encoder", {"freeze_encoder": True}, networks=PAPER_NETWORKS
        ),
        "s1_linear": Variant("Sentinel-1 linear", {"s1_decibel": False}),
        "no_augmentation": Variant("no augmentation", settings_changes={"augmentation": "none"}),
        "extra_copies": Variant(
            "augmentation adds copies", settings_changes={"augmentation": "extend"}
        ),
        "no_class_weights": Variant("no class weights", settings_changes={"class_weights": False}),
        "bfloat16": Variant("bfloat16", settings_changes={"precision": "mixed_bfloat16"}),
        # Changes the sample's cosine. On real data it is the default, and changes nothing.
        "plateau": Variant("the paper's plateau rule", settings_changes={"schedule": "plateau"}),
    }
)


def check_variants(names: tuple[str, ...], network: str, sensors: tuple[str, ...]) -> None:
    """Refuse variants that do not exist, contradict each other, or change what is not there.

    Args:
        names: some of the names in `VARIANTS`.
        network: the network of the experiment that they are to change.
        sensors: the sensors of the experiment.

    Raises:
        ExperimentError: which one, and why.
    """
    changed_by: dict[str, str] = {}
    for name in names:
        if name not in VARIANTS:
            raise ExperimentError(
                f"there is no variant {name!r}: choose among {', '.join(VARIANTS)}"
            )
        variant = VARIANTS[name]
        is_built_in = network in (*NETWORKS, FOREST)  # one of your own may read any choice
        if variant.networks and is_built_in and network not in variant.networks:
            raise ExperimentError(
                f"the variant {name} is a choice of {' and '.join(variant.networks)} alone, and "
                f"{network} does not have it: leave out {VARIANT_MARK}{name}"
            )
        if name == "s1_linear" and "s1" not in sensors:
            raise ExperimentError(
                f"the variant {name} changes nothing without Sentinel-1: leave it out"
            )
        for changed in (*variant.experiment_changes, *variant.settings_changes):
            if changed in changed_by:
                raise ExperimentError(
                    f"the variants {changed_by[changed]} and {name} both change {changed}: give "
                    "one of them, once"
                )
            changed_by[changed] = name


def in_order(names: list[str]) -> tuple[str, ...]:
    """Put variants in the order of `VARIANTS`, so that each combination has one name.

    Names that do not exist come last, for `check_variants` to refuse.
    """
    known = [name for name in VARIANTS for _ in range(names.count(name))]
    unknown = [name for name in names if name not in VARIANTS]
    return (*known, *unknown)
