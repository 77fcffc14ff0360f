"""One atom of the start moved along a line: the energy changes by the work of the forces, without jumps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from adiabat.results import Figure, Line
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.work import smoothness

POINTS = 81
FURTHEST = 0.4
"""Å, to either side: neighbours cross the cutoff on the way."""
RATTLE = 0.02
"""Å: in a crystal many would cross it at once."""


class PathCheck:
    """Along a line that no symmetry singles out."""

    name: ClassVar[str] = "path"

    def evaluations(self, case: Case) -> int:
        """All points."""
        return POINTS

    def run(self, case: Case) -> Sequence[CheckResult]:
        """One line."""
        atoms = case.start.copy()
        atoms.rattle(RATTLE, seed=case.config.seed)
        direction = np.random.default_rng(case.config.seed).normal(size=3)
        direction /= np.linalg.norm(direction)
        offsets, values = np.linspace(-FURTHEST, FURTHEST, POINTS), []
        for offset in offsets:
            moved = atoms.copy()
            moved.positions[0] += offset * direction
            values.append(case.subject.values(moved))
            case.clock.tick()
        energies = np.array([one.energy_ev for one in values])
        forces = np.array([float(one.forces[0] @ direction) for one in values])
        figure = Figure(
            name="validate-path",
            title="One atom moved along a line",
            x_label="displacement (Å)",
            y_label="energy (eV)",
            marks=(Line(offsets, energies - energies.min(), "energy"),),
        )
        found = smoothness("energy changes by the work of the forces", offsets, energies, forces)
        return [replace(found, figures=(figure,))]
