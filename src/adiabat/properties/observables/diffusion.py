"""Mean squared displacement and self-diffusion of each species."""

import math
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.properties.observables.means import BLOCKS, blocks_of, over_blocks
from adiabat.properties.observables.observable import Observable, with_error
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure, Line
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K

SQUARE_ANGSTROM_PER_FS_IN_SQUARE_CM_PER_S = 0.1
FEWEST_LAGS = 8
"""Of a block; from fewer frames no slope is taken."""
WINDOW = (0.1, 0.4)
"""Of a block, the lags between which the slope is taken: later ones are hardly sampled by it."""
BEYOND = 3.0
"""Standard errors by which slopes of the two halves of the window may differ by chance, and diffusion from none."""
YEH_HUMMER = 2.837297
"""Of a cubic lattice of images: I.-C. Yeh and G. Hummer, J. Phys. Chem. B 108, 15873 (2004), equation 12."""
EV_PER_CUBIC_ANGSTROM_FS_PER_MPA_S = 1e-3 / (160.2176634e9 * 1e-15)
"""1 mPa s in eV fs/Å³: 6.2415."""
CUBIC = 0.01
"""Relative, how much the edges of a cell may differ, or its corners from right angles."""


@dataclass(frozen=True)
class FiniteSize:
    """What periodic images keep an atom from, by hydrodynamics: D of an infinite system is larger by the correction.

    Attributes:
        viscosity_mpa_s: That it was given.
        correction_cm2_per_s: ξ k_B T / (6 π η L).
        correction_cm2_per_s_std: From that of the viscosity; None where none was given.
    """

    viscosity_mpa_s: float
    correction_cm2_per_s: float
    correction_cm2_per_s_std: float | None


@dataclass(frozen=True)
class SpeciesDiffusion:
    """Of one species.

    Attributes:
        msd_square_angstrom: (L,) mean over atoms, time origins and blocks.
        msd_square_angstrom_std: (L,) standard errors.
        diffusion_cm2_per_s: Slope of the mean squared displacement over 6.
        diffusion_cm2_per_s_std: Its standard error.
        diffusive: Whether it is a diffusion coefficient: beyond three standard errors from none, and the slope no other in the
            second half of the window than in the first.
        reason: Why it is not; empty where it is.
    """

    msd_square_angstrom: FloatArray
    msd_square_angstrom_std: FloatArray
    diffusion_cm2_per_s: float
    diffusion_cm2_per_s_std: float
    diffusive: bool
    reason: str


@dataclass(frozen=True)
class Diffusion(Observable):
    """Mean squared displacements and self-diffusion, in the frame of the centre of mass.

    Attributes:
        lags_ps: (L,).
        window_ps: Lags between which slopes are taken.
        blocks: Of the trajectory, each with its own slope.
        species: By symbol.
        finite_size: Where a viscosity was given.
    """

    lags_ps: FloatArray
    window_ps: tuple[float, float]
    blocks: int
    species: dict[str, SpeciesDiffusion]
    finite_size: FiniteSize | None

    def figures(self) -> tuple[Figure, ...]:
        """All species in one plot."""
        lines = [
            Line(self.lags_ps, one.msd_square_angstrom, name, band=one.msd_square_angstrom_std)
            for name, one in self.species.items()
        ]
        return (
            Figure(
                name="msd",
                title="Mean squared displacement",
                x_label="time (ps)",
                y_label="mean squared displacement (Å²)",
                marks=tuple(lines),
                note=f"Bands: one standard error, from {self.blocks} blocks. Slopes are taken from {self.window_ps[0]:.3g} to "
                f"{self.window_ps[1]:.3g} ps.",
            ),
        )

    def sentences(self) -> tuple[str, ...]:
        """The coefficients, and what images take off them."""
        said = []
        for name, one in self.species.items():
            number = with_error(one.diffusion_cm2_per_s, one.diffusion_cm2_per_s_std, "cm²/s")
            said.append(f"D({name}) = {number}{'' if one.diffusive else f': not diffusive, {one.reason}'}.")
        if self.finite_size is None:
            said.append(
                "Periodic images slow diffusion down; give msd.viscosity_mpa_s for the size of it (Yeh and Hummer)."
            )
        else:
            size = self.finite_size
            number = with_error(size.correction_cm2_per_s, size.correction_cm2_per_s_std, "cm²/s")
            said.append(
                f"In an infinite system each D is larger by {number} (Yeh and Hummer, viscosity {size.viscosity_mpa_s:g} mPa s); "
                "the numbers above are without it."
            )
        return tuple(said)


def mean_squared_displacement(
    trajectory: Trajectory,
    *,
    viscosity_mpa_s: float | None = None,
    viscosity_mpa_s_std: float | None = None,
    temperature_k: float | None = None,
) -> Diffusion:
    """Displacements over all time origins of each of eight blocks, and the slopes of their mean.

    Slopes of blocks are independent where blocks are long against the memory of the motion; their scatter is the error bar.

    Args:
        trajectory: Of nve, or of a weakly coupled thermostat that scales all velocities alike.
        viscosity_mpa_s: For the size of the correction for periodic images.
        viscosity_mpa_s_std: Its standard error.
        temperature_k: For that correction; where it is left out, the thermostat's, or the mean of the log.

    Raises:
        PropertyUnavailable: A thermostat has made part of the motion, or the cell changes.
        DataError: Too few frames.
    """
    what = "self-diffusion"
    trajectory.ensemble.require_own_dynamics(what)
    cell = trajectory.require_constant_cell(what)
    blocks = blocks_of(trajectory.n_frames)
    length = blocks[0].stop - blocks[0].start
    if length < 2 * FEWEST_LAGS:
        raise DataError(
            f"{trajectory.n_frames} frames",
            place=trajectory.place,
            rule=f"a diffusion coefficient with an error bar takes {2 * FEWEST_LAGS * BLOCKS} frames or more",
            mend="run for longer, or write frames more often",
        )
    count = length // 2
    lags_ps = trajectory.interval_fs / 1000 * np.arange(count)
    window = max(1, round(WINDOW[0] * length)), max(FEWEST_LAGS, round(WINDOW[1] * length))
    positions = _about_center_of_mass(trajectory)
    found = {}
    for number in trajectory.species:
        own = positions[:, trajectory.numbers == number]
        msd = np.array([windowed_msd(own[block])[:count] for block in blocks])
        found[chemical_symbols[number]] = _species(msd, lags_ps, window)
    size = None
    if viscosity_mpa_s is not None:
        temperature = temperature_k or _temperature(trajectory)
        size = finite_size(cell, temperature, viscosity_mpa_s, viscosity_mpa_s_std)
    return Diffusion(lags_ps, (float(lags_ps[window[0]]), float(lags_ps[window[1]])), len(blocks), found, size)


def windowed_msd(positions: FloatArray) -> FloatArray:
    """(T,) Å² by lag: the mean over atoms and all time origins of (T, N, 3).

    By Fourier transforms: |x(t+τ) - x(t)|² = x(t+τ)² + x(t)² - 2 x(t+τ)·x(t), and the last is a convolution
    (V. Calandrini et al., Collection SFN 12, 201 (2011)).
    """
    frames = len(positions)
    centered = positions - positions.mean(axis=0)  # displacements do not change, rounding does
    origins = frames - np.arange(frames)
    spectrum = np.fft.rfft(centered, n=2 * frames, axis=0)
    products = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=(1, 2)), n=2 * frames)[:frames]
    squares = (centered**2).sum(axis=(1, 2))
    whole = np.concatenate([[0.0], np.cumsum(squares)])
    ends = whole[frames] - whole[np.arange(frames)] + whole[frames - np.arange(frames)]
    return np.maximum(ends - 2 * products, 0.0) / (origins * positions.shape[1])


def finite_size(
    cell: FloatArray, temperature_k: float, viscosity_mpa_s: float, viscosity_mpa_s_std: float | None = None
) -> FiniteSize:
    """ξ k_B T / (6 π η L), with ξ of a cubic cell (Yeh and Hummer, J. Phys. Chem. B 108, 15873 (2004)).

    Raises:
        PropertyUnavailable: The cell is not cubic: another one has another ξ.
    """
    metric = cell @ cell.T
    length = abs(float(np.linalg.det(cell))) ** (1 / 3)
    if np.abs(metric / length**2 - np.eye(3)).max() > CUBIC:
        raise PropertyUnavailable(
            f"the correction for periodic images: the cell is {cell.tolist()}",
            place="msd.viscosity_mpa_s",
            rule="its constant is that of a cubic cell",
            mend="leave the viscosity out, or run in a cubic cell",
        )
    viscosity = viscosity_mpa_s * EV_PER_CUBIC_ANGSTROM_FS_PER_MPA_S
    diffusion = YEH_HUMMER * BOLTZMANN_EV_PER_K * temperature_k / (6 * math.pi * viscosity * length)
    correction = diffusion * SQUARE_ANGSTROM_PER_FS_IN_SQUARE_CM_PER_S
    relative = None if viscosity_mpa_s_std is None else viscosity_mpa_s_std / viscosity_mpa_s
    return FiniteSize(viscosity_mpa_s, correction, None if relative is None else correction * relative)


def _about_center_of_mass(trajectory: Trajectory) -> FloatArray:
    masses = trajectory.masses / trajectory.masses.sum()
    return trajectory.positions - np.einsum("n,tna->ta", masses, trajectory.positions)[:, None]


def _species(msd: FloatArray, lags_ps: FloatArray, window: tuple[int, int]) -> SpeciesDiffusion:
    """From the mean squared displacements of the blocks, (blocks, L)."""
    lags_fs = 1000 * lags_ps
    first, last = window
    middle = (first + last) // 2
    slopes = _slopes(msd, lags_fs, slice(first, last + 1))
    value, error = (float(one) for one in over_blocks(slopes))
    bend = _slopes(msd, lags_fs, slice(middle, last + 1)) - _slopes(msd, lags_fs, slice(first, middle + 1))
    bent, bent_error = (float(one) for one in over_blocks(bend))
    reason = ""
    if value <= BEYOND * error:
        reason = "no more than three standard errors from none"
    elif abs(bent) > BEYOND * bent_error and abs(bent) > 0.1 * value:
        reason = "the slope changes within the window: run for longer"
    mean, errors = over_blocks(msd)
    factor = SQUARE_ANGSTROM_PER_FS_IN_SQUARE_CM_PER_S / 6
    return SpeciesDiffusion(mean, errors, factor * value, factor * error, not reason, reason)


def _slopes(msd: FloatArray, lags_fs: FloatArray, chosen: slice) -> FloatArray:
    """(blocks,) of straight lines by least squares."""
    times = lags_fs[chosen] - lags_fs[chosen].mean()
    return msd[:, chosen] @ times / (times @ times)


def _temperature(trajectory: Trajectory) -> float:
    if trajectory.ensemble.temperature_k is not None:
        return trajectory.ensemble.temperature_k
    return float(trajectory.logged("temperature_k", "the temperature").mean())
