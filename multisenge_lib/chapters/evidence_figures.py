"""Figures and tables of the audit's newer results: merged maps, decoded pixels, runs of others."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from multisenge_lib import audit
from multisenge_lib.audit import SAME_NETWORK, DecodedCounts, Evidence, Finding
from multisenge_lib.chapters.audit_figures import anchor
from multisenge_lib.chapters.comparison import paper_overall, paper_scores, urban_f1
from multisenge_lib.chapters.html import Html, table, typeset
from multisenge_lib.chapters.score_words import axis_title, score_title
from multisenge_lib.chapters.steps import changes_by_step
from multisenge_lib.chapters.style import (
    BLACK,
    BLUE,
    DESKTOP_WIDTH,
    GREY,
    ORANGE,
    columns_for,
    lower_legend,
    name_rows,
    panels,
)
from multisenge_lib.dataset import TYPOLOGIES
from multisenge_lib.paper import METHODS, replication

#: The scores that are drawn of maps merged to six classes.
_MERGED_SCORES = ("kappa", "macro_f1", "weighted_f1", "accuracy")


def _class_labels(classes: int) -> list[str]:
    """Name the classes of a typology as everywhere in the book: "1 Dense Built-Up"."""
    return [f"{land.id} {land.name}" for land in TYPOLOGIES[f"{classes}c"].classes]


def merged_figure(merged: pd.DataFrame, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw what the ten-class maps merged to six can score, beside the networks of six classes.

    Args:
        merged: from `audit.merged_table`.
        width: width of the figure, in inches.
    """
    across = columns_for(width, (2, 1))
    figure, axes = panels(len(_MERGED_SCORES), width, (2, 1), 2.1)
    for position, (ax, score) in enumerate(zip(axes, _MERGED_SCORES, strict=True)):
        rows = merged.loc[score].loc[list(METHODS)]
        # Side by side, the panels on the right share the names of those on the left.
        heights = name_rows(ax, METHODS, is_named=position % across == 0)
        ax.barh(
            heights,
            rows["high"] - rows["low"],
            0.5,
            rows["low"],
            color=GREY,
            edgecolor=GREY,  # so that the narrow bounds of macro F1 show
            linewidth=2,
            label="ten classes merged to six, bounds",
        )
        ax.scatter(
            rows["six"],
            heights,
            45,
            "white",
            marker="D",
            edgecolor=BLACK,
            zorder=3,
            label="trained on six classes, as printed",
        )
        constant = rows["constant"].iloc[0]
        ax.axvline(constant, color="black", lw=1, ls="--", label="a map of one class")
        ax.set_xlabel(axis_title(score))
    lower_legend(figure, axes[0].get_legend_handles_labels()[0])
    return figure


def spread_figure(classes: int, width: float = DESKTOP_WIDTH) -> Figure:
    """Draw the states of the replicated network beside the paper's four methods.

    Args:
        classes: 6 or 10.
        width: width of the figure, in inches.
    """
    runs = audit.public_run_table(classes)
    is_state = (runs["by"] == "replication") & runs.index.str.startswith(SAME_NETWORK)
    groups = {
        "the paper's four methods": runs[runs["by"] == "paper"],
        f"one network, {is_state.sum()} states": runs[is_state],
    }
    scores = ("weighted_f1", "kappa", "macro_f1")
    across = columns_for(width, (3, 1))
    figure, axes = panels(len(scores), width, (3, 1), 1.5)
    for position, (ax, score) in enumerate(zip(axes, scores, strict=True)):
        labels = [name.replace(", ", ",\n").replace("four ", "four\n") for name in groups]
        heights = name_rows(ax, labels, is_named=position % across == 0)
        for height, color, rows in zip(heights, (ORANGE, BLUE), groups.values(), strict=True):
            values = rows[score]
            ax.plot([values.min(), values.max()], [height, height], color=color, lw=2)
            ax.scatter(values, np.full(len(values), height), 36, color, zorder=3)
        ax.set_xlabel(axis_title(score))
        ax.locator_params(axis="x", nbins=4)
    return figure


def short_name(model: str) -> str:
    """Shorten the name of a network of others, so that it fits beside or above a chart."""
    if model.startswith("MA-UTAE"):
        return model.replace("two encoders ", "")
    return model.replace(" concatenated", "")


def matrices_of_others(classes: int) -> dict[str, np.ndarray]:
    """The published matrices of others with 6 or 10 classes, by a name that fits above a panel.

    Each is `(classes, classes)` pixels, rows reference, columns predicted.
    """
    matrices = replication().matrices(classes)
    return {short_name(model): matrix for model, matrix in matrices.items()}


def decoded_table(evidence: Evidence, other_patches: int) -> pd.DataFrame:
    """Tabulate the pixel counts that the authors' class weights decode to.

    Args:
        evidence: what to draw on.
        other_patches: a number of patches that the weights are not of, for comparison.

    Returns:
        One row per class: the weight as printed, the count before and after rounding, how far it
        is from a whole number, and how far with the other number of patches.
    """
    decoded = audit.decode_counts(evidence)
    other = audit.decode_counts(evidence, other_patches)
    rows = pd.DataFrame(index=_class_labels(6))
    rows["weight"] = evidence.script.class_weights
    rows["decoded"] = decoded.exact
    rows["whole pixels"] = decoded.pixels
    rows["off a whole number"] = np.abs(decoded.exact - decoded.pixels)
    rows[f"off, with {other_patches:,} patches"] = np.abs(other.exact - other.pixels)
    return rows


def decoded_shares(decoded: DecodedCounts) -> pd.DataFrame:
    """Tabulate percent of all pixels by class: selected, training and validation, test."""
    shares = pd.DataFrame(decoded.shares(), index=_class_labels(6))
    ratio = shares["test"] / shares["train and validation"]
    percent = 100 * shares
    percent["test over the others"] = ratio
    return percent


def method_overview() -> pd.DataFrame:
    """Tabulate the scores of the paper's four networks: weighted F1, kappa, mean urban F1."""
    # Urban F1 is no score of Tables 5 to 8: the mean of F1 over the five urban classes.
    columns = {}
    for score in ("weighted_f1", "kappa", "urban_f1"):
        for classes in (6, 10):
            if score == "urban_f1":
                values = urban_f1(paper_scores(classes)).mean()
            else:
                values = paper_overall(classes)[score]
            columns[f"{score_title(score)}, {classes} classes"] = values
    return pd.DataFrame(columns).loc[list(METHODS)]


def bold_best(scores: pd.DataFrame) -> pd.DataFrame:
    """Give the CSS that makes the highest value of each column bold, shaped as the scores."""
    is_best = scores == scores.max()
    return is_best.map(lambda best: "font-weight: bold" if best else "")


def urban_steps() -> pd.DataFrame:
    """Tabulate what each addition changes in the paper's mean urban F1, with 6 and 10 classes."""
    columns = {}
    for classes in (6, 10):
        means = urban_f1(paper_scores(classes)).mean()
        columns[f"{classes} classes"] = changes_by_step(means)
    return pd.DataFrame(columns)


def inception_by_class() -> pd.DataFrame:
    """Tabulate what the Inception module changes in the paper's F1 of each urban class."""
    columns = {}
    for classes in (6, 10):
        f1 = urban_f1(paper_scores(classes))
        columns[f"{classes} classes"] = f1["ConvLSTM+Inception-S1S2"] - f1["ConvLSTM-S1S2"]
    table = pd.DataFrame(columns)
    table.index = _class_labels(10)[: len(table)]
    return table.rename_axis("class")


#: The claims that `answers_table` is about, in a few words.
_CLAIM_WORDS = {
    "confusion-4-6": "Class 4 is confused with Non-urban areas",
    "confusion-1-2": "Classes 1 and 2 are confused",
    "confusion-9-10": "Forest is confused with water",
    "vineyards-confusion": "Vineyards are no longer confused with class 4",
    "networks-confusion": "Roads are rarely confused with class 3",
}


def answers_table() -> pd.DataFrame:
    """Tabulate what others' matrices show about the paper's sentences on confusion."""
    rows = []
    for answer in audit.answers():
        words = _CLAIM_WORDS[answer.claim]
        if answer.claim == "confusion-9-10" and not answer.predicate.endswith("class 9"):
            words = "For comparison: another class instead of forest"
        rows.append(
            {
                "the paper's sentence, shortened": words,
                "classes": str(answer.classes),
                "share": answer.range.replace(" %", "%").replace(" ", "\N{NO-BREAK SPACE}"),
                "of what": answer.predicate,
            }
        )
    return pd.DataFrame(rows)


def gains_by_model(gains: pd.DataFrame) -> pd.DataFrame:
    """Give the gains of `audit.sensor_gains` one row per network, with the classes in a column."""
    rows = gains.reset_index("classes").rename_axis("both sensors")
    rows["classes"] = rows["classes"].map(str)
    return rows.rename(columns=score_title)


def run_overview(runs: pd.DataFrame, caption: str, label: str = "") -> Html:
    """Show the runs of `audit.public_run_table`, with a link to the file of each."""
    rows = runs.drop(columns=["by", "source"])
    rows = rows.rename(columns=score_title)
    links = []
    for by, source in zip(runs["by"], runs["source"], strict=True):
        is_paper = by == "paper"
        address = source.replace("doi:", "https://doi.org/") if is_paper else source
        links.append(Html(f'<a href="{address}">{"paper" if is_paper else "others"}</a>'))
    rows["trained by"] = links
    return table(rows.rename_axis("network"), caption, "{:.4f}", label=label)


def replicate_by_class(caption: str, label: str = "") -> Html:
    """Show the F1 of the paper's network by class, as printed and as others trained it."""
    by_class = audit.class_f1_table(10)
    own = by_class[by_class.index.str.startswith(SAME_NETWORK)].T
    # Two rows of one network: as the paper prints it, then as others trained it.
    own.columns = ["paper", "others"]
    own.index = _class_labels(10)
    own["difference"] = own["others"] - own["paper"]
    formats = {"paper": "{:.4f}", "others": "{:.4f}", "difference": "{:+.4f}"}
    return table(own.rename_axis("class"), caption, formats, label=label)


def errata_table(
    errata: Sequence[Mapping[str, Any]], findings: Mapping[str, Finding]
) -> pd.DataFrame:
    """Tabulate slips of the paper, each with links to the findings that show it.

    Args:
        errata: from `paper.read_errata`.
        findings: the audit's findings, by id.
    """
    rows = []
    for erratum in errata:
        links = []
        for id in erratum["findings"]:
            title = escape(typeset(findings[id].title))
            links.append(f'<a href="audit.html#{anchor(id)}">{title}</a>')
        rows.append(
            {
                "where": erratum["where"],
                "printed": erratum["printed"],
                "correction": typeset(erratum["correction"]),
                "finding": Html("; ".join(links)),
            }
        )
    return pd.DataFrame(rows)


def wrong_share_table(
    evidence: Evidence, questions: Sequence[tuple[int, int, int]]
) -> pd.DataFrame:
    """Tabulate which share of a class's wrong predictions can be another class, by method.

    Args:
        evidence: what to draw on.
        questions: for each column the number of classes, the id of the predicted class, and the
            id of the class that the pixels really are.

    Returns:
        Least and greatest share in percent, as text; one row per method.
    """
    columns = {}
    for classes, predicted, reference in questions:
        cells = []
        for margins in audit.model_margins(evidence, classes):
            # `hit` is the diagonal, which is certain: recall times the pixels of the class.
            wrong = margins.predicted[predicted - 1] - margins.hit[predicted - 1]
            bounds = audit.cell_bounds(margins)[reference - 1, predicted - 1]
            # The cell is uncertain, so its share is an interval.
            low, high = 100 * bounds / wrong
            cells.append(f"{low:.0f} to {high:.0f}%")
        columns[f"{classes} classes: predicted {predicted}, really {reference}"] = cells
    return pd.DataFrame(columns, list(METHODS))


def verdict_table(findings: Sequence[Finding], verdict: str) -> pd.DataFrame:
    """Tabulate all findings with one verdict: what is printed, what follows, with links."""
    rows = []
    for finding in findings:
        if finding.verdict == verdict:
            title = escape(typeset(finding.title))
            rows.append(
                {
                    "finding": Html(f'<a href="#{anchor(finding.id)}">{title}</a>'),
                    "where": finding.where,
                    "published": typeset(finding.published),
                    "what follows": typeset(finding.derived),
                }
            )
    return pd.DataFrame(rows)
