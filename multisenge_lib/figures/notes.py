"""What chapters show besides figures: banners, notes on where numbers come from, live figures."""

import base64
import io
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import plotly.graph_objects as go
from IPython.display import HTML
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from multisenge_lib.dataset import SAMPLE, describe


def link(chapter: str) -> str:
    """A link to another page of the book."""
    return f'<a href="{chapter}.html">{chapter.replace("_", " ")}</a>'


def facts(rows: Mapping[str, str]) -> HTML:
    """A few figures in large type, each with a line on what it counts."""
    cells = "".join(
        f"<div><b>{key}</b><span>{escape(text)}</span></div>" for key, text in rows.items()
    )
    return HTML(f'<div class="facts">{cells}</div>')


def is_sample(root: Path) -> bool:
    """Whether a data root is the sample."""
    return describe(root).name == SAMPLE.name


def source_note(text: str) -> HTML:
    """A line below a table or figure: which record or data it shows."""
    return HTML(f'<p class="source-note">{escape(text)}</p>')


def sample_banner(sample: bool, what: str) -> HTML | None:
    """The banner over what shows the sample where the paper shows real data.

    Args:
        sample: whether it is the sample that is shown; there is no banner on real data.
        what: plural subject of the sentence, such as "The images below".
    """
    if not sample:
        return None
    return HTML(
        '<div class="sample-banner"><p class="admonition-title">The sample, not the paper\'s data'
        f"</p><p>{escape(what)} come from the small synthetic dataset that the library writes "
        "itself. They show how things work, not what the paper found. Set "
        "<code>MULTISENGE_ROOT</code> to the published dataset and run again to see the real "
        "ones.</p></div>"
    )


def interactive(figure: go.Figure, caption: str) -> HTML:
    """A plotly figure that works offline: the page loads plotly.js once, from the book itself."""
    body = figure.to_html(full_html=False, include_plotlyjs=False)
    return HTML(f"<figure>{body}<figcaption><p>{escape(caption)}</p></figcaption></figure>")


def still(figure: Figure, alt: str) -> str:
    """A matplotlib figure as an image inside HTML, with the words for who cannot see it."""
    png = io.BytesIO()
    figure.savefig(png, format="png", bbox_inches="tight")
    plt.close(figure)
    data = base64.b64encode(png.getvalue()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}">'


def interactive_part(name: str, data: Any, instead: str, caption: str) -> HTML:
    """A part of a page that answers when touched, drawn by the book's script `_parts/NAME.js`.

    Args:
        name: of the script, without its ending.
        data: what the script draws from; anything that JSON holds.
        instead: HTML of what stands there where scripts are off, such as `still` makes.
        caption: the figure's, for both.
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", r"<\/")
    return HTML(
        f'<figure class="live" data-part="{name}"><div class="live-still">{instead}</div>'
        f'<script type="application/json">{text}</script>'
        f"<figcaption><p>{escape(caption)}</p></figcaption></figure>"
    )


def prose_table(table: pd.DataFrame, caption: str = "") -> HTML:
    """A table of sentences: left-aligned, lines that break."""
    return HTML(
        table.style.hide(axis="index")
        .set_table_attributes('class="table prose"')
        .set_caption(caption)
        .to_html()
    )


def score_table(table: pd.DataFrame, caption: str) -> Styler:
    """Scores to four decimals, as the paper prints them; one not reported is left empty."""
    table = table.drop(columns="weighted_recall")  # the accuracy is the same number
    numbers = table.select_dtypes("number").columns
    return (
        table.rename(columns=lambda name: name.replace("_", " "))
        .style.hide(axis="index")
        .format("{:.4f}", na_rep="", subset=[name.replace("_", " ") for name in numbers])
        .set_caption(caption)
    )


def seed_note(seeds: pd.DataFrame, classes: int | None) -> HTML | Styler:
    """Macro F1 by seed with its spread, or an honest word where there is one seed only.

    Args:
        seeds: of `comparison.seed_table`.
        classes: show the experiments with so many classes; None for all.
    """
    if classes is not None:
        seeds = seeds[[name.endswith(f"_{classes}c") for name in seeds.index]]
    if len(seeds.columns) < 2:
        return source_note(
            "One seed an experiment: how far scores vary from seed to seed was not measured here."
        )
    spread = seeds.assign(mean=seeds.mean(axis=1), spread=seeds.std(axis=1))
    caption = "Macro F1 by seed of the training, mean and standard deviation."
    return spread.style.format("{:.3f}", na_rep="").set_caption(caption)
