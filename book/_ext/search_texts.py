"""Search results show a line of text, also in a book that is opened from disk.

The theme fetches each page that it found, to show the words around a match. A page from disk may
fetch nothing, so that its results would be bare titles. Here the words of all pages become a script
of the search page, and `book_search.js` answers from it.
"""

import json
import re
from html import unescape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

FILE = "search_texts.js"
#: What is no text of a page: programs, data and drawings.
NO_TEXT = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
#: What is no prose: raw HTML, whose words are taken apart, and code, which would only quote itself.
NO_PROSE = (nodes.raw, nodes.literal_block)
#: What a notebook keeps of an output beside its HTML.
STAND_IN = re.compile(r"<[\w.]+(?: object)?>")


def words_of(raw: nodes.raw) -> str:
    """Give the words of a cell's HTML."""
    html = NO_TEXT.sub(" ", raw.astext())
    return unescape(TAG.sub(" ", html))


def page_text(document: nodes.document) -> str:
    """Give a page's text in one line."""
    found = []
    for node in document.findall():
        if isinstance(node, nodes.raw) and node.get("format") == "html":
            found.append(words_of(node))
        elif isinstance(node, nodes.Text) and not isinstance(node.parent, NO_PROSE):
            found.append(str(node))
    text = STAND_IN.sub(" ", " ".join(found))
    return " ".join(text.split())


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Write the texts of all pages, by address."""
    if exception is not None or app.builder.name != "html":
        return
    texts = {}
    for page in sorted(app.env.found_docs):
        address = app.builder.get_target_uri(page)
        texts[address] = page_text(app.env.get_doctree(page))
    script = f"window.searchTexts = {json.dumps(texts, ensure_ascii=False)};\n"
    Path(app.outdir, "_static", FILE).write_text(script, "utf-8")


def load_texts(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Load them where they are needed."""
    if page == "search":
        app.add_js_file(FILE, priority=100)
        app.add_js_file("book_search.js", priority=101)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", write_texts)
    app.connect("html-page-context", load_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
