"""Rates by harmonic transition-state theory, and what tunnelling adds.

G. H. Vineyard, J. Phys. Chem. Solids 3, 121 (1957); E. Wigner, Z. Phys. Chem. B 19, 203 (1932);
C. Eckart, Phys. Rev. 35, 1303 (1930), with the formulas of H. S. Johnston and J. Heicklen, J. Phys. Chem. 66, 532 (1962).
"""

import numpy as np

from adiabat.errors import ConfigurationError
from adiabat.properties.paths.modes import Modes
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, PLANCK_EV_PER_THZ

PER_SECOND_PER_THZ = 1e12

POINTS, PANELS = 16, 200
"""Of the integral over energies: of each panel, and of them."""


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


def eckart(
    imaginary_thz: float, barrier_ev: float, reverse_barrier_ev: float, temperatures_k: FloatArray
) -> FloatArray:
    """(T,) by how much tunnelling through Eckart's barrier, of these heights and this curvature, speeds a rate up.

    Unlike Wigner's factor it stays of use where tunnelling is strong; the barrier's shape far from its top is assumed.

    Args:
        imaginary_thz: Frequency of the unstable mode, positive.
        barrier_ev: From the side where the rate begins.
        reverse_barrier_ev: From the other side.
        temperatures_k: (T,).

    Raises:
        ConfigurationError: A barrier or the frequency is not positive.
    """
    if min(imaginary_thz, barrier_ev, reverse_barrier_ev) <= 0:
        raise ConfigurationError(
            f"barriers of {barrier_ev:.3g} and {reverse_barrier_ev:.3g} eV, a frequency of {imaginary_thz:.3g} THz",
            place="Eckart's factor",
            rule="a barrier rises from both sides, and has a curvature",
            mend="give the saddle that lies above both minima",
        )
    quantum = PLANCK_EV_PER_THZ * imaginary_thz
    first, second = (2 * np.pi * height / quantum for height in (barrier_ev, reverse_barrier_ev))
    found = []
    for thermal in BOLTZMANN_EV_PER_K * temperatures_k:
        # Above the barrier by 40 kT, and below it down to the higher minimum.
        low, high = max(0.0, barrier_ev - reverse_barrier_ev), barrier_ev + 40 * thermal + 5 * quantum
        nodes, weights = np.polynomial.legendre.leggauss(POINTS)
        cuts = np.linspace(low, high, PANELS + 1)
        energies = ((cuts[1:] + cuts[:-1])[:, None] + np.diff(cuts)[:, None] * nodes).ravel() / 2
        steps = (np.diff(cuts)[:, None] * weights).ravel() / 2
        passed = _log_transmission(energies / barrier_ev, first, second) + (barrier_ev - energies) / thermal
        found.append(float((steps * np.exp(passed)).sum() / thermal))
    return np.array(found)


def _log_transmission(share: FloatArray, first: float, second: float) -> FloatArray:
    """Through the barrier at energies in shares of its height; by exponents less the largest, for cosh would overflow."""
    scale = 2 / (first**-0.5 + second**-0.5)
    a, b = scale * np.sqrt(first * share), scale * np.sqrt(np.abs((share - 1) * first + second))
    inner = first * second - np.pi**2 / 4
    d = 2 * np.sqrt(abs(inner))
    top = a + b
    largest = np.maximum(top, d) if inner > 0 else top
    bend = np.exp(d - largest) + np.exp(-d - largest) if inner > 0 else 2 * np.cos(d) * np.exp(-largest)
    far = np.exp(top - largest) + np.exp(-top - largest)
    # cosh(a + b) - cosh(a - b) = 2 sinh(a) sinh(b)
    over = top - largest + np.log(-np.expm1(-2 * a)) + np.log(-np.expm1(-2 * b))
    return over - np.log(far + bend)
