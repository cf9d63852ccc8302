"""Where the pixels of a file or cube lie, and what is refused because it does not say so."""

from functools import partial

import numpy as np
import pytest
import rasterio
from own_images import NORTH, WEST, write
from rasterio.crs import CRS
from rasterio.transform import Affine

from multisenge_lib.area.band_source import BandSource, placement_of, without_jump
from multisenge_lib.errors import ImportAreaError

ONE_BAND = np.ones((1, 40, 50), np.uint16)
DEGREES = CRS.from_epsg(4326)


def placed(path, place=None, crs=None):
    """Where a raster lies, after its transform is replaced."""
    if place is not None:
        with rasterio.open(path, "r+") as raster:
            raster.transform = place
    return placement_of(
        "s2", BandSource(path.name, partial(rasterio.open, path), path.name, crs=crs)
    )


def test_the_projection_of_a_raster_counts_before_that_of_the_user(tmp_path):
    user = CRS.from_epsg(32631)
    named = write(tmp_path / "named.tif", ONE_BAND)
    assert placed(named, crs=user).crs.to_epsg() == 32719
    unnamed = write(tmp_path / "unnamed.tif", ONE_BAND, crs=None)
    assert placed(unnamed, crs=user).crs == user


@pytest.mark.parametrize(
    ("place", "bounds", "pixel"),
    [
        (Affine(10, 0, WEST, 0, -20, NORTH), (0, -800, 500, 0), (10, 20)),
        # Columns to the west, rows to the north.
        (Affine(-10, 0, WEST, 0, 20, NORTH), (-500, 0, 0, 800), (10, 20)),
        # Turned: every corner is the outermost in one direction.
        (Affine(6, 16, WEST, 8, -12, NORTH), (0, -480, 940, 400), (10, 20)),
    ],
)
def test_bounds_and_pixels_however_a_raster_is_turned(tmp_path, place, bounds, pixel):
    placement = placed(write(tmp_path / "a.tif", ONE_BAND), place)
    assert (placement.height, placement.width) == (40, 50)
    left, bottom, right, top = bounds
    expected = (WEST + left, NORTH + bottom, WEST + right, NORTH + top)
    assert placement.bounds == placement.stored_bounds == expected
    assert (placement.pixel_width, placement.pixel_height) == pixel


def test_bounds_across_the_antimeridian_and_as_stored(tmp_path):
    corner = {"west": 179.99, "north": 10, "res": 1e-3, "crs": "EPSG:4326"}
    placement = placed(write(tmp_path / "a.tif", ONE_BAND, **corner))
    assert placement.bounds == pytest.approx((-0.01, 9.96, 0.04, 10))
    assert placement.stored_bounds == pytest.approx((179.99, 9.96, 180.04, 10))
    assert placement.stored_crs == DEGREES != placement.crs


@pytest.mark.parametrize(
    ("epsg", "west", "width", "shift"),
    [
        (4326, 179, 0.01, None),  # its edge is the antimeridian
        (4326, 179, 0.02, -180),
        (4326, 181, -0.02, -180),  # columns to the west
        (4326, -181, 0.02, 180),
        (4326, -179, -0.02, 180),
        (4326, -180, 0.02, None),
        # Metres may be any number.
        (32631, 500_000, 10, None),
        (3857, -300, 10, None),
    ],
)
def test_which_rasters_reach_past_the_antimeridian(epsg, west, width, shift):
    """100 columns each."""
    crs = CRS.from_epsg(epsg)
    place = Affine(width, 0, west, 0, -0.01, 10)
    counted_crs, counted = without_jump(crs, place, 100)
    if shift is None:
        assert (counted_crs, counted) == (crs, place)
    else:
        assert counted_crs != crs
        assert counted == Affine(width, 0, west + shift, 0, -0.01, 10)


def test_pixels_without_height_have_no_place(tmp_path):
    path = write(tmp_path / "a.tif", ONE_BAND)
    with pytest.raises(ImportAreaError, match=r"a\.tif says in no usable way"):
        placed(path, Affine(10, 0, WEST, 0, 0, NORTH))


@pytest.mark.parametrize(("grid", "named"), [("a cube", "a cube"), ("a\nb.tif", "'a\\nb.tif'")])
def test_messages_name_the_file_in_one_line(tmp_path, grid, named):
    """The name of a source may say a band and a date, which are not at fault here."""
    path = write(tmp_path / "a.tif", ONE_BAND, crs=None)
    source = BandSource("'a\\nb.tif'", partial(rasterio.open, path), grid)
    with pytest.raises(ImportAreaError) as caught:
        placement_of("s2", source)
    assert str(caught.value).startswith(f"{named} names no projection")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportAreaError("the cube has too few pixels"), "the cube has too few pixels"),
        (
            PermissionError(13, "Permission denied"),
            "a.tif cannot be read: [Errno 13] Permission denied",
        ),
    ],
)
def test_a_source_that_cannot_be_opened(error, message):
    def fail():
        raise error

    with pytest.raises(ImportAreaError) as caught:
        placement_of("s2", BandSource("a.tif", fail, "a.tif"))
    assert str(caught.value) == message
