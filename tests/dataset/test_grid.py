import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from multisenge_lib.dataset.grid import (
    centres,
    footprints,
    patch_bounds,
    tile_corner,
    tile_outlines,
)
from multisenge_lib.dataset.layout import MULTISENGE
from multisenge_lib.errors import MultiSenGEError

TABLE = pd.DataFrame({"tile": ["32ULU", "31UEQ"], "x": [3855, 7453], "y": [771, 4112]})


@pytest.mark.parametrize(
    ("tile", "corner"),
    [
        ("31UEQ", (499980, 5500020, 32631)),
        ("32TNM", (499980, 4700040, 32632)),
        ("31UFP", (600000, 5400000, 32631)),
        ("33XVP", (399960, 9400020, 32633)),
        ("56HKH", (199980, 6300040, 32756)),
        ("21HUB", (300000, 6200020, 32721)),
    ],
)
def test_published_tile_corners(tile, corner):
    assert tile_corner(tile) == corner


@pytest.mark.parametrize("tile", ["31UXX", "foo", "", "31uEQ", "61UEQ", "31IEQ", "31UEQ1", "٣١UEQ"])
def test_no_such_tile(tile):
    with pytest.raises(MultiSenGEError, match="no Sentinel-2 tile"):
        tile_corner(tile)


def test_every_tile_of_the_dataset_has_a_corner():
    assert {tile_corner(tile)[2] for tile in MULTISENGE.tiles} == {32631, 32632}


def test_bounds_by_hand():
    assert patch_bounds("31UEQ", 100, 200) == (500980, 5495460, 503540, 5498020)


def test_a_patch_of_reims_lies_in_reims():
    place = centres(TABLE).loc[1]
    assert abs(place.lon - 4.04) < 0.02
    assert abs(place.lat - 49.26) < 0.02


def test_rows_keep_their_place_over_two_zones():
    frame = footprints(TABLE)
    assert frame.crs.to_epsg() == 4326
    assert frame["tile"].tolist() == ["32ULU", "31UEQ"]
    assert frame.geometry.iloc[0].centroid.x > 6 > frame.geometry.iloc[1].centroid.x


def test_centres_are_those_of_the_projected_squares():
    for row, (lon, lat) in zip(TABLE.itertuples(), centres(TABLE).to_numpy(), strict=True):
        west, south, east, north = patch_bounds(row.tile, row.x, row.y)
        centre = gpd.points_from_xy([lon], [lat], crs=4326).to_crs(tile_corner(row.tile)[2])
        assert abs(centre.x[0] - (west + east) / 2) < 1
        assert abs(centre.y[0] - (south + north) / 2) < 1


def test_a_tile_is_110_km_wide():
    (square,) = tile_outlines(["31UEQ"]).to_crs(32631).geometry
    np.testing.assert_allclose(square.area, 109_800**2, rtol=1e-6)


def test_an_empty_table_has_no_footprints():
    assert len(footprints(TABLE.iloc[:0])) == 0
