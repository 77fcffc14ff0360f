"""A crystal in closed form, harmonic in its atoms and in its cell, whose averages at any temperature and pressure are known."""

from collections.abc import Collection
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from adiabat.potential import Prediction
from adiabat.system import Batch
from adiabat.typing import Quantity
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

VOLUME_PER_ATOM = 20.0
SIDE = 2


@dataclass(frozen=True)
class BreathingCrystals:
    """Atoms on springs to places that go with the cell, which has a bulk and a shear modulus of its own.

        E = Σ k |u|² / 2 + B V₀ (V/V₀ - 1)² / 2 + μ V₀ tr(dev H)²,   u = x - s·h,   H = ln(hᵀh / L²) / 2

    With held places the springs take up momentum; free, they are about the centre of mass. The integral over all u does not
    depend on the cell: volumes have the weight exp(-(B V₀ (V/V₀ - 1)² / 2 + P V) / k_B T), a normal one. Shapes, at strains of a few
    per cent, have five normal degrees of freedom.

    Attributes:
        free: Whether momentum is conserved.
        spring: k in eV/Å².
        bulk: B in eV/Å³.
        shear: μ in eV/Å³.
    """

    free: bool
    spring: float = 5.0
    bulk: float = 0.05
    shear: float = 0.5

    def batch(self, counts: tuple[int, ...]) -> Batch:
        """Periodic structures of so many atoms each at rest, up to eight."""
        cell = torch.stack([torch.eye(3, dtype=torch.float64) * self.length(count) for count in counts])
        positions = [self._sites(count) * self.length(count) for count in counts]
        return Batch(
            positions=torch.cat(positions),
            cell=cell,
            pbc=torch.ones(len(counts), 3, dtype=torch.bool),
            numbers=torch.full((sum(counts),), 6),
            system=torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)),
        )

    def length(self, count: int) -> float:
        """Å: the side L of the cell at rest."""
        return (VOLUME_PER_ATOM * count) ** (1 / 3)

    def displacements(self, batch: Batch) -> Tensor:
        """(N, 3) Å: u."""
        sites = torch.cat([self._sites(count) for count in batch.counts.tolist()])
        positions = batch.positions
        if self.free:
            sites, positions = (
                one - (batch.sum_over_atoms(one) / batch.counts[:, None])[batch.system] for one in (sites, positions)
            )
        return positions - torch.einsum("na,nab->nb", sites, batch.cell[batch.system])

    def shapes(self, batch: Batch) -> Tensor:
        """(S, 3, 3) dev H."""
        lengths = (VOLUME_PER_ATOM * batch.counts) ** (1 / 3)
        metric = batch.cell.transpose(1, 2) @ batch.cell / lengths[:, None, None] ** 2
        values, vectors = torch.linalg.eigh(metric)
        logarithms = 0.5 * values.log()
        traceless = logarithms - logarithms.mean(1, keepdim=True)
        return (vectors * traceless[:, None, :]) @ vectors.transpose(1, 2)

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        """Energy, forces and stress."""
        away, shapes, at_rest = self.displacements(batch), self.shapes(batch), VOLUME_PER_ATOM * batch.counts
        strain = batch.volume / at_rest - 1
        elastic = at_rest * (0.5 * self.bulk * strain.square() + self.shear * shapes.square().sum((1, 2)))
        springs = batch.sum_over_atoms(away[:, :, None] * away[:, None, :]) * self.spring
        unit = torch.eye(3, dtype=batch.cell.dtype)
        by_strain = springs + (batch.volume * self.bulk * strain)[:, None, None] * unit
        by_strain = by_strain + 2 * self.shear * at_rest[:, None, None] * shapes
        return Prediction(
            energy=elastic + 0.5 * springs.diagonal(dim1=1, dim2=2).sum(1),
            forces=-self.spring * away,
            stress=by_strain / batch.volume[:, None, None],
        )

    def frequency(self, mass: float) -> float:
        """rad/fs of an atom on its spring."""
        return sqrt(self.spring * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / mass)

    def volume_mean(self, count: int, pressure_gpa: float) -> float:
        """Å³: <V>."""
        return VOLUME_PER_ATOM * count * (1 - pressure_gpa / GPA_PER_EV_PER_CUBIC_ANGSTROM / self.bulk)

    def volume_variance(self, count: int, temperature_k: float) -> float:
        """Å⁶: <(V - <V>)²>."""
        return BOLTZMANN_EV_PER_K * temperature_k * VOLUME_PER_ATOM * count / self.bulk

    def shape_square(self, count: int, temperature_k: float) -> float:
        """<tr (dev H)²>."""
        return 5 * BOLTZMANN_EV_PER_K * temperature_k / (2 * self.shear * VOLUME_PER_ATOM * count)

    @staticmethod
    def _sites(count: int) -> Tensor:
        steps = torch.arange(SIDE, dtype=torch.float64) / SIDE
        return torch.cartesian_prod(steps, steps, steps)[:count]
