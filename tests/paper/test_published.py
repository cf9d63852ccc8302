"""The paper's numbers and claims as data."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from multisenge_lib import paper
from multisenge_lib.dataset.typology import TYPOLOGIES

BOOK = Path(__file__).resolve().parents[2] / "book"
TABLES = Path(__file__).resolve().parents[2] / "shared" / "paper" / "tables.json"


@pytest.fixture(scope="module")
def published():
    return paper.read_paper()


def test_every_number_has_a_state():
    numbers = paper.read_paper().numbers.values()
    assert len(numbers) > 250
    assert {number.state for number in numbers} <= set(paper.states())


def test_every_claim_has_a_state_and_words(published):
    for claim in published.claims.values():
        assert claim.state in paper.states()
        assert claim.quote
        assert len(claim.quote) < 140


def test_every_item_has_a_state():
    figures = [f"Figure {i}" for i in (*range(1, 11), "A1", "A2", "A3", "A4")]
    tables = [f"Table {i}" for i in range(1, 9)]
    equations = [f"Equation {i}" for i in range(1, 9)]
    assert [item["label"] for item in paper.read_items()] == [*figures, *tables, *equations]
    assert {item["state"] for item in paper.read_items()} <= set(paper.states())
    pages = {f"{item['chapter']}.md" for item in paper.read_items()}
    assert pages <= {path.name for path in BOOK.glob("*.md")}


def test_what_is_said_to_be_checked_has_a_finding(published, findings):
    covered = {finding.id.partition("/")[0] for finding in findings}
    states = ("reproduced on real metadata", "audited")
    checked = {c.id for c in published.claims.values() if c.state in states}
    assert checked - covered == set()


def test_numbers_of_the_tables_have_the_printed_shape(published):
    assert published.scores(6).shape == (4, 6, 3)
    assert published.scores(10).shape == (4, 10, 3)
    assert published.weighted(10)[3].tolist() == [0.8977, 0.8831, 0.8851]
    assert published.scores(6)[0, 0].tolist() == [0.1335, 0.9397, 0.2337]
    assert published.kappa(10).tolist() == [0.6422, 0.7445, 0.7482, 0.7945]
    assert published.bold(6).sum() == 21


def test_rounding_follows_from_the_digits_printed(published):
    assert published.numbers["table5/ConvLSTM-S2/3/precision"].text == "0.3100"
    assert published.numbers["table5/ConvLSTM-S2/3/precision"].half == 5e-5
    assert published.numbers["table2/1"].half == 0.005
    assert published.numbers["table1/15"].half == 0


def test_table_3_is_the_typology(published):
    for classes, grouping in published.grouping.items():
        assert grouping == TYPOLOGIES[f"{classes}c"].members


def test_bold_marks_are_read(published):
    assert published.numbers["table6/ConvLSTM-S2"].bold
    assert not published.numbers["table6/ConvLSTM-S1"].bold


def test_outside_sources_are_named():
    assert re.search("unreviewed", paper.replication().source)
    assert paper.replication().support[10].sum() == 610 * 256 * 256
    assert paper.replication().support[10][5:].sum() == paper.replication().support[6][5]
    assert len(paper.authors_script().means) == 10


@pytest.mark.skipif(not TABLES.is_file(), reason="the separate transcription is not here")
def test_tables_agree_with_a_separate_transcription(published):
    other = json.loads(TABLES.read_text())
    for classes, key in ((6, "table5_6_classes"), (10, "table7_10_classes")):
        rows = [other[key][method] for method in paper.METHODS]
        scores = np.array([[list(r[str(i)].values()) for i in range(1, classes + 1)] for r in rows])
        assert np.array_equal(published.scores(classes), scores)
        weighted = [list(row["W-Avg"].values()) for row in rows]
        assert np.array_equal(published.weighted(classes), weighted)
    assert list(published.shares()) == [
        row["percent"] for row in other["table2_class_distribution_percent"].values()
    ]
    kappas = other["table6_kappa_6_classes"]
    assert list(published.kappa(6)) == [kappas[method] for method in paper.METHODS]
    kappas = other["table8_kappa_10_classes"]
    assert list(published.kappa(10)) == [kappas[method] for method in paper.METHODS]
    gaps = {gap: n.value for gap, n in published.table("table1").items()}
    assert gaps == other["table1_patches_per_days_gap"]
