"""The village as a STAC catalogue: what is written can be listed and read over HTTP."""

import json
from urllib.request import ProxyHandler, build_opener

import pytest

from multisenge_lib import paths
from multisenge_lib.chapters import local_catalogue


@pytest.fixture(scope="module")
def village():
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("pystac")
    return xarray.open_dataset(paths.PROJECT / "book/data/village/worldcereal-village.nc")


def test_each_sensor_and_month_is_an_item_with_its_bands(village, tmp_path):
    west, south, east, north = local_catalogue.write_catalogue(village, tmp_path)
    assert west < 5.326 < east and south < 50.633 < north  # where the village lies
    items = sorted(path.stem for path in tmp_path.glob("*/*.json"))
    assert len(items) == 24 and items[0] == "s1-2020-11"
    item = json.loads((tmp_path / "s1-2020-11" / "s1-2020-11.json").read_text("utf-8"))
    assert sorted(item["assets"]) == ["VH", "VV"]


def test_the_folder_is_served(tmp_path):
    (tmp_path / "catalog.json").write_text("{}", "utf-8")
    server = local_catalogue.serve_folder(tmp_path)
    opener = build_opener(ProxyHandler({}))  # whatever proxy the machine has
    with opener.open(f"http://127.0.0.1:{server.server_port}/catalog.json") as answer:
        assert answer.read() == b"{}"
    server.shutdown()
