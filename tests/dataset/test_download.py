"""Archives from a server on this machine that resumes, breaks off, and lies."""

import gzip
import io
import json
import shutil
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from multisenge_lib.dataset.download import DownloadError, download, fetch, unpack

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
        self.send_header("Content-Length", str(len(content) - start))
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


def test_a_damaged_archive_leaves_no_folder(server, tmp_path):
    content = bytearray(server.content["/labels.tgz"])
    content[len(content) // 2] ^= 1
    server.content["/labels.tgz"] = bytes(content)
    assert "cannot be unpacked" in refused(get, server, tmp_path)
    assert not (tmp_path / "labels").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archives.json", "labels.tgz"]


def test_a_truncated_archive_is_refused(tmp_path):
    archive = tmp_path / "s2.tgz"
    archive.write_bytes(make_archive()[:-6])
    assert "cannot be unpacked" in refused(unpack, archive, tmp_path / "s2")


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


def test_fetch_returns_what_is_there(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"there")
    assert fetch("http://127.0.0.1:9/none", target) == target
