"""The single counts behind `LabelCounts`: by patch, tile, split, city and distance."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, permutations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from multisenge_lib.dataset import (
    LABELS,
    LAMBERT_93,
    MULTISENGE,
    S1_RULES,
    SPLITS,
    WGS84,
    centres,
    choose_all,
    dataset_of_root,
    footprints,
    month_of,
    overlap,
    read_index,
    read_patch,
    select,
    to_csv,
)

#: The gaps of Table 1 and Figure 3, in days; the paper uses 17.
DAYS_GAPS = (15, 16, 17, 18, 19, 20)
PAPER_GAP = 17
#: Degrees along a cell of the density grid, in longitude and latitude.
CELL = 0.1
#: Metres from a city's centre within which a patch counts as the city's.
CITY_RADIUS = 5_000
#: Kilometres for which `count_distances` counts the patches that lie nearer.
NEAR_KM = (1, 3, 10, 30)
#: The larger cities of Grand Est: longitude and latitude of their centres, in degrees.
CITIES = {
    **MULTISENGE.cities,
    "Colmar": (7.358, 48.079),
    "Châlons-en-Champagne": (4.367, 48.957),
    "Épinal": (6.450, 48.173),
    "Thionville": (6.168, 49.358),
    "Haguenau": (7.790, 48.816),
    "Verdun": (5.385, 49.160),
}


def count_totals(index: pd.DataFrame, selection: pd.DataFrame) -> dict[str, int]:
    """Patches, references and dates of a whole index; see `LabelCounts.totals`."""
    chosen_dates = selection["s2_dates"].map(tuple)
    totals = {
        "patches": len(index),
        "date_series": chosen_dates.nunique(),
        "other_dates_than_authors": count_other_dates(index, PAPER_GAP),
    }
    for sensor in ("s1", "s2"):
        dates = index[f"{sensor}_dates"].map(len)
        totals[f"{sensor}_references"] = int(dates.sum())
        totals[f"{sensor}_dates_least"] = int(dates.min())
        totals[f"{sensor}_dates_most"] = int(dates.max())
    return totals


def _count_members(sets: Iterable[Iterable[int]], highest: int) -> pd.Series:
    """In how many of the sets each number from 1 to `highest` is."""
    counts = Counter()
    for members in sets:
        counts.update(set(members))
    return pd.Series({number: counts[number] for number in range(1, highest + 1)})


def count_months(index: pd.DataFrame) -> pd.Series:
    """Patches with at least one Sentinel-2 date, by month 1 to 12 (Figure 2)."""
    months = (month_of(dates).tolist() for dates in index["s2_dates"])
    return _count_members(months, 12).rename("patches").rename_axis("month")


def count_classes(table: pd.DataFrame) -> pd.Series:
    """Patches that hold a class, by published class id."""
    classes = (ids.tolist() for ids in table["classes"])
    counts = _count_members(classes, len(MULTISENGE.reference_classes))
    return counts.rename("patches").rename_axis("class")


def count_presence(index: pd.DataFrame, selection: pd.DataFrame) -> pd.DataFrame:
    """Selected patches that hold a class, by published class id and split."""
    counts = {}
    for split in SPLITS:
        patches = selection.loc[selection["split"] == split, "patch"]
        counts[split] = count_classes(index[index["patch"].isin(patches)])
    return pd.DataFrame(counts)


def count_per_patch(index: pd.DataFrame, selection: pd.DataFrame) -> pd.DataFrame:
    """What is counted of each patch: whether dates remain at each gap, its split, why dropped.

    Returns:
        Columns of booleans: `patches` (always true), `gap15` to `gap20`, the splits, `no_month_7`
        and so on, and `too_close`.
    """
    table = pd.DataFrame({"patches": True}, index.index)
    for gap in DAYS_GAPS:
        chosen = choose_all(index["s2_dates"], MULTISENGE.months, gap)
        table[f"gap{gap}"] = [dates is not None for dates in chosen]

    split = index["patch"].map(selection.set_index("patch")["split"])
    for name in SPLITS:
        table[name] = split == name

    # Each dropped patch has one reason: the first month without an image, else the gap.
    unexplained = ~table[f"gap{PAPER_GAP}"]
    months = index["s2_dates"].map(lambda dates: set(month_of(dates).tolist()))
    for month in MULTISENGE.months:
        missing = unexplained & ~months.map(lambda present, month=month: month in present)
        table[f"no_month_{month}"] = missing
        unexplained &= ~missing
    table["too_close"] = unexplained
    return table


def count_tiles(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    """The counts of `count_per_patch` by tile, with `selected` and `split`."""
    counts = per_patch.groupby(index["tile"]).sum()
    selected = counts[list(SPLITS)].sum(axis=1)
    split = counts.index.map(MULTISENGE.split_of)
    return counts.drop(columns=list(SPLITS)).assign(selected=selected, split=split)


def count_density(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    """The counts of `count_per_patch` by cell of a grid of `CELL` degrees."""
    cells = np.floor(centres(index) / CELL).astype(int)
    columns = ["patches", *(f"gap{gap}" for gap in DAYS_GAPS), *SPLITS]
    grid = per_patch[columns].groupby([cells["lon"], cells["lat"]]).sum().reset_index()
    centre = (grid[["lon", "lat"]] + 0.5) * CELL
    return grid.assign(**centre.round(3)).rename_axis("cell")


def count_overlap(selection: pd.DataFrame) -> dict[str, float]:
    """Ground that two splits share, in square kilometres, by "train and test"."""
    by_split = dict(iter(footprints(selection).groupby("split")))
    shared = {}
    for one, other in combinations(SPLITS, 2):
        if one in by_split and other in by_split:
            shared[f"{one} and {other}"] = round(overlap(by_split[one], by_split[other]), 2)
    return shared


def count_s1_days(index: pd.DataFrame) -> pd.DataFrame:
    """Days between paired optical and radar dates, one row per Sentinel-1 rule."""
    rows = {}
    for rule in S1_RULES:
        table = select(index, s1_rule=rule)
        apart = np.abs(np.stack(table["s1_dates"]) - np.stack(table["s2_dates"])).astype(int)
        rows[rule] = {
            "mean": round(float(apart.mean()), 3),
            "median": float(np.median(apart)),
            "most": int(apart.max()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def count_series(selection: pd.DataFrame) -> pd.DataFrame:
    """The lists of chosen dates by tile, with the days between the dates.

    The paper chose its gap "to obtain images with a regular time-lapse" (section 2.2).
    """
    # Every selected patch has one date per month, so the lists are equally long.
    dates = np.stack(selection["s2_dates"])
    days = np.diff(dates, axis=1).astype(int)
    table = selection[["tile", "split"]].copy()
    for i in range(dates.shape[1]):
        table[f"date{i + 1}"] = dates[:, i].astype(str)
    for i in range(days.shape[1]):
        table[f"days{i + 1}"] = days[:, i]
    columns = [column for column in table if column != "split"]
    counts = table.groupby([*columns, "split"]).size().rename("patches").reset_index()
    return counts.rename_axis("series").set_index("tile", append=True).swaplevel()


def count_cities(index: pd.DataFrame, per_patch: pd.DataFrame) -> pd.DataFrame:
    """Patches whose centre lies within `CITY_RADIUS` of a city's: all, and selected by split."""
    patches = _points(centres(index))
    places = _points(pd.DataFrame(CITIES, index=["lon", "lat"]).T)
    rows = {}
    for city, place in places.items():
        near = (patches.distance(place) <= CITY_RADIUS).to_numpy()
        rows[city] = per_patch.loc[near, ["patches", *SPLITS]].sum()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("city")


def _points(degrees: pd.DataFrame) -> gpd.GeoSeries:
    """Points of columns `lon` and `lat`, in metres."""
    points = gpd.points_from_xy(degrees["lon"], degrees["lat"])
    return gpd.GeoSeries(points, index=degrees.index, crs=WGS84).to_crs(LAMBERT_93)


def count_distances(selection: pd.DataFrame) -> pd.DataFrame:
    """How near the patches of one split come to those of another, from edge to edge."""
    ground = footprints(selection).to_crs(LAMBERT_93)
    rows = {}
    for one, other in permutations(SPLITS, 2):
        ours = ground.geometry[ground["split"] == one].to_numpy()
        theirs = ground.geometry[ground["split"] == other].to_numpy()
        if not len(ours) or not len(theirs):
            continue
        # Square against square, not centre against centre: 0 where they touch.
        nearest = shapely.STRtree(theirs).query_nearest(
            ours, return_distance=True, all_matches=False
        )[1]
        kilometres = nearest / 1000
        row = {"patches": len(ours), "least_km": round(float(kilometres.min()), 2)}
        for limit in NEAR_KM:
            row[f"within_{limit}_km"] = int((kilometres <= limit).sum())
        rows[f"{one} to {other}"] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("splits")


def authors_choice(dates: np.ndarray, months: Sequence[int], days_gap: int) -> np.ndarray | None:
    """One date per month as the authors' public tools choose it, or None.

    Written anew from what `Patch.has_days_gap_s2` of r-wenger/MultiSenGE-Tools does. It walks
    through pairs of consecutive months. Of the earlier month it takes the first date that any date
    of the later month follows at a distance; only those later dates go on to the next pair.

    Args:
        dates: the dates of one patch, sorted datetime64[D].
        months: in order.
        days_gap: least number of days from one chosen date to the next.
    """
    by_month = [dates[month_of(dates) == month] for month in months]
    if not all(len(candidates) for candidates in by_month):
        return None
    gap = np.timedelta64(days_gap, "D")
    chosen = []
    candidates = by_month[0]
    for later in by_month[1:]:
        followers = later[:0]
        for date in candidates:
            followers = later[later - date >= gap]
            if len(followers):
                chosen.append(date)
                break
        candidates = followers
    for date in candidates:
        if date - chosen[-1] >= gap:
            chosen.append(date)
            break
    return np.array(chosen) if len(chosen) == len(months) else None


def count_other_dates(index: pd.DataFrame, days_gap: int) -> int:
    """Patches for which the authors' public tools choose other dates than `dataset.select`."""
    ours = choose_all(index["s2_dates"], MULTISENGE.months, days_gap)
    choices = {}
    different = 0
    for dates, our_dates in zip(index["s2_dates"], ours, strict=True):
        # Patches under one orbit have the same dates, so the search is done once for each list.
        key = dates.tobytes()
        if key not in choices:
            choices[key] = authors_choice(dates, MULTISENGE.months, days_gap)
        theirs = choices[key]
        if our_dates is None or theirs is None:
            different += our_dates is not theirs
        else:
            different += not np.array_equal(our_dates, theirs)
    return different


def digest_of_dates(selection: pd.DataFrame) -> str:
    """The SHA-256 of a selection as `to_csv` writes it: equal for equal dates only."""
    return hashlib.sha256(to_csv(selection).encode()).hexdigest()


def class_shares(root: Path | str) -> pd.Series:
    """Table 2 for any data root: percent of the labelled pixels of all references, by class id.

    Raises:
        PatchError: a reference is missing or damaged.
    """
    dataset = dataset_of_root(root)
    ids = len(dataset.reference_classes) + 1
    pixels = np.zeros(ids, dtype=np.int64)
    for row in read_index(Path(root) / LABELS, dataset).itertuples():
        reference = read_patch(root, row, sensors=()).reference
        pixels += np.bincount(reference.ravel(), minlength=ids)
    labelled = pixels[1:]
    return pd.Series(100 * labelled / labelled.sum(), index=dataset.reference_classes.ids)
