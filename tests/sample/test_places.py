"""Where the sample's patches lie, and the dates that they have."""

import numpy as np
import pytest

from multisenge_lib.dataset import SAMPLE, dataset_of_root
from multisenge_lib.dataset.grid import tile_corner
from multisenge_lib.dataset.layout import MULTISENGE, PATCH_SPACING, PIXEL
from multisenge_lib.errors import DescriptionError
from multisenge_lib.sample.places import PLACES, draw_acquisitions, s1_orbit
from multisenge_lib.sample.themes import THEMES

#: Side of the largest patch that can be written, in pixels.
LARGEST = 256


def upper_left(tile, x, y):
    """Zone, west and north edge of a patch, in metres."""
    west, north, epsg = tile_corner(tile)
    return epsg, west + PIXEL * x, north - PIXEL * y


def test_there_are_enough_patches_in_every_split():
    count = dict.fromkeys(("train", "validation", "test"), 0)
    for place in PLACES:
        if place.series == "complete":
            count[MULTISENGE.split_of(place.tile)] += 1
    assert count == {"train": 64, "validation": 48, "test": 72}


def test_each_theme_is_in_every_split():
    for split in ("train", "validation", "test"):
        themes = {p.theme for p in PLACES if MULTISENGE.split_of(p.tile) == split}
        assert themes == set(THEMES)


def test_no_name_can_be_one_of_multisenge():
    for place in PLACES:
        assert place.x % PATCH_SPACING != 0
        assert place.y % PATCH_SPACING != 0


@pytest.mark.fault("sample: its marker is lost -> its label files are not taken for MultiSenGE's")
def test_without_its_marker_the_sample_is_not_multisenge(tmp_path):
    (tmp_path / "labels").mkdir()
    for place in PLACES:
        (tmp_path / "labels" / f"{place.patch}.json").touch()
    with pytest.raises(DescriptionError, match="is not MultiSenGE"):
        dataset_of_root(tmp_path)


def test_patches_lie_inside_their_tile_and_apart_from_each_other():
    corners = {}
    for place in PLACES:
        assert max(place.x, place.y) + LARGEST <= 10_980
        epsg, west, north = upper_left(place.tile, place.x, place.y)
        corners.setdefault(epsg, []).append((west, north))
    for corners_of_zone in corners.values():
        corner = np.array(corners_of_zone)
        apart = np.abs(corner[:, None] - corner[None, :]).max(axis=2)
        np.fill_diagonal(apart, 10**9)
        assert apart.min() >= LARGEST * PIXEL


def test_no_patch_touches_one_of_multisenge(real_index):
    real = {}
    for row in real_index.itertuples():
        epsg, west, north = upper_left(row.tile, row.x, row.y)
        real.setdefault(epsg, []).append((west, north))
    for place in PLACES:
        epsg, west, north = upper_left(place.tile, place.x, place.y)
        apart = np.abs(np.array(real[epsg]) - (west, north)).max(axis=1)
        assert apart.min() >= LARGEST * PIXEL, place.patch


def test_dates_are_those_of_the_published_dataset(real_index):
    for tile, rows in real_index.groupby("tile"):
        places = [place for place in PLACES if place.tile == tile]
        real_s1 = np.unique(np.concatenate(list(rows["s1_dates"])))
        real_s2 = np.unique(np.concatenate(list(rows["s2_dates"])))
        for place in places:
            dates = draw_acquisitions(place, seed=2020)
            assert np.isin(dates.s1, real_s1).all()
            assert np.isin(dates.s2, real_s2).all()


def test_every_month_keeps_a_sentinel1_file():
    for place in PLACES:
        dates = draw_acquisitions(place, seed=2020)
        on_disk = np.setdiff1d(dates.s1, dates.s1_missing)
        months = on_disk.astype("datetime64[M]").astype(int) % 12 + 1
        assert set(SAMPLE.months) <= set(months)


def test_an_orbit_passes_every_six_days():
    place = PLACES[0]
    day = draw_acquisitions(place, seed=2020).s1[0]
    assert s1_orbit(place.tile, day) == s1_orbit(place.tile, day + 6)


def test_a_day_without_a_pass_is_an_error():
    with pytest.raises(ValueError, match="no orbit of Sentinel-1 passes over 31UEQ"):
        s1_orbit("31UEQ", np.datetime64("2020-07-03"))


def test_the_sample_shows_test_patches_of_its_own():
    themes = {place.patch: place.theme for place in PLACES}
    assert [themes[patch] for patch in SAMPLE.showcase] == ["city", "town", "village"]
    assert not set(SAMPLE.showcase) & set(MULTISENGE.showcase)
    assert {MULTISENGE.split_of(patch.split("_")[0]) for patch in SAMPLE.showcase} == {"test"}
