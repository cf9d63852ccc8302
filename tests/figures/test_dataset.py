import numpy as np
import pytest

from multisenge_lib.dataset import MULTISENGE, census, geo
from multisenge_lib.figures import dataset as drawn


@pytest.fixture(scope="module")
def taken():
    return census.load_census(lambda: None)


@pytest.fixture(scope="module")
def outlines(taken):
    return geo.tile_outlines(list(taken.tiles.index))


def test_composites_are_images():
    s2 = np.random.default_rng(0).integers(0, 9000, (8, 8, 10)).astype(np.uint16)
    s1 = np.random.default_rng(0).exponential(0.1, (8, 8, 2)).astype(np.float32)
    for image in (drawn.true_color(s2), drawn.radar_color(s1)):
        assert image.shape == (8, 8, 3)
        assert image.min() >= 0
        assert image.max() <= 1


def test_true_colour_is_red_green_blue():
    s2 = np.zeros((1, 1, 10))
    s2[..., 2] = 2000  # B4, red
    np.testing.assert_allclose(drawn.true_color(s2)[0, 0], [1, 0, 0])


def test_month_bars_show_the_counts(taken):
    figure = drawn.month_bars(taken.months, 8157, (7, 8, 9, 11))
    assert [bar.get_width() for bar in figure.axes[0].patches] == taken.months.tolist()


def test_region_map_holds_every_patch_once(taken, outlines):
    figure = drawn.region_map(taken.density, outlines, census.CELL)
    mesh = figure.axes[0].collections[0].get_array()
    assert np.ma.masked_invalid(mesh).sum() == 8157


def test_split_map_names_the_counts(taken, outlines):
    figure = drawn.split_map(taken.density, outlines)
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "train (3,369 patches)",
        "validation (1,911 patches)",
        "test (610 patches)",
    ]


def test_gap_maps_show_what_remains(taken, outlines):
    figure = drawn.gap_maps(taken.density, taken.days_gaps, outlines)
    for ax, (gap, total) in zip(figure.axes, taken.days_gaps.items(), strict=True):
        assert ax.get_title() == f"{gap} days: {total:,}"
        dots = ax.collections[0].get_sizes()
        assert len(dots) == (taken.density[f"gap{gap}"] > 0).sum()


def test_names_of_tiles_stand_in_their_squares_and_off_the_cities(outlines):
    places = drawn._tile_labels(outlines)
    boxes = outlines.set_index("tile").bounds
    for tile, (lon, lat) in places.items():
        box = boxes.loc[tile]
        assert box["minx"] < lon < box["maxx"] and box["miny"] < lat < box["maxy"]
        assert min(np.hypot(lon - x, lat - y) for x, y in MULTISENGE.cities.values()) > 0.2
