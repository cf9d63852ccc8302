"""Variants in the names of experiments."""

import pytest

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import VARIANTS, build_model, get_experiment, with_network


def test_a_variant_changes_one_choice():
    plain = get_experiment("inception_10c")
    variant = get_experiment("inception_10c+peepholes")
    assert variant.name == "inception_10c+peepholes"
    assert variant.title == f"{plain.title}, peepholes"
    assert variant.peephole and not plain.peephole


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_changes_something(name):
    plain = get_experiment("inception_10c")
    variant = get_experiment(f"inception_10c+{name}")
    changed = VARIANTS[name].experiment_changes
    for field, value in changed.items():
        assert getattr(plain, field) != value == getattr(variant, field)
    assert bool(changed) != bool(variant.variant_settings)


def test_a_variant_may_be_a_setting_of_the_training():
    variant = get_experiment("s2_6c+no_augmentation")
    assert variant.variant_settings == {"augmentation": "none"}


def test_variants_joined_in_any_order_are_one_experiment():
    one = get_experiment("inception_10c+peepholes+one_date")
    other = get_experiment("inception_10c+one_date+peepholes")
    assert one == other
    assert one.name == "inception_10c+one_date+peepholes"


def test_other_networks_have_variants_too():
    assert get_experiment("utae_s2_10c+one_date").first_dates == 1
    changed = with_network(get_experiment("s2_10c+one_date"), "utae")
    assert changed.name == "utae_s2_10c+one_date"


def test_a_variants_network_sees_one_date():
    model = build_model("stack_s2_6c+one_date", 32)
    assert model.name == "stack_s2_6c-one_date"  # a + is no part of a TensorFlow scope
    unet = model.get_layer("unet")
    assert unet.input_shape[-1] == 10  # the bands of one date


@pytest.mark.fault("variants: unknown, contradictory, without effect -> one line")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("s2_6c+dropout", "no variant 'dropout': choose among one_date"),
        ("s2_6c+", "no variant ''"),
        ("s2_6c+no_augmentation+extra_copies", "both change augmentation"),
        ("s2_6c+relu+relu", "both change activation"),
        ("utae_6c+peepholes", "peepholes is a choice of .*, and utae does not"),
        ("unet_6c+one_date", "one_date is a choice of .*, and unet does not have it"),
        ("s1s2_6c+no_pool", "no_pool is a choice of inception alone, and conv_lstm"),
        ("s2_6c+s1_linear", "changes nothing without Sentinel-1"),
    ],
)
def test_a_variant_that_makes_no_sense_is_refused(name, words):
    with pytest.raises(ExperimentError, match=words) as caught:
        get_experiment(name)
    assert "\n" not in str(caught.value)
