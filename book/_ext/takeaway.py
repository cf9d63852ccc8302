"""Files that readers can take away: the list of selected patches and dates, beside the pages."""

from pathlib import Path

from sphinx.application import Sphinx

#: Where the list lies below the built pages; `selection.md` links to it.
SELECTION = Path("data", "multisenge_selection.csv")


def write_selection(app: Sphinx, exception: Exception | None) -> None:
    """Write the committed list of selected patches as CSV, which any program opens."""
    if exception is not None or app.builder.name != "html":
        return
    from multisenge_lib.audit import selection_csv

    path = Path(app.outdir, SELECTION)
    path.parent.mkdir(exist_ok=True)
    path.write_text(selection_csv(), "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", write_selection)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
