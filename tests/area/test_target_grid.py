"""The grid of an area: which zone, which pixels, which tile."""

from functools import partial

import numpy as np
import pytest
import rasterio
from own_images import MOON, NORTH, WEST, write
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform

from multisenge_lib.area.band_source import BandSource, placement_of, utm_zone
from multisenge_lib.area.sources import find_images
from multisenge_lib.area.target_grid import (
    TargetGrid,
    find_target_grid,
    lies_on_grid,
    patch_name,
    rows_of,
)
from multisenge_lib.dataset import origin_of_patch
from multisenge_lib.errors import ImportAreaError

ZONE = CRS.from_epsg(32719)
ONE_BAND = np.ones((1, 40, 50), np.uint16)


def grid_of(*paths):
    """The grid that covers these images, and where they lie."""
    return find_target_grid(find_images(paths, {}).acquisitions)


def off_grid_of(grid, placements):
    return [p for p in placements if not lies_on_grid(p.transform, p.crs, grid.crs)]


@pytest.mark.parametrize(
    ("place", "crs", "is_on_grid"),
    [
        (Affine(10, 0, WEST, 0, -10, NORTH), 32719, True),
        # Rows to the north, columns to the west, and the other hemisphere of the zone.
        (Affine(-10, 0, WEST, 0, 10, NORTH), 32719, True),
        (Affine(10, 0, WEST, 0, -10, NORTH), 32619, True),
        (Affine(10, 0, WEST, 0, -10, NORTH), 32718, False),
        (Affine(10, 0, WEST, 0, -10, NORTH), 4326, False),
        # Another size of one side, another place along one side, pixels that are turned.
        (Affine(20, 0, WEST, 0, -10, NORTH), 32719, False),
        (Affine(10, 0, WEST, 0, -20, NORTH), 32719, False),
        # Over 100 pixels these miss the grid by half a pixel.
        (Affine(10.05, 0, WEST, 0, -10, NORTH), 32719, False),
        (Affine(10, 0, WEST, 0, -9.95, NORTH), 32719, False),
        (Affine(10, 0, WEST + 5, 0, -10, NORTH), 32719, False),
        (Affine(10, 0, WEST, 0, -10, NORTH + 5), 32719, False),
        (Affine(10, 1, WEST, 0, -10, NORTH), 32719, False),
        (Affine(10, 0, WEST, 1, -10, NORTH), 32719, False),
    ],
)
def test_which_pixels_lie_on_the_grid(place, crs, is_on_grid):
    assert lies_on_grid(place, CRS.from_epsg(crs), ZONE) == is_on_grid


@pytest.mark.parametrize(
    ("epsg", "zone"),
    [
        (32601, (1, False)),
        (32660, (60, False)),
        (32701, (1, True)),
        (32760, (60, True)),
        # The projections around the poles, and others.
        (32661, None),
        (32761, None),
        (4326, None),
        (3857, None),
    ],
)
def test_the_zones_and_their_hemispheres(epsg, zone):
    assert utm_zone(CRS.from_epsg(epsg)) == zone


@pytest.mark.parametrize(
    ("longitude", "latitude", "epsg"),
    [
        (2.5, 48.5, 32631),
        (-179.9, 10, 32601),
        (179.9, 10, 32660),
        # Images across the antimeridian, most of them on its western or its eastern side.
        (179.996, 10, 32660),
        (179.999, 10, 32601),
        (-180.004, 10, 32660),
        (-180.001, 10, 32601),
        (10, -0.5, 32732),
        # Zone 32 is wider in the south of Norway, from 3 to 12 degrees.
        (2.5, 60, 32631),
        (3.5, 60, 32632),
        (3.5, 55.5, 32631),
        (3.5, 64.5, 32631),
        # Around Svalbard four zones are left: 31, 33, 35 and 37.
        (8.5, 78, 32631),
        (9.5, 78, 32633),
        (20.5, 78, 32633),
        (21.5, 78, 32635),
        (33.5, 78, 32637),
        (42.5, 78, 32638),
        (-0.5, 78, 32630),
        (8.5, 71.5, 32632),
    ],
)
def test_the_zone_of_a_place_in_degrees(tmp_path, longitude, latitude, epsg):
    corner = {"west": longitude, "north": latitude, "res": 1e-4, "crs": "EPSG:4326"}
    path = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], **corner)
    grid, placements = grid_of(path)
    assert grid.crs.to_epsg() == epsg
    assert len(off_grid_of(grid, placements)) == 1


@pytest.mark.parametrize("latitude", [84.2, -80.2])
def test_beyond_the_tiles_there_is_no_grid(tmp_path, latitude):
    corner = {"west": 20, "north": latitude, "res": 1e-4, "crs": "EPSG:4326"}
    path = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], **corner)
    with pytest.raises(ImportAreaError, match="between 80 south and 84 north"):
        grid_of(path)


@pytest.mark.parametrize(
    ("shift", "columns", "rows"),
    [
        (0, (0, 50), (0, 40)),
        # An edge that misses the grid by millimetres lies on it, on either side.
        (0.005, (0, 50), (0, 40)),
        (-0.005, (0, 50), (0, 40)),
        # Else only whole pixels of the grid are taken.
        (4, (1, 50), (0, 39)),
        (-4, (0, 49), (1, 40)),
    ],
)
def test_whole_pixels_of_the_grid(tmp_path, shift, columns, rows):
    """An image of 50 columns and 40 rows that is moved to the north-east or the south-west."""
    west, north = WEST + shift, NORTH + shift
    path = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], west=west, north=north)
    grid, _ = grid_of(path)
    assert (grid.west, grid.west + 10 * grid.width) == tuple(WEST + 10 * n for n in columns)
    assert (grid.north, grid.north - 10 * grid.height) == tuple(NORTH - 10 * n for n in rows)


@pytest.mark.parametrize("direction", ["west", "north"])
@pytest.mark.parametrize(("metres", "is_refused"), [(219_000, False), (220_000, True)])
def test_how_far_an_area_may_reach(tmp_path, direction, metres, is_refused):
    start = {"west": WEST, "north": NORTH}
    away = start | {direction: start[direction] + metres}
    first = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], **start)
    second = write(tmp_path / "S2_20230202.tif", ONE_BAND, ["B2"], **away)
    if is_refused:
        with pytest.raises(ImportAreaError, match="more than 220 km"):
            grid_of(first, second)
    else:
        grid, _ = grid_of(first, second)
        assert max(grid.width, grid.height) == metres // 10 + (50 if direction == "west" else 40)


@pytest.mark.parametrize(
    ("east", "north", "have_common_ground"),
    [(490, 0, True), (0, 390, True), (500, 0, False), (0, 400, False), (500, 400, False)],
)
def test_two_sensors_share_a_pixel_at_least(tmp_path, east, north, have_common_ground):
    optical = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"])
    place = {"west": WEST + east, "north": NORTH + north}
    radar = write(tmp_path / "S1_20230105.tif", ONE_BAND, ["VV"], **place)
    if have_common_ground:
        grid, _ = grid_of(optical, radar)
        assert (grid.width, grid.height) == (50 + east // 10, 40 + north // 10)
    else:
        with pytest.raises(ImportAreaError, match="have no ground in common"):
            grid_of(optical, radar)


def test_ground_in_common_with_any_image_will_do(tmp_path):
    """Two dates of each sensor, of which only the second ones share ground."""
    paths = []
    for name, east in (("S2_20230105", 0), ("S2_20230202", 2000)):
        paths.append(write(tmp_path / f"{name}.tif", ONE_BAND, ["B2"], west=WEST + east))
    for name, east in (("S1_20230105", 4000), ("S1_20230202", 2400)):
        paths.append(write(tmp_path / f"{name}.tif", ONE_BAND, ["VV"], west=WEST + east))
    grid, _ = grid_of(*paths)
    assert (grid.west, grid.width) == (WEST, 450)


def test_every_file_counts_for_the_grid(tmp_path):
    """A file for each band, of which one reaches further; and a second part beside them."""
    write(tmp_path / "S2_20230105_B2.tif", ONE_BAND)
    write(tmp_path / "S2_20230105_B3.tif", ONE_BAND, west=WEST - 10, north=NORTH + 20)
    grid, _ = grid_of(tmp_path)
    assert (grid.west, grid.north, grid.width, grid.height) == (WEST - 10, NORTH + 20, 51, 42)
    stack = np.ones((2, 40, 50), np.uint16)
    parts = []
    for number, east in enumerate((0, 500)):
        path = tmp_path / "parts" / f"S2_20230105-{number}.tif"
        parts.append(write(path, stack, ["B2", "B3"], west=WEST + east))
    grid, _ = grid_of(*parts)
    assert (grid.west, grid.width) == (WEST, 100)


def test_the_first_image_decides_on_the_zone(tmp_path):
    """The second image lies at the same place, in the codes of the neighbouring zone."""
    (west,), (north,) = transform("EPSG:32719", "EPSG:32718", [WEST], [NORTH])
    paths = []
    for epsg, place in ((32719, (WEST, NORTH)), (32718, (west, north))):
        for day in ("20230105", "20230202"):
            path = tmp_path / str(epsg) / f"S2_{day}.tif"
            paths.append(write(path, ONE_BAND, ["B2"], *place, crs=f"EPSG:{epsg}"))
    for first, second in ((paths[0], paths[3]), (paths[2], paths[1])):
        grid, placements = grid_of(first, second)
        assert grid.crs.to_epsg() == int(first.parent.name)
        assert str(second) in [p.name for p in off_grid_of(grid, placements)]
        assert abs(grid.width - 50) < 8 and abs(grid.height - 40) < 8


@pytest.mark.fault("one UTM zone for a whole country -> the zone of the place, where tiles are")
@pytest.mark.parametrize(
    ("longitude", "latitude", "stored", "epsg"),
    [
        (15.0, 51.15, 32632, 32633),  # Goerlitz
        (23.15, 53.13, 32633, 32634),  # Bialystok
        (-73.9, -42.6, 32719, 32718),  # Chiloe
        (34.75, -0.1, 32737, 32736),  # Kisumu
        (-4.5, 48.4, 32631, 32630),  # Brest
        (9.1, 42.2, 32631, 32632),  # Corsica
        (12.1, 51.15, 32632, 32632),  # a little beyond the zone, where tiles still are
    ],
)
def test_a_place_far_beyond_the_zone_of_its_projection(tmp_path, longitude, latitude, stored, epsg):
    (west,), (north,) = transform("EPSG:4326", f"EPSG:{stored}", [longitude], [latitude])
    path = tmp_path / "S2_20230105.tif"
    write(path, ONE_BAND, ["B2"], round(west, -1), round(north, -1), crs=f"EPSG:{stored}")
    grid, placements = grid_of(path)
    assert grid.crs.to_epsg() == epsg
    assert abs(grid.width - 50) < 12 and abs(grid.height - 40) < 12
    assert len(off_grid_of(grid, placements)) == (stored != epsg)
    place = origin_of_patch(patch_name(grid.crs, grid.west, grid.north))
    (east,), (south,) = transform(f"EPSG:{stored}", f"EPSG:{place.epsg}", [west], [north])
    assert abs(place.west - east) < 120 and abs(place.north - south) < 120


def test_the_rows_on_which_a_source_may_show_ground(tmp_path):
    """Seven rows more to either side, as the coarsest pixels reach over these."""
    grid = TargetGrid(ZONE, WEST, NORTH, 50, 200)
    for south, rows in ((0, (-7, 47)), (1000, (93, 147)), (1004, (93, 148))):
        path = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], north=NORTH - south)
        placement = placement_of("s2", BandSource("a", partial(rasterio.open, path), "a"))
        assert rows_of(placement, grid) == rows


def test_the_equator_in_two_hemispheres_is_one_grid(tmp_path):
    """The second image says the same ground with the codes of the south."""
    north = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], 500_000, 200, crs="EPSG:32631")
    south = write(
        tmp_path / "S2_20230202.tif", ONE_BAND, ["B2"], 500_000, 10_000_200, crs="EPSG:32731"
    )
    for paths, top in (((north, south), 200), ((south,), 10_000_200)):
        grid, placements = grid_of(*paths)
        assert (grid.west, grid.north, grid.width, grid.height) == (500_000, top, 50, 40)
        assert off_grid_of(grid, placements) == []


@pytest.mark.parametrize(
    ("epsg", "west", "north", "tile"),
    [
        # The first pixel lies south-east of the corner, here at the corner of a square.
        (32631, 500_000, 5_400_000, "31UEP"),
        (32631, 500_000, 5_400_010, "31UEQ"),
        (32631, 499_990, 5_400_000, "31UDP"),
        # The equator, in the codes of both hemispheres.
        (32631, 500_000, 0, "31MEV"),
        (32631, 500_000, 10, "31NEA"),
        (32731, 500_000, 10_000_000, "31MEV"),
        (32731, 500_000, 10_000_010, "31NEA"),
    ],
)
def test_the_name_of_a_patch_says_its_tile_and_its_corner(epsg, west, north, tile):
    name = patch_name(CRS.from_epsg(epsg), west, north)
    assert name.split("_")[0] == tile
    place = origin_of_patch(name)
    north_of_equator = north - (10_000_000 if epsg > 32700 else 0)
    named_north = place.north - (10_000_000 if place.epsg > 32700 else 0)
    assert (place.west, named_north) == (west, north_of_equator)


@pytest.mark.parametrize("west", [90_000, 900_000])
def test_far_from_the_zone_there_is_no_name(west):
    with pytest.raises(ImportAreaError, match="beyond UTM zone 31"):
        patch_name(CRS.from_epsg(32631), west, 5_400_000)


@pytest.mark.parametrize(("res", "is_refused"), [(69.0, False), (71.0, True)])
def test_the_largest_pixels(tmp_path, res, is_refused):
    path = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], res=res)
    if is_refused:
        with pytest.raises(ImportAreaError, match="has pixels of 71 m"):
            grid_of(path)
    else:
        grid, _ = grid_of(path)
        assert (grid.width, grid.height) == (345, 276)


@pytest.mark.parametrize(("latitude", "is_refused"), [(82, False), (60, True)])
def test_the_area_of_a_pixel_counts_not_one_of_its_sides(tmp_path, latitude, is_refused):
    """Pixels of 111 m from south to north; from west to east 15 m, or 56 m."""
    corner = {"west": 2, "north": latitude, "res": 1e-3, "crs": "EPSG:4326"}
    path = write(tmp_path / "S2_20230105.tif", ONE_BAND, ["B2"], **corner)
    if is_refused:
        with pytest.raises(ImportAreaError, match="has pixels of"):
            grid_of(path)
    else:
        grid, _ = grid_of(path)
        assert grid.crs.to_epsg() == 32631


@pytest.mark.fault("images in a projection that GDAL cannot change into UTM -> one short line")
@pytest.mark.parametrize(("day", "epsg"), [("20230105", 4326), ("20230310", 32719)])
def test_an_image_of_another_planet(tmp_path, day, epsg):
    """As the first image, whose zone is looked for, and as the second, which comes into a zone."""
    moon = {"west": -71, "north": -41, "res": 1e-4, "crs": MOON}
    path = write(tmp_path / f"S2_{day}.tif", ONE_BAND, ["B2"], **moon)
    write(tmp_path / "S2_20230202.tif", ONE_BAND, ["B2"])
    with pytest.raises(ImportAreaError) as caught:
        grid_of(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{path} cannot be placed in EPSG:{epsg}: GDAL")
    assert message.endswith("warp it to UTM")
