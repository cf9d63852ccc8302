"""Checks of what others published: the authors' public script, and an independent replication."""

import numpy as np

from multisenge_lib.audit import bounds
from multisenge_lib.audit.decoded import decode_counts, dropped_urban_share, weights_of
from multisenge_lib.audit.evidence import Evidence
from multisenge_lib.audit.finding import Outcome, check, judged, measured, remarked
from multisenge_lib.dataset import S2_BANDS

#: Bands along which the reflectance of vegetation climbs.
_RAMP = ("B4", "B5", "B6", "B7", "B8", "B8A")


@check("decoded-pixels")
def decoded_pixels(evidence: Evidence) -> Outcome:
    decoded = decode_counts(evidence)
    low, high = decoded.bounds.T
    inside = (low <= decoded.pixels) & (decoded.pixels <= high)
    # The printed weights must come out again, to the last of their eight decimals.
    difference = weights_of(decoded.pixels) - evidence.script.class_weights
    dropped_low, dropped_high = dropped_urban_share(evidence)
    same = bool(inside.all()) and np.abs(difference).max() <= evidence.script.half_unit
    off_whole = np.abs(decoded.exact - decoded.pixels)
    return judged(
        same,
        np.abs(difference).max(),
        evidence.script.half_unit,
        pixels=decoded.pixels,
        weights=evidence.script.class_weights,
        off=off_whole.max(),
        widths=(high - low) / 2,
        total=decoded.pixels.sum(),
        patches=decoded.patches,
        learnt=decoded.train_and_validation,
        kept=100 * decoded.urban_share,
        dropped=[100 * dropped_low, 100 * dropped_high],
        left_patches=evidence.counts.totals["patches"] - decoded.patches,
        source=evidence.script.source,
    )


@check("class-weights")
def class_weights(evidence: Evidence) -> Outcome:
    """Whether the weights in the authors' script are the inverse of frequencies, and of whose."""
    decoded = decode_counts(evidence)
    difference = weights_of(decoded.pixels) - evidence.script.class_weights
    shares = 100 * decoded.pixels / decoded.pixels.sum()
    worst = np.abs(difference).max()
    return measured(
        worst,
        evidence.script.half_unit,
        shares=shares,
        total=evidence.script.class_weights.sum(),
        patches=decoded.patches,
    )


def climbs(values: np.ndarray, order: tuple[str, ...]) -> bool:
    """Whether values in this band order climb from the red to the near infrared.

    Args:
        values: `(10,)`, one per band.
        order: the ten band names, as the values are ordered.
    """
    by_band = dict(zip(order, values, strict=True))
    ramp = [by_band[band] for band in _RAMP]
    return bool((np.diff(ramp) > 0).all())


@check("script-normalisation")
def script_normalisation(evidence: Evidence) -> Outcome:
    script = evidence.script
    ratios = script.stds / script.means
    return remarked(
        source=script.source,
        ratios=ratios,
        exchanged=1 / ratios,
        climb=[climbs(script.stds, S2_BANDS), climbs(script.means, S2_BANDS)],
        above=int((ratios > 1).sum()),
    )


@check("code-address")
def code_address(evidence: Evidence) -> Outcome:
    (printed,) = evidence.names
    return judged(printed == evidence.script.tools, address=evidence.script.tools)


@check("bands")
def band_order(evidence: Evidence) -> Outcome:
    script = evidence.script
    # Whichever of the two lists holds the means, reflectance is the larger.
    reflectance = np.maximum(script.means, script.stds)
    climbs_as_listed = climbs(reflectance, evidence.names)
    return judged(
        climbs_as_listed or None,
        spectral=climbs(reflectance, S2_BANDS),
        listed=climbs_as_listed,
        read=dict(zip(evidence.names, reflectance, strict=True)),
    )


@check("replication-matrix")
def replication_matrix(evidence: Evidence) -> Outcome:
    """Whether each published matrix gives its published scores and has the counted support."""
    replication = evidence.replication
    differences = []
    models = []
    for run in replication.runs:
        if run.confusion is None:
            continue
        models.append(f"{run.model} ({run.classes})")
        margins = bounds.matrix_margins(run.confusion)
        recall = margins.hit / margins.reference
        precision = margins.hit / margins.predicted
        f1 = bounds.f1(precision, recall)
        differences.append(run.accuracy - margins.hit.sum())
        differences.append(run.kappa - margins.kappa)
        differences.append(run.weighted_f1 - margins.reference @ f1)
        differences.append(run.mean_f1 - f1.mean())
        differences.extend(run.confusion.sum(axis=1) - replication.support[run.classes])
    worst = max(differences, key=abs)
    return measured(
        worst, 1e-9, count=len(models), models=models, worst=worst, source=replication.source
    )
