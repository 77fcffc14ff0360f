"""The spectral density of a flux at frequency zero, which transport coefficients are, by cepstral analysis.

The periodogram at any one frequency is as uncertain as it is large, but independent from frequency to frequency. Its logarithm is
that of the spectral density plus noise whose distribution is known; where the density is smooth, the Fourier coefficients of its
logarithm (the cepstrum) vanish beyond the first few, and these carry little noise. How many are kept is decided by the
information criterion of Akaike. No correlation function is cut off anywhere, and the error bar is known.

L. Ercole, A. Marcolongo and S. Baroni, Sci. Rep. 7, 15835 (2017); several species: R. Bertossa, F. Grasselli, L. Ercole and S. Baroni,
Phys. Rev. Lett. 122, 255901 (2019).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.typing import FloatArray

FEWEST = 64
"""Frequencies that a logarithm is expanded over."""
CAUTION = 2
"""Times as many coefficients as the criterion asks for: it leaves out what is just below the noise, and with it a bias of more than
an error bar. With so many it is less than a third of one, of exponential correlations in some hundred correlation times."""
ENLARGED = 1.2
"""The error bar, by what the choice of the coefficients adds to it."""
SURE = 0.2
"""Relative error above which the run is too short: of some forty correlation times the number is too small by about its error bar."""
SMOOTHED = 101
"""Frequencies over which a periodogram is averaged to be looked at."""
ALIASED = 0.05
"""Share of the power in the uppermost tenth of the frequencies, above which faster motion is folded into the spectrum."""


@dataclass(frozen=True)
class ZeroFrequency:
    """A spectral density at frequency zero.

    Attributes:
        density: ∫ ⟨j(0) j(t)⟩ dt over all times, before and after zero, of one component.
        relative_std: Standard error, relative.
        sure: Whether it is small enough to be believed.
        coefficients: Of the cepstrum that were kept.
        frequencies_thz: (F,) where the periodogram is shown.
        spectrum: (F,) averaged over neighbouring frequencies.
    """

    density: float
    relative_std: float
    sure: bool
    coefficients: int
    frequencies_thz: FloatArray
    spectrum: FloatArray


def zero_frequency(
    flux: FloatArray, interval_fs: float, *, others: FloatArray | None = None, place: str = "trajectory"
) -> ZeroFrequency:
    """Of a flux of several equivalent components.

    Args:
        flux: (T, L): L independent series of the same distribution, such as the components of a vector.
        interval_fs: From value to value; short against the fastest vibration.
        others: (M, T, L): fluxes that it is coupled to, such as mass currents: what the flux has in common with them is taken off,
            as it is where these do not flow.
        place: Where the flux comes from, for errors.

    Raises:
        DataError: Too few values.
        PropertyUnavailable: Values too far apart in time for the motion; more other fluxes than components to tell them apart by.
    """
    count, components = flux.shape
    coupled = 0 if others is None else len(others)
    if components <= coupled:
        raise PropertyUnavailable(
            f"{coupled} mass currents beside a flux of {components} components",
            place=place,
            rule="fluxes are told apart by fewer others than they have components",
            mend="simulate fewer species",
        )
    if count < 2 * FEWEST:
        raise DataError(
            f"{count} frames",
            place=place,
            rule=f"a transport coefficient takes {2 * FEWEST} frames at the very least, and some thousands to be sure",
            mend="run for longer, or write frames more often",
        )
    power = _reduced(flux, others) * interval_fs / count
    _require_resolved(power, place)
    freedom = components - coupled
    # Of the mean over L components; the reduction leaves L - M of them.
    bias = float(digamma(freedom)) - math.log(components)
    logarithm, error, kept = _expanded(np.log(power[1:]), freedom)
    frequencies = np.linspace(0.0, 500 / interval_fs, len(power))
    smooth = (
        np.convolve(power[1:], np.ones(SMOOTHED) / SMOOTHED, mode="valid") if len(power) > 4 * SMOOTHED else power[1:]
    )
    centers = frequencies[1:] if len(smooth) == len(power) - 1 else frequencies[1 + SMOOTHED // 2 :][: len(smooth)]
    return ZeroFrequency(math.exp(logarithm - bias), error, error <= SURE, kept, centers, smooth)


def _reduced(flux: FloatArray, others: FloatArray | None) -> FloatArray:
    """(F,) mean power over the components; what is in common with other fluxes taken off."""
    own = np.fft.rfft(flux - flux.mean(axis=0), axis=0)
    power = np.mean(np.abs(own) ** 2, axis=1)
    if others is None:
        return power
    rest = np.fft.rfft(others - others.mean(axis=1, keepdims=True), axis=1)
    components = flux.shape[1]
    mixed = np.einsum("mfl,fl->fm", rest, own.conj()) / components
    among = np.einsum("mfl,nfl->fmn", rest, rest.conj()) / components
    taken = np.zeros(len(power))
    taken[1:] = np.real(np.einsum("fm,fm->f", mixed[1:].conj(), np.linalg.solve(among[1:], mixed[1:, :, None])[..., 0]))
    return np.maximum(power - taken, 1e-12 * power)


def _expanded(logarithms: FloatArray, freedom: int) -> tuple[float, float, int]:
    """Logarithm at frequency zero, its standard error, and how many coefficients it was made of.

    Over the whole spectrum, and over its lower half, quarter and so on: what happens at high frequencies need not be expanded.
    """
    variance = float(polygamma(1, freedom))
    found: list[tuple[float, float, int]] = []
    length = len(logarithms)
    while length >= FEWEST:
        found.append(_cepstral(logarithms[:length], variance))
        length //= 2
    return min(found, key=lambda one: one[1])


def _cepstral(logarithms: FloatArray, variance: float) -> tuple[float, float, int]:
    # The spectrum is even; its value at zero, whose mean was taken off, is that of its neighbour.
    even = np.concatenate([logarithms[:1], logarithms, logarithms[-2::-1]])
    size = len(even)
    cepstrum = np.fft.rfft(even).real / size
    tails = np.cumsum(cepstrum[::-1] ** 2)[::-1]
    kept = np.arange(1, len(cepstrum))
    best = int(kept[np.argmin(size / variance * tails[1:] + 2 * kept)])
    best = min(max(2, CAUTION * best), len(cepstrum) - 1)
    value = float(cepstrum[0] + 2 * cepstrum[1:best].sum())
    return value, ENLARGED * math.sqrt(variance * (4 * best - 2) / size), best


def _require_resolved(power: FloatArray, place: str) -> None:
    share = float(power[int(0.9 * len(power)) :].sum() / power.sum())
    if share > ALIASED:
        raise PropertyUnavailable(
            f"{100 * share:.2g} % of the flux's power is in the uppermost tenth of its frequencies",
            place=place,
            rule="frames are so close in time that the fastest vibration is seen: slower than that it is folded into the spectrum",
            mend="write frames more often: --set output.trajectory_every=2",
        )
