import json
import re

import matplotlib.pyplot as plt

from multisenge_lib.figures import notes


def test_an_interactive_part_holds_its_data_a_still_figure_and_a_caption():
    html = notes.interactive_part("x", {"a": ["</script>", 1.5]}, "<p>still</p>", "a < b").data
    data = re.search(r'<script type="application/json">(.*)</script>', html).group(1)
    assert json.loads(data) == {"a": ["</script>", 1.5]}
    assert html.count("</script>") == 1
    assert html.startswith('<figure class="live" data-part="x"')
    assert "<p>still</p>" in html and "a &lt; b" in html


def test_a_still_figure_says_what_it_shows():
    html = notes.still(plt.figure(figsize=(1, 1)), 'a "field"')
    assert html.startswith('<img alt="a &quot;field&quot;" src="data:image/png;base64,')
