"""Many minimisations side by side by FIRE: slower than L-BFGS near rest, and hard to lead astray far from it.

E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); each structure has its own time step and mixing.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from adiabat.properties.relaxation.coordinates import Coordinates, Slope

FIRST_STEP, LONGEST_STEP = 0.1, 0.5
"""Of time, for rows of unit mass with forces in eV/Å."""

PATIENCE, FASTER, SLOWER = 5, 1.1, 0.5
FIRST_MIXING, LESS_MIXING = 0.1, 0.99

LONGEST_MOVE, LARGEST_STRAIN = 0.2, 0.05
"""Å and relative, in one step."""

TINY = 1e-30
"""In place of a gradient that is zero."""


@dataclass(frozen=True)
class FIRE:
    """The state of the minimisations.

    Attributes:
        rows: (R, 3) where they are.
        slope: There.
        velocity: (R, 3).
        time_step: (S,).
        mixing: (S,) how much the velocity turns towards the force.
        downhill: (S,) steps since it last went uphill.
    """

    rows: Tensor
    slope: Slope
    velocity: Tensor
    time_step: Tensor
    mixing: Tensor
    downhill: Tensor

    @classmethod
    def begin(cls, rows: Tensor, slope: Slope) -> Self:
        """At rest, at rows (R, 3) that have been evaluated."""
        one = torch.ones_like(slope.enthalpy)
        return cls(rows, slope, torch.zeros_like(rows), FIRST_STEP * one, FIRST_MIXING * one, 0 * one)

    def seen(self, space: Coordinates, rows: Tensor, found: Slope) -> Self:
        """After another evaluation."""
        return replace(self, rows=rows, slope=found)

    def step(self, space: Coordinates, *, longest_move: float = LONGEST_MOVE) -> tuple[Self, Tensor]:
        """The next rows to evaluate, no atom farther than `longest_move` Å."""
        force, owner = -self.slope.gradient, space.owner
        forward = space.dot(force, self.velocity) > 0
        speed, strength = (space.dot(each, each).sqrt() for each in (self.velocity, force))
        turned = (self.mixing * speed / strength.clamp(min=TINY))[owner, None] * force
        velocity = torch.where(forward[owner, None], (1 - self.mixing)[owner, None] * self.velocity + turned, 0.0)
        faster = forward & (self.downhill > PATIENCE)
        time_step = torch.where(faster, (self.time_step * FASTER).clamp(max=LONGEST_STEP), self.time_step)
        time_step = torch.where(forward, time_step, time_step * SLOWER)
        mixing = torch.where(faster, self.mixing * LESS_MIXING, self.mixing)
        velocity = velocity + time_step[owner, None] * force
        move = time_step[owner, None] * velocity
        short = space.capped(move, longest_move=longest_move, largest_strain=LARGEST_STRAIN)[owner, None]
        way = replace(
            self,
            velocity=short * velocity,
            time_step=time_step,
            mixing=torch.where(forward, mixing, FIRST_MIXING),
            downhill=torch.where(forward, self.downhill + 1, 0.0),
        )
        return way, self.rows + short * move

    def only(self, space: Coordinates, kept: Tensor) -> Self:
        """Without the structures that are not kept, (S,); `space` still holds all."""
        rows = kept[space.owner]
        return type(self)(
            self.rows[rows],
            self.slope.only(kept, rows),
            self.velocity[rows],
            self.time_step[kept],
            self.mixing[kept],
            self.downhill[kept],
        )
