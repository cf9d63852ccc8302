"""The page of sources: every source is used, and the pages that it names cite it."""

import re
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[1] / "book"
CITATION = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def cited(text: str) -> set[str]:
    """Give the keys that a text cites."""
    keys = set()
    for group in CITATION.findall(text):
        keys.update(key.strip() for key in group.split(","))
    return keys


def rows_of_methods() -> list[tuple[set[str], list[str]]]:
    """Give the keys and the pages of each row of the table of methods."""
    text = (BOOK / "references.md").read_text(encoding="utf-8")
    rows = []
    table = text[text.index("```{list-table}") :]
    table = table[: table.index("\n```\n")]
    for row in table.split("\n* - "):
        if cited(row):
            rows.append((cited(row), re.findall(r"\{doc\}`(\w+)`", row)))
    return rows


def test_the_pages_that_the_table_names_cite_the_source():
    rows = rows_of_methods()
    assert len(rows) > 10
    for keys, pages in rows:
        for page in pages:
            text = (BOOK / f"{page}.md").read_text(encoding="utf-8")
            assert keys & cited(text), (page, keys)


def test_every_source_of_the_list_is_cited_on_the_page_of_sources():
    listed = set(re.findall(r"^@\w+\{(\w+),", (BOOK / "references.bib").read_text("utf-8"), re.M))
    assert listed == cited((BOOK / "references.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.md")), ids=lambda path: path.stem)
def test_no_page_cites_an_unknown_source(path):
    listed = (BOOK / "references.bib").read_text(encoding="utf-8")
    for key in cited(path.read_text(encoding="utf-8")):
        assert f"{{{key}," in listed, key
