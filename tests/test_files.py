"""Files and folders whole or not at all, and locks."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from multisenge_lib import files, paths
from multisenge_lib.errors import FileError, MultiSenGEError


def test_a_file_that_fails_leaves_the_old_one_and_nothing_else(tmp_path):
    path = files.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), files.atomic(path) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_strange_name_does_not_break_the_line_of_a_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written") as caught:
        files.write_text(tmp_path / "file" / "a\x1b[31m\nb.txt", "text")
    assert str(caught.value).isprintable()


def test_a_lock_that_is_held_is_refused_and_free_again_afterwards(tmp_path):
    path = tmp_path / "new" / ".lock"
    busy = MultiSenGEError("held")
    with files.locked(path, busy):
        with pytest.raises(MultiSenGEError, match="held"), files.locked(path, busy):
            pass
        assert path.exists()
    assert not path.exists()
    with files.locked(path, busy):
        pass


def test_a_lock_that_is_held_is_waited_for(tmp_path):
    path = tmp_path / ".lock"
    order = []
    started = threading.Event()

    def wait():
        started.set()
        with files.locked(path):
            order.append("second")

    with files.locked(path):
        thread = threading.Thread(target=wait)
        thread.start()
        started.wait()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


COUNT = """
import sys
from pathlib import Path
from multisenge_lib.errors import MultiSenGEError
from multisenge_lib.files import locked

folder = Path(sys.argv[1])
done = 0
while done < 40:
    try:
        with locked(folder / "lock", MultiSenGEError("held")):
            number = int((folder / "count").read_text())
            (folder / "count").write_text(str(number + 1))
            done += 1
    except MultiSenGEError:
        pass
"""


@pytest.mark.fault("two processes take and remove one lock file all the time -> never both hold it")
def test_a_lock_whose_file_is_removed_is_never_held_twice(tmp_path):
    """A process may open the lock's file just before its holder removes it."""
    (tmp_path / "count").write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "120"


def test_a_lock_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"), files.locked(tmp_path / "file" / "l"):
        pass


@pytest.mark.fault("a folder in which no file can be made -> said, and not waited for")
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
def test_a_lock_where_no_file_can_be_made_is_not_busy():
    busy = MultiSenGEError("held")
    for lock in (files.locked(Path("/proc/lock"), busy), files.whole_folder(Path("/proc/x"), busy)):
        with pytest.raises(FileError, match="/proc cannot be written"), lock:
            pass


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path):
    busy = MultiSenGEError("held")
    target = tmp_path / "folder"
    with pytest.raises(RuntimeError), files.whole_folder(target, busy) as unfinished:
        (unfinished / "half").write_text("")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with files.whole_folder(target, busy) as unfinished:
        (unfinished / "all").write_text("")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "all"]


@pytest.mark.fault("a system without fcntl (Windows) -> the library is imported")
def test_the_library_is_imported_without_fcntl():
    code = "import sys; sys.modules['fcntl'] = None; import multisenge_lib.files"
    subprocess.run([sys.executable, "-c", code], check=True)
    for path in (paths.PROJECT / "multisenge_lib").rglob("*.py"):
        assert "import fcntl" not in path.read_text("utf-8"), path


@pytest.mark.fault("a path that is a device or a pipe -> refused, not replaced by a file")
def test_a_device_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileError, match="is a device or a pipe: give the name of a file"):
        files.write_text(pipe, "text")
    assert pipe.is_fifo()


@pytest.mark.fault("a path that is a link -> what it leads to is written, and the link stays")
def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    (tmp_path / "nowhere.csv").symlink_to("new.csv")
    files.write_text(tmp_path / "link.csv", "new")
    files.write_text(tmp_path / "nowhere.csv", "new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "nowhere.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == (tmp_path / "new.csv").read_text() == "new"


def test_a_link_that_leads_to_itself_is_replaced(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    files.write_text(tmp_path / "loop", "text")
    assert (tmp_path / "loop").read_text() == "text"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room, or set IT to another folder; what is done stays"),
        (errno.EACCES, "set IT to another folder; what is done stays"),
        (errno.EROFS, "set IT to another folder; what is done stays"),
        (errno.EEXIST, "something else lies at its place or on the way there: choose another name"),
    ],
)
def test_the_remedy_fits_the_cause(number, remedy):
    given = "make room, or set IT to another folder; what is done stays"
    error = files.write_error(Path("place"), OSError(number, "reason"), given)
    assert str(error) == f"place cannot be written (reason): {remedy}"


def test_bytes_are_written_whole(tmp_path):
    path = files.write_bytes(tmp_path / "new" / "a.bin", b"\x00\xff", sync=False)
    assert path.read_bytes() == b"\x00\xff"
    assert [found.name for found in path.parent.iterdir()] == ["a.bin"]
