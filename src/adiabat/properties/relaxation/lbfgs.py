"""Many minimisations side by side by L-BFGS, each with its own history, steps that never go up, and no line search.

J. Nocedal and S. J. Wright, Numerical Optimization (2006), algorithm 7.4.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from adiabat.properties.relaxation.coordinates import Coordinates, Slope

MEMORY = 15
"""Steps that are remembered."""

FIRST_CURVATURE = 70.0
"""eV/Å², before a step has been made: that of a stiff bond, so that the first step is short."""

LONGEST_MOVE, LARGEST_STRAIN = 0.2, 0.05
"""Å and relative, in one step."""

SHORTER, TOO_SHORT = 0.3, 0.02
"""A step that goes up is shortened by the first; below the second, what is remembered is forgotten."""

LONGER, LONGEST = 2.0, 1e4
"""A step that goes down without meeting a curvature is lengthened by the first, at most to the second."""

LEAST_CURVED = 1e-6
"""Cosine between a step and the change of the gradient, below which the pair is not remembered."""

NOISE = 64.0
"""By how many rounding errors of the enthalpy a step may go up."""

COARSE_EV = 1e-4
"""By how much a step may go up where the gradient is smaller after it: energies of outside codes are no finer than that."""


@dataclass(frozen=True)
class LBFGS:
    """The state of the minimisations.

    Attributes:
        best: (R, 3) the rows from which the next step is made.
        slope: There.
        fraction: (S,) of the step that is tried; above one where no curvature is met.
        steps: Changes of the rows (R, 3), the newest last.
        changes: Those of the gradient.
        weights: (S,) each, 1 / s·y; zero where a pair says nothing.
    """

    best: Tensor
    slope: Slope
    fraction: Tensor
    steps: tuple[Tensor, ...] = ()
    changes: tuple[Tensor, ...] = ()
    weights: tuple[Tensor, ...] = ()

    @classmethod
    def begin(cls, space: Coordinates, rows: Tensor, slope: Slope) -> Self:
        """At rows (R, 3) that have been evaluated."""
        return cls(rows, slope, torch.ones_like(slope.enthalpy))

    def seen(self, space: Coordinates, rows: Tensor, found: Slope) -> Self:
        """After another evaluation: what went down is kept and remembered, what went up is to be tried again, shorter."""
        noise = NOISE * torch.finfo(found.enthalpy.dtype).eps * found.enthalpy.abs().clamp(min=1.0)
        rise = found.enthalpy - self.slope.enthalpy
        flatter = space.dot(found.gradient, found.gradient) < space.dot(self.slope.gradient, self.slope.gradient)
        down = (rise <= noise) | (flatter & (rise <= COARSE_EV))
        rows_down = down[space.owner, None]
        step = torch.where(rows_down, rows - self.best, 0.0)
        change = torch.where(rows_down, found.gradient - self.slope.gradient, 0.0)
        product, squares = space.dot(step, change), space.dot(step, step) * space.dot(change, change)
        curved = product > LEAST_CURVED * squares.sqrt()
        weight = torch.where(curved, 1 / torch.where(curved, product, 1.0), 0.0)
        longer = torch.where(curved, 1.0, (LONGER * self.fraction).clamp(max=LONGEST))
        fraction = torch.where(down, longer, SHORTER * self.fraction.clamp(max=1.0))
        lost = fraction < TOO_SHORT
        return replace(
            self,
            best=torch.where(rows_down, rows, self.best),
            slope=replace(
                found,
                enthalpy=torch.where(down, found.enthalpy, self.slope.enthalpy),
                gradient=torch.where(rows_down, found.gradient, self.slope.gradient),
            ),
            fraction=fraction,
            steps=(*self.steps, step)[-MEMORY:],
            changes=(*self.changes, change)[-MEMORY:],
            weights=tuple(torch.where(lost, 0.0, one) for one in (*self.weights, weight)[-MEMORY:]),
        )

    def step(self, space: Coordinates) -> tuple[Self, Tensor]:
        """The next rows to evaluate."""
        gradient = self.slope.gradient
        direction = self._newton(space, gradient)
        uphill = space.dot(direction, gradient) >= 0
        direction = torch.where(uphill[space.owner, None], -gradient / FIRST_CURVATURE, direction)
        direction = self.fraction.clamp(min=1.0)[space.owner, None] * direction
        short = space.capped(direction, longest_move=LONGEST_MOVE, largest_strain=LARGEST_STRAIN)
        short = short * self.fraction.clamp(max=1.0)
        return self, self.best + short[space.owner, None] * direction

    def only(self, space: Coordinates, kept: Tensor) -> Self:
        """Without the structures that are not kept, (S,); `space` still holds all."""
        rows = kept[space.owner]
        return replace(
            self,
            best=self.best[rows],
            slope=self.slope.only(kept, rows),
            fraction=self.fraction[kept],
            steps=tuple(step[rows] for step in self.steps),
            changes=tuple(change[rows] for change in self.changes),
            weights=tuple(weight[kept] for weight in self.weights),
        )

    def _newton(self, space: Coordinates, gradient: Tensor) -> Tensor:
        """(R, 3) minus the inverse Hessian, as far as it is known, times the gradient."""
        owner, left = space.owner, gradient.clone()
        history = list(zip(self.steps, self.changes, self.weights, strict=True))
        products: list[Tensor] = []
        curvature = torch.full_like(space.scale, FIRST_CURVATURE)
        for change, weight in zip(self.changes, self.weights, strict=True):
            squares = space.dot(change, change)
            curvature = torch.where(weight > 0, squares * weight, curvature)
        for step, change, weight in reversed(history):
            products.append(weight * space.dot(step, left))
            left = left - products[-1][owner, None] * change
        left = left / curvature[owner, None]
        for (step, change, weight), product in zip(history, reversed(products), strict=True):
            left = left + (product - weight * space.dot(change, left))[owner, None] * step
        return -left
