"""Corrections of what other packages write: links to nowhere, and what disturbs a screen reader."""

import re

from sphinx.application import Sphinx

#: A head of two rows, as pandas writes it where the index has a name.
TWO_ROWS = re.compile(
    r"<thead>\s*<tr[^>]*>(?P<first>(?:\s*<th>[^<]*</th>)+)\s*</tr>"
    r"\s*<tr>(?P<second>(?:\s*<th>[^<]*</th>)+)\s*</tr>\s*</thead>"
)
HEAD = re.compile(r"<th>([^<]*)</th>")


def on_one_row(match: re.Match) -> str:
    """Put the names of the index beside those of the columns, where the places are free."""
    first = HEAD.findall(match["first"])
    second = HEAD.findall(match["second"])
    if len(first) != len(second) or any(a and b for a, b in zip(first, second, strict=True)):
        return match[0]
    names = (a or b for a, b in zip(first, second, strict=True))
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


#: What is replaced in a page, and why.
CORRECTIONS = (
    # Else half of the heads are empty.
    (TWO_ROWS, on_one_row),
    # A citation is no item of a list to a screen reader, and its role is no longer in the standard.
    (re.compile(r'<div role="list" class="citation-list">'), "<div>"),
    (re.compile(r' role="doc-biblioentry"'), ""),
    # A head without words is announced as an empty column; pandas leaves the corner so.
    (re.compile(r"<th(?: scope=\"col\")?>\s*</th>"), "<td></td>"),
)

#: A link to a page's source. In the Markdown that a cell shows, links stay as they are written.
SOURCE_LINK = re.compile(r'href="(?P<page>[\w/]+)\.md(?P<place>#[^"]*)?"')


def correct(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Correct the text of a page."""
    if "body" not in context:
        return
    for pattern, replacement in CORRECTIONS:
        context["body"] = pattern.sub(replacement, context["body"])

    def lead_to_page(match: re.Match) -> str:
        target = match["page"]
        if target not in app.env.found_docs:
            return match[0]
        return f'href="{context["pathto"](target)}{match["place"] or ""}"'

    context["body"] = SOURCE_LINK.sub(lead_to_page, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", correct)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
