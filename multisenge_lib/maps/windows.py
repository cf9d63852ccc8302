"""Predict a large map window by window, and blend the windows so that no seam shows.

A network takes images of one size, so a large map is predicted in square windows. Near its edge a
window knows only one side of each pixel's surroundings, and its prediction there is less reliable.
Therefore neighbouring windows overlap, and each pixel is the weighted mean of all windows that
cover it. A window weighs most in its middle and falls along the overlap to almost nothing at its
edge. Rows of windows are predicted from north to south, so that memory depends on the width of the
map and not on its height.

A *row* is a row of pixels; a *row of windows* (`WindowRow`) is a band of them, as high as a window.
All maps of rasters and arrays are blended so. The patches of a data root are not, see `from_root`.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from multisenge_lib.dataset import SIZE_MULTIPLE
from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import days_input, predict, with_input_size

#: Pixels along the side of a window.
WINDOW = 256
#: Windows share this part of their side with a neighbour, unless asked otherwise.
OVERLAP_SHARE = 1 / 4
#: Pixels that are predicted in one batch: one window of 256, or four of 128.
BATCH_PIXELS = 256 * 256
#: A pixel is covered by its own row of windows and by up to two rows before it. Two, because the
#: last row is shifted north to end with the map. A resumed map therefore recomputes two rows.
ROWS_THAT_REACH = 2

#: Reads rows `start` to `stop` of the input: `(dates, rows, width, bands)` by sensor, and
#: `(rows, width) bool`, which pixels have data.
ReadRows = Callable[[int, int], tuple[Mapping[str, np.ndarray], np.ndarray]]


class WindowRow(NamedTuple):
    """The prediction of one row of windows, as wide as the map and at least as wide as a window.

    Attributes:
        weighted: `(side, width, classes) float32`, the sum over windows of probability times the
            weight from west to east. The weights from north to south are not applied yet.
        valid: `(side, width) bool`, which pixels have data.
    """

    weighted: np.ndarray
    valid: np.ndarray


class MapStrip(NamedTuple):
    """Rows of a map that no later window changes.

    Attributes:
        start: the first of these rows in the map.
        probabilities: `(rows, width, classes) float32`.
        valid: `(rows, width) bool`, which pixels have data.
    """

    start: int
    probabilities: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class Windows:
    """How a map is divided into windows.

    Attributes:
        shape: rows and columns of the map.
        side: pixels along the side of a window.
        overlap: the least number of pixels that two neighbouring windows share.
    """

    shape: tuple[int, int]
    side: int = WINDOW
    overlap: int = int(WINDOW * OVERLAP_SHARE)

    def starts(self, axis: int) -> list[int]:
        """The first pixel of each window along an axis: 0 for rows, 1 for columns.

        The last window ends with the map, so it may overlap its neighbour by more than the others.
        """
        last = max(0, self.shape[axis] - self.side)
        step = self.side - self.overlap
        return [*range(0, last, step), last]

    @property
    def weights_1d(self) -> np.ndarray:
        """The weight of each pixel along the side of a window: `(side,) float32`, above 0.

        It rises along the overlap as a raised cosine (sine squared). Of two windows that overlap,
        one weighs sin² where the other weighs cos², so that their weights sum to one.
        """
        positions = np.arange(self.side)
        # Half a pixel more: distances are counted from pixel centres, and no weight is zero. A
        # pixel at the corner of the map is covered by one window only and must not be divided by 0.
        distance_to_edge = np.minimum(positions, positions[::-1]) + 0.5
        share = np.minimum(distance_to_edge / max(self.overlap, 1), 1)
        return (np.sin(np.pi / 2 * share) ** 2).astype(np.float32)


def fit_network_to_windows(
    model: keras.Model, shape: tuple[int, int], side: int = WINDOW, overlap: int | None = None
) -> tuple[keras.Model, Windows]:
    """Choose the windows of a map, and rebuild the network for windows of this size.

    A map that is smaller than a window gets a smaller window. A network with peepholes has one
    weight per pixel, which ties it to the size that it was trained on; then that size is used.

    Args:
        model: as `build_model` or `load_model` gives it, for any size.
        shape: rows and columns of the map.
        side: pixels along the side of a window, a multiple of 32.
        overlap: pixels that two windows share. By default a quarter of the side.

    Raises:
        ExperimentError: the side is no multiple of 32, the overlap is more than half of it, or one
            of them is no whole number.
    """
    side = _whole_number(side, "window")
    if side < SIZE_MULTIPLE or side % SIZE_MULTIPLE:
        raise ExperimentError(
            f"window of {side} pixels: give a multiple of {SIZE_MULTIPLE}, such as {WINDOW}"
        )
    if overlap is None:
        overlap = int(side * OVERLAP_SHARE)
    overlap = _whole_number(overlap, "overlap")
    # Beyond half a window, three windows in a row would share a pixel: more work for no better
    # prediction, and an interrupted map would have to go back by more rows (ROWS_THAT_REACH).
    if not 0 <= overlap <= side // 2:
        raise ExperimentError(f"overlap of {overlap} pixels: give 0 to {side // 2}, half a window")

    longest = max(shape)
    smallest_that_holds_the_map = -(-longest // SIZE_MULTIPLE) * SIZE_MULTIPLE  # rounded up
    side = min(side, smallest_that_holds_the_map)
    if model.output_shape[1] != side:
        try:
            model = with_input_size(model, side)
        except ExperimentError:  # the network's peepholes
            side = model.output_shape[1]
    return model, Windows(shape, side, min(overlap, side // 2))


def _whole_number(pixels: Any, what: str) -> int:
    """Read a number of pixels; refuse fractions and text."""
    try:
        return operator.index(pixels)
    except TypeError:
        raise ExperimentError(
            f"{what} of {pixels!r} pixels: give a whole number, such as 64"
        ) from None


def _pad_to(array: np.ndarray, side: int, axis: int, mode: str) -> np.ndarray:
    """Extend an array to `side` rows and columns, where the map is smaller than a window.

    Args:
        array: rows lie along `axis`, columns along the axis after it.
        side: the least number of rows and columns.
        axis: the axis of the rows; columns follow.
        mode: the mode of `numpy.pad`.
    """
    missing_rows = max(0, side - array.shape[axis])
    missing_columns = max(0, side - array.shape[axis + 1])
    if not missing_rows and not missing_columns:
        return array
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, missing_rows)
    widths[axis + 1] = (0, missing_columns)
    return np.pad(array, widths, mode=mode)


def _window_batch(
    series: Mapping[str, np.ndarray], columns: Sequence[int], side: int
) -> dict[str, np.ndarray]:
    """Cut the windows that begin at these columns: `(windows, dates, side, side, bands)`."""
    batch = {}
    for sensor, array in series.items():
        pieces = [array[:, :, column : column + side] for column in columns]
        batch[sensor] = np.stack(pieces).astype(np.float32)
    return batch


def predict_row(
    model: keras.Model,
    read: ReadRows,
    windows: Windows,
    start: int,
    days: Mapping[str, np.ndarray] | None = None,
) -> WindowRow:
    """Predict one row of windows.

    Args:
        model: for windows of this size.
        read: reads rows of the input.
        windows: the windows of the map.
        start: the first row of pixels.
        days: by sensor, the day of the year of each image, where the network asks for it.
    """
    side = windows.side
    stop = min(start + side, windows.shape[0])
    series, valid = read(start, stop)
    # A mirror image continues fields and roads plausibly. Zeros would mean "no data" and draw a
    # border that the network never saw in training.
    series = {sensor: _pad_to(array, side, 1, "symmetric") for sensor, array in series.items()}
    valid = _pad_to(valid, side, 0, "constant")

    # A window is (rows, columns, classes): weights from west to east lie along its second axis.
    weights_x = windows.weights_1d[:, None]
    weighted = np.zeros((*valid.shape, model.output_shape[-1]), np.float32)
    # Windows without a single pixel of data, such as those beside the satellite's swath, are not
    # predicted.
    columns = [x for x in windows.starts(1) if valid[:, x : x + side].any()]
    batch_size = max(1, BATCH_PIXELS // side**2)
    for first in range(0, len(columns), batch_size):
        in_batch = columns[first : first + batch_size]
        # The last batch is filled up with copies: in a batch of another size the sums of floating
        # point numbers are rounded in another order, and a resumed map would differ in its bytes.
        copies = in_batch[-1:] * (batch_size - len(in_batch))
        inputs = _window_batch(series, in_batch + copies, side)
        for sensor, days_of_images in (days or {}).items():
            inputs[days_input(sensor)] = np.tile(days_of_images, (batch_size, 1))
        predictions = predict(model, inputs)[: len(in_batch)]
        for column, probabilities in zip(in_batch, predictions, strict=True):
            weighted[:, column : column + side] += weights_x * probabilities
    return WindowRow(weighted, valid)


def blend(
    window_rows: Iterable[WindowRow], windows: Windows, starts: Sequence[int]
) -> Iterator[MapStrip]:
    """Join rows of windows to a map, and give each strip as soon as no later row touches it.

    Args:
        window_rows: from north to south.
        windows: the windows of the map.
        starts: the first pixel row of each row of windows.
    """
    height, width = windows.shape
    side = windows.side
    weights_y = windows.weights_1d
    column_weights = np.zeros(max(width, side), np.float32)
    for column in windows.starts(1):
        column_weights[column : column + side] += windows.weights_1d

    # Both begin at the current row of windows: the weighted probabilities and the weights so far.
    total = None
    row_weights = np.zeros(side, np.float32)
    next_starts = [*starts[1:], None]
    for start, next_start, row in zip(starts, next_starts, window_rows, strict=True):
        weighted, valid = row
        # In place: a row of windows of a tile takes hundreds of megabytes.
        weighted *= weights_y[:, None, None]
        row_weights += weights_y
        if total is None:
            total = weighted
        else:
            total += weighted

        finished = side if next_start is None else next_start - start
        inside_map = min(finished, height - start)
        divisor = row_weights[:inside_map, None] * column_weights[:width]
        probabilities = total[:inside_map, :width] / divisor[..., None]
        yield MapStrip(start, probabilities, valid[:inside_map, :width])

        # Move on to the next row of windows: finished rows go, as many empty ones come.
        row_weights = np.concatenate([row_weights[finished:], np.zeros(finished, np.float32)])
        total = np.concatenate([total[finished:], np.zeros_like(total[:finished])])
