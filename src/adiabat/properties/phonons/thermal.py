"""Harmonic thermodynamics: what a spectrum of frequencies makes of free energy, entropy and heat capacity.

A. A. Maradudin et al., Theory of Lattice Dynamics in the Harmonic Approximation (1971), chapter 4.
"""

from dataclasses import dataclass

import numpy as np

from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, PLANCK_EV_PER_THZ

STILL_THZ = 1e-3
"""Below which a mode is a translation, and holds no vibration."""


@dataclass(frozen=True)
class Thermodynamics:
    """Of one cell, at each of T temperatures.

    Attributes:
        zero_point_ev: Of all modes.
        free_energy_ev: (T,) vibrational, with the zero point.
        entropy: (T,) in k_B.
        heat_capacity: (T,) at constant volume, in k_B.
    """

    zero_point_ev: float
    free_energy_ev: FloatArray
    entropy: FloatArray
    heat_capacity: FloatArray


def mode_heat_capacities(frequencies_thz: FloatArray, weights: FloatArray, temperatures_k: FloatArray) -> FloatArray:
    """(T, q, modes) in k_B: what each mode adds to the heat capacity of one cell at constant volume.

    Args:
        frequencies_thz: (q, modes), none zero or imaginary.
        weights: (q,) of the points, of any sum.
        temperatures_k: (T,) above zero.
    """
    x = np.minimum(PLANCK_EV_PER_THZ * frequencies_thz / (BOLTZMANN_EV_PER_K * temperatures_k[:, None, None]), 500.0)
    return (weights / weights.sum())[:, None] * x**2 / (4 * np.sinh(x / 2) ** 2)


def thermodynamics(frequencies_thz: FloatArray, weights: FloatArray, temperatures_k: FloatArray) -> Thermodynamics:
    """Averages over points of reciprocal space.

    Args:
        frequencies_thz: (q, modes), none imaginary.
        weights: (q,) of the points, of any sum.
        temperatures_k: (T,) zero among them or not.
    """
    share = np.repeat((weights / weights.sum())[:, None], frequencies_thz.shape[1], axis=1)
    vibrating = frequencies_thz > STILL_THZ
    quanta, share = PLANCK_EV_PER_THZ * frequencies_thz[vibrating], share[vibrating]
    zero_point = float(share @ quanta) / 2
    free, entropy, capacity = (np.zeros(len(temperatures_k)) for _ in range(3))
    free += zero_point
    for place in np.flatnonzero(temperatures_k > 0):
        thermal = BOLTZMANN_EV_PER_K * temperatures_k[place]
        x = np.minimum(quanta / thermal, 500.0)  # beyond, a mode is frozen
        occupied = 1 / np.expm1(x)
        empty = np.log(-np.expm1(-x))
        free[place] += thermal * float(share @ empty)
        entropy[place] = float(share @ (x * occupied - empty))
        capacity[place] = float(share @ (x**2 * occupied * (occupied + 1)))
    return Thermodynamics(zero_point, free, entropy, capacity)
