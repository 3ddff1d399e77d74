"""What compressions cost and save: exact costs, latency as measured on this machine, accuracy on enlarged digits.

    python benchmarks/compression.py [--seeds 3] [--epochs 6] [--rounds 12]

A plain network of four convolutions for 16x16 images is compressed in each way, trained as such, and measured as it is
deployed: with its weights settled, rounded inputs left out (an engine of floating point would only pay for the
rounding). Latency is of one image, one thread, on PyTorch and ONNX Runtime; all are timed in the same rounds. The last
row is the whole network in ONNX Runtime's 8-bit integers, `BitWidth(8, 8)` as an engine computes it.

Prints costs relative to the whole network, latencies in ms with the difference of a measurement's two halves, and test
accuracy in percent, mean +- standard error. Ends with 1 where a low rank or 8-bit integers are not faster than the
whole network on ONNX Runtime, or zeros or rounding in floating point are by more than a tenth.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyglove as pg
import torch
from search_runs import mean_and_error
from torch import nn

from evaluators._base import Task
from evaluators.datasets import EnlargedDigits
from evaluators.train import Train
from hardware_models.layer_costs import layer_costs, totals
from hardware_models.measurement import Measurement
from hardware_models.op import Op, conv2d, elementwise, linear
from hardware_models.profiler import Network, measure
from hardware_models.settling import settled
from spaces.compression.binary import BINARISERS, Binary
from spaces.compression.bit_width import BitWidth
from spaces.compression.compressed import Compression
from spaces.compression.layers import layers_of
from spaces.compression.low_rank import LowRank
from spaces.compression.sparsity import NOfM, Unstructured
from spaces.genotype import GenotypeSpace

WIDTHS, STRIDES = (32, 64, 128, 128), (1, 2, 1, 2)
CHOICES: dict[str, Compression | None] = {
    "whole": None,
    "90 % zeros": Unstructured(0.9),
    "2:4": NOfM(2, 4),
    "8 bits": BitWidth(8, 8),
    "4 bits": BitWidth(4, 4),
    "2 bits": BitWidth(2, 2),
    **{f"1 bit, {name}": Binary(name) for name in BINARISERS},
    "rank 1/2": LowRank(0.5),
    "rank 1/4": LowRank(0.25),
    "rank 1/4, 2:4": None,
}
ENGINES = ("torch", "onnxruntime")


class Plain(pg.Object):  # type: ignore[misc]
    """Four 3x3 convolutions with norms, a mean, a linear layer."""

    classes: int = 10

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Three channels, 16x16."""
        return 3, 16, 16

    def build(self) -> nn.Module:
        """Return the untrained network."""
        parts: list[nn.Module] = []
        for inputs, outputs, stride in zip((3, *WIDTHS), WIDTHS, STRIDES, strict=False):
            parts += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], 10))

    def ops(self) -> Sequence[Op]:
        """Return the operators."""
        ops: list[Op] = []
        shape: tuple[int, ...] = self.input_shape
        for outputs, stride in zip(WIDTHS, STRIDES, strict=True):
            ops.append(conv2d(shape, outputs, 3, stride))
            shape = ops[-1].output
            ops += [elementwise("batch_norm2d", shape), elementwise("relu", shape)]
        return *ops, Op("global_avg_pool", (shape,), shape[:1]), linear(shape[:1], 10)


def candidate(name: str) -> pg.Object:
    """Return the network compressed in a way."""
    if name == "rank 1/4, 2:4":
        return NOfM(2, 4).applied_to(LowRank(0.25).applied_to(Plain()))
    choice = CHOICES[name]
    return Plain() if choice is None else choice.applied_to(Plain())


def accuracies(name: str, options: argparse.Namespace) -> np.ndarray:
    """Return the test accuracy of each seed, in percent."""
    space = GenotypeSpace(candidate(name))
    train = Train(data(), epochs=options.epochs, test=True)
    tasks = (Task(space, np.zeros(0, space.dtype), seed=seed) for seed in range(options.seeds))
    return np.array([list(train(task))[-1]["test_accuracy"] for task in tasks])


@cache
def data() -> EnlargedDigits:
    return EnlargedDigits(2)


def deployed(name: str) -> Network:
    """Return the network as an engine gets it."""
    torch.manual_seed(0)
    module = settled(candidate(name).build()).eval()
    for layer in layers_of(module).values():
        layer._forward_pre_hooks.clear()
    return Network(module, (3, 16, 16))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    timed = {
        engine: measure([deployed(name) for name in CHOICES], engine=engine, rounds=options.rounds)
        for engine in ENGINES
    }
    integers = measure([deployed("whole")], engine="onnxruntime_int8", rounds=options.rounds)[0]
    whole = totals(layer_costs(Plain()))
    print(
        f"{'':16}{'weights':>9}{'bytes':>9}{'MACs':>9}{'bit ops':>9}{'torch (ms)':>18}{'onnxruntime (ms)':>18}"
        f"{'accuracy (%)':>18}"
    )
    for place, name in enumerate(CHOICES):
        costs = totals(layer_costs(candidate(name)))
        shares = "".join(f"{costs[metric] / whole[metric]:9.1%}" for metric in whole)
        latencies = "".join(shown(timed[engine][place]) for engine in ENGINES)
        mean, error = mean_and_error(accuracies(name, options)[:, None])
        print(f"{name:16}{shares}{latencies}{f'{mean[0]:.2f} +- {error[0]:.2f}':>18}", flush=True)
    print(f"{'8-bit integers':16}{'':36}{'':18}{shown(integers)}")
    at = {name: timed["onnxruntime"][place].latency_ms for place, name in enumerate(CHOICES)}
    faster = max(at["rank 1/4"], integers.latency_ms) < at["whole"]
    same = min(at[name] for name in ("90 % zeros", "2:4", "8 bits", "4 bits", "2 bits")) > 0.9 * at["whole"]
    print("goals met" if faster and same else "MISSED: latencies are not as they should be")
    return 0 if faster and same else 1


def shown(measured: Measurement) -> str:
    """Return a latency with how far its two halves are apart."""
    apart = abs(measured.halves_ms[0] - measured.halves_ms[1]) / np.mean(measured.halves_ms)
    return f"{f'{measured.latency_ms:.3f} ({apart:.1%})':>18}"


if __name__ == "__main__":
    sys.exit(main())
