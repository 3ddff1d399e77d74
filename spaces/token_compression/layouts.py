"""Sizes of plain vision transformers: Dosovitskiy et al., ICLR 2021; DeiT, ICML 2021; MAE, CVPR 2022."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Block:
    """The sizes of one block.

    Attributes:
      heads: of its attention.
      qk, v: the dimensions of a head's queries and keys, and of its values.
      mlp: the hidden channels of its perceptron.
      packed: whether one layer makes queries, keys and values; else three do.
    """

    heads: int
    qk: int
    v: int
    mlp: int
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of a transformer: square patches, a class token, blocks of attention and a perceptron, a linear head.

    Attributes:
      width: the channels of a token.
      depth: how many blocks there are.
      heads: of each attention.
      patch: the side of a patch.
      side: of the images.
      channels: of the images.
      classes: of the head.
      ratio: the perceptron's hidden channels as a multiple of the width.
      pool: what the head reads: the `class` token, or the `mean` of the others.
      cut: the sizes of each block of a transformer that has lost units; `heads` and `ratio` are those from before.

    Raises:
      ValueError: for sizes below 1, a side that is no multiple of the patch, a width that the heads do not divide,
        another pool, and cut blocks that are not `depth`.
    """

    width: int
    depth: int
    heads: int
    patch: int
    side: int = 224
    channels: int = 3
    classes: int = 1000
    ratio: int = 4
    pool: str = "class"
    cut: tuple[Block, ...] = field(default=(), repr=False)  # identities of spaces hang on the text of the others

    def __post_init__(self) -> None:
        sizes = self.width, self.depth, self.heads, self.patch, self.side, self.channels, self.classes, self.ratio
        if min(sizes) < 1:
            raise ValueError(f"a transformer's sizes must be at least 1, got {self}")
        if len(self.cut) not in (0, self.depth):
            raise ValueError(f"expected the sizes of {self.depth} cut blocks, or of none, got {len(self.cut)}")
        if self.side % self.patch or (self.width % self.heads and not self.cut):
            raise ValueError(f"the patch must divide the side and the heads the width, got {self}")
        if self.pool not in ("class", "mean"):
            raise ValueError(f"pool must be 'class' or 'mean', got {self.pool!r}")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The sizes of each block."""
        each = self.width // self.heads
        return self.cut or (Block(self.heads, each, each, self.ratio * self.width, packed=True),) * self.depth

    @property
    def patches(self) -> int:
        """How many patches an image has."""
        return (self.side // self.patch) ** 2

    @property
    def tokens(self) -> int:
        """How many tokens enter the first block: the patches and the class token."""
        return self.patches + 1


LAYOUTS = {
    "DeiT-T": Layout(192, 12, 3, 16),
    "DeiT-S": Layout(384, 12, 6, 16),
    "DeiT-B": Layout(768, 12, 12, 16),
    "MAE-ViT-B": Layout(768, 12, 12, 16, pool="mean"),
    "MAE-ViT-L": Layout(1024, 24, 16, 16, pool="mean"),
    "MAE-ViT-H": Layout(1280, 32, 16, 14, pool="mean"),
    "digits": Layout(48, 6, 3, 1, side=8, channels=1, classes=10),
    "small": Layout(96, 6, 3, 4, side=32, classes=10),
}
"""Layouts by name; `digits` and `small` are this project's, for images of 8x8 and 32x32 and a CPU."""
