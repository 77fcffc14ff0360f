"""Relaxation by Newton's method with exact Hessians in a region of trust, and how good its steps are.

J. Nocedal and S. J. Wright, Numerical Optimization (2006), chapter 4.
"""

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import PropertyUnavailable
from adiabat.potential import Potential
from adiabat.potential.hessian import hessian
from adiabat.properties.arrays import evaluated
from adiabat.properties.force_constants import force_constants, without_translations
from adiabat.results import EXACT, IN_MEMORY, Result
from adiabat.typing import FloatArray

FIRST_RADIUS, LARGEST_RADIUS = 0.2, 0.5
"""Å, of the farthest moved atom."""

POOR, GOOD = 0.25, 0.75
"""Actual over predicted decrease, below which a region of trust shrinks, and above which it grows."""

NOISE_EV = 1e-11
"""Of an energy, relative to it: a smaller predicted decrease says nothing of a step's quality."""


@dataclass(frozen=True)
class NewtonRelaxation(Result):
    """A structure relaxed in its cell, step by step.

    Attributes:
        converged: Whether the largest force is within the tolerance.
        exact_hessian: Whether Hessians were exact, or by finite differences of forces.
        energies_ev: (steps + 1) after each accepted step.
        decrease_ratios: (tried steps) actual over predicted decrease of the energy: one where the energy is a parabola; not a number
            where the decrease is lost in rounding.
        lowest_curvatures_ev_per_square_angstrom: (Hessians) the lowest eigenvalue of each, translations left out.
        positive_definite: Whether that of the last is positive: the structure is a minimum.
        largest_force_ev_per_angstrom: At the end.
        atoms: The structure at the end.
    """

    converged: bool
    exact_hessian: bool
    energies_ev: FloatArray = field(metadata=EXACT)
    decrease_ratios: FloatArray = field(metadata=EXACT)
    lowest_curvatures_ev_per_square_angstrom: FloatArray = field(metadata=EXACT)
    positive_definite: bool
    largest_force_ev_per_angstrom: float = field(metadata=EXACT)
    atoms: Atoms = field(metadata=IN_MEMORY)


def newton(
    atoms: Atoms, potential: Potential, *, force_tolerance_ev_per_angstrom: float = 1e-6, steps: int = 50
) -> NewtonRelaxation:
    """Relax atoms in their cell by steps that minimise the energy's parabola within a region of trust.

    Args:
        atoms: Where to begin; small, for each step takes a Hessian.
        potential: What is followed; of parts that cannot be differentiated twice, Hessians are by finite differences.
        force_tolerance_ev_per_angstrom: Of the largest force on an atom.
        steps: At most.
    """
    here, radius = atoms.copy(), FIRST_RADIUS
    keep = without_translations(atoms, np.ones(len(atoms)))
    energy, forces = _evaluated(here, potential)
    constants, exact = _constants(here, potential)
    energies, ratios, lowest = [energy], [], [_lowest(constants, keep)]
    for _ in range(steps):
        if _largest(forces) <= force_tolerance_ev_per_angstrom:
            break
        step = trusted_step(keep @ constants @ keep, -keep @ forces.ravel(), radius)
        predicted = float(forces.ravel() @ step - 0.5 * step @ constants @ step)
        tried = here.copy()
        tried.set_positions(here.positions + step.reshape(-1, 3), apply_constraint=False)
        new_energy, new_forces = _evaluated(tried, potential)
        told = predicted > NOISE_EV * max(1.0, abs(energy))
        ratio = (energy - new_energy) / predicted if told else np.nan
        ratios.append(ratio)
        radius = _radius(radius, ratio)
        if told and ratio <= 0:
            continue
        here, energy, forces = tried, new_energy, new_forces
        energies.append(energy)
        constants, _ = _constants(here, potential)
        lowest.append(_lowest(constants, keep))
    largest = _largest(forces)
    return NewtonRelaxation(
        converged=largest <= force_tolerance_ev_per_angstrom,
        exact_hessian=exact,
        energies_ev=np.array(energies),
        decrease_ratios=np.array(ratios),
        lowest_curvatures_ev_per_square_angstrom=np.array(lowest),
        positive_definite=lowest[-1] > 0,
        largest_force_ev_per_angstrom=largest,
        atoms=here,
    )


def trusted_step(curvature: FloatArray, gradient: FloatArray, radius: float) -> FloatArray:
    """(3N,) Å, the minimum of a parabola within a sphere whose size keeps every atom within the radius.

    The curvature is shifted until the step is short enough, and its eigenvalues are positive: saddles are left downhill.

    Args:
        curvature: (3N, 3N) eV/Å².
        gradient: (3N,) eV/Å, of the energy; what it has along directions without curvature is not followed.
        radius: Å.
    """
    values, vectors = np.linalg.eigh(curvature)
    along = vectors.T @ gradient
    along[np.abs(values) < 1e-9 * np.abs(values).max()] = 0.0

    def step(shift: float) -> FloatArray:
        safe = np.where(along == 0, 1.0, values + shift)
        return np.asarray(-vectors @ (along / safe), dtype=np.float64)

    lowest = float(values[along != 0].min(initial=np.inf))
    shift = 0.0 if lowest > 0 else -lowest + 1e-6 * float(np.abs(values).max())
    while np.linalg.norm(step(shift).reshape(-1, 3), axis=1).max() > radius:
        shift = max(2 * shift, 1e-3 * float(np.abs(values).max()))
    return step(shift)


def _radius(radius: float, ratio: float) -> float:
    if np.isnan(ratio):
        return radius
    if ratio < POOR:
        return 0.25 * radius
    return min(2 * radius, LARGEST_RADIUS) if ratio > GOOD else radius


def _evaluated(atoms: Atoms, potential: Potential) -> tuple[float, FloatArray]:
    energy, forces = evaluated(potential, [atoms], "energy", "forces")
    return float(energy[0]), forces


def _constants(atoms: Atoms, potential: Potential) -> tuple[FloatArray, bool]:
    try:
        return hessian(atoms, potential), True
    except PropertyUnavailable:
        return force_constants(atoms, potential), False


def _lowest(constants: FloatArray, keep: FloatArray) -> float:
    """Of the eigenvalues; the three that were projected out are zero to rounding."""
    values = np.linalg.eigvalsh(keep @ constants @ keep)
    return float(np.delete(values, np.argsort(np.abs(values))[:3]).min())


def _largest(forces: FloatArray) -> float:
    return float(np.linalg.norm(forces, axis=1).max())
