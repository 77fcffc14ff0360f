"""Vibrations by hybrid Monte Carlo: short trajectories, accepted by their error, so that the ensemble is exact."""

from typing import cast

import numpy as np
import torch
from ase.data import atomic_masses
from torch import Tensor

from adiabat.potential import Potential
from adiabat.simulate import Streams
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, BOLTZMANN_EV_PER_K

STEPS = 8
"""Of a trajectory: about a quarter of the period of the slower vibrations at the time step that is found."""

FIRST_TIMESTEP_FS, FASTER, SLOWER, WANTED = 2.0, 1.1, 0.8, 0.7
"""The time step grows while more trajectories than wanted are accepted, and shrinks where fewer are."""


class Vibrations:
    """Trajectories of all atoms of all chains, each chain accepted or not by itself.

    Args:
        potential: That moves them.
        temperature_k: Of the ensemble.
        streams: Of random numbers.
    """

    def __init__(self, potential: Potential, temperature_k: float, streams: Streams) -> None:
        self._potential, self._streams = potential, streams
        self._thermal = BOLTZMANN_EV_PER_K * temperature_k
        self._accepted = self._tried = 0
        self.timestep_fs = FIRST_TIMESTEP_FS

    @property
    def share(self) -> float | None:
        """Of trajectories that were accepted since the time step was found; None where there were none."""
        return self._accepted / self._tried if self._tried else None

    def move(self, batch: Batch, energy: FloatArray, *, step: int, adapt: bool) -> tuple[Batch, FloatArray]:
        """The chains after one trajectory.

        Args:
            batch: Where they are.
            energy: (S,) eV there.
            step: By which random numbers are keyed.
            adapt: Look for the time step; chains are not in equilibrium while it changes.
        """
        masses = torch.from_numpy(atomic_masses[batch.numbers.numpy()])
        per_mass = ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / masses[:, None]
        drawn = torch.from_numpy(self._streams.normal(batch.start, "vibrations", step=step))
        velocities = torch.sqrt(self._thermal * per_mass) * drawn
        kinetic = _kinetic(batch, velocities, per_mass)
        moved, velocities, found = self._trajectory(batch, velocities, per_mass)
        error = found + _kinetic(batch, velocities, per_mass) - energy - kinetic
        chance = self._streams.uniform_per_system(1, "acceptance", step=step)[:, 0]
        accepted = np.log1p(-chance) < -error / self._thermal  # an error that is not a number is not accepted
        here = torch.from_numpy(accepted)[batch.system]
        if adapt:
            self.timestep_fs *= FASTER if accepted.mean() > WANTED else SLOWER
        else:
            self._accepted, self._tried = self._accepted + int(accepted.sum()), self._tried + len(accepted)
        positions = torch.where(here[:, None], moved, batch.positions)
        return batch.replace(positions=positions), np.where(accepted, found, energy)

    def _trajectory(self, batch: Batch, velocities: Tensor, per_mass: Tensor) -> tuple[Tensor, Tensor, FloatArray]:
        """Positions (N, 3), velocities (N, 3) and energies (S,) after velocity-Verlet steps."""
        step, positions = self.timestep_fs, batch.positions
        _, forces = self._evaluated(batch)
        energy = np.empty(0)
        for _ in range(STEPS):
            velocities = velocities + 0.5 * step * per_mass * forces
            positions = positions + step * velocities
            energy, forces = self._evaluated(batch.replace(positions=positions))
            velocities = velocities + 0.5 * step * per_mass * forces
        return positions, velocities, energy

    def _evaluated(self, batch: Batch) -> tuple[FloatArray, Tensor]:
        at_home = batch.to(dtype=self._potential.dtype, device=self._potential.device)
        found = self._potential(at_home, want=("energy", "forces")).to(dtype=torch.float64, device="cpu")
        return cast(Tensor, found.energy).numpy(), cast(Tensor, found.forces)


def _kinetic(batch: Batch, velocities: Tensor, per_mass: Tensor) -> FloatArray:
    """(S,) eV."""
    return batch.sum_over_atoms((0.5 * velocities.square() / per_mass).sum(1)).numpy()
