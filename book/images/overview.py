"""Draw `overview.png`, the picture in the README, from the sample and its record."""

from pathlib import Path

from multisenge_lib import chapters, results
from multisenge_lib.dataset import TYPOLOGIES, load_selection, read_patch
from multisenge_lib.sample import ensure_sample


def main() -> None:
    """One row a patch: both sensors in July, the reference, the predicted map."""
    root, record = ensure_sample(), results.read_record("sample", "s1s2_10c")
    rows, shown = load_selection(root).set_index("patch", drop=False), []
    for name in list(record.maps)[:2]:
        patch = read_patch(root, rows.loc[name])
        shown += [
            ("Sentinel-2", chapters.true_color(patch.s2[0]), None),
            ("Sentinel-1", chapters.radar_color(patch.s1[0]), None),
            ("Reference", record.references[name], TYPOLOGIES["10c"]),
            ("Predicted", record.maps[name], TYPOLOGIES["10c"]),
        ]
    chapters.use_style()
    figure = chapters.image_grid(shown, (4, 2))
    chapters.mark_sample(figure)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=120)


if __name__ == "__main__":
    main()
