"""Options of `import_area` as people write them in Python: understood, or refused in one line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from own_images import HEIGHT, WIDTH, pixel_of, radar, refused, scene, write

from multisenge_lib.area import InputUnits, check_root, import_area
from multisenge_lib.dataset import S2_BANDS, dataset_of_root
from multisenge_lib.errors import MultiSenGEError

CLASSES = ["Town", "Field", "Water"]


@pytest.fixture
def image(tmp_path):
    return write(tmp_path / "in" / "S2_20230105.tif", scene(), S2_BANDS)


@pytest.fixture
def reference(tmp_path):
    classes = (np.arange(WIDTH) // 50 + 1).astype(np.uint8)
    return write(tmp_path / "tens.tif", 10 * np.broadcast_to(classes, (1, HEIGHT, WIDTH)))


@pytest.mark.parametrize(
    "sources",
    [
        str,
        Path,
        lambda image: image.parent,
        lambda image: (path for path in [image]),
        lambda image: {image},
        lambda image: np.array([str(image)]),
    ],
    ids=["text", "path", "folder", "generator", "set", "array"],
)
def test_sources_in_any_form(tmp_path, image, sources):
    imported = import_area(str(tmp_path / "root"), sources(image), size=np.int64(32))
    assert imported.patches == 12
    assert dataset_of_root(tmp_path / "root").patch_pixels == 32


@pytest.mark.fault("names as one text, ids as texts -> as on the command line, in their order")
def test_options_as_text_are_those_of_the_command_line(tmp_path, image, reference):
    vv_vh = write(tmp_path / "in" / "S1_20230105.tif", radar())
    imported = import_area(
        tmp_path / "root",
        [image, vv_vh],
        reference=str(reference),
        classes="Town, Field,Water",
        reclass=pd.Series({"10": "1", "20": 2.0, "30.0": np.uint8(3)}),
        s1_bands="VV,VH",
        s2_bands=np.array(S2_BANDS),
        size=32,
    )
    assert imported.dataset.reference_classes.names == tuple(CLASSES)
    assert imported.dataset.bands["s1"] == ("VV", "VH")
    assert pixel_of(imported.root, "s2", "20230105").tolist() == scene()[:, 0, 0].tolist()


@pytest.mark.fault("options of Python of a wrong type -> one line that names the option")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sources": None}, "sources is None (NoneType)"),
        ({"sources": 5}, "sources is 5 (int)"),
        ({"sources": {"s2": "folder"}}, "sources is {'s2': 'folder'} (dict)"),
        ({"sources": []}, "there are no sources"),
        ({"sources": [["a.tif"]]}, "one of the sources is ['a.tif'] (list)"),
        ({"sources": [""]}, "one of the sources is '' (str)"),
        ({"reference": np.zeros(3)}, "the reference is array([0., 0., 0.]) (ndarray): give a path"),
        ({"classes": {"Town", "Field"}}, "classes is {"),
        ({"classes": {1: "Town", 2: "Field"}}, "classes is {1: 'Town', 2: 'Field'} (dict)"),
        ({"classes": [1, 2]}, "classes is [1, 2] (list): give a list of names"),
        ({"classes": "Town"}, "--classes gives 1 name"),
        ({"s2_bands": {"B2", "B3"}}, "s2_bands is {"),
        ({"s1_bands": 2}, "s1_bands is 2 (int)"),
        ({"reclass": "10=1"}, "reclass is '10=1' (str)"),
        ({"reclass": {10: "Town"}}, "reclass 10=Town: class ids are 1 to 3"),
        ({"reclass": {10: True}}, "reclass 10=True"),
        ({"reclass": {10: 1.5}}, "reclass 10=1.5"),
        ({"reclass": {10: None}}, "reclass 10=None"),
        ({"reclass": {10: 1, "10": 2}}, "reclass gives 10 the classes 1 and 2"),
        ({"attribute": 5}, "attribute is 5 (int)"),
        ({"fill": "B8A=B8"}, "fill is 'B8A=B8' (str)"),
        ({"size": "32"}, "patch size '32' (str)"),
        ({"size": 32.5}, "patch size 32.5 (float)"),
        ({"size": None}, "patch size None"),
        ({"units": "db"}, "units is 'db' (str)"),
        ({"units": {}}, "units is {} (dict)"),
        ({"units": InputUnits(s2_scale="10000")}, "s2_scale is '10000' (str)"),
        ({"units": InputUnits(no_data="0")}, "no_data is '0' (str)"),
        ({"name": 5}, "name is 5 (int)"),
    ],
)
def test_wrong_types_are_refused(tmp_path, image, reference, options, words):
    options = {"sources": [image], "reference": reference, "classes": CLASSES} | options
    assert words in refused(tmp_path, options.pop("sources"), **options)


@pytest.mark.fault("the path of a data root that is none -> one line")
@pytest.mark.parametrize("root", [None, 5, "", b"root", ["root"]])
def test_a_root_is_a_path(image, root):
    for function in (lambda: import_area(root, [image]), lambda: check_root(root)):
        with pytest.raises(MultiSenGEError, match=r"the data root is .*: give a path") as caught:
            function()
        assert "\n" not in str(caught.value)
