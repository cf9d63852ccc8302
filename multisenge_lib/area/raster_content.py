"""What pixels show of the things that no header says: band order, unit of backscatter, place.

Each function on a table of checked rasters returns a sentence, the evidence, and a problem if the
evidence contradicts what is assumed.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from multisenge_lib.dataset import (
    S1_BANDS,
    BandOrder,
    Dataset,
    Raster,
    amplitude_problem_of_medians,
    bands_named,
    decibel,
    has_red_edge,
    implausible_image,
    looks_brightened,
    order_of_red_edge,
    red_edge,
    uneven_bands,
)
from multisenge_lib.errors import counted

#: Pixels along a side that content is judged on: every fourth of a published patch.
_JUDGED_PIXELS = 64
#: Decibels. The median of VV lies above it on land.
_LOWEST_VV = -25
#: Share of the rasters of a root that must look alike; single ones may be lakes or shadows.
_MOST = 0.5
_MOST_OFFSETS = 5


class ContentCheck(NamedTuple):
    """What the pixels of all rasters show: a sentence, and a problem; each may be empty."""

    sentence: str = ""
    problem: str = ""


@dataclass
class RasterContent:
    """What the pixels of one sound raster show.

    Attributes:
        no_data: share of its pixels without data.
        notes: what is worth knowing, such as a band that is the same everywhere.
        names_bands: whether its descriptions name the bands of the dataset.
        edge: mean reflectance of vegetation in the fourth and fifth band, or None.
        order: the band order that it speaks for, or None.
        levels: medians of VV and VH in dB, or None.
        doubt: why its reflectance may be in another unit, or None.
        brightened: whether its reflectance may hold ESA's offset.
    """

    no_data: float
    notes: list[str] = field(default_factory=list)
    names_bands: bool = False
    edge: tuple[float, float] | None = None
    order: BandOrder | None = None
    levels: list[float] | None = None
    doubt: str | None = None
    brightened: bool = False


def content_of(raster: Raster, layer: str, dataset: Dataset) -> RasterContent:
    """Look at the pixels of a sound raster; all of it is cheap beside reading them.

    Args:
        raster: as `inspect_raster` gives it.
        layer: `s1`, `s2` or `reference`.
        dataset: gives the bands.
    """
    pixels = raster.pixels
    if layer == "reference":
        return RasterContent(no_data=1 - np.count_nonzero(pixels) / pixels.size)
    # Every n-th pixel both ways: medians hardly change, at a sixteenth of the cost.
    step = max(1, pixels.shape[-1] // _JUDGED_PIXELS)
    sample = np.ascontiguousarray(pixels[:, ::step, ::step])
    observed = sample.any(axis=0)
    content = RasterContent(no_data=1 - observed.mean(), notes=_constant_bands(raster, sample))

    expected_bands = dataset.bands[layer]
    named = bands_named(raster.names, layer)
    content.names_bands = set(named) == set(expected_bands)
    if content.names_bands:  # then it is judged in the order of the layout
        sample = sample[[named.index(band) for band in expected_bands]]
    if layer == "s2":
        names = expected_bands if content.names_bands else ()
        doubts = implausible_image(sample, layer, names) or uneven_bands(sample, names)
        content.doubt = next(iter(doubts), None)
        content.brightened = looks_brightened(sample, names)
        if has_red_edge(expected_bands):
            content.edge = red_edge(np.moveaxis(sample, 0, -1))
            content.order = order_of_red_edge(content.edge)
    elif tuple(expected_bands) == S1_BANDS:
        content.levels = _levels(sample)
    return content


def _levels(sample: np.ndarray) -> list[float] | None:
    """Medians of VV and VH in decibel, where both are observed; None where they never are."""
    # 0 is no data; as decibels it would count as -50.
    in_both = sample.all(axis=0)
    if not in_both.any():
        return None
    return [float(np.median(decibel(band[in_both]))) for band in sample]


def _constant_bands(raster: Raster, sample: np.ndarray) -> list[str]:
    notes = []
    for index, band in enumerate(sample):
        value = band[0, 0]
        # The sample is asked first: only where it is constant must all pixels be read.
        if (band == value).all() and (raster.pixels[index] == value).all():
            name = raster.names[index] or index + 1
            notes.append(f"band {name} is {value:g} everywhere")
    return notes


def band_order(images: pd.DataFrame) -> ContentCheck:
    """Judge the order of the bands of Sentinel-2 by vegetation.

    Args:
        images: one row per raster: `names_bands`, `edge`, `order` of `RasterContent`.
    """
    if images.empty:
        return ContentCheck()
    named = images["names_bands"].astype(bool)
    orders = images["order"]
    sentence = f"Rasters that name their bands: {named.sum():,} of {len(images):,}. "
    votes = orders.value_counts()
    if votes.empty:
        return ContentCheck(sentence + "Too little vegetation to test their order.")
    fourth, fifth = np.mean(images["edge"][orders.notna()].tolist(), axis=0)
    by_order = " and ".join(
        f"{count:,} speak for the {order} order" for order, count in votes.items()
    )
    sentence += (
        f"Over vegetation the fourth band has a mean of {fourth:.0f} and the fifth one of "
        f"{fifth:.0f}. Of the {votes.sum():,} rasters with vegetation {by_order}"
    )
    orders_of_unnamed = set(orders[~named].dropna())
    problem = ""
    if (orders[named] == "resolution").any():
        problem = "the names of the bands contradict what vegetation shows"
    elif len(orders_of_unnamed) > 1:
        problem = "rasters without band names are stored in two orders: name their bands"
    elif orders_of_unnamed == {"resolution"}:
        problem = "bands without names lie 10 m bands first: give band_order='resolution'"
    return ContentCheck(sentence, problem)


def backscatter_levels(images: pd.DataFrame) -> ContentCheck:
    """Judge the unit and the order of the bands of Sentinel-1 by their medians.

    Args:
        images: one row per raster: `levels` of `RasterContent`.
    """
    levels = np.array(images["levels"].dropna().tolist())
    if not len(levels):
        return ContentCheck()
    vv, vh = np.median(levels, axis=0)
    share_above = (levels[:, 0] > levels[:, 1]).mean()
    sentence = (
        f"Read as linear intensity, the median of {counted(len(levels), 'raster', 'rasters')} is "
        f"{vv:.1f} dB in VV and {vh:.1f} dB in VH (land: about -11 and -17); VV is above VH in "
        f"{share_above:.0%}."
    )
    problem = ""
    if share_above < 0.5:
        problem = "VH is above VV, which land never shows: are the bands swapped?"
    elif vv < _LOWEST_VV:
        problem = f"a median of {vv:.1f} dB is not that of land: is it linear intensity?"
    else:
        problem = amplitude_problem_of_medians({"VV": vv, "VH": vh}) or ""
    return ContentCheck(sentence, problem)


def reflectance_unit(images: pd.DataFrame) -> ContentCheck:
    """Judge the unit of Sentinel-2 by most rasters: a single one may be all lake or shadow.

    Args:
        images: one row per raster: `doubt` and `brightened` of `RasterContent`.
    """
    doubts = images["doubt"].dropna()
    brightened = int(images["brightened"].sum())
    sentence = ""
    if brightened > _MOST * len(images):
        # No problem: it may be a desert.
        sentence = (
            f"In {brightened:,} of {len(images):,} rasters almost no pixel is darker than 1000 in "
            "B2-B4. Products since January 2022 carry an offset; if these do, subtract 1000 "
            "in a signed type."
        )
    if len(doubts) <= _MOST * len(images):
        return ContentCheck(sentence)
    problem = f"most rasters are in doubt, such as one that {doubts.iloc[0]}"
    return ContentCheck(problem=problem)


def place(rasters: pd.DataFrame) -> ContentCheck:
    """Say how far rasters lie from where their names say.

    Args:
        rasters: one row per raster: `offset`, metres east and south.
    """
    offsets = Counter(rasters["offset"].dropna())
    if set(offsets) == {(0, 0)}:
        return ContentCheck("Every raster lies where its name says.")
    sentences = []
    for (east, south), count in offsets.most_common(_MOST_OFFSETS):
        rasters = counted(count, "raster lies", "rasters lie")
        sentences.append(
            f"{rasters} {east:+d} m east and {south:+d} m south of where the name says"
        )
    return ContentCheck("; ".join(sentences))
