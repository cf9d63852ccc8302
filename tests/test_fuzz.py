"""What comes from outside, mangled: every reader gives a value or says in one line what is wrong.

A few hundred cases in the suite; `make fuzz` runs 100,000 for each reader (FUZZ_CASES). A room adds
its own readers here, as a function that hypothesis gives damaged content to.
"""

import gzip
import io
import json
import os
import tarfile

import labels
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multisenge_lib.dataset import describe, read_index
from multisenge_lib.dataset.labels import parse_label
from multisenge_lib.dataset.layout import MULTISENGE, S2_BANDS
from multisenge_lib.dataset.selection import dates_on_disk
from multisenge_lib.errors import MultiSenGEError

settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("FUZZ_CASES", 200)),
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
    found = value_or_one_line(describe, root)
    assert found is None or found.name not in ("sample", MULTISENGE.name)
