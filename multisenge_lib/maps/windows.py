"""Windows that overlap, blended so that no seam shows.

A window counts most at its middle and nothing at its edge, where the network sees least around a
pixel: its weight falls along the overlap as a raised cosine, and each pixel is the weighted mean of
the windows that see it. Rows are done from north to south, so that memory depends on the width of
the map alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from multisenge_lib.errors import ExperimentError
from multisenge_lib.models import STRIDE, predict, with_input_size

#: Pixels along a window's side.
WINDOW = 256
#: Pixels predicted at once. The same number each time: other batches round otherwise.
_PIXELS = 256 * 256

#: Rows from start to stop: by sensor `(dates, rows, width, bands)`, and where there is data.
Read = Callable[[int, int], tuple[Mapping[str, np.ndarray], np.ndarray]]

#: Of a row of windows: `(side, width, classes) float32`, sums of probabilities, weighted along the
#: row and not yet across it; and `(side, width) bool`, where there is data. At least a window wide.
WindowRow = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Windows:
    """How a map is cut into windows.

    Attributes:
        shape: rows and columns of the map.
        side: pixels along a window's side.
        overlap: pixels that two neighbours share, at least.
    """

    shape: tuple[int, int]
    side: int = WINDOW
    overlap: int = WINDOW // 4

    def starts(self, axis: int) -> list[int]:
        """Where windows begin along an axis; the last ends with the map."""
        last = max(0, self.shape[axis] - self.side)
        return [*range(0, last, self.side - self.overlap), last]

    @property
    def ramp(self) -> np.ndarray:
        """Weights along a window's side: `(side,) float32`, above 0."""
        to_edge = np.minimum(np.arange(self.side), np.arange(self.side)[::-1]) + 0.5
        share = np.minimum(to_edge / max(self.overlap, 1), 1)
        return (np.sin(np.pi / 2 * share) ** 2).astype(np.float32)


def choose_window(
    model: keras.Model, shape: tuple[int, int], side: int = WINDOW, overlap: int | None = None
) -> tuple[keras.Model, Windows]:
    """The network for windows of this size, and the windows of a map.

    Two windows overlap by a quarter of their side, if nothing is said. A map that is smaller than a
    window gets a smaller one; a network that its peepholes tie to one size keeps that.

    Raises:
        ExperimentError: the side is no multiple of 32, or the overlap more than half of it.
    """
    if side < STRIDE or side % STRIDE:
        raise ExperimentError(
            f"window of {side} pixels: give a multiple of {STRIDE}, such as {WINDOW}"
        )
    overlap = side // 4 if overlap is None else overlap
    if not 0 <= overlap <= side // 2:
        raise ExperimentError(f"overlap of {overlap} pixels: give 0 to {side // 2}, half a window")
    side = min(side, -(-max(shape) // STRIDE) * STRIDE)
    try:
        model = model if model.output_shape[1] == side else with_input_size(model, side)
    except ExperimentError:
        side = model.output_shape[1]
    return model, Windows(shape, side, min(overlap, side // 2))


def _padded(array: np.ndarray, rows: int, columns: int, axis: int, mode: str) -> np.ndarray:
    """An array continued to a size along two axes, where the map is smaller than a window."""
    missing = max(0, rows - array.shape[axis]), max(0, columns - array.shape[axis + 1])
    if missing == (0, 0):
        return array
    width = [(0, 0)] * array.ndim
    width[axis], width[axis + 1] = (0, missing[0]), (0, missing[1])
    return np.pad(array, width, mode=mode)


def predict_row(model: keras.Model, read: Read, windows: Windows, start: int) -> WindowRow:
    """Predict one row of windows.

    Args:
        model: of `build_model`, for windows of this size.
        read: of the map's rows.
        windows: of the map.
        start: the first row.
    """
    side, ramp = windows.side, windows.ramp
    series, valid = read(start, min(start + side, windows.shape[0]))
    series = {s: _padded(a, side, side, 1, "symmetric") for s, a in series.items()}
    valid = _padded(valid, side, side, 0, "constant")
    total = np.zeros((*valid.shape, model.output_shape[-1]), np.float32)
    at = [x for x in windows.starts(1) if valid[:, x : x + side].any()]
    batch = max(1, _PIXELS // side**2)
    for first in range(0, len(at), batch):
        here = at[first : first + batch]
        filled = here + here[-1:] * (batch - len(here))
        inputs = {
            s: np.stack([a[:, :, x : x + side] for x in filled]).astype(np.float32)
            for s, a in series.items()
        }
        for x, probabilities in zip(here, predict(model, inputs), strict=False):
            total[:, x : x + side] += ramp[:, None] * probabilities
    return total, valid


def blend(
    strips: Iterable[WindowRow], windows: Windows, starts: Sequence[int]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Join rows of windows: the first row, probabilities and data of what no later one touches."""
    (height, width), side, ramp = windows.shape, windows.side, windows.ramp
    columns = np.zeros(max(width, side), np.float32)
    for x in windows.starts(1):
        columns[x : x + side] += ramp
    rows, total = np.zeros(side, np.float32), None
    for start, following, (strip, valid) in zip(starts, [*starts[1:], None], strips, strict=True):
        strip *= ramp[:, None, None]
        rows += ramp
        if total is None:
            total = strip
        else:
            total += strip
        done = side if following is None else following - start
        kept = min(done, height - start)
        weights = rows[:kept, None] * columns[:width]
        yield start, total[:kept, :width] / weights[..., None], valid[:kept, :width]
        rows = np.concatenate([rows[done:], np.zeros(done, np.float32)])
        total = np.concatenate([total[done:], np.zeros_like(total[:done])])
