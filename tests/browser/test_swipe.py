"""The swipe shows what the record holds."""

import numpy as np
import pytest

from multisenge_lib.chapters.interactive import packed
from multisenge_lib.dataset import TYPOLOGIES

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def page(part):
    return part("swipe")


def test_packed_bytes_come_back(page):
    values = np.random.default_rng(1).integers(0, 256, (3, 50, 7), dtype=np.uint8)
    back = page.evaluate("async text => [...(await parts.bytes(text))]", packed(values))
    assert back == values.ravel().tolist()


def test_errors_are_counted_where_the_reference_is_labelled(page):
    random = np.random.default_rng(2)
    reference = random.integers(0, 7, 500)
    ids = random.integers(1, 7, 500)
    found = page.evaluate(
        "([map, reference]) => parts.swipe.compare(map, reference)",
        [ids.tolist(), reference.tolist()],
    )
    wrong = (reference > 0) & (ids != reference)
    assert found["wrong"] == wrong.astype(int).tolist()
    assert found["labelled"] == (reference > 0).sum()
    assert found["right"] == ((reference > 0) & (ids == reference)).sum()


def test_classes_have_the_colours_of_the_typology(page):
    classes = [{"name": c.name, "color": c.color} for c in TYPOLOGIES["10c"].classes]
    script = "([ids, classes]) => [...parts.swipe.paintClasses(Uint8Array.from(ids), classes)]"
    pixels = np.reshape(page.evaluate(script, [list(range(11)), classes]), (11, 4))
    assert pixels[0].tolist() == [255, 255, 255, 255]
    for (red, green, blue, _), color in zip(pixels[1:], TYPOLOGIES["10c"].colors, strict=True):
        assert f"#{red:02x}{green:02x}{blue:02x}" == color


@pytest.mark.parametrize("classes", [6, 10])
def test_the_page_says_what_it_shows(browser, html, classes):
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    page.goto((html / f"results_{classes}.html").as_uri())
    figure = page.locator('figure.live.started[data-part="swipe"]')
    figure.wait_for()
    for button in figure.get_by_role("group", name="Patch").get_by_role("button").all():
        button.click()
        assert "% of this patch agrees with the reference" in figure.inner_text()
    assert figure.locator(".mark").inner_text() == "synthetic sample"
    before = figure.locator("canvas.right").evaluate("canvas => canvas.toDataURL()")
    figure.get_by_role("button", name="Mark errors").click()
    assert figure.locator("canvas.right").evaluate("canvas => canvas.toDataURL()") != before
    page.close()
