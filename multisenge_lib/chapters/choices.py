"""The choices that the paper leaves open: paper, two codes of the authors, and this library."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import pandas as pd

from multisenge_lib.chapters.html import Html
from multisenge_lib.paper import read_code_sources

#: The topics of the points, and the sections of the paper that belong to each.
TOPICS = {
    "Data": ("section 2", "Eq. 4", "section 3.4, Eq. 4"),
    "Network": ("section 3.1", "section 3.2", "Eq. 3", "sections 3.1 and 3.4"),
    "Training and evaluation": ("section 3.4", "Tables", "Figures"),
}
#: A file with a line or a range of lines: "train.py:277-283".
_FILE_LINES = re.compile(r"\b(train\.py):(\d+)(?:-(\d+))?")
#: A line or a range of lines of the 2024 model, which is one file: "lines 40-52", "line 97".
_LINES = re.compile(r"\blines? (\d+)(?:-(\d+))?")


def topic_of(point: Mapping[str, Any]) -> str:
    """Name the topic of a point: the one whose section fits best."""
    best_topic = ""
    best_length = 0
    for topic, sections in TOPICS.items():
        for section in sections:
            # The longest fitting name wins: "section 3.4, Eq. 4" is about data, 3.4 is not.
            if point["where"].startswith(section) and len(section) > best_length:
                best_topic = topic
                best_length = len(section)
    return best_topic


def _address(source: Mapping[str, str]) -> str:
    """Give the address of a source's file at its commit."""
    repository = f"https://github.com/{source['repository']}"
    return f"{repository}/blob/{source['commit']}/{quote(source['file'])}"


def _line_link(address: str, words: str, first: str, last: str | None) -> str:
    lines = f"L{first}-L{last}" if last else f"L{first}"
    return f'<a href="{address}#{lines}">{words}</a>'


def _breakable(text: str) -> str:
    """Let a browser break long names of parameters, so that five columns fit beside each other."""
    return text.replace("_", "_<wbr>").replace("=", "=<wbr>")


def linked_lines(text: str, code: str) -> str:
    """Link the lines that a text on a code names to the code's file; the rest is escaped.

    Args:
        text: such as "ReLU for both (train.py:178-179)".
        code: "script" or "model", of `paper.read_code_sources`.
    """
    address = _address(read_code_sources()[code])
    pattern = _FILE_LINES if code == "script" else _LINES

    def link(match: re.Match) -> str:
        first, last = match.groups()[-2:]
        return _line_link(address, match[0], first, last)

    return pattern.sub(link, _breakable(escape(text)))


def _ours(point: Mapping[str, Any]) -> str:
    """Write what this library does, and the parameters that choose another answer."""
    lines = [escape(point["ours"])]
    for owner, parameters in point.get("other", {}).items():
        for name, value in parameters.items():
            parameter = _breakable(f"{escape(name)}={escape(repr(value))}")
            lines.append(f"<code>{escape(owner)}: {parameter}</code>")
    return "<br>".join(lines)


def choice_table(points: Sequence[Mapping[str, Any]], topic: str) -> pd.DataFrame:
    """Tabulate the points of a topic: paper, 2022 script, 2024 model, this library."""
    rows = []
    for point in points:
        if topic_of(point) == topic:
            rows.append(
                {
                    "choice": point["point"],
                    "paper": f"{point['paper']} ({point['where']})",
                    "script, 2022": Html(linked_lines(point["script"], "script")),
                    "model, 2024": Html(linked_lines(point["model"], "model")),
                    "this library": Html(_ours(point)),
                }
            )
    return pd.DataFrame(rows)


def deviation_table(points: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Tabulate the defaults of this library that depart from the paper or its package."""
    rows = []
    for point in points:
        if "deviation" in point:
            rows.append(
                {
                    "choice": point["point"],
                    "departs": point["deviation"],
                    "this library": point["ours"],
                }
            )
    return pd.DataFrame(rows)


def code_source_table() -> pd.DataFrame:
    """Tabulate the codes that the choices name, with the address of each at its commit."""
    rows = []
    for source in read_code_sources().values():
        name = f"{source['repository']}, {source['file']}"
        rows.append(
            {
                "code": source["name"],
                "file": Html(f'<a href="{_address(source)}">{escape(name)}</a>'),
                "commit": source["commit"],
                "date": source.get("date"),
            }
        )
    return pd.DataFrame(rows)
