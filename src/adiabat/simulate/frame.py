"""Frame: one instant of a trajectory, and its form as an ASE structure."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.data import atomic_masses
from ase.stress import full_3x3_to_voigt_6_stress
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
        fixed: (N,) bool, atoms that never move; None where all do.
    """

    numbers: IntArray
    masses: FloatArray
    pbc: np.ndarray
    fixed: np.ndarray | None = None

    @classmethod
    def of(cls, state: State, system: int = 0) -> "Species":
        """Of one structure of a state."""
        batch, own = state.batch, atoms_of(state, system)
        return cls(
            batch.numbers[own].cpu().numpy(),
            _array(state.masses[own]),
            batch.pbc[system].cpu().numpy(),
            None if state.fixed is None else state.fixed[own].cpu().numpy(),
        )


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
        stress: (3, 3) eV/Å³ of the potential energy, positive under tension; None where it is not kept.
        extrapolation: See `Observation`; None where it is not kept, NaN where nobody looked at this frame.
        energy_std_ev: Likewise.
        energies_std_ev: (N,) estimated standard deviations of the atoms' energies, likewise.
    """

    step: int
    time_fs: float
    positions: FloatArray
    velocities: FloatArray
    cell: FloatArray
    energy_ev: float
    forces: FloatArray | None
    stress: FloatArray | None = None
    extrapolation: float | None = None
    energy_std_ev: float | None = None
    energies_std_ev: FloatArray | None = None

    @classmethod
    def of(cls, state: State, system: int = 0) -> "Frame":
        """Of one structure of a state."""
        own = atoms_of(state, system)
        return cls(
            step=state.step,
            time_fs=state.time_fs,
            positions=_array(state.batch.positions[own]),
            velocities=_array(state.velocities[own]),
            cell=_array(state.batch.cell[system]),
            energy_ev=float(state.energy[system]),
            forces=_array(state.forces[own]),
            stress=None if state.stress is None else _array(state.stress[system]),
        )

    def to_atoms(self, species: Species) -> Atoms:
        """With velocities, energy, and forces and stress where they are kept.

        `info` has step and time_fs and, where they are kept, extrapolation and energy_std; the array energies_std likewise (eV).
        """
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
        if species.fixed is not None:
            atoms.set_constraint(FixAtoms(mask=species.fixed))
        kept = {"extrapolation": self.extrapolation, "energy_std": self.energy_std_ev}
        atoms.info |= {name: value for name, value in kept.items() if value is not None}
        if self.energies_std_ev is not None:
            atoms.set_array("energies_std", self.energies_std_ev)
        results: dict[str, Any] = {"energy": self.energy_ev}
        results |= {} if self.forces is None else {"forces": self.forces}
        results |= {} if self.stress is None else {"stress": full_3x3_to_voigt_6_stress(self.stress)}
        atoms.calc = SinglePointCalculator(atoms, **results)
        return atoms


def atoms_of(state: State, system: int) -> slice:
    """Where the atoms of one structure stand in the batch."""
    if state.batch.n_systems == 1:
        return slice(None)
    bounds = torch.searchsorted(state.batch.system, torch.tensor([system, system + 1]))
    return slice(int(bounds[0]), int(bounds[1]))


def _array(tensor: Tensor) -> FloatArray:
    return tensor.detach().cpu().numpy().astype(np.float64)
