"""The two ends of a path: the same atoms in the same order and cell, each at rest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.data import chemical_symbols
from ase.geometry import find_mic

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.relaxation import RelaxationSettings, relax, require_at_rest
from adiabat.typing import FloatArray

SAME_ANGSTROM = 0.05
"""Below which no atom has moved: both ends are one minimum."""

TIGHT = RelaxationSettings(force_tolerance_ev_per_angstrom=1e-3, steps=1000)


class OneMinimum(StructureError):
    """Both ends come to rest in the same place: there is no path between them."""


@dataclass(frozen=True)
class Ends:
    """Where a path begins and ends.

    Attributes:
        first: At rest.
        last: At rest, its atoms next to where they stand in the first: no path crosses the cell.
        moves: (N,) bool: atoms that are not held.
    """

    first: Atoms
    last: Atoms
    moves: np.ndarray


def path_ends(first: Atoms, last: Atoms, potential: Potential, *, relax_first: bool = True) -> Ends:
    """Two structures made ready for a path between them.

    Args:
        first: Where it begins. Atoms held by `FixAtoms` stay, and are the same in both.
        last: Where it ends.
        potential: Under which both are at rest.
        relax_first: Otherwise they must be at rest as they are given.

    Raises:
        StructureError: They differ in their atoms, the order of these, the cell or the atoms that are held; or they are not at rest.
        OneMinimum: They come to rest in one minimum.
        SimulationError: One of them does not come to rest.
    """
    _require_alike(first, last)
    if relax_first:
        first, last = _relaxed(first, last, potential)
    else:
        for atoms in (first, last):
            require_at_rest(atoms, potential, cell=False)
    moved = nearest_images(last.positions - first.positions, first)
    lengths = np.linalg.norm(moved, axis=1)
    if lengths.max() < SAME_ANGSTROM:
        raise OneMinimum(
            f"no atom moves by more than {lengths.max():.3g} Å between the ends at rest",
            place="path",
            rule="a path leads from one minimum to another",
            mend="give ends farther apart: where one slides into the other, there is no barrier between them",
        )
    last = last.copy()
    last.set_positions(first.positions + moved, apply_constraint=False)
    return Ends(first, last, ~_held(first))


def _relaxed(first: Atoms, last: Atoms, potential: Potential) -> tuple[Atoms, Atoms]:
    found = relax([first, last], potential, TIGHT)
    for name, one in zip(("first", "last"), found, strict=True):
        if not one.converged:
            raise SimulationError(
                f"the {name} structure does not come to rest",
                place=f"path of {one.formula}",
                rule="a path leads from one minimum to another",
                mend=one.advice,
            )
    return found[0].atoms, found[1].atoms


def _held(atoms: Atoms) -> np.ndarray:
    held = np.zeros(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            held[constraint.index] = True
    return held


def _require_alike(first: Atoms, last: Atoms) -> None:
    if first.get_chemical_formula() != last.get_chemical_formula():
        _refuse(
            f"the first is {first.get_chemical_formula()}, the last {last.get_chemical_formula()}",
            "hold the same atoms",
        )
    if (first.numbers != last.numbers).any():
        atom = int((first.numbers != last.numbers).argmax())
        pair = [chemical_symbols[atoms.numbers[atom]] for atoms in (first, last)]
        _refuse(f"atom {atom} is {pair[0]} in the first and {pair[1]} in the last", "hold their atoms in one order")
    if (first.pbc != last.pbc).any() or not np.allclose(first.cell.array, last.cell.array, atol=1e-4):
        _refuse(f"the cells are {_cell(first.cell.array)} and {_cell(last.cell.array)}", "have one cell")
    if (_held(first) != _held(last)).any():
        _refuse("other atoms are held in the first than in the last", "hold the same atoms (FixAtoms)")


def _cell(cell: FloatArray) -> str:
    return str(np.round(cell, 4).tolist())


def _refuse(what: str, rule: str) -> None:
    raise StructureError(
        what, place="path", rule=f"both ends {rule}", mend="make one end from the other, by moving its atoms"
    )


def nearest_images(vectors: FloatArray, atoms: Atoms) -> FloatArray:
    """(N, 3) the shortest that a cell's periodic directions make of vectors."""
    periodic: Any = atoms.pbc
    return np.asarray(find_mic(vectors, atoms.cell, periodic)[0], dtype=np.float64)
