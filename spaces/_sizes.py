"""How many selections a choice allows: exact counts in Python integers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def product(sizes: Iterable[int | None]) -> int | None:
    """Return the size of independent decisions taken together; None, for an open float, makes the whole infinite."""
    result = 1
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result


def selections(sizes: Sequence[int], count: int, *, distinct: bool, ordered: bool) -> int:
    """Return the number of ways to make `count` choices among candidates that stand for `sizes` values each.

    `distinct` allows each candidate once; `ordered` demands that the candidates' indices do not decrease.
    """
    if not ordered and not distinct:
        total: int = sum(sizes) ** count
        return total
    ways = [1] + [0] * count
    for size in sizes:  # elementary (distinct) or complete homogeneous symmetric polynomials of the sizes
        for chosen in range(count, 0, -1) if distinct else range(1, count + 1):
            ways[chosen] += size * ways[chosen - 1]
    return ways[count] * (1 if ordered else math.factorial(count))
