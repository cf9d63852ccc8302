"""How the records of transfer are named: by the second place, the share and the start."""

#: The name of the second place, and of the folder of its records.
TRANSFER_PLACE = "south"
#: Percent of its training patches that a network is trained on.
TRANSFER_SHARES = (5, 20, 100)
#: The ends of the names of its experiments: trained from random weights, or from the sample's.
FROM_SCRATCH = "scratch"
FINE_TUNED = "tuned"


def transfer_name(experiment: str, share: int, ending: str) -> str:
    """Name a run of the second place, such as `s1s2_10c-20-tuned`.

    Args:
        experiment: the network's experiment, such as `s1s2_10c`.
        share: percent of the training patches.
        ending: `FROM_SCRATCH` or `FINE_TUNED`.
    """
    return f"{experiment}-{share}-{ending}"
