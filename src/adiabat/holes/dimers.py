"""Two atoms alone, brought together."""

from collections.abc import Mapping

from ase import Atoms

from adiabat.holes.contacts import NEAREST, Pair, pair_name
from adiabat.holes.curves import EnergyCurve, descending
from adiabat.potential import Potential

STEP = 0.01
"""Å."""


def dimer_curves(potential: Potential, contacts: Mapping[Pair, float]) -> list[EnergyCurve]:
    """For each pair of species two atoms from their contact distance down to `NEAREST`.

    Args:
        potential: What is asked.
        contacts: Å, by pair, as `contact_distances` gives them.
    """
    return [_curve(potential, pair, distance) for pair, distance in contacts.items()]


def _curve(potential: Potential, pair: Pair, contact: float) -> EnergyCurve:
    distances = descending(contact, NEAREST, STEP)
    path = [Atoms(pair, positions=[[0, 0, 0], [0, 0, distance]]) for distance in distances]
    return EnergyCurve.along(f"dimer {pair_name(pair)}", potential, path, distances, "Å")
