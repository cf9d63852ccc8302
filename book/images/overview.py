"""Draw `overview.png`, the picture in the README, from the sample and its record."""

from pathlib import Path

from multisenge_lib import chapters, results
from multisenge_lib.dataset import TYPOLOGIES, load_selection, read_patch
from multisenge_lib.sample import ensure_sample


def main() -> None:
    """Draw one row for each of two patches: both sensors, the reference and the predicted map."""
    root = ensure_sample()
    record = results.read_record("sample", "s1s2_10c")
    selection = load_selection(root).set_index("patch", drop=False)

    images = []
    for name in list(record.maps)[:2]:
        patch = read_patch(root, selection.loc[name])
        images.append(("Sentinel-2", chapters.true_color(patch.s2[0]), None))
        images.append(("Sentinel-1", chapters.radar_color(patch.s1[0]), None))
        images.append(("Reference", record.references[name], TYPOLOGIES["10c"]))
        images.append(("Predicted", record.maps[name], TYPOLOGIES["10c"]))

    chapters.use_style()
    columns_and_rows = (4, 2)
    figure = chapters.image_grid(images, columns_and_rows)
    chapters.mark_sample(figure)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=120)


if __name__ == "__main__":
    main()
