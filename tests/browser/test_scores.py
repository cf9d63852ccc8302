"""Kappa lab and free cell: the same scores as the library, and what must move or stay."""

import numpy as np
import pytest

from multisenge_lib import audit, results
from multisenge_lib.chapters import audit_figures as report

pytestmark = pytest.mark.browser

NAMES = {"accuracy": "accuracy", "weighted": "weighted_f1", "macro": "macro_f1", "kappa": "kappa"}
MOUNT = """data => {
    const box = parts.html("div", { class: "live-box" });
    document.body.replaceChildren(box);
    parts.scores.mount(box, data);
}"""
SHOWN = "[...document.querySelectorAll('.score-bar output')].map(one => one.textContent)"


@pytest.fixture(scope="module")
def page(part):
    return part("scores")


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_the_library_s(page, seed):
    matrix = np.random.default_rng(seed).integers(1, 10_000, (6, 6))
    shown = page.evaluate("m => parts.scores.scores(m)", matrix.tolist())
    ours = results.scores(matrix)
    for there, here in (NAMES | {name: name for name in ("precision", "recall", "f1")}).items():
        assert shown[there] == pytest.approx(ours[here])


def test_a_map_of_one_class_in_the_lab(page, evidence):
    presets = report.lab_presets(evidence)["presets"]["Non-urban everywhere"]
    shown = page.evaluate(
        "({shares, recalls}) => parts.scores.scores(parts.scores.confusion(shares, recalls))",
        presets,
    )
    ours = audit.majority_scores(6)
    assert {name: shown[name] for name in NAMES} == pytest.approx(
        {there: ours[here] for there, here in NAMES.items()}
    )


def test_the_lab_answers(page, evidence):
    data = report.lab_presets(evidence)
    page.evaluate(MOUNT, data)
    first = page.evaluate(SHOWN)
    page.get_by_role("button", name="Non-urban everywhere").click()
    assert page.evaluate(SHOWN) == ["0.930", "0.896", "0.161", "0.000"]
    page.get_by_label("recall of Dense Built-Up").fill("100")
    assert page.evaluate(SHOWN) != first
    assert float(page.evaluate(SHOWN)[2]) > 0.3


def test_the_paper_s_scores_stand_beside_the_lab_s(page, evidence):
    data = report.lab_presets(evidence)
    beside = "[...document.querySelectorAll('.score-bar small')].map(one => one.textContent)"
    page.evaluate(MOUNT, data)
    # Tables 5 and 6, ConvLSTM+Inception-S1S2.
    kappa = evidence.paper.kappa(6)[-1]
    accuracy = evidence.paper.weighted(6)[-1, 1]
    shown = page.evaluate(beside)
    assert shown[0] == f"the paper: {accuracy:.3f}"
    assert shown[3] == f"the paper: {kappa:.3f}"
    page.get_by_label("recall of Dense Built-Up").fill("100")
    assert page.evaluate(beside) == [""] * 4
    page.get_by_role("button", name="on the test tile").click()
    assert page.evaluate(beside) == shown


def test_a_slider_goes_on_from_where_the_preset_set_it(page, evidence):
    page.evaluate(MOUNT, report.lab_presets(evidence))
    page.get_by_role("button", name="equal shares").click()
    shares = "[...document.querySelectorAll('table.lab td:nth-of-type(2)')].map(x => x.textContent)"
    assert page.evaluate(shares) == ["17%"] * 6
    slider = page.get_by_label("share of Dense Built-Up")
    slider.fill("99")
    assert page.evaluate(shares) == ["16%"] + ["17%"] * 5
    slider.fill("100")
    assert page.evaluate(shares) == ["17%"] * 6


@pytest.mark.parametrize("method", [0, 3])
def test_dragging_a_free_cell_moves_no_score(page, evidence, method):
    page.evaluate(MOUNT, report.free_cells(evidence, 6, method))
    before = page.evaluate(SHOWN)
    said = page.locator("p").first.inner_text()
    paper = evidence.paper.weighted(6)[method], evidence.paper.kappa(6)[method]
    printed = [paper[0][1], paper[0][2], evidence.paper.scores(6)[method, :, 2].mean(), paper[1]]
    assert [float(text) for text in before] == pytest.approx(printed, abs=6e-4)
    for cell in (
        "Non-urban areas predicted as Specialized but Vegetative Areas",
        "Sparse Built-Up",
    ):
        page.get_by_role("button", name=cell).first.click()
        page.get_by_role("slider").fill("70")
        assert page.evaluate(SHOWN) == before
    assert page.locator("p").inner_text() != said
