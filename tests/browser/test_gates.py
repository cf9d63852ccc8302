"""The gate stepper shows the layer's own numbers, and they obey Eq. 3."""

import re

import numpy as np
import pytest

from multisenge_lib.chapters.interactive import packed

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def page(part):
    return part("gates")


@pytest.fixture(scope="module")
def stepper(browser, html):
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    page.goto((html / "conv_lstm.html").as_uri())
    # A reader asks for these data: they are large.
    page.get_by_role("button", name="Open the interactive figure").click()
    figure = page.locator('figure.live.started[data-part="gates"]')
    figure.wait_for()
    yield figure
    page.close()


def test_steps_come_back_as_values(page):
    whole = np.array([[-1000, 0], [17, 1000]])
    quantity = {"step": 0.25, "steps": packed(whole, "int16")}
    values = page.evaluate("async one => [...(await parts.gates.values(one))]", quantity)
    assert values == (0.25 * whole.ravel()).tolist()


def test_the_equation_is_written_with_its_numbers(page):
    now = {"f": 0.5, "o": 0.25, "C": 0.5, "H": 0.25 * np.tanh(0.5)}
    lines = page.evaluate("([now, before]) => parts.gates.equation(now, before)", [now, 2.0])
    assert lines[0].endswith("0.50 × 2.00 \u2212 0.50 = 0.50")
    assert lines[1].endswith("0.25 × 0.46 = 0.12")


def test_labels_keep_apart_and_inside(page):
    placed = page.evaluate("parts.gates.apart([120, 121, 20, 119], 14)")
    assert placed[2] <= 20 and max(placed) <= 126
    assert np.diff(np.sort(placed)).min() >= 14


def test_what_the_page_holds_obeys_equation_3(stepper):
    page = stepper.page
    key = stepper.locator('script[type="application/json"]').get_attribute("data-key")
    data = page.evaluate("key => parts.data[key]", key)
    read = {
        name: np.reshape(
            page.evaluate("async one => [...(await parts.gates.values(one))]", quantity),
            (len(data["dates"]), *data["size"]),
        )
        for name, quantity in data["quantities"].items()
    }
    np.testing.assert_allclose(read["H"], read["o"] * np.tanh(read["C"]), atol=0.02)
    before = np.concatenate([np.zeros_like(read["C"][:1]), read["C"][:-1]])
    new = np.abs(read["C"] - read["f"] * before)
    assert (new <= read["i"] + 0.03).all(), "more entered the cell than the input gate lets in"


def test_a_click_and_a_step_change_what_is_shown(stepper):
    def seen():
        return stepper.locator(".equation").inner_text()

    first = seen()
    stepper.get_by_role("button", name="Date after").click()
    later = seen()
    assert later != first and re.match(r"Feb 2021: NDVI", later)
    stepper.locator("canvas").click(position={"x": 30, "y": 200})
    clicked = seen()
    assert clicked != later
    stepper.get_by_role("application").press("ArrowDown")
    assert seen() != clicked
    before = stepper.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    for name in ("NDVI", "i", "f", "o", "C", "H"):
        stepper.get_by_role("button", name=name, exact=True).click()
        now = stepper.locator("canvas").evaluate("canvas => canvas.toDataURL()")
        assert now != before
        before = now
