"""Bodies: what of the atoms stays as it is while they move, and sums over their motion."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from torch import Tensor

from adiabat.kernels.motion import second_moments
from adiabat.system import Batch
from adiabat.typing import FloatArray, IntArray
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU

EV_PER_AMU_ANGSTROM_PER_FS_SQUARED = 1 / ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU
"""1 amu (Å/fs)² in eV: 103.64."""


@dataclass(frozen=True, eq=False)
class Bodies:
    """N atoms of S structures.

    Attributes:
        start: (S + 1,) the first atom of each structure, and the number of all.
        masses: (N,) amu.
        fixed: (N,) bool, atoms that never move; None where all do.
    """

    start: IntArray
    masses: Tensor
    fixed: Tensor | None = None

    @classmethod
    def of(cls, batch: Batch, masses: Tensor, fixed: Tensor | None = None) -> Self:
        """The atoms of a batch."""
        return cls(batch.start, masses.contiguous(), fixed)

    @property
    def systems(self) -> int:
        """S."""
        return len(self.start) - 1

    @cached_property
    def weights(self) -> FloatArray:
        """(N,) amu: the masses."""
        return self.masses.numpy()

    @cached_property
    def inertia(self) -> FloatArray:
        """(N,) amu: the masses, infinite for fixed atoms, which no force moves."""
        return self.weights if self.fixed is None else np.where(self.fixed.numpy(), np.inf, self.weights)

    @cached_property
    def inverse(self) -> FloatArray:
        """(N,) 1/amu: of these."""
        return 1 / self.inertia

    @cached_property
    def inverse_roots(self) -> FloatArray:
        """(N,) amu^-1/2: 1 / √m."""
        return np.sqrt(self.inverse)

    @cached_property
    def moves_freely(self) -> np.ndarray:
        """(S,) whether the structure's centre of mass is not held, and its motion not the only one."""
        return (np.diff(self.start) > 1) & (self._held == 0)

    @cached_property
    def all_degrees(self) -> IntArray:
        """(S,) 3 for each atom that moves."""
        return 3 * (np.diff(self.start) - self._held)

    @cached_property
    def internal_degrees(self) -> IntArray:
        """(S,) 3n - 3: the motion about the centre of mass, where that moves freely; 3 for each atom that moves elsewhere."""
        return self.all_degrees - 3 * self.moves_freely

    @cached_property
    def thermal_degrees(self) -> FloatArray:
        """(S,) the internal ones, as numbers to calculate with."""
        return self.internal_degrees.astype(np.float64)

    def kinetic_energy_ev(self, velocities: Tensor) -> FloatArray:
        """(S,) eV: Σ m v² / 2."""
        return 1.5 * self.kinetic_tensor_ev(velocities, full=False, internal=False)[0][:, 0, 0]

    def internal_motion(self, velocities: Tensor) -> tuple[FloatArray, FloatArray]:
        """(S,) eV, the kinetic energy about the centre of mass, and (S, 3) Å/fs, the velocity of that, where it moves freely."""
        third, drift = self.kinetic_tensor_ev(velocities, full=False)
        return 1.5 * third[:, 0, 0], drift

    def kinetic_tensor_ev(
        self, velocities: Tensor, *, full: bool = True, internal: bool = True
    ) -> tuple[FloatArray, FloatArray]:
        """(S, 3, 3) eV: Σ m (v - c) ⊗ (v - c), or a third of its trace (S, 1, 1), and c (S, 3) Å/fs; the trace is twice the kinetic energy.

        Args:
            velocities: (N, 3) Å/fs.
            full: All of it, or a third of the trace.
            internal: Whether c is the velocity of the centre of mass, where that moves freely, or zero.
        """
        free = self.moves_freely if internal else self._none
        tensors, centers = second_moments(self.start, self.weights, free, velocities.numpy(), full=full)
        return EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * tensors, centers

    @cached_property
    def _none(self) -> np.ndarray:
        """(S,) False."""
        return np.zeros(self.systems, dtype=bool)

    @cached_property
    def _held(self) -> IntArray:
        """(S,) fixed atoms."""
        if self.fixed is None:
            return np.zeros(self.systems, dtype=np.int64)
        return np.add.reduceat(self.fixed.numpy().astype(np.int64), self.start[:-1])
