"""What the land of a patch is made of: the table `themes.yaml`, checked and typed."""

import msgspec

from multisenge_lib.sample.surfaces import read_table


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one kind of patch is made of. Lengths in metres, shares and chances from 0 to 1.

    Attributes:
        fields: shares of arable land, vineyards, orchards and grassland among the blocks of fields.
        block: width of a block of fields.
        strip: width of the parcels into which a block is cut.
        forest: share of the patch that is forest.
        hedges: share of the borders between blocks that have a hedge.
        groves: number of groves among the fields, for a patch of 64 pixels.
        relief: height of the slopes, relative to the default.
        river: width of the river; 0 for none.
        pond: radius of the pond; 0 for none.
        core: radius of the dense core of the settlement.
        rim: radius of the houses with gardens; 0 for no settlement.
        halls: radius around the settlement within which blocks may be industrial.
        greens: number of parks and sports grounds, for a patch of 64 pixels.
        quarry: radius of an open pit; 0 for none.
        motorway: chance that a motorway crosses the patch.
        rail: chance that a railway crosses the patch.
    """

    fields: tuple[float, float, float, float]
    block: float = 220
    strip: float = 70
    forest: float = 0
    hedges: float = 0.1
    groves: int = 1
    relief: float = 1
    river: float = 0
    pond: float = 0
    core: float = 0
    rim: float = 0
    halls: float = 0
    greens: int = 0
    quarry: float = 0
    motorway: float = 0
    rail: float = 0


class Fabric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one part of a settlement is built. Lengths in metres, shares from 0 to 1.

    Attributes:
        street: distance between two streets.
        lot: width and depth of a lot.
        built: share of the lots that have a roof.
        roof: least and greatest share of a lot's side that its roof covers.
        height: least and greatest height of the roofs.
        trees: share of the cells that are under trees.
        roofs: shares of surfaces on the roofs.
        cover: shares of surfaces between the roofs.
    """

    street: float
    lot: tuple[float, float]
    built: float
    roof: tuple[float, float]
    height: tuple[float, float]
    trees: float
    roofs: dict[str, float]
    cover: dict[str, float]


_TABLES = read_table("themes")

#: The kinds of patches, by name.
THEMES: dict[str, Theme] = msgspec.convert(_TABLES["themes"], dict[str, Theme])
#: What grows in a parcel: shares of surfaces, for each of the four kinds of fields in order.
CROPS: dict[str, dict[str, float]] = msgspec.convert(_TABLES["crops"], dict[str, dict[str, float]])
#: The parts of a settlement: `core`, `rim` and `halls`.
FABRICS: dict[str, Fabric] = msgspec.convert(_TABLES["fabric"], dict[str, Fabric])
