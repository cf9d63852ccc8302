"""The reason why nothing is selected, for each way in which a series can be incomplete."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from multisenge_lib.dataset import MULTISENGE, Blocks, select, why_none_selected, why_root_has_none

SUMMER = replace(MULTISENGE, months=(7, 8), days_gap=17)
RADAR = replace(SUMMER, bands={"s1": MULTISENGE.bands["s1"]})
JULY = ("2020-07-01", "2020-07-20")
BOTH = ("2020-07-20", "2020-08-20")


def index_of(*patches):
    """An index of patches beside each other; each has its Sentinel-2 and Sentinel-1 dates."""
    rows = []
    for number, (s2_dates, s1_dates) in enumerate(patches):
        x = 257 * number
        dates = {"s2_dates": s2_dates, "s1_dates": s1_dates}
        arrays = {name: np.array(days, "datetime64[D]") for name, days in dates.items()}
        rows.append({"patch": f"31UEQ_{x}_0", "tile": "31UEQ", "x": x, "y": 0} | arrays)
    return pd.DataFrame(rows)


@pytest.mark.fault("selection: nothing has a full series -> the reason, and what to change")
@pytest.mark.parametrize(
    "dataset, patches, reason",
    [
        (SUMMER, [(JULY, BOTH)], "no patch has a Sentinel-2 image of month 8: choose months"),
        (SUMMER, [((), BOTH)], "no patch has a Sentinel-2 image of months 7 and 8: "),
        (
            SUMMER,
            [(("2020-07-20", "2020-08-02"), BOTH)],
            "no patch has Sentinel-2 images of months 7 and 8 that lie at least 17 days apart: ",
        ),
        (
            SUMMER,
            [(JULY, BOTH), (("2020-08-20",), BOTH)],
            "no patch has Sentinel-2 images of months 7 and 8 within one series",
        ),
        (SUMMER, [(BOTH, JULY)], "no patch has a Sentinel-1 image of month 8, and each Sentinel-2"),
        (
            SUMMER,
            [(BOTH, ("2019-07-20", "2019-08-20"))],
            "no patch has Sentinel-1 images of the same months and years as its Sentinel-2",
        ),
        (
            replace(SUMMER, s1_rule="first2"),
            [(BOTH, BOTH)],
            "no patch has 2 Sentinel-1 images in the month of each Sentinel-2 image: choose",
        ),
        (
            replace(SUMMER, s1_rule="nearest"),
            [(BOTH, ("2020-07-20",))],
            "no patch has a Sentinel-1 image within 24 days of each Sentinel-2 image: choose",
        ),
        (RADAR, [(BOTH, JULY)], "no patch has a Sentinel-1 image of month 8: choose months"),
    ],
)
@pytest.mark.filterwarnings("ignore:left out 1 patch without a Sentinel-1 image")
def test_the_reason_is_the_cause(dataset, patches, reason):
    index = index_of(*patches)
    assert select(index, dataset=dataset).empty
    assert str(why_none_selected(index, dataset)).startswith(reason)


def test_a_patch_with_a_series_that_is_too_near_to_another_split():
    """Of four blocks in a row the only patch with a series lies between two splits."""
    tiles = {"31UEQ": "blocks"}
    near = replace(SUMMER, split_of_tile=tiles, blocks=Blocks(5140, 100, (0.5, 0.25, 0.25), 1))
    with pytest.warns(UserWarning, match="left out, within 100 m"):
        index = index_of(*[(JULY, JULY)] * 12)
        splits = select(index.assign(s2_dates=index["s2_dates"]), months=(7,), dataset=near)
    taken = set(splits["patch"])
    series = [(JULY if patch in taken else BOTH,) * 2 for patch in index["patch"]]
    index = index_of(*series)
    with pytest.warns(UserWarning, match="left out, within 100 m"):
        assert select(index, dataset=near).empty
    reason = "every patch with a full series is too near to another split"
    assert str(why_none_selected(index, near)).startswith(reason)


def test_no_patch_at_all():
    index = index_of((BOTH, BOTH)).iloc[:0]
    assert str(why_none_selected(index, SUMMER)) == "there is no patch: look into labels/"


def test_a_root_is_judged_by_what_is_on_disk(tmp_path):
    from rasters import DAYS, PATCHES, write_root

    from multisenge_lib.dataset import raster_path

    write_root(tmp_path, patches=PATCHES[:1])
    dataset = replace(SUMMER, patch_pixels=32)
    raster_path(tmp_path, "s2", PATCHES[0], DAYS[0]).unlink()
    reason = why_root_has_none(tmp_path, ("s1", "s2"), dataset)
    assert reason.cause == "no patch has a Sentinel-2 image of month 7"


def test_only_the_tiles_of_the_selection_count(tmp_path):
    """The other tile has both months; this one lacks July."""
    from rasters import DAYS, write_root

    from multisenge_lib.dataset import raster_path, with_selection

    write_root(tmp_path, patches=("31UEQ_0_0", "31UFP_0_0"))
    raster_path(tmp_path, "s2", "31UFP_0_0", DAYS[0]).unlink()
    dataset = with_selection(MULTISENGE, months="7,8", tiles="31UFP")
    assert why_root_has_none(tmp_path, ("s1", "s2"), dataset).cause.endswith("image of month 7")
