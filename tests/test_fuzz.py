"""What comes from outside, mangled: every reader gives a value or says in one line what is wrong.

Fifty cases of each in the suite; `make fuzz` runs 100,000 for each reader (FUZZ_CASES). A room adds
its own readers here, as a function that hypothesis gives damaged content to.
"""

import gzip
import io
import json
import os
import re
import tarfile
import warnings
import zipfile
from functools import cache
from pathlib import Path

import labels
import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from rasterio.transform import Affine, from_origin
from records import make_record

from multisenge_lib.area import baseline_of, day_in
from multisenge_lib.dataset import dataset_of_root, names_only_count, read_index
from multisenge_lib.dataset.image_checks import check_image, zero_invalid
from multisenge_lib.dataset.labels import parse_label
from multisenge_lib.dataset.layout import MULTISENGE, S2_BANDS
from multisenge_lib.dataset.raster_checks import origin_of_patch
from multisenge_lib.dataset.rasters import read_raster
from multisenge_lib.dataset.selection import dates_on_disk
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.models import read_model_card
from multisenge_lib.models.networks import NetworkFile, parse_network
from multisenge_lib.results import compare_experiments, comparison_notes, to_yaml
from multisenge_lib.results.record_files import list_records, read_record, write_record
from multisenge_lib.training.start_from import starting_point

settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("FUZZ_CASES", 50)),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FUZZ = settings.get_profile("fuzz")
PATCH = "31UEQ_7453_4112"
RIGHT = json.dumps(labels.document(PATCH)).encode()


def value_or_one_line(read, *arguments):
    """Call a reader: any error but ours fails the test."""
    try:
        return read(*arguments)
    except MultiSenGEError as error:
        assert str(error).strip() and "\n" not in str(error)


def mangled(right: bytes) -> st.SearchStrategy[bytes]:
    """Right content with a piece cut out and another put in; or bytes of no kind at all."""

    def splice(cut: tuple[int, int, bytes]) -> bytes:
        start, length, piece = cut
        return right[:start] + piece + right[start + length :]

    places = st.integers(0, len(right))
    return st.tuples(places, places, st.binary(max_size=40)).map(splice) | st.binary(max_size=200)


text = st.text(max_size=30)
projections = st.sampled_from(["EPSG:32631", "EPSG:2154", "LOCAL", "+proj=utm +zone=31"]) | text
documents = st.fixed_dictionaries(
    {},
    optional={
        "corresponding_s1": text | st.just(labels.document(PATCH)["corresponding_s1"]),
        "corresponding_s2": text | st.just(labels.document(PATCH)["corresponding_s2"]),
        "projection": projections,
        "labels": text | st.sampled_from(["1", "1;14", "15", "1;;2"]),
        "more": st.none() | st.integers() | st.lists(text, max_size=2),
    },
).map(lambda document: json.dumps(document).encode())
names = st.sampled_from([f"{PATCH}.json", "31UEQ_20000_0.json"]) | text.map("{}.json".format) | text


@FUZZ
@given(names, mangled(RIGHT) | documents)
def test_label_files(name, raw):
    row = value_or_one_line(parse_label, name, raw)
    assert row is None or row.tile in MULTISENGE.split_of_tile


def archive_of(files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = archive_of([(f"labels/{PATCH}.json", RIGHT)])


@FUZZ
@given(mangled(gzip.compress(ARCHIVE, mtime=0)) | mangled(ARCHIVE[:2048]).map(gzip.compress))
def test_archives(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.tgz"
    path.write_bytes(content)
    index = value_or_one_line(read_index, path)
    assert index is None or index["patch"].tolist() == [PATCH]


@FUZZ
@given(st.lists(text.filter(lambda t: "/" not in t and "\0" not in t), max_size=4))
def test_raster_names(tmp_path_factory, stems):
    folder = tmp_path_factory.mktemp("s2")
    for stem in stems:
        (folder / f"x{stem}.tif".encode("utf-8", "replace").decode()).touch()
    value_or_one_line(dates_on_disk, folder)


DESCRIPTION = f"""name = "valley"
years = [2021, 2022]
months = [11, 12, 1]
patch_pixels = 64
days_gap = 5
showcase = ["19FDV_0_64"]
[tiles]
19FDV = "blocks"
[blocks]
shares = [0.6, 0.2, 0.2]
[bands]
s2 = {json.dumps(S2_BANDS)}
[[classes]]
name = "a"
color = "#000000"
[[classes]]
name = "b"
color = "#ffffff"
""".encode()


@FUZZ
@given(mangled(DESCRIPTION))
def test_descriptions(tmp_path_factory, content):
    root = tmp_path_factory.getbasetemp()
    (root / "dataset.toml").write_bytes(content)
    result = value_or_one_line(dataset_of_root, root)
    assert result is None or result.name not in ("sample", MULTISENGE.name)


@FUZZ
@given(st.sampled_from(["metrics.json", "history.csv", "test.npz"]), st.data())
def test_records(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp() / "records"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTISENGE_RESULTS", str(folder))
        path = write_record(make_record(), replace=True) / name
        right = path.read_bytes()
        content = data.draw(mangled(right) | documents)
        path.write_bytes(content)
        result = value_or_one_line(read_record, "sample", "s1_6c")
        value_or_one_line(list_records, "sample")
        if content != right:  # what was changed and still reads holds the same values
            assert result is None or result.scores == make_record().scores


START = {"experiment": "s2_6c", "dataset": "area", "digest": "0a1b", "part": "all"}
FILE = {"network": "mine.py:build", "network_digest": "0a1b", "sensors": ["s2"]}
anything = st.none() | st.integers() | text | st.lists(text, max_size=2)


@FUZZ
@given(st.data())
def test_what_is_read_of_records(tmp_path_factory, data):
    """The parts that are plain mappings, each with one key left out or another value."""
    folder = tmp_path_factory.getbasetemp() / "mappings"
    fields = {
        "start_from": START,
        "choices": FILE,
        "settings": {"epochs": 2},
        "parameters": {"trainable": 1},
        "evaluation": {"trained_on": "sample", "model_sha256": "0a1b", "split": "test"},
    }
    name = data.draw(st.sampled_from(list(fields)))
    changed = dict(fields[name])
    key = data.draw(st.sampled_from(list(changed)))
    del changed[key]
    if data.draw(st.booleans()):
        changed[key] = data.draw(anything)
    fields["evaluation"] = {} if name != "evaluation" else changed
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULTISENGE_RESULTS", str(folder))
        record = make_record("s2_6c", **fields | {name: changed})
        write_record(record, replace=True)
        value_or_one_line(compare_experiments, ["s2_6c"])
        value_or_one_line(comparison_notes, ["s2_6c"])
        record = value_or_one_line(read_record, "sample", "s2_6c")
        if record is not None:
            value_or_one_line(to_yaml, record)


@FUZZ
@given(text | text.map("{}.py".format) | text.map("my.py:{}".format))
def test_names_of_networks(name):
    network = value_or_one_line(parse_network, name)
    if isinstance(network, NetworkFile):
        assert re.fullmatch(r"\w+", network.label, re.ASCII)


NETWORK = b"""from keras import layers

def build(series, classes):
    return layers.Conv2D(classes, 1, name="logits")(series["s2"][:, 0])
"""


@FUZZ
@given(mangled(NETWORK) | st.integers(0, 3000).map(lambda depth: b"-" * depth + b"1"))
def test_files_of_networks(tmp_path_factory, content):
    """Read, and not imported: a mangled file may do anything."""
    path = tmp_path_factory.getbasetemp() / "network.py"
    path.write_bytes(content)
    value_or_one_line(NetworkFile(path, "build").digest)


CARD = json.dumps(
    {
        "name": "s2_6c",
        "classes": ["a", "b"],
        "colors": ["#000000", "#ffffff"],
        "months": [7, 8],
        "bands": {"s2": ["B2", "B3"]},
        "patch_pixels": 32,
        "dataset": "sample",
        "classification": "2c",
        "network": "mine.py:build",
    }
).encode()


@cache
def right_network(card: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("description.json", card)
    return content.getvalue()


@FUZZ
@given(mangled(CARD).map(right_network) | mangled(right_network(CARD)))
def test_descriptions_of_networks(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "network.keras"
    path.write_bytes(content)
    card = value_or_one_line(read_model_card, path)
    assert card is None or len(card.classes) == len(card.colors)
    value_or_one_line(starting_point, path)


@cache
def right_raster(kind: str) -> bytes:
    bands = {"reference": 1, "s1": 2, "s2": 10}[kind]
    dtype = {"reference": np.uint8, "s1": np.float32, "s2": np.uint16}[kind]
    pixels = np.arange(1, 1 + bands * 64, dtype=dtype).reshape(bands, 8, 8) % 14 + dtype(1)
    with MemoryFile() as memory:
        ground = {"crs": "EPSG:32631", "transform": from_origin(499_980, 5_500_020, 10, 10)}
        with memory.open(
            driver="GTiff", count=bands, height=8, width=8, dtype=dtype, **ground
        ) as target:
            target.write(pixels)
        return memory.read()


# A raster without a place is among what is tried; rasterio warns of it, the library refuses it.
_NO_PLACE = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@_NO_PLACE
@FUZZ
@given(st.sampled_from(["reference", "s1", "s2"]), st.data())
def test_raster_files(tmp_path_factory, kind, data):
    path = tmp_path_factory.getbasetemp() / f"{kind}.tif"
    path.write_bytes(data.draw(mangled(right_raster(kind))))
    raster = value_or_one_line(read_raster, path, kind, origin_of_patch("31UEQ_0_0"))
    assert raster is None or np.isfinite(raster.pixels).all()


profiles = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]),
        "crs": st.sampled_from([None, "EPSG:32631", "EPSG:4326", "EPSG:2154", "EPSG:32732"]),
        "nodata": st.none() | st.sampled_from([0, 1, 255]),
        "transform": st.tuples(*[st.sampled_from([0, 10, -10, 20, 1e9, 499_980])] * 6).map(
            lambda values: Affine(*values)
        ),
    }
)


@_NO_PLACE
@FUZZ
@given(st.sampled_from(["reference", "s1", "s2"]), profiles, st.data())
def test_raster_metadata(tmp_path_factory, kind, profile, data):
    bands = data.draw(st.integers(1, 12))
    names = data.draw(st.lists(st.none() | text, min_size=bands, max_size=bands))
    value = data.draw(st.sampled_from([0, 1, 14, 15, 200]))
    path = tmp_path_factory.getbasetemp() / f"meta-{kind}.tif"
    shape = {"driver": "GTiff", "count": bands, "height": 8, "width": data.draw(st.integers(1, 9))}
    with warnings.catch_warnings(), rasterio.open(path, "w", **shape, **profile) as target:
        warnings.simplefilter("ignore")  # rasterio's own, of places that are none
        target.write(np.full((bands, 8, shape["width"]), value, profile["dtype"]))
        target.descriptions = tuple((name or "").replace("\0", "") for name in names)
    value_or_one_line(read_raster, path, kind, origin_of_patch("31UEQ_0_0"))


METADATA = b"""<x><PROCESSING_BASELINE>04.00</PROCESSING_BASELINE>
<BOA_ADD_OFFSET band_id="1">-1000</BOA_ADD_OFFSET></x>"""


@FUZZ
@given(mangled(METADATA))
def test_metadata_of_products(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "fuzz.SAFE"
    folder.mkdir(exist_ok=True)
    (folder / "MTD_MSIL2A.xml").write_bytes(content)
    value_or_one_line(baseline_of, folder / "T31_20220204_B02.jp2")


@FUZZ
@given(st.text(alphabet="0123456789-_TBSVbandN.xé", max_size=30))
def test_names_of_images(name):
    day = day_in(name)
    assert day is None or 1900 <= day.astype(object).year < 2100
    value_or_one_line(baseline_of, Path(f"{name}.tif"))
    names_only_count([name, *(f"B{number}" for number in range(len(name)))])
    assert day_in(f"S2A_OPER_MSI_L1C_TL_SGS__{name}") is None or "_V" in name


numbers = st.sampled_from([0, 1, 30, 255, 400, 3000, 8999, 9999, 10_000, 32_767, 55_537, 65_535])
more_numbers = numbers | st.sampled_from([-9999, -11.5, 0.08, 0.3, 1e20, -3.4e38, np.nan, np.inf])


@FUZZ
@given(st.sampled_from(["s1", "s2"]), st.data())
def test_values_of_images(sensor, data):
    """Flat areas of any numbers, with and without noise."""
    bands = data.draw(st.integers(1, 10 if sensor == "s2" else 2))
    dtype = data.draw(st.sampled_from([np.uint16, np.float32, np.float64]))
    pool = numbers if dtype is np.uint16 else more_numbers
    image = np.empty((bands, 12, 12), dtype)
    for band in image:
        band[:] = data.draw(pool)
    image[:, data.draw(st.integers(0, 12)) :] = data.draw(pool)
    if data.draw(st.booleans()) and dtype is not np.uint16:
        image += np.linspace(0, 1, image.size, dtype=dtype).reshape(image.shape)
    names = MULTISENGE.bands[sensor][:bands]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what may be amplitude
        pixels = value_or_one_line(zero_invalid, image, sensor, "image.tif")
        if pixels is not None and pixels.any():
            value_or_one_line(check_image, pixels, sensor, "image.tif", names)
