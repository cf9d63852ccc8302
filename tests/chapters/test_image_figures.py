import numpy as np
import pytest

from multisenge_lib.audit import read_label_counts
from multisenge_lib.chapters import image_figures as drawn
from multisenge_lib.dataset import MULTISENGE, grid


@pytest.fixture(scope="module")
def taken():
    return read_label_counts()


@pytest.fixture(scope="module")
def outlines(taken):
    return grid.tile_outlines(list(taken.tiles.index))


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


def test_true_colour_of_an_own_area_takes_bands_by_name():
    s2 = np.zeros((1, 1, 4))
    s2[..., 3] = 2000
    bands = ("B3", "B2", "B8", "B4")
    np.testing.assert_allclose(drawn.true_color(s2, bands=bands)[0, 0], [1, 0, 0])
    grey = drawn.true_color(s2 + 1000, bands=("B8", "B11", "B12", "B5"))[0, 0]
    assert grey[0] == grey[1] == grey[2] > 0


def test_month_bars_show_the_counts(taken):
    figure = drawn.month_bars(taken.months, 8157, (7, 8, 9, 11))
    assert [bar.get_width() for bar in figure.axes[0].patches] == taken.months.tolist()


def test_dot_maps_show_every_patch_once(taken, outlines):
    figure = drawn.dot_maps(taken.density, outlines, {"": {"patches": "patches"}})
    sizes = figure.axes[0].collections[0].get_sizes()
    counted = sizes / sizes.max() * taken.density["patches"].max()
    assert counted.sum() == pytest.approx(8157)


def test_the_legend_names_the_splits(taken, outlines):
    splits = {split: f"{split} ({n:,} patches)" for split, n in taken.splits.items()}
    figure = drawn.dot_maps(taken.density, outlines, {"": splits})
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "train (3,369 patches)",
        "validation (1,911 patches)",
        "test (610 patches)",
    ]


def test_each_map_shows_its_column(taken, outlines):
    maps = {f"{gap} days": {f"gap{gap}": ""} for gap in taken.days_gaps.index}
    figure = drawn.dot_maps(taken.density, outlines, maps, (3, 2))
    for ax, (title, (column,)) in zip(figure.axes, maps.items(), strict=True):
        assert ax.get_title() == title
        assert len(ax.collections[0].get_sizes()) == (taken.density[column] > 0).sum()


def test_names_of_tiles_stand_in_their_squares_and_off_the_cities(outlines):
    dots = np.empty((0, 2))
    places = drawn._tile_labels(outlines, dots)
    boxes = outlines.set_index("tile").bounds
    for tile, (lon, lat) in places.items():
        box = boxes.loc[tile]
        assert box["minx"] < lon < box["maxx"] and box["miny"] < lat < box["maxy"]
        assert min(np.hypot(lon - x, lat - y) for x, y in MULTISENGE.cities.values()) > 0.2


def test_names_of_tiles_keep_off_dots_and_off_each_other(outlines):
    free = drawn._tile_labels(outlines, np.empty((0, 2)))
    # A dot where each name would stand without dots: all tiles have another place.
    dots = np.array(list(free.values()))
    places = np.array(list(drawn._tile_labels(outlines, dots).values()))
    for number, place in enumerate(places):
        assert not (np.abs(dots - place) < (0.3, 0.1)).all(axis=1).any()
        others = np.delete(places, number, axis=0)
        assert not (np.abs(others - place) < (0.85, 0.2)).all(axis=1).any()
