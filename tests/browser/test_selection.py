"""The selection explorer counts by the library's own rule."""

from itertools import combinations

import numpy as np
import pytest

from multisenge_lib.audit import read_date_series
from multisenge_lib.dataset import MULTISENGE, choose_dates
from multisenge_lib.paper import read_paper

pytestmark = [pytest.mark.slow, pytest.mark.browser]

GAPS = range(41)
MONTH_SETS = [months for n in range(1, 13) for months in combinations(range(1, 13), n)]

#: In the page: for each month set and gap, the patches kept.
KEPT = """([all, sets, gaps]) => {
  const read = all.map(({ dates, x }) => [parts.selection.byMonth(dates), x.length]);
  const full = (...asked) => parts.selection.walk(...asked).stopped === undefined;
  return sets.map((months) => gaps.map((gap) =>
    read.reduce((sum, [dates, patches]) => sum + (full(dates, months, gap) ? patches : 0), 0)));
}"""


def days_of(one) -> np.ndarray:
    return np.array(one["dates"], dtype="datetime64[D]")


def kept_by_steps(recorded) -> dict[tuple[int, ...], np.ndarray]:
    """Patches kept, by month set and gap, each set one step on from the set without its last month.

    A state is the first day allowed, for each series and gap; infinity where the series has ended.
    """
    patches = np.array([len(one["x"]) for one in recorded])
    days = [days_of(one).astype(int) for one in recorded]
    months = [days_of(one).astype("datetime64[M]").astype(int) % 12 + 1 for one in recorded]
    gaps = np.array(GAPS)
    states = {(): np.full((len(recorded), len(GAPS)), -np.inf)}
    for chosen in MONTH_SETS:
        before = states[chosen[:-1]]
        after = np.full((len(recorded), len(GAPS)), np.inf)
        for k, (day, month) in enumerate(zip(days, months, strict=True)):
            those = np.append(day[month == chosen[-1]], np.inf)
            after[k] = those[np.searchsorted(those, before[k])] + gaps
        states[chosen] = after
    return {chosen: patches @ np.isfinite(states[chosen]) for chosen in MONTH_SETS}


@pytest.fixture(scope="module")
def recorded():
    return read_date_series()[0]


@pytest.fixture(scope="module")
def expected(recorded):
    return kept_by_steps(recorded)


def test_the_steps_are_the_rule_of_the_library(recorded, expected):
    random = np.random.default_rng(2020)
    for k in random.integers(len(MONTH_SETS), size=300):
        gap = int(random.integers(len(GAPS)))
        kept = sum(
            len(one["x"])
            for one in recorded
            if choose_dates(days_of(one), MONTH_SETS[k], gap) is not None
        )
        assert kept == expected[MONTH_SETS[k]][gap]


def test_all_month_sets_and_gaps_are_counted_alike(part, recorded, expected):
    counted = part("selection").evaluate(KEPT, [recorded, MONTH_SETS, list(GAPS)])
    assert len(counted) == 4095
    np.testing.assert_array_equal(counted, [expected[months] for months in MONTH_SETS])


def test_it_chooses_the_same_dates(part, recorded):
    page = part("selection")
    chosen = page.evaluate(
        """([all, months, gap]) => all.map(({ dates }) => {
          const found = parts.selection.walk(parts.selection.byMonth(dates), months, gap);
          return found.stopped ? null : found.chosen.map(({ day }) => day);
        })""",
        [recorded, MULTISENGE.months, MULTISENGE.days_gap],
    )
    for one, days in zip(recorded, chosen, strict=True):
        ours = choose_dates(days_of(one), MULTISENGE.months, MULTISENGE.days_gap)
        assert days == (None if ours is None else ours.astype(int).tolist())


@pytest.fixture(scope="module")
def explorer(browser, html):
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    page.goto((html / "selection.html").as_uri())
    yield page.locator('figure.live[data-part="selection"]')
    page.close()


def pressed(explorer, text):
    explorer.get_by_role("button", name=text, exact=True).click()
    return explorer.locator(".live-total").inner_text()


def why_lost(explorer, tile):
    row = explorer.locator("tbody tr", has_text=tile)
    return row.locator("td").last.inner_text()


def test_the_page_begins_with_the_papers_choice(explorer):
    total = explorer.locator(".live-total").inner_text()
    assert total.startswith("5,890 of 8,157")
    assert total.endswith("Jul, Aug, Sep, Nov, at least 17 days apart")
    assert "train 3,369" in explorer.inner_text() and "test 610" in explorer.inner_text()
    assert why_lost(explorer, "31UEP") == "no image in July"
    assert why_lost(explorer, "32UMU") == "no image in July, September, November"


def test_each_row_of_table_1_is_counted(explorer):
    for gap, number in read_paper().table("table1").items():
        name = f"{gap} days: {int(number.value):,}"
        assert pressed(explorer, name).startswith(f"{int(number.value):,} of")


def test_months_and_gap_change_the_count(explorer):
    pressed(explorer, "17 days: 5,890")
    assert pressed(explorer, "Jul").startswith("7,262 of 8,157")
    assert why_lost(explorer, "31UEP") == ""
    for month in ("Aug", "Sep"):
        pressed(explorer, month)
    assert pressed(explorer, "Nov").startswith("0 patches: tick")
    assert "train 0" in explorer.inner_text() and "lost 8,157" in explorer.inner_text()
    pressed(explorer, "17 days: 5,890")
    explorer.locator("input[type=range]").fill("40")
    assert explorer.locator(".live-total").inner_text().startswith("0 of")
