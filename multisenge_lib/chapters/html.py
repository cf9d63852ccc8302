"""What chapters show besides figures, as HTML: tables, banners, and where numbers come from.

Tables are not made with pandas' Styler: on a phone a table of sentences folds into one card per
row, for which each cell must carry the name of its column (`data-label`), and screen readers need
the `scope` of each head. Styler writes neither.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from multisenge_lib.chapters.score_words import score_title
from multisenge_lib.dataset import MULTISENGE, SAMPLE

MINUS = "\N{MINUS SIGN}"
#: A hyphen that stands for a minus: before a number, but not inside a word, date or range.
_MINUS_SIGN = re.compile(r"(?<![\w.,)-])-(?=\d)")
#: A range of numbers of up to three digits; longer ones may be parts of dates or addresses.
_RANGE = re.compile(r"(?<![\w.-])(\d{1,3})-(\d{1,3})(?![\w-])")
#: A whole number of four digits and more that is no part of a word, address or decimal.
_LONG_NUMBER = re.compile(r"(?<![\w.,/:-])(\d{4,})(?![\w/-]|[.,]\d)")
#: Numbers of four digits in this range are years, and have no comma.
_YEARS = range(1900, 2100)


@dataclass(frozen=True)
class Html:
    """HTML that a notebook shows as it is; IPython's class of this kind needs IPython."""

    data: str

    def __repr__(self):
        return "<HTML>"  # what a notebook keeps beside the HTML, as plain text

    def _repr_html_(self) -> str:
        return self.data


def typeset(text: str) -> str:
    """Write the numbers in a sentence as the book does: 2,576, 93%, km², a true minus, 17–28."""

    def with_comma(match: re.Match) -> str:
        number = int(match[1])
        return match[1] if number in _YEARS else f"{number:,}"

    text = _MINUS_SIGN.sub(MINUS, text)
    text = _RANGE.sub(r"\1–\2", text)
    text = _LONG_NUMBER.sub(with_comma, text)
    text = re.sub(r"\bkm2\b", "km²", text)
    return re.sub(r"(?<=\d) %", "%", text)


def write_number(value: float, number_format: str = "{}") -> str:
    """Write a number with a true minus sign; what rounds to zero has no minus."""
    text = number_format.format(value)
    has_digits = any(digit in text for digit in "123456789")
    return text.replace("-", MINUS if has_digits else "")


#: How small counts are written in a sentence.
_COUNT_WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def count_word(count: int) -> str:
    """Write a small count as a word, as in running text: "three"; from ten on in digits."""
    return _COUNT_WORDS[count] if count < len(_COUNT_WORDS) else f"{count:,}"


def times(counts: Sequence[int]) -> str:
    """Say how often something was done: "once", "twice", "three times", "one to three times".

    Args:
        counts: how often, for each of several things; one or more of them.
    """
    least = min(counts)
    most = max(counts)
    if least < most:
        return f"{count_word(least)} to {count_word(most)} times"
    return {1: "once", 2: "twice"}.get(most, f"{count_word(most)} times")


def link(chapter: str, text: str | None = None) -> Html:
    """Link to another page of the book, by default with the page's name."""
    return Html(f'<a href="{chapter}.html">{escape(text or chapter.replace("_", " "))}</a>')


def stat_tiles(rows: Mapping[str, Any]) -> Html:
    """Show a few numbers in large type, each with a line on what it counts; HTML may hold links."""
    tiles = []
    for number, text in rows.items():
        tiles.append(f"<div><b>{escape(number)}</b><span>{_cell_text(text, '')}</span></div>")
    return Html(f'<div class="facts">{"".join(tiles)}</div>')


def source_note(text: str) -> Html:
    """Write a line below a table or figure: which record or data it shows."""
    return Html(f'<p class="source-note">{escape(text)}</p>')


def data_banner(name: str, what: str, *, fixed: bool = False) -> Html | None:
    """Warn that what is shown is not the paper's data; None for MultiSenGE.

    Args:
        name: name of the dataset that is shown.
        what: plural subject of the sentence, such as "The images below".
        fixed: whether the page shows this dataset even where `MULTISENGE_ROOT` names MultiSenGE.
    """
    if name == MULTISENGE.name:
        return None
    if name == SAMPLE.name:
        title = "The sample, not the paper's data"
        reason = (
            "come from the small synthetic dataset that the library writes itself. They show how "
            "things work, not what the paper found."
        )
    else:
        title = f"{name}, not the paper's data"
        reason = f"come from the dataset {name}."
    remedy = (
        " Set <code>MULTISENGE_ROOT</code> to the published dataset and build again to see those "
        "of MultiSenGE."
    )
    return Html(
        f'<div class="sample-banner"><p class="banner-title">{escape(title)}</p>'
        f"<p>{escape(what)} {escape(reason)}{'' if fixed else remedy}</p></div>"
    )


def interactive_part(name: str, data: Any, instead: str, caption: str, label: str = "") -> Html:
    """Put a part into the page that reacts to the reader, drawn by the script `_parts/NAME.js`.

    Args:
        name: name of the script, without its ending.
        data: what the script draws from; anything that JSON holds.
        instead: HTML for readers without scripts, such as `responsive_figure(...).data`.
        caption: caption for both; in the book a number stands before it.
        label: by which the text cites it, such as `part-gates` for {numref}`part-gates`.
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    text = text.replace("</", r"<\/")  # "</script>" inside the data would end the script
    identifier = f' id="{escape(label)}"' if label else ""
    return Html(
        f'<figure class="live" data-part="{name}"{identifier}>'
        f'<div class="live-still">{instead}</div>'
        f'<script type="application/json">{text}</script>'
        f"<figcaption><p>{escape(caption)}</p></figcaption></figure>"
    )


def _cell_text(value: Any, number_format: str) -> str:
    """Write a cell: HTML as it is, text escaped, numbers formatted, a dash for a missing value."""
    if hasattr(value, "_repr_html_"):
        return value._repr_html_()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, str):
        return escape(value)
    return escape(write_number(value, number_format))


def _row(
    name: str | None, cells: pd.Series, formats: Mapping[Any, str], css: pd.Series | None
) -> str:
    """Write a row of a table, with its name as head if it has one."""
    head = ""
    if name is not None:
        # On a phone a name such as inception_10c+full_skip may break after its plus sign. The mark
        # is not a character, so it is not copied with the name.
        head = f'<th scope="row">{escape(name).replace("+", "+<wbr>")}</th>'
    written = []
    for column, value in cells.items():
        style = "" if css is None else f' style="{escape(css[column])}"'
        text = _cell_text(value, formats.get(column, "{}"))
        written.append(f'<td data-label="{escape(str(column))}"{style}>{text}</td>')
    return f"<tr>{head}{''.join(written)}</tr>"


def _column_head(name: str) -> str:
    """Write the head of a column; an empty corner is no head, or it is read out as one."""
    return f'<th scope="col">{escape(name)}</th>' if name else "<td></td>"


#: What a tag is called where the layout takes its meaning away.
_ROLES = {
    "table": "table",
    "thead": "rowgroup",
    "tbody": "rowgroup",
    "tr": "row",
    "td": "cell",
    'th scope="col"': "columnheader",
    'th scope="row"': "rowheader",
}


def _with_roles(text: str) -> str:
    """Name the role of each tag of a table.

    A phone shows each row of sentences as a card. Laid out as blocks, a table is no table any more
    for screen readers, unless its tags say so.
    """
    for tag, role in _ROLES.items():
        # Last, because the book looks for a table by its first attributes.
        text = re.sub(f"<{tag}((?: [^>]*)?)>", rf'<{tag}\1 role="{role}">', text)
    return text


def table(
    frame: pd.DataFrame,
    caption: str = "",
    format: str | Mapping[Any, str] = "{}",
    css: pd.DataFrame | None = None,
    index: bool = True,
    style: str = "",
    label: str = "",
) -> Html:
    """Show a table that fits its column; on a phone it scrolls, and one of sentences folds.

    Args:
        frame: the table; its columns and index are named as they are shown.
        caption: which numbers these are, and whose; in the book a number stands before it.
        format: how numbers are written, for all columns or by column; a missing one is a dash.
        css: CSS of each cell, shaped as `frame`.
        index: whether the index is shown, as the head of each row or card.
        style: "words" where cells hold a few words, "prose" where they hold sentences.
        label: by which the text cites it, such as `tab-shares` for {numref}`tab-shares`.
    """
    if isinstance(format, Mapping):
        formats = format
    else:
        formats = dict.fromkeys(frame.columns, format)

    heads = [str(frame.index.name or "")] if index else []
    heads += [str(column) for column in frame.columns]
    head = "".join(_column_head(name) for name in heads)

    values = frame.astype(object)  # else a row of whole numbers and shares becomes all shares
    rows = []
    for position in range(len(frame)):
        name = str(frame.index[position]) if index else None
        row_css = None if css is None else css.iloc[position]
        rows.append(_row(name, values.iloc[position], formats, row_css))

    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    identifier = f'id="{escape(label)}" ' if label else ""
    text = (
        f'<table {identifier}class="table folds {style}">{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return Html(_with_roles(text) if style == "prose" else text)


def shades(frame: pd.DataFrame, full: float) -> pd.DataFrame:
    """Give the CSS that shades a table of numbers: the larger, the bluer; below zero orange.

    Args:
        frame: numbers.
        full: the size from which the colour is full.
    """

    def shade(value: float) -> str:
        if math.isnan(value):
            return ""
        color = "43, 108, 163" if value >= 0 else "200, 120, 0"
        opacity = 0.5 * min(1, abs(value) / full)  # text on it stays readable
        return f"background: rgba({color}, {opacity:.2f})"

    return frame.astype(float).map(shade)


def prose_table(frame: pd.DataFrame, caption: str = "", label: str = "") -> Html:
    """Show a table of sentences: left-aligned, with lines that break."""
    return table(frame, caption, index=False, style="prose", label=label)


def score_table(scores: pd.DataFrame, caption: str) -> Html:
    """Show scores with four decimals.

    The weighted recall is left out, because it is the same number as the accuracy.
    """
    columns = scores.drop(columns="weighted_recall", errors="ignore").dropna(axis=1, how="all")
    columns = columns.rename(columns=score_title)
    return table(columns.rename_axis("model"), caption, "{:.4f}")
