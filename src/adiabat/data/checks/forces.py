"""Checks of the forces as a whole."""

import numpy as np

from adiabat.data.checks.geometry import CLOSEST
from adiabat.data.findings import Finding
from adiabat.data.survey import Survey
from adiabat.neighbors import pair_vectors
from adiabat.system import Labelled

NET_FORCE = 0.01
"""eV/Å per atom: more than the grid ("egg-box") error of a converged calculation."""
NET_FRACTION = 0.02
"""Of the root mean square force."""
SURROUNDINGS = 5.0
"""Å, within which the neighbours of an atom are looked at."""
LOPSIDED = 0.01
"""Weighted sum of unit vectors to the neighbours: about that of an atom 0.01 Å off a symmetric site."""


def net_force(survey: Survey) -> list[Finding]:
    """Forces that do not sum to zero."""
    places, largest = [], 0.0
    for structure in survey.structures:
        net = net_force_of(structure)
        if net is not None:
            places.append(f"{structure.place} ({net:.3g} eV/Å per atom)")
            largest = max(largest, net)
    if not places:
        return []
    return [
        Finding(
            "net-force",
            "warning",
            f"the forces of {len(places)} structures do not sum to zero: up to {largest:.3g} eV/Å per atom",
            tuple(places),
            "without an outer field the forces on a structure sum to zero; no potential can fit a net force",
            "converge the calculations (grid, SCF), and see whether forces were edited, fixed or are of a part only",
        )
    ]


def net_force_of(structure: Labelled) -> float | None:
    """eV/Å per atom, of forces that do not sum to zero; None where they do, or are none."""
    forces = structure.labels.forces
    if forces is None or structure.is_isolated_atom:
        return None
    net = float(np.linalg.norm(forces.mean(axis=0)))
    return net if net > NET_FORCE + NET_FRACTION * np.sqrt((forces**2).sum(axis=1).mean()) else None


def zero_forces(survey: Survey) -> list[Finding]:
    """Forces that are all exactly zero where no symmetry makes them so: what was not there, written as zeros."""
    is_zero = survey.not_isolated & (survey.largest_force() == 0) & (survey.distances.least() > CLOSEST)
    zero = [index for index in np.flatnonzero(is_zero).tolist() if _is_lopsided(survey.structures[index])]
    if not zero:
        return []
    return [
        Finding(
            "zero-forces",
            "error",
            f"all forces of {len(zero)} structures are exactly zero, although nothing in their geometry makes them so",
            survey.places(zero),
            "a missing label is absent, never zero",
            "take the forces off the structures that have none",
        )
    ]


def _is_lopsided(structure: Labelled) -> bool:
    """Whether an atom has no symmetric surroundings: in symmetric ones the weighted directions cancel for any weight."""
    first, second, vectors = pair_vectors(structure.atoms, SURROUNDINGS)
    distances = np.linalg.norm(vectors, axis=1, keepdims=True)
    pulls = vectors / distances * (1 - (distances / SURROUNDINGS) ** 2) ** 3
    weight = structure.atoms.numbers[:, None] / structure.atoms.numbers.mean()
    sums = np.zeros((len(structure.atoms), 3))
    np.add.at(sums, first, weight[second] * pulls)
    np.add.at(sums, second, -weight[first] * pulls)
    return bool(np.linalg.norm(sums, axis=1).max() > LOPSIDED)
