import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisenge_lib import paths
from multisenge_lib.dataset import (
    MULTISENGE,
    SAMPLE,
    Blocks,
    dataset_of_root,
    is_sample,
    make_typology,
    with_selection,
    write_dataset_toml,
)
from multisenge_lib.errors import DescriptionError, FileError

VALLEY = replace(
    MULTISENGE,
    name="my-valley",
    years=(2021, 2022),
    months=(11, 12, 1, 2),
    split_of_tile={"19FDV": "blocks", "19FEV": "test"},
    patch_pixels=64,
    blocks=Blocks(size=2560, distance=640, shares=(0.5, 0.25, 0.25), seed=3),
    bands={"s2": ("B2", "B3", "B4", "B8")},
    reference_classes=make_typology([(n, "#a50026", (i,)) for i, n in enumerate("abc", 1)]),
    groupings=(
        make_typology([("Built", "#a50026", (1,)), ('Open "land"', "#ffef9f", (2, 3))]),
        make_typology([("Built or b", "#a50026", (1, 2)), ("c", "#ffef9f", (3,))], "built_or_b"),
    ),
    showcase=("19FDV_0_64",),
    cities={"Río Grande": (-67.7, -53.8)},
)
TOML = """name = "valley"
years = [2021]
months = [7, 8]
patch_pixels = 32
[tiles]
31UFS = "blocks"
"""


def test_what_is_written_is_read_back(tmp_path):
    write_dataset_toml(tmp_path, VALLEY)
    assert dataset_of_root(tmp_path) == VALLEY
    assert VALLEY.split_rule == "by blocks of 2560 m that keep 640 m (seed 3)"


def test_a_selection_of_ones_own_has_a_name_of_its_own():
    assert (
        with_selection(MULTISENGE, "7,8,9,11", 17, "first", ",".join(MULTISENGE.tiles))
        is MULTISENGE
    )
    varied = with_selection(SAMPLE, 7, 0, "nearest", "31UFQ=train, 31UEQ,31UFP")
    assert (varied.months, varied.days_gap, varied.s1_rule) == ((7,), 0, "nearest")
    assert varied.split_of_tile == {"31UEQ": "test", "31UFP": "validation", "31UFQ": "train"}
    assert varied.name.startswith("sample+") and is_sample(varied.name)
    assert varied.split_rule.endswith("31UFQ train; Sentinel-1 dates: nearest")
    assert varied == with_selection(SAMPLE, "7", 0, "nearest", "31UEQ,31UFP,31UFQ")
    assert varied == with_selection(SAMPLE, [7], 0, "nearest", ["31UEQ", "31UFP", "31UFQ"])
    others = [
        with_selection(SAMPLE, "7"),
        with_selection(SAMPLE, "7,8"),
        with_selection(SAMPLE, tiles="31UEQ=train"),
        varied,
    ]
    assert len({dataset.name for dataset in others}) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"months": "7,8"}, {"months": "7,9"}),
        ({"days_gap": 5}, {"days_gap": 6}),
        ({"s1_rule": "nearest"}, {"s1_rule": "first2"}),
        ({"tiles": "31UEQ"}, {"tiles": "31UEQ=train"}),
        ({"tiles": "31UEQ"}, {"tiles": "31UFP"}),
    ],
)
def test_each_part_of_a_selection_is_in_its_name(one, other):
    names = {SAMPLE.name}
    for parameters in (one, other):
        names.add(with_selection(SAMPLE, **parameters).name)
    assert len(names) == 3


@pytest.mark.fault("notebook: months, gap, rule, tiles that cannot be -> one line that names them")
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"months": "9,7"}, "months .* out of order"),
        ({"months": "july"}, r"months\[0\] is 'july' .*: months must be a list"),
        ({"months": 7.5}, r"months\[0\] is '7.5'"),
        ({"days_gap": "ten"}, "days_gap is 'ten' .*must be whole days, 0 to 366"),
        ({"days_gap": -1}, "days_gap is -1 "),
        ({"s1_rule": "last"}, "s1_rule is 'last': s1_rule must be first, nearest, or"),
        ({"tiles": "31UEQ=tset"}, "tiles.31UEQ is 'tset' .*each train, validation, test or"),
        ({"months": ()}, "months is .*: months must be a list"),
        ({"tiles": "31UEQ=test,31UEQ=train"}, "tiles.31UEQ: it is named twice"),
        ({"tiles": "31UEQ,30TYT"}, "multisenge has no '30TYT': choose among 31TFN"),
    ],
)
def test_a_selection_that_cannot_be(parameters, message):
    with pytest.raises(DescriptionError, match=message) as error:
        with_selection(MULTISENGE, **parameters)
    assert "\n" not in str(error.value)


def test_what_is_left_out_is_multisenges(tmp_path):
    (tmp_path / "dataset.toml").write_text(TOML)
    dataset = dataset_of_root(tmp_path)
    assert dataset.typologies == MULTISENGE.typologies
    assert (dataset.bands, dataset.days_gap) == (dict(MULTISENGE.bands), MULTISENGE.days_gap)
    assert dataset.blocks == Blocks()


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"valley"', '"multisenge"', "name is 'multisenge': name must be letters"),
        ('"valley"', '"../x"', "name is '../x'"),
        ("[2021]", "2021", "years is 2021 .*must be a list of years"),
        ("[2021]", '["2021"]', r"years\[0\] is '2021'"),
        ("[7, 8]", "[7, 13]", r"months\[1\] is 13 "),
        ("[7, 8]", "[8, 7]", "months .*out of order"),
        ("= 32", "= 64.0", "patch_pixels is 64.0 "),
        ("= 32", "= 33", "patch_pixels is 33 .*must be .*a multiple of 32"),
        ('"blocks"', '"training"', "tiles.31UFS is 'training' .*must be .*train, "),
        ("31UFS", "31UXX", "tiles.31UXX: there is no Sentinel-2 tile '31UXX'"),
        ("[tiles]", "[tile]", "unknown field `tile`: the keys are name, years"),
        ("years = [2021]\n", "", "missing required field `years`"),
        ("[tiles]", "[tiles", "cannot be read: .*line 5"),
        ("= 32", "= 32\npatch_pixels = 64", "cannot be read: .*line 5"),
        ("[tiles]", "[bands]\ns2 = ['B3', 'B2']\n[tiles]", "bands.s2 is .*: give each band once"),
        ("[tiles]", "[blocks]\nshares = [nan, 1, 1]\n[tiles]", r"blocks.shares\[0\] is nan "),
        ("[tiles]", "[blocks]\nsize = 0\n[tiles]", "blocks.size is 0 .*metres"),
        (
            "[tiles]",
            "[[classes]]\nname='a'\ncolor='red'\n[[classes]]\nname='b'\ncolor='#000000'\n[tiles]",
            r"classes\[0\].color is 'red': .*a color such as",
        ),
        (
            "[tiles]",
            "[[classes]]\nname='a'\ncolor='#000000'\n[[classes]]\nname='b'\ncolor='red'\n[tiles]",
            r"classes\[1\].color is 'red'",
        ),
        (
            "[tiles]",
            "[[classes]]\nname='a'\ncolor='#000000'\n[[classes]]\nname='b'\n[tiles]",
            r"classes\[1\] is .*missing required field `color`",
        ),
        (
            "[tiles]",
            "[cities]\nyears = [4, 300]\n[tiles]",
            r"cities.years\[1\] is 300 .*in degrees",
        ),
        ("[tiles]", "[cities]\na = [4, 5]\nb = [4, nan]\n[tiles]", r"cities.b\[1\] is nan "),
        (
            "[tiles]",
            "[[classes]]\nname='a'\ncolor='#000000'\n"
            "[[classes]]\nname=\"b\\u001b[2J\"\ncolor='#000000'\n[tiles]",
            r"classes\[1\].name is 'b\\x1b\[2J': it holds characters that cannot be printed",
        ),
        (
            "[tiles]",
            f"[[classes]]\nname='{'a' * 201}'\ncolor='#000000'\n"
            "[[classes]]\nname='b'\ncolor='#000000'\n[tiles]",
            r"classes\[0\].name is ",
        ),
        (
            "[2021]",
            "[\n2021,  # months, tiles\n2101,\n]",
            r"years\[1\] is 2101 ",
        ),
        ("[7, 8]", "[7, 8]  # days_gap\n# days_gap = 1\ndays_gap = 400", "days_gap is 400 "),
        ("= 32", "= 32\npatch_pixel = 64", "unknown field `patch_pixel`"),
        ('"blocks"', '"blocks"\n[blocks]\n"size.m" = 3', "blocks is .*unknown field `size.m`"),
    ],
)
@pytest.mark.fault(
    "dataset.toml: a value, key or table that cannot be -> one line, that names its key"
)
def test_a_wrong_description_is_named_with_its_key(tmp_path, old, new, where):
    (tmp_path / "dataset.toml").write_text(TOML.replace(old, new))
    with pytest.raises(DescriptionError, match=where) as error:
        dataset_of_root(tmp_path)
    assert "dataset.toml" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"[" * 100_000, None])
@pytest.mark.fault("dataset.toml: other bytes, endless nesting, a folder -> one line")
def test_what_is_no_toml_is_one_line(tmp_path, content):
    path = tmp_path / "dataset.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(DescriptionError, match=r"dataset\.toml cannot be read") as error:
        dataset_of_root(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.fault("dataset.toml: ten thousand lines, the last one wrong -> its key, in a second")
def test_a_long_description_is_searched_in_good_time(tmp_path):
    many = "".join(f"c{i} = [0, 0]\n" for i in range(10_000))
    (tmp_path / "dataset.toml").write_text(f"{TOML}[cities]\n{many}z = 0\n")
    with pytest.raises(DescriptionError, match=r"cities.z is 0 "):
        dataset_of_root(tmp_path)


@pytest.mark.fault(
    "dataset.toml: a full disk or a kill while it is written -> the one before stays"
)
@pytest.mark.parametrize("fails", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_description_is_written_whole_or_not_at_all(tmp_path, monkeypatch, fails, error):
    write_dataset_toml(tmp_path, VALLEY)

    def failing(*_):
        raise error

    monkeypatch.setattr(*((os, "fsync") if fails == "fsync" else (Path, "replace")), failing)
    with pytest.raises((FileError, KeyboardInterrupt)):
        write_dataset_toml(tmp_path, replace(VALLEY, name="other"))
    assert dataset_of_root(tmp_path) == VALLEY and len(list(tmp_path.iterdir())) == 1


@pytest.mark.fault("dataset.toml: an id in two groups of one grouping, or in none -> the rule")
def test_groupings_hold_each_class_once(tmp_path):
    path = write_dataset_toml(tmp_path, VALLEY)
    text = path.read_text().replace("    1,\n]", "    1,\n    2,\n]", 1)
    path.write_text(text)
    with pytest.raises(DescriptionError, match="each id from 1 to 3 must be in one group"):
        dataset_of_root(tmp_path)


def test_the_built_in_names_are_not_written(tmp_path):
    with pytest.raises(DescriptionError, match="'multisenge'"):
        write_dataset_toml(tmp_path, MULTISENGE)
    assert not list(tmp_path.iterdir())


@pytest.mark.fault("dataset.toml: a byte order mark, as editors on Windows write it -> read")
def test_a_byte_order_mark_is_no_key(tmp_path):
    (tmp_path / "dataset.toml").write_text(TOML, encoding="utf-8-sig")
    assert dataset_of_root(tmp_path).name == "valley"


@pytest.mark.fault("dataset.toml: a pipe -> refused, not waited for")
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "dataset.toml")
    with pytest.raises(DescriptionError, match="it is not a file"):
        dataset_of_root(tmp_path)


@given(
    st.text(min_size=1, max_size=20),
    st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable() and name != "b"),
)
def test_any_text_survives(tmp_path_factory, city, name):
    root = tmp_path_factory.mktemp("root")
    classes = make_typology([(name, "#000000", (1,)), ("b", "#ffffff", (2,))])
    dataset = replace(VALLEY, cities={city: (1.0, 2.0)}, reference_classes=classes, groupings=())
    write_dataset_toml(root, dataset)
    assert dataset_of_root(root) == dataset


GROUP = '{{ name = "{}", color = "#000000", ids = {} }}'


def grouping(*ids):
    return f"[{', '.join(GROUP.format(f'g{i}', group) for i, group in enumerate(ids))}]"


CLASSES = "".join(f'[[classes]]\nname = "{c}"\ncolor = "#a5002{i}"\n' for i, c in enumerate("abc"))


@pytest.mark.fault("dataset.toml: two groupings of as many classes -> both are kept, by names")
def test_groupings_have_the_names_of_their_table(tmp_path):
    text = (
        f"{TOML}{CLASSES}[groupings]\nurban = {grouping([1], [2, 3])}\n2c = {grouping([3], [1, 2])}"
    )
    (tmp_path / "dataset.toml").write_text(text)
    dataset = dataset_of_root(tmp_path)
    assert dataset.reference_classes.names == ("a", "b", "c")
    assert list(dataset.typologies) == ["3c", "urban", "2c"]
    assert dataset.typologies["urban"].members == ((1,), (2, 3))
    assert dataset.typologies["2c"].members == ((3,), (1, 2))


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        (["3c"], "groupings.3c: .* has this name"),
        (["urban", "Urban"], "groupings.Urban: .* has this name"),
        (['"a-b"'], "groupings.a-b: a grouping's name is up to 32 letters"),
    ],
)
@pytest.mark.fault("dataset.toml: a grouping's name taken, or unfit for a folder -> refused")
def test_a_name_of_a_grouping_that_cannot_be(tmp_path, names, rule):
    table = "\n".join(f"{name} = {grouping([1], [2, 3])}" for name in names)
    (tmp_path / "dataset.toml").write_text(f"{TOML}{CLASSES}[groupings]\n{table}")
    with pytest.raises(DescriptionError, match=rule):
        dataset_of_root(tmp_path)


def test_two_classifications_of_one_name_are_refused():
    twice = replace(VALLEY.groupings[0], name="3C")
    with pytest.raises(DescriptionError, match="two classifications of my-valley have the same"):
        replace(VALLEY, groupings=(twice,))


# --- MultiSenNA ---

MULTISENNA = """based_on = "multisenna"
years = [2020]
[tiles]
30TXR = "train"
30TYR = "test"
"""


def test_the_groupings_that_the_book_shows_are_a_description(tmp_path):
    page = (paths.PROJECT / "book/beyond.md").read_text("utf-8")
    shown = re.search(r"```toml\n(\[groupings\]\n.*?)```", page, re.DOTALL).group(1)
    (tmp_path / "dataset.toml").write_text(TOML + shown)
    typologies = dataset_of_root(tmp_path).typologies
    assert {name: len(typology) for name, typology in typologies.items()} == {
        "14c": 14,
        "urban": 2,
        "water": 2,
    }


def test_multisenna_has_multisenges_classes_and_a_fifteenth(tmp_path):
    (tmp_path / "dataset.toml").write_text(MULTISENNA)
    dataset = dataset_of_root(tmp_path)
    assert dataset.name == "multisenna"
    assert dataset.split_of_tile == {"30TXR": "train", "30TYR": "test"}
    assert dataset.bands == MULTISENGE.bands
    for key in ("months", "days_gap", "s1_rule", "patch_pixels"):
        assert getattr(dataset, key) == getattr(MULTISENGE, key), key
    assert list(dataset.typologies) == ["15c", "10c", "6c"]
    assert dataset.reference_classes.classes[:14] == MULTISENGE.reference_classes.classes
    assert dataset.reference_classes.names[14] == "Beaches, Sand"


@pytest.mark.parametrize(("name", "beaches"), [("10c", 9), ("6c", 6)])
def test_class_15_goes_where_mineral_open_spaces_are(tmp_path, name, beaches):
    """All other ids, and the names of the classes, are MultiSenGE's: its networks can be scored."""
    (tmp_path / "dataset.toml").write_text(MULTISENNA)
    typology = dataset_of_root(tmp_path).typologies[name]
    own = MULTISENGE.typologies[name]
    assert (typology.names, typology.colors) == (own.names, own.colors)
    assert typology.lookup.tolist() == [*own.lookup.tolist(), beaches]
    assert own.lookup[12] == beaches


def test_a_description_based_on_multisenna_can_differ_from_it(tmp_path):
    changed = MULTISENNA.replace("years", 'name = "coast"\npatch_pixels = 128\nyears')
    (tmp_path / "dataset.toml").write_text(changed)
    dataset = dataset_of_root(tmp_path)
    assert (dataset.name, dataset.patch_pixels) == ("coast", 128)
    write_dataset_toml(tmp_path / "copy", dataset)
    assert dataset_of_root(tmp_path / "copy") == dataset


def test_classes_of_ones_own_are_not_grouped_as_those_of_multisenna(tmp_path):
    classes = """[[classes]]
name = "sand"
color = "#ffffff"
[[classes]]
name = "other"
color = "#000000"
"""
    (tmp_path / "dataset.toml").write_text(MULTISENNA + classes)
    assert list(dataset_of_root(tmp_path).typologies) == ["2c"]


@pytest.mark.fault("dataset.toml: based on an unknown dataset, or without its tiles -> one line")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"multisenna"', '"multisenbre"', "based_on is 'multisenbre'.*must be multisenna"),
        ('"multisenna"', "3", "based_on is 3"),
        ("years = [2020]\n", "", "missing required field `years`"),
        ('[tiles]\n30TXR = "train"\n30TYR = "test"\n', "", "missing required field `tiles`"),
    ],
)
def test_what_is_not_known_of_multisenna_must_be_given(tmp_path, old, new, message):
    (tmp_path / "dataset.toml").write_text(MULTISENNA.replace(old, new))
    with pytest.raises(DescriptionError, match=message) as error:
        dataset_of_root(tmp_path)
    assert "\n" not in str(error.value)


def test_a_selection_in_two_steps_has_the_name_of_the_same_in_one():
    in_one = with_selection(MULTISENGE, "7,8", 0)
    in_two = with_selection(with_selection(MULTISENGE, "7,8"), days_gap=0)
    assert in_two == in_one and in_two.name == in_one.name


@pytest.mark.fault("dataset.toml: a line break at the end of a name or rule -> refused")
@pytest.mark.parametrize("key", ["name", "s1_rule"])
def test_a_line_break_is_no_part_of_a_name(tmp_path, key):
    path = write_dataset_toml(tmp_path, VALLEY)
    value = {"name": VALLEY.name, "s1_rule": VALLEY.s1_rule}[key]
    text = path.read_text()
    assert f'{key} = "{value}"' in text
    path.write_text(text.replace(f'{key} = "{value}"', f'{key} = "{value}\\n"'))
    with pytest.raises(DescriptionError, match=key):
        dataset_of_root(tmp_path)
