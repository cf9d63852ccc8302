"""Every page of the built book, as a browser shows it: nothing cut, broken, failed or too heavy.

And accessible, as far as a program can tell: axe finds nothing serious, light or dark.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageStat

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
MARK_COLOURS = (Path(__file__).parent / "contrast.js").read_text("utf-8")
#: Resolves when all formulas are drawn, and what follows the window's width has followed it.
SETTLED = """async () => {
  await window.MathJax?.startup?.promise;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
#: True when every interactive part stands in the place of its still figure, or waits for a click.
#: Parts unpack their data after the page has loaded.
PARTS_STARTED = """() => [...document.querySelectorAll("figure.live")].every(
  (figure) => figure.classList.contains("started") || figure.querySelector(".live-open"))"""
THEMES = ("light", "dark")
#: Colours change at once with the theme, and not while they are measured.
NO_TRANSITIONS = "* { transition: none !important; }"
#: Another theme changes colours alone. They take most of the time on the long pages of the library,
#: so axe looks at one text of each combination.
CONTRAST = "color-contrast"
MARKED = {"include": ["[data-contrast]"]}
#: axe describes what it finds and not what is in order, which takes long too.
ALL_BUT_CONTRAST = {"resultTypes": ["violations"], "rules": {CONTRAST: {"enabled": False}}}
ONLY_CONTRAST = {"resultTypes": ["violations"], "runOnly": [CONTRAST]}
#: Bytes of a page without its images and data, which are files beside it.
HEAVIEST = 500_000
LAPTOP = 1366
#: The laptop last, where the page is also made dark.
WIDTHS = (390, 1920, LAPTOP)


def wrong_in(page, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Open a page on a phone, make the window wider, and list what is wrong at each width."""
    wrong = []
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url[:80]}"))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 768})
        if width == WIDTHS[0]:
            page.goto(path.as_uri())
            page.wait_for_function(PARTS_STARTED)
        page.evaluate(SETTLED)
        yield width, wrong + page.evaluate(MEASURE)


def bottom_of_checks(page) -> float:
    """Where the sidebar's part Checks begins, in pixels from the window's top."""
    checks = page.locator(".bd-sidebar-primary").get_by_text("Checks", exact=True)
    box = checks.bounding_box() if checks.count() else None
    return box["y"] + box["height"] if box else float("inf")


def set_theme(page, theme: str) -> None:
    """Show a page light or dark."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)


def dark(page) -> tuple[float, float]:
    """Mean and spread of the brightness of the page's first screen in dark mode, 0 to 255."""
    set_theme(page, "dark")
    seen = ImageStat.Stat(Image.open(io.BytesIO(page.screenshot())).convert("L"))
    return seen.mean[0], seen.stddev[0]


def serious(axe, page, options: dict, context: dict | None = None) -> list[str]:
    """Findings of axe that it calls serious or critical, with the first elements they are about."""
    return [
        f"{found['id']}, {found['help']}: {[node['target'] for node in found['nodes']][:4]}"
        for found in axe.run(page, context, options).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


def unreadable(axe, page, theme: str) -> list[str]:
    """Texts of too little contrast in a theme: the first of each combination of colours."""
    set_theme(page, theme)
    page.evaluate(MARK_COLOURS)
    return serious(axe, page, ONLY_CONTRAST, MARKED)


@pytest.fixture(scope="module")
def visited(browser, pages):
    """What is seen on each page in windows of three widths, from one visit."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = {}
    context = browser.new_context()
    for path in pages:
        page = context.new_page()
        for width, problems in wrong_in(page, path):
            seen[path.stem, width] = {"problems": problems}
        laptop = seen[path.stem, LAPTOP]
        laptop |= {"checks": bottom_of_checks(page), "dark": dark(page)}
        page.add_style_tag(content=NO_TRANSITIONS)
        laptop["axe"] = {theme: unreadable(axe, page, theme) for theme in THEMES}
        laptop["axe"]["any"] = serious(axe, page, ALL_BUT_CONTRAST)
        page.close()
    return seen


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_or_broken(visited, width):
    found = [
        f"{name}: {problem}"
        for (name, at), seen in visited.items()
        for problem in seen["problems"]
        if at == width
    ]
    assert not found, "\n".join([f"{len(found)} problems at {width} pixels:", *found])


def test_the_sidebar_shows_the_checks_without_scrolling(visited):
    below = {name: seen["checks"] for (name, at), seen in visited.items() if at == LAPTOP}
    assert {name: bottom for name, bottom in below.items() if bottom > 768} == {}


def test_dark_pages_are_dark_and_not_blank(visited):
    dark = {name: seen["dark"] for (name, at), seen in visited.items() if at == LAPTOP}
    assert {name: (mean, spread) for name, (mean, spread) in dark.items() if mean > 110} == {}
    assert {name: (mean, spread) for name, (mean, spread) in dark.items() if spread < 8} == {}


@pytest.mark.parametrize("theme", (*THEMES, "any"))
def test_axe_finds_nothing_serious(visited, theme):
    found = [
        f"{name}: {text}"
        for (name, at), seen in visited.items()
        if at == LAPTOP
        for text in seen["axe"][theme]
    ]
    assert not found, "\n".join(["", *found])


def test_a_pale_text_is_found_among_thousands(browser, html):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page(viewport={"width": LAPTOP, "height": 768})
    page.goto((html / "terms.html").as_uri())
    page.add_style_tag(content=NO_TRANSITIONS)
    last = "document.querySelectorAll('.bd-article dd p')[40]"
    page.evaluate(f"{last}.style.color = '#bbbbbb'; {last}.id = 'pale'")
    assert "#pale" in "".join(unreadable(axe, page, "light"))
    assert unreadable(axe, page, "dark") == []
    page.close()


def test_pages_are_light(pages):
    heavy = {page.stem: page.stat().st_size for page in pages if page.stat().st_size > HEAVIEST}
    assert heavy == {}


def test_a_desktop_fetches_no_image_for_a_phone(browser, html):
    page = browser.new_page(viewport={"width": LAPTOP, "height": 768})
    page.goto((html / "dataset.html").as_uri())
    picture = page.locator("picture").first
    picture.scroll_into_view_if_needed()
    narrow = picture.locator("source").get_attribute("srcset")
    shown = picture.locator("img").evaluate("image => image.currentSrc")
    assert shown and not shown.endswith(narrow)
    page.close()


def test_the_search_ranks_the_chapter_and_quotes_it(browser, html):
    page = browser.new_page()
    page.goto(f"{(html / 'search.html').as_uri()}?q=learning+rate")
    results = page.locator("#search-results li")
    results.nth(2).locator("p.context").wait_for()
    shown = results.all_inner_texts()
    assert any("learning rate" in text for text in shown[:3])
    glossary = [position for position, text in enumerate(shown) if "Terms" in text]
    assert len(glossary) == 1 and glossary[0] > 0
    page.close()


def test_paper_is_light_and_keeps_answers(browser, html):
    page = browser.new_page(viewport={"width": LAPTOP, "height": 768})
    page.goto((html / "selection.html").as_uri())
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    article = page.locator(".bd-article").first
    color = article.evaluate("element => getComputedStyle(element).color")
    assert color == "rgb(34, 34, 34)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for dark_on_screen in ("div.highlight", ".admonition-title"):
        box = page.locator(f".bd-article {dark_on_screen}").first
        brightness = box.evaluate(
            "element => getComputedStyle(element).backgroundColor.match(/[0-9]+/g).map(Number)"
        )
        assert min(brightness[:3]) > 200, dark_on_screen
    title = page.locator(".bd-article h1").first
    assert title.is_visible() and title.inner_text()[0].isdigit()
    closed = page.locator(".bd-article details.hide").first
    assert not closed.is_visible()
    answers = page.locator(".bd-article .admonition.dropdown")
    assert answers.count() and not answers.first.is_visible()
    page.close()


def test_paper_shows_what_is_folded_for_the_curious(browser, html):
    page = browser.new_page(viewport={"width": LAPTOP, "height": 768})
    page.goto((html / "conv_lstm.html").as_uri())
    aside = page.locator(".bd-article .admonition.on-paper p").last
    assert not aside.is_visible()
    page.emulate_media(media="print")
    assert aside.is_visible() and aside.bounding_box()["height"] > 20
    page.close()


@pytest.mark.parametrize("name", ["selection", "scores", "results_6", "audit"])
def test_paper_shows_no_control_of_an_interactive_part(browser, html, name):
    page = browser.new_page(viewport={"width": LAPTOP, "height": 768})
    page.goto((html / f"{name}.html").as_uri())
    page.wait_for_function(PARTS_STARTED)
    part = page.locator("figure.live .live-box").first
    hints = part.locator(".on-screen")
    assert hints.count() and hints.first.is_visible()
    page.emulate_media(media="print")
    for position in range(hints.count()):
        assert not hints.nth(position).is_visible()
    for control in part.locator("button:not(td > button), input").all():
        assert not control.is_visible()
    assert part.bounding_box()["height"] > 100
    page.close()
