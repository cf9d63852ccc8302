import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from IPython.display import HTML

from multisenge_lib import paper, paths
from multisenge_lib.chapters import html


def test_an_interactive_part_holds_its_data_a_still_figure_and_a_caption():
    text = html.interactive_part("x", {"a": ["</script>", 1.5]}, "<p>still</p>", "a < b").data
    data = re.search(r'<script type="application/json">(.*)</script>', text).group(1)
    assert json.loads(data) == {"a": ["</script>", 1.5]}
    assert text.count("</script>") == 1
    assert text.startswith('<figure class="live" data-part="x"')
    assert "<p>still</p>" in text and "a &lt; b" in text


def test_a_cell_of_a_table_knows_its_column_and_is_escaped():
    frame = pd.DataFrame(
        {"n": [1234, np.nan], "text": ["a < b", HTML("<a>c</a>")]}, pd.Index(["x", "y"], name="id")
    )
    text = html.table(frame, "What & whose", "{:,.0f}").data
    assert "<caption>What &amp; whose</caption>" in text
    assert '<th scope="col">id</th><th scope="col">n</th>' in text
    assert '<th scope="row">x</th><td data-label="n">1,234</td>' in text
    assert '<td data-label="n">–</td>' in text
    assert 'data-label="text">a &lt; b</td>' in text and 'data-label="text"><a>c</a></td>' in text
    assert text.count("<td") == frame.size


def test_numbers_in_a_sentence_are_written_as_in_the_book():
    assert (
        html.typeset("2576 of 5890 patches in 2020, 6.50 %, 57433 km2")
        == "2,576 of 5,890 patches in 2020, 6.50%, 57,433 km²"
    )
    assert (
        html.typeset("-0.0552 with 10, (-3) and 17-28 days")
        == "−0.0552 with 10, (−3) and 17–28 days"
    )
    unchanged = (
        "ConvLSTM-S1S2, doi:10.5194/isprs-annals-V-3-2022-635-2022, 31UEQ_3855_8481, 0e82be0"
    )
    assert html.typeset(unchanged) == unchanged
    assert html.typeset("commit of 2022-02-16; 0.65536 and 65536.") == (
        "commit of 2022-02-16; 0.65536 and 65,536."
    )


def test_a_number_has_a_true_minus_unless_it_rounds_to_zero():
    assert html.write_number(-0.055, "{:+.2f}") == "−0.06"
    assert html.write_number(-0.004, "{:+.1f}") == "0.0"
    assert html.write_number(1234, "{:,}") == "1,234"


def test_a_table_of_sentences_keeps_its_meaning_as_cards():
    frame = pd.DataFrame({"a": ["one < two"]}, pd.Index(["x"], name="name"))
    text = html.table(frame, style="prose").data
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader", "cell"):
        assert f'role="{role}"' in text
    assert text.count('role="cell"') == text.count("<td") == 1
    assert "role=" not in html.table(frame).data


def test_css_goes_to_their_cells():
    frame = pd.DataFrame({"gain": [0.3, -0.3, np.nan]})
    text = html.table(frame, format="{:+.1f}", css=html.shades(frame, 0.3)).data
    styles = re.findall(r'style="([^"]*)"', text)
    assert styles == [
        "background: rgba(43, 108, 163, 0.50)", "background: rgba(200, 120, 0, 0.50)", "",
    ]  # fmt: skip


def test_scores_are_printed_as_the_paper_prints_them():
    scores = pd.DataFrame(
        {
            "weighted_recall": [0.5],
            "weighted_f1": [0.88749],
            "mean_iou": [0.7],
            "kappa": [np.nan],
        },
        ["a"],
    )
    text = html.score_table(scores, "x").data
    assert "weighted F1" in text and "mean IoU" in text
    assert "0.8875" in text and "recall" not in text and "kappa" not in text


def test_a_banner_names_all_data_but_the_papers():
    assert "synthetic" in html.data_banner("sample", "The scores").data
    # Only a page that would show MultiSenGE's images is told how to show them.
    assert "MULTISENGE_ROOT" in html.data_banner("sample", "The scores").data
    assert "MULTISENGE_ROOT" not in html.data_banner("sample", "The scores", fixed=True).data
    own = html.data_banner("my-<valley>", "The scores").data
    assert "my-&lt;valley&gt;, not the paper" in own and "synthetic" not in own
    assert html.data_banner("multisenge", "The scores") is None


def test_every_item_of_the_paper_has_a_chapter():
    chapters = {Path(item["chapter"]) for item in paper.read_items()}
    assert all((paths.PROJECT / "book" / f"{name}.md").is_file() for name in chapters)


def test_small_counts_are_words():
    assert html.count_word(3) == "three" and html.count_word(12) == "12"
    assert html.count_word(np.int64(0)) == "none"


@pytest.mark.parametrize(
    ("counts", "words"),
    [([1, 1], "once"), ([2], "twice"), ([3, 3], "three times"), ([1, 3], "one to three times")],
)
def test_how_often_is_written_as_in_a_sentence(counts, words):
    assert html.times(counts) == words


def test_a_long_name_may_break_after_its_plus_sign():
    table = pd.DataFrame({"seeds": ["1"]}, index=["inception_10c+full_skip"])
    assert '<th scope="row">inception_10c+<wbr>full_skip</th>' in html.table(table)._repr_html_()
