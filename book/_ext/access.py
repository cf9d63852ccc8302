"""Corrections of what other packages write, for readers who listen to a page or use a keyboard."""

import re

from sphinx.application import Sphinx

#: What is replaced in a page, and why.
CORRECTIONS = (
    # A citation is no item of a list to a screen reader, and its role is no longer in the standard.
    (re.compile(r'<div role="list" class="citation-list">'), "<div>"),
    (re.compile(r' role="doc-biblioentry"'), ""),
    # A head without words is announced as an empty column; pandas leaves the corner so.
    (re.compile(r"<th(?: scope=\"col\")?>\s*</th>"), "<td></td>"),
)


def correct(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Correct the text of a page."""
    if "body" not in context:
        return
    for pattern, replacement in CORRECTIONS:
        context["body"] = pattern.sub(replacement, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", correct)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
