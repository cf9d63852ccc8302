"""The sample's year beside that of a real village, field by field.

The numbers of the village are measured on the cube that the book ships
(`book/data/village/worldcereal-village.nc`): its composites of July, August and September 2021 and
of November 2020, the months that the paper uses. The twelve composites are one village of one year,
so the tolerances are wide.
"""

import numpy as np
import pytest

from multisenge_lib import paths
from multisenge_lib.chapters import read_village
from multisenge_lib.chapters.seasons import (
    find_buildings,
    find_fields,
    ndvi,
    seasonal_change,
)
from multisenge_lib.dataset import S2_BANDS, load_selection, read_patch

ARABLE = 6
DENSE = 1
SPARSE = 2
#: Positions of July, August, September 2021 and November 2020 among the cube's ten images.
FOUR_MONTHS = [6, 7, 8, 0]


@pytest.fixture(scope="module")
def village():
    """The village's ten cloud-free images, `(10, 100, 100, 10)`; B8 stands in for B8A."""
    path = paths.PROJECT / "book" / "data" / "village" / "worldcereal-village.nc"
    _, images = read_village(path)
    return images


@pytest.fixture(scope="module")
def real_fields(village):
    inside = find_fields(village) > 0
    return seasonal_change(village[FOUR_MONTHS][:, inside])


@pytest.fixture(scope="module")
def real_buildings(village):
    return seasonal_change(village[FOUR_MONTHS][:, find_buildings(village)])


@pytest.fixture(scope="module")
def sample_change(sample_root):
    """Of each class, the change over the four dates of half of the sample's patches."""
    images = {ARABLE: [], DENSE: [], SPARSE: []}
    for row in load_selection(sample_root, sensors=("s2",)).iloc[::2].itertuples():
        patch = read_patch(sample_root, row, ("s2",))
        for land_class, pixels in images.items():
            pixels.append(patch.s2[:, patch.reference == land_class])
    return {
        land_class: seasonal_change(np.concatenate(pixels, axis=1))
        for land_class, pixels in images.items()
    }


def mean_by_date(change, row):
    return change.loc[row, ["date 1", "date 2", "date 3", "date 4"]].to_numpy(float)


def test_change_by_hand():
    """Two pixels, two dates: B8 goes from 3,000 to 2,000 and from 1,000 to 1,400."""
    pixels = np.full((2, 2, 10), 1000.0)
    pixels[:, :, S2_BANDS.index("B8")] = [[3000, 1000], [2000, 1400]]
    change = seasonal_change(pixels)
    assert change.loc["B8", "date 1"] == 2000
    assert change.loc["B8", "date 2"] == 1700
    assert change.loc["B8", "step"] == (1000 + 400) / 2
    assert change.loc["B4", "range"] == 0
    # NDVI from 0.5 to 1/3, and from 0 to 1/6.
    assert change.loc["NDVI", "step"] == pytest.approx(1 / 6)


def test_ndvi_of_equal_bands_is_zero():
    assert ndvi(np.full((3, 10), 500)).tolist() == [0, 0, 0]


def test_the_villages_fields_are_found(village):
    fields = find_fields(village)
    assert fields.max() == 10
    # 28 of the 100 hectares.
    assert (fields > 0).sum() == pytest.approx(2825, rel=0.02)
    # A large field in the east, and the street of the village.
    assert fields[35, 85] > 0
    assert fields[50, 50] == 0


def test_the_villages_change(real_fields, real_buildings):
    """What the other tests compare with, as measured in November 2026."""
    np.testing.assert_allclose(mean_by_date(real_fields, "B8"), [3613, 2792, 2537, 2377], atol=40)
    np.testing.assert_allclose(
        mean_by_date(real_fields, "NDVI"), [0.55, 0.33, 0.25, 0.42], atol=0.02
    )
    assert real_fields.loc["B8", "step"] == pytest.approx(723, rel=0.03)
    assert real_fields.loc["NDVI", "step"] == pytest.approx(0.176, rel=0.03)
    assert real_fields.loc["NDVI", "range"] == pytest.approx(0.39, rel=0.03)
    assert real_buildings.loc["B8", "step"] == pytest.approx(349, rel=0.03)
    assert real_buildings.loc["NDVI", "step"] == pytest.approx(0.052, rel=0.03)


def test_arable_land_darkens_as_real_fields_do(sample_change, real_fields):
    ours = mean_by_date(sample_change[ARABLE], "B8")
    np.testing.assert_allclose(ours, mean_by_date(real_fields, "B8"), rtol=0.15)
    # The sample of before kept B8 from 2,850 to 2,570, a tenth less, in four months.
    assert ours[3] < 0.72 * ours[0]
    assert (np.diff(ours) < 0).all()


def test_single_fields_change_as_much_as_real_ones(sample_change, real_fields):
    ours = sample_change[ARABLE]
    assert ours.loc["B8", "step"] == pytest.approx(real_fields.loc["B8", "step"], rel=0.3)
    assert ours.loc["NDVI", "step"] == pytest.approx(real_fields.loc["NDVI", "step"], rel=0.25)
    assert ours.loc["NDVI", "range"] == pytest.approx(real_fields.loc["NDVI", "range"], rel=0.25)


def test_single_fields_change_more_than_their_mean(sample_change):
    """One field is cut while another turns green: in the mean both cancel."""
    ours = sample_change[ARABLE]
    step_of_the_mean = np.abs(np.diff(mean_by_date(ours, "NDVI"))).mean()
    assert ours.loc["NDVI", "step"] > 1.5 * step_of_the_mean


@pytest.mark.fault("sample: built-up land changed more than fields -> less in all bands and NDVI")
@pytest.mark.parametrize("built", [DENSE, SPARSE])
@pytest.mark.parametrize("row", [*S2_BANDS, "NDVI"])
def test_built_up_land_changes_less_than_fields(sample_change, built, row):
    assert sample_change[built].loc[row, "step"] < 0.8 * sample_change[ARABLE].loc[row, "step"]


def test_the_means_of_built_up_land_fall_less_than_those_of_fields(sample_change):
    """What a figure of class means shows, from July to November, in reflectance."""
    fall = {}
    for land_class, change in sample_change.items():
        fall[land_class] = (change["date 1"] - change["date 4"]).drop("NDVI")
    assert (fall[DENSE] < fall[ARABLE]).all()
    assert (fall[SPARSE] < fall[ARABLE]).all()


def test_gardens_change_as_real_ones(sample_change, real_buildings):
    ours = sample_change[SPARSE]
    assert ours.loc["B8", "step"] == pytest.approx(real_buildings.loc["B8", "step"], rel=0.3)
    np.testing.assert_allclose(
        mean_by_date(ours, "NDVI"), mean_by_date(real_buildings, "NDVI"), atol=0.05
    )
