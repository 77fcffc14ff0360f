"""What moves in a relaxation: atoms and, where the cell is free, the cell, as rows of one array."""

from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor

from adiabat.system import Batch

Cell = Literal["fixed", "free", "shape", "height"]
"""How a cell moves: not at all, freely, at the volume that it has, or along the normal of its first two vectors alone."""


@dataclass(frozen=True)
class Slope:
    """The enthalpy of structures and its derivatives.

    Attributes:
        energy: (S,) eV.
        enthalpy: (S,) eV, E + pV.
        gradient: (R, 3) eV/Å, by the rows.
        largest_force: (S,) eV/Å, on an atom that moves.
        largest_stress: (S,) eV/Å³, of what the pressure leaves; zero where the cell is fixed.
    """

    energy: Tensor
    enthalpy: Tensor
    gradient: Tensor
    largest_force: Tensor
    largest_stress: Tensor

    def only(self, kept: Tensor, rows: Tensor) -> Self:
        """Without the structures that are not kept, (S,), and without their rows, (R,)."""
        return type(self)(
            self.energy[kept],
            self.enthalpy[kept],
            self.gradient[rows],
            self.largest_force[kept],
            self.largest_stress[kept],
        )


@dataclass(frozen=True)
class Coordinates:
    """Structures in rows that a minimiser moves: the atoms' and, behind all atoms, three of each cell.

    A cell is h = h₀ F and an atom x = u F, with u and F independent; rows hold u and c F, where c = √N (V/N)^(1/3), so that a row of
    the cell is as stiff as one of an atom (after E. B. Tadmor et al., Phys. Rev. B 59, 235 (1999), with another scale). F stays
    symmetric, so that a cell is never turned.

    Attributes:
        batch: The structures as they were given, (S, 3, 3) h₀ in them.
        cell: How cells move.
        scale: (S,) c in Å.
        moves: (N,) bool: atoms that are not held.
        pressure: eV/Å³.
        owner: (R,) the structure of each row.
    """

    batch: Batch
    cell: Cell
    scale: Tensor
    moves: Tensor
    pressure: float
    owner: Tensor

    @classmethod
    def of(cls, batch: Batch, *, cell: Cell, moves: Tensor, pressure: float) -> Self:
        """Coordinates of a batch, in float64."""
        counts = batch.counts.to(batch.positions)
        scale = counts.sqrt() * (batch.volume / counts) ** (1 / 3)
        owner = batch.system
        if cell != "fixed":
            owner = torch.cat([owner, torch.arange(batch.n_systems, device=owner.device).repeat_interleave(3)])
        return cls(batch, cell, scale, moves, pressure, owner)

    @property
    def start(self) -> Tensor:
        """(R, 3) the rows of the structures as they were given."""
        if self.cell == "fixed":
            return self.batch.positions.clone()
        unit = torch.eye(3).to(self.scale) * self.scale[:, None, None]
        return torch.cat([self.batch.positions, unit.reshape(-1, 3)])

    def structures(self, rows: Tensor) -> Batch:
        """The batch that rows stand for."""
        if self.cell == "fixed":
            return self.batch.replace(positions=rows)
        deformation = self._deformation(rows)
        positions = torch.einsum("na,nab->nb", rows[: self.batch.n_atoms], deformation[self.batch.system])
        return self.batch.replace(positions=positions, cell=self.batch.cell @ deformation)

    def slope(self, rows: Tensor, energy: Tensor, forces: Tensor, stress: Tensor | None) -> Slope:
        """The enthalpy's gradient by the rows.

        Args:
            rows: (R, 3), where the rest was evaluated.
            energy: (S,) eV.
            forces: (N, 3) eV/Å.
            stress: (S, 3, 3) eV/Å³; None where the cell is fixed.
        """
        forces = torch.where(self.moves[:, None], forces, torch.zeros_like(forces))
        largest = self.largest(torch.linalg.vector_norm(forces, dim=-1))
        if stress is None:
            return Slope(energy, energy, -forces, largest, torch.zeros_like(energy))
        deformation = self._deformation(rows)
        volume = self.batch.volume * torch.linalg.det(deformation)
        left = self._unbalanced(stress)
        free = self._free(rows)
        by_cell = torch.linalg.solve(free.transpose(1, 2), volume[:, None, None] * left)
        by_cell = 0.5 * (by_cell + by_cell.transpose(1, 2)) / self.scale[:, None, None]
        by_atoms = -torch.einsum("nb,nab->na", forces, deformation[self.batch.system])
        enthalpy = energy + self.pressure * volume if self.cell == "free" else energy
        gradient = torch.cat([by_atoms, by_cell.reshape(-1, 3)])
        return Slope(energy, enthalpy, gradient, largest, left.abs().amax((1, 2)))

    def only(self, kept: Tensor) -> Self:
        """Without the structures that are not kept, (S,) bool."""
        atoms, place = kept[self.batch.system], kept.cumsum(0) - 1
        fewer = Batch(
            positions=self.batch.positions[atoms],
            cell=self.batch.cell[kept],
            pbc=self.batch.pbc[kept],
            numbers=self.batch.numbers[atoms],
            system=place[self.batch.system[atoms]],
        )
        owner = place[self.owner[kept[self.owner]]]
        return replace(self, batch=fewer, scale=self.scale[kept], moves=self.moves[atoms], owner=owner)

    def largest(self, per_atom: Tensor) -> Tensor:
        """(N,) not negative to (S,)."""
        return per_atom.new_zeros(self.batch.n_systems).scatter_reduce(0, self.batch.system, per_atom, "amax")

    def dot(self, first: Tensor, second: Tensor) -> Tensor:
        """(S,) products of rows (R, 3), summed over each structure."""
        return first.new_zeros(self.batch.n_systems).index_add(0, self.owner, (first * second).sum(-1))

    def capped(self, step: Tensor, *, longest_move: float, largest_strain: float) -> Tensor:
        """(S,) by how much a step (R, 3) is to be shortened, so that no atom moves farther and no cell strains more."""
        n_atoms = self.batch.n_atoms
        over = self.largest(torch.linalg.vector_norm(step[:n_atoms], dim=-1)) / longest_move
        if self.cell != "fixed":
            strain = (step[n_atoms:].reshape(-1, 9) / self.scale[:, None]).abs().amax(1)
            over = torch.maximum(over, strain / largest_strain)
        return 1 / over.clamp(min=1.0)

    def _free(self, rows: Tensor) -> Tensor:
        """(S, 3, 3) the deformation as the rows hold it."""
        return rows[self.batch.n_atoms :].reshape(-1, 3, 3) / self.scale[:, None, None]

    def _deformation(self, rows: Tensor) -> Tensor:
        """(S, 3, 3) F; at the volume that it had, where only the shape moves."""
        free = self._free(rows)
        if self.cell != "shape":
            return free
        return free / torch.linalg.det(free).clamp(min=1e-12)[:, None, None] ** (1 / 3)

    def _unbalanced(self, stress: Tensor) -> Tensor:
        """(S, 3, 3) eV/Å³: what of a stress is to vanish."""
        unit = torch.eye(3).to(stress)
        if self.cell == "free":
            return stress + self.pressure * unit
        if self.cell == "height":
            first, second, _ = self.batch.cell.unbind(1)
            normal = torch.linalg.cross(first, second)
            normal = normal / torch.linalg.vector_norm(normal, dim=1, keepdim=True)
            along = torch.einsum("sa,sb->sab", normal, normal)
            return (along * stress).sum((1, 2), keepdim=True) * along
        return stress - stress.diagonal(dim1=1, dim2=2).mean(-1)[:, None, None] * unit
