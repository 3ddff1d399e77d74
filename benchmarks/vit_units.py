"""A trained vision transformer without some of its units, tokens, or both, not trained further: what accuracy is left.

    python benchmarks/vit_units.py [--short] [--seeds 3] [--data mnist]

A small transformer is trained, then computes 90 to 50 % of its multiply-accumulates, as DiffRate counts them:
- `OPTIN`: heads and neurons chosen by OPTIN's scores in one shot (`OptinUnits`), on 64 training images;
- `NViT`: dimensions chosen by NViT's scores (`GlobalDimensions`), two groups at a time, on 256 training images;
- `NViT blocks`: the same without its latency term (`strength=0`), and the embedding stays whole;
- `largest`: as many heads and neurons in each block, those of the largest weights;
- `random`: as many in each block, at random;
- `merging`: all units, as many tokens merged in each block (`uniform`).
Then, at 50 %, units and merged tokens together: `even` takes 70 % of the units' and what is left of the tokens';
`chosen` takes what the validation images say is best of 100, 90, 80, 70, 60 and 50 % of the units'. `mnist`, 2,000
validation and 10,000 test images, needs the folder `../shared/data` beside the checkout; `digits`, which `--short`
takes for one seed, needs nothing.

Prints points of test accuracy lost, mean +- standard error. Ends with 1 where `OPTIN` or `NViT` loses, at some share,
no less than `random`, or where `chosen` loses more than the best of its units and of `merging` alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from search_runs import mean_and_error
from torch import Tensor, nn

from evaluators._base import Task
from evaluators.augmentation import Crop
from evaluators.datasets import Images, Mnist, load
from evaluators.train import Train, evaluate, trained_weights
from spaces.compression.cut import Cut
from spaces.compression.examples import Examples
from spaces.compression.global_dimensions import GlobalDimensions
from spaces.compression.optin import head_macs, neuron_macs
from spaces.compression.optin_units import OptinUnits
from spaces.compression.vit_cut import Units, whole_units
from spaces.diffrate import Compressed, Layout, compressed, uniform
from spaces.genotype import GenotypeSpace
from spaces.networks.vit import ViT
from spaces.token_compression.compressible import Compressible

MNIST = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "images_mnist"
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5)
AIM, EVEN = 0.5, 0.7
FEW, MANY = 64, 256
METHODS = ("OPTIN", "NViT", "NViT blocks", "largest", "random", "merging")
TOGETHER = ("OPTIN", "NViT blocks")


@dataclass(frozen=True)
class Case:
    """A transformer and how it is trained."""

    layout: Layout
    training: Train


def case(data: str) -> Case:
    """Return what is measured on `digits` or `mnist`."""
    if data == "mnist":
        training = Train(Mnist(MNIST, val=2000, limit=12_000), epochs=6, optimizer="adamw", lr=2e-3, weight_decay=0.05)
        return Case(Layout(64, 4, 4, 4, side=28, channels=1, classes=10, ratio=2), training)
    training = Train("digits", epochs=40, batch=32, optimizer="adamw", lr=2e-3, weight_decay=0.05, augment=(Crop(1),))
    return Case(Layout(64, 4, 4, 2, side=8, channels=1, classes=10, ratio=2), training)


class Even(Cut):
    """As many heads and neurons of each block within a share of their multiply-accumulates.

    Attributes:
      share: that stays at most.
      seed: of those that stay at random; None for those of the largest weights.
    """

    share: float
    seed: int | None

    def units(self, model: nn.Module, scores: Any = None) -> Units:
        """Return which units stay."""
        del scores
        whole, (tokens, width) = whole_units(model), model.pos_embed.shape[1:]
        heads, neurons = len(whole[0].heads), len(whole[0].mlp)
        head, neuron = head_macs(tokens, width, len(whole[0].v)), neuron_macs(tokens, width)
        kept = max(1, round(self.share * heads))
        left = int((self.share * (heads * head + neurons * neuron) - kept * head) // neuron)
        numbers, rng = (kept, min(neurons, max(1, left))), np.random.default_rng(self.seed)
        blocks = []
        for units, block in zip(whole, model.blocks, strict=True):
            sizes = _sizes(block) if self.seed is None else (rng.random(heads), rng.random(neurons))
            largest = [np.sort(np.argsort(-size)[:number]) for size, number in zip(sizes, numbers, strict=True)]
            blocks.append(replace(units, heads=largest[0], mlp=largest[1]))
        return Units(tuple(blocks))


def _sizes(block: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared norms of the weights that heads, and neurons, read and write with."""
    attention, mlp = block.attn, block.mlp
    into = attention.qkv.weight.square().sum(1).view(3, attention.num_heads, -1).sum((0, 2))
    heads = into + attention.proj.weight.square().sum(0).view(attention.num_heads, -1).sum(1)
    neurons = mlp.fc1.weight.square().sum(1) + mlp.fc2.weight.square().sum(0)
    return heads.detach().numpy(), neurons.detach().numpy()


class Run:
    """One trained transformer."""

    def __init__(self, data: str, seed: int) -> None:
        measured = case(data)
        space = GenotypeSpace(compressed(Compressible(measured.layout), *_all_tokens(measured.layout)))
        with tempfile.TemporaryDirectory() as folder:
            task = Task(space, np.zeros(0, space.dtype), seed=seed, folder=Path(folder))
            list(measured.training(task))
            weights = trained_weights(Path(folder))
        self.images: Images = load(measured.training.dataset)

        def make() -> nn.Module:
            model = ViT(measured.layout)
            model.load_state_dict({name.removeprefix("model."): each for name, each in weights.items()})
            return model

        make.__qualname__ = f"{data}_{seed}"  # what is decided is remembered by names
        self.seed, self.few, self.many = seed, Examples(self.few_images), Examples(self.many_images)
        self.whole = compressed(Compressible(make), *_all_tokens(measured.layout))
        self.accuracy = self.test(self.whole)

    def few_images(self) -> tuple[Tensor, Tensor]:
        """Return training images and their labels."""
        return self.images.train.inputs(slice(FEW)), self.images.train.labels[:FEW]

    def many_images(self) -> tuple[Tensor, Tensor]:
        """Return more of them."""
        return self.images.train.inputs(slice(MANY)), self.images.train.labels[:MANY]

    def alone(self, method: str, share: float) -> Compressed:
        """Return the transformer by one method alone."""
        if method == "merging":
            return uniform(self.whole.vit, share)
        choices: dict[str, Callable[[], Cut]] = {
            "OPTIN": lambda: OptinUnits(share, self.few),
            "NViT": lambda: GlobalDimensions(share, self.many),
            "NViT blocks": lambda: GlobalDimensions(share, self.many, strength=0.0, embedding=False),
            "largest": lambda: Even(share, None),
            "random": lambda: Even(share, self.seed),
        }
        return choices[method]().applied_to(self.whole)

    def together(self, method: str, share: float) -> Compressed:
        """Return it with a share of the units' multiply-accumulates, and as few tokens as the aim asks for."""
        cut = self.whole if share == 1 else self.alone(method, share)
        left = AIM * self.whole.published_macs / cut.published_macs
        return cut if left >= 1 else uniform(cut.vit, left)

    def test(self, candidate: Compressed) -> float:
        """Return the accuracy on the test images, in percent."""
        return evaluate(candidate.build(), self.images.test)[0]

    def results(self) -> Iterator[tuple[str, str, Compressed]]:
        """Yield what is compared: a method, a share or a way to share, and the transformer."""
        for share in SHARES:
            for method in METHODS:
                yield method, f"{share:.0%}", self.alone(method, share)
        for method in TOGETHER:
            splits = {share: self.together(method, share) for share in (1.0, *SHARES)}
            validated = {share: evaluate(each.build(), self.images.val)[0] for share, each in splits.items()}
            yield method, "even", splits[EVEN]
            yield method, "chosen", splits[max(validated, key=lambda share: validated[share])]


def _all_tokens(layout: Layout) -> tuple[list[int], list[int]]:
    return [layout.tokens] * layout.depth, [layout.tokens] * layout.depth


Lost = dict[tuple[str, str], list[float]]
"""Points of accuracy lost, of each seed, by a method and a share."""


def measured(data: str, seeds: int) -> Lost:
    """Print and return what each seed's transformer loses."""
    lost: Lost = defaultdict(list)
    for seed in range(seeds):
        run = Run(data, seed)
        print(f"{data}, seed {seed}: {run.accuracy:.2f} % of the test images, {time.process_time():.0f} s of CPU")
        for method, share, candidate in run.results():
            accuracy, macs = run.test(candidate), candidate.published_macs / run.whole.published_macs
            lost[method, share].append(run.accuracy - accuracy)
            blocks = candidate.vit.layout.blocks
            print(
                f"  {method:12}{share:>7} {accuracy:6.2f} %  MACs {macs:6.2%}  width {candidate.vit.layout.width}  "
                f"heads {[each.heads for each in blocks]}  qk {[each.qk for each in blocks]}  "
                f"v {[each.v for each in blocks]}  mlp {[each.mlp for each in blocks]}  tokens {candidate.tokens}",
                flush=True,
            )
    return lost


def shown(values: list[float]) -> str:
    mean, error = mean_and_error(np.array(values)[:, None])
    return f"{mean[0]:.2f} +- {error[0]:.2f}"


def report(data: str, lost: Lost) -> bool:
    """Print the tables; return whether the goals are met."""
    shares = [f"{share:.0%}" for share in SHARES]
    print(f"\n{data}: points of test accuracy lost\n{'':12}" + "".join(f"{share:>16}" for share in shares))
    for method in METHODS:
        print(f"{method:12}" + "".join(f"{shown(lost[method, share]):>16}" for share in shares))
    print(f"\nunits and tokens together at {AIM:.0%}\n{'':12}{'even':>16}{'chosen':>16}")
    for method in TOGETHER:
        print(f"{method:12}{shown(lost[method, 'even']):>16}{shown(lost[method, 'chosen']):>16}")
    mean = {key: float(np.mean(values)) for key, values in lost.items()}
    below = all(mean[method, share] < mean["random", share] for method in ("OPTIN", "NViT") for share in shares)
    alone = {method: min(mean[method, f"{AIM:.0%}"], mean["merging", f"{AIM:.0%}"]) for method in TOGETHER}
    together = all(mean[method, "chosen"] <= alone[method] for method in alone)
    print(f"scores lose less than chance: {below}; together no more than alone: {together}")
    return below and together


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data, seeds = ("digits", 1) if options.short else (options.data, options.seeds)
    if data == "mnist" and not MNIST.exists():
        print(f"there is no {MNIST}: see docs/data.md, or take --data digits")
        return 2
    good = report(data, measured(data, seeds))
    print(f"{time.process_time():.0f} s of CPU")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
