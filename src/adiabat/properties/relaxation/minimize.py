"""The loop of a relaxation: structures are evaluated together, and those that are done leave the batch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import cast

import torch
from torch import Tensor

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties.relaxation.coordinates import Coordinates, Slope
from adiabat.properties.relaxation.fire import FIRE
from adiabat.properties.relaxation.lbfgs import LBFGS
from adiabat.properties.relaxation.settings import RelaxationSettings
from adiabat.system import Batch
from adiabat.typing import Quantity
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

MOST_SWOLLEN, MOST_SHRUNK = 5.0, 0.2
"""Times the volume at the start: beyond, a structure has evaporated or collapsed."""

Projection = Callable[[Coordinates, Tensor, Tensor], Tensor]
"""Of a gradient (R, 3), by the places (S,) of the structures in the batch that all began as: what symmetry lets it be."""


@dataclass(frozen=True)
class Minimum:
    """Where structures of a batch came to.

    Attributes:
        batch: The structures, cells and positions as they ended.
        energy: (S,) eV.
        enthalpy: (S,) eV.
        largest_force: (S,) eV/Å.
        largest_stress: (S,) eV/Å³.
        steps: (S,) how many were made.
        converged: (S,).
        lost: Why the structure at a place could not be followed.
        enthalpies: (S,) eV, after each step; one that is done stays as it is.
    """

    batch: Batch
    energy: Tensor
    enthalpy: Tensor
    largest_force: Tensor
    largest_stress: Tensor
    steps: Tensor
    converged: Tensor
    lost: dict[int, str]
    enthalpies: tuple[Tensor, ...]


def minimize(
    potential: Potential,
    space: Coordinates,
    settings: RelaxationSettings,
    *,
    project: Projection | None = None,
) -> Minimum:
    """Follow the gradient until forces and stresses are within their tolerances.

    Args:
        potential: What is followed.
        space: The structures, and what of them moves.
        settings: Tolerances, steps and method.
        project: What symmetry makes of a gradient.
    """
    whole = _Record(space, settings)
    rows, left, way = space.start, torch.arange(space.batch.n_systems), None
    for step in range(settings.steps + 1):
        moving = torch.ones(space.batch.n_systems, dtype=torch.bool)
        batch = space.structures(rows)
        try:
            slope = evaluated_slope(potential, space, rows)
        except StructureError:
            moving = whole.lose(potential, batch, left)
        else:
            if project is not None:
                slope = _projected(slope, space, project(space, left, slope.gradient))
            moving = whole.note(space, batch, left, slope, step)
            state = LBFGS if settings.method == "lbfgs" else FIRE
            way = state.begin(space, rows, slope) if way is None else way.seen(space, rows, slope)
        if not bool(moving.any()) or step == settings.steps:
            break
        if not bool(moving.all()):
            rows_kept = moving[space.owner]
            way = None if way is None else way.only(space, moving)
            space, rows, left = space.only(moving), rows[rows_kept], left[moving]
        if way is not None:
            way, rows = way.step(space)
    return whole.minimum()


def _projected(slope: Slope, space: Coordinates, gradient: Tensor) -> Slope:
    """With what is left of the gradient, by which it is also judged whether atoms are at rest."""
    largest = space.largest(torch.linalg.vector_norm(gradient[: space.batch.n_atoms], dim=-1))
    return replace(slope, gradient=gradient, largest_force=largest)


def evaluated_slope(potential: Potential, space: Coordinates, rows: Tensor) -> Slope:
    """The slope at rows (R, 3); in float64, whatever the potential evaluates in."""
    want: tuple[Quantity, ...] = ("energy", "forces") if space.cell == "fixed" else ("energy", "forces", "stress")
    batch = space.structures(rows).to(dtype=potential.dtype, device=potential.device)
    found = potential(batch, want=want).to(dtype=torch.float64, device="cpu")
    return space.slope(rows, cast(Tensor, found.energy), cast(Tensor, found.forces), found.stress)


class _Record:
    """What is known of all structures while some of them still move."""

    def __init__(self, space: Coordinates, settings: RelaxationSettings) -> None:
        batch, self._settings = space.batch, settings
        self._atoms = torch.arange(batch.n_atoms)
        self._system, self._batch = batch.system, batch
        self._positions, self._cell = batch.positions.clone(), batch.cell.clone()
        blank = torch.full((batch.n_systems,), float("nan"), dtype=torch.float64)
        self._values = {name: blank.clone() for name in ("energy", "enthalpy", "largest_force", "largest_stress")}
        self._steps = torch.zeros(batch.n_systems, dtype=torch.int64)
        self._converged = torch.zeros(batch.n_systems, dtype=torch.bool)
        self._lost: dict[int, str] = {}
        self._enthalpies: list[Tensor] = []

    def note(self, space: Coordinates, batch: Batch, left: Tensor, slope: Slope, step: int) -> Tensor:
        """Take down an evaluation; (S,) which structures are to go on."""
        self._place(batch, left)
        values = (slope.energy, slope.enthalpy, slope.largest_force, slope.largest_stress)
        for name, value in zip(self._values, values, strict=True):
            self._values[name][left] = value
        self._steps[left] = step
        self._enthalpies.append(self._values["enthalpy"].clone())
        tolerance = self._settings.stress_tolerance_gpa / GPA_PER_EV_PER_CUBIC_ANGSTROM
        done = (slope.largest_force <= self._settings.force_tolerance_ev_per_angstrom) & (
            slope.largest_stress <= tolerance
        )
        self._converged[left] = done
        return ~done & ~self._gone(space, batch, left, slope)

    def lose(self, potential: Potential, batch: Batch, left: Tensor) -> Tensor:
        """One of the structures cannot be evaluated: find which, and say which are to go on."""
        kept = torch.ones(batch.n_systems, dtype=torch.bool)
        for place, atoms in enumerate(batch.to_atoms()):
            try:
                potential(atoms, want=("energy",))
            except StructureError as error:
                self._lost[int(left[place])] = error.what
                kept[place] = False
        self._place(batch, left)
        return kept

    def minimum(self) -> Minimum:
        """All that was taken down."""
        ended = self._batch.replace(positions=self._positions, cell=self._cell)
        return Minimum(
            ended,
            *self._values.values(),
            steps=self._steps,
            converged=self._converged,
            lost=self._lost,
            enthalpies=tuple(self._enthalpies),
        )

    def _place(self, batch: Batch, left: Tensor) -> None:
        here = torch.zeros(len(self._cell), dtype=torch.bool)
        here[left] = True
        self._positions[here[self._system]] = batch.positions
        self._cell[left] = batch.cell

    def _gone(self, space: Coordinates, batch: Batch, left: Tensor, slope: Slope) -> Tensor:
        """(S,) structures that are not worth following any further."""
        finite = torch.isfinite(slope.enthalpy) & (slope.largest_force < inf)
        swollen = torch.ones_like(slope.enthalpy)
        if space.cell != "fixed":
            swollen = batch.volume / space.batch.volume
        burst = finite & ((swollen > MOST_SWOLLEN) | (swollen < MOST_SHRUNK))
        for place in burst.nonzero().flatten().tolist():
            self._lost[int(left[place])] = f"its volume has become {float(swollen[place]):.3g} times what it was"
        for place in (~finite).nonzero().flatten().tolist():
            self._lost[int(left[place])] = "its energy or its forces are not finite"
        return burst | ~finite
