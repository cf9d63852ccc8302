"""Our networks in PyTorch, as they are usually written, with our weights.

One convolution per date over input and state together, `interpolate` and `cat` in the decoder.
PyTorch is no dependency of the library.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from multisenge_lib.models import Experiment, unet

#: Keras' epsilon of batch normalisation; PyTorch's own is 1e-5.
EPSILON = 1e-3


class ConvLSTM(nn.Module):
    """Eq. 3 of the paper without peepholes."""

    def __init__(self, channels: int, filters: int):
        super().__init__()
        self.filters = filters
        self.gates = nn.Conv2d(channels + filters, 4 * filters, 3, padding=1)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        """Return the last hidden state of a series `(batch, dates, bands, height, width)`."""
        batch, dates, _, height, width = series.shape
        hidden = series.new_zeros(batch, self.filters, height, width)
        cell = hidden
        for date in range(dates):
            image_and_state = torch.cat([series[:, date], hidden], 1)
            i, f, c, o = self.gates(image_and_state).chunk(4, 1)
            cell = f.sigmoid() * cell + i.sigmoid() * c.tanh()
            hidden = o.sigmoid() * cell.tanh()
        return hidden

    def take_weights(self, layer: keras.Layer) -> None:
        """Copy the weights of our layer."""
        kernel, recurrent_kernel, bias = layer.get_weights()
        joined = np.concatenate([kernel, recurrent_kernel], axis=2)
        # From Keras' (height, width, in, out) to PyTorch's (out, in, height, width).
        self.gates.weight.data = torch.tensor(joined.transpose(3, 2, 0, 1))
        self.gates.bias.data = torch.tensor(bias)


def double_convolution(channels: int, filters: int) -> nn.Sequential:
    """Make twice: 3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, padding=1, bias=False),
        nn.BatchNorm2d(filters, eps=EPSILON),
        nn.ReLU(inplace=True),
        nn.Conv2d(filters, filters, 3, padding=1, bias=False),
        nn.BatchNorm2d(filters, eps=EPSILON),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """The U-Net of `multisenge_lib.models.unet`, without the skip at full resolution."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.encoder = nn.ModuleList()
        for filters, convolutions in unet.ENCODER:
            stage = []
            for _ in range(convolutions):
                stage.append(nn.Conv2d(channels, filters, 3, padding=1))
                stage.append(nn.ReLU(inplace=True))
                channels = filters
            self.encoder.append(nn.Sequential(*stage))

        self.centre = double_convolution(channels, unet.CENTRE)

        # The four deepest stages of the encoder are joined; the last of the decoder has no skip.
        skip_filters = [filters for filters, _ in unet.ENCODER[:0:-1]]
        skip_filters.append(0)
        self.decoder = nn.ModuleList()
        channels = unet.CENTRE
        for filters, skip in zip(unet.DECODER, skip_filters, strict=True):
            self.decoder.append(double_convolution(channels + skip, filters))
            channels = filters
        self.logits = nn.Conv2d(channels, classes, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, classes, height, width)`."""
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.centre(x)
        for stage, skip in zip(self.decoder, [*skips[:0:-1], None], strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            if skip is not None:
                x = torch.cat([x, skip], 1)
            x = stage(x)
        return self.logits(x)


class Peer(nn.Module):
    """The network of an experiment, from standardised series to logits.

    Args:
        experiment: whose network it is.
        bands: how many bands each sensor has.
    """

    def __init__(self, experiment: Experiment, bands: Mapping[str, int]):
        super().__init__()
        self.sensors = experiment.sensors
        self.conv_lstms = nn.ModuleDict()
        for sensor in self.sensors:
            self.conv_lstms[sensor] = ConvLSTM(bands[sensor], experiment.filters)
        features = len(self.sensors) * experiment.filters

        self.branches = nn.ModuleList()
        if experiment.inception:
            channels = sum(bands.values())
            for side in (1, 3, 5):
                branch = nn.Conv2d(channels, experiment.inception_filters, side, padding=side // 2)
                self.branches.append(branch)
                features += experiment.inception_filters
            features += channels  # the pooled inputs
        self.unet = UNet(features, experiment.classes)

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the logits of series by sensor, `(batch, dates, bands, height, width)`."""
        features = [self.conv_lstms[sensor](inputs[sensor]) for sensor in self.sensors]
        if len(self.branches):
            first_dates = torch.cat([inputs[sensor][:, 0] for sensor in self.sensors], 1)
            for branch in self.branches:
                features.append(branch(first_dates).relu())
            features.append(functional.max_pool2d(first_dates, 3, stride=1, padding=1))
        return self.unet(torch.cat(features, 1))

    def take_weights(self, model: keras.Model) -> None:
        """Copy the weights of our network, layer by layer in order."""
        for sensor, conv_lstm in self.conv_lstms.items():
            conv_lstm.take_weights(model.get_layer(f"{sensor}_convlstm"))

        ours = []
        if len(self.branches):
            ours += [model.get_layer(f"inception_{side}x{side}") for side in (1, 3, 5)]
        ours += [layer for layer in model.get_layer("unet").layers if layer.weights]

        theirs = []
        for module in (*self.branches.modules(), *self.unet.modules()):
            if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
                theirs.append(module)

        for layer, module in zip(ours, theirs, strict=True):
            _copy_weights(layer, module)


def _copy_weights(layer: keras.Layer, module: Any) -> None:
    """Copy the weights of a convolution or of a batch normalisation."""
    weights = [torch.tensor(values) for values in layer.get_weights()]
    if isinstance(module, nn.Conv2d):
        # From Keras' (height, width, in, out) to PyTorch's (out, in, height, width).
        module.weight.data = weights[0].permute(3, 2, 0, 1).contiguous()
        if module.bias is not None:
            module.bias.data = weights[1]
    else:
        # Scale and shift; the moving averages of an untrained network are equal already.
        module.weight.data = weights[0]
        module.bias.data = weights[1]
