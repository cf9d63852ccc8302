import platform
from importlib.metadata import version

from multisenge_lib.figures import status


def test_sources_say_which_data_is_in_use(monkeypatch, tmp_path):
    monkeypatch.delenv("MULTISENGE_LABELS", raising=False)
    monkeypatch.delenv("MULTISENGE_ROOT", raising=False)
    assert "sample" in status.sources_table().loc["Imagery", "value"]
    assert "record" in status.sources_table().loc["Labels", "value"]

    (tmp_path / "MultiSenGE" / "labels").mkdir(parents=True)
    monkeypatch.setenv("MULTISENGE_ROOT", str(tmp_path / "MultiSenGE"))
    table = status.sources_table()
    assert table.loc["Imagery", "value"] == "real: MultiSenGE"
    assert table.loc["Labels", "value"] == "real: labels"
    assert table.loc["Python", "value"] == platform.python_version()


def test_versions_are_those_installed():
    table = status.versions_table()
    assert table.loc["keras", "version"] == version("keras")
    assert list(table.index) == sorted(table.index)
    assert {"numpy", "jupyter-book", "pytest"} <= set(table.index)
