"""How a map of class ids is drawn: its colours, and the small files beside the GeoTIFF.

    map.qml           a QGIS style, which QGIS loads with the map
    map.tif.aux.xml   names of the classes, which GDAL and programs built on it read
    map.png           a picture to look at

Each of the small files holds a mark, by which a later run knows that it may replace it.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import rasterio
from matplotlib.colors import to_rgb
from rasterio.enums import Resampling

from multisenge_lib import files

#: Name and hexadecimal colour of each class, from id 1.
Legend = Sequence[tuple[str, str]]
#: Pixels along the longer side of the picture, at most.
PICTURE_PIXELS = 1024


def color_table(legend: Legend) -> dict[int, tuple[int, int, int, int]]:
    """The colour of each class id as rasterio takes it: red, green, blue, alpha, 0 to 255."""
    table = {0: (0, 0, 0, 0)}  # no data is transparent
    for class_id, (_, color) in enumerate(legend, 1):
        red, green, blue = (round(255 * part) for part in to_rgb(color))
        table[class_id] = (red, green, blue, 255)
    return table


def without_controls(name: str) -> str:
    """A name for XML and tags, which allow no control characters."""
    return "".join(character if character.isprintable() else " " for character in name)


def write_qgis_style(path: Path, legend: Legend, mark: str, remedy: str) -> None:
    """Write a QGIS style with one colour and one name for each class id."""
    qgis = ElementTree.Element("qgis", version="3.22")
    qgis.append(ElementTree.Comment(mark))
    pipe = ElementTree.SubElement(qgis, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1"
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for class_id, (name, color) in enumerate(legend, 1):
        ElementTree.SubElement(
            palette,
            "paletteEntry",
            value=str(class_id),
            label=without_controls(name),
            color=color,
            alpha="255",
        )
    doctype = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    files.write_text(path, doctype + _to_text(qgis), remedy)


def write_class_names(path: Path, legend: Legend, mark: str, remedy: str) -> None:
    """Write the names of the classes where GDAL looks for them.

    GeoTIFF itself has no place for them that GDAL would read, and rasterio cannot write this file.
    """
    dataset = ElementTree.Element("PAMDataset")
    dataset.append(ElementTree.Comment(mark))
    band = ElementTree.SubElement(dataset, "PAMRasterBand", band="1")
    categories = ElementTree.SubElement(band, "CategoryNames")
    for name in ["No data", *(name for name, _ in legend)]:
        ElementTree.SubElement(categories, "Category").text = without_controls(name)
    files.write_text(path, _to_text(dataset), remedy)


def _to_text(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def write_picture(path: Path, class_ids: Path, legend: Legend, mark: str, remedy: str) -> None:
    """Draw a raster of class ids as a PNG.

    Args:
        path: path of the picture.
        class_ids: the raster to draw.
        legend: name and hexadecimal colour of each class.
        mark: stands in the picture's metadata.
        remedy: the end of the message where the picture cannot be written.
    """
    # Overviews are left aside: the picture must be the same whether the raster has them or not.
    with rasterio.open(class_ids, OVERVIEW_LEVEL="NONE") as source:
        shrink = max(1, max(source.shape) / PICTURE_PIXELS)
        rows, columns = source.shape
        out_shape = (max(1, round(rows / shrink)), max(1, round(columns / shrink)))
        ids = source.read(1, out_shape=out_shape, resampling=Resampling.nearest)

    colors = np.array(list(color_table(legend).values()), np.uint8)
    # Without the name of the software, whose version would change the bytes.
    metadata = {"Software": None, "Comment": mark}
    with files.atomic(path, remedy) as unfinished:
        matplotlib.image.imsave(unfinished, colors[ids], metadata=metadata)
