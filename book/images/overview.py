"""Draw `overview.png`, the picture in the README, from the sample and its record."""

from pathlib import Path

import matplotlib.pyplot as plt

from multisenge_lib import figures, results
from multisenge_lib.dataset import MULTISENGE, TYPOLOGIES, load_selection, read_patch
from multisenge_lib.sample import ensure_sample


def main() -> None:
    """One row a showcase patch: both sensors in July, the reference, the predicted map."""
    root, record = ensure_sample(), results.read_record("sample", "s1s2_10c")
    rows = load_selection(root).set_index("patch", drop=False)
    figure, axes = plt.subplots(2, 4, figsize=(9, 4.6), layout="constrained")
    for row, name in zip(axes, MULTISENGE.showcase, strict=False):
        patch = read_patch(root, rows.loc[name])
        figures.show_image(row[0], figures.true_color(patch.s2[0]))
        figures.show_image(row[1], figures.radar_color(patch.s1[0]))
        figures.show_classes(row[2], record.references[name], TYPOLOGIES[10])
        figures.show_classes(row[3], record.maps[name], TYPOLOGIES[10])
    for ax, title in zip(
        axes[0], ("Sentinel-2", "Sentinel-1", "Reference", "Predicted"), strict=True
    ):
        ax.set_title(title, fontsize=10)
    figures.class_legend(figure, TYPOLOGIES[10], columns=4)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=100, bbox_inches="tight")


if __name__ == "__main__":
    main()
