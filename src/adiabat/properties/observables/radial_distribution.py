"""The radial distribution function of each pair of species."""

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypeAlias

import numpy as np

from adiabat.errors import ConfigurationError
from adiabat.holes import pair_name
from adiabat.properties.observables.edges import default_reach, edges_of
from adiabat.properties.observables.means import standard_errors
from adiabat.properties.observables.model_error import MemberDifferences
from adiabat.properties.observables.observable import Observable, with_error
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure, Line
from adiabat.typing import FloatArray

Pair: TypeAlias = tuple[int, int]
BIN = 0.05
"""Å."""


@dataclass(frozen=True)
class PairDistribution:
    """g(r) of one pair of species.

    Attributes:
        values: (B,) 1 where atoms do not know of each other.
        values_std: (B,) standard errors of the sampling; not a number where the trajectory is too short to tell.
        values_std_model: (B,) by the uncertainty of the potential; None where it was not asked for.
        coordination: (B,) second atoms around a first, within the outer edge of each bin.
        coordination_std: (B,).
        peak_angstrom: Middle of the highest bin; None where there is none.
        peak_height: Its g.
        peak_height_std: Its standard error.
    """

    values: FloatArray
    values_std: FloatArray
    values_std_model: FloatArray | None
    coordination: FloatArray
    coordination_std: FloatArray
    peak_angstrom: float | None
    peak_height: float
    peak_height_std: float | None


@dataclass(frozen=True)
class RadialDistribution(Observable):
    """Of each pair of species, periodic images included.

    Attributes:
        frames: That it is a mean of.
        edges_angstrom: (B + 1,) of the bins.
        pairs: By pair, such as "O-Si".
    """

    frames: int
    edges_angstrom: FloatArray
    pairs: dict[str, PairDistribution]

    @property
    def distances(self) -> FloatArray:
        """(B,) Å, the middles of the bins."""
        return 0.5 * (self.edges_angstrom[1:] + self.edges_angstrom[:-1])

    def figures(self) -> tuple[Figure, ...]:
        """All pairs in one plot, and in another what the uncertainty of the potential makes of them."""
        return (
            self._values(),
            *([self._errors()] if any(one.values_std_model is not None for one in self.pairs.values()) else []),
        )

    def _errors(self) -> Figure:
        lines = []
        for name, one in self.pairs.items():
            lines.append(Line(self.distances, one.values_std, f"{name}, sampling"))
            if one.values_std_model is not None:
                lines.append(Line(self.distances, one.values_std_model, f"{name}, potential", dashed=True))
        return Figure("rdf-errors", "Standard errors of g(r)", "distance (Å)", "standard error", tuple(lines))

    def _values(self) -> Figure:
        lines = [Line(self.distances, one.values, name, band=one.values_std) for name, one in self.pairs.items()]
        return Figure(
            name="rdf",
            title="Radial distribution functions",
            x_label="distance (Å)",
            y_label="g(r)",
            marks=tuple(lines),
            note="Bands: one standard error of the sampling.",
        )

    def sentences(self) -> tuple[str, ...]:
        """Where the first peaks are."""
        return tuple(
            f"g(r) of {name}: highest at {one.peak_angstrom:.3g} Å, {with_error(one.peak_height, one.peak_height_std)}."
            for name, one in self.pairs.items()
            if one.peak_angstrom is not None
        )


def radial_distribution(
    trajectory: Trajectory,
    *,
    cutoff_angstrom: float | None = None,
    bin_angstrom: float = BIN,
    members: MemberDifferences | None = None,
    quiet: bool = False,
) -> RadialDistribution:
    """g_ab(r) = V n_ab(r) / (N_a N_b v(r)): pairs in a shell over those of an ideal gas of the same densities.

    N_b counts all atoms of the second species, the first atom itself among them where both are of one: for uncorrelated atoms
    g_aa is 1 - 1/N_a.

    Args:
        trajectory: Of a structure that is periodic in three directions; its cell may change.
        cutoff_angstrom: The largest distance; None for half of the cell's least height, 10 Å at most.
        bin_angstrom: Width of the bins; the last one ends at the cutoff or before it.
        members: Of the potential that the trajectory was made with, for what its uncertainty makes of g(r).
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: The structure has no volume.
        ConfigurationError: A cutoff that holds no bin.
    """
    volumes = trajectory.require_volume("g(r)")
    reach = cutoff_angstrom or default_reach(trajectory)
    edges = bin_edges(reach, bin_angstrom)
    pairs = list(combinations_with_replacement(trajectory.species, 2))
    counts = _counts(trajectory, pairs, edges, quiet=quiet)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    amounts = {number: int((trajectory.numbers == number).sum()) for number in trajectory.species}
    found = {}
    for index, (first, second) in enumerate(pairs):
        ideal = amounts[first] * amounts[second] * shells / volumes[:, None]
        found[pair_name((first, second))] = _pair(
            counts[:, index] / ideal, counts[:, index] / amounts[first], edges, members
        )
    return RadialDistribution(trajectory.n_frames, edges, found)


def bin_edges(reach: float, width: float) -> FloatArray:
    """From 0 in equal steps, none beyond `reach`; raises ConfigurationError where no bin fits."""
    bins = int(reach / width + 1e-9) if width > 0 else 0
    if bins < 1:
        raise ConfigurationError(
            f"bins of {width:g} Å up to {reach:g} Å",
            place="rdf",
            rule="bins have a width, and one or more end before the cutoff",
            mend="give a larger cutoff_angstrom or a smaller bin_angstrom",
        )
    return np.linspace(0.0, bins * width, bins + 1)


def _counts(trajectory: Trajectory, pairs: list[Pair], edges: FloatArray, *, quiet: bool) -> FloatArray:
    """(T, pairs, B) second atoms in the shells around all first ones; of unlike pairs the first is the lighter."""
    bins = len(edges) - 1
    table = np.full((max(trajectory.species) + 1,) * 2, -1)
    for index, (first, second) in enumerate(pairs):
        table[first, second] = index
    found = np.zeros((trajectory.n_frames, len(pairs), bins))
    for some in edges_of(trajectory, float(edges[-1]), what="pairs of atoms", quiet=quiet):
        kind = table[trajectory.numbers[some.center], trajectory.numbers[some.neighbor]]
        shell = (some.distance / edges[1]).astype(np.int64)
        counts = (kind >= 0) & (shell < bins)
        place = ((some.frame - some.first) * len(pairs) + kind) * bins + shell
        counted = np.bincount(place[counts], minlength=some.frames * len(pairs) * bins)
        found[some.first : some.first + some.frames] = counted.reshape(some.frames, len(pairs), bins)
    return found


def _pair(
    values: FloatArray, around: FloatArray, edges: FloatArray, members: MemberDifferences | None
) -> PairDistribution:
    """From g and the neighbours in each bin, both (T, B)."""
    mean, error = values.mean(axis=0), standard_errors(values)
    coordination = around.cumsum(axis=1)
    highest = int(mean.argmax())
    return PairDistribution(
        values=mean,
        values_std=error,
        values_std_model=None if members is None else members.std(values),
        coordination=coordination.mean(axis=0),
        coordination_std=standard_errors(coordination),
        peak_angstrom=0.5 * float(edges[highest] + edges[highest + 1]) if mean[highest] > 0 else None,
        peak_height=float(mean[highest]),
        peak_height_std=float(error[highest]) if np.isfinite(error[highest]) else None,
    )
