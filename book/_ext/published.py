"""Links to a public repository, where there is one; and a role that Sphinx gives wrongly.

`BOOK_REPOSITORY` names it, such as https://github.com/name/project; the workflow that publishes the
book sets it. Without it no page links to a repository: the source of a page is then behind its
download button, and the library's in the pages that the page of the library links to.
"""

import os

from sphinx.application import Sphinx
from sphinx.config import Config


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


def mend_roles(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Drop the role of a list around references, which are not items of one to a screen reader."""
    if "body" in context:
        body = context["body"]
        context["body"] = body.replace('<div role="list" class="citation-list">', "<div>")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("config-inited", link_repository)
    app.connect("html-page-context", mend_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
