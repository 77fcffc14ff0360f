"""Forces and stress against five-point finite differences of the energy."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.potential.scales import force_scales, stress_scales
from adiabat.system import Batch
from adiabat.testing.comparison import require_close
from adiabat.testing.structures import Case, displaced, transformed

STEPS = (-2, -1, 1, 2)
WEIGHTS = torch.tensor([1.0, -8.0, 8.0, -1.0], dtype=torch.float64) / 12
STEP = 2e-4
"""Å, and as a strain: truncation and rounding both stay below 1e-9 of the forces of common potentials."""

TOLERANCE = 1e-7


def check_forces(potential: Potential, case: Case) -> None:
    """Every component of every force."""
    atoms, n = case.atoms, len(case.atoms)
    copies = [displaced(atoms, step * STEP * unit.reshape(n, 3)) for unit in np.eye(3 * n) for step in STEPS]
    expected = -_differences(potential, copies).reshape(n, 3)
    found = cast(Tensor, potential(atoms, want=("forces",)).forces)
    scale = float(force_scales(found, Batch.from_atoms(atoms))[0])
    require_close(
        found,
        expected,
        scale=scale,
        tolerance=TOLERANCE,
        place=f"{case.name}: forces",
        rule="the force is minus the derivative of the energy with the positions",
    )


def check_stress(potential: Potential, case: Case) -> None:
    """Every component; the structure is periodic in three directions."""
    atoms = case.atoms
    strains = [0.5 * (unit + unit.T) for unit in np.eye(9).reshape(9, 3, 3)]
    copies = [transformed(atoms, np.eye(3) + step * STEP * strain) for strain in strains for step in STEPS]
    expected = _differences(potential, copies).reshape(1, 3, 3) / atoms.get_volume()
    found = cast(Tensor, potential(atoms, want=("stress",)).stress)
    require_close(
        found,
        expected,
        scale=float(stress_scales(found)[0]),
        tolerance=TOLERANCE,
        place=f"{case.name}: stress",
        rule="the stress is the derivative of the energy with the strain, over the volume",
    )


def _differences(potential: Potential, copies: Sequence[Atoms]) -> Tensor:
    """Derivatives from copies at `STEPS`, one after the other; summed over atoms last, so that no large total enters."""
    energies = cast(Tensor, potential(copies, want=("energies",)).energies)
    by_step = energies.reshape(-1, len(STEPS), len(copies[0]))
    return torch.einsum("csn,s->c", by_step, WEIGHTS) / STEP
