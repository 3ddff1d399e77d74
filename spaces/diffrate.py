"""How many tokens each block of a vision transformer prunes and merges: DiffRate (Chen et al., ICCV 2023, section 3).

There these numbers are learned by gradient, see `evaluators.diffrate`; as a space any algorithm can search them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyglove as pg

from hardware_models.op import Op, Shape
from spaces._published import find
from spaces.token_compression.compressible import Compressible
from spaces.token_compression.counts import published_macs_of, token_counts
from spaces.token_compression.layouts import LAYOUTS, Layout
from spaces.token_compression.operator_keys import OperatorKeys
from spaces.token_compression.operators import graph
from spaces.token_compression.schedules import SCHEDULES
from spaces.token_compression.uniform import LEAST, uniform_counts

if TYPE_CHECKING:
    from torch import nn

    from spaces.compression.cut import Cut

__all__ = [
    "LAYOUTS",
    "SCHEDULES",
    "Compressed",
    "Layout",
    "candidates",
    "compressed",
    "diffrate",
    "published",
    "uniform",
]

GAP = 4


class Compressed(pg.Object):  # type: ignore[misc]
    """One compressed transformer.

    Counts hold the class token. One above what there is changes nothing, so several genotypes mean the same network.

    Attributes:
      vit: the `spaces.token_compression.compressible.Compressible` that it is a part of.
      prune_kept: the tokens that each block keeps, of which the rest is dropped.
      merge_kept: the tokens of those that each block keeps, into which the rest is merged.
    """

    vit: Any
    prune_kept: list[int]
    merge_kept: list[int]

    @property
    def input_shape(self) -> Shape:
        """The shape of one image."""
        layout = self.vit.layout
        return layout.channels, layout.side, layout.side

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.vit.layout.classes)

    @property
    def whole(self) -> Compressed:
        """The transformer that it was made from, with all tokens and units."""
        every = [self.vit.layout.tokens] * self.vit.layout.depth
        return Compressed(self.vit.whole, every, every)

    @property
    def tokens(self) -> tuple[int, ...]:
        """How many tokens leave each block."""
        return tuple(token_counts(self.vit.layout.tokens, self.prune_kept, self.merge_kept))

    @property
    def published_macs(self) -> int:
        """The multiply-accumulates as the paper counts them; see `spaces.token_compression.counts`."""
        return published_macs_of(self.vit.layout, self.prune_kept, self.merge_kept)

    def build(self, weights: Mapping[str, Any] | None = None) -> nn.Module:
        """Return the network: float32 images (n, *input_shape) to logits (n, classes).

        Args:
          weights: of the whole transformer, for its `load_state_dict`; by default what it is made with.
        """
        network: nn.Module = self.vit.compressed(self.vit.make(weights), self.prune_kept, self.merge_kept)
        return network

    @property
    def key_bound(self) -> int:
        """What `operator_keys` are below."""
        return OperatorKeys(self.vit.layout).bound

    def operator_keys(self, chosen: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the keys of many candidates' operators: see `hardware_models.architecture.KeyedOperators`."""
        n = len(next(iter(chosen.values())))
        kept = np.empty((n, 2, self.vit.layout.depth), np.int64)
        for step, name in enumerate(("prune_kept", "merge_kept")):
            for block, count in enumerate(self.sym_getattr(name).sym_values()):
                fixed = isinstance(count, int)
                kept[:, step, block] = count if fixed else np.array(count.candidates)[chosen[f"{name}[{block}]"]]
        return OperatorKeys(self.vit.layout).of(kept)

    @property
    def key_operators(self) -> OperatorKeys:
        """What keys stand for."""
        return OperatorKeys(self.vit.layout)

    def cut_by(self, choice: Cut) -> Compressed:
        """Return the same counts of the transformer without the units that a choice removes.

        Raises:
          ValueError: for a transformer that cannot be cut, and a choice out of reach.
        """
        return Compressed(self.vit.cut_by(choice), self.prune_kept, self.merge_kept)

    def ops(self) -> Sequence[Op]:
        """Return the operators that the built network runs, as a graph; parameters are those of a plain transformer."""
        return graph(self.vit.layout, self.prune_kept, self.merge_kept)


def diffrate(vit: str | Layout | Callable[[], nn.Module], gap: int = GAP) -> Any:
    """Return the space: for each block but the first, how many tokens it keeps when it prunes and when it merges.

    Args:
      vit: a name of `LAYOUTS`, a `Layout`, or a function without arguments that makes a transformer, e.g. with weights
        that it reads from a file: this project's, timm's or torchvision's; see `spaces.networks.vit_parts`. A space
        remembers the function and what the model looks like, never its weights.
      gap: the patches between one count and the next, as in the paper; 1 for any count.

    Raises:
      ValueError: for a gap below 1, an unknown name or a model that is no such transformer, and one of a single block.
      TypeError: where the function does not make a module.
    """
    made = Compressible(vit)
    if made.layout.depth < 2:
        raise ValueError("the first block compresses nothing: expected a transformer of at least 2 blocks, got 1")
    counts = [patches + 1 for patches in candidates(made.layout.patches, gap)]
    open_blocks = range(made.layout.depth - 1)
    of_each = ([made.layout.tokens, *(pg.oneof(counts) for _ in open_blocks)] for _ in range(2))
    return Compressed(made, *of_each)


def candidates(patches: int, gap: int = GAP) -> tuple[int, ...]:
    """Return the patches that a block may keep, from all down by `gap` to above 0; ValueError for a gap below 1."""
    if gap < 1:
        raise ValueError(f"gap must be at least 1, got {gap}")
    return tuple(range(patches, 0, -gap))


def compressed(vit: Compressible, prune_kept: Sequence[int], merge_kept: Sequence[int]) -> Compressed:
    """Return the transformer whose blocks keep so many tokens, the class token included.

    Raises:
      ValueError: for another number of blocks, or counts below 2: the class token takes nothing that is merged.
    """
    if not len(prune_kept) == len(merge_kept) == vit.layout.depth:
        raise ValueError(f"expected {vit.layout.depth} counts of each, got {len(prune_kept)} and {len(merge_kept)}")
    if min(*prune_kept, *merge_kept) < LEAST:
        raise ValueError(f"a block keeps the class token and another one at least, got {prune_kept} and {merge_kept}")
    return Compressed(vit, [int(count) for count in prune_kept], [int(count) for count in merge_kept])


def published(name: str) -> Compressed:
    """Return a released schedule, such as `DeiT-S-2.9`: the layout and the GMACs that its authors name it by.

    Its genotype is `GenotypeSpace(diffrate("DeiT-S", gap=1)).encode(published(name))`.

    Raises:
      ValueError: for another name; the message lists them.
    """
    schedule = find(SCHEDULES, name)
    return compressed(Compressible(schedule.layout), schedule.prune_kept, schedule.merge_kept)


def uniform(vit: Compressible, share: float, by: Literal["merge", "prune"] = "merge") -> Compressed:
    """Return the schedule that removes as many tokens in each block but the first, by merging or by pruning alone.

    Args:
      vit: the transformer.
      share: of the whole network's multiply-accumulates, which it comes nearest to from below.
      by: `merge`, which is ToMe's schedule, or `prune`.

    Raises:
      ValueError: for another `by`, and a share that is out of reach.
    """
    if by not in ("merge", "prune"):
        raise ValueError(f"by must be 'merge' or 'prune', got {by!r}")
    counts, whole = uniform_counts(vit.layout, share), [vit.layout.tokens] * vit.layout.depth
    return compressed(vit, counts, counts) if by == "prune" else compressed(vit, whole, counts)
