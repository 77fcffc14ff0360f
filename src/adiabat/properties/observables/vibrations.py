"""Velocity autocorrelation and vibrational density of states of each species."""

from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from adiabat.errors import DataError
from adiabat.properties.observables.means import blocks_of, over_blocks
from adiabat.properties.observables.observable import Observable
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure, Line
from adiabat.typing import FloatArray

SEGMENTS = 16
"""Of the trajectory: each gives a spectrum, their scatter the error bar."""
FEWEST = 32
"""Frames of a segment."""
LONGEST_FS = 4000.0
"""Of a segment, where the trajectory is long: it resolves 0.5 THz, and there are the more of them."""
ALIASED = 0.02
"""Share of the spectrum in the uppermost tenth of the frequencies, above which faster vibrations are folded into it."""


@dataclass(frozen=True)
class SpeciesVibrations:
    """Of one species.

    Attributes:
        correlation: (L,) ⟨v(0)·v(t)⟩ / ⟨v²⟩.
        correlation_std: (L,) standard errors.
        density_per_thz: (F,) its modes per THz; their integral is three times its number of atoms.
        density_per_thz_std: (F,) standard errors.
    """

    correlation: FloatArray
    correlation_std: FloatArray
    density_per_thz: FloatArray
    density_per_thz_std: FloatArray


@dataclass(frozen=True)
class Vibrations(Observable):
    """Of the motion about the centre of mass.

    Attributes:
        lags_fs: (L,).
        frequencies_thz: (F,).
        resolution_thz: Width that a sharp frequency gets from the length of the segments (at half of its height).
        segments: That spectra were taken from.
        species: By symbol.
        total_per_thz: (F,) of all species together.
        total_per_thz_std: (F,).
        aliased_share: Share of the spectrum in the uppermost tenth of the frequencies.
    """

    lags_fs: FloatArray
    frequencies_thz: FloatArray
    resolution_thz: float
    segments: int
    species: dict[str, SpeciesVibrations]
    total_per_thz: FloatArray
    total_per_thz_std: FloatArray
    aliased_share: float

    def figures(self) -> tuple[Figure, ...]:
        """Spectra and correlations."""
        spectra = [Line(self.frequencies_thz, self.total_per_thz, "all", band=self.total_per_thz_std)]
        if len(self.species) > 1:
            spectra += [
                Line(self.frequencies_thz, one.density_per_thz, name, band=one.density_per_thz_std)
                for name, one in self.species.items()
            ]
        decays = [
            Line(self.lags_fs, one.correlation, name, band=one.correlation_std) for name, one in self.species.items()
        ]
        note = f"Bands: one standard error. Sharp frequencies are {self.resolution_thz:.2g} THz wide."
        return (
            Figure(
                "vdos", "Vibrational density of states", "frequency (THz)", "modes per THz", tuple(spectra), note=note
            ),
            Figure(
                "vacf",
                "Velocity autocorrelation",
                "time (fs)",
                "⟨v(0)·v(t)⟩ / ⟨v²⟩",
                tuple(decays),
                note="Bands: one standard error.",
            ),
        )

    def sentences(self) -> tuple[str, ...]:
        """Where the spectrum is highest, and what to mistrust."""
        highest = float(self.frequencies_thz[int(self.total_per_thz.argmax())])
        said = [f"Vibrations: most modes at {highest:.3g} THz (resolution {self.resolution_thz:.2g} THz)."]
        if self.aliased_share > ALIASED:
            said.append(
                f"warning: {100 * self.aliased_share:.2g} % of the spectrum is in the uppermost tenth of its frequencies: faster "
                "vibrations are folded into it; write frames more often."
            )
        return tuple(said)


def vibrations(trajectory: Trajectory) -> Vibrations:
    """Power spectra of velocities (Wiener and Khinchin: the Fourier transforms of their autocorrelations).

    The trajectory is cut into segments, each multiplied with a Hann window (P. Welch, IEEE Trans. Audio Electroacoust. 15, 70
    (1967)). Velocities are weighted with √m, so that each harmonic mode counts alike. With velocity Verlet a mode of frequency ω
    is found at 2/h arcsin(ωh/2).

    Args:
        trajectory: With velocities, of nve or of a weakly coupled thermostat that scales all velocities alike.

    Raises:
        PropertyUnavailable: A thermostat has made part of the motion, or there are no velocities.
        DataError: Too few frames.
    """
    what = "the vibrational spectrum"
    trajectory.ensemble.require_own_dynamics(what)
    velocities = trajectory.require_velocities(what)
    length = min(trajectory.n_frames // SEGMENTS, max(FEWEST, int(LONGEST_FS / trajectory.interval_fs)))
    if length < FEWEST:
        raise DataError(
            f"{trajectory.n_frames} frames",
            place=trajectory.place,
            rule=f"{what} takes {FEWEST * SEGMENTS} frames or more",
            mend="run for longer, or write frames more often",
        )
    weighted = np.sqrt(trajectory.masses)[:, None] * _about_center_of_mass(trajectory, velocities)
    width = 1000 / (length * trajectory.interval_fs)
    frequencies = np.linspace(0.0, length // 2 * width, length // 2 + 1)
    spectra = {number: _spectra(weighted[:, trajectory.numbers == number], length) for number in trajectory.species}
    segments = len(next(iter(spectra.values())))
    whole = np.sum(list(spectra.values()), axis=0)
    per_share = 3 * trajectory.n_atoms / (whole.mean(axis=0).sum() * width)
    block = blocks_of(trajectory.n_frames)[0]
    lags = (block.stop - block.start) // 2
    found = {}
    for number, own in spectra.items():
        density, density_std = over_blocks(per_share * own)
        correlation, correlation_std = _correlation(weighted[:, trajectory.numbers == number], lags)
        found[chemical_symbols[number]] = SpeciesVibrations(correlation, correlation_std, density, density_std)
    total, total_std = over_blocks(per_share * whole)
    return Vibrations(
        lags_fs=trajectory.interval_fs * np.arange(lags),
        frequencies_thz=frequencies,
        resolution_thz=2 * width,  # of a Hann window, at half height
        segments=segments,
        species=found,
        total_per_thz=total,
        total_per_thz_std=total_std,
        aliased_share=float(total[int(0.9 * len(total)) :].sum() / total.sum()),
    )


def _about_center_of_mass(trajectory: Trajectory, velocities: FloatArray) -> FloatArray:
    masses = trajectory.masses / trajectory.masses.sum()
    return velocities - np.einsum("n,tna->ta", masses, velocities)[:, None]


def _spectra(weighted: FloatArray, length: int) -> FloatArray:
    """(segments, F) powers of (T, n, 3), one-sided, in arbitrary units."""
    window = np.hanning(length + 1)[:-1]
    found = []
    for segment in blocks_of(len(weighted), len(weighted) // length):
        transformed = np.fft.rfft(window[:, None, None] * weighted[segment], axis=0)
        power = (np.abs(transformed) ** 2).sum(axis=(1, 2))
        power[1 : (length + 1) // 2] *= 2
        found.append(power)
    return np.array(found)


def _correlation(weighted: FloatArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """(lags,) normalised, over blocks of (T, n, 3), and its standard errors."""
    found = np.array([_autocorrelation(weighted[block], lags) for block in blocks_of(len(weighted))])
    return over_blocks(found / found[:, 0].mean())


def _autocorrelation(series: FloatArray, lags: int) -> FloatArray:
    frames = len(series)
    spectrum = np.fft.rfft(series, n=2 * frames, axis=0)
    products = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=(1, 2)), n=2 * frames)[:lags]
    return products / (frames - np.arange(lags))
