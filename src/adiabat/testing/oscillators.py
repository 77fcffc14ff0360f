"""Two systems in closed form that integrators are tried on; they are evaluated as potentials are."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from adiabat.potential import Prediction
from adiabat.system import Batch
from adiabat.typing import Quantity


@dataclass(frozen=True)
class HarmonicWells:
    """Each atom in a well of its own: E = k |x - x₀|² / 2.

    Attributes:
        spring: k in eV/Å².
        centers: (N, 3) Å.
    """

    spring: float
    centers: Tensor

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        """Energy and forces."""
        away = batch.positions - self.centers
        energies = 0.5 * self.spring * away.square().sum(-1)
        return Prediction(energy=batch.sum_over_atoms(energies), forces=-self.spring * away)


@dataclass(frozen=True)
class AnharmonicChains:
    """Each structure is an open chain of atoms, one bond from each to the next: E = k d²/2 + q d⁴/4, d = |r| - r₀.

    Attributes:
        spring: k in eV/Å².
        quartic: q in eV/Å⁴.
        length: r₀ in Å.
    """

    spring: float = 5.0
    quartic: float = 50.0
    length: float = 2.5

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        """Energy and forces."""
        bonded = (batch.system[1:] == batch.system[:-1]).nonzero().squeeze(-1)
        vectors = batch.positions[bonded + 1] - batch.positions[bonded]
        distances = vectors.square().sum(-1).sqrt()
        stretch = distances - self.length
        energies = 0.5 * self.spring * stretch.square() + 0.25 * self.quartic * stretch.square().square()
        pull = (self.spring * stretch + self.quartic * stretch**3)[:, None] * vectors / distances[:, None]
        forces = torch.zeros_like(batch.positions).index_add(0, bonded, pull).index_add(0, bonded + 1, -pull)
        per_atom = batch.positions.new_zeros(batch.n_atoms).index_add(0, bonded, energies)
        return Prediction(energy=batch.sum_over_atoms(per_atom), forces=forces)

    def batch(self, counts: tuple[int, ...]) -> Batch:
        """Chains of so many atoms each, as they start."""
        return open_batch(torch.cat([self.start(count) for count in counts]), torch.tensor(counts))

    def start(self, atoms: int) -> Tensor:
        """(atoms, 3) Å: a zigzag with bonds of the right length."""
        steps = torch.arange(atoms, dtype=torch.float64)
        across = 0.3 * self.length * (steps % 2)
        along = steps * (self.length**2 - (0.3 * self.length) ** 2) ** 0.5
        return torch.stack([along, across, torch.zeros_like(along)], -1)


def open_batch(positions: Tensor, counts: Tensor) -> Batch:
    """Carbon atoms of several structures without cells."""
    return Batch(
        positions=positions,
        cell=positions.new_zeros(len(counts), 3, 3),
        pbc=torch.zeros(len(counts), 3, dtype=torch.bool),
        numbers=torch.full((len(positions),), 6),
        system=torch.repeat_interleave(torch.arange(len(counts)), counts),
    )
