"""Tiles: matrices cut into pieces that a processor's cache holds, and that several threads share among them."""

from itertools import pairwise

TILE = 310
"""Columns, about: products of such tiles run at nearly full speed, and few of them lie above a diagonal for nothing."""


def tiles(width: int, *, first: int = 0) -> list[slice]:
    """Columns from `first` to `width` in pieces of about the same width."""
    count = max(1, round((width - first) / TILE))
    edges = [first + (width - first) * place // count for place in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]
