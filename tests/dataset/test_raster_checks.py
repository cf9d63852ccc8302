"""Checks of files and places that need no patch."""

import os
from pathlib import Path

import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioIOError

from multisenge_lib.dataset import MULTISENGE, raster_checks
from multisenge_lib.dataset.raster_checks import (
    PatchOrigin,
    is_north_up_10m,
    origin_of_patch,
    remedy_for,
)
from multisenge_lib.errors import MultiSenGEError

TEN_METRES = Affine(10, 0, 499_980, 0, -10, 5_500_020)


@pytest.mark.fault("a compression that this GDAL lacks -> conversion asked for, no new download")
def test_the_remedy_for_a_missing_codec():
    missing = RasterioIOError("Read failed")
    missing.__cause__ = RuntimeError("Cannot open TIFF file due to missing codec JXL.")
    assert "COMPRESS=DEFLATE" in remedy_for(missing)
    assert "COMPRESS=DEFLATE" in remedy_for(RasterioIOError("missing codec of code 50002"))
    assert remedy_for(RasterioIOError("Read failed")) == "fetch it again"


def test_the_name_of_a_patch_gives_its_place():
    # Tile 31UEQ begins at 499,980 E, 5,500,020 N (facts).
    assert origin_of_patch("31UEQ_257_514") == PatchOrigin(32631, 502_550, 5_494_880)


@pytest.mark.parametrize(
    "crs,expected",
    [
        ("EPSG:32631", True),
        ("EPSG:2154", True),  # Lambert-93, metres too
        ("EPSG:4326", False),  # degrees
        ("EPSG:2263", False),  # US survey feet
        (None, False),
    ],
)
def test_pixels_of_ten_are_pixels_of_ten_metres(crs, expected):
    crs = CRS.from_user_input(crs) if crs else None
    assert is_north_up_10m(TEN_METRES, crs) is expected


@pytest.mark.parametrize(
    "transform",
    [
        Affine(20, 0, 0, 0, -20, 0),
        Affine(10, 0, 0, 0, 10, 0),  # south up
        Affine(-10, 0, 0, 0, -10, 0),  # mirrored
        Affine(10, 1, 0, 1, -10, 0),  # turned
    ],
)
def test_other_pixels_are_not_north_up_10m(transform):
    assert not is_north_up_10m(transform, CRS.from_epsg(32631))


@pytest.mark.parametrize(
    ("height", "width", "is_problem"),
    [
        (32, 32, False),
        (32, 40, True),
        (40, 32, True),
        (10_980, 10_980, False),
        (10_981, 10_981, True),
    ],
)
def test_a_patch_is_square_and_within_a_tile(height, width, is_problem):
    class Reference:
        count = 1
        indexes = (1,)
        colorinterp = ("gray",)
        descriptions = (None,)
        dtypes = ("uint8",)
        scales = (1.0,)
        offsets = (0.0,)

    Reference.height = height
    Reference.width = width
    problems = raster_checks.layout_problems(Reference, "reference", MULTISENGE)
    expected = f"has {height}x{width} pixels, a patch is square, within a tile: cut it into patches"
    assert [problem.partition(", as")[0] for problem in problems] == [expected] * is_problem


@pytest.mark.parametrize(
    ("east", "north", "is_problem"),
    [(0, 0, False), (0.09, -0.09, False), (0.11, 0, True), (0, 0.11, True), (4, 0, True)],
)
def test_rasters_of_a_patch_share_their_pixels(east, north, is_problem):
    class Moved:
        shape = (32, 32)
        transform = Affine.translation(east, north) * TEN_METRES

    problems = raster_checks.alignment_problems(Moved, (32, 32), TEN_METRES)
    assert bool(problems) == is_problem
    if is_problem:
        assert f"lies {east:g} m east and {-north:g} m south of" in problems[0]


@pytest.mark.fault("a named pipe instead of a raster -> said so, never waited for")
def test_a_pipe_is_not_opened(tmp_path):
    pipe = tmp_path / "a.tif"
    os.mkfifo(pipe)
    assert raster_checks.file_problem(pipe) == "is not a file"


def test_a_name_that_no_system_takes_is_a_problem():
    assert "cannot be reached" in raster_checks.file_problem(Path("a\0b.tif"))


@pytest.mark.fault("PROJ of another program -> it is named, no raster is called damaged")
def test_a_foreign_proj_is_named(monkeypatch):
    class Broken:
        @staticmethod
        def from_epsg(code):
            raise CRSError("Cannot find proj.db")

    monkeypatch.setattr(raster_checks, "CRS", Broken)
    with pytest.raises(MultiSenGEError, match="PROJ cannot look up") as caught:
        raster_checks.projection_of(32631)
    assert "\n" not in str(caught.value)
