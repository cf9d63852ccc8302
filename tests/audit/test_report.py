"""The audit: its findings, and that each of them can turn."""

import dataclasses
import json

import numpy as np
import pytest

from multisenge_lib import audit, paper
from multisenge_lib.audit import AGREES, DISAGREES, HALF_UNIT_4DP, REMARK, UNDECIDED, VERDICTS
from multisenge_lib.audit import text_claims as sentences
from multisenge_lib.audit.finding import CHECKS, outcomes, run
from multisenge_lib.dataset.selection import select
from multisenge_lib.paper.published import SCORE_TABLE

INCEPTION = "ConvLSTM+Inception-S1S2"


@pytest.fixture(scope="module")
def findings_by_id(findings):
    return {finding.id: finding for finding in findings}


# What is found


def test_verdicts_and_fields(findings_by_id):
    assert {finding.verdict for finding in findings_by_id.values()} == set(VERDICTS)
    fields = {"id", "claim", "where", "derived", "published", "tolerance", "verdict"}
    assert all(fields <= set(vars(finding)) for finding in findings_by_id.values())
    order = [VERDICTS.index(finding.verdict) for finding in findings_by_id.values()]
    assert order == sorted(order)


def test_recovered_support_agrees_with_the_counted(findings_by_id):
    for source in ("table5", "table7", "both"):
        assert findings_by_id[f"one-support/{source}"].verdict == AGREES
        assert findings_by_id[f"counted-support/{source}"].verdict == AGREES


def test_six_kappas_agree_and_two_are_exchanged(evidence, findings_by_id):
    kappas = {id for id in findings_by_id if id.startswith("kappa-") and "/" in id}
    assert len(kappas) == 8
    wrong = {id for id in kappas if findings_by_id[id].verdict == DISAGREES}
    assert wrong == {"kappa-10/ConvLSTM-S2", "kappa-10/ConvLSTM-S1S2"}
    exchanged = change(
        evidence,
        ("table8/ConvLSTM-S2", "0.7482"),
        ("table8/ConvLSTM-S1S2", "0.7445"),
    )
    assert all(f.verdict == AGREES for f in run("kappa-10", exchanged))


def test_kappas_agree_within_rounding_of_the_counted_support(evidence):
    for classes in (6, 10):
        intervals = audit.kappa_intervals(evidence, classes, counted=True)
        printed = evidence.paper.kappa(classes)
        if classes == 10:
            printed = printed[[0, 2, 1, 3]]
        low, high = intervals.T
        assert ((low - HALF_UNIT_4DP <= printed) & (printed <= high + HALF_UNIT_4DP)).all()


@pytest.mark.parametrize(
    "id",
    ["regular-gaps", "training-tiles", "kappa-range", "global-scores/order", "s2-wins",
     "recall-systematic", "least-represented", "caption-table-5", "caption-figure-9",
     "five-better"],
)  # fmt: skip
def test_known_disagreements(findings_by_id, id):
    assert findings_by_id[id].verdict == DISAGREES


@pytest.mark.fault("audit: MULTISENGE_RESULTS names an empty folder -> the same findings")
def test_the_audit_needs_no_results_folder(monkeypatch, tmp_path, findings_by_id):
    monkeypatch.setenv("MULTISENGE_RESULTS", str(tmp_path))
    assert audit.findings() == [*findings_by_id.values()]


def test_headlines_are_few_and_filled(findings_by_id):
    heads = [finding.headline for finding in findings_by_id.values() if finding.headline]
    assert len(heads) == 6
    assert not any(
        "{" in text
        for finding in findings_by_id.values()
        for text in vars(finding).values()
        if isinstance(text, str)
    )


def test_every_check_has_words_and_every_word_a_check(findings_by_id):
    assert {id.partition("/")[0] for id in paper.finding_words()} == set(CHECKS)
    parts = {id for id in paper.finding_words() if "/" in id}
    assert parts <= set(findings_by_id)


@pytest.mark.parametrize("id", CHECKS)
def test_what_is_computed_never_stands_in_for_what_is_printed(evidence, id):
    values_of_claim = {*evidence.paper.stated(id), "named", *CHECKS[id].keywords}
    assert not any(
        values_of_claim & set(outcome.values) for outcome in outcomes(id, evidence).values()
    )


@pytest.mark.parametrize("table, verdict", [("table5", AGREES), ("table7", DISAGREES)])
def test_the_caption_of_figure_9_is_checked_against_a_table(evidence, table, verdict):
    (finding,) = run("caption-figure-9", named("caption-figure-9", table)(evidence))
    assert finding.verdict == verdict


def test_only_the_papers_words_are_quotations(evidence, findings_by_id):
    for finding in findings_by_id.values():
        claim = evidence.paper.claims.get(finding.id.partition("/")[0])
        if claim is not None:
            assert finding.quoted
    for id in ("one-support/both", "one-class/6", "f1-table5", "decoded-pixels"):
        assert not findings_by_id[id].quoted


def test_the_share_in_section_4_1_is_within_rounding(findings_by_id):
    assert findings_by_id["non-urban-share"].verdict == AGREES


# Each check can turn


def change(evidence, *numbers, names=None):
    """The evidence with numbers printed otherwise, and claims naming others."""
    printed = dict(evidence.paper.numbers)
    claims = dict(evidence.paper.claims)
    for id, text in numbers:
        bare = text.strip("*")
        printed[id] = dataclasses.replace(printed[id], text=bare, bold=bare != text)
    for claim, others in (names or {}).items():
        claims[claim] = dataclasses.replace(claims[claim], names=tuple(others))
    changed = dataclasses.replace(evidence.paper, numbers=printed, claims=claims)
    return dataclasses.replace(evidence, paper=changed)


def text(claim, **numbers):
    return lambda e: change(e, *((f"text/{claim}/{k}", v) for k, v in numbers.items()))


def cells(*numbers):
    return lambda e: change(e, *numbers)


def named(claim, *names):
    return lambda e: change(e, names={claim: names})


def counting(change_of):
    return lambda e: dataclasses.replace(
        e, counts=dataclasses.replace(e.counts, **change_of(e.counts))
    )


def script(**lists):
    def turn(e):
        values = {name: make(e.script) for name, make in lists.items()}
        return dataclasses.replace(e, script=dataclasses.replace(e.script, **values))

    return turn


def moved_pixels(e):
    """A tenth of a million pixels of class 1 counted as arable land or non-urban instead."""
    support = {n: pixels.copy() for n, pixels in e.replication.support.items()}
    for pixels in support.values():
        pixels[[0, 5]] += -100_000, 100_000
    return dataclasses.replace(e, replication=dataclasses.replace(e.replication, support=support))


def more_pixels(e):
    support = {n: pixels + 1 for n, pixels in e.replication.support.items()}
    return dataclasses.replace(e, replication=dataclasses.replace(e.replication, support=support))


def other_matrix(e):
    """A hundred pixels more on the diagonal of every published matrix."""
    runs = []
    for published in e.replication.runs:
        if published.confusion is None:
            runs.append(published)
        else:
            more = 100 * np.eye(published.classes, dtype=int)
            changed = published.confusion + more
            runs.append(dataclasses.replace(published, confusion=changed))
    changed = dataclasses.replace(e.replication, runs=tuple(runs))
    return dataclasses.replace(e, replication=changed)


def without_a_row(e):
    rows = e.paper.experiments[:-1]
    return dataclasses.replace(e, paper=dataclasses.replace(e.paper, experiments=rows))


def without_a_class(e):
    grouping = {**e.paper.grouping, 10: e.paper.grouping[10][1:]}
    return dataclasses.replace(e, paper=dataclasses.replace(e.paper, grouping=grouping))


def recall_on_top(e):
    low = [(f"table5/{m}/6/precision", "0.5000") for m in paper.METHODS]
    return change(e, *low, ("table5/ConvLSTM-S1/2/precision", "0.3000"))


def low_urban_recall(e):
    return change(
        e, *((f"table7/{m}/{c}/recall", "0.0100") for m in paper.METHODS[:2] for c in range(1, 6))
    )


def low_natural_precision(e):
    rows = ((m, c) for m in paper.METHODS for c in range(6, 11))
    return change(e, *((f"table7/{m}/{c}/precision", "0.1000") for m, c in rows))


def a_tile_without_patches(counts):
    tiles = counts.tiles.copy()
    tiles.loc["32UMV", "patches"] = 0
    return {"tiles": tiles}


def one_patch_more(counts):
    return {"totals": {**counts.totals, "patches": 8158}}


def shorter_last_gap(counts):
    return {"series": counts.series.assign(days3=30)}


def best_in_january(counts):
    return {"months": counts.months.where(counts.months.index != 1, 8000)}


TURNS = {
    "f1-table5": cells(("table5/ConvLSTM-S1/2/f1", "0.4118")),
    "f1-table7": cells(("table7/ConvLSTM-S2/8/f1", "0.4931")),
    "weighted-table5": cells(("table5/ConvLSTM-S1/W-Avg/f1", "0.9003")),
    "weighted-table7": cells(("table7/ConvLSTM-S2/W-Avg/recall", "0.8514")),
    "predicted-table5": cells(("table5/ConvLSTM-S2/6/precision", "0.9970")),
    "predicted-table7": cells(("table7/ConvLSTM-S1S2/9/precision", "0.8499")),
    "one-support/table5": cells(("table5/ConvLSTM-S1S2/W-Avg/f1", "0.8895")),
    "one-support/table7": cells(("table7/ConvLSTM-S1/W-Avg/recall", "0.7880")),
    "one-support/both": cells(("table5/ConvLSTM-S1S2/W-Avg/f1", "0.8895")),
    "counted-support/table5": moved_pixels,
    "counted-support/table7": moved_pixels,
    "counted-support/both": moved_pixels,
    "bold-table5": cells(("table5/ConvLSTM-S1/1/f1", "**0.2337**")),
    "bold-table6": cells(("table6/ConvLSTM-S1", "**0.3929**")),
    "bold-table7": cells(("table7/ConvLSTM-S2/W-Avg/precision", "**0.9000**")),
    "bold-table8": cells(("table8/ConvLSTM+Inception-S1S2", "0.7945")),
    "table1": cells(("table1/18", "4961")),
    "table2-sum": cells(("table2/6", "38.81")),
    "table4": without_a_row,
    "replication-matrix": other_matrix,
    "tiles-14": counting(a_tile_without_patches),
    "patches-8157": counting(one_patch_more),
    "year": text("year", year="2021"),
    "patch-size": more_pixels,
    "urban-5": without_a_class,
    "months-most": named("months-most", "7", "8", "9", "10"),
    "winter-few": counting(best_in_january),
    "gap-17": text("gap-17", days="15"),
    "regular-gaps": counting(shorter_last_gap),
    "training-tiles": named(
        "training-tiles", *["31TFN", "31UFQ", "31UFR", "31UGQ", "32TLT", "32ULU", "32ULV", "32UMV"]
    ),
    "split-counts/train": text("split-counts", train="3368"),
    "split-counts/validation": text("split-counts", validation="1912"),
    "split-counts/test": text("split-counts", test="611"),
    "split-counts/sum": text("split-counts", test="611"),
    "split-tiles": named("split-tiles", "31UFP", "31UFR", "31UEQ"),
    "test-tile": text("split-counts", test="609"),
    "patches-shown": named("patches-shown", "31UFP_0_0"),
    "test-reims": named("test-reims", "31UEQ", "Strasbourg"),
    "caption-table-5": named("caption-table-5", "31UEQ", "Reims"),
    "caption-table-7": named("caption-table-7", "32ULU"),
    "typology-14": text("typology-14", classes="15"),
    "two-groupings/first": text("two-groupings", first="9"),
    "two-groupings/second": text("two-groupings", second="7"),
    "merging": named("merging", "7+8", "10+11", "12+13+14"),
    "rare-classes": cells(("table2/13", "1.31")),
    "under-1": named("under-1", "1", "3"),
    "non-urban-share": text("non-urban-share", percent="92.53"),
    "input-shape": text("input-shape", bands="12"),
    "memory": text("memory", total="73"),
    "experiments": text("experiments", main="5"),
    "metrics-three": text("metrics-three", metrics="4"),
    "abstract-weighted-f1": cells((f"table5/{INCEPTION}/W-Avg/f1", "0.9000")),
    "abstract-inception/6": cells((f"table5/{INCEPTION}/1/f1", "0.4639")),
    "abstract-inception/10": cells((f"table8/{INCEPTION}", "0.7400")),
    "abstract-ten-classes": cells(("table7/ConvLSTM-S1S2/5/f1", "0.3000")),
    "s1-class4": text("s1-class4", f1="0.1345"),
    "s1s2-best/f1": cells(("table5/ConvLSTM-S2/1/f1", "0.4431")),
    "s1s2-best/recall": named("s1s2-best", "2", "5"),
    "close-weighted-f1": text("close-weighted-f1", s1s2="0.8876"),
    "best-weighted": text("best-weighted", precision="0.9592"),
    "recall-systematic": recall_on_top,
    "precision-inception/higher": cells(("table5/ConvLSTM-S2/3/precision", "0.4795")),
    "precision-inception/similar": cells(
        (f"table5/{INCEPTION}/1/precision", "0.3000"), (f"table5/{INCEPTION}/4/precision", "0.0700")
    ),
    "kappa-words": cells(*((f"table6/{method}", "0.1500") for method in paper.METHODS)),
    "code-address": named("code-address", "r-wenger/MultiSenGE-Tools"),
    "kappa-range": text("kappa-range", low="0.3852"),
    "global-scores/order": text("global-scores", weighted_f1="0.8851", mean_f1="0.6373"),
    "global-scores/values": text("global-scores", weighted_f1="0.6375"),
    "global-scores/all": cells(("table7/ConvLSTM-S2/W-Avg/precision", "0.8976")),
    "most-classes": cells(*((f"table7/{INCEPTION}/{c}/f1", "0.0100") for c in (8, 9, 10))),
    "s2-wins": named("s2-wins", "1", "3", "7"),
    "natural-better": cells((f"table7/{INCEPTION}/8/f1", "0.1000")),
    "weaker-confusion": cells((f"table7/{INCEPTION}/W-Avg/recall", "0.8500")),
    "recall-almost": low_urban_recall,
    "recall-natural": low_natural_precision,
    "kappa-best": text("kappa-best", kappa="0.7946"),
    "second-best/weighted-f1": cells(("table7/ConvLSTM-S1S2/W-Avg/f1", "0.8700")),
    "second-best/kappa": cells(("table8/ConvLSTM-S2", "0.7482"), ("table8/ConvLSTM-S1S2", "0.74")),
    "confusion-4-6": cells((f"table5/{INCEPTION}/6/recall", "0.9990")),
    "five-better": text("five-better", classes="4"),
    "only-class-3": cells((f"table7/{INCEPTION}/3/f1", "0.5895")),
    "networks-best": cells(("table7/ConvLSTM-S2/5/f1", "0.5475")),
    "f1-limit": cells((f"table7/{INCEPTION}/4/f1", "0.2501")),
    "least-represented": cells((f"table7/{INCEPTION}/4/f1", "0.5001")),
    "least-separable": cells((f"table7/{INCEPTION}/8/f1", "0.5475")),
    "best-urban": cells(("table7/ConvLSTM-S2/4/f1", "0.4000")),
    "caption-figure-9": text("caption-figure-9", classes="10"),
    # Undecided as it is, but not whatever is printed.
    "bands": named("bands", *["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]),
    "class-weights": script(class_weights=lambda s: s.class_weights.round(3)),
    "decoded-pixels": script(class_weights=lambda s: s.class_weights.round(3)),
    "multimodal/sensors": cells(*((f"table7/ConvLSTM-S1S2/{c}/f1", "0.9") for c in range(1, 6))),
    "visual-best": cells(("table5/ConvLSTM-S1S2/1/f1", "0.0100")),
    "confusion-1-2": cells(*((f"table5/{INCEPTION}/{c}/recall", "0.9999") for c in (3, 4, 5, 6))),
    "confusion-9-10": cells(("table7/ConvLSTM-S2/9/recall", "0.9999")),
}  # fmt: skip
for method in paper.METHODS:
    # A network of six classes that printed the highest possible score would not be beaten.
    TURNS[f"merged-accuracy/{method}"] = cells((f"table5/{method}/W-Avg/recall", "0.9500"))
    TURNS[f"merged-kappa/{method}"] = cells((f"table6/{method}", "0.7000"))
    TURNS[f"merged-weighted-f1/{method}"] = cells((f"table5/{method}/W-Avg/f1", "0.9600"))
    TURNS[f"merged-macro-f1/{method}"] = cells((f"table5/{method}/6/f1", "4.0000"))
#: Nothing that is printed could decide these.
OPEN = {
    "region-area", "split-proportions", "hypothesis-imagery", "hypothesis-balance",
    "vineyards-confusion", "networks-confusion",
    "augmentation-share", "multimodal/dates", "s1-contribution", "superior",
}  # fmt: skip


#: What the paper does not claim.
REMARKS = {"one-class/6", "one-class/10", "script-normalisation"}


def test_every_finding_can_turn_or_is_open(findings_by_id):
    kappas = {id for id in findings_by_id if id.startswith("kappa-") and "/" in id}
    assert set(findings_by_id) == set(TURNS) | OPEN | REMARKS | kappas
    assert {findings_by_id[id].verdict for id in OPEN} == {UNDECIDED}
    assert {findings_by_id[id].verdict for id in REMARKS} == {REMARK}


@pytest.mark.parametrize("id", TURNS)
def test_a_verdict_turns(evidence, findings_by_id, id):
    (turned,) = (f for f in run(id.partition("/")[0], TURNS[id](evidence)) if f.id == id)
    before = findings_by_id[id].verdict
    expected = {DISAGREES: {AGREES}, AGREES: {DISAGREES, UNDECIDED}, UNDECIDED: {AGREES, DISAGREES}}
    assert turned.verdict in expected[before]


@pytest.mark.parametrize("factor, verdict", [(0.9, AGREES), (-1.1, DISAGREES)])
@pytest.mark.parametrize("classes", [6, 10])
def test_kappas_turn_just_beyond_their_tolerance(
    evidence, findings_by_id, classes, factor, verdict
):
    printed = []
    for method in paper.METHODS:
        finding = findings_by_id[f"kappa-{classes}/{method}"]
        middle = float(finding.published) - finding.difference
        number = f"{paper.KAPPA_TABLE[classes]}/{method}"
        printed.append((number, f"{middle + factor * finding.tolerance:.8f}"))
    turned = run(f"kappa-{classes}", change(evidence, *printed))
    assert [f.verdict for f in turned] == [verdict] * 4


@pytest.mark.parametrize("classes", [6, 10])
def test_each_f1_and_average_turns_alone(evidence, classes):
    table = SCORE_TABLE[classes]
    n = classes
    for method in paper.METHODS:
        for row in range(1, n + 1):
            id = f"{table}/{method}/{row}/f1"
            wrong = f"{evidence.paper.numbers[id].value + 3e-4:.4f}"
            (finding,) = run(f"f1-{table}", change(evidence, (id, wrong)))
            assert finding.verdict == DISAGREES, id
        for score in paper.SCORES:
            id = f"{table}/{method}/W-Avg/{score}"
            wrong = f"{evidence.paper.numbers[id].value - 3e-4:.4f}"
            (average,) = run(f"weighted-{table}", change(evidence, (id, wrong)))
            assert average.verdict == DISAGREES


def test_contradicting_tables_still_give_kappas(evidence):
    broken = change(evidence, ("table5/ConvLSTM-S1S2/W-Avg/f1", "0.8895"))
    assert len(run("kappa-6", broken)) == len(run("kappa-10", broken)) == 4


def test_the_patches_shown_are_selected_for_the_test(evidence, real_index):
    selection = select(real_index).set_index("patch")
    shown = evidence.paper.claims["patches-shown"].names
    assert selection.loc[list(shown), "split"].tolist() == ["test"] * 3


def test_scores_module_positions_follow_the_paper():
    assert paper.METHODS[sentences.INCEPTION] == INCEPTION
    assert paper.METHODS[sentences.S1S2] == "ConvLSTM-S1S2"


def test_the_command_prints_every_verdict(capsys, monkeypatch, findings_by_id):
    from multisenge_lib import cli

    monkeypatch.setattr("sys.argv", ["multisenge", "audit"])
    with pytest.raises(SystemExit):
        cli.main()
    printed = capsys.readouterr().out
    assert all(finding.title in printed for finding in findings_by_id.values())
    # What was computed once need not be computed again to be printed in another form.
    monkeypatch.setattr(audit, "findings", lambda: [*findings_by_id.values()])
    monkeypatch.setattr("sys.argv", ["multisenge", "audit", "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == set(findings_by_id)
    keys = ("id", "claim", "where", "derived", "published", "tolerance", "verdict")
    assert all(key in row for row in rows for key in keys)
