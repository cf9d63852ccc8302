"""Pages are light: what a cell embeds becomes a file that the browser fetches when it is needed.

A figure is two images inside the page, one for a desktop and one for a phone, so that a notebook
shows it without other files. In the book each becomes a file, and a browser fetches one of them.
The data of an interactive part becomes a script, which `frame.js` loads; a page that is opened from
disk may load scripts, but no other files.
"""

import base64
import hashlib
import re
from pathlib import Path

from sphinx.application import Sphinx

IMAGE = re.compile(r"data:image/(?P<kind>webp|png);base64,(?P<data>[A-Za-z0-9+/=]+)")
DATA = re.compile(r'<script type="application/json">(?P<data>.*?)</script>', re.DOTALL)
IMAGES = "_images"
PARTS_DATA = "_static/parts/data"
#: Bytes of data that may stay inside a page.
SMALL = 10_000


def file_name(page: str, content: bytes, ending: str) -> str:
    """Name a file by its page and content, so that another content is never taken for this one."""
    digest = hashlib.sha256(content).hexdigest()[:12]
    return f"{page.replace('/', '-')}-{digest}.{ending}"


def write(app: Sphinx, folder: str, name: str, content: bytes) -> str:
    """Write a file of the built book.

    Returns:
        Its address from the book's root.
    """
    path = Path(app.outdir, folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return f"{folder}/{name}"


def move_out(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """Move images and data out of a page."""
    if "body" not in context:
        return

    def image(match: re.Match) -> str:
        content = base64.b64decode(match["data"])
        name = file_name(page, content, match["kind"])
        return context["pathto"](write(app, IMAGES, name, content), 1)

    def data(match: re.Match) -> str:
        content = match["data"].encode()
        if len(content) <= SMALL:
            return match[0]
        name = file_name(page, content, "js")
        script = f'parts.data["{name}"] = {match["data"]};\n'
        address = context["pathto"](write(app, PARTS_DATA, name, script.encode()), 1)
        return (
            f'<script type="application/json" data-src="{address}" data-key="{name}" '
            f'data-bytes="{len(content)}"></script>'
        )

    # A part's still figure, and some data, hold images too: data first.
    body = DATA.sub(data, context["body"])
    context["body"] = IMAGE.sub(image, body)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", move_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
