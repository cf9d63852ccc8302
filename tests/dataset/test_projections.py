"""A foreign database of projections is named before any file is blamed."""

import os
import sqlite3
import subprocess
import sys

import pytest

from multisenge_lib.dataset import MULTISENGE, check_projections

ASK = """
from multisenge_lib.dataset import check_projections
from multisenge_lib.errors import MultiSenGEError
try:
    check_projections()
except MultiSenGEError as error:
    print(error)
"""


def test_projections_are_there():
    check_projections()


@pytest.mark.slow
@pytest.mark.fault("PROJ_LIB or PROJ_DATA of another program -> one line that names the variable")
@pytest.mark.parametrize("variable", ["PROJ_LIB", "PROJ_DATA"])
def test_a_foreign_database_is_named(tmp_path, variable):
    with sqlite3.connect(tmp_path / "proj.db") as database:
        database.execute("create table metadata (key text, value text)")
        rows = [
            (f"DATABASE.LAYOUT.VERSION.{part}", value)
            for part, value in (("MAJOR", "1"), ("MINOR", "0"))
        ]
        database.executemany("insert into metadata values (?, ?)", rows)
    environment = os.environ | {variable: str(tmp_path)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, env=environment
    )
    assert f"{variable}={tmp_path} leads to the database of another PROJ" in asked.stdout
    assert f"unset {variable}" in asked.stdout and asked.stdout.count("\n") == 1


def test_training_maps_check_and_import_ask_first(monkeypatch, tmp_path):
    from multisenge_lib import area, maps, training
    from multisenge_lib.cli import dataset_commands
    from multisenge_lib.dataset import projections
    from multisenge_lib.errors import MultiSenGEError

    class Broken:
        @staticmethod
        def from_epsg(code):
            raise projections.CRSError("no database")

    monkeypatch.setattr(projections, "CRS", Broken)
    calls = [
        lambda: area.check_root(tmp_path),
        lambda: area.import_area(tmp_path / "root", [tmp_path]),
        lambda: dataset_commands.write_sample(tmp_path / "sample"),
        lambda: training.train("s1s2_10c", training.Settings(), tmp_path, dataset=MULTISENGE),
        lambda: maps.predict_rasters("none.keras", {}, tmp_path / "map.tif"),
        lambda: maps.predict_root("none.keras", tmp_path, tmp_path / "maps"),
    ]
    for call in calls:
        with pytest.raises(MultiSenGEError, match="projections cannot be looked up"):
            call()
