"""Which band is which: by the names in a raster, else as told, checked on vegetation."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from multisenge_lib.dataset.layout import BAND_ORDERS, S2_BANDS, BandOrder
from multisenge_lib.errors import BandOrderError, PatchError

#: Names that STAC catalogues give to Sentinel-2 bands.
_COMMON = {"BLUE": "B2", "GREEN": "B3", "RED": "B4", "NIR": "B8", "NIR08": "B8A"} | {
    "REDEDGE1": "B5",
    "REDEDGE2": "B6",
    "REDEDGE3": "B7",
    "SWIR16": "B11",
    "SWIR22": "B12",
}
_BAND = {
    "s1": re.compile(r"(?<![A-Z0-9])([VH][VH])(?![A-Z0-9])"),
    "s2": re.compile(r"(?<![A-Z0-9])B0?(\d{1,2}A?)(?![A-Z0-9])"),
}


def band_of(name: str | None, sensor: str) -> str | None:
    """The band that a description names (`B02`, `S2-L2A-B8A`, `nir`; `Gamma0_VH`), or None."""
    text = (name or "").strip().upper()
    if sensor == "s2" and text in _COMMON:
        return _COMMON[text]
    found = _BAND[sensor].search(text)
    if found is None:
        return None
    return found[1] if sensor == "s1" else f"B{found[1]}"


def has_red_edge(bands: Sequence[str]) -> bool:
    """Whether rasters of these bands show the red edge at the places that `red_edge` looks at."""
    return tuple(bands[:7]) == S2_BANDS[:7]


def red_edge(s2: np.ndarray) -> tuple[float, float] | None:
    """Mean reflectance of vegetation in the fourth and the fifth band; None if there is too little.

    Red (third) and near infrared (seventh: B8 or B7) stand at the same place in both band orders,
    so vegetation can be found before the order is known.

    Args:
        s2: `(..., bands)`, reflectance x 10,000, as stored; bands as `has_red_edge` asks.
    """
    pixels = s2.reshape(-1, s2.shape[-1])
    red, infrared = pixels[:, 2].astype(np.float32), pixels[:, 6].astype(np.float32)
    vegetated = infrared > 2.5 * red  # a vegetation index (NDVI) over 0.43
    if vegetated.sum() < max(50, 0.02 * len(pixels)):
        return None
    fourth, fifth = pixels[vegetated][:, 3:5].mean(axis=0)
    return float(fourth), float(fifth)


def order_of_red_edge(edge: tuple[float, float] | None) -> BandOrder | None:
    """The order that `red_edge` speaks for, or None.

    From B5 to B6 vegetation grows much brighter. In the spectral order these are the fourth and
    fifth bands; in the other, B8 and B5, the fourth is the brighter.
    """
    if edge is None or max(edge) < 1.25 * min(edge):
        return None
    return "spectral" if edge[0] < edge[1] else "resolution"


def guess_band_order(s2: np.ndarray) -> BandOrder | None:
    """The order of the bands of an image, see `red_edge`, by its vegetation; None if too little."""
    return order_of_red_edge(red_edge(s2))


def band_positions(
    names: Sequence[str | None],
    image: Callable[[], np.ndarray],
    wanted: Sequence[str],
    sensor: str,
    order: BandOrder = "spectral",
) -> list[int]:
    """Where each band wanted lies in a raster: by the bands' names, else as told.

    Args:
        names: descriptions of the raster's bands.
        image: gives its pixels, or some of them, where names do not tell: `(bands, height, width)`.
        wanted: the bands that the raster must have; it has no others where names do not tell.
        sensor: `s1` or `s2`.
        order: of Sentinel-2 files that do not name their bands.

    Raises:
        BandOrderError: the names contradict the layout, or vegetation the order told; without the
            raster's path.
    """
    assumed = [b for b in (BAND_ORDERS[order] if sensor == "s2" else wanted) if b in wanted]
    named = [band_of(name, sensor) for name in names]
    if set(wanted) <= set(named):
        return [named.index(band) for band in wanted]
    pairs = zip(named, assumed, strict=False)
    if len(named) != len(assumed) or any(name not in (None, band) for name, band in pairs):
        has = (
            ", ".join(name or "-" for name in names)
            if any(names)
            else f"{len(names)} without names"
        )
        raise BandOrderError(
            f"has the bands {has}, {sensor} must have {', '.join(wanted)}: name them so, in the "
            "order in which they lie, or remove the names"
            + (" and give band_order" if sensor == "s2" else "")
        )
    if sensor == "s2" and has_red_edge(wanted):
        guess = guess_band_order(np.moveaxis(image(), 0, -1))
        if guess not in (None, order):
            raise BandOrderError(
                f"does not name its bands; read in {order} order, vegetation has no red edge, in "
                f"{guess} order it has: give band_order={guess!r}"
            )
    return [assumed.index(band) for band in wanted]


def check_band_order(order: str) -> str:
    """The order as it came, or a PatchError where there is none of that name."""
    if order not in BAND_ORDERS:
        raise PatchError(f"band order {order!r}: choose {' or '.join(BAND_ORDERS)}")
    return order
