"""The choices that the paper leaves open: all shown once, with links to the lines of code."""

import re

from multisenge_lib import chapters
from multisenge_lib.chapters.choices import TOPICS, linked_lines, topic_of
from multisenge_lib.paper import read_code_sources, read_open_points


def test_every_point_is_in_one_table():
    points = read_open_points()
    shown = []
    for topic in TOPICS:
        shown += chapters.choice_table(points, topic)["choice"].tolist()
    assert sorted(shown) == sorted(point["point"] for point in points)


def test_normalisation_is_about_data_and_the_loss_about_training():
    topics = {point["point"]: topic_of(point) for point in read_open_points()}
    assert topics["Normalisation"] == topics["Sentinel-1 unit"] == "Data"
    assert topics["Class weights"] == "Training and evaluation"
    assert topics["Peepholes of the ConvLSTM"] == "Network"


def test_lines_of_the_script_are_linked():
    html = linked_lines("ReLU (train.py:178-179) & more (train.py:312)", "script")
    assert re.findall(r'href="([^"]+)"', html) == [
        "https://github.com/r-wenger/multitemp-multimod/blob/0e82be0/train.py#L178-L179",
        "https://github.com/r-wenger/multitemp-multimod/blob/0e82be0/train.py#L312",
    ]
    assert "&amp; more" in html


def test_lines_of_the_model_are_linked():
    html = linked_lines("none (lines 40-52), and line 97", "model")
    assert html.count("ConvLSTM%2BInceptionS1S2.py#L") == 2
    assert "#L97" in html


def test_deviations_are_the_points_that_name_one():
    points = read_open_points()
    table = chapters.deviation_table(points)
    assert "Peepholes of the ConvLSTM" in table["choice"].tolist()
    assert len(table) == sum("deviation" in point for point in points)


def test_every_code_has_an_address():
    table = chapters.code_source_table()
    assert len(table) == len(read_code_sources())
    assert all("https://github.com/" in link.data for link in table["file"])
