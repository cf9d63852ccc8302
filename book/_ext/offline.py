"""Scripts that pages need are copied from installed packages, so that no page asks the network.

MathJax comes from the package `sphinx-mathjax-offline`. The scripts of `book/_parts` are loaded
only by pages that hold the interactive part that they draw.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset_file

#: One file that holds every TeX extension and draws with SVG: it loads nothing more.
MATHJAX = ("sphinx-mathjax-offline", "static/mathjax/tex-svg-full.js")
#: Below the book: what interactive parts share, and a script for each of them.
PARTS = "_parts"
PART = re.compile(r'<figure class="live" data-part="(\w+)"')


def packaged(package: str, file: str) -> Path:
    """Find a file inside an installed package.

    Args:
        package: the folder's name among the installed packages.
        file: path below that folder.

    Returns:
        The file's path.

    Raises:
        ExtensionError: the package or the file is not installed.
    """
    found = find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    if path is None or not path.is_file():
        raise ExtensionError(f"{package}/{file} is not installed: install the extra `book`")
    return path


def copy_scripts(app: Sphinx) -> None:
    """Put MathJax and the interactive parts among the book's static files."""
    static = Path(app.outdir) / "_static"
    (static / "parts").mkdir(parents=True, exist_ok=True)
    copy_asset_file(str(packaged(*MATHJAX)), str(static))
    for file in (Path(app.srcdir) / PARTS).glob("*.*"):
        copy_asset_file(str(file), str(static / "parts"))


def load_scripts(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Load the scripts of a page's interactive parts.

    Raises:
        ExtensionError: a page asks for a part that has no script.
    """
    asked = sorted(set(PART.findall(context.get("body", ""))))
    for name in ("frame", *asked) if asked else ():
        if not (Path(app.srcdir) / PARTS / f"{name}.js").is_file():
            raise ExtensionError(f"{page}: its interactive part has no script {PARTS}/{name}.js")
        app.add_js_file(f"parts/{name}.js", loading_method="defer")
    if asked:
        app.add_css_file("parts/parts.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.config.mathjax_path = Path(MATHJAX[1]).name
    app.connect("builder-inited", copy_scripts)
    app.connect("html-page-context", load_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
