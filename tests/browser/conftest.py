"""Chromium without a network, and the built book; skipped with a word where one is missing."""

import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PARTS = PROJECT / "book" / "_parts"
HTML = PROJECT / "book" / "_build" / "html"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: Pages that Sphinx makes by itself.
MADE = {"genindex.html", "search.html", "py-modindex.html"}
#: As root Chromium needs the first; the second is a proxy where nothing listens.
OPTIONS = ["--no-sandbox", "--proxy-server=127.0.0.1:9"]


@pytest.fixture(scope="module")
def browser():
    """Started anew for each file: its event loop must not run in other tests."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no Chromium found (looked for {', '.join(NAMES)}): install one")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def part(browser):
    """An empty page with the scripts of the interactive parts that are named."""
    pages = []

    def open_page(*names: str):
        page = browser.new_page()
        page.set_content("<!doctype html><title>parts</title><body></body>")
        for name in ("frame", *names):
            page.add_script_tag(path=PARTS / f"{name}.js")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def html() -> Path:
    """The folder of the built book."""
    if not HTML.is_dir():
        pytest.skip("the book is not built: make book")
    return HTML


@pytest.fixture(scope="module")
def pages(html) -> list[Path]:
    """Files of the book's pages, without those that only lead from an old address to a new one."""
    found = [*html.glob("*.html"), *html.glob("notebooks/*.html")]
    chapters = [page for page in found if page.name not in MADE]
    return sorted(page for page in chapters if "bd-article" in page.read_text("utf-8"))
