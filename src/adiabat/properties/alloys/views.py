"""Order of an alloy as a table and a plot."""

from typing import Protocol

import numpy as np

from adiabat.results import Figure, Points, Table
from adiabat.typing import FloatArray


class Ordered(Protocol):
    """What has Warren and Cowley's parameters (m, k, k), by shell and pair of elements."""

    @property
    def elements(self) -> tuple[str, ...]: ...

    @property
    def shell_distances_angstrom(self) -> FloatArray: ...

    @property
    def short_range_order(self) -> FloatArray: ...


def order_table(found: Ordered) -> Table:
    """Warren and Cowley's parameters by shell and pair."""
    rows = tuple(
        (f"{first}-{second}", *(float(shell[i, j]) for shell in found.short_range_order))
        for i, first in enumerate(found.elements)
        for j, second in enumerate(found.elements)
        if i <= j
    )
    columns = ("pair", *(f"{distance:.2f} Å" for distance in found.shell_distances_angstrom))
    return Table("order", "Warren-Cowley order by shell", columns, rows)


def order_figure(found: Ordered) -> Figure:
    """The same as a plot."""
    pairs = [(i, j) for i in range(len(found.elements)) for j in range(i, len(found.elements))]
    marks = tuple(
        Points(
            np.arange(len(pairs), dtype=np.float64),
            np.array([shell[i, j] for i, j in pairs]),
            f"shell at {distance:.2f} Å",
            tuple(f"{found.elements[i]}-{found.elements[j]}" for i, j in pairs),
        )
        for shell, distance in zip(found.short_range_order, found.shell_distances_angstrom, strict=True)
    )
    names = ", ".join(f"{n}: {found.elements[i]}-{found.elements[j]}" for n, (i, j) in enumerate(pairs))
    return Figure("order", "Warren-Cowley order", "pair", "α", marks, note=f"Pairs: {names}. Zero is random.")
