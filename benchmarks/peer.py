"""Our networks in PyTorch, as they are usually written, with our weights.

One convolution a date over input and state together, `interpolate` and `cat` in the decoder, eager.
PyTorch is no dependency of the library.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from multisenge_lib.models import unet


class ConvLSTM(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.filters = filters
        self.gates = nn.Conv2d(channels + filters, 4 * filters, 3, padding=1)

    def forward(self, series):
        batch, dates, _, height, width = series.shape
        hidden = cell = series.new_zeros(batch, self.filters, height, width)
        for date in range(dates):
            sums = self.gates(torch.cat([series[:, date], hidden], 1))
            i, f, c, o = sums.chunk(4, 1)
            cell = f.sigmoid() * cell + i.sigmoid() * c.tanh()
            hidden = o.sigmoid() * cell.tanh()
        return hidden

    def take(self, layer):
        kernel, recurrent, bias = layer.get_weights()
        joined = np.concatenate([kernel, recurrent], axis=2).transpose(3, 2, 0, 1)
        self.gates.weight.data = torch.tensor(joined)
        self.gates.bias.data = torch.tensor(bias)


def convolve_twice(channels, filters):
    layers = []
    for before in (channels, filters):
        layers += [nn.Conv2d(before, filters, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.encoder, widths = nn.ModuleList(), []
        for filters, depth in unet.ENCODER:
            stage = []
            for _ in range(depth):
                stage += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
                channels = filters
            self.encoder.append(nn.Sequential(*stage))
            widths.append(filters)
        self.centre = convolve_twice(channels, unet.CENTRE)
        self.decoder, channels = nn.ModuleList(), unet.CENTRE
        for filters, skip in zip(unet.DECODER, [*widths[:0:-1], 0], strict=True):
            self.decoder.append(convolve_twice(channels + skip, filters))
            channels = filters
        self.logits = nn.Conv2d(channels, classes, 3, padding=1)

    def forward(self, x):
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.centre(x)
        for stage, skip in zip(self.decoder, [*skips[:0:-1], None], strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = stage(x if skip is None else torch.cat([x, skip], 1))
        return self.logits(x)


class Peer(nn.Module):
    def __init__(self, experiment, bands):
        super().__init__()
        self.sensors = experiment.sensors
        self.series = nn.ModuleDict(
            {s: ConvLSTM(bands[s], experiment.filters) for s in self.sensors}
        )
        channels, features = sum(bands.values()), len(self.sensors) * experiment.filters
        filters = experiment.inception_filters if experiment.inception else 0
        sides = (1, 3, 5) if experiment.inception else ()
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, filters, side, padding=side // 2) for side in sides
        )
        features += 3 * filters + channels if experiment.inception else 0
        self.unet = UNet(features, experiment.classes)

    def forward(self, inputs):
        features = [self.series[s](inputs[s]) for s in self.sensors]
        if len(self.branches):
            first = torch.cat([inputs[s][:, 0] for s in self.sensors], 1)
            features += [branch(first).relu() for branch in self.branches]
            features.append(functional.max_pool2d(first, 3, stride=1, padding=1))
        return self.unet(torch.cat(features, 1))

    def take(self, model):
        """The weights of our network, layer by layer in order."""
        for sensor, layer in self.series.items():
            layer.take(model.get_layer(f"{sensor}_convlstm"))
        ours = [model.get_layer(f"inception_{side}x{side}") for side in (1, 3, 5) if self.branches]
        ours += [layer for layer in model.get_layer("unet").layers if layer.weights]
        kinds = (nn.Conv2d, nn.BatchNorm2d)
        theirs = [m for part in (self.branches, self.unet) for m in part.modules()]
        theirs = [m for m in theirs if isinstance(m, kinds)]
        for mine, other in zip(ours, theirs, strict=True):
            first, *rest = (torch.tensor(w) for w in mine.get_weights())
            if isinstance(other, nn.Conv2d):
                other.weight.data = first.permute(3, 2, 0, 1).contiguous()
                if rest:
                    other.bias.data = rest[0]
            else:
                other.weight.data, other.bias.data = first, rest[0]
