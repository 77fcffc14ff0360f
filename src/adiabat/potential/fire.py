"""FIRE: many descents side by side, hard to lead astray far from rest.

E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); each structure has its own time step and mixing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

PATIENCE, FASTER, SLOWER = 5, 1.1, 0.5
FIRST_MIXING, LESS_MIXING = 0.1, 0.99

TINY = 1e-30
"""In place of a force that is zero."""


@dataclass(frozen=True)
class Fire:
    """The state of the descents, without where they are.

    Attributes:
        owner: (R,) the structure of each row.
        velocity: (R, 3), of rows of unit mass.
        time_step: (S,).
        longest_step: Of time.
        mixing: (S,) how much the velocity turns towards the force.
        downhill: (S,) steps since it last went uphill.
    """

    owner: Tensor
    velocity: Tensor
    time_step: Tensor
    longest_step: float
    mixing: Tensor
    downhill: Tensor

    @classmethod
    def begin(cls, rows: Tensor, owner: Tensor, count: int, *, first_step: float, longest_step: float) -> Self:
        """At rest.

        Args:
            rows: (R, 3) of S structures.
            owner: (R,) the structure of each.
            count: S.
            first_step: Of time.
            longest_step: Likewise.
        """
        one = rows.new_ones(count)
        return cls(owner, torch.zeros_like(rows), first_step * one, longest_step, FIRST_MIXING * one, 0 * one)

    def step(self, force: Tensor, shortened: Callable[[Tensor], Tensor]) -> tuple[Self, Tensor]:
        """One step.

        Args:
            force: (R, 3) on the rows.
            shortened: Of a step (R, 3), the factor (S,) that keeps each structure's within its bounds.

        Returns:
            The state after it, and by how much the rows move, (R, 3).
        """
        owner = self.owner
        forward = self._dot(force, self.velocity) > 0
        speed, strength = (self._dot(each, each).sqrt() for each in (self.velocity, force))
        turned = (self.mixing * speed / strength.clamp(min=TINY))[owner, None] * force
        velocity = torch.where(forward[owner, None], (1 - self.mixing)[owner, None] * self.velocity + turned, 0.0)
        faster = forward & (self.downhill > PATIENCE)
        time_step = torch.where(faster, (self.time_step * FASTER).clamp(max=self.longest_step), self.time_step)
        time_step = torch.where(forward, time_step, time_step * SLOWER)
        mixing = torch.where(faster, self.mixing * LESS_MIXING, self.mixing)
        velocity = velocity + time_step[owner, None] * force
        move = time_step[owner, None] * velocity
        short = shortened(move)[owner, None]
        way = type(self)(
            owner,
            short * velocity,
            time_step,
            self.longest_step,
            torch.where(forward, mixing, FIRST_MIXING),
            torch.where(forward, self.downhill + 1, 0.0),
        )
        return way, short * move

    def only(self, kept: Tensor) -> Self:
        """Without the structures that are not kept, (S,) bool."""
        rows, place = kept[self.owner], kept.cumsum(0) - 1
        return type(self)(
            place[self.owner[rows]],
            self.velocity[rows],
            self.time_step[kept],
            self.longest_step,
            self.mixing[kept],
            self.downhill[kept],
        )

    def _dot(self, first: Tensor, second: Tensor) -> Tensor:
        """(S,) products of rows (R, 3), summed over each structure."""
        return torch.zeros_like(self.time_step).index_add(0, self.owner, (first * second).sum(-1))
