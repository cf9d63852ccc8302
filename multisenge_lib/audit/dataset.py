"""Checks of what sections 2 and 3 and the captions say: dataset, split, classes, method."""

from collections.abc import Iterator

import numpy as np
from pyproj import Transformer

from multisenge_lib.audit.finding import (
    CAPTIONS,
    DATASET,
    METHOD,
    OUTSIDE,
    SHARES,
    Evidence,
    Finding,
    counted,
    merged_shares,
    names,
    on_claim,
    verdict,
)
from multisenge_lib.dataset import (
    MULTISENGE,
    S2_BANDS,
    SPLITS,
    TILE_PIXELS,
    TYPOLOGIES,
    URBAN,
    tile_corner,
)

#: From a tile's centre to its sides, metres.
_HALF_TILE = TILE_PIXELS * 5
#: Square kilometres of a patch.
_PATCH_KM2 = (256 / 100) ** 2
#: Bands along which the reflectance of vegetation climbs.
_RAMP = ("B4", "B5", "B6", "B7", "B8", "B8A")


# Section 2.1 and 2.2: dataset and split


def check_counts(e: Evidence) -> Iterator[Finding]:
    """Section 2.1: tiles and patches."""
    held = {"tiles": len(e.census.tiles), "patches": e.census.totals["patches"]}
    for claim, unit in (("tiles-14", "tiles"), ("patches-8157", "patches")):
        printed = e.paper.stated(claim)[unit]
        words = "Counted on the real label files."
        yield counted(e, claim, f"Number of {unit}", DATASET, printed, held[unit], words)


def check_year(e: Evidence) -> Iterator[Finding]:
    """Section 2.1: all acquisitions are of one year."""
    printed = e.paper.stated("year")["year"]
    dates = e.census.totals["s1_references"] + e.census.totals["s2_references"]
    words = f"Reading the label files refuses any other year; {dates:,} dates passed."
    yield on_claim(
        e,
        "year",
        "Year of the images",
        DATASET,
        f"{printed:.0f}",
        str(*MULTISENGE.years),
        (printed,) == MULTISENGE.years,
        words,
        printed - MULTISENGE.years[0],
        0.0,
    )


def check_patch_size(e: Evidence) -> Iterator[Finding]:
    """Section 2.1: 256 x 256, by the pixels counted on the test tile."""
    size, patches = e.paper.stated("patch-size"), e.paper.stated("split-counts")["test"]
    yield counted(
        e,
        "patch-size",
        "Pixels of the test set",
        DATASET,
        patches * size["rows"] * size["columns"],
        e.replication.support[10].sum(),
        f"{patches:.0f} test patches of this size, against the labelled pixels that others "
        "counted: every pixel has a class.",
        " labelled pixels",
    )


def check_area(e: Evidence) -> Iterator[Finding]:
    """Section 2.1: the area is the region's; the patches cover less."""
    printed = e.paper.stated("region-area")["km2"]
    covered = e.census.totals["patches"] * _PATCH_KM2
    yield on_claim(
        e,
        "region-area",
        "Area",
        DATASET,
        f"{printed:,.0f} km2",
        f"patches cover {covered:,.0f} km2 at most",
        None,
        "The area is the region's, and nothing here measures it. The patches, at "
        f"{_PATCH_KM2:.2f} km2 each, come to {covered / printed:.0%} of it.",
    )


def check_months(e: Evidence) -> Iterator[Finding]:
    """Section 2.2: the four months with most patches."""
    counts = e.census.months
    named = sorted(int(m) for m in names(e, "months-most"))
    most = sorted(int(m) for m in counts.nlargest(len(named)).index)
    yield on_claim(
        e,
        "months-most",
        "Four months with most patches",
        DATASET,
        f"months {', '.join(map(str, named))}",
        f"months {', '.join(map(str, most))}",
        named == most,
        "Patches with a Sentinel-2 image, January to December, counted on the label files: "
        f"{' '.join(map(str, counts))}.",
    )


def check_winter(e: Evidence) -> Iterator[Finding]:
    """Section 2.2: the few images of winter and early spring."""
    few = [int(e.census.months[int(m)]) for m in names(e, "winter-few")]
    yield on_claim(
        e,
        "winter-few",
        "Few images in winter and early spring",
        DATASET,
        "few",
        f"{' '.join(map(str, few))} patches",
        max(few) < e.census.totals["patches"] / 2,
        "December to April: in each month fewer than half of the patches have an image.",
    )


def check_gap(e: Evidence) -> Iterator[Finding]:
    """Section 2.2: whether 17 days maximise the number of patches."""
    chosen = int(e.paper.stated("gap-17")["days"])
    table = {int(gap): int(n.value) for gap, n in e.paper.table("table1").items()}
    most = max(table, key=table.get)
    longest = max(gap for gap in table if table[gap] == table[chosen])
    yield on_claim(
        e,
        "gap-17",
        "The gap that maximises the patches",
        DATASET,
        f"{chosen} days",
        f"{most} days: {table[most]} patches, against {table[chosen]} at {chosen}",
        table[chosen] == table[most],
        f"By Table 1. {longest} days is the longest gap that keeps {table[chosen]} patches, and "
        "the paper goes on to call it a compromise with spatial distribution.",
    )


def check_split_counts(e: Evidence) -> Iterator[Finding]:
    """Section 2.2: the three counts, against the labels and against Table 1."""
    printed = e.paper.stated("split-counts")
    words = "Counted on the label files at 17 days; all other tiles train, 32ULV among them."
    for split in SPLITS:
        id, title = f"split-counts/{split}", f"Patches for {split}"
        yield counted(e, id, title, DATASET, printed[split], int(e.census.splits[split]), words)
    total, table = sum(printed.values()), e.paper.numbers["table1/17"].value
    words = "Training, validation and test together, against Table 1 at 17 days."
    title = "The split adds up to Table 1"
    yield counted(e, "split-counts/sum", title, DATASET, table, total, words)


def _selected(e: Evidence, tiles: set[str]) -> int:
    counts = e.census.tiles["selected"]
    return int(counts[[tile for tile in counts.index if tile in tiles]].sum())


def check_training_tiles(e: Evidence) -> Iterator[Finding]:
    """Section 2.2: the list of training tiles."""
    named, tiles = set(names(e, "training-tiles")), e.census.tiles
    used = set(tiles.index[(tiles["split"] == "train") & (tiles["selected"] > 0)])
    unused = tiles.index[tiles["selected"] == 0]
    printed, listed = e.paper.stated("split-counts")["train"], _selected(e, named)
    missing = ", ".join(sorted(used - named)) or "none"
    yield on_claim(
        e,
        "training-tiles",
        "List of training tiles",
        DATASET,
        f"{len(named)} tiles, {printed:.0f} patches",
        f"{listed} patches on these tiles; left out: {missing}",
        named == used,
        f"The tiles left out ({missing}) have {_selected(e, used - named)} selected patches, and "
        f"{printed:.0f} needs them. {', '.join(unused)} have none at 17 days, so "
        f"{len(tiles) - len(unused)} of the {len(tiles)} tiles are used.",
        printed - listed,
        0.0,
    )


def check_split_tiles(e: Evidence) -> Iterator[Finding]:
    """Section 2.2: validation and test tiles, by the counts they give."""
    *validation, test = names(e, "split-tiles")
    printed = e.paper.stated("split-counts")
    held = _selected(e, set(validation)), _selected(e, {test})
    yield on_claim(
        e,
        "split-tiles",
        "Tiles for validation and test",
        DATASET,
        f"{printed['validation']:.0f} and {printed['test']:.0f}",
        f"{' + '.join(validation)}: {held[0]}; {test}: {held[1]}",
        held == (printed["validation"], printed["test"]),
        "The patches selected on the tiles that the text names.",
    )


def check_test_tile(e: Evidence) -> Iterator[Finding]:
    """Section 4: the test set is all of its tile."""
    (tile,) = names(e, "test-tile")
    held, selected = e.census.tiles.loc[tile, ["patches", "selected"]]
    printed = e.paper.stated("split-counts")["test"]
    yield on_claim(
        e,
        "test-tile",
        "All patches of the test tile",
        DATASET,
        f"all available patches of {tile}: {printed:.0f}",
        f"{held} in the dataset, {selected} with a full series",
        bool(printed == held == selected),
        "No patch of the tile is lost to the selection of dates.",
    )


def check_patches_shown(e: Evidence) -> Iterator[Finding]:
    """Sections 4.1 and 4.2: the patches shown are test patches."""
    (tile,), shown = names(e, "test-tile"), names(e, "patches-shown")
    on_tile = [name for name in shown if name.startswith(f"{tile}_")]
    yield on_claim(
        e,
        "patches-shown",
        "The patches of Figures 8 and 9",
        DATASET,
        f"{len(shown)} patches",
        f"{len(on_tile)} on the test tile {tile}",
        len(on_tile) == len(shown),
        "By their names.",
    )


# Places


def _kilometres(city: str, tile: str) -> tuple[float, float]:
    """How far a city lies east and north of a tile's centre."""
    west, north, epsg = tile_corner(tile)
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(*MULTISENGE.cities[city])
    return (x - west - _HALF_TILE) / 1000, (y - north + _HALF_TILE) / 1000


def _place(e: Evidence, claim: str, title: str, topic: str, more: str = "") -> Finding:
    tile, city = names(e, claim)
    east, north = _kilometres(city, tile)
    return on_claim(
        e,
        claim,
        title,
        topic,
        city,
        f"{city} lies {east:+.0f} km east and {north:+.0f} km north of the centre of T{tile}",
        max(abs(east), abs(north)) <= _HALF_TILE / 1000,
        f"The tile reaches {_HALF_TILE / 1000:.0f} km from its centre.{more}",
    )


def check_places(e: Evidence) -> Iterator[Finding]:
    """Where the test tile lies: section 2.2 and the caption of Table 5."""
    yield _place(e, "test-reims", "Place of the test set", DATASET)
    more = (
        " Tables 5 and 7 also fit one support, that of the tile named in section 2.2, and the "
        "caption of Figure A1, on the same results, says the west of the region."
    )
    yield _place(e, "caption-table-5", "Test zone in the caption of Table 5", CAPTIONS, more)


def _longitude(tile: str) -> float:
    west, north, epsg = tile_corner(tile)
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    return to_degrees.transform(west + _HALF_TILE, north - _HALF_TILE)[0]


def check_west(e: Evidence) -> Iterator[Finding]:
    """Where the caption of Table 7 puts the test tile."""
    (tile,) = names(e, "caption-table-7")
    centres, own = [_longitude(name) for name in e.census.tiles.index], _longitude(tile)
    yield on_claim(
        e,
        "caption-table-7",
        "Test zone in the caption of Table 7",
        CAPTIONS,
        "west of the Grand-Est region",
        f"centre of T{tile} at {own:.2f} degrees east, of all tiles {min(centres):.2f} to "
        f"{max(centres):.2f}",
        own < (min(centres) + max(centres)) / 2,
        "Whether the tile lies in the western half of the dataset.",
    )


# Section 2.3: classes and shares


def check_typology(e: Evidence) -> Iterator[Finding]:
    """Section 2.3: numbers of classes."""
    stated, rows = e.paper.stated("typology-14")["classes"], len(e.paper.shares())
    title, words = "Published classes", "Rows of Table 2."
    yield counted(e, "typology-14", title, SHARES, stated, rows, words, " rows")
    sizes = {"first": len(e.paper.grouping[10]), "second": len(e.paper.grouping[6])}
    for which, printed in e.paper.stated("two-groupings").items():
        id, title = f"two-groupings/{which}", f"Classes of the {which} grouping"
        yield counted(e, id, title, SHARES, printed, sizes[which], "Names in Table 3.", " names")


def check_urban(e: Evidence) -> Iterator[Finding]:
    """Section 2.1: five urban classes, kept apart in both groupings."""
    alone = [{ids for ids in groups if len(ids) == 1} for groups in e.paper.grouping.values()]
    kept = set.intersection(*alone) & {(i,) for i in URBAN}
    words = "Classes of Table 3 that no grouping merges, among the urban ones."
    printed = e.paper.stated("urban-5")["classes"]
    yield counted(e, "urban-5", "Urban classes", SHARES, printed, len(kept), words)


def check_merging(e: Evidence) -> Iterator[Finding]:
    """Section 2.3: the merges of the text give Table 3's ten classes."""
    merged = [tuple(int(i) for i in group.split("+")) for group in names(e, "merging")]
    alone = {*range(1, 15)} - {i for group in merged for i in group}
    groups = {*merged, *((i,) for i in alone)}
    yield on_claim(
        e,
        "merging",
        "Merges of the text against Table 3",
        SHARES,
        "; ".join(names(e, "merging")),
        f"{len(groups)} classes, {len(groups & set(e.paper.grouping[10]))} of them Table 3's",
        groups == set(e.paper.grouping[10]),
        "What the text merges and what it leaves alone are Table 3's names. Which rows each name "
        "spans is lost in the text copy of the table, so the text decides it here; whether the "
        "printed table puts Open Spaces with forests too, the copy cannot show.",
    )


def check_small_shares(e: Evidence) -> Iterator[Finding]:
    """Section 2.3: classes under 1 % in Table 2, published and regrouped."""
    ten = merged_shares(e, 10)
    merged = f"Vineyards and Orchards come to {ten[6]:.2f} %, Water Surfaces to {ten[9]:.2f} %."
    notes = {
        "rare-classes": (e.paper.shares(), "The text says mostly; it is so of all four."),
        "under-1": (ten, f"With the classes of both groupings. Merged, {merged}"),
    }
    for claim, (shares, explanation) in notes.items():
        limit = e.paper.stated(claim)["percent"]
        found = {i: shares[int(i) - 1] for i in names(e, claim)}
        yield on_claim(
            e,
            claim,
            f"Classes {', '.join(found)} under {limit:g} %",
            SHARES,
            f"under {limit:g} %",
            ", ".join(f"({i}) {share:.2f} %" for i, share in found.items()),
            bool(max(found.values()) < limit),
            explanation,
        )


def check_non_urban(e: Evidence) -> Iterator[Finding]:
    """Section 4.1: the share of non-urban areas against Table 2."""
    number, pixels = e.paper.numbers["text/non-urban-share/percent"], e.replication.support[6]
    parts = [e.paper.numbers[f"table2/{i}"] for i in TYPOLOGIES[6].members[5]]
    derived = sum(n.value for n in parts)
    tolerance = number.half + sum(n.half for n in parts)
    yield on_claim(
        e,
        "non-urban-share",
        "Share of Non-urban areas",
        SHARES,
        f"{number.text} %",
        f"{derived:.2f} %",
        abs(number.value - derived) <= tolerance + 1e-9,
        "The non-urban shares of Table 2 added up, each rounded to a hundredth of a percent. "
        f"It is the share in the dataset; of the test tile it is "
        f"{100 * pixels[5] / pixels.sum():.2f} %.",
        number.value - derived,
        tolerance,
    )


# Section 3: method


def check_input_shape(e: Evidence) -> Iterator[Finding]:
    """Section 3.1, Eq. 2: dates, pixels and bands."""
    shape, size = e.paper.stated("input-shape"), e.paper.stated("patch-size")
    bands = len(names(e, "bands"))
    derived = {"dates": len(names(e, "months-most")), **size, "bands": bands}
    yield on_claim(
        e,
        "input-shape",
        "Shape of the input",
        METHOD,
        " x ".join(f"{n:.0f}" for n in shape.values()),
        f"{derived['dates']} months, patches of {size['rows']:.0f} x {size['columns']:.0f}, "
        f"{bands} bands listed in section 2.1",
        shape == derived,
        "Of Sentinel-2; Sentinel-1 has two bands.",
    )


def check_memory(e: Evidence) -> Iterator[Finding]:
    """Section 3.4: memory of the cards."""
    stated = e.paper.stated("memory")
    product, words = stated["cards"] * stated["each"], "Cards times the memory of each."
    yield counted(e, "memory", "Memory", METHOD, stated["total"], product, words, " GB")


def check_words(e: Evidence) -> Iterator[Finding]:
    """Section 3: four experiments and three metrics."""
    yield counted(
        e,
        "experiments",
        "Number of main experiments",
        METHOD,
        e.paper.stated("experiments")["main"],
        len({name for name, *_ in e.paper.experiments}),
        "Read as three on ConvLSTM and the additional one with Inception. Read as four and one "
        "more, the sentence would count five, and Table 4 has none.",
        " methods in Table 4, each with 6 and 10 classes",
    )
    named = names(e, "metrics-three")
    yield counted(
        e,
        "metrics-three",
        "Number of evaluation metrics",
        METHOD,
        e.paper.stated("metrics-three")["metrics"],
        len(named),
        "A slip of counting; nothing depends on it.",
        f" named: {', '.join(named)}",
    )


def check_augmentation(e: Evidence) -> Iterator[Finding]:
    """Section 3.4: what an augmentation to 75 % is."""
    share = e.paper.stated("augmentation-share")["percent"]
    yield on_claim(
        e,
        "augmentation-share",
        f"Augmentation to {share:g} %",
        METHOD,
        f"{share:g} %",
        "at least three readings",
        None,
        f"{share:g} % of the patches changed at random; {share:g} % more patches; or a set of "
        f"which {share:g} % are augmented. No count of patches after augmentation is given.",
    )


def implied_shares(e: Evidence) -> np.ndarray:
    """Shares of the 6 classes of which the authors' class weights are the inverse: percent."""
    inverse = 1 / e.script.class_weights
    return 100 * inverse / inverse.sum()


def check_class_weights(e: Evidence) -> Iterator[Finding]:
    """Section 3.4: the authors' class weights against Table 2."""
    implied, shares = implied_shares(e), merged_shares(e, 6)
    difference = implied - shares
    tolerance = np.array([0.005 * len(ids) for ids in TYPOLOGIES[6].members])
    same = bool((np.abs(difference) <= tolerance).all())
    train, patches = e.census.splits["train"], e.census.totals["patches"]
    possible = bool((implied * train <= (shares + tolerance) * patches).all())
    worst = int(np.argmax(np.abs(difference) / tolerance))
    yield on_claim(
        e,
        "class-weights",
        "Class weights of the authors' script",
        METHOD,
        f"Table 2 in 6 classes: {' '.join(f'{s:.2f}' for s in shares)} %",
        f"inverse of the weights: {' '.join(f'{s:.2f}' for s in implied)} %",
        True if same else None if possible else False,
        f"The script's weights sum to {e.script.class_weights.sum():.3f}. Their inverse gives "
        f"shares near Table 2's but not the same. They may be those of the {train} training "
        "patches, which no table gives, and Table 2 does not exclude it.",
        float(difference[worst]),
        float(tolerance[worst]),
    )


# The authors' public script


def climbs(values: np.ndarray, order: tuple[str, ...]) -> bool:
    """Whether values in this band order climb from the red to the near infrared.

    Args:
        values: `(10,)`, one a band.
        order: the ten band names, as the values are ordered.
    """
    by_band = dict(zip(order, values, strict=True))
    return bool((np.diff([by_band[band] for band in _RAMP]) > 0).all())


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def check_script(e: Evidence) -> Iterator[Finding]:
    """The authors' script: which of its two lists are the means."""
    means, stds = e.script.means, e.script.stds
    above = int((stds > means).sum())
    yield Finding(
        "script-normalisation",
        "Means and deviations of the authors' script",
        OUTSIDE,
        "lists named means and stds, one value a band",
        e.script.source,
        f"deviation over mean {' '.join(f'{r:.1f}' for r in stds / means)}",
        f"exchanged {' '.join(f'{r:.1f}' for r in means / stds)}",
        None,
        None,
        verdict(above < len(means) / 2),
        f"The list named stds exceeds the list named means in {above} of {len(means)} bands, and "
        "it climbs from B4 to B8A in spectral order, as the reflectance of vegetated land does "
        f"({_yes(climbs(stds, S2_BANDS))}; the other list: {_yes(climbs(means, S2_BANDS))}). With "
        "the names exchanged, that script computes (b - deviation) / mean. Eq. 4 of the paper is "
        "right; the script is not the paper's run, and whether the runs had this is not known.",
    )


def check_band_order(e: Evidence) -> Iterator[Finding]:
    """Section 2.1: the order of the ten bands."""
    listed, bright = names(e, "bands"), np.maximum(e.script.means, e.script.stds)
    in_listed, in_spectral = (climbs(bright, order) for order in (listed, S2_BANDS))
    as_listed = dict(zip(listed, bright, strict=True))
    yield on_claim(
        e,
        "bands",
        "Order of the ten bands",
        OUTSIDE,
        " ".join(listed),
        "mean reflectances of the authors' script climb from B4 to B8A in spectral order: "
        f"{_yes(in_spectral)}; in the order listed: {_yes(in_listed)}",
        True if in_listed else None,
        "The sentence lists bands by resolution and need not mean the order in the files. Read as "
        f"that order, the script's values would make B8 {as_listed['B8']:.0f} and its neighbour "
        f"B8A {as_listed['B8A']:.0f}, in a region of crops and forests.",
    )


DATASET_CHECKS = (
    check_counts,
    check_year,
    check_patch_size,
    check_area,
    check_months,
    check_winter,
    check_gap,
    check_split_counts,
    check_training_tiles,
    check_split_tiles,
    check_test_tile,
    check_patches_shown,
    check_places,
    check_west,
    check_typology,
    check_urban,
    check_merging,
    check_small_shares,
    check_non_urban,
    check_input_shape,
    check_memory,
    check_words,
    check_augmentation,
    check_class_weights,
    check_script,
    check_band_order,
)
