"""Two atoms of each pair of species: repelled all the way in, and smoothly."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms

from adiabat.holes import EnergyCurve, Pair, deepest_hole, pair_name
from adiabat.results import Figure, Line
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.work import smoothness

NEAREST_OF_CONTACT = 0.35
"""Of the shortest distance in the data: nearer no simulation below 10⁵ K takes two atoms."""
FURTHEST = 12.0
"""Å, of dimers, where the reach is not known."""
WITHIN = 1e-3
"""Å, by which dimers stay within the cutoff: of an atom alone not every potential has an energy."""
STEP = 0.01
"""Å."""
DEEPEST_EV = 1e-3
"""By which the energy may fall on the way in."""
BOND = 0.75
"""Of the contact distance: two atoms alone are bound more tightly than in matter, but not by more than this."""
SMOOTH_FROM = 0.7
"""Of the contact distance: nearer in, curvature is too large for the rule by which work is summed."""


class DimerCheck:
    """For each pair of species two atoms, from the reach down to a third of their contact distance."""

    name: ClassVar[str] = "dimers"

    def evaluations(self, case: Case) -> int:
        """All points of all pairs."""
        return sum(len(_distances(case, pair)) for pair in case.contacts)

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Repulsion and smoothness of each pair."""
        return [result for pair in case.contacts for result in _dimer(case, pair)]


def _distances(case: Case, pair: Pair) -> FloatArray:
    """Å, descending."""
    potential = case.subject.potential
    reach = FURTHEST if potential is None else min(potential.cutoff - WITHIN, FURTHEST)
    nearest = NEAREST_OF_CONTACT * case.contacts[pair]
    steps = int((reach - nearest) / STEP)
    return np.linspace(nearest + steps * STEP, nearest, steps + 1)


def _dimer(case: Case, pair: Pair) -> list[CheckResult]:
    distances, contact, name = _distances(case, pair), case.contacts[pair], pair_name(pair)
    path = [Atoms(pair, positions=[[0, 0, 0], [0, 0, distance]]) for distance in distances]
    energies, pulls = _along(case, path)
    inner = distances <= repelled_from(distances, energies, contact)
    curve = EnergyCurve(f"dimer {name}", distances[inner], "Å", energies[inner], [])
    hole = deepest_hole(curve)
    depth = 0.0 if hole is None else hole.depth_ev
    figure = Figure(
        name=f"validate-dimer-{name}",
        title=f"Two atoms: {name}",
        x_label="distance (Å)",
        y_label="energy (eV)",
        marks=(
            Line(distances[energies < energies[0] + 50], energies[energies < energies[0] + 50] - energies[0], name),
        ),
        note=f"Nearer than {distances[inner][0]:.3g} Å the energy has to rise; the contact distance of the data is {contact:.3g} Å.",
    )
    place = f"from {distances[inner][0]:.3g} to {distances[-1]:.3g} Å"
    repelled = (
        f"rises {place}" if hole is None else f"falls by {depth:.3g} eV from {hole.top:.3g} to {hole.bottom:.3g} Å"
    )
    results = [
        CheckResult(
            f"dimer {name} is repulsive",
            depth <= DEEPEST_EV,
            depth,
            DEEPEST_EV,
            "eV",
            f"the energy {repelled}.",
            (figure,),
        )
    ]
    outer = distances >= SMOOTH_FROM * contact
    return [*results, smoothness(f"dimer {name} is smooth", distances[outer], energies[outer], pulls[outer])]


def _along(case: Case, path: list[Atoms]) -> tuple[FloatArray, FloatArray]:
    """(P,) eV, and eV/Å along the distance."""
    energies, pulls = [], []
    for atoms in path:
        found = case.subject.values(atoms)
        case.clock.tick()
        energies.append(found.energy_ev)
        pulls.append(float(found.forces[1, 2]))
    return np.array(energies), np.array(pulls)


def repelled_from(distances: FloatArray, energies: FloatArray, contact: float) -> float:
    """Å, from where the energy has to rise inwards: the bond of two atoms alone, and no further out than the contact distance."""
    bound = distances >= BOND * contact
    return min(contact, float(distances[bound][int(energies[bound].argmin())]))
