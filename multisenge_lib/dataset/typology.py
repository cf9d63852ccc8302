"""Typologies: the classes of land cover that a network learns (paper, section 2.3 and Table 3).

The published reference has 14 classes. The paper groups them into ten, and into six: five urban
classes, and all else as one. So there are three typologies, with the names `14c`, `10c` and `6c`.
All have the same five urban classes under the ids 1 to 5.

The rasters of the reference hold the ids of the 14 classes, and 0 where there is no data.
`reclassify` turns them into the ids of another typology; 0 stays 0.

The colours are those of this book, the same in every figure. They are near those of CORINE where it
has the class, and readers with any common form of colour blindness can tell them apart, which a
test simulates.

Examples:
    >>> import multisenge_lib as ms
    >>> sorted(ms.TYPOLOGIES)
    ['10c', '14c', '6c']
    >>> ms.TYPOLOGIES["6c"].names[0]
    'Dense Built-Up'
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from multisenge_lib.errors import DescriptionError, MultiSenGEError

#: A colour, hexadecimal.
COLOR_PATTERN = r"^#[0-9a-fA-F]{6}\Z"
#: The class id of a pixel without data; for the images see `nodata`.
NO_DATA = 0
#: The urban classes, which have the same ids in all three typologies.
URBAN = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class LandClass:
    """One class of a typology.

    Attributes:
        id: from 1.
        name: in English.
        color: hexadecimal, such as `#880e17`.
        members: the ids of the reference's classes that it gathers.
    """

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
        """The number of classes, without no data."""
        return len(self.classes)

    @property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """The ids of the reference that each class gathers."""
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
        """The id in this typology of each id of the reference: `(its classes + 1,) uint8`.

        The id of the reference is the position in the array. At 0, no data, there is 0.
        """
        highest_id = max(chain.from_iterable(self.members))
        table = np.zeros(highest_id + 1, dtype=np.uint8)
        for land_class in self.classes:
            table[list(land_class.members)] = land_class.id
        return table


#: The published classes in the order of their ids, with this book's own colours.
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

# Name, colour and published ids of each class. Table 3 does not show which classes are merged, so
# the merges are those of the text.
_FOURTEEN = tuple(
    (name, color, (class_id,)) for class_id, (name, color) in enumerate(_PUBLISHED, start=1)
)
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
        rows: for each class its name, hexadecimal colour, and the ids of the reference that it
            gathers.
        name: the typology's name; by default its number of classes and `c`, such as `10c`.

    Raises:
        DescriptionError: two classes have one name, a colour is not of the form `#88aa00`, or the
            ids are not 1 to the highest, each in one class.
    """
    classes = tuple(LandClass(number, *row) for number, row in enumerate(rows, start=1))
    name = name or f"{len(classes)}c"
    _check_classes(name, classes)
    return Typology(name, classes)


def _check_classes(name: str, classes: Sequence[LandClass]) -> None:
    """Refuse classes that would lose pixels of the reference, or that nobody could tell apart."""
    names = [land_class.name for land_class in classes]
    if len(set(names)) < len(names):
        raise DescriptionError(
            f"the classes of {name} are {', '.join(names)}: give each a name of its own"
        )
    for land_class in classes:
        if not re.fullmatch(COLOR_PATTERN, land_class.color):
            raise DescriptionError(
                f"the colour of {land_class.name} is {land_class.color!r}: write it as #88aa00"
            )
    ids = sorted(chain.from_iterable(land_class.members for land_class in classes))
    # A reference's pixels of an id without a class would be no data, without a word.
    if ids != list(range(1, len(ids) + 1)):
        raise DescriptionError(
            f"the classes of {name} gather the ids {', '.join(map(str, ids))} of the reference: "
            "each id from 1 to the highest belongs to one class"
        )


#: The three typologies of the paper by name.
TYPOLOGIES = {
    "14c": make_typology(_FOURTEEN),
    "10c": make_typology(_TEN),
    "6c": make_typology(_SIX),
}


def reclassify(reference: np.ndarray, typology: Typology) -> np.ndarray:
    """Turn the ids of a reference into those of a typology.

    It groups the dataset's own classes. Foreign ids of a reference of your own are translated by
    `multisenge import --reclass`, before.

    Args:
        reference: any shape, integers from 0 to the number of its classes.
        typology: the classification whose ids are wanted.

    Returns:
        The same shape, uint8, ids of the typology, 0 where there is no data.

    Raises:
        MultiSenGEError: the reference holds other ids, or numbers that are not whole.

    Examples:
        >>> import numpy as np
        >>> import multisenge_lib as ms
        >>> reference = np.array([[1, 5], [9, 0]])  # two urban classes, grasslands, no data
        >>> ms.reclassify(reference, ms.TYPOLOGIES["6c"])
        array([[1, 5],
               [6, 0]], dtype=uint8)
    """
    if not isinstance(typology, Typology):
        raise MultiSenGEError(
            f"typology {typology!r}: give ms.TYPOLOGIES['10c'], or dataset.typologies[name]"
        )
    reference = np.asarray(reference)
    if not np.issubdtype(reference.dtype, np.integer):
        raise MultiSenGEError(
            f"a reference of {reference.dtype}: class ids are whole numbers, such as uint8"
        )
    lookup = typology.lookup
    if reference.size and not (reference.min() >= 0 and reference.max() < len(lookup)):
        valid_ids = range(len(lookup))
        strange = [int(class_id) for class_id in np.unique(reference) if class_id not in valid_ids]
        raise MultiSenGEError(
            f"class ids {strange} in the reference: valid are 1 to {len(lookup) - 1}, "
            "and 0 for no data"
        )
    return lookup[reference]
