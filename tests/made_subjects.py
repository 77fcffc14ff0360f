"""Potentials in closed form for validation, fast over many replicas: a right one, and ones that are wrong on purpose."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from torch import Tensor

from adiabat.potential import Prediction
from adiabat.system import Batch
from adiabat.typing import Quantity
from adiabat.validation import Subject


@dataclass(frozen=True)
class PairSubject:
    """Lennard-Jones of argon times (1 - (r/r_c)²)³, for structures of equally many atoms.

    Attributes:
        cutoff: Å.
        smooth: False: cut off at its value there, so that energy and force jump.
        stress_sign: -1: of the wrong sign.
        swirl: eV/Å², a force around the z axis through each site of the first structure seen, which is no gradient.
        hole_ev: Depth of a well at short distance, which outdoes the repulsion there.
    """

    cutoff: float = 5.2
    smooth: bool = True
    stress_sign: float = 1.0
    swirl: float = 0.0
    hole_ev: float = 0.0

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        systems = batch.n_systems
        positions = batch.positions.reshape(systems, -1, 3)
        away, own = self._vectors(positions, batch)
        squared = away.square().sum(-1)
        near = (squared < self.cutoff**2) & ~own
        value, slope = self._pair(torch.where(near, squared, self.cutoff**2 * 2))
        value, slope = value * near, slope * near
        forces = 2 * torch.einsum("skij,skija->sia", slope, away) + self._swirling(positions)
        stress = torch.einsum("skij,skija,skijb->sab", slope, away, away)
        periodic = bool(batch.pbc.all())
        return Prediction(
            energy=0.5 * value.sum((1, 2, 3)),
            energies=0.5 * value.sum((1, 3)).reshape(-1),
            forces=forces.reshape(-1, 3),
            stress=self.stress_sign * stress / batch.volume[:, None, None] if periodic else None,
        )

    def _vectors(self, positions: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """(S, K, N, N, 3) from i to image k of j, and whether it is i itself."""
        away = positions[:, None, None] - positions[:, None, :, None]
        count = positions.shape[1]
        itself = torch.eye(count, dtype=torch.bool)[None, None]
        if not bool(batch.pbc.all()):
            return away, itself
        fractional = away @ torch.linalg.inv(batch.cell)[:, None, None]
        heights = 1 / torch.linalg.vector_norm(torch.linalg.inv(batch.cell), dim=1)
        images = 0 if float(heights.min()) > 2 * self.cutoff + 0.1 else 2
        shifts = torch.tensor(list(product(range(-images, images + 1), repeat=3)), dtype=positions.dtype)
        fractional = fractional - fractional.round() + shifts[None, :, None, None]
        return fractional @ batch.cell[:, None, None], itself & (shifts == 0).all(-1)[None, :, None, None]

    def _pair(self, squared: Tensor) -> tuple[Tensor, Tensor]:
        """V and dV/d(r²)."""
        sixth = (3.4**2 / squared) ** 3
        value, slope = sixth**2 - sixth, (3 * sixth - 6 * sixth**2) / squared
        if self.smooth:
            inside = 1 - squared / self.cutoff**2
            value, slope = value * inside**3, slope * inside**3 - 3 * value * inside**2 / self.cutoff**2
        energy, gradient = 4 * 0.0104 * value, 4 * 0.0104 * slope
        if self.hole_ev:
            well = self.hole_ev * torch.exp(-squared)
            energy, gradient = energy.clamp(max=20.0) - well, torch.where(energy < 20, gradient, 0.0) + well
        return energy, gradient

    def _swirling(self, positions: Tensor) -> Tensor | float:
        if not self.swirl:
            return 0.0
        sites = torch.from_numpy(start().positions)
        away = positions - sites - (positions - sites).mean(1, keepdim=True)
        return self.swirl * torch.stack([-away[..., 1], away[..., 0], torch.zeros_like(away[..., 0])], -1)


def start() -> Atoms:
    """32 atoms of a crystal of argon, near equilibrium."""
    return bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 2, 2)


def subject(**faults: float | bool) -> Subject:
    """Right, or with faults."""
    made = PairSubject(**faults)  # pyright: ignore[reportArgumentType] (the fields are named by the tests)
    return Subject("pair", None, lambda: made)


def mixture() -> Atoms:
    """The same with krypton's mass, by its number, on half of the sites; to the potential they are alike."""
    atoms = start()
    atoms.numbers[::2] = 36
    atoms.set_array("masses", np.where(atoms.numbers == 36, 83.8, 39.95))
    return atoms
