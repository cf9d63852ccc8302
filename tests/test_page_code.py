"""Code that pages show fits the column of a laptop, and links to pages read as sentences do."""

import re
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: The part of a cell that says how it is shown, in either of its two forms.
OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)*)", re.DOTALL | re.MULTILINE)
#: Letters of a line of code in a window of 1366 pixels.
COLUMN = 91
#: A block: its fence, the rest of the fence's line, and what is inside.
BLOCK = re.compile(r"^(`{3,}|~{3,})([^\n]*)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
#: "the {doc}`sample`" reads "the The sample": give the link words of its own.
TITLE_AFTER_ARTICLE = re.compile(r"\b[Tt]he\s+{doc}`[^<`]+`")


def shown_code(text: str) -> list[str]:
    """The lines of all cells of a page whose code a reader can open."""
    lines = []
    for cell in CELL.findall(text):
        options = OPTIONS.match(cell)[0]
        if "remove-input" not in options and "remove-cell" not in options:
            lines += cell[len(options) :].splitlines()
    return lines


def test_cells_and_their_options_are_told_apart():
    page = "```{code-cell} ipython3\n:tags: [hide-input]\n\nx = 1\n```\n"
    hidden = "```{code-cell} ipython3\n---\ntags: [remove-cell]\n---\ny = 2\n```\n"
    assert shown_code(page + hidden) == ["", "x = 1"]


PAGES = [*sorted(BOOK.glob("*.md")), BOOK / "notebooks" / "train.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_fits_the_column(page):
    text = page.read_text("utf-8")
    lines = shown_code(text)
    for _, kind, block in BLOCK.findall(text):
        if not kind.startswith("{"):  # commands, settings or output that stand in the text
            lines += block.splitlines()
    too_long = [line for line in lines if len(line) > COLUMN]
    assert too_long == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_title_does_not_follow_an_article(page):
    assert TITLE_AFTER_ARTICLE.findall(page.read_text("utf-8")) == []
