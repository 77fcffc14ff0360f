"""Made structures that a potential is first trained on: around the start structure, displaced, strained, denser, thinner."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from adiabat.data import measure_distances
from adiabat.system import Labelled

DISPLACED = (0.01, 0.08)
"""Standard deviation, of the shortest distance."""
STRAINED = 0.05
"""Largest component."""


def isolated_atoms(atoms: Atoms) -> list[Labelled]:
    """One of each species: energies are counted from theirs."""
    return [
        Labelled(Atoms(symbol, [[0.0, 0.0, 0.0]]), config_type="IsolatedAtom", place=f"isolated {symbol}")
        for symbol in sorted(set(atoms.get_chemical_symbols()))
    ]


def around(atoms: Atoms, count: int, *, volumes: Sequence[float], seed: int) -> list[Labelled]:
    """Structures around a given one.

    Args:
        atoms: The start structure.
        count: How many.
        volumes: Relative to its own, from, to; of periodic structures.
        seed: Of what is drawn.
    """
    rng = np.random.default_rng(seed)
    shortest = float(measure_distances([Labelled(atoms)], quiet=True).least()[0])
    amplitudes = np.geomspace(*DISPLACED, count) * shortest
    return [
        Labelled(_changed(atoms, amplitude, volumes, rng), config_type="made", place=f"made structure {number}")
        for number, amplitude in enumerate(amplitudes)
    ]


def _changed(atoms: Atoms, amplitude: float, volumes: Sequence[float], rng: np.random.Generator) -> Atoms:
    found = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if atoms.pbc.all():
        strain = rng.uniform(-STRAINED, STRAINED, (3, 3))
        strain = 0.5 * (strain + strain.T)
        strain += np.eye(3) * (1 - np.trace(strain) / 3)
        scale = float(rng.uniform(volumes[0], volumes[1])) ** (1 / 3)
        found.set_cell(scale * atoms.cell.array @ strain, scale_atoms=True)
    found.positions += rng.normal(scale=amplitude, size=found.positions.shape)
    return found
