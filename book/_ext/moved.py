"""Old addresses of pages lead to the pages that took their place."""

from html import escape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

#: Former name of a page to its present one, without the ending.
MOVED = {
    "typology": "classes",
    "training_on_gpu": "training",
    "one_run": "training",
}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Moved</title>
<link rel="canonical" href="{address}">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={address}">
</head>
<body><p>This page has moved to <a href="{address}">{address}</a>.</p></body>
</html>
"""


def write_redirects(app: Sphinx, exception: Exception | None) -> None:
    """Write a small page at each old address whose new page this build holds.

    Raises:
        ExtensionError: an old address is a page again, which the redirect would overwrite.
    """
    if exception is not None or app.builder.name != "html":
        return
    for old, new in MOVED.items():
        if new not in app.env.found_docs:
            continue
        if old in app.env.found_docs:
            raise ExtensionError(f"{old} is a page and a moved one: take it out of _ext/moved.py")
        text = PAGE.format(address=escape(f"{new}.html"))
        Path(app.outdir, f"{old}.html").write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", write_redirects)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
