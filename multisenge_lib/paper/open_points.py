"""What the paper leaves open: each point, what is written, what was chosen, what else there is.

Where another choice is a parameter, `alternative` names it, so that a variant is one call of
`dataclasses.replace` on the experiment or its settings.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Alternative:
    """Another choice, as a parameter.

    Attributes:
        of: "Experiment" or "Settings" (of `training`), or a function of the library.
        name: of the parameter.
        value: other than the default.
    """

    of: str
    name: str
    value: Any

    def __str__(self) -> str:
        return f"{self.of}: {self.name}={self.value!r}"


@dataclass(frozen=True)
class OpenPoint:
    """A choice that the paper does not settle.

    Attributes:
        point: what it is about.
        paper: what the paper says.
        where: section, equation, table or figure.
        authors: what the authors' public code does (an earlier Keras script, a later PyTorch
            model; neither is the paper's run).
        ours: what this library does.
        alternatives: other choices that are a parameter.
    """

    point: str
    paper: str
    where: str
    authors: str
    ours: str
    alternatives: tuple[Alternative, ...] = ()


#: The authors' code was not examined on this point.
UNSEEN = "not examined"


def _of_experiment(**parameters: Any) -> tuple[Alternative, ...]:
    return tuple(Alternative("Experiment", name, value) for name, value in parameters.items())


def _of_settings(**parameters: Any) -> tuple[Alternative, ...]:
    return tuple(Alternative("Settings", name, value) for name, value in parameters.items())


OPEN_POINTS: tuple[OpenPoint, ...] = (
    OpenPoint(
        "Choice among several dates of a month",
        "at least 17 days between consecutive months; no rule for which date",
        "section 2.2",
        "the dates of this rule: the earliest that lies far enough after the one before",
        "this rule; it gives Table 1 to the patch",
        _of_experiment(days_gap=15),
    ),
    OpenPoint(
        "Sentinel-1 dates",
        "nothing",
        "section 2.2",
        "the first date of each month",
        "the same, among the files that are on disk",
        (Alternative("selection.select", "s1_rule", "nearest"),),
    ),
    OpenPoint(
        "Training tiles",
        "a list of seven tiles, and 3369 patches",
        "section 2.2",
        "Keras script: a random split of 70/20/20 in which validation is the test set",
        "every tile beside validation and test, 32ULV with them, which gives the 3369",
    ),
    OpenPoint(
        "Order of the ten bands",
        "listed by resolution; the order in the files is not stated",
        "section 2.1",
        "statistics in spectral order",
        "the files' band descriptions; where they have none, spectral order",
        (Alternative("training.train", "band_order", "resolution"),),
    ),
    OpenPoint(
        "Sentinel-1 unit",
        "nothing; the normalisation speaks of reflectance",
        "section 3.4, Eq. 4",
        UNSEEN,
        "decibels, always",
        _of_experiment(s1_decibel=False),
    ),
    OpenPoint(
        "Normalisation",
        "(b - mean) / deviation over the multitemporal values; of which patches is not stated",
        "Eq. 4",
        "the lists of means and deviations under each other's name",
        "Eq. 4, a mean and deviation a band over all dates of the training patches",
    ),
    OpenPoint(
        "Class regrouping",
        "text and Table 3; the table's rows can be misread in the text copy",
        "section 2.3, Table 3",
        UNSEEN,
        "as the text",
    ),
    OpenPoint(
        "Pixels without data",
        "nothing",
        "section 2",
        UNSEEN,
        "id 0 weighs nothing in loss and scores; the test tile has none",
    ),
    OpenPoint(
        "Peepholes of the ConvLSTM",
        "terms W_c o C in three gates",
        "Eq. 3",
        "none has them",
        "none: no Keras layer has them, and they tie the network to one image size",
        _of_experiment(peephole=True),
    ),
    OpenPoint(
        "Activations of the ConvLSTM",
        "sigmoid and tanh",
        "Eq. 3",
        "Keras script: ReLU for both; PyTorch: batch normalisation of h inside the loop",
        "as Eq. 3",
    ),
    OpenPoint(
        "What the ConvLSTM returns",
        "4D tensors",
        "section 3.1, Figure 6",
        UNSEEN,
        "the last hidden state",
        _of_experiment(filters=16),
    ),
    OpenPoint(
        "Filters of the Inception module",
        "not given",
        "section 3.2, Figure 7",
        "32 a branch, 96 channels out",
        "32 a convolution",
        _of_experiment(inception_filters=16),
    ),
    OpenPoint(
        "Pooling in the Inception module",
        "three convolutions followed by a max pooling; naive Inception module",
        "section 3.2, Figure 7",
        "not naive: 1x1 before the 3x3 and 5x5 convolutions and after the pooling",
        "naive: the pooled inputs are a fourth branch",
        _of_experiment(inception_pool=False),
    ),
    OpenPoint(
        "First date of the Inception module",
        "the first date of July, for the optical and the SAR image",
        "section 3.2",
        UNSEEN,
        "the first chosen date of each sensor, stacked",
    ),
    OpenPoint(
        "Full-resolution skip of the U-Net",
        "U-Net with VGG-16 of segmentation_models",
        "section 3.1, reference 39",
        "PyTorch's segmentation_models, which has no skip at full resolution",
        "as the Keras segmentation_models: skips from all five stages",
        _of_experiment(full_resolution_skip=False),
    ),
    OpenPoint(
        "Encoder weights",
        "nothing; ImageNet's do not fit the number of channels",
        "section 3.1",
        "PyTorch: frozen at random weights",
        "random and trained",
        _of_experiment(freeze_encoder=True),
    ),
    OpenPoint(
        "Decoder",
        "a series of convolutions followed by an UpSampling layer",
        "section 3.1",
        "Keras script: transposed convolutions, dropout 0.5, L2 0.01",
        "upsampling, then two convolutions, as segmentation_models; no dropout, no L2",
    ),
    OpenPoint(
        "Output and loss",
        "softmax, weighted categorical cross entropy",
        "sections 3.1 and 3.4",
        "PyTorch: softmax inside the model; Keras script: focal loss",
        "logits, and the softmax inside the loss, which is the same and steadier",
    ),
    OpenPoint(
        "Class weights",
        "inverse of the frequency; neither whose frequency nor the scale",
        "section 3.4",
        "six weights that sum to 1000",
        "of the training patches, with a mean weight of 1 a pixel",
        _of_settings(class_weights=False),
    ),
    OpenPoint(
        "Augmentation",
        "rotations, up/down and left/right flips; the training dataset is augmented to 75%",
        "section 3.4",
        "one of five drawn from four (left/right never), and the result is not used",
        "three quarters of the patches of an epoch are turned, all five ways alike",
        _of_settings(augmentation="extend"),
    ),
    OpenPoint(
        "Learning rate and stopping",
        "0.001, times 0.1 after 5 epochs on a plateau, stop after 20; which quantity is not said",
        "section 3.4",
        "0.0001, times 0.5; early stopping on accuracy with a least gain of 0.01",
        "the paper's, on the validation loss",
        _of_settings(learning_rate=1e-4, plateau_factor=0.5),
    ),
    OpenPoint(
        "Batch size",
        "16 on three GPUs, which 16 is no multiple of",
        "section 3.4",
        "2",
        "16 in all",
        _of_settings(batch_size=2),
    ),
    OpenPoint(
        "Number of epochs",
        "nothing but early stopping",
        "section 3.4",
        UNSEEN,
        "200 at most",
        _of_settings(epochs=100),
    ),
    OpenPoint(
        "Runs and seeds",
        "one value a score, no spread",
        "Tables 5 to 8",
        UNSEEN,
        "a seed a run, kept in the record",
        _of_settings(seed=2),
    ),
    OpenPoint(
        "Seams between patches",
        "nothing; maps are shown by patch",
        "Figures 8 and 9",
        UNSEEN,
        "scores by patch, as the reference is",
    ),
)


def as_table(points: tuple[OpenPoint, ...] = OPEN_POINTS) -> pd.DataFrame:
    """The points as a table of sentences."""
    columns = {
        "Point": [p.point for p in points],
        "Paper": [f"{p.paper} ({p.where})" for p in points],
        "Authors' public code": [p.authors for p in points],
        "Here": [p.ours for p in points],
        "Another choice": ["; ".join(map(str, p.alternatives)) for p in points],
    }
    return pd.DataFrame(columns)
