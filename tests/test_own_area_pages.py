"""Chapters that show images, with a data root that is not MultiSenGE."""

import jupytext
import nbformat
import numpy as np
import pytest
import rasterio
from nbclient import NotebookClient
from rasterio.transform import Affine

from multisenge_lib import paths
from multisenge_lib.area import import_area
from multisenge_lib.dataset import S2_BANDS

BOOK = paths.PROJECT / "book"
SIDE = 160
DAYS = ("20220510", "20220615", "20220720")


def write(path, pixels, names):
    place = {"crs": "EPSG:32719", "transform": Affine(10, 0, 291_000, 0, -10, 5_440_000)}
    shape = {"count": len(pixels), "height": SIDE, "width": SIDE, "dtype": pixels.dtype}
    with rasterio.open(path, "w", "GTiff", **shape, **place) as target:
        target.write(pixels)
        target.descriptions = names


@pytest.fixture(scope="module")
def valley(tmp_path_factory):
    """An area with Sentinel-2 alone, three dates and three classes."""
    folder = tmp_path_factory.mktemp("area")
    rng = np.random.default_rng(1)
    (folder / "images").mkdir()
    green = np.array([300, 500, 400, 900, 2000, 2600, 2800, 2900, 1800, 900])[:, None, None]
    for day in DAYS:
        pixels = (green * rng.uniform(0.7, 1.3, (1, SIDE, SIDE))).astype(np.uint16)
        write(folder / "images" / f"S2_{day}.tif", pixels, S2_BANDS)
    classes = rng.integers(1, 4, (1, SIDE, SIDE), dtype=np.uint8)
    write(folder / "reference.tif", classes, ("class",))
    options = {"reference": folder / "reference.tif", "classes": ["Town", "Field", "Water"]}
    return import_area(folder / "valley", [folder / "images"], size=32, **options).root


CHAPTERS = ("dataset", "classes")


@pytest.fixture(scope="module")
def shown(valley):
    """The HTML that each chapter shows; one kernel executes all, one after the other."""
    pages = {chapter: jupytext.read(BOOK / f"{chapter}.md", fmt="md:myst") for chapter in CHAPTERS}
    together = nbformat.v4.new_notebook()
    forget_names = nbformat.v4.new_code_cell("%reset -f")
    for page in pages.values():
        together.cells += [*page.cells, forget_names]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTISENGE_ROOT", str(valley))
        NotebookClient(together, resources={"metadata": {"path": str(BOOK)}}, timeout=600).execute()
    html = {}
    for chapter, page in pages.items():
        outputs = [output for cell in page.cells for output in cell.get("outputs", ())]
        html[chapter] = "".join(output.get("data", {}).get("text/html", "") for output in outputs)
    return html


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_an_area_of_ones_own_is_shown_under_its_name(shown, chapter):
    assert "valley, not the paper's data" in shown[chapter].replace("&#x27;", "'")
    assert "synthetic" not in shown[chapter]
