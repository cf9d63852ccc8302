"""Figures as they are shown: told apart by everybody, marked where they show the sample."""

import base64
import io
import itertools
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from colorspacious import cspace_converter
from matplotlib.colors import to_rgb
from PIL import Image

from multisenge_lib.chapters import style
from multisenge_lib.dataset import TYPOLOGIES

matplotlib.use("Agg")
SIGHTS = [None, "protanomaly", "deuteranomaly", "tritanomaly"]
#: CIEDE2000 between two classes of a map; 2.3 is just noticeable side by side.
APART = {"14c": 9, "10c": 11, "6c": 17}


@pytest.fixture(autouse=True)
def close():
    style.use_style()
    yield
    plt.close("all")


def as_seen(colors, sight):
    """CIELAB of colours as somebody sees them who lacks a kind of cone."""
    rgb = np.array([to_rgb(color) for color in colors])
    if sight:
        space = {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}
        rgb = np.clip(cspace_converter(space, "sRGB1")(rgb), 0, 1)
    return cspace_converter("sRGB1", "CIELab")(rgb)


def ciede2000(one, other):
    """Sharma, Wu and Dalal 2005."""
    (l1, a1, b1) = one
    (l2, a2, b2) = other
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25**7))
    c1 = np.hypot(g * a1, b1)
    c2 = np.hypot(g * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, g * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    h = h1 + turn / 2
    c = (c1 + c2) / 2
    light = (l1 + l2) / 2 - 50
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    t = 1 + sum(size * np.cos(np.radians(k * h + by)) for size, k, by in waves)
    parts = (
        (l2 - l1) / (1 + 0.015 * light**2 / np.sqrt(20 + light**2)),
        (c2 - c1) / (1 + 0.045 * c),
        2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * c * t),
    )
    bend = 60 * np.exp(-((((h % 360) - 275) / 25) ** 2))
    cross = -2 * np.sqrt(c**7 / (c**7 + 25**7)) * np.sin(np.radians(bend))
    return float(np.sqrt(sum(p**2 for p in parts) + cross * parts[1] * parts[2]))


def test_the_colour_difference_is_the_published_one():
    assert ciede2000((50, 2.6772, -79.7751), (50, 0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((50, 2.5, 0), (73, 25, -18)) == pytest.approx(27.1492, abs=1e-4)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", TYPOLOGIES)
def test_classes_are_told_apart_by_everybody(name, sight):
    typology = TYPOLOGIES[name]
    pairs = itertools.combinations(
        zip(typology.names, as_seen(typology.colors, sight), strict=True), 2
    )
    near = {(a, b): ciede2000(x, y) for (a, x), (b, y) in pairs}
    assert {pair: apart for pair, apart in near.items() if apart < APART[name]} == {}


def contrast(color, ground="#ffffff"):
    def light(color):
        rgb = np.array(to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ (0.2126, 0.7152, 0.0722)

    low, high = sorted((light(color), light(ground)))
    return (high + 0.05) / (low + 0.05)


def test_colours_of_splits_are_seen_on_white_and_told_apart():
    colors = list(style.SPLIT_COLORS.values())
    assert min(map(contrast, colors)) >= 3
    for sight in SIGHTS:
        pairs = itertools.combinations(as_seen(colors, sight), 2)
        assert min(ciede2000(*pair) for pair in pairs) > 15


@pytest.mark.parametrize("name", TYPOLOGIES)
def test_every_class_is_drawn_in_its_own_colour(name):
    typology = TYPOLOGIES[name]
    ids = np.arange(len(typology) + 1, dtype=np.uint8)[None]
    drawn = style.show(plt.subplots()[1], ids, "", typology).images[0].get_array()[0, :, :3]
    np.testing.assert_allclose(drawn[1:], [to_rgb(c) for c in typology.colors], atol=1 / 255)
    np.testing.assert_allclose(drawn[0], 1)


def images(html):
    encoded = re.findall(r'data:image/webp;base64,([^"]+)" width="(\d+)"', html)
    return [(Image.open(io.BytesIO(base64.b64decode(data))), int(width)) for data, width in encoded]


def draw(width):
    return style.panels(1, width, (1, 1), 1)[0]


def test_a_picture_is_drawn_for_the_column_and_for_the_phone():
    html = style.responsive_figure(draw, alt='a "field"').data
    assert [width for _, width in images(html)] == [355, 749]
    assert all(image.width == pytest.approx(1.5 * width, abs=1) for image, width in images(html))
    assert 'alt="a &quot;field&quot;"' in html
    assert plt.get_fignums() == []


def test_paper_gets_the_picture_of_the_column():
    """A sheet is as narrow as a phone: the drawing for the phone is for screens alone."""
    html = style.responsive_figure(draw, alt="").data
    assert '<source media="screen and (max-width: 720px)"' in html


def test_the_sample_is_written_into_the_picture():
    (plain, _), (marked, _) = (
        images(style.responsive_figure(draw, alt="", sample=sample).data)[1]
        for sample in (False, True)
    )
    assert marked.height > plain.height
    figure = draw(style.DESKTOP_WIDTH)
    style.mark_sample(figure)
    assert "synthetic sample" in figure.texts[0].get_text()


def test_labels_are_spread_in_their_order():
    placed = style.spread_labels(np.array([3.0, 1.0, 1.1, 1.05]), 0.5)
    assert list(np.argsort(placed)) == [1, 3, 2, 0]
    assert np.diff(np.sort(placed)).min() > 0.49


@pytest.mark.fault("figures: a grid of images without a map -> drawn without a legend")
def test_a_grid_without_maps_has_no_legend():
    image = np.zeros((8, 8, 3))
    figure = style.image_grid([("July", image, None), ("November", image, None)], (2, 1))
    assert figure.legends == []
    no_data = np.zeros((8, 8), np.uint8)
    assert style.image_grid([("map", no_data, TYPOLOGIES["10c"])], (2, 1)).legends == []


def test_a_very_wide_interval_does_not_widen_the_axis():
    values = [0.5, 0.6]
    none = [float("nan"), float("nan")]
    assert style.interval_limits(values, none, none) == pytest.approx((0.494, 0.606))
    assert style.interval_limits(values, [-3, 0.58], [4, 0.62]) == pytest.approx((0.444, 0.656))


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    _, ax = plt.subplots()
    lows = [-3, float("nan")]
    highs = [0.55, float("nan")]
    style.draw_intervals(ax, [0, 1], lows, highs, (0.4, 0.6), "#000000")
    lines, arrow = ax.collections
    assert lines.get_segments()[0].tolist() == [[0.4, 0], [0.55, 0]]
    assert arrow.get_offsets().tolist() == [[0.4, 0]]
    assert ax.get_xlim() == (0.4, 0.6)
