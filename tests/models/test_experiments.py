from dataclasses import FrozenInstanceError, replace

import pytest

from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES, URBAN, make_typology
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models.experiments import EXPERIMENTS, experiments_of, get_experiment

# Table 4, as the paper prints it: name, sensors, method, classes.
TABLE_4 = [
    ("ConvLSTM-S1", "Sentinel-1", "ConvLSTM", 6),
    ("ConvLSTM-S2", "Sentinel-2", "ConvLSTM", 6),
    ("ConvLSTM-S1S2", "Sentinel-1 and Sentinel-2", "ConvLSTM", 6),
    ("ConvLSTM-S1", "Sentinel-1", "ConvLSTM", 10),
    ("ConvLSTM-S2", "Sentinel-2", "ConvLSTM", 10),
    ("ConvLSTM-S1S2", "Sentinel-1 and Sentinel-2", "ConvLSTM", 10),
    ("ConvLSTM+Inception-S1S2", "Sentinel-1 and Sentinel-2", "ConvLSTM and Inception", 6),
    ("ConvLSTM+Inception-S1S2", "Sentinel-1 and Sentinel-2", "ConvLSTM and Inception", 10),
]
SENSORS = {"s1": "Sentinel-1", "s2": "Sentinel-2"}


def test_the_eight_are_table_4():
    ours = [
        (
            e.title,
            " and ".join(SENSORS[s] for s in e.sensors),
            "ConvLSTM and Inception" if e.inception else "ConvLSTM",
            e.classes,
        )
        for e in EXPERIMENTS.values()
    ]
    assert sorted(ours) == sorted(TABLE_4)


def test_names_are_those_that_users_type():
    six = ["s1_6c", "s2_6c", "s1s2_6c", "inception_6c"]
    assert list(EXPERIMENTS) == six + [name.replace("6c", "10c") for name in six]
    assert all(e.name == name for name, e in EXPERIMENTS.items())


def test_classification_has_the_classes():
    for experiment in EXPERIMENTS.values():
        typology = TYPOLOGIES[experiment.classification]
        assert len(typology) == experiment.classes
        assert experiment.name.endswith(f"_{typology.name}")


def test_the_classes_of_the_reference_can_be_learned_too():
    experiment = get_experiment("s1s2_14c")
    assert (experiment.classification, experiment.classes) == ("14c", 14)
    assert experiment.title == "ConvLSTM-S1S2"


@pytest.mark.fault("experiments: two groupings of as many classes -> each network with either")
def test_every_classification_of_a_dataset_has_its_experiments():
    """Also beside the paper's 6 and 10 classes, which once hid all others."""
    water = make_typology([("Land", "#000000", tuple(range(1, 14))), ("Water", "#ffffff", (14,))])
    urban = make_typology(
        [("Urban", "#000000", URBAN), ("Rest", "#ffffff", tuple(range(6, 15)))], "urban"
    )
    area = replace(MULTISENGE, name="area", groupings=(*MULTISENGE.groupings, water, urban))
    names = {name for name in experiments_of(area) if name.startswith("s1_")}
    assert names == {"s1_2c", "s1_urban", "s1_6c", "s1_10c", "s1_14c"}
    assert get_experiment("s1_urban", area).classes == 2


def test_unknown_name_is_refused_with_the_eight():
    with pytest.raises(ExperimentError, match=r"no experiment 'nonsense'.*inception_10c"):
        get_experiment("nonsense")


def test_known_name_is_found():
    assert get_experiment("s1s2_10c") == EXPERIMENTS["s1s2_10c"]


def test_another_dataset_has_its_own_experiments():
    typology = TYPOLOGIES["6c"]
    area = replace(
        MULTISENGE,
        months=(12, 2),
        bands={"s2": ("B2", "B8")},
        reference_classes=typology,
        groupings=(),
    )
    experiment = get_experiment("s2_6c", area)
    assert (experiment.months, experiment.sensors) == ((12, 2), ("s2",))
    with pytest.raises(
        ExperimentError, match=r"no experiment 's1_6c': choose one of s2_6c, or "
    ) as e:
        get_experiment("s1_6c", area)
    assert "such as utae_s2_6c;" in str(e.value)  # and not one of classes that it lacks


def test_experiments_do_not_change():
    with pytest.raises(FrozenInstanceError):
        EXPERIMENTS["s1_6c"].filters = 8
    with pytest.raises(TypeError):
        EXPERIMENTS["s1_6c"] = None
    assert replace(EXPERIMENTS["s1_6c"], filters=8).filters == 8
    assert EXPERIMENTS["s1_6c"].filters == 32


def test_an_area_with_the_papers_classes_keeps_its_own_months():
    area = replace(MULTISENGE, name="area", months=(12, 1, 2), years=(2022, 2023), days_gap=5)
    experiments = experiments_of(area)
    assert experiments.keys() == experiments_of(MULTISENGE).keys()
    assert {(e.months, e.days_gap) for e in experiments.values()} == {((12, 1, 2), 5)}
    assert EXPERIMENTS.items() <= experiments_of(MULTISENGE).items()
