"""The contract of an ASE calculator, for any: ours, a quantum-mechanical code, somebody else's potential."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator

from adiabat.testing.calculator_checks import CHECKS
from adiabat.testing.calculator_subject import CalculatorTolerances, NotApplicable, Subject
from adiabat.testing.violation import ContractViolation


@dataclass(frozen=True)
class CalculatorReport:
    """What a contract found in order.

    Attributes:
        kept: Names of the checks that were made, all of them passed.
        skipped: Names of those that do not apply, with the reason.
    """

    kept: tuple[str, ...]
    skipped: dict[str, str]


def check_ase_calculator(
    calculator: BaseCalculator,
    atoms: Atoms,
    *,
    tolerances: CalculatorTolerances | None = None,
    probed: int = 6,
    rattle: float = 0.05,
    seed: int = 0,
) -> CalculatorReport:
    """Everything that whoever uses an ASE calculator relies on.

    Forces are minus the gradient of the (free) energy, stress is its derivative with the strain over the volume, in ASE's
    sign and order. Nothing changes under translation, rotation, permutation, and another choice of periodic images. A
    doubled cell has twice the energy and the same forces. Results follow the structure, whatever was asked before. Along a
    path the energy changes by the work of the forces, without jumps. The structure is left as it is.

    Args:
        calculator: What is checked; about 24 `probed` + 300 evaluations.
        atoms: A structure that it can evaluate.
        tolerances: How exact it has to be.
        probed: Atoms whose forces are compared with finite differences (chosen at random where there are more).
        rattle: Å; the atoms are moved by about so much before all else, since symmetry hides faults.
        seed: Of all that is random.

    Returns:
        What was checked.

    Raises:
        ContractViolation: With every check that failed.
    """
    rng = np.random.default_rng(seed)
    base = atoms.copy()
    base.set_constraint()
    base.positions += rng.normal(0, rattle, base.positions.shape)
    subject = Subject(calculator, base, tolerances or CalculatorTolerances(), probed, rng)
    kept: list[str] = []
    skipped: dict[str, str] = {}
    broken: list[ContractViolation] = []
    for name, check in CHECKS.items():
        try:
            check(subject)
            kept.append(name)
        except NotApplicable as reason:
            skipped[name] = str(reason)
        except ContractViolation as violation:
            broken.append(violation)
    if broken:
        raise ContractViolation(
            f"{type(calculator).__name__} on {atoms.get_chemical_formula()}",
            value="\n".join([f"{len(broken)} of {len(kept) + len(broken)} checks failed", *map(str, broken)]),
            rule="an ASE calculator keeps all of them",
        )
    return CalculatorReport(tuple(kept), skipped)
