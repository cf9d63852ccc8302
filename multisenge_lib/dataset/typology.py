"""The 14 classes of the reference and their two regroupings (paper, section 2.3 and Table 3).

Ids are those of the rasters: 1 to 14 in the published reference, 0 for no data. A regrouping
keeps 0. Colours are this book's own, the same on every figure: near CORINE's where it has any, and
told apart by colour-blind readers, which a test simulates.

Examples:
    >>> import multisenge_lib as ms
    >>> sorted(ms.TYPOLOGIES)
    ['10c', '14c', '6c']
    >>> ms.TYPOLOGIES["6c"].names[0]
    'Dense Built-Up'
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from multisenge_lib.errors import MultiSenGEError

NO_DATA = 0
#: Classes 1 to 5 of every typology: urban fabric.
URBAN = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class LandClass:
    """One class: its id, name and colour, and the published ids that it gathers."""

    id: int
    name: str
    color: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class Typology:
    """A classification: a named set of land-cover classes, in order of id, from 1, without gaps.

    Attributes:
        name: such as `10c`. It is part of the name of every experiment, run and record that uses
            the classification, so that two of them are never mixed up.
        classes: in order of id.
    """

    name: str
    classes: tuple[LandClass, ...]

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """For each class, the published ids that it gathers."""
        return tuple(c.members for c in self.classes)

    @property
    def ids(self) -> tuple[int, ...]:
        """Class ids, 1 to the number of classes."""
        return tuple(c.id for c in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Class names, in order of id."""
        return tuple(c.name for c in self.classes)

    @property
    def colors(self) -> tuple[str, ...]:
        """Hexadecimal colours, in order of id."""
        return tuple(c.color for c in self.classes)

    @property
    def lookup(self) -> np.ndarray:
        """From published id to id here: `(published classes + 1,) uint8`, 0 to 0."""
        table = np.zeros(1 + max(chain(*self.members)), dtype=np.uint8)
        for land_class in self.classes:
            table[list(land_class.members)] = land_class.id
        return table


_PUBLISHED = (
    ("Dense Built-Up", "#880e17"),
    ("Sparse Built-Up", "#ff150f"),
    ("Specialized Built-Up Areas", "#a95bad"),
    ("Specialized but Vegetative Areas", "#ff9ce2"),
    ("Large Scale Networks", "#494a51"),
    ("Arable Lands", "#fdfaa8"),
    ("Vineyards", "#fb9306"),
    ("Orchards", "#ffc36b"),
    ("Grasslands", "#c1ce9c"),
    ("Groves, Hedges", "#78a45c"),
    ("Forests", "#1b844b"),
    ("Open Spaces, Mineral", "#cec3b9"),
    ("Wetlands", "#3cb6bd"),
    ("Water Surfaces", "#0e80ee"),
)
_COLOR = dict(_PUBLISHED)

#: (name, colour, published ids) of each class; Table 3, with the merges as the text gives them.
_FOURTEEN = tuple((name, color, (i,)) for i, (name, color) in enumerate(_PUBLISHED, 1))
_TEN = (
    *_FOURTEEN[:6],
    ("Vineyards and Orchards", _COLOR["Vineyards"], (7, 8)),
    ("Grasslands", _COLOR["Grasslands"], (9,)),
    ("Forests and semi-natural areas", _COLOR["Forests"], (10, 11, 12)),
    ("Water Surfaces", _COLOR["Water Surfaces"], (13, 14)),
)
_SIX = (*_TEN[:5], ("Non-urban areas", "#d3dbb5", tuple(range(6, 15))))


def make_typology(
    rows: Iterable[tuple[str, str, tuple[int, ...]]], name: str | None = None
) -> Typology:
    """Number classes from 1 and put them together as a typology.

    Args:
        rows: of each class, its name, hexadecimal colour, and the published ids that it gathers.
        name: of the typology; by default its number of classes and `c`, such as `10c`.
    """
    classes = tuple(LandClass(number, *row) for number, row in enumerate(rows, start=1))
    return Typology(name or f"{len(classes)}c", classes)


#: The three typologies of the paper by name: `14c`, `10c` and `6c`.
TYPOLOGIES = {t.name: t for t in (make_typology(rows) for rows in (_FOURTEEN, _TEN, _SIX))}


def reclassify(reference: np.ndarray, typology: Typology) -> np.ndarray:
    """Regroup a published reference.

    Args:
        reference: any shape, integers from 0 to the number of published classes.
        typology: the regrouping.

    Returns:
        The same shape, uint8, ids of the typology, 0 where there was no data.

    Raises:
        MultiSenGEError: an id that is none of the published ones.

    Examples:
        >>> import numpy as np
        >>> import multisenge_lib as ms
        >>> published = np.array([[1, 5], [9, 0]])  # two urban classes, forest, no data
        >>> ms.reclassify(published, ms.TYPOLOGIES["6c"])
        array([[1, 5],
               [6, 0]], dtype=uint8)
    """
    reference = np.asarray(reference)
    lookup = typology.lookup
    if reference.size and not (reference.min() >= 0 and reference.max() < len(lookup)):
        strange = sorted({int(i) for i in np.unique(reference)} - set(range(len(lookup))))
        raise MultiSenGEError(
            f"class ids {strange} in the reference: there are 1 to {len(lookup) - 1}, "
            "and 0 for no data"
        )
    return lookup[reference]
