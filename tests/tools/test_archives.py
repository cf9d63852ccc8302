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

from multisenge_lib.errors import DownloadError, LabelError
from multisenge_lib.files import whole_folder
from multisenge_lib.tools import archives
from multisenge_lib.tools.archives import download, fetch, unpack

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
            if server.names_range:
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
        server.breaks = []
        server.starts = []
        server.resumes = True
        server.length = "right"
        server.shift = 0
        server.names_range = True
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
    unpacked = {
        f"./labels/{path.name}": path.read_bytes() for path in (tmp_path / "labels").iterdir()
    }
    assert unpacked == FILES
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
    server.resumes = False
    server.breaks = [300_000]
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


@pytest.mark.fault("download: a part without its range (206) -> not joined, fetched anew")
def test_a_part_without_its_range_is_not_joined(server, tmp_path):
    content = server.content["/labels.tgz"]
    (tmp_path / "labels.tgz.part").write_bytes(content[:1000])
    server.shift = 7
    server.names_range = False
    assert get(server, tmp_path) == {"labels": 200}
    assert server.starts == [1000, 0]


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
    patch = "31UEQ_0_0"
    other = "31UEQ_257_0"
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
    unpacked = download(tmp_path, ["s1", "s2"], server.url, selected=True, wait=0, show=False)
    assert unpacked == {"s2": 4, "s1": 4}
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
        message = refused(unpack, tmp_path / "labels.tgz", tmp_path / "labels")
    assert message.startswith("another process unpacks")


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
    message = refused(download, tmp_path, ["s2"], "http://127.0.0.1:9/", attempts=1, wait=0)
    assert "could not be fetched" in message


def test_fetch_returns_what_is_there(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"there")
    assert fetch("http://127.0.0.1:9/none", target) == target


def selected_root(server, tmp_path, monkeypatch):
    """A data root with labels, and a server with an archive of six Sentinel-2 images of them."""
    usage = shutil.disk_usage(tmp_path)._replace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    days = ("20200101", "20200715", "20200805", "20200910", "20201105", "20201210")
    labels.write(tmp_path / "labels", "31UEQ_0_0", **labels.document("31UEQ_0_0", s2=days))
    files = {f"s2/31UEQ_{day}_S2_0_0.tif": day.encode() for day in days}
    server.content["/s2.tgz"] = make_archive(files)
    return tmp_path


def get_s2(server, root, **options):
    return download(root, ["s2"], server.url, wait=0, show=False, **options)


@pytest.mark.fault("download: all dates after the selected ones -> room for the others is enough")
def test_selected_dates_need_no_room_again(server, tmp_path, monkeypatch):
    root = selected_root(server, tmp_path, monkeypatch)
    get_s2(server, root, selected=True, keep=False)
    # The archive has 80 GB, all of its files 95 GB, and those of the selection 31 GB.
    usage = shutil.disk_usage(tmp_path)._replace(free=145 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert get_s2(server, root, keep=False) == {"s2": 2}
    usage = usage._replace(free=143 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    (root / "s2").rename(root / "elsewhere")
    (root / "s2").mkdir()
    assert "143 GB free, s2 need about 175 GB" in refused(get_s2, server, root)


@pytest.mark.fault("download: all dates after the selected ones -> the others are added")
@pytest.mark.parametrize("keep", [True, False])
def test_all_dates_after_the_selected_ones(server, tmp_path, monkeypatch, keep):
    root = selected_root(server, tmp_path, monkeypatch)
    assert get_s2(server, root, selected=True, keep=keep) == {"s2": 4}
    assert get_s2(server, root, selected=True, keep=keep) == {}
    assert get_s2(server, root, keep=keep) == {"s2": 2}
    assert len(list((root / "s2").iterdir())) == 6
    assert get_s2(server, root, keep=keep) == {} == get_s2(server, root, selected=True)


@pytest.mark.fault("download: killed before the files are in place -> the next call does it again")
@pytest.mark.parametrize("selected_before", [True, False])
def test_killed_before_the_files_are_in_place(server, tmp_path, monkeypatch, selected_before):
    root = selected_root(server, tmp_path, monkeypatch)
    if selected_before:
        get_s2(server, root, selected=True)
    record = archives._record

    def record_and_die(*arguments):
        record(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(archives, "_record", record_and_die)
    with pytest.raises(KeyboardInterrupt):
        get_s2(server, root)
    monkeypatch.setattr(archives, "_record", record)
    assert get_s2(server, root) == {"s2": 2 if selected_before else 6}
    assert len(list((root / "s2").glob("*.tif"))) == 6
    assert json.loads((root / "archives.json").read_text())["s2.tgz"]["unpacked"] == "all"


@pytest.mark.fault("download: killed while files are moved -> the folder does not count as done")
def test_killed_while_files_are_moved(server, tmp_path, monkeypatch):
    root = selected_root(server, tmp_path, monkeypatch)
    get_s2(server, root)
    moved = root / "s2" / ".unfinished"
    moved.mkdir()
    next((root / "s2").glob("*.tif")).replace(moved / "half.tif")
    assert get_s2(server, root) == {"s2": 1}
    assert len(list((root / "s2").iterdir())) == 6


@pytest.mark.fault("download: one archive twice at once -> the second says so, nothing is lost")
def test_two_downloads_of_one_archive(server, tmp_path):
    messages = []

    class Second(dict):
        """Starts another download of the same archive while the first one is being served."""

        def get(self, path, default=None):
            messages.append(refused(get, server, tmp_path))
            return dict.get(self, path, default)

    server.content = Second(server.content)
    assert get(server, tmp_path) == {"labels": 200}
    assert messages[0].startswith("another process downloads labels")
    assert len(server.starts) == 1


@pytest.mark.fault("download: two archives at once -> both hashes are recorded")
def test_two_archives_at_once_are_both_recorded(server, tmp_path):
    server.content["/ground_reference.tgz"] = make_archive({"ground_reference/a.tif": b"a"})
    fetch_one = archives.fetch

    def fetch_two(url, target, **options):
        if "labels" in url:
            download(tmp_path, ["ground_reference"], server.url, show=False)
        return fetch_one(url, target, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "fetch", fetch_two)
        get(server, tmp_path)
    recorded = json.loads((tmp_path / "archives.json").read_text())
    assert set(recorded) == {"labels.tgz", "ground_reference.tgz"}


@pytest.mark.fault("download: a layer folder that is a link -> unpacked where the link leads")
@pytest.mark.parametrize("exists", [True, False])
def test_a_layer_folder_on_another_disk(server, tmp_path, exists):
    disk = tmp_path / "bigdisk" / "labels"
    if exists:
        disk.mkdir(parents=True)
    root = tmp_path / "root"
    root.mkdir()
    (root / "labels").symlink_to(disk)
    assert get(server, root) == {"labels": 200}
    assert (root / "labels").is_symlink() and len(list(disk.iterdir())) == 200
    assert get(server, root) == {}


@pytest.mark.fault("download: a layer folder with a hidden file alone -> filled")
def test_a_folder_with_a_hidden_file_alone_is_filled(server, tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / ".DS_Store").write_bytes(b"")
    assert get(server, tmp_path) == {"labels": 200}
    assert len(list((tmp_path / "labels").iterdir())) == 201


@pytest.mark.fault("download: a folder with the archive's name -> one line")
@pytest.mark.parametrize("name", ["labels.tgz", "labels.tgz.part"])
def test_a_folder_with_the_name_of_the_archive(server, tmp_path, name):
    (tmp_path / name).mkdir()
    words = refused(get, server, tmp_path)
    assert name in words


@pytest.mark.fault("download: a redirect that leads to itself -> one line")
def test_a_redirect_loop_is_one_line(server, tmp_path, monkeypatch):
    def redirect(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    monkeypatch.setattr(Handler, "do_GET", redirect)
    assert "could not be fetched" in refused(get, server, tmp_path)
