"""Nosé-Hoover chains: thermostats that are dynamical variables themselves."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adiabat.kernels.motion import propagated_chains
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K

LENGTH = 3
"""Links of a chain. A single one is not ergodic for a harmonic oscillator, three are taken everywhere."""
OUTER = 1 / (2 - 2 ** (1 / 3))
WEIGHTS = np.array([OUTER, 1 - 2 * OUTER, OUTER])
"""Of the fourth order (Suzuki 1990; Yoshida 1990)."""


@dataclass(frozen=True)
class Chain:
    """A chain on some degrees of freedom of each structure.

    G. J. Martyna, M. L. Klein and M. E. Tuckerman, J. Chem. Phys. 97, 2635 (1992), doi:10.1063/1.463940; integrated as
    G. J. Martyna, M. E. Tuckerman, D. J. Tobias and M. L. Klein, Mol. Phys. 87, 1117 (1996), doi:10.1080/00268979600100761, do.

        dp/dt = ... - v₁ p,   Q₁ dv₁/dt = 2 K - f k_B T - Q₁ v₁ v₂,   Q_k dv_k/dt = Q_{k-1} v_{k-1}² - k_B T - Q_k v_k v_{k+1}

    with Q₁ = f k_B T₀ τ² and Q_k = k_B T₀ τ².

    Attributes:
        degrees: (S,) f.
        mass_ev: (S,) k_B T₀, in eV: the temperature of the start, which sets the masses.
        time_constant_fs: τ.
    """

    degrees: FloatArray
    mass_ev: FloatArray
    time_constant_fs: float

    @cached_property
    def _mass(self) -> FloatArray:
        """(S,) eV fs², Q of each link but the first."""
        return self.mass_ev * self.time_constant_fs**2

    @property
    def masses(self) -> FloatArray:
        """(S, LENGTH) Q, eV fs²."""
        each = np.repeat(self._mass[:, None], LENGTH, axis=1)
        each[:, 0] *= self.degrees
        return each

    def energy_ev(self, velocities: FloatArray) -> FloatArray:
        """(S,) Σ Q v² / 2."""
        return 0.5 * (self.masses * velocities**2).sum(1)

    def propagated(
        self, velocities: FloatArray, twice_kinetic_ev: FloatArray, thermal_ev: FloatArray, *, by_fs: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The chain and what it thermalises, so much later.

        Args:
            velocities: (S, LENGTH) v, 1/fs.
            twice_kinetic_ev: (S,) 2 K of what is thermalised.
            thermal_ev: (S,) or (1,) k_B T.
            by_fs: How long.

        Returns:
            The chain's velocities; (S,) the factor of what is thermalised; (S,) eV, what ∫ (f k_B T v₁ + k_B T Σ v_k) dt has grown by.
        """
        return propagated_chains(
            velocities,
            mass=self._mass,
            degrees=self.degrees,
            twice_kinetic=twice_kinetic_ev,
            thermal=thermal_ev,
            steps=by_fs * WEIGHTS,
        )


def drawn_chain(masses: FloatArray, thermal_ev: FloatArray, normal: FloatArray) -> FloatArray:
    """(S, LENGTH) velocities as they are distributed at k_B T."""
    return normal * np.sqrt(thermal_ev[:, None] / masses)


def thermal_energy_ev(temperature_k: FloatArray, systems: int) -> FloatArray:
    """(S,) k_B T."""
    return np.full(systems, BOLTZMANN_EV_PER_K * temperature_k)
