"""Screening of many paths: a cheap pass over all, and those that are worth a reference calculation."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from ase import Atoms

from adiabat.errors import AdiabatError, ConfigurationError, DataError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.measured import Measured, measured
from adiabat.properties.paths.band import BandSettings
from adiabat.properties.paths.ends import path_ends
from adiabat.properties.paths.neb import minimum_energy_path
from adiabat.results import IN_MEMORY, Bars, Figure, Result, Table
from adiabat.runs import track
from adiabat.typing import FloatArray

COARSE = BandSettings(tolerance=0.1, steps=200)
IMAGES = 3


@dataclass(frozen=True)
class Screening(Result):
    """Barriers of many paths, coarse: few images, a wide tolerance, no vibrations.

    Attributes:
        paths: How many were given.
        places: (n) of those that have a barrier, as they were given.
        barrier_ev: (n).
        converged: (n) within 0.1 eV/Å; those that are not have an upper bound.
        failed: (m) places of the others.
        failures: (m) why.
        promising: Places within n of the lowest barriers by their lower bound (one standard deviation down).
        least_certain: Places within n of the largest error bars; empty where there are none.
        minima: (n) first ends at rest.
        saddles: (n) highest images.
    """

    paths: int
    places: tuple[int, ...]
    barrier_ev: FloatArray
    converged: tuple[bool, ...]
    failed: tuple[int, ...]
    failures: tuple[str, ...]
    promising: tuple[int, ...]
    least_certain: tuple[int, ...]
    minima: tuple[Atoms, ...] = field(metadata=IN_MEMORY)
    saddles: tuple[Atoms, ...] = field(metadata=IN_MEMORY)

    @property
    def chosen(self) -> list[int]:
        """Places within n that are worth a reference calculation."""
        return sorted({*self.promising, *self.least_certain})


def pairs_of(structures: Sequence[Atoms]) -> list[tuple[Atoms, Atoms]]:
    """First and last in turn.

    Raises:
        DataError: An odd number, or none.
    """
    if not structures or len(structures) % 2:
        raise DataError(
            f"holds {len(structures)} structures",
            place="paths",
            rule="the first and the last structure of each path stand one after the other",
            mend="write them in turn: first, last, first, last",
        )
    return list(zip(structures[::2], structures[1::2], strict=True))


def screened(
    pairs: Sequence[tuple[Atoms, Atoms]],
    potential: Potential,
    *,
    promising: int = 5,
    least_certain: int = 5,
    members: int | None = None,
    error_bars: bool = True,
    quiet: bool = False,
) -> Measured[Screening]:
    """A coarse band for each path; error bars are those of the highest image above its first end, where they stand.

    Args:
        pairs: Ends of the paths.
        potential: On whose surface.
        promising: How many of the lowest barriers are chosen.
        least_certain: How many of the largest error bars.
        members: Of the error bars.
        error_bars: Whether they are wanted: without, none is the least certain.
        quiet: Show no progress.

    Raises:
        ConfigurationError: A negative number is to be chosen.
        DataError: No path has a barrier.
    """
    if min(promising, least_certain) < 0:
        raise ConfigurationError(
            f"{promising} promising and {least_certain} uncertain ones",
            place="screening",
            rule="numbers of paths that are chosen are zero or more",
            mend="5 of each",
        )
    own = _coarse(pairs, potential, quiet=quiet)
    structures = [*own.minima, *own.saddles]

    def property(member: Potential) -> Screening:
        if member is potential:
            return own
        [energies] = evaluated(member, structures, "energy")
        return replace(own, barrier_ev=energies[len(own.minima) :] - energies[: len(own.minima)])

    found = measured(property, potential, members=members, error_bars=error_bars, quiet=quiet)
    std = found.std("barrier_ev")
    bars = np.zeros(len(own.places)) if std is None else np.asarray(std)
    uncertain = () if std is None else tuple(int(n) for n in np.argsort(-bars, kind="stable")[:least_certain])
    lowest = tuple(int(n) for n in np.argsort(own.barrier_ev - bars, kind="stable")[:promising])
    return replace(found, result=replace(own, promising=lowest, least_certain=uncertain))


def _coarse(pairs: Sequence[tuple[Atoms, Atoms]], potential: Potential, *, quiet: bool) -> Screening:
    places, barriers, converged, failed, failures = [], [], [], [], []
    minima: list[Atoms] = []
    tops: list[Atoms] = []
    for place, (first, last) in track(enumerate(pairs), "coarse paths", total=len(pairs), quiet=quiet):
        try:
            ends = path_ends(first, last, potential)
            path = minimum_energy_path(ends, potential, images=IMAGES, how=COARSE, vibrations=False)
        except AdiabatError as error:
            failed.append(place)
            failures.append(error.what)
            continue
        places.append(place)
        barriers.append(path.barrier_ev)
        converged.append(path.converged)
        minima.append(ends.first)
        tops.append(path.images[int(path.energies_ev.argmax())])
    if not places:
        raise DataError(
            f"none of {len(pairs)} paths has a barrier; the first: {failures[0]}",
            place="screening",
            rule="one path or more leads over a barrier",
            mend="see what the first needs, with `adiabat neb`",
        )
    return Screening(
        paths=len(pairs),
        places=tuple(places),
        barrier_ev=np.array(barriers),
        converged=tuple(converged),
        failed=tuple(failed),
        failures=tuple(failures),
        promising=(),
        least_certain=(),
        minima=tuple(minima),
        saddles=tuple(tops),
    )


def screening_sentences(found: Screening) -> tuple[str, ...]:
    """What was found, and what was not."""
    said = [
        f"{len(found.places)} of {found.paths} paths have a barrier, {sum(found.converged)} of them within 0.1 eV/Å"
    ]
    said += [f"path {place}: {why}" for place, why in zip(found.failed, found.failures, strict=True)]
    return tuple(said)


def screening_table(found: Measured[Screening]) -> Table:
    """One row a path, the lowest barrier first."""
    result, std = found.result, found.std("barrier_ev")
    rows = tuple(
        (
            result.places[n],
            float(result.barrier_ev[n]),
            None if std is None else float(np.asarray(std)[n]),
            "yes" if result.converged[n] else "no",
            ", ".join(
                name
                for name, chosen in (("promising", result.promising), ("least certain", result.least_certain))
                if n in chosen
            ),
        )
        for n in np.argsort(result.barrier_ev, kind="stable")
    )
    return Table("paths", "Paths", ("path", "barrier (eV)", "std", "at rest", "chosen"), rows)


def screening_figures(found: Screening) -> tuple[Figure, ...]:
    """The distribution of the barriers."""
    edges = np.histogram_bin_edges(found.barrier_ev, min(20, max(3, len(found.places) // 3)))
    counts = np.histogram(found.barrier_ev, edges)[0].astype(np.float64)
    return (Figure("barriers", "Barriers", "barrier (eV)", "paths", (Bars(edges, counts, "paths"),)),)
