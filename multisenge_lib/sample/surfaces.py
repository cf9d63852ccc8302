"""What the land of the sample is covered with: the table `surfaces.yaml`, checked and typed.

To change how one land cover looks, edit its entry in `surfaces.yaml`. Nothing else has to change.
"""

from importlib.resources import files
from typing import Any, Literal

import msgspec
import numpy as np
import yaml

#: The soils that a patch may have, by their names among the spectra.
Earth = Literal["soil", "chalk"]

# Curves are tabulated for each day from 0 on, and for a month more than a year, because a unit may
# run ahead of its calendar.
_DAYS = np.arange(400)


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of surface; `surfaces.yaml` explains the attributes."""

    ground: str
    bare_db: tuple[float, float]
    between: float
    within: float
    green: str | None = None
    leaf: dict[int, float] = {}
    dry: dict[int, float] = {}
    leaf_db: tuple[float, float] | None = None
    shift: int = 10


def read_table(name: str) -> dict[str, Any]:
    """Read one of the YAML files beside this module."""
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


_TABLES = read_table("surfaces")

#: Reflectance x 10,000 of each material, `(10,) float32`, in the order of `S2_BANDS`.
SPECTRA: dict[str, np.ndarray] = {
    name: np.array(values, np.float32) for name, values in _TABLES["spectra"].items()
}
#: The kinds of surfaces by name.
SURFACES: dict[str, Surface] = msgspec.convert(_TABLES["surfaces"], dict[str, Surface])
#: The number of each surface in the arrays of a patch: its position in `SURFACES`.
SURFACE_NUMBER: dict[str, int] = {name: number for number, name in enumerate(SURFACES)}


def daily_values(curve: dict[int, float]) -> np.ndarray:
    """Interpolate a curve `{day of the year: value}` to every day, `(days,)`.

    Before its first point and after its last one, a curve keeps their values. A curve without
    points is 0.
    """
    if not curve:
        return np.zeros(len(_DAYS))
    return np.interp(_DAYS, list(curve), list(curve.values()))


#: Brightness of bare soil on each day of the year, relative to its spectrum.
SOIL_BRIGHTNESS = daily_values(_TABLES["soil_brightness"])
