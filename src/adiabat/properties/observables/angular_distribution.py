"""The angular distribution function of each triple of species: angles between neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase.data import chemical_symbols

from adiabat.errors import PropertyUnavailable
from adiabat.holes import pair_name
from adiabat.properties.observables.edges import FrameEdges, edges_of
from adiabat.properties.observables.means import standard_errors
from adiabat.properties.observables.observable import Observable
from adiabat.properties.observables.radial_distribution import PairDistribution, radial_distribution
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.results import Figure, Line
from adiabat.typing import FloatArray, IntArray

BINS = 90
"""Of 2° each."""
SMOOTHED = 5
"""Bins of g(r) that are averaged before its first minimum is looked for."""


@dataclass(frozen=True)
class TripleDistribution:
    """Of one triple of species.

    Attributes:
        values_per_degree: (B,) density of angles; its integral over degrees is one.
        values_per_degree_std: (B,) standard errors; not a number where the trajectory is too short to tell.
        angles_per_atom: Of each atom at the centre, on average.
        mean_degrees: Of all angles.
    """

    values_per_degree: FloatArray
    values_per_degree_std: FloatArray
    angles_per_atom: float
    mean_degrees: float


@dataclass(frozen=True)
class AngularDistribution(Observable):
    """Of each triple of species, the one at the centre in the middle of its name; triples without an angle are not there.

    Attributes:
        frames: That it is a mean of.
        cutoffs_angstrom: By pair, within which atoms are neighbours.
        edges_degrees: (B + 1,) of the bins.
        triples: By triple, such as "O-Si-O".
    """

    frames: int
    cutoffs_angstrom: dict[str, float]
    edges_degrees: FloatArray
    triples: dict[str, TripleDistribution]

    def figures(self) -> tuple[Figure, ...]:
        """All triples in one plot."""
        middles = 0.5 * (self.edges_degrees[1:] + self.edges_degrees[:-1])
        lines = [
            Line(middles, one.values_per_degree, name, band=one.values_per_degree_std)
            for name, one in self.triples.items()
        ]
        within = ", ".join(f"{name} {distance:.3g} Å" for name, distance in self.cutoffs_angstrom.items())
        return (
            Figure(
                name="adf",
                title="Angular distribution functions",
                x_label="angle (°)",
                y_label="density (1/°)",
                marks=tuple(lines),
                note=f"Neighbours are within {within}. Bands: one standard error of the sampling.",
            ),
        )

    def sentences(self) -> tuple[str, ...]:
        """The mean angles."""
        return tuple(
            f"Angles {name}: {one.mean_degrees:.1f}° on average, {one.angles_per_atom:.3g} at each atom."
            for name, one in self.triples.items()
        )


def angular_distribution(
    trajectory: Trajectory, *, cutoff_angstrom: float | None = None, quiet: bool = False
) -> AngularDistribution:
    """Angles at each atom between any two of its neighbours, as densities over the angle.

    Args:
        trajectory: Of a structure that is periodic in three directions.
        cutoff_angstrom: Within which atoms are neighbours, for all pairs; None: the first minimum of each pair's g(r).
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: The structure has no volume; a pair's g(r) has no minimum to end at.
    """
    trajectory.require_volume("the angular distribution")
    cutoffs = _cutoffs(trajectory, cutoff_angstrom, quiet=quiet)
    species = trajectory.species
    ends = list(combinations_with_replacement(range(len(species)), 2))
    triples = [(center, pair) for center in range(len(species)) for pair in ends]
    counts = np.zeros((trajectory.n_frames, len(triples), BINS))
    for some in edges_of(trajectory, float(cutoffs.max()), what="angles", quiet=quiet):
        for frames, kind, degrees in _angles(trajectory, some, cutoffs):
            shell = np.minimum((degrees * (BINS / 180)).astype(np.int64), BINS - 1)
            np.add.at(counts, (frames, kind, shell), 1.0)
    edges = np.linspace(0.0, 180.0, BINS + 1)
    found = {}
    for index, (center, (first, second)) in enumerate(triples):
        name = "-".join(chemical_symbols[species[one]] for one in (first, center, second))
        if counts[:, index].any():
            atoms = int((trajectory.numbers == species[center]).sum())
            found[name] = _triple(counts[:, index], edges, atoms)
    named = {pair_name((species[a], species[b])): float(cutoffs[a, b]) for a, b in ends}
    return AngularDistribution(trajectory.n_frames, named, edges, found)


def _cutoffs(trajectory: Trajectory, given: float | None, *, quiet: bool) -> FloatArray:
    """(species, species) Å."""
    species = trajectory.species
    found = np.full((len(species), len(species)), given or 0.0)
    if given is not None:
        return found
    rdf = radial_distribution(trajectory, quiet=quiet)
    for first, second in combinations_with_replacement(range(len(species)), 2):
        name = pair_name((species[first], species[second]))
        found[first, second] = found[second, first] = first_minimum(rdf.distances, rdf.pairs[name], name)
    return found


def first_minimum(distances: FloatArray, pair: PairDistribution, name: str) -> float:
    """Å, of g(r), smoothed, between its first peak above one and the next rise.

    Raises:
        PropertyUnavailable: There is none within reach.
    """
    smooth = np.convolve(pair.values, np.ones(SMOOTHED) / SMOOTHED, mode="same")
    high = np.flatnonzero(smooth > 1)
    if len(high):
        falling = high[0] + np.flatnonzero(smooth[high[0] :] < 1)
        if len(falling):
            rising = falling[0] + np.flatnonzero(np.diff(smooth[falling[0] :]) > 0)
            if len(rising):
                return float(distances[rising[0]])
    raise PropertyUnavailable(
        f"g(r) of {name} has no first minimum within {distances[-1]:.3g} Å",
        place="adf",
        rule="neighbours are those within the first minimum of g(r)",
        mend="say within which distance: --set adf.cutoff_angstrom=3",
    )


def _angles(
    trajectory: Trajectory, some: FrameEdges, cutoffs: FloatArray
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Frame, kind of triple and degrees of the angles between each edge of an atom and its k-th next, for each k."""
    kinds = np.searchsorted(np.array(trajectory.species), trajectory.numbers)
    near = some.distance < cutoffs[kinds[some.center], kinds[some.neighbor]]
    atom = (some.frame[near] - some.first) * trajectory.n_atoms + some.center[near]  # ascending, as edges stand
    center, end, frame = kinds[some.center[near]], kinds[some.neighbor[near]], some.frame[near]
    direction = some.vector[near] / some.distance[near, None]
    count = len(trajectory.species)
    table = np.zeros((count, count), dtype=np.int64)
    for index, (first, second) in enumerate(combinations_with_replacement(range(count), 2)):
        table[first, second] = table[second, first] = index
    ends = count * (count + 1) // 2
    for apart in range(1, len(atom)):
        same = np.flatnonzero(atom[apart:] == atom[:-apart])
        if not len(same):
            return
        other = same + apart
        cosine = (direction[same] * direction[other]).sum(-1)
        kind = center[same] * ends + table[end[same], end[other]]
        yield frame[same], kind, np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _triple(counts: FloatArray, edges: FloatArray, atoms: int) -> TripleDistribution:
    """From the numbers of angles (T, B)."""
    width, total = edges[1], counts.sum(axis=1).mean()
    density = counts / (total * width)
    middles = 0.5 * (edges[1:] + edges[:-1])
    mean = density.mean(axis=0)
    return TripleDistribution(
        values_per_degree=mean,
        values_per_degree_std=standard_errors(density),
        angles_per_atom=float(total / atoms),
        mean_degrees=float((middles * mean).sum() * width),
    )
