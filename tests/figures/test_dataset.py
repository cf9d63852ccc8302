import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from multisenge_lib.dataset import census, decibel, geo
from multisenge_lib.dataset.typology import TYPOLOGIES
from multisenge_lib.figures import dataset as plotting

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def taken():
    return census.load_census(lambda: None)


@pytest.fixture(scope="module")
def outlines(taken):
    return geo.tile_outlines(list(taken.tiles.index))


@pytest.mark.parametrize("count", TYPOLOGIES)
def test_every_class_is_drawn_in_its_own_colour(count):
    typology = TYPOLOGIES[count]
    ids = np.arange(count + 1, dtype=np.uint8)[None]
    _, ax = plt.subplots()
    image = plotting.show_classes(ax, ids, typology).images[0]
    drawn = image.cmap(image.norm(ids[0]))[:, :3]
    np.testing.assert_allclose(drawn[1:], [to_rgb(c) for c in typology.colors], atol=1 / 255)
    np.testing.assert_allclose(drawn[0], 1)


def test_composites_are_images():
    s2 = np.random.default_rng(0).integers(0, 9000, (8, 8, 10)).astype(np.uint16)
    s1 = np.random.default_rng(0).exponential(0.1, (8, 8, 2)).astype(np.float32)
    for image in (plotting.true_color(s2), plotting.radar_color(s1)):
        assert image.shape == (8, 8, 3)
        assert image.min() >= 0
        assert image.max() <= 1


def test_true_colour_is_red_green_blue():
    s2 = np.zeros((1, 1, 10))
    s2[..., 2] = 2000  # B4, red
    np.testing.assert_allclose(plotting.true_color(s2)[0, 0], [1, 0, 0])


def test_decibel_of_nothing_is_finite():
    np.testing.assert_allclose(decibel(np.array([1.0, 0.1, 0.0])), [0, -10, -50])


def test_month_bars_show_the_counts(taken):
    figure = plotting.month_bars(taken.months, 8157, (7, 8, 9, 11))
    assert [bar.get_height() for bar in figure.axes[0].patches] == taken.months.tolist()


def test_region_map_holds_every_patch_once(taken, outlines):
    figure = plotting.region_map(taken.density, outlines, census.CELL)
    mesh = figure.axes[0].collections[0].get_array()
    assert np.ma.masked_invalid(mesh).sum() == 8157


def test_split_map_names_the_counts(taken, outlines):
    figure = plotting.split_map(taken.density, outlines)
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "train (3,369 patches)",
        "validation (1,911 patches)",
        "test (610 patches)",
    ]


def test_gap_map_shows_one_gap_at_a_time(taken, outlines):
    figure = plotting.gap_map(taken.density, taken.days_gaps, outlines)
    gaps = [trace for trace in figure.data if "patches" in (trace.name or "")]
    assert [trace.visible for trace in gaps] == [gap == 17 for gap in taken.days_gaps.index]
    for gap, trace in zip(taken.days_gaps.index, gaps, strict=True):
        assert trace.customdata[:, 0].sum() == taken.days_gaps[gap]
    for step in figure.layout.sliders[0].steps:
        assert sum(step.args[0]["visible"]) == 3


def test_table_3_has_a_row_a_class():
    table = plotting.typology_table(TYPOLOGIES)
    assert table.loc[13].tolist() == ["Wetlands (13)", "Water Surfaces (10)", "Non-urban areas (6)"]
