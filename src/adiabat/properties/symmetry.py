"""Symmetry: the operations that take a crystal to itself, and what they make of vectors and tensors in its axes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.typing import FloatArray, IntArray

TOLERANCE_ANGSTROM = 1e-3
"""By which atoms may miss the places that an operation takes them to."""


@dataclass(frozen=True)
class Symmetry:
    """The space group of a crystal, as it lies in its axes.

    Attributes:
        name: Its international symbol and number: ``Fd-3m (227)``.
        rotations: (G, 3, 3), each acts on row vectors from the right; one for each operation of the cell.
        fractional: (G, 3, 3) the same in the cell's vectors, acting on columns.
        shifts: (G, 3) in the cell's vectors.
        images: (G, N) where an operation takes each atom.
        orbits: (N,) the first atom that is equivalent to each.
    """

    name: str
    rotations: FloatArray
    fractional: FloatArray
    shifts: FloatArray
    images: IntArray
    orbits: IntArray

    @classmethod
    def of(cls, atoms: Atoms, *, tolerance_angstrom: float = TOLERANCE_ANGSTROM) -> Self:
        """The space group of a structure that is periodic in three directions.

        Raises:
            StructureError: It is not, or no group is found.
        """
        if not atoms.pbc.all():
            raise StructureError(
                f"is periodic along {atoms.pbc.tolist()}",
                place=f"symmetry of {atoms.get_chemical_formula()}",
                rule="a space group belongs to a crystal, periodic in three directions",
                mend="give a crystal, or do without its symmetry",
            )
        found = _dataset(atoms, tolerance_angstrom)
        cell = atoms.cell.array
        fractional = np.asarray(found.rotations, dtype=np.float64)
        shifts = np.asarray(found.translations, dtype=np.float64)
        rotations = np.einsum("ab,gcb,cd->gad", np.linalg.inv(cell), fractional, cell)
        return cls(
            name=f"{found.international} ({found.number})",
            rotations=rotations,
            fractional=fractional,
            shifts=shifts,
            images=_images(atoms, fractional, shifts),
            orbits=np.asarray(found.equivalent_atoms, dtype=np.int64),
        )

    @cached_property
    def point_group(self) -> FloatArray:
        """(P, 3, 3) its rotations, each once."""
        _, first = np.unique(self.fractional.reshape(-1, 9).round().astype(np.int64), axis=0, return_index=True)
        return self.rotations[np.sort(first)]

    def vectors(self, values: FloatArray) -> FloatArray:
        """(N, 3) one vector an atom, made symmetric."""
        turned = np.einsum("na,gab->gnb", values, self.rotations)
        total = np.zeros_like(values)
        np.add.at(total, self.images, turned)
        return total / len(self.rotations)

    def tensor(self, values: FloatArray) -> FloatArray:
        """A tensor of a rank up to four, (3, ..., 3), made symmetric."""
        old, new = "abcd"[: values.ndim], "wxyz"[: values.ndim]
        turns = ",".join(f"g{one}{other}" for one, other in zip(old, new, strict=True))
        rotations = [self.point_group] * values.ndim
        return np.einsum(f"{old},{turns}->{new}", values, *rotations, optimize=True) / len(self.point_group)

    def refined(self, atoms: Atoms) -> Atoms:
        """A copy that is symmetric to rounding, not turned."""
        cell = atoms.cell.array
        metric = np.einsum("gba,bc,gcd->ad", self.fractional, cell @ cell.T, self.fractional) / len(self.fractional)
        inverse = np.linalg.inv(cell)
        squares, axes = np.linalg.eigh(inverse @ metric @ inverse.T)
        copy = atoms.copy()
        copy.set_cell(cell @ (axes * np.sqrt(squares)) @ axes.T, scale_atoms=True)
        places = copy.get_scaled_positions(wrap=False)
        taken = np.einsum("gab,nb->gna", self.fractional, places) + self.shifts[:, None]
        missed = taken - places[self.images]
        missed -= np.round(missed)
        total = np.zeros_like(places)
        np.add.at(total, self.images, missed)
        copy.set_scaled_positions(places + total / len(self.fractional))
        return copy


def space_group(atoms: Atoms, *, tolerance_angstrom: float = 10 * TOLERANCE_ANGSTROM) -> str | None:
    """``Fd-3m (227)``; None of what is not periodic in three directions."""
    if not atoms.pbc.all():
        return None
    found = _dataset(atoms, tolerance_angstrom)
    return f"{found.international} ({found.number})"


def _dataset(atoms: Atoms, tolerance_angstrom: float) -> Any:
    import spglib

    crystal: Any = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(crystal, symprec=tolerance_angstrom)
    if found is None:
        raise StructureError(
            "no space group is found",
            place=f"symmetry of {atoms.get_chemical_formula()}",
            rule="a crystal has one: P1 at least",
            mend="see whether two atoms stand in one place",
        )
    return found


def _images(atoms: Atoms, fractional: FloatArray, shifts: FloatArray) -> IntArray:
    """(G, N)."""
    places = atoms.get_scaled_positions(wrap=False)
    images = np.empty((len(fractional), len(atoms)), dtype=np.int64)
    for operation, (rotation, shift) in enumerate(zip(fractional, shifts, strict=True)):
        missed = (places @ rotation.T + shift)[:, None] - places[None]
        missed -= np.round(missed)
        distance = np.linalg.norm(missed @ atoms.cell.array, axis=-1)
        distance[atoms.numbers[:, None] != atoms.numbers[None]] = np.inf
        images[operation] = distance.argmin(1)
    return images
