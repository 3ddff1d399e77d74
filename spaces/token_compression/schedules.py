"""Schedules that DiffRate's authors released: the tokens that each block keeps (Chen et al., ICCV 2023).

Counts hold the class token; the first block compresses nothing. Labels are the authors' GMACs, of which `DeiT-T-0.6`
misses its own: it has 0.655. Not every released schedule is here.
"""

from __future__ import annotations

from typing import NamedTuple


class Schedule(NamedTuple):
    """One released schedule: of which layout of `spaces.token_compression.layouts`, and the counts of each block."""

    layout: str
    prune_kept: tuple[int, ...]
    merge_kept: tuple[int, ...]


SCHEDULES = {
    "DeiT-T-0.6": Schedule(
        "DeiT-T",
        prune_kept=(197, 196, 180, 157, 130, 107, 86, 73, 63, 51, 40, 3),
        merge_kept=(197, 187, 167, 139, 114, 90, 76, 66, 57, 45, 37, 3),
    ),
    "DeiT-T-0.8": Schedule(
        "DeiT-T",
        prune_kept=(197, 197, 196, 186, 166, 147, 117, 103, 92, 80, 74, 3),
        merge_kept=(197, 196, 190, 172, 154, 125, 107, 96, 84, 78, 70, 3),
    ),
    "DeiT-T-1.0": Schedule(
        "DeiT-T",
        prune_kept=(197, 197, 196, 194, 188, 184, 178, 164, 156, 137, 129, 21),
        merge_kept=(197, 197, 196, 190, 186, 154, 148, 156, 145, 135, 125, 21),
    ),
    "DeiT-S-2.3": Schedule(
        "DeiT-S",
        prune_kept=(197, 192, 168, 143, 121, 105, 92, 74, 62, 45, 33, 3),
        merge_kept=(197, 180, 156, 127, 109, 98, 80, 66, 52, 37, 31, 3),
    ),
    "DeiT-S-2.5": Schedule(
        "DeiT-S",
        prune_kept=(197, 192, 174, 156, 131, 115, 111, 99, 76, 50, 39, 3),
        merge_kept=(197, 186, 160, 133, 119, 107, 96, 82, 66, 43, 37, 3),
    ),
    "DeiT-S-2.7": Schedule(
        "DeiT-S",
        prune_kept=(197, 196, 182, 160, 141, 127, 115, 105, 88, 66, 49, 3),
        merge_kept=(197, 188, 170, 147, 131, 119, 109, 96, 76, 54, 45, 3),
    ),
    "DeiT-S-2.9": Schedule(
        "DeiT-S",
        prune_kept=(197, 196, 190, 168, 150, 139, 129, 117, 99, 78, 58, 3),
        merge_kept=(197, 194, 176, 156, 141, 133, 121, 107, 88, 64, 56, 3),
    ),
    "DeiT-S-3.1": Schedule(
        "DeiT-S",
        prune_kept=(197, 197, 194, 180, 160, 147, 137, 129, 115, 92, 76, 3),
        merge_kept=(197, 196, 186, 164, 150, 141, 133, 121, 103, 78, 68, 3),
    ),
    "DeiT-B-8.7": Schedule(
        "DeiT-B",
        prune_kept=(197, 192, 172, 156, 131, 107, 90, 72, 56, 33, 17, 3),
        merge_kept=(197, 178, 162, 141, 115, 96, 78, 60, 47, 21, 13, 3),
    ),
    "DeiT-B-10.4": Schedule(
        "DeiT-B",
        prune_kept=(197, 196, 188, 174, 156, 141, 121, 103, 90, 58, 25, 3),
        merge_kept=(197, 190, 184, 164, 145, 131, 107, 94, 74, 31, 21, 3),
    ),
    "DeiT-B-12.5": Schedule(
        "DeiT-B",
        prune_kept=(197, 197, 196, 192, 184, 170, 154, 139, 129, 94, 58, 3),
        merge_kept=(197, 196, 194, 190, 176, 160, 145, 131, 115, 68, 47, 3),
    ),
    "MAE-ViT-B-8.7": Schedule(
        "MAE-ViT-B",
        prune_kept=(197, 192, 166, 143, 119, 103, 86, 72, 54, 43, 37, 23),
        merge_kept=(197, 176, 150, 127, 107, 92, 76, 58, 47, 41, 23, 23),
    ),
    "MAE-ViT-B-10.4": Schedule(
        "MAE-ViT-B",
        prune_kept=(197, 195, 179, 159, 140, 122, 105, 100, 89, 71, 56, 45),
        merge_kept=(197, 187, 166, 145, 125, 109, 102, 97, 75, 64, 45, 45),
    ),
    "MAE-ViT-L-31.0": Schedule(
        "MAE-ViT-L",
        prune_kept=(197, 195, 188, 179, 168, 157, 146, 143, 131, 121, 111, 102, 93, 85, 76, 70, 61, 53, 47,
            35, 31, 26, 21, 14),
        merge_kept=(197, 191, 184, 172, 161, 151, 145, 135, 125, 117, 106, 96, 89, 80, 72, 64, 54, 50, 40,
            27, 27, 23, 14, 14),
    ),
    "MAE-ViT-L-38.5": Schedule(
        "MAE-ViT-L",
        prune_kept=(197, 197, 195, 190, 187, 183, 179, 171, 164, 159, 151, 143, 137, 114, 106, 89, 88, 85,
            76, 57, 47, 53, 32, 24),
        merge_kept=(197, 196, 193, 189, 183, 180, 175, 167, 161, 158, 152, 134, 120, 110, 97, 91, 87, 83,
            65, 47, 54, 34, 24, 24),
    ),
    "MAE-ViT-L-46.1": Schedule(
        "MAE-ViT-L",
        prune_kept=(197, 197, 197, 196, 194, 192, 191, 188, 185, 181, 170, 157, 154, 146, 143, 139, 128,
            125, 111, 100, 92, 83, 69, 60),
        merge_kept=(197, 197, 196, 195, 193, 191, 189, 187, 183, 176, 162, 155, 148, 145, 139, 133, 127,
            118, 104, 95, 86, 71, 60, 60),
    ),
    "MAE-ViT-H-83.7": Schedule(
        "MAE-ViT-H",
        prune_kept=(257, 255, 246, 227, 200, 178, 168, 159, 155, 145, 140, 139, 128, 119, 114, 109, 107,
            100, 101, 102, 117, 104, 103, 97, 97, 102, 95, 90, 82, 83, 74, 56),
        merge_kept=(257, 252, 240, 212, 186, 172, 160, 163, 148, 142, 138, 132, 118, 114, 111, 108, 103,
            102, 105, 106, 109, 105, 108, 99, 96, 96, 95, 86, 79, 77, 56, 56),
    ),
    "MAE-ViT-H-103.4": Schedule(
        "MAE-ViT-H",
        prune_kept=(257, 256, 255, 251, 245, 235, 204, 197, 194, 189, 185, 177, 169, 160, 152, 144, 146,
            139, 139, 136, 135, 133, 131, 128, 126, 126, 124, 121, 114, 96, 82, 53),
        merge_kept=(257, 256, 253, 247, 238, 211, 201, 195, 193, 185, 179, 171, 162, 154, 150, 145, 141,
            138, 137, 135, 134, 133, 130, 127, 125, 125, 122, 114, 101, 90, 53, 53),
    ),
}  # fmt: skip

CAFORMER_SCHEDULES = {
    "CAFormer-S36-5.2": (
        196, 193, 137, 124, 112, 99, 88, 78, 71, 63, 57, 50, 45, 42, 36, 32, 29, 196, 49, 49, 49,
    ),
    "CAFormer-S36-6.0": (
        196, 177, 172, 167, 162, 152, 137, 123, 112, 103, 93, 85, 79, 72, 64, 61, 58, 196, 49, 49, 49,
    ),
}  # fmt: skip
"""Tokens that each attention block of CAFormer-S36 keeps: see `spaces.token_compression.caformer`."""
