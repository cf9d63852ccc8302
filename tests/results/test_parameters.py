"""The parameters of a record: what papermill reads gives the same settings and selection."""

from dataclasses import asdict, replace

import pytest
import yaml
from records import make_record

from multisenge_lib.dataset import MULTISENGE, selection_parameters, with_selection
from multisenge_lib.errors import RecordError
from multisenge_lib.results.parameters import to_parameters, to_yaml
from multisenge_lib.training import Settings, settings_from_parameters


def test_settings_come_back_from_the_file():
    settings = Settings(epochs=7, seed=3, learning_rate=3e-5, augmentation="extend", jit=None)
    text = to_yaml(make_record("s1s2_10c", 3, settings=asdict(settings)))
    parameters = yaml.safe_load(text)
    assert parameters["exp"] == "s1s2_10c"
    assert Settings(**settings_from_parameters(parameters)) == settings
    assert text.startswith("# s1s2_10c on sample, seed 3, as it was trained until 2026-01-01")


def test_a_selection_comes_back_from_the_file():
    selected = with_selection(
        MULTISENGE, months="7,8", days_gap=9, s1_rule="nearest", tiles="31UEQ,31UFP=train"
    )
    record = make_record(
        "s1s2_10c",
        dataset=selected.name,
        settings=asdict(Settings()),
        selection=selection_parameters(selected),
    )
    parameters = yaml.safe_load(to_yaml(record))
    names = ("months", "days_gap", "s1_rule", "tiles")
    again = with_selection(MULTISENGE, **{name: parameters[name] for name in names})
    assert again == selected
    settings_from_parameters(parameters)  # refuses a parameter that the notebook does not have


def test_the_selection_of_a_dataset_itself_needs_no_parameters():
    assert selection_parameters(MULTISENGE) == {}
    one_month = with_selection(MULTISENGE, months=7)
    assert with_selection(MULTISENGE, **selection_parameters(one_month)) == one_month


def test_left_out_patches_are_left_out_again():
    settings = {"epochs": 5, "reader_threads": 2, "jit": None}
    record = make_record(settings=settings, skipped=({"patch": "a"},))
    assert to_parameters(record) == {
        "exp": "s1_6c",
        "epochs": 5,
        "reader_threads": 2,
        "on_error": "skip",
    }


def test_records_that_do_not_say_how_they_were_trained_are_refused():
    with pytest.raises(RecordError, match="it is of an evaluation"):
        to_parameters(make_record(settings={}))


def test_a_network_of_a_file_comes_back_with_the_experiment_that_says_its_data():
    record = make_record("s2_10c")
    choices = {"network": "mine.py:build", "sensors": ["s2"]}
    metadata = replace(record.metadata, experiment="mine_s2_10c+one_date", choices=choices)
    parameters = to_parameters(replace(record, metadata=metadata))
    assert parameters["exp"] == "s2_10c+one_date"
    assert parameters["network"] == "mine.py:build"


def test_the_file_says_which_network_of_a_users_file_it_was():
    """An edited file of the same name would train another network without a word."""
    choices = {"network": "mine.py:build", "network_digest": "0a1b", "sensors": ["s2"]}
    record = make_record("s2_10c", choices=choices)
    text = to_yaml(record)
    assert "-p network FOLDER/mine.py:build\n# (SHA-256 0a1b; another hash" in text
    assert yaml.safe_load(text) == to_parameters(record)


def test_the_file_says_from_which_weights_training_started():
    start = {"experiment": "s2_6c", "dataset": "area", "digest": "0a1b", "part": "encoder"}
    text = to_yaml(make_record(start_from=start))
    assert "weights of s2_6c on area" in text and "start_from_part encoder" in text
    assert yaml.safe_load(text) == to_parameters(make_record())


@pytest.mark.fault("config: line breaks in what a record says of itself -> no parameters")
def test_the_head_of_the_file_holds_comments_alone():
    start = {"experiment": "a\nepochs: 1", "dataset": "b", "digest": "c", "part": "all\nseed: 9"}
    choices = {"network": "x\nseed: 9.py:build", "network_digest": "0\nseed: 9", "sensors": ["s1"]}
    record = make_record(start_from=start, choices=choices, finished="2026\nb: 2")
    assert yaml.safe_load(to_yaml(record)) == to_parameters(record)


def test_a_forest_is_not_for_the_notebook():
    with pytest.raises(RecordError, match="which the notebook does not train"):
        to_parameters(make_record(choices={"network": "forest"}))


def test_an_experiment_that_was_changed_in_python_is_not_for_the_notebook():
    """The notebook would train the network of the same name, with 32 filters."""
    to_parameters(make_record("s1s2_10c", choices={"filters": 32}))
    with pytest.raises(RecordError, match=r"choices that its name does not give .filters 16"):
        to_parameters(make_record("s1s2_10c", choices={"filters": 16}))
    to_parameters(make_record("s1s2_10c+one_date", choices={"first_dates": 1}))


def test_the_order_of_unnamed_bands_comes_back():
    assert "band_order" not in to_parameters(make_record())
    assert to_parameters(make_record(band_order="resolution"))["band_order"] == "resolution"
