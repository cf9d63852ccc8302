"""The list of slips: each shown by findings, and each disagreement in the list once."""

from collections import Counter

from multisenge_lib import audit, paper

ERRATA = paper.read_errata()


def test_each_erratum_is_complete():
    keys = {"id", "kind", "where", "printed", "correction", "findings"}
    assert all(set(erratum) == keys and all(erratum.values()) for erratum in ERRATA)
    assert len({erratum["id"] for erratum in ERRATA}) == len(ERRATA)
    assert {erratum["kind"] for erratum in ERRATA} == {"error", "wording"}


def test_errors_are_what_disagrees_and_each_disagreement_is_in_one_erratum(findings):
    verdicts = {finding.id: finding.verdict for finding in findings}
    listed = Counter(id for erratum in ERRATA for id in erratum["findings"])
    assert set(listed.values()) == {1}
    for erratum in ERRATA:
        of_this = {verdicts[id] for id in erratum["findings"]}
        if erratum["kind"] == "error":
            assert of_this == {audit.DISAGREES}, erratum["id"]
        else:
            assert of_this <= {audit.DISAGREES, audit.UNDECIDED}, erratum["id"]
    disagreeing = {id for id, verdict in verdicts.items() if verdict == audit.DISAGREES}
    assert disagreeing <= set(listed)


def test_the_exchanged_kappas_are_one_slip():
    exchanged = next(erratum for erratum in ERRATA if erratum["id"] == "table-8-exchanged")
    assert len(exchanged["findings"]) == 3
