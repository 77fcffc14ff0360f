"""Many minimisations side by side by FIRE: slower than L-BFGS near rest, and hard to lead astray far from it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from torch import Tensor

from adiabat.potential.fire import Fire
from adiabat.properties.relaxation.coordinates import Coordinates, Slope

FIRST_STEP, LONGEST_STEP = 0.1, 0.5
"""Of time, for rows of unit mass with forces in eV/Å."""

LONGEST_MOVE, LARGEST_STRAIN = 0.2, 0.05
"""Å and relative, in one step."""


@dataclass(frozen=True)
class FIRE:
    """The state of the minimisations.

    Attributes:
        rows: (R, 3) where they are.
        slope: There.
        descent: How they move.
    """

    rows: Tensor
    slope: Slope
    descent: Fire

    @classmethod
    def begin(cls, space: Coordinates, rows: Tensor, slope: Slope) -> Self:
        """At rest, at rows (R, 3) that have been evaluated."""
        count = len(slope.enthalpy)
        descent = Fire.begin(rows, space.owner, count, first_step=FIRST_STEP, longest_step=LONGEST_STEP)
        return cls(rows, slope, descent)

    def seen(self, space: Coordinates, rows: Tensor, found: Slope) -> Self:
        """After another evaluation."""
        return replace(self, rows=rows, slope=found)

    def step(self, space: Coordinates, *, longest_move: float = LONGEST_MOVE) -> tuple[Self, Tensor]:
        """The next rows to evaluate, no atom farther than `longest_move` Å."""
        shortened = partial(space.capped, longest_move=longest_move, largest_strain=LARGEST_STRAIN)
        descent, move = self.descent.step(-self.slope.gradient, shortened)
        return replace(self, descent=descent), self.rows + move

    def only(self, space: Coordinates, kept: Tensor) -> Self:
        """Without the structures that are not kept, (S,); `space` still holds all."""
        rows = kept[space.owner]
        return type(self)(self.rows[rows], self.slope.only(kept, rows), self.descent.only(kept))
