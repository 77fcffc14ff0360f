"""What is checked when an ASE calculator is checked, and how exact it has to be."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from ase import Atoms
from ase.calculators.abc import GetPropertiesMixin
from ase.calculators.calculator import BaseCalculator, PropertyNotImplementedError
from ase.stress import voigt_6_to_full_3x3_stress

from adiabat.testing.comparison import require_close
from adiabat.typing import FloatArray

FORCE_FLOOR, STRESS_FLOOR, ENERGY_FLOOR = 0.1, 1e-3, 1.0
"""eV/Å, eV/Å³, eV per atom: what is added to a structure's own scale."""


@dataclass(frozen=True)
class CalculatorTolerances:
    """How exact a calculator has to be; the defaults ask for double precision and a smooth potential.

    A self-consistent field converged to 1e-6 eV needs about derivatives=1e-2, invariance=1e-5, jump_ev=1e-4, jump_ev_per_angstrom=0.05.

    Attributes:
        derivatives: Forces and stress against finite differences, relative to the largest component (+ 0.1 eV/Å and
            + 1e-3 eV/Å³).
        invariance: Energies that must agree, relative to their magnitude (+ 1 eV per atom); forces and stress that must,
            on the scales above.
        jump_ev: What the energy may jump by along a path.
        jump_ev_per_angstrom: What a force may jump by along a path.
        step: Å, and as a strain, of the finite differences.
    """

    derivatives: float = 1e-6
    invariance: float = 1e-9
    jump_ev: float = 1e-6
    jump_ev_per_angstrom: float = 1e-5
    step: float = 1e-3


class NotApplicable(Exception):
    """The check means nothing for this calculator or structure."""


@dataclass(frozen=True)
class Subject:
    """A calculator and the structure that it is checked on.

    Attributes:
        calculator: What is checked.
        atoms: A structure without symmetry.
        tolerances: How exact it has to be.
        probed: How many atoms' forces are compared with finite differences.
        rng: For all that is random.
    """

    calculator: BaseCalculator
    atoms: Atoms
    tolerances: CalculatorTolerances
    probed: int
    rng: np.random.Generator

    def energy(self, atoms: Atoms) -> float:
        """eV, consistent with the forces."""
        free = "free_energy" in self.calculator.implemented_properties
        return float(self._attached(atoms).get_potential_energy(force_consistent=free))

    def forces(self, atoms: Atoms) -> FloatArray:
        """(n, 3) eV/Å."""
        return self._attached(atoms).get_forces(apply_constraint=False)

    def stress(self, atoms: Atoms) -> FloatArray:
        """(3, 3) eV/Å³."""
        if not atoms.pbc.all():
            raise NotApplicable("the structure is not periodic in three directions")
        try:
            return voigt_6_to_full_3x3_stress(self._attached(atoms).get_stress(apply_constraint=False))
        except PropertyNotImplementedError:
            raise NotApplicable("the calculator gives no stress") from None

    def _attached(self, atoms: Atoms) -> Atoms:
        probe = atoms.copy()
        probe.calc = cast(GetPropertiesMixin, self.calculator)
        return probe

    def require_energy(self, found: float, expected: float, *, place: str, rule: str) -> None:
        """Equal up to the tolerance of invariance."""
        scale = abs(expected) + ENERGY_FLOOR * len(self.atoms)
        self._require(np.array(found), np.array(expected), scale, self.tolerances.invariance, f"{place}: energy", rule)

    def require_forces(
        self, found: FloatArray, expected: FloatArray, *, place: str, rule: str, tolerance: float | None = None
    ) -> None:
        """Equal up to a tolerance, by default that of invariance."""
        scale = float(np.abs(expected).max()) + FORCE_FLOOR
        self._require(found, expected, scale, tolerance or self.tolerances.invariance, f"{place}: forces", rule)

    def require_stress(
        self, found: FloatArray, expected: FloatArray, *, place: str, rule: str, tolerance: float | None = None
    ) -> None:
        """Equal up to a tolerance, by default that of invariance."""
        scale = float(np.abs(expected).max()) + STRESS_FLOOR
        self._require(found, expected, scale, tolerance or self.tolerances.invariance, f"{place}: stress", rule)

    @staticmethod
    def _require(
        found: FloatArray, expected: FloatArray, scale: float, tolerance: float, place: str, rule: str
    ) -> None:
        one, other = torch.from_numpy(np.asarray(found)), torch.from_numpy(np.asarray(expected))
        require_close(one, other, scale=scale, tolerance=tolerance, place=place, rule=rule)
