"""Parts of one date: which of them gives a pixel, and by how much they may differ."""

import numpy as np
import pytest
from own_images import scene, write
from rasterio.crs import CRS
from rasterio.windows import Window

from multisenge_lib.area import InputUnits
from multisenge_lib.area.acquisitions import Acquisition
from multisenge_lib.area.band_source import BandSource
from multisenge_lib.area.sources import find_images
from multisenge_lib.area.strips import Overlaps, Strip, join_strips, open_parts, read_strips
from multisenge_lib.area.target_grid import find_target_grid
from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import ImportAreaError

DAY = np.datetime64("2023-01-05")


def strip_of(states, value):
    """Two bands of one row: for each pixel `m`issing, `d`ark in the first band, or `c`omplete."""
    states = np.array([list(states)])
    values = np.full((2, *states.shape), value, np.uint16)
    values[0, states == "d"] = 1
    values[:, states == "m"] = 0
    missing = states == "m"
    complete = states == "c"
    empty_bands = np.array([not complete.any(), missing.all()])
    return Strip(values, missing, complete, empty_bands)


@pytest.mark.parametrize(
    ("parts", "first_band", "second_band"),
    [
        # The first part counts, unless another holds more bands there.
        (["mmm", "mdc"], [0, 1, 20], [0, 20, 20]),
        (["ddd", "mdc"], [1, 1, 20], [10, 10, 20]),
        (["ccc", "mdc"], [10, 10, 10], [10, 10, 10]),
        # The same with a third.
        (["mmm", "ddd", "mdc"], [1, 1, 30], [20, 20, 30]),
        (["mmd", "mcc", "ccc"], [30, 20, 20], [30, 20, 20]),
        (["ddc", "mmm", "mcc"], [1, 30, 10], [10, 30, 10]),
    ],
)
def test_the_first_part_that_holds_a_pixel_gives_all_its_bands(parts, first_band, second_band):
    strips = [strip_of(states, 10 * number) for number, states in enumerate(parts, 1)]
    joined = join_strips(strips)
    assert joined.values[:, 0].tolist() == [first_band, second_band]
    assert joined.missing[0].tolist() == [value == 0 for value in second_band]
    assert joined.complete[0].tolist() == [value > 1 for value in first_band]


def test_of_a_strip_only_its_sample_is_kept(tmp_path):
    """A view would keep every pixel of an image in memory until the last strip is read."""
    path = write(tmp_path / "S2_20230105.tif", scene(height=128, width=96), S2_BANDS)
    acquisitions = find_images([path], {}).acquisitions
    grid, _ = find_target_grid(acquisitions)
    with open_parts(acquisitions[0], S2_BANDS, grid, InputUnits()) as parts:
        strip = read_strips(parts, Window(0, 64, 96, 64))[0]
        (sample,) = parts[0].samples
    np.testing.assert_array_equal(sample, strip.values[:, ::2, ::2])
    assert sample.base is None


def test_a_band_is_empty_where_no_part_holds_it():
    strips = [strip_of(states, 10) for states in ("mmm", "ddm", "mmd")]
    assert join_strips(strips).empty_bands.tolist() == [True, False]
    assert join_strips([*strips, strip_of("mmc", 10)]).empty_bands.tolist() == [False, False]


def part_of(first_band, second_band, dtype=np.uint16):
    """A row of two bands; 0 for a pixel without data."""
    values = np.array([[first_band], [second_band]], dtype)
    complete = (values > 0).all(axis=0)
    return Strip(values, ~complete, complete, np.zeros(2, bool))


def check(sensor, *rows, zones=()):
    """Compare rows of the same parts, which are stored in these UTM zones, or in one."""
    projections = [CRS.from_epsg(zone) for zone in zones or [32631] * len(rows[0])]
    bands = {"s1": ("VV", "VH"), "s2": ("B2", "B3")}[sensor]
    overlaps = Overlaps(sensor, bands, projections)
    for strips in rows:
        overlaps.add(dict(enumerate(strips)))
    parts = []
    for number in range(1, len(rows[0]) + 1):
        parts.append({band: BandSource(f"file {number}", None, f"{number}") for band in bands})
    overlaps.check(Acquisition(sensor, DAY, tuple(parts)))


#: Values of two bands that the first part has in every test.
ONE = part_of([4000, 4000], [4000, 4000])


@pytest.mark.parametrize(
    ("first_band", "second_band", "words"),
    [
        # The mean of each band may differ by five percent, to either side.
        ([4200, 4200], [3800, 3800], None),
        ([4000, 4000], [4220, 4220], "file 1 and file 2 both give B3 of 2023-01-05, and differ"),
        ([3780, 3780], [4000, 4000], "file 1 and file 2 both give B2 of 2023-01-05, and differ"),
        ([4300, 4300], [4400, 4400], "B3 of 2023-01-05, and differ by 10%"),
        # A pixel that is lighter does not make up for one that is darker.
        ([4300, 3700], [4000, 4000], "differ by 8%"),
        ([4390, 4000], [4000, 4000], None),
        # What only one of them holds is not compared.
        ([4000, 0], [4000, 0], None),
        ([0, 0], [0, 0], None),
    ],
)
def test_how_far_two_parts_may_differ(first_band, second_band, words):
    other = part_of(first_band, second_band)
    if words is None:
        check("s2", [ONE, other])
    else:
        with pytest.raises(ImportAreaError, match=words):
            check("s2", [ONE, other])


@pytest.mark.parametrize(("difference", "is_refused"), [(100, False), (101, True)])
def test_a_small_difference_in_the_dark_is_tolerated(difference, is_refused):
    one = part_of([200, 200, 200], [200, 200, 200])
    other = part_of([200 + difference] * 3, [200, 200, 200])
    if is_refused:
        with pytest.raises(ImportAreaError, match=r"both give B2"):
            check("s2", [one, other], [one, other])
    else:
        check("s2", [one, other], [one, other])


@pytest.mark.parametrize(("factor", "is_refused"), [(1.04, False), (0.96, False), (1.06, True)])
def test_backscatter_has_no_small_difference(factor, is_refused):
    one = part_of([0.1, 0.1], [0.02, 0.02], np.float32)
    other = part_of([0.1, 0.1], [0.02 * factor, 0.02 * factor], np.float32)
    if is_refused:
        with pytest.raises(ImportAreaError, match=r"both give VH .* differ by 6%"):
            check("s1", [one, other])
    else:
        check("s1", [one, other])


def test_means_are_compared_across_zones():
    """Resampling smooths: a pixel that is lighter makes up for one that is darker."""
    zones = (32631, 32632)
    smoothed = part_of([4800, 3200], [4000, 4000])
    check("s2", [ONE, smoothed], zones=zones)
    with pytest.raises(ImportAreaError, match=r"both give B2 .* differ by 20%"):
        check("s2", [ONE, smoothed])
    for factor in (1.06, 0.94):
        value = int(4000 * factor)
        with pytest.raises(ImportAreaError, match=r"both give B3 .* differ by 6%"):
            check("s2", [ONE, part_of([4000, 4000], [value, value])], zones=zones)
    # A row that is lighter does not make up for one that is darker.
    lighter, darker = part_of([4400, 4400], [4000, 4000]), part_of([3600, 3600], [4000, 4000])
    with pytest.raises(ImportAreaError, match=r"both give B2 .* differ by 10%"):
        check("s2", [ONE, lighter], [ONE, darker], zones=zones)


def test_all_rows_are_judged_together():
    brighter = part_of([4300, 4300], [4300, 4300])
    with pytest.raises(ImportAreaError, match="differ by 8%"):
        check("s2", [ONE, brighter])
    check("s2", [ONE, brighter], [ONE, ONE])
    check("s2", [ONE, ONE], [ONE, brighter])
    dark = part_of([100, 100], [100, 100])
    with pytest.raises(ImportAreaError, match="differ by 7%"):  # the dark row weighs little
        check("s2", [ONE, brighter], [dark, dark])


def test_every_two_parts_are_compared():
    """The second and the third overlap, and neither meets the first."""
    beside = part_of([0, 0, 4000], [0, 0, 4000])
    first = part_of([4000, 0, 0], [4000, 0, 0])
    brighter = part_of([0, 0, 4400], [0, 0, 4400])
    with pytest.raises(ImportAreaError, match="file 2 and file 3"):
        check("s2", [first, beside, brighter])


def test_what_is_below_0_in_all_bands_is_dark_unless_it_is_one_number(tmp_path):
    """Dark water may be below 0 after correction for the atmosphere; a fill value is the same."""
    image = scene(height=32, width=32).astype(np.int16)
    image[:, :4] = -np.arange(1, 11)[:, None, None]
    image[:, 4:8] = -7
    image[:, 8:12] = 0
    path = write(tmp_path / "S2_20230105.tif", image, S2_BANDS)
    images = find_images([path], {})
    grid, _ = find_target_grid(images.acquisitions)
    with open_parts(images.acquisitions[0], S2_BANDS, grid, InputUnits()) as parts:
        strip = read_strips(parts, Window(0, 0, 32, 32))[0]
    assert not strip.missing[:4].any() and (strip.values[:, :4] == 1).all()
    assert strip.missing[4:12].all() and not strip.missing[12:].any()
