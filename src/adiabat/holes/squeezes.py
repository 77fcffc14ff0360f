"""Crystals under compression, their cell and positions scaled alike."""

from collections.abc import Mapping

import numpy as np
from ase import Atoms

from adiabat.holes.contacts import Pair, nearest_approach
from adiabat.holes.curves import EnergyCurve, descending, energies_along
from adiabat.potential import Potential
from adiabat.typing import FloatArray

SMALLEST = 0.4
"""Of the volume."""

STEP = 0.01
"""Of the volume."""


def squeeze_curves(
    potential: Potential, crystals: Mapping[str, Atoms], contacts: Mapping[Pair, float]
) -> list[EnergyCurve]:
    """Each crystal from its volume down to 40 % of it, from where the energy has to rise.

    That is from the first minimum of the energy on, and at the latest from where atoms are nearer than in the data: a
    crystal may lie at a larger volume than its equilibrium, but not fall through it.

    Args:
        potential: What is asked.
        crystals: By name, as `crystals_of` gives them.
        contacts: Å, by pair, as `contact_distances` gives them.
    """
    return [_curve(potential, name, crystal, contacts) for name, crystal in crystals.items()]


def _curve(potential: Potential, name: str, crystal: Atoms, contacts: Mapping[Pair, float]) -> EnergyCurve:
    fractions = descending(1.0, SMALLEST, STEP)
    path = [_scaled(crystal, fraction) for fraction in fractions]
    energies = energies_along(potential, path)
    first = min(_first_minimum(energies), _first_contact(path, contacts))
    return EnergyCurve(f"squeezed {name}", fractions[first:], "of its volume", energies[first:], path[first:])


def _scaled(crystal: Atoms, fraction: float) -> Atoms:
    scaled = crystal.copy()
    scaled.set_cell(crystal.cell.array * fraction ** (1 / 3), scale_atoms=True)
    return scaled


def _first_minimum(energies: FloatArray) -> int:
    """The last point where the energy never rises."""
    rises = np.flatnonzero(np.diff(energies) > 0)
    return int(rises[0]) if len(rises) else len(energies) - 1


def _first_contact(path: list[Atoms], contacts: Mapping[Pair, float]) -> int:
    """The first point at which two atoms are nearer than their contact distance; the last where none are."""
    for index, atoms in enumerate(path):
        nearest = nearest_approach(atoms, contacts)
        if nearest is not None and nearest.ratio < 1:
            return index
    return len(path) - 1
