"""Training step and prediction of a network, here and in eager PyTorch, in turns, in one process.

    python benchmarks/bench_peer.py [--experiment inception_10c] [--size 256] [--rounds 5]

The peer has the same structure and the same weights, and gives the same logits, which is checked
first. It is written as such networks usually are: one convolution a date over input and state
together, `interpolate` and `cat` in the decoder. PyTorch is no dependency of the library: where it
is not installed, the benchmark says so and ends.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    print("bench_peer: skipped, PyTorch is not installed, so there is no peer: pip install torch")
    sys.exit()

import keras

from multisenge_lib.models import build_model, cost, get_experiment, unet
from multisenge_lib.training import weighted_loss


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


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiment", default="inception_10c")
    parser.add_argument("--size", type=int, default=256, help="64 or more")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()

    experiment = get_experiment(given.experiment)
    model = build_model(experiment, given.size)
    rng = np.random.default_rng(1)
    shapes = {tensor.name: (given.batch, *tensor.shape[1:]) for tensor in model.inputs}
    inputs = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    if "s1" in inputs:
        inputs["s1"] = np.exp(inputs["s1"])
    ids = rng.integers(1, experiment.classes + 1, (given.batch, given.size, given.size))
    model.compile(keras.optimizers.Adam(1e-3), weighted_loss(np.ones(experiment.classes)))

    peer = Peer(experiment, {name: shape[-1] for name, shape in shapes.items()})
    peer.take(model)
    decibel = {name: 10 * np.log10(x) if name == "s1" else x for name, x in inputs.items()}
    tensors = {name: torch.tensor(x).permute(0, 1, 4, 2, 3) for name, x in decibel.items()}
    labels, adam = torch.tensor(ids - 1), torch.optim.Adam(peer.parameters(), 1e-3)

    def peer_predicts():
        with torch.no_grad():
            return peer.eval()(tensors)

    def peer_trains():
        peer.train()
        adam.zero_grad()
        functional.cross_entropy(peer(tensors), labels).backward()
        adam.step()

    apart = np.abs(
        peer_predicts().permute(0, 2, 3, 1).numpy() - model.predict_on_batch(inputs)
    ).max()
    calls = {
        "predict": (lambda: model.predict_on_batch(inputs), peer_predicts),
        "train": (lambda: model.train_on_batch(inputs, ids), peer_trains),
    }
    floor = cost.step_operations(model, given.batch) / cost.matrix_peak()
    found = {"largest difference of logits": float(apart), "floor of a training step, s": floor}
    for work, (ours, theirs) in calls.items():
        ours(), theirs()
        rounds = [(seconds(ours), seconds(theirs)) for _ in range(given.rounds)]
        ratios = sorted(other / mine for mine, other in rounds)
        found[work] = {
            "ours, s": statistics.median(mine for mine, _ in rounds),
            "peer, s": statistics.median(other for _, other in rounds),
            "peer / ours": statistics.median(ratios),
            "from": ratios[0],
            "to": ratios[-1],
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
