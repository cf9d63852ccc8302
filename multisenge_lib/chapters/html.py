"""What chapters show besides figures: tables, banners, and where numbers come from, as HTML."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML

from multisenge_lib.dataset import MULTISENGE, SAMPLE

_SYNTHETIC = (
    "come from the small synthetic dataset that the library writes itself. They show how things "
    "work, not what the paper found."
)


def link(chapter: str, text: str | None = None) -> HTML:
    """A link to another page of the book, by default with the page's name."""
    return HTML(f'<a href="{chapter}.html">{escape(text or chapter.replace("_", " "))}</a>')


def stat_tiles(rows: Mapping[str, str | HTML]) -> HTML:
    """A few figures in large type, each with a line on what it counts; HTML may hold links."""
    cells = "".join(
        f"<div><b>{escape(key)}</b><span>{_text(text, '')}</span></div>"
        for key, text in rows.items()
    )
    return HTML(f'<div class="facts">{cells}</div>')


def source_note(text: str) -> HTML:
    """A line below a table or figure: which record or data it shows."""
    return HTML(f'<p class="source-note">{escape(text)}</p>')


def data_banner(name: str, what: str) -> HTML | None:
    """The banner over what shows other data than the paper's; there is none on MultiSenGE.

    Args:
        name: of the dataset that is shown.
        what: plural subject of the sentence, such as "The images below".
    """
    if name == MULTISENGE.name:
        return None
    title, why = f"{name}, not the paper's data", f"come from the dataset {name}."
    if name == SAMPLE.name:
        title, why = "The sample, not the paper's data", _SYNTHETIC
    return HTML(
        f'<div class="sample-banner"><p class="banner-title">{escape(title)}</p>'
        f"<p>{escape(what)} {escape(why)} Set <code>MULTISENGE_ROOT</code> to the published "
        "dataset and build again to see those of MultiSenGE.</p></div>"
    )


def interactive_part(name: str, data: Any, instead: str, caption: str) -> HTML:
    """A part of a page that answers when touched, drawn by the book's script `_parts/NAME.js`.

    Args:
        name: of the script, without its ending.
        data: what the script draws from; anything that JSON holds.
        instead: HTML of what stands there where scripts are off, such as `picture(...).data`.
        caption: the figure's, for both.
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", r"<\/")
    return HTML(
        f'<figure class="live" data-part="{name}"><div class="live-still">{instead}</div>'
        f'<script type="application/json">{text}</script>'
        f"<figcaption><p>{escape(caption)}</p></figcaption></figure>"
    )


def _text(value: Any, form: str) -> str:
    """A cell's content: HTML as it is, text escaped, numbers formatted, a dash for none."""
    if isinstance(value, HTML):
        return value.data
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    return escape(value if isinstance(value, str) else form.format(value))


def _row(name: str | None, cells: pd.Series, forms: Mapping, looks: pd.Series | None) -> str:
    head = "" if name is None else f'<th scope="row">{escape(name)}</th>'
    text = "".join(
        f'<td data-label="{escape(str(column))}"'
        f"{f' style={looks[column]!r}' if looks is not None else ''}>"
        f"{_text(value, forms.get(column, '{}'))}</td>"
        for column, value in cells.items()
    )
    return f"<tr>{head}{text}</tr>"


def table(
    frame: pd.DataFrame,
    caption: str = "",
    form: str | Mapping[Any, str] = "{}",
    looks: pd.DataFrame | None = None,
    index: bool = True,
    kind: str = "",
) -> HTML:
    """A table that fits its column, and folds into a card a row on a phone.

    Args:
        frame: its columns and index are named as they are shown.
        caption: which numbers these are, and whose.
        form: how numbers are written, for all columns or by column; none is a dash.
        looks: CSS of each cell, shaped as `frame`.
        index: whether the index is shown, as the head of each row or card.
        kind: of its look: "words" where cells hold a few words, "prose" where they hold sentences.
    """
    forms = form if isinstance(form, Mapping) else dict.fromkeys(frame.columns, form)
    names = [str(name) for name in frame.index] if index else [None] * len(frame)
    corner = f'<th scope="col">{escape(str(frame.index.name or ""))}</th>' if index else ""
    head = corner + "".join(f'<th scope="col">{escape(str(c))}</th>' for c in frame.columns)
    cells = frame.astype(object)
    rows = (
        _row(name, cells.iloc[i], forms, None if looks is None else looks.iloc[i])
        for i, name in enumerate(names)
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return HTML(
        f'<table class="table folds {kind}">{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def shades(frame: pd.DataFrame, most: float) -> pd.DataFrame:
    """Looks of a table of numbers: the larger, the bluer; below zero orange.

    Args:
        frame: numbers.
        most: the size from which the colour is full.
    """

    def look(value: float) -> str:
        if np.isnan(value):
            return ""
        color = "43, 108, 163" if value >= 0 else "200, 120, 0"
        return f"background: rgba({color}, {0.5 * min(1, abs(value) / most):.2f})"

    return frame.astype(float).map(look)


def prose_table(frame: pd.DataFrame, caption: str = "") -> HTML:
    """A table of sentences: left-aligned, lines that break."""
    return table(frame, caption, index=False, kind="prose")


def score_table(scores: pd.DataFrame, caption: str) -> HTML:
    """Scores to four decimals; the weighted recall is left out, the accuracy is the same number."""
    shown = scores.drop(columns="weighted_recall", errors="ignore").dropna(axis=1, how="all")
    shown = shown.rename(columns=lambda name: name.replace("_", " ")).rename_axis("model")
    return table(shown, caption, "{:.4f}")
