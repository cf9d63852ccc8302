"""Links to a public repository, where there is one.

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


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("config-inited", link_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
