"""Links of the built book lead somewhere; its figures and tables have numbers and can be read."""

import re
import warnings
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = pytest.mark.slow

#: Pages of lists, which are no chapters: the library, Sphinx's own table, and the stored notebook.
LISTS = {"api", "api_around", "status", "train"}
#: A caption with its number, and what cites one.
CAPTION = re.compile(r'<span class="caption-number">(?P<number>[^<]+?) ?</span>')
CITED = re.compile(r'<span class="std std-numref">(?P<number>[^<]+)</span>')


class Links(HTMLParser):
    """Collects the addresses that a page links to, and the names inside it."""

    def __init__(self):
        super().__init__()
        self.addresses = set()
        self.names = set()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if attributes.get("id"):
            self.names.add(attributes["id"])
        if tag == "a" and attributes.get("href"):
            self.addresses.add(attributes["href"])


def links_of(page: Path) -> Links:
    links = Links()
    links.feed(page.read_text("utf-8"))
    return links


@pytest.fixture(scope="module")
def linked(html):
    """Links and names of every page of the build, also of those that Sphinx makes by itself."""
    return {page.resolve(): links_of(page) for page in html.rglob("*.html")}


def test_no_link_is_dead(linked):
    dead = []
    for page, links in linked.items():
        for address in links.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue  # of another site
            target = page
            if parts.path:
                target = (page.parent / unquote(parts.path)).resolve()
            if not target.exists():
                dead.append(f"{page.name}: {address}: no such file")
                continue
            names = linked[target].names if target in linked else {parts.fragment}
            if parts.fragment and unquote(parts.fragment) not in names:
                dead.append(f"{page.name}: {address}: no such place on the page")
    assert dead == []


def article(page: Path) -> str:
    """The text of a chapter, without what the theme puts around it."""
    text = page.read_text("utf-8")
    start = text.index('<article class="bd-article"')
    return text[start : text.index("</article>", start)]


@pytest.fixture(scope="module")
def chapters(pages):
    return {page.stem: article(page) for page in pages if page.stem not in LISTS}


def unnumbered(text: str) -> list[str]:
    """What stands in a chapter as a figure or table, but without a number."""
    found = []
    # What is inside a numbered figure is taken out; what then is left has no number.
    rest = text
    for tag in ("figure", "table"):
        whole = rf"<{tag}\b(?:(?!<{tag}\b).)*?</{tag}>"
        rest = re.sub(whole, numbered_or_not, rest, flags=re.DOTALL)
    for tag in re.findall(r"<(?:table|figure|picture)\b[^>]*>", rest):
        found.append(tag[:80])
    return found


def numbered_or_not(match: re.Match) -> str:
    return "" if CAPTION.search(match[0]) else match[0]


def test_every_figure_and_table_has_a_number(chapters):
    missing = {name: unnumbered(text) for name, text in chapters.items()}
    missing = {name: tags for name, tags in missing.items() if tags}
    assert missing == {}


def test_no_text_of_a_figure_is_cut_off_or_covered(chapters):
    """Each figure was checked when it was drawn, in both widths; faults are named in the page."""
    faults = {}
    for name, text in chapters.items():
        found = re.findall(r'<picture data-text-faults="([^"]*)"', text)
        if found:
            faults[name] = found
    assert faults == {}


def test_figures_and_tables_are_cited(chapters):
    """A report: a number that no sentence cites may be a figure that no sentence explains."""
    cited = {match["number"] for text in chapters.values() for match in CITED.finditer(text)}
    for name, text in chapters.items():
        numbers = [match["number"] for match in CAPTION.finditer(text)]
        not_cited = [number for number in numbers if number not in cited]
        if not_cited:
            warnings.warn(f"{name}: not cited in the text: {', '.join(not_cited)}", stacklevel=1)
