"""Map an area that is in memory, as NumPy or xarray arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from multisenge_lib.dataset import (
    MULTISENGE,
    SENSORS,
    band_order_problem,
    bands_named,
    check_image,
    valid_mask,
    whole_number_problem,
    zero_invalid,
)
from multisenge_lib.errors import ExperimentError, PatchError, printable
from multisenge_lib.maps.map_files import to_class_ids
from multisenge_lib.maps.windows import WINDOW, blend, fit_network_to_windows, predict_row
from multisenge_lib.models import days_input


def predict_map(
    model: keras.Model,
    series: Mapping[str, Any],
    window: int = WINDOW,
    overlap: int | None = None,
    days: Mapping[str, Sequence[int]] | None = None,
) -> tuple[Any, Any]:
    """Map an area in memory.

    Args:
        model: from `build_model`, `Run.model` of `train`, or the first result of `load_model`.
        series: for each sensor that the network takes, `s1` and `s2`, an array `(dates, height,
            width, bands)` in the units of the rasters: linear intensity, reflectance x 10,000. A
            pixel without data is 0, NaN or masked; negative and infinite reflectance count as no
            data too. NumPy or xarray. Where xarray names the bands, or gives both sensors
            coordinates on the ground, they are checked; its dates are not.
        window: pixels along the side of the windows, a multiple of 32.
        overlap: pixels that two windows share. By default a quarter of the window.
        days: by sensor, the day of the year of each image, 1 to 366; for networks that ask for it.

    Returns:
        Class ids, `(height, width) uint8`, from 1, 0 where any date of any sensor has no data; and
        the probability of each class, `(height, width, classes) float32`. If the input is xarray,
        so are these, with its coordinates on the ground.

    Raises:
        ExperimentError: sensors, dates or bands are not those of the network, or the window is of
            no size that it takes.
        PatchError: values are no linear intensity or no reflectance x 10,000.
        ModelError: the network gives NaN.

    Examples:
        >>> import numpy as np
        >>> import multisenge_lib as ms
        >>> model = ms.build_model("s2_6c", size=32)  # not trained: the map means nothing
        >>> series = {"s2": np.full((4, 40, 50, 10), 500.0)}
        >>> ids, probabilities = ms.predict_map(model, series, window=32)
        >>> ids.shape
        (40, 50)
        >>> probabilities.shape
        (40, 50, 6)
    """
    arrays = _check_series(model, series)
    days_of_images = _check_days(model, days or {})
    height, width = next(iter(arrays.values())).shape[1:3]
    valid = valid_mask(arrays)
    model, windows = fit_network_to_windows(model, (height, width), window, overlap)

    def read(start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        rows = {sensor: array[:, start:stop] for sensor, array in arrays.items()}
        return rows, valid[start:stop]

    starts = windows.starts(0)
    window_rows = (predict_row(model, read, windows, start, days_of_images) for start in starts)
    strips = [strip.probabilities for strip in blend(window_rows, windows, starts)]
    probabilities = np.concatenate(strips)
    ids = to_class_ids(probabilities, valid)
    template = next(iter(series.values()))
    return _like(template, ids), _like(template, probabilities)


def _check_series(model: keras.Model, series: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Check that a network takes these series, and give them as arrays with 0 for no data."""
    if not isinstance(model, keras.Model):
        raise ExperimentError(
            f"a network is needed, received {type(model).__name__}: give the model of train, or "
            "the first result of load_model"
        )
    if not isinstance(series, Mapping):
        raise ExperimentError(
            f"series by sensor are needed, received {type(series).__name__}: give a dict such as "
            "{'s2': array}"
        )
    # The days of the year, (batch, dates), are no series.
    needed = {tensor.name: tensor.shape for tensor in model.inputs if len(tensor.shape) == 5}
    for sensor in series:
        if sensor not in needed:
            raise ExperimentError(
                f"{sensor}: the network takes {' and '.join(needed)} alone: leave out the others"
            )

    arrays = {}
    for sensor, (_, dates, _, _, bands) in needed.items():
        if sensor not in series:
            raise ExperimentError(f"{sensor}: {_shape_rule(dates, bands)}, received nothing")
        arrays[sensor] = _check_array(series[sensor], sensor, dates, bands)

    sizes = {array.shape[1:3] for array in arrays.values()}
    if len(sizes) > 1:
        raise ExperimentError(f"the sensors differ in height and width: {sorted(sizes)}")
    _check_same_ground(series)
    return arrays


def _shape_rule(dates: int, bands: int) -> str:
    return f"the network takes (dates, height, width, bands) with {dates} dates and {bands} bands"


def _check_array(values: Any, sensor: str, dates: int, bands: int) -> np.ndarray:
    """Check the series of one sensor, and give it as an array with 0 for no data."""
    array = _as_array(values, sensor)
    if array.ndim != 4 or array.shape[0] != dates or array.shape[3] != bands or not array.size:
        raise ExperimentError(f"{sensor}: {_shape_rule(dates, bands)}, received {array.shape}")
    if array.dtype.kind not in "iufc":  # complex too: _check_units has a better message for it
        raise ExperimentError(f"{sensor}: numbers are needed, received {array.dtype}")
    _check_attributes(values, sensor)
    _check_band_names(values, sensor)
    return _check_units(array, sensor)


def _as_array(values: Any, sensor: str) -> np.ndarray:
    """An input as an array of NumPy, with 0 where it is masked."""
    if hasattr(values, "data_vars"):
        raise ExperimentError(
            f"{sensor}: an xarray Dataset is given: give one array (dates, height, width, bands), "
            "such as dataset.to_array('band').transpose('time', 'y', 'x', 'band')"
        )
    if isinstance(values, np.ma.MaskedArray):  # as rasterio reads with masked=True
        return values.filled(0)
    return np.asarray(values)


def _check_band_names(series: Any, sensor: str) -> None:
    """Refuse an xarray input whose names of bands are in another order than the layout's."""
    if not hasattr(series, "dims"):
        return
    axis = series.dims[-1]
    if axis not in series.coords:
        return
    named = bands_named([str(name) for name in series[axis].values], sensor)
    known = [band for band in MULTISENGE.bands[sensor] if band in named]
    if all(named) and named != known:
        raise ExperimentError(
            f"{sensor} has the bands {', '.join(named)}: give them in the order {', '.join(known)}"
        )


def _check_same_ground(series: Mapping[str, Any]) -> None:
    """Refuse xarray inputs of one size whose coordinates on the ground differ."""
    located = {sensor: values for sensor, values in series.items() if hasattr(values, "dims")}
    if len(located) < 2:
        return
    (one_name, one), (other_name, other) = located.items()
    for axis, other_axis in zip(one.dims[1:3], other.dims[1:3], strict=True):
        if axis not in one.coords or other_axis not in other.coords:
            continue
        if one[axis].dtype.kind not in "iuf" or other[other_axis].dtype.kind not in "iuf":
            continue
        ours = one[axis].values.astype(np.float64)
        theirs = other[other_axis].values.astype(np.float64)
        step = abs(ours[-1] - ours[0]) / max(1, len(ours) - 1)
        # A hundredth of a pixel, for coordinates that were rounded.
        if np.abs(ours - theirs).max() > 0.01 * step:
            raise ExperimentError(
                f"{one_name} and {other_name} differ in their coordinates {printable(axis)}, "
                f"{ours[0]:.10g} to {ours[-1]:.10g} and {theirs[0]:.10g} to {theirs[-1]:.10g}: "
                "give both on one grid, with rows and columns in one direction"
            )


def _check_days(model: keras.Model, days: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray]:
    """Return the days of the year that a network asks for, by sensor, `(dates,) float32`.

    Days that it does not ask for are ignored.
    """
    shapes = {tensor.name: tensor.shape for tensor in model.inputs}
    checked = {}
    for sensor in SENSORS:
        shape = shapes.get(days_input(sensor))
        if shape is None:
            continue
        values = np.asarray(days.get(sensor, ()), np.float32)
        is_in_range = ((values >= 1) & (values <= 366)).all()
        if values.shape != shape[1:] or not is_in_range:
            raise ExperimentError(
                f"days of {sensor}: the network takes the day of the year, 1 to 366, of each of "
                f"its {shape[1]} images, received {list(days.get(sensor, ()))}: give days, such as "
                "{'s2': [190, 221, 258, 322]}"
            )
        checked[sensor] = values
    return checked


def _check_attributes(series: Any, sensor: str) -> None:
    """Refuse an xarray input whose values are still to be scaled, by its attributes."""
    attributes = getattr(series, "attrs", {})
    scale = attributes.get("scale_factor", 1)
    offset = attributes.get("add_offset", 0)
    if np.any(np.not_equal(scale, 1)) or np.any(np.not_equal(offset, 0)):
        raise PatchError(
            f"{sensor} has the attributes scale_factor {scale} and add_offset {offset}: apply them "
            "to the values, remove them, and give reflectance x 10,000 or linear intensity"
        )


def _check_units(array: np.ndarray, sensor: str) -> np.ndarray:
    """Check units; set invalid pixels to 0. An array without any data is allowed."""
    dtype = array.dtype
    array = zero_invalid(array, sensor, sensor)
    if array.any():
        all_bands = MULTISENGE.bands[sensor]
        # Other networks than the paper's may take fewer bands; then we do not know which.
        names = all_bands if array.shape[-1] == len(all_bands) else None
        check_image(np.moveaxis(array, -1, 0), sensor, sensor, names)
        is_optical = sensor == "s2" and names is not None
        problem = band_order_problem(np.moveaxis(array, -1, 0), names) if is_optical else None
        if problem is not None:
            raise PatchError(f"{sensor}: {problem}")
        problem = whole_number_problem([dtype], sensor)
        if problem is not None:
            raise PatchError(f"{sensor} {problem}")
    return array


def _like(template: Any, values: np.ndarray) -> Any:
    """Give values the ground coordinates of an xarray input; leave them as they are for NumPy."""
    if not hasattr(template, "dims"):
        return values
    import xarray

    ground = template.dims[1:3]
    coordinates = {}
    for name, coordinate in template.coords.items():
        if set(coordinate.dims) <= set(ground):
            coordinates[name] = coordinate
    dims = [*ground, "class"][: values.ndim]
    return xarray.DataArray(values, coordinates, dims)
