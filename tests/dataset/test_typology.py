import json

import numpy as np
import pytest

from multisenge_lib import paths
from multisenge_lib.dataset.typology import (
    NO_DATA,
    TYPOLOGIES,
    URBAN,
    make_typology,
    reclassify,
)
from multisenge_lib.errors import DescriptionError, MultiSenGEError


def test_every_published_class_joins_exactly_one_class():
    for name, typology in TYPOLOGIES.items():
        count = len(typology)
        assert name == typology.name == f"{count}c"
        assert count == len(typology.names) == len(set(typology.colors))
        assert typology.ids == tuple(range(1, count + 1))
        assert sorted(i for members in typology.members for i in members) == list(range(1, 15))


def test_merges_are_those_of_section_2_3():
    ten = TYPOLOGIES["10c"].lookup
    six = TYPOLOGIES["6c"].lookup
    assert ten.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 9, 9, 10, 10]
    assert six.tolist() == [0, 1, 2, 3, 4, 5] + [6] * 9


def test_urban_classes_keep_id_name_and_colour_in_every_typology():
    urban = [[t.classes[i - 1] for i in URBAN] for t in TYPOLOGIES.values()]
    assert urban[0] == urban[1] == urban[2]


def test_published_tables_name_the_same_classes():
    tables = paths.PROJECT.parent / "shared" / "paper" / "tables.json"
    if not tables.exists():
        pytest.skip(f"the transcribed tables are not at {tables}")
    table3 = json.loads(tables.read_text())["table3_reclassification"]
    for count in (6, 10):
        assert list(TYPOLOGIES[f"{count}c"].names) == table3[f"names_{count}"]
        merged = {int(k): v for k, v in table3[str(count)].items()}
        assert {i: int(TYPOLOGIES[f"{count}c"].lookup[i]) for i in range(1, 15)} == merged


def test_reclassify_keeps_no_data_and_shape():
    reference = np.array([[NO_DATA, 1, 7], [8, 12, 14]], dtype=np.uint8)
    result = reclassify(reference, TYPOLOGIES["10c"])
    assert result.dtype == np.uint8
    assert result.tolist() == [[0, 1, 7], [7, 9, 10]]


@pytest.mark.fault("reclassify: ids as floating point numbers -> one line")
def test_reclassify_takes_whole_numbers_only():
    with pytest.raises(MultiSenGEError, match="a reference of float32: class ids are whole"):
        reclassify(np.array([1, 2], dtype=np.float32), TYPOLOGIES["6c"])


@pytest.mark.parametrize("strange", [15, 99, 255])
def test_reclassify_names_strange_ids(strange):
    with pytest.raises(MultiSenGEError, match=str(strange)):
        reclassify(np.array([1, strange], dtype=np.uint8), TYPOLOGIES["6c"])


CITY = ("City", "#aa0000", (1, 2))


@pytest.mark.fault("classes in Python: a name or an id twice, an id without a class -> refused")
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([CITY, ("City", "#00aa00", (3,))], "City, City: give each a name of its own"),
        ([("City", "red", (1,))], "the colour of City is 'red': write it as #88aa00"),
        ([CITY, ("Land", "#00aa00", (2, 3))], "the ids 1, 2, 2, 3"),
        ([CITY, ("Land", "#00aa00", (4,))], "the ids 1, 2, 4"),
    ],
)
def test_classes_that_lose_pixels_are_refused(rows, message):
    with pytest.raises(DescriptionError, match=message):
        make_typology(rows)


def test_the_name_of_a_typology_is_no_typology():
    with pytest.raises(MultiSenGEError, match="TYPOLOGIES"):
        reclassify(np.zeros((2, 2), np.uint8), "10c")
