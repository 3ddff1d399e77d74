"""CAFormer-S36 compressed by merging alone, as counts: Yu et al., TPAMI 2024; its schedules are DiffRate's.

There is no class token, and importance is how much all tokens attend to one. Of the 18 attention blocks at 14x14 the
first and the last compress nothing; behind the last, tokens are put back where they were, for the down-sampling to 7x7.
"""

from __future__ import annotations

from collections.abc import Sequence

DEPTHS, WIDTHS = (3, 12, 18, 3), (64, 128, 320, 512)
KERNELS, STRIDES = (7, 3, 3, 3), (4, 2, 2, 2)


def caformer_macs(merge_kept: Sequence[int], *, side: int = 224, classes: int = 1000) -> int:
    """Return the multiply-accumulates as DiffRate counts them.

    Args:
      merge_kept: the tokens that each of the 21 attention blocks keeps; the first and the last of the 18, and the last
        three, must keep all.
      side: of the images, a multiple of 32.
      classes: of the head.

    Raises:
      ValueError: for another number of blocks, or one of those that keeps fewer.
    """
    if len(merge_kept) != sum(DEPTHS[2:]) or side % 32:
        raise ValueError(f"expected 21 attention blocks and a multiple of 32, got {len(merge_kept)} and {side}")
    macs, inputs, blocks = 8 * WIDTHS[-1] * classes, 3, iter(merge_kept)
    for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS, strict=True)):
        side //= STRIDES[stage]
        macs += side**2 * width * KERNELS[stage] ** 2 * inputs
        inputs = width
        if stage < 2:
            macs += depth * (12 * side**2 * width**2 + 98 * side**2 * width)
        else:
            macs += _attention(width, side**2, [next(blocks) for _ in range(depth)], open_to_merging=stage == 2)
    return macs


def _attention(width: int, tokens: int, kept: Sequence[int], *, open_to_merging: bool) -> int:
    held = (kept[0], kept[-1]) if open_to_merging else kept
    if min(held) < tokens:
        raise ValueError(f"blocks that compress nothing must keep {tokens} tokens, got {list(kept)}")
    macs = 0
    for count in kept:
        leaving = min(tokens, count)
        macs += 4 * tokens * width**2 + 2 * tokens**2 * width + 8 * leaving * width**2
        tokens = leaving
    return macs
