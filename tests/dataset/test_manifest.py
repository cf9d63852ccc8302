"""The manifest: the latest whole line of each patch."""

from multisenge_lib.dataset.manifest import (
    MANIFEST,
    Entry,
    append_entry,
    read_manifest,
    write_manifest,
)

PACKED = Entry("31UFQ_0_0", "abc", checksums={"s1": 1, "reference": 2})
BROKEN = Entry("31UFQ_0_257", "def", problem="s1.tif is empty")


def test_what_is_written_is_read(tmp_path):
    assert read_manifest(tmp_path) == {}
    write_manifest(tmp_path, [PACKED, BROKEN], "make room")
    assert list(read_manifest(tmp_path).values()) == [PACKED, BROKEN]


def test_the_later_of_two_lines_counts(tmp_path):
    write_manifest(tmp_path, [BROKEN], "make room")
    mended = Entry(BROKEN.patch, "ghi", checksums={"s1": 3})
    with (tmp_path / MANIFEST).open("ab") as file:
        append_entry(file, mended)
    assert read_manifest(tmp_path) == {BROKEN.patch: mended}


def test_torn_and_damaged_lines_are_ignored(tmp_path):
    write_manifest(tmp_path, [PACKED], "make room")
    with (tmp_path / MANIFEST).open("ab") as file:
        file.write(b'{"patch":"31UFQ_0_0","signature":7}\n')  # a wrong type
        file.write(b'{"patch":"31UFQ_0_0","signature":"x","more":1}\n')  # a wrong name
        file.write(b"\xff\xfe\n[[[[\n\n")
        file.write(b'{"patch":"31UFQ_0_0","signat')  # torn by a kill
    assert read_manifest(tmp_path) == {PACKED.patch: PACKED}
