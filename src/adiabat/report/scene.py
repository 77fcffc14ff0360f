"""A structure in three dimensions, as plain values for the page's script: spheres, half bonds, the edges of the cell."""

from itertools import product
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from ase.neighborlist import neighbor_list

from adiabat.report.plots import shown
from adiabat.results import StructureView, plain
from adiabat.typing import FloatArray

SPHERE_RADIUS = 0.42
"""Of an atom, in covalent radii: bonds stay visible between atoms."""
BOND_STRETCH = 1.15
"""A pair closer than this times the sum of its covalent radii is drawn as bonded."""
MOST_BONDS = 6
"""Of an atom; bonds between two that have more (close-packed metals) are not drawn: they would hide what they connect."""


def scene(view: StructureView) -> dict[str, Any]:
    """Positions and lengths in Å, every text escaped.

    Raises:
        ValueError: There is not one finite value for each atom.
    """
    atoms, values = view.atoms, view.values
    if values is not None and (np.shape(values) != (len(atoms),) or not np.isfinite(values).all()):
        raise ValueError(f"'{view.title}' has not one finite value for each of its {len(atoms)} atoms")
    return {
        "positions": plain(atoms.positions.round(3)),
        "radii": plain((SPHERE_RADIUS * covalent_radii[atoms.numbers]).round(3)),
        "colours": [_hex(jmol_colors[number]) for number in atoms.numbers],
        "values": None if values is None else plain(values),
        "valueLabel": shown(view.value_label),
        "texts": _texts(view),
        "bonds": plain(_half_bonds(atoms).round(3)),
        "cell": plain(_cell_edges(atoms).round(3)),
        "elements": [
            {"symbol": chemical_symbols[number], "colour": _hex(jmol_colors[number])}
            for number in sorted(set(atoms.numbers.tolist()))
        ],
    }


def _texts(view: StructureView) -> list[str]:
    names = [f"{symbol} {index}" for index, symbol in enumerate(view.atoms.get_chemical_symbols())]
    if view.values is None:
        return names
    label = shown(view.value_label)
    return [f"{name}<br>{label}: {value:.4g}" for name, value in zip(names, view.values, strict=True)]


def _hex(colour: FloatArray) -> str:
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in colour)


def _half_bonds(atoms: Atoms) -> FloatArray:
    """(B, 2, 3) from each atom to the middle of each of its bonds, so that bonds across a cell's face show at both ends."""
    center, neighbor, vector = neighbor_list("ijD", atoms, BOND_STRETCH * covalent_radii[atoms.numbers])
    crowded = np.bincount(center, minlength=len(atoms)) > MOST_BONDS
    kept = ~(crowded[center] & crowded[neighbor])
    start = atoms.positions[center[kept]].reshape(-1, 3)
    return np.stack([start, start + 0.5 * vector[kept].reshape(-1, 3)], axis=1)


def _cell_edges(atoms: Atoms) -> FloatArray:
    """(E, 2, 3) edges of what the cell's vectors along periodic directions span: a box, a parallelogram, a line."""
    vectors = list(atoms.cell.array[atoms.pbc])
    edges = [
        np.array([corner, corner + vector])
        for index, vector in enumerate(vectors)
        for corner in _corners([other for place, other in enumerate(vectors) if place != index])
    ]
    return np.array(edges).reshape(-1, 2, 3)


def _corners(vectors: list[FloatArray]) -> list[FloatArray]:
    """All sums of some of the vectors."""
    return [
        sum((weight * vector for weight, vector in zip(weights, vectors, strict=True)), start=np.zeros(3))
        for weights in product((0, 1), repeat=len(vectors))
    ]
