"""Archives from a server on this machine that resumes, breaks off, and lies."""

import gzip
import io
import json
import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import labels
import pytest

from multisenge_lib.errors import LabelError
from multisenge_lib.files import whole_folder
from multisenge_lib.tools.archives import DownloadError, download, fetch, unpack

FILES = {f"./labels/31UEQ_{i}_0.json": bytes([i % 251]) * 5000 + i.to_bytes(4) for i in range(200)}


def make_archive(files=FILES, change=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if change:
                change(member)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), compresslevel=0)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        content = server.content.get(self.path)
        start = int(self.headers.get("Range", "bytes=0-")[6:-1]) if server.resumes else 0
        server.starts.append(start)
        if content is None:
            return self.send_error(404)
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            span = f"bytes {start + server.shift}-{len(content) - 1}/{len(content)}"
            self.send_header("Content-Range", span)
        length = {"right": str(len(content) - start), "invalid": "many"}.get(server.length)
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        stop = start + server.breaks.pop(0) if server.breaks else len(content)
        self.wfile.write(content[start:stop])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content = {"/labels.tgz": make_archive()}
        server.breaks, server.starts, server.resumes = [], [], True
        server.length, server.shift = "right", 0
        server.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def get(server, root, **options):
    return download(root, ["labels"], server.url, **({"wait": 0, "show": False} | options))


def refused(call, *arguments, **options):
    with pytest.raises(DownloadError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_fetched_recorded_and_unpacked_into_its_folder(server, tmp_path):
    assert get(server, tmp_path) == {"labels": 200}
    found = {f"./labels/{path.name}": path.read_bytes() for path in (tmp_path / "labels").iterdir()}
    assert found == FILES
    entry = json.loads((tmp_path / "archives.json").read_text())["labels.tgz"]
    assert entry["bytes"] == len(server.content["/labels.tgz"]) and len(entry["sha256"]) == 64
    assert get(server, tmp_path) == {} and len(server.starts) == 1


def test_a_broken_connection_goes_on_where_it_broke(server, tmp_path):
    server.breaks = [300_000, 0, 200_000]
    assert get(server, tmp_path) == {"labels": 200}
    assert server.starts == [0, 300_000, 300_000, 500_000]


def test_a_later_call_goes_on_as_well(server, tmp_path):
    (tmp_path / "labels.tgz.part").write_bytes(server.content["/labels.tgz"][:400_000])
    assert get(server, tmp_path, keep=False) == {"labels": 200}
    assert server.starts == [400_000] and not (tmp_path / "labels.tgz").exists()


def test_no_progress_ends_after_so_many_attempts(server, tmp_path):
    server.breaks = [250_000, 0, 0, 0, 0, 0]
    assert "250,000 of" in refused(get, server, tmp_path, attempts=3)
    assert len(server.starts) == 4
    assert (tmp_path / "labels.tgz.part").stat().st_size == 250_000
    server.breaks = []
    get(server, tmp_path)
    assert server.starts[-1] == 250_000


def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path):
    server.resumes, server.breaks = False, [300_000]
    assert get(server, tmp_path) == {"labels": 200}


def test_a_part_that_is_whole_is_taken(server, tmp_path):
    (tmp_path / "labels.tgz.part").write_bytes(server.content["/labels.tgz"])
    assert get(server, tmp_path) == {"labels": 200}


def test_no_such_file_is_not_tried_again(server, tmp_path):
    server.content = {}
    assert "404" in refused(get, server, tmp_path)
    assert len(server.starts) == 1


@pytest.mark.fault("download: an archive damaged in transit -> its hash is not recorded")
def test_a_damaged_archive_leaves_no_folder_and_no_hash(server, tmp_path):
    good = server.content["/labels.tgz"]
    damaged = bytearray(good)
    damaged[len(good) // 2] ^= 1
    server.content["/labels.tgz"] = bytes(damaged)
    assert "cannot be unpacked" in refused(get, server, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.tgz"]
    (tmp_path / "labels.tgz").unlink()
    server.content["/labels.tgz"] = good
    assert get(server, tmp_path) == {"labels": 200}


@pytest.mark.fault("download: a part longer than the archive -> fetched anew")
def test_a_part_longer_than_the_archive_is_dropped(server, tmp_path):
    (tmp_path / "labels.tgz.part").write_bytes(server.content["/labels.tgz"] + b"more")
    assert get(server, tmp_path) == {"labels": 200}
    assert len(server.starts) == 2 and server.starts[-1] == 0


@pytest.mark.fault("download: another range than asked for -> not joined, fetched anew")
def test_another_range_than_asked_for_is_not_joined(server, tmp_path):
    (tmp_path / "labels.tgz.part").write_bytes(b"x" * 1000)
    server.shift = 7
    assert get(server, tmp_path) == {"labels": 200}


@pytest.mark.fault("download: an empty layer folder -> filled")
def test_an_empty_folder_is_filled(server, tmp_path):
    (tmp_path / "labels").mkdir()
    assert get(server, tmp_path) == {"labels": 200}


@pytest.mark.parametrize("length", [None, "invalid"])
@pytest.mark.fault("download: no Content-Length, or an invalid one -> fetched, or refused by name")
def test_a_server_that_does_not_say_how_much(server, tmp_path, length):
    server.length = length
    assert get(server, tmp_path) == {"labels": 200}
    (tmp_path / "labels").rename(tmp_path / "moved")
    (tmp_path / "labels.tgz").unlink()
    server.breaks = [300_000]
    assert "SHA-256" in refused(get, server, tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"labels.tgz": 1}', '{"labels.tgz": {}}'])
@pytest.mark.fault("download: damaged archives.json -> named, nothing fetched")
def test_damaged_hashes_are_named(server, tmp_path, content):
    (tmp_path / "archives.json").write_text(content)
    assert "archives.json" in refused(get, server, tmp_path)
    assert not server.starts


@pytest.mark.parametrize("url", ["nonsense", "http://[::1", "ftp2://x/", "http://a b/"])
@pytest.mark.fault("download: a mirror that is no address -> one line, at once")
def test_a_mirror_that_is_no_address(tmp_path, url):
    words = refused(download, tmp_path, ["labels"], url, wait=60, show=False)
    assert "could not be fetched" in words


def test_a_mirror_may_be_a_folder(server, tmp_path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "labels.tgz").write_bytes(server.content["/labels.tgz"])
    mirror = (tmp_path / "mirror").as_uri()
    assert download(tmp_path / "root", ["labels"], mirror, show=False) == {"labels": 200}


@pytest.mark.fault("download --selected without labels -> said before anything is fetched")
def test_the_selection_needs_labels_first(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(LabelError, match="labels does not exist"):
        download(tmp_path, ["s2"], server.url, selected=True, wait=0, show=False)
    assert not server.starts


def test_only_what_the_selection_can_use(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    patch, other = "31UEQ_0_0", "31UEQ_257_0"
    days = ("20200715", "20200805", "20200910", "20201105")
    s1 = ("20200603", "20200703", "20200709", "20200804", "20200903", "20201102")
    labels.write(
        tmp_path / "labels", patch, **labels.document(patch, s2=("20200101", *days), s1=s1)
    )
    labels.write(tmp_path / "labels", other, **labels.document(other, s2=days[:3]))
    names = [
        f"s2/31UEQ_{day}_S2_{p[6:]}.tif" for p in (patch, other) for day in ("20200101", *days)
    ]
    names += [f"s1/31UEQ_{day}_S1_0_0.tif" for day in s1 if day != "20200703"]
    for sensor in ("s1", "s2"):
        files = {name: b"x" for name in names if name.startswith(sensor)}
        server.content[f"/{sensor}.tgz"] = make_archive(files)
    found = download(tmp_path, ["s1", "s2"], server.url, selected=True, wait=0, show=False)
    assert found == {"s2": 4, "s1": 4}
    assert not list((tmp_path / "s1").glob("*0603*")) and list((tmp_path / "s1").glob("*0709*"))


def test_a_truncated_archive_is_refused(tmp_path):
    archive = tmp_path / "s2.tgz"
    archive.write_bytes(make_archive()[:-6])
    assert "cannot be unpacked" in refused(unpack, archive, tmp_path / "s2")


@pytest.mark.fault("download: killed while it unpacks -> the next call unpacks all")
def test_what_a_killed_unpacking_left_is_removed(tmp_path):
    (tmp_path / ".labels.unfinished").mkdir()
    (tmp_path / ".labels.unfinished" / "half.json").write_bytes(b"{")
    (tmp_path / "labels.tgz").write_bytes(make_archive())
    assert unpack(tmp_path / "labels.tgz", tmp_path / "labels") == len(FILES)
    assert len(list((tmp_path / "labels").iterdir())) == len(FILES)
    assert {path.name for path in tmp_path.iterdir()} == {"labels", "labels.tgz"}


@pytest.mark.fault("download: the same archive unpacked twice at once -> the second says so")
def test_two_unpack_at_once(tmp_path):
    (tmp_path / "labels.tgz").write_bytes(make_archive())
    with whole_folder(tmp_path / "labels", DownloadError("held")):
        said = refused(unpack, tmp_path / "labels.tgz", tmp_path / "labels")
    assert said.startswith("another process unpacks")


def test_another_archive_than_the_first_is_refused(server, tmp_path):
    get(server, tmp_path, keep=False)
    (tmp_path / "labels").rename(tmp_path / "moved")
    server.content["/labels.tgz"] = make_archive({"a.json": b"{}"})
    assert "SHA-256" in refused(get, server, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda member: setattr(member, "name", "../outside.json"),
        lambda member: setattr(member, "name", "/etc/outside.json"),
        lambda member: (setattr(member, "type", tarfile.SYMTYPE), setattr(member, "size", 0)),
        lambda member: setattr(member, "type", tarfile.CHRTYPE),
        lambda member: setattr(member, "name", "same.json"),
    ],
    ids=["parent", "absolute", "link", "device", "twice"],
)
def test_an_unsafe_archive_is_refused(tmp_path, change):
    archive = tmp_path / "root" / "labels.tgz"
    archive.parent.mkdir()
    files = {"a.json": b"", "b.json": b""}
    archive.write_bytes(make_archive(files, change))
    refused(unpack, archive, archive.parent / "labels")
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    assert [path.name for path in archive.parent.iterdir()] == ["labels.tgz"]


def test_unknown_archives_and_small_disks_are_refused_first(tmp_path, monkeypatch):
    assert "choose from labels" in refused(download, tmp_path, ["s3"])
    usage = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert "1 GB free" in refused(download, tmp_path, ["s2"])


@pytest.mark.fault("download: the disk is nearly full of what came -> goes on, not refused")
def test_what_came_needs_no_room_again(tmp_path, monkeypatch):
    with (tmp_path / "s2.tgz.part").open("wb") as part:
        part.truncate(79 * 10**9)  # takes no room
    usage = shutil.disk_usage(tmp_path)._replace(free=100 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    said = refused(download, tmp_path, ["s2"], "http://127.0.0.1:9/", attempts=1, wait=0)
    assert "could not be fetched" in said


def test_fetch_returns_what_is_there(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"there")
    assert fetch("http://127.0.0.1:9/none", target) == target
