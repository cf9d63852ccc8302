"""Finds text of a figure that a reader could not read: cut off, on other text, or too near it."""

from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text

#: Pixels by which boxes may meet: around letters they are a little larger than the ink.
_TOLERANCE = 1.0
#: Inches between the numbers of two axes side by side: nearer, "0.8" and "0" read as "0.8 0".
_LEAST_GAP = 0.12


def find_text_faults(figure: Figure) -> list[str]:
    """List the text of a figure that is cut off at its edge, lies on other text or nearly does.

    Numbers of two horizontal axes side by side need a gap, or they read as those of one axis.

    The figure is laid out first, but not drawn, so the check takes a fraction of the time of
    saving it.

    Args:
        figure: complete, as it will be saved.

    Returns:
        One line for each fault, sorted; empty for a figure without any.
    """
    figure.draw_without_rendering()
    boxes = []
    for text in visible_texts(figure):
        # An annotation's own box holds its arrow too; this one is that of the letters.
        box = Text.get_window_extent(text).padded(-_TOLERANCE)
        boxes.append((text.get_text().replace("\n", " "), box))

    faults = []
    page = figure.bbox.padded(0.5)
    for words, box in boxes:
        if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1)):
            faults.append(f"cut off: {words}")
    for (first, first_box), (second, second_box) in combinations(boxes, 2):
        if first_box.overlaps(second_box):
            faults.append(f"overlap: {first} | {second}")
    return sorted(faults + _near_numbers(figure))


def _near_numbers(figure: Figure) -> list[str]:
    """List pairs of numbers that belong to different horizontal axes and nearly touch."""
    hidden = _hidden_tick_labels(figure)
    numbers = []
    for position, ax in enumerate(figure.axes):
        for label in ax.get_xticklabels():
            if label.get_visible() and label.get_text() and label not in hidden:
                numbers.append((position, label.get_text(), label.get_window_extent()))
    near = []
    for (first_ax, first, left), (second_ax, second, right) in combinations(numbers, 2):
        if first_ax == second_ax or left.y1 < right.y0 or right.y1 < left.y0:
            continue
        gap = max(left.x0, right.x0) - min(left.x1, right.x1)
        if 0 <= gap < _LEAST_GAP * figure.dpi:
            near.append(f"nearly touch: {first} | {second}")
    return near


def visible_texts(figure: Figure) -> list[Text]:
    """Collect the texts that a reader sees; the figure must have been laid out."""
    hidden = _hidden_tick_labels(figure)
    texts = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in hidden:
            texts.append(text)
    return texts


def _hidden_tick_labels(figure: Figure) -> set[Text]:
    """Collect labels of ticks that are not drawn: outside the axis, or of axes that are off."""
    hidden = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                is_inside = low - 1e-9 <= tick.get_loc() <= high + 1e-9
                if not ax.axison or not is_inside:
                    hidden.update((tick.label1, tick.label2))
    return hidden
