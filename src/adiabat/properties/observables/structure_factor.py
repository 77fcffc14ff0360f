"""The static structure factor of each pair of species, over the wave vectors of the cell."""

from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np

from adiabat.errors import ConfigurationError
from adiabat.holes import pair_name
from adiabat.properties.observables.means import standard_errors
from adiabat.properties.observables.observable import Observable
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure, Line
from adiabat.runs import track
from adiabat.typing import FloatArray

LARGEST = 10.0
"""1/Å."""
BIN = 0.1
"""1/Å."""
MOST_VECTORS = 40
"""Of a bin, drawn where there are more: their mean is as sure as the frames allow."""


@dataclass(frozen=True)
class StructureFactor(Observable):
    """S_ab(q) = ⟨ρ_a(q) ρ_b(-q)⟩ / √(N_a N_b), ρ_a(q) = Σ exp(i q·r): one for like, zero for unlike atoms that know nothing of each other.

    (N. W. Ashcroft and D. C. Langreth, Phys. Rev. 156, 685 (1967).) Bins without a wave vector of the cell are not there.

    Attributes:
        frames: That it is a mean of.
        wave_numbers_per_angstrom: (B,) mean over the wave vectors of each bin.
        vectors: (B,) of the cell that were taken.
        pairs: By pair: (B,).
        pairs_std: By pair: (B,) standard errors; not a number where the trajectory is too short to tell.
        total: (B,) of all atoms alike, Σ_ab √(N_a N_b) S_ab / N.
        total_std: (B,).
    """

    frames: int
    wave_numbers_per_angstrom: FloatArray
    vectors: tuple[int, ...]
    pairs: dict[str, FloatArray]
    pairs_std: dict[str, FloatArray]
    total: FloatArray
    total_std: FloatArray

    def figures(self) -> tuple[Figure, ...]:
        """All pairs in one plot."""
        numbers = self.wave_numbers_per_angstrom
        lines = [Line(numbers, self.total, "all", band=self.total_std)]
        if len(self.pairs) > 1:
            lines += [Line(numbers, values, name, band=self.pairs_std[name]) for name, values in self.pairs.items()]
        return (
            Figure(
                name="structure-factor",
                title="Structure factor",
                x_label="wave number (1/Å)",
                y_label="S(q)",
                marks=tuple(lines),
                note="Bands: one standard error of the sampling.",
            ),
        )

    def sentences(self) -> tuple[str, ...]:
        """Where it is highest."""
        highest = int(self.total.argmax())
        return (f"S(q): highest at {self.wave_numbers_per_angstrom[highest]:.3g} /Å, {self.total[highest]:.3g}.",)


def structure_factor(
    trajectory: Trajectory, *, largest_per_angstrom: float = LARGEST, seed: int = 0, quiet: bool = False
) -> StructureFactor:
    """By summing over atoms, at wave vectors 2π (h k l) of each frame's cell.

    Args:
        trajectory: Of a structure that is periodic in three directions; its cell may change a little.
        largest_per_angstrom: The largest wave number.
        seed: By which wave vectors are drawn where a bin has more than forty.
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: The structure has no volume.
        ConfigurationError: No wave vector of the cell is that short.
    """
    trajectory.require_volume("S(q)")
    mean_cell = trajectory.cells.mean(axis=0)
    indices = _indices(mean_cell, largest_per_angstrom)
    lengths = np.linalg.norm(_vectors(mean_cell, indices), axis=1)
    bins = (lengths / BIN).astype(np.int64)
    chosen = _drawn(bins, np.random.default_rng(seed))
    indices, lengths, bins = indices[chosen], lengths[chosen], bins[chosen]
    found, places = np.unique(bins, return_inverse=True)
    amounts = np.bincount(places)
    pairs = list(combinations_with_replacement(range(len(trajectory.species)), 2))
    series = np.zeros((len(pairs), trajectory.n_frames, len(found)))
    for frame in track(range(trajectory.n_frames), "structure factor", quiet=quiet):
        densities = _densities(trajectory, frame, indices)
        for index, (first, second) in enumerate(pairs):
            values = np.real(densities[first] * densities[second].conj())
            series[index, frame] = np.bincount(places, values) / amounts
    counts = np.array([(trajectory.numbers == number).sum() for number in trajectory.species], dtype=np.float64)
    whole = sum(
        (1 if a == b else 2) * np.sqrt(counts[a] * counts[b]) * one for (a, b), one in zip(pairs, series, strict=True)
    )
    names = [pair_name((trajectory.species[a], trajectory.species[b])) for a, b in pairs]
    total = np.asarray(whole) / trajectory.n_atoms
    return StructureFactor(
        frames=trajectory.n_frames,
        wave_numbers_per_angstrom=np.bincount(places, lengths) / amounts,
        vectors=tuple(amounts.tolist()),
        pairs={name: one.mean(axis=0) for name, one in zip(names, series, strict=True)},
        pairs_std={name: standard_errors(one) for name, one in zip(names, series, strict=True)},
        total=total.mean(axis=0),
        total_std=standard_errors(total),
    )


def _vectors(cell: FloatArray, indices: FloatArray) -> FloatArray:
    """(Q, 3) 1/Å."""
    return 2 * np.pi * indices @ np.linalg.inv(cell).T


def _indices(cell: FloatArray, largest: float) -> FloatArray:
    """(Q, 3) h k l of the wave vectors within reach, one of each and its opposite."""
    bounds = np.floor(largest * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(int)
    grid = np.array(list(product(*(range(-bound, bound + 1) for bound in bounds))), dtype=np.float64)
    grid = grid[len(grid) // 2 + 1 :]  # the middle one is zero, and each before it the opposite of one after it
    within = grid[np.linalg.norm(_vectors(cell, grid), axis=1) <= largest]
    if not len(within):
        raise ConfigurationError(
            f"no wave vector of the cell is shorter than {largest:g} /Å",
            place="structure_factor.largest_per_angstrom",
            rule="wave vectors are those of the cell",
            mend="ask for larger ones",
        )
    return within


def _drawn(bins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers of the vectors that are taken, ascending."""
    chosen = []
    for number in np.unique(bins):
        own = np.flatnonzero(bins == number)
        chosen.append(own if len(own) <= MOST_VECTORS else np.sort(rng.choice(own, MOST_VECTORS, replace=False)))
    return np.concatenate(chosen)


def _densities(trajectory: Trajectory, frame: int, indices: FloatArray) -> list[np.ndarray]:
    """ρ(q) / √N of each species, (Q,) complex."""
    positions, vectors = trajectory.positions[frame], _vectors(trajectory.cells[frame], indices)
    found = []
    for number in trajectory.species:
        own = positions[trajectory.numbers == number]
        found.append(np.exp(1j * (vectors @ own.T)).sum(axis=1) / np.sqrt(len(own)))
    return found
