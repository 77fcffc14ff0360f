"""Frame: one instant of a trajectory, and its form as an ASE structure."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_masses
from torch import Tensor

from adiabat.simulate.state import State
from adiabat.typing import FloatArray, IntArray


@dataclass(frozen=True)
class Species:
    """What does not change along a trajectory.

    Attributes:
        numbers: (N,) atomic numbers.
        masses: (N,) amu.
        pbc: (3,).
    """

    numbers: IntArray
    masses: FloatArray
    pbc: np.ndarray

    @classmethod
    def of(cls, state: State) -> "Species":
        """Of a state with one structure."""
        batch = state.batch
        return cls(batch.numbers.cpu().numpy(), _array(state.masses), batch.pbc[0].cpu().numpy())


@dataclass(frozen=True)
class Frame:
    """What changes along a trajectory.

    Attributes:
        step: Steps done.
        time_fs: Since step 0.
        positions: (N, 3) Å, never wrapped.
        velocities: (N, 3) Å/fs.
        cell: (3, 3) Å, rows are vectors.
        energy_ev: Potential energy.
        forces: (N, 3) eV/Å, or None where they are not kept.
    """

    step: int
    time_fs: float
    positions: FloatArray
    velocities: FloatArray
    cell: FloatArray
    energy_ev: float
    forces: FloatArray | None

    @classmethod
    def of(cls, state: State, *, timestep_fs: float) -> "Frame":
        """Of a state with one structure."""
        return cls(
            step=state.step,
            time_fs=state.step * timestep_fs,
            positions=_array(state.batch.positions),
            velocities=_array(state.velocities),
            cell=_array(state.batch.cell[0]),
            energy_ev=float(state.energy[0]),
            forces=_array(state.forces),
        )

    def to_atoms(self, species: Species) -> Atoms:
        """With velocities, energy and forces (where kept); `info` has the step and time_fs."""
        atoms = Atoms(
            species.numbers,
            positions=self.positions,
            cell=self.cell,
            pbc=species.pbc,
            info={"step": self.step, "time_fs": self.time_fs},
        )
        if not np.array_equal(species.masses, atomic_masses[species.numbers]):
            atoms.set_array("masses", species.masses)
        atoms.set_velocities(self.velocities / units.fs)
        results = {"energy": self.energy_ev} | ({} if self.forces is None else {"forces": self.forces})
        atoms.calc = SinglePointCalculator(atoms, **results)
        return atoms


def _array(tensor: Tensor) -> FloatArray:
    return tensor.detach().cpu().numpy().astype(np.float64)
