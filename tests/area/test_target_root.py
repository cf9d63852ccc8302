"""The folder that a data root is written to: new, empty, linked, a mount point."""

from pathlib import Path

import pytest
from own_images import scene, write

from multisenge_lib.area import import_area
from multisenge_lib.area.target_root import fill_root
from multisenge_lib.dataset import S2_BANDS
from multisenge_lib.errors import ImportAreaError


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def image(tmp_path):
    return write(tmp_path / "in" / "S2_20230105.tif", scene(), S2_BANDS)


@pytest.mark.fault("import into the current folder, a mount point or a link -> the folder stays")
def test_an_empty_folder_is_filled_where_it_is(tmp_path, image, monkeypatch):
    root = tmp_path / "root"
    root.mkdir()
    before = root.stat().st_ino
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(root)
    # A mount point cannot be renamed over, and its parent may not be writable.
    replace = Path.replace

    def refuse_root(path, target):
        assert Path(target) != root
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse_root)
    imported = import_area(tmp_path / "link", [image], size=32)
    assert root.stat().st_ino == before and imported.root == root
    assert names_in(root) == ["dataset.toml", "labels", "s2"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.fault("an import that fails or is killed -> the folder is empty, or cleared next time")
def test_what_was_cut_off_is_cleared(tmp_path, image):
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(ImportAreaError):
        import_area(root, [image], size=512)
    assert not list(root.iterdir())
    # As a kill leaves it while the finished parts are moved up.
    (root / ".import.unfinished" / "s2").mkdir(parents=True)
    (root / "labels").mkdir()
    (root / "labels" / "x.json").write_text("{")
    assert import_area(root, [image], size=32).patches == 12
    assert names_in(root) == ["dataset.toml", "labels", "s2"]


@pytest.mark.fault("a root whose name is too long, or that cannot be listed -> one line")
def test_a_root_out_of_reach(tmp_path, image, monkeypatch):
    with pytest.raises(ImportAreaError, match=r"cannot be written \(File name too long\)"):
        import_area(tmp_path / ("x" * 300), [image], size=32)

    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "root").mkdir()
    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(ImportAreaError, match=r"root cannot be written \(Permission denied\)"):
        import_area(tmp_path / "root", [image], size=32)


@pytest.mark.fault("two imports into one empty folder -> the second is refused")
def test_two_at_once(tmp_path):
    (tmp_path / "root").mkdir()
    busy = pytest.raises(ImportAreaError, match="another import")
    with fill_root(tmp_path / "root"), busy, fill_root(tmp_path / "root"):
        pass


@pytest.mark.parametrize("inside", ["mine.txt", "labels/31UEQ_0_0.json"])
def test_what_is_there_is_never_touched(tmp_path, image, inside):
    path = tmp_path / "root" / inside
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(ImportAreaError, match="is not empty"):
        import_area(tmp_path / "root", [image], size=32)
    assert path.read_text() == "mine"
