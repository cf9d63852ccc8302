import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML

from multisenge_lib import paper, paths
from multisenge_lib.figures import notes


def test_an_interactive_part_holds_its_data_a_still_figure_and_a_caption():
    html = notes.interactive_part("x", {"a": ["</script>", 1.5]}, "<p>still</p>", "a < b").data
    data = re.search(r'<script type="application/json">(.*)</script>', html).group(1)
    assert json.loads(data) == {"a": ["</script>", 1.5]}
    assert html.count("</script>") == 1
    assert html.startswith('<figure class="live" data-part="x"')
    assert "<p>still</p>" in html and "a &lt; b" in html


def test_a_cell_of_a_table_knows_its_column_and_is_escaped():
    frame = pd.DataFrame(
        {"n": [1234, np.nan], "text": ["a < b", HTML("<a>c</a>")]}, pd.Index(["x", "y"], name="id")
    )
    html = notes.table(frame, "What & whose", "{:,.0f}").data
    assert "<caption>What &amp; whose</caption>" in html
    assert '<th scope="col">id</th><th scope="col">n</th>' in html
    assert '<th scope="row">x</th><td data-label="n">1,234</td>' in html
    assert '<td data-label="n">–</td>' in html
    assert 'data-label="text">a &lt; b</td>' in html and 'data-label="text"><a>c</a></td>' in html
    assert html.count("<td") == frame.size


def test_looks_go_to_their_cells():
    frame = pd.DataFrame({"gain": [0.3, -0.3, np.nan]})
    html = notes.table(frame, form="{:+.1f}", looks=notes.shades(frame, 0.3)).data
    styles = re.findall(r"style='([^']*)'", html)
    assert styles == [
        "background: rgba(43, 108, 163, 0.50)", "background: rgba(200, 120, 0, 0.50)", "",
    ]  # fmt: skip


def test_scores_are_printed_as_the_paper_prints_them():
    scores = pd.DataFrame(
        {"weighted_recall": [0.5], "weighted_f1": [0.88749], "kappa": [np.nan]}, ["a"]
    )
    html = notes.score_table(scores, "x").data
    assert "0.8875" in html and "recall" not in html and "kappa" not in html


def test_a_banner_names_all_data_but_the_papers():
    assert "synthetic" in notes.data_banner("sample", "The scores").data
    own = notes.data_banner("my-<valley>", "The scores").data
    assert "my-&lt;valley&gt;, not the paper" in own and "synthetic" not in own
    assert notes.data_banner("multisenge", "The scores") is None


def test_every_item_of_the_paper_has_a_chapter():
    chapters = {Path(item["chapter"]) for item in paper.read_items()}
    assert all((paths.PROJECT / "book" / f"{name}.md").is_file() for name in chapters)
