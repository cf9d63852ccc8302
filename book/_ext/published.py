"""What a page tells search engines, previews and readers about itself, and links to a repository.

`BOOK_REPOSITORY` names the public repository, such as https://github.com/name/project, and
`BOOK_ADDRESS` where the built book stands; the workflow that publishes the book sets both. Without
the first no page links to a repository: the source of a page is then behind its download button.
Without the second the pages have no picture for previews, whose address must be complete.
"""

import os
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

#: Of the book, and of pages that begin with no sentence.
DESCRIPTION = (
    "A reproducible companion of Wenger et al. (2023): land cover and urban fabric from Sentinel-1 "
    "and Sentinel-2 time series with ConvLSTM, Inception and U-Net, rebuilt and audited."
)
#: Letters of a description; search engines show no more.
LONGEST = 200
CARD = "_static/card.png"


def link_repository(app: Sphinx, config: Config) -> None:
    """Give the theme the repository and its buttons on every page."""
    if url := os.environ.get("BOOK_REPOSITORY"):
        config.html_theme_options |= {
            "repository_url": url,
            "repository_branch": os.environ.get("BOOK_BRANCH", "main"),
            "path_to_docs": "book",
            "use_repository_button": True,
            "use_source_button": True,
            "use_issues_button": True,
        }


def describe(document: nodes.document | None) -> str:
    """Give the first sentences of a page's text, as many as fit."""
    if document is None:
        return DESCRIPTION
    for paragraph in document.findall(nodes.paragraph):
        # Text inside a box or a cell's output is no opening of a page.
        if not isinstance(paragraph.parent, nodes.section):
            continue
        text = " ".join(paragraph.astext().split())
        if len(text) <= LONGEST:
            return text
        sentences = text[:LONGEST].rpartition(". ")[0]
        return f"{sentences}." if sentences else f"{text[:LONGEST].rpartition(' ')[0]} …"
    return DESCRIPTION


def add_description(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Write the tags that search engines and previews read."""
    front = page == app.config.root_doc
    description = DESCRIPTION if front else describe(doctree)
    tags = {
        "og:title": context.get("title", "") or app.config.project,
        "og:description": description,
        "og:site_name": app.config.html_title or app.config.project,
        "og:type": "website" if front else "article",
    }
    if address := os.environ.get("BOOK_ADDRESS", "").rstrip("/"):
        tags["og:url"] = f"{address}/{page}.html"
        tags["og:image"] = f"{address}/{CARD}"
        tags["og:image:alt"] = "Map of land cover classes beside the title of the book"
    lines = [f'<meta name="description" content="{escape(description)}">']
    for name, content in tags.items():
        lines.append(f'<meta property="{name}" content="{escape(content)}">')
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n".join(lines)
    if front:
        # The front page's title is the book's: once is enough. The link at the top keeps its text.
        context["theme_logo"] = {**context.get("theme_logo", {}), "text": context["docstitle"]}
        context["docstitle"] = ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("config-inited", link_repository)
    app.connect("html-page-context", add_description)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
