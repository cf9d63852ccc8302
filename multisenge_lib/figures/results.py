"""Figures of the results chapters: scores, confusion matrices, maps; data in, figure out."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from multisenge_lib.dataset import Typology
from multisenge_lib.figures.dataset import class_legend, show_classes
from multisenge_lib.results import Record

_SCORE_COLORS = {"precision": "#4477aa", "recall": "#ccbb44", "f1": "#228833"}


#: On every figure of records, so that one lifted out of its page still says what it shows.
_DATA = {"sample": "On the synthetic sample, not the paper's data", "multisenge": "On MultiSenGE"}


def _name_data(figure: Figure, records: Mapping[str, Record]) -> None:
    dataset = next(iter(records.values())).metadata.dataset
    figure.suptitle(_DATA[dataset], fontsize=9, color="#666666")


def score_bars(table: pd.DataFrame, typology: Typology, whose: str, title: str) -> Figure:
    """Figure A1 or A3: precision, recall and F1 by class, a panel a method.

    Args:
        table: of `comparison.class_table`.
        typology: of its classes.
        whose: `ours` or `paper`.
        title: which data the scores are of.
    """
    table = table.iloc[:-1]
    methods = [m for m in table.columns.unique(0) if (m, "f1", whose) in table.columns]
    figure, axes = plt.subplots(
        len(methods), 1, figsize=(8.5, 2.1 * len(methods) + 0.4), sharex=True, layout="constrained"
    )
    positions = np.arange(len(table))
    for ax, method in zip(np.atleast_1d(axes), methods, strict=True):
        for offset, (score, color) in enumerate(_SCORE_COLORS.items(), -1):
            values = table[method, score, whose]
            ax.bar(positions + 0.27 * offset, values, 0.25, color=color, label=score)
        ax.set(title=method, ylim=(0, 1), ylabel="Score")
    ax.set_xticks(positions, [f"{i} {n}" for i, n in zip(typology.ids, table.index, strict=True)])
    ax.tick_params(axis="x", rotation=30, labelsize=8)
    plt.setp(ax.get_xticklabels(), ha="right", rotation_mode="anchor")
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, frameon=False)
    figure.suptitle(title, fontsize=9, color="#666666", ha="left", x=0.02)
    return figure


def confusion_figure(records: Mapping[str, Record], typology: Typology) -> Figure:
    """Figure A2 or A4: confusion matrices, each row divided by the class's reference pixels.

    A class absent from the reference has an empty row.
    """
    count = len(typology)
    side = 4.4 if count == 6 else 5.6
    figure, axes = plt.subplots(2, 2, figsize=(2 * side, 1.62 * side), layout="constrained")
    for ax in axes.flat[len(records) :]:
        ax.axis("off")
    for ax, (method, record) in zip(axes.flat, records.items(), strict=False):
        counts = record.confusion.astype(float)
        support = counts.sum(axis=1, keepdims=True)
        percent = np.divide(100 * counts, support, np.full_like(counts, np.nan), where=support > 0)
        sns.heatmap(
            percent,
            ax=ax,
            cmap="Blues",
            vmin=0,
            vmax=100,
            annot=True,
            fmt=".0f",
            annot_kws={"size": 9 if count == 6 else 7.5},
            square=True,
            cbar=False,
            xticklabels=typology.ids,
            yticklabels=[f"{c.id} {c.name}" for c in typology.classes],
        )
        ax.tick_params(labelsize=7.5)
        ax.set(title=method, xlabel="Predicted class", ylabel="Reference class")
    _name_data(figure, records)
    return figure


def map_figure(records: Mapping[str, Record], typology: Typology) -> Figure:
    """Figure 8 or 9: the patches whose maps the records keep, reference and each method's map."""
    methods = list(records)
    kept = records[methods[0]].references
    patches = [p for p in kept if all(p in r.maps for r in records.values())]
    figure, axes = plt.subplots(
        len(patches),
        1 + len(methods),
        figsize=(2.2 * (1 + len(methods)), 2.35 * len(patches)),
        layout="constrained",
        squeeze=False,
    )
    for row, patch in zip(axes, patches, strict=True):
        show_classes(row[0], records[methods[0]].references[patch], typology, "Reference")
        row[0].set_ylabel(patch, fontsize=8)
        for ax, method in zip(row[1:], methods, strict=True):
            show_classes(ax, records[method].maps[patch], typology, method)
    _name_data(figure, records)
    class_legend(figure, typology)
    return figure


def urban_scatter(ten: pd.Series, six: pd.DataFrame, typology: Typology, title: str) -> Figure:
    """Figure 10: F1 of urban classes with 10 classes against each method with 6.

    Args:
        ten: by urban class id, of the method with 10 classes.
        six: a column a method with 6 classes.
        typology: for names and colours.
        title: whose figures they are.
    """
    figure, axes = plt.subplots(
        1,
        len(six.columns),
        figsize=(3.0 * len(six.columns), 3.5),
        sharey=True,
        layout="constrained",
    )
    for ax, method in zip(np.atleast_1d(axes), six.columns, strict=True):
        ax.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for id in ten.index:
            color = typology.classes[id - 1].color
            ax.scatter(six.loc[id, method], ten[id], 60, color=color, edgecolor="black", zorder=3)
            ax.annotate(
                str(id),
                (six.loc[id, method], ten[id]),
                xytext=(6, -3),
                textcoords="offset points",
                size=8,
            )
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel=f"F1, 6 classes\n{method}")
    np.atleast_1d(axes)[0].set_ylabel(f"F1, 10 classes\n{ten.name}")
    figure.suptitle(title, fontsize=10)
    class_legend(figure, typology, list(ten.index))
    return figure


def learning_curves(records: Mapping[str, Record]) -> Figure:
    """Loss on the training and validation splits by epoch, a panel a run."""
    figure, axes = plt.subplots(
        1, len(records), figsize=(2.9 * len(records), 2.8), layout="constrained", squeeze=False
    )
    for ax, (method, record) in zip(axes[0], records.items(), strict=True):
        ax.plot(record.history["loss"], color="#4477aa", label="training")
        ax.plot(record.history["val_loss"], color="#ccbb44", label="validation")
        ax.axvline(record.best_epoch, color="#999999", linestyle=":", linewidth=1)
        ax.set(title=method, xlabel="Epoch", ylim=(0, None))
        ax.title.set_fontsize(9)
    axes[0, 0].set_ylabel("Weighted cross-entropy")
    axes[0, -1].legend(frameon=False, fontsize=8)
    _name_data(figure, records)
    return figure
