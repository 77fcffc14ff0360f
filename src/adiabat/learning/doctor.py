"""Which oracles are there, and whether their forces and stress are derivatives of their energy."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule

from adiabat.errors import OracleError
from adiabat.learning.answer import Answer
from adiabat.learning.oracle import KNOWN, Oracle
from adiabat.learning.process import OracleProcess
from adiabat.results import Result
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

SHIFT_ANGSTROM, STRAIN = 0.01, 0.005
"""Of central differences: large enough for the noise of a converged calculation."""
FORCE_LIMIT_EV_PER_ANGSTROM, STRESS_LIMIT_GPA = 0.02, 1.0
"""Plane waves at a fixed cutoff leave some tenths of a GPa between stress and derivative (Pulay's)."""
TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class Examination:
    """Of one oracle.

    Attributes:
        name: Of the oracle.
        version: Of the code; None where it cannot be used.
        seconds: Of one calculation of the tiny structure.
        force_difference_ev_per_angstrom: Between a force and the central difference of the energy.
        stress_difference_gpa: Between a stress component and the central difference of the energy; None without stress.
        reason: What is wrong; None where nothing is.
        mend: What to do about it.
    """

    name: str
    version: str | None = None
    seconds: float | None = None
    force_difference_ev_per_angstrom: float | None = None
    stress_difference_gpa: float | None = None
    reason: str | None = None
    mend: str | None = None


@dataclass(frozen=True)
class Doctor(Result):
    """Of all oracles that come with what it takes to use them, or of one.

    Attributes:
        oracles: Examined one by one.
    """

    oracles: tuple[Examination, ...]


def examine(oracle: Oracle, folder: Path, *, atoms: Atoms | None = None) -> Examination:
    """Start an oracle, let it compute a structure, and hold its forces and stress against differences of its energy.

    Args:
        oracle: Which.
        folder: To run in.
        atoms: The structure, not at rest; a tiny one of silicon, or a water molecule, by default.
    """
    try:
        process = OracleProcess(oracle, folder)
    except OracleError as error:
        return Examination(oracle.name, reason=error.what, mend=error.mend)
    with process:
        try:
            return _examined(oracle.name, process, atoms or tiny_structure(oracle.name))
        except OracleError as error:
            mend = "give a structure and settings that it can compute: --structure FILE, --set KEY=VALUE"
            return Examination(oracle.name, process.code.version, reason=error.what, mend=mend)


def tiny_structure(name: str) -> Atoms:
    """What an oracle is tried on: a bent water molecule, or two atoms of strained silicon."""
    atoms = molecule("H2O") if name == "pyscf" else bulk("Si")
    atoms.rattle(0.08, seed=1)
    if atoms.pbc.all():
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.02 * np.array([[1, 0.5, 0], [0.5, 0, 0], [0, 0, -1]])), True)
    return atoms


def _examined(name: str, process: OracleProcess, atoms: Atoms) -> Examination:
    at = process.ask(atoms, timeout_s=TIMEOUT_S)
    force = _force_difference(process, atoms, at)
    stress = None if at.labels.stress is None else _stress_difference(process, atoms, at.labels.stress)
    wrong = []
    if at.converged is False:
        wrong.append("it did not converge")
    if force > FORCE_LIMIT_EV_PER_ANGSTROM:
        wrong.append(f"a force is {force:.3g} eV/Å from the derivative of the energy")
    if stress is not None and stress > STRESS_LIMIT_GPA:
        wrong.append(f"a stress is {stress:.3g} GPa from the derivative of the energy")
    mend = (
        "tighten its convergence, cutoff or grid; see whether energy and forces are of one surface" if wrong else None
    )
    return Examination(name, process.code.version, at.seconds, force, stress, "; ".join(wrong) or None, mend)


def _force_difference(process: OracleProcess, atoms: Atoms, at: Answer) -> float:
    forces = at.labels.forces
    assert forces is not None
    atom, axis = np.unravel_index(np.abs(forces).argmax(), forces.shape)

    def energy(shift: float) -> float:
        moved = atoms.copy()
        moved.positions[atom, axis] += shift
        return _energy(process, moved)

    return float(abs(forces[atom, axis] + _slope(energy, SHIFT_ANGSTROM)))


def _stress_difference(process: OracleProcess, atoms: Atoms, stress: FloatArray) -> float:
    def energy(strain: float) -> float:
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ np.diag([1 + strain, 1, 1]), scale_atoms=True)
        return _energy(process, strained)

    slope = _slope(energy, STRAIN) / atoms.get_volume()
    return float(abs(stress[0, 0] - slope) * GPA_PER_EV_PER_CUBIC_ANGSTROM)


def _slope(energy: Callable[[float], float], step: float) -> float:
    """dE/dx at 0 by central differences of two widths, the error of the wider one taken off (L. F. Richardson)."""
    wide, narrow = ((energy(h) - energy(-h)) / (2 * h) for h in (step, step / 2))
    return (4 * narrow - wide) / 3


def _energy(process: OracleProcess, atoms: Atoms) -> float:
    energy = process.ask(atoms, timeout_s=TIMEOUT_S).labels.energy
    assert energy is not None
    return energy


def known_oracles(python: str | None) -> list[Oracle]:
    """All that come with what it takes to use them, quick."""
    return [Oracle.named(name, settings=known.quick, python=python) for name, known in KNOWN.items()]
