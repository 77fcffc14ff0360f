"""The stress: symmetric, and the derivative of the energy by the strain."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms

from adiabat.errors import PropertyUnavailable
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM
from adiabat.validation.check import Case, CheckResult

STEPS, WEIGHTS = np.array([-2, -1, 1, 2]), np.array([1.0, -8.0, 8.0, -1.0]) / 12
STRAIN = 2e-3
RATTLE = 0.03
"""Å: a crystal's symmetry would hide wrong components."""
FLOOR = 0.1 / GPA_PER_EV_PER_CUBIC_ANGSTROM
"""eV/Å³, added to the largest component: 0.1 GPa."""
LIMIT = 0.01
"""Of the largest component. A sign, a factor, a transposed or missing part are far beyond; rounding in single precision is not."""


class StressCheck:
    """Against five-point differences of the energy under each of nine strains."""

    name: ClassVar[str] = "stress"

    def evaluations(self, case: Case) -> int:
        """Four energies for each strain."""
        return 1 + 9 * len(STEPS) if case.start.pbc.all() else 0

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Symmetry, and the derivative."""
        if not case.start.pbc.all():
            why = f"not made: a stress takes three periodic directions, the start is periodic along {case.start.pbc.tolist()}"
            return [CheckResult("stress", None, None, None, "", why)]
        atoms = case.start.copy()
        atoms.rattle(RATTLE, seed=case.config.seed)
        try:
            stress = case.subject.values(atoms, stress=True).stress
        except PropertyUnavailable as error:
            return [CheckResult("stress", None, None, None, "", f"not made: {error.what}")]
        case.clock.tick()
        if stress is None:
            raise TypeError("a stress was asked for, and did not come")
        numerical = _numerical(case, atoms)
        scale = float(np.abs(numerical).max()) + FLOOR
        skew = float(np.abs(stress - stress.T).max()) / scale
        off = float(np.abs(stress - numerical).max()) / scale
        return [
            _judged("stress is symmetric", skew, "differs from its transpose"),
            _judged(
                "stress is the derivative of the energy", off, f"differs from the derivative{_kind(stress, numerical)}"
            ),
        ]


def _numerical(case: Case, atoms: Atoms) -> FloatArray:
    """(3, 3) eV/Å³."""
    found = np.zeros((3, 3))
    for row in range(3):
        for column in range(3):
            strain = np.zeros((3, 3))
            strain[row, column] = STRAIN
            energies = case.subject.energies_ev([_strained(atoms, step * 0.5 * (strain + strain.T)) for step in STEPS])
            case.clock.tick(len(STEPS))
            found[row, column] = energies @ WEIGHTS / STRAIN
    return found / atoms.get_volume()


def _strained(atoms: Atoms, strain: FloatArray) -> Atoms:
    strained = atoms.copy()
    strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return strained


def _judged(name: str, value: float, what: str) -> CheckResult:
    passed = value <= LIMIT
    found = f"{what} by {value:.2g} of its largest component + 0.1 GPa"
    return CheckResult(name, passed, value, LIMIT, "", f"{found}; {LIMIT:g} is seen.")


def _kind(stress: FloatArray, numerical: FloatArray) -> str:
    """What the difference looks like, where it looks like something."""
    size = float(np.abs(numerical).max()) + FLOOR
    if np.abs(stress - numerical).max() <= LIMIT * size:
        return ""
    if np.abs(stress + numerical).max() <= LIMIT * size:
        return " (it has the wrong sign)"
    factor = float((stress * numerical).sum() / (numerical**2).sum())
    if np.abs(stress - factor * numerical).max() <= LIMIT * size * abs(factor):
        return f" (it is {factor:.3g} times that)"
    return ""
