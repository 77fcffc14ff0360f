"""Rates by harmonic transition-state theory, and what tunnelling adds.

G. H. Vineyard, J. Phys. Chem. Solids 3, 121 (1957); E. Wigner, Z. Phys. Chem. B 19, 203 (1932).
"""

import numpy as np

from adiabat.properties.paths.modes import Modes
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, PLANCK_EV_PER_THZ

PER_SECOND_PER_THZ = 1e12


def log10_prefactor(minimum: Modes, saddle: Modes) -> float:
    """Of the product of the minimum's frequencies over that of the saddle's real ones, in 1/s."""
    stable = np.log10(minimum.frequencies_thz * PER_SECOND_PER_THZ).sum()
    return float(stable - np.log10(saddle.frequencies_thz[1:] * PER_SECOND_PER_THZ).sum())


def log10_rate(prefactor: float, barrier_ev: float, temperatures_k: FloatArray) -> FloatArray:
    """(T,) log10 of ν exp(-E/kT) in 1/s, from the log10 of ν."""
    return prefactor - barrier_ev / (BOLTZMANN_EV_PER_K * temperatures_k) / np.log(10)


def wigner(imaginary_thz: float, temperatures_k: FloatArray) -> FloatArray:
    """(T,) by how much tunnelling speeds a rate up, 1 + (hν/kT)²/24: the first order, of use up to about two."""
    return 1 + (PLANCK_EV_PER_THZ * imaginary_thz / (BOLTZMANN_EV_PER_K * temperatures_k)) ** 2 / 24
