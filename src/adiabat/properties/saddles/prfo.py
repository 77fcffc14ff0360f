"""Partitioned rational-function optimisation: a saddle by the exact Hessian, quadratically near it.

A. Banerjee et al., J. Phys. Chem. 89, 52 (1985); J. Baker, J. Comput. Chem. 7, 385 (1986).
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.errors import PropertyUnavailable
from adiabat.potential import Potential
from adiabat.potential.hessian import hessian
from adiabat.properties.arrays import evaluated
from adiabat.properties.force_constants import force_constants
from adiabat.properties.paths.modes import free_motions
from adiabat.typing import FloatArray

EXACT_ATOMS = 20
"""Up to so many atoms second derivatives are exact, by differentiating the reference; beyond, differences of compiled forces are far cheaper."""

LONGEST_ANGSTROM = 0.2
"""Of a step, over all atoms together."""


@dataclass(frozen=True)
class Stationary:
    """Where the search came to.

    Attributes:
        atoms: The structure.
        energy_ev: Of it.
        largest_force_ev_per_angstrom: On an atom that moves.
        negative: Curvatures below zero.
        steps: Hessians that were taken.
        converged: No force, and one negative curvature.
    """

    atoms: Atoms
    energy_ev: float
    largest_force_ev_per_angstrom: float
    negative: int
    steps: int
    converged: bool


def partitioned_rational_function(
    atoms: Atoms,
    potential: Potential,
    *,
    moves: np.ndarray,
    direction: FloatArray | None = None,
    force_tolerance_ev_per_angstrom: float = 1e-4,
    steps: int = 50,
) -> Stationary:
    """Up one mode and down all others, by the Hessian.

    It is exact for few atoms, and taken by differences of forces for many, or where a part has no second derivatives.

    Args:
        atoms: Where to begin.
        potential: On whose surface.
        moves: (N,) bool: atoms that are not held.
        direction: (N, 3) whose nearest mode is followed up; by default the lowest.
        force_tolerance_ev_per_angstrom: On each atom.
        steps: At most.
    """
    at, followed = atoms.copy(), direction
    for step in range(steps + 1):
        energy, forces = evaluated(potential, [at], "energy", "forces")
        forces = forces * moves[:, None]
        away = _internal(at, moves)
        curvatures, vectors = np.linalg.eigh(away.T @ _constants(at, potential) @ away)
        modes = away @ vectors
        largest = float(np.linalg.norm(forces, axis=1).max())
        negative = int((curvatures < 0).sum())
        done = largest < force_tolerance_ev_per_angstrom
        if done or step == steps:
            return Stationary(at, float(energy[0]), largest, negative, step, done and negative == 1)
        up = 0 if followed is None else int(np.abs(modes.T @ followed.ravel()).argmax())
        followed = modes[:, up].reshape(-1, 3) if followed is not None else None
        at.set_positions(
            at.positions + (modes @ _step(-modes.T @ forces.ravel(), curvatures, up)).reshape(-1, 3),
            apply_constraint=False,
        )
    raise AssertionError  # the loop ends inside


def _constants(atoms: Atoms, potential: Potential) -> FloatArray:
    if len(atoms) > EXACT_ATOMS:
        return force_constants(atoms, potential)
    try:
        return hessian(atoms, potential)
    except PropertyUnavailable:
        return force_constants(atoms, potential)


def _internal(atoms: Atoms, moves: np.ndarray) -> FloatArray:
    """(3N, k) an orthonormal basis of what atoms can do, free motions of the whole left out."""
    basis = np.eye(3 * len(atoms))[:, np.repeat(moves, 3)]
    if not moves.all():
        return basis
    whole = free_motions(atoms, np.ones(len(atoms)))
    return np.linalg.svd(whole, full_matrices=True)[0][:, whole.shape[1] :]


def _step(gradient: FloatArray, curvatures: FloatArray, up: int) -> FloatArray:
    """(k,) along the modes: the stationary point of two rational functions, one maximised and one minimised."""
    rest = np.arange(len(curvatures)) != up
    highest = 0.5 * (curvatures[up] + np.hypot(curvatures[up], 2 * gradient[up]))
    step = np.zeros_like(gradient)
    if gradient[up] != 0:
        step[up] = gradient[up] / (highest - curvatures[up])
    if rest.any():
        bordered = np.zeros((rest.sum() + 1,) * 2)
        bordered[:-1, :-1] = np.diag(curvatures[rest])
        bordered[-1, :-1] = bordered[:-1, -1] = gradient[rest]
        lowest = float(np.linalg.eigvalsh(bordered)[0])
        step[rest] = -gradient[rest] / np.maximum(curvatures[rest] - lowest, 1e-8)
    return step * min(1.0, LONGEST_ANGSTROM / max(float(np.linalg.norm(step)), 1e-12))
