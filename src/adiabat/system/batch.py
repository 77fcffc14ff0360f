"""Batch: many structures as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.errors import StructureError
from adiabat.typing import IntArray


@dataclass(frozen=True)
class Batch:
    """S structures with N atoms in all; the atoms of a structure stand together, in its order.

    Attributes:
        positions: (N, 3) Å.
        cell: (S, 3, 3) Å, rows are vectors; zero where a structure has no cell.
        pbc: (S, 3) bool.
        numbers: (N,) int64, atomic numbers.
        system: (N,) int64, ascending: the structure of each atom.
    """

    positions: Tensor
    cell: Tensor
    pbc: Tensor
    numbers: Tensor
    system: Tensor

    @classmethod
    def from_atoms(
        cls,
        structures: Atoms | Sequence[Atoms],
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> Self:
        """The structures as one batch.

        Raises:
            StructureError: No structure, or as `require_valid`.
        """
        structures = [structures] if isinstance(structures, Atoms) else list(structures)
        if not structures:
            raise StructureError(
                "the batch holds no structure", rule="a batch has one structure or more", mend="give a structure"
            )
        for index, atoms in enumerate(structures):
            require_valid(atoms, place=f"structure {index}")
        counts = torch.tensor([len(atoms) for atoms in structures])
        return cls(
            positions=torch.tensor(np.concatenate([a.positions for a in structures]), dtype=dtype, device=device),
            cell=torch.tensor(np.stack([a.cell.array for a in structures]), dtype=dtype, device=device),
            pbc=torch.tensor(np.stack([a.pbc for a in structures]), device=device),
            numbers=torch.tensor(np.concatenate([a.numbers for a in structures]), dtype=torch.int64, device=device),
            system=torch.repeat_interleave(torch.arange(len(structures)), counts).to(device),
        )

    @property
    def n_atoms(self) -> int:
        """Atoms in all structures together."""
        return self.positions.shape[0]

    @property
    def n_systems(self) -> int:
        """Number of structures."""
        return self.cell.shape[0]

    @property
    def counts(self) -> Tensor:
        """(S,) atoms per structure."""
        return torch.bincount(self.system, minlength=self.n_systems)

    @property
    def start(self) -> IntArray:
        """(S + 1,) the first atom of each structure, and the number of all."""
        counts = np.bincount(self.system.cpu().numpy(), minlength=self.n_systems)
        return np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def volume(self) -> Tensor:
        """(S,) Å³: the absolute determinant of the cell, zero without one."""
        return torch.linalg.det(self.cell).abs()

    def one(self, system: int, atoms: slice) -> Self:
        """The batch of one of the structures, whose atoms stand there."""
        return type(self)(
            positions=self.positions[atoms],
            cell=self.cell[system : system + 1],
            pbc=self.pbc[system : system + 1],
            numbers=self.numbers[atoms],
            system=torch.zeros_like(self.system[atoms]),
        )

    def replace(self, **changes: Tensor) -> Self:
        """A copy with some of the tensors exchanged."""
        return replace(self, **changes)

    def strained(self, positions: Tensor, strain: Tensor) -> Self:
        """With other positions, (N, 3), and all of it strained by the symmetric part of (S, 3, 3): x -> x (1 + ε)."""
        symmetric = 0.5 * (strain + strain.transpose(1, 2))
        return self.replace(
            positions=positions + torch.einsum("na,nab->nb", positions, symmetric[self.system]),
            cell=self.cell + self.cell @ symmetric,
        )

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same batch in another floating-point type or on another device."""
        dtype = dtype or self.positions.dtype
        return replace(
            self,
            positions=self.positions.to(device=device, dtype=dtype),
            cell=self.cell.to(device=device, dtype=dtype),
            pbc=self.pbc.to(device=device),
            numbers=self.numbers.to(device=device),
            system=self.system.to(device=device),
        )

    def to_atoms(self) -> list[Atoms]:
        """The structures as ASE objects."""
        positions, cell = self.positions.detach().cpu().numpy(), self.cell.detach().cpu().numpy()
        numbers, pbc, system = self.numbers.cpu().numpy(), self.pbc.cpu().numpy(), self.system.cpu().numpy()
        return [
            Atoms(numbers[system == s], positions=positions[system == s], cell=cell[s], pbc=pbc[s])
            for s in range(self.n_systems)
        ]

    def sum_over_atoms(self, per_atom: Tensor) -> Tensor:
        """(N, ...) summed to (S, ...)."""
        shape = (self.n_systems, *per_atom.shape[1:])
        return per_atom.new_zeros(shape).index_add(0, self.system, per_atom)


def require_valid(atoms: Atoms, *, place: str) -> None:
    """Refuse what no potential can evaluate.

    Raises:
        StructureError: No atom; positions or cell not finite; periodic directions whose cell vectors span no volume.
    """
    if len(atoms) == 0:
        raise StructureError(
            "holds no atom", place=place, rule="a structure has one atom or more", mend="take the structure out"
        )
    for name, values in (("position", atoms.positions), ("cell", atoms.cell.array)):
        if not np.isfinite(values).all():
            row = int(np.argwhere(~np.isfinite(values))[0, 0])
            what = f"atom {row}" if name == "position" else f"cell vector {row}"
            raise StructureError(
                f"{what} has the {name} {values[row].tolist()}",
                place=place,
                rule=f"a {name} is finite",
                mend="mend the structure, or take it out",
            )
    periodic = atoms.cell.array[atoms.pbc]
    if len(periodic) == 0:
        return
    lengths = np.linalg.norm(periodic, axis=1)
    spanned = np.sqrt(max(np.linalg.det(periodic @ periodic.T), 0.0))
    if lengths.min() == 0 or spanned < 1e-6 * lengths.prod():
        raise StructureError(
            f"is periodic along {atoms.pbc.tolist()} with the cell {atoms.cell.array.tolist()}",
            place=place,
            rule="the cell vectors of the periodic directions are linearly independent",
            mend="give the structure its cell, or switch its periodic directions off (pbc='F F F')",
        )
