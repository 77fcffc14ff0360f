"""One atom of the bulk pushed onto another, along straight lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from adiabat.errors import DataError
from adiabat.holes.contacts import NEAREST, Pair, contact_table, pair_name
from adiabat.holes.curves import EnergyCurve
from adiabat.holes.hosts import host_of, repeated_beyond
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Batch, Labelled
from adiabat.typing import FloatArray

BoolArray: TypeAlias = NDArray[np.bool_]

STEP = 0.02
"""Å that the atom is pushed from point to point."""

FINE = 0.002
"""Å: by such steps it is found out where on a line the atom comes how near to which others."""

IMPACT = 0.5
"""Of the contact distance. A line that passes the other atom further away than this is no push onto it."""

HEAD_ON = 5
"""Of the directions, at most so many go straight to another atom."""

HEADING = 0.5
"""Cosine. Only while the atom heads for its nearest neighbour by at least this does the energy have to rise, and while it
leaves none behind that it has come too near to: where it flies past, the energy may fall."""

SAME_SHELL = 0.05
"""Å: of other atoms at distances that differ by less, one is enough."""

DRAWS = 2000
"""Random directions to choose from."""


@dataclass(frozen=True)
class _Crowd:
    """An atom and what it sees.

    Attributes:
        atoms: The structure.
        pushed: Which atom.
        vectors: (M, 3) Å to all other atoms in reach; its own images move with it and are none of them.
        contact: (M,) Å, the contact distance to each.
        wanted: (M,) whether it is of the species that the atom is to be pushed onto.
    """

    atoms: Atoms
    pushed: int
    vectors: FloatArray
    contact: FloatArray
    wanted: BoolArray


@dataclass(frozen=True)
class _Push:
    """The part of a line on which the energy has to rise.

    Attributes:
        direction: (3,) unit vector.
        displacement: (P,) Å along it.
        distance: (P,) Å, to the nearest other atom.
    """

    direction: FloatArray
    displacement: FloatArray
    distance: FloatArray


def push_curves(
    potential: Potential,
    structures: Sequence[Labelled],
    contacts: Mapping[Pair, float],
    *,
    directions: int = 10,
    seed: int = 0,
    quiet: bool = False,
) -> list[EnergyCurve]:
    """For each pair of species an atom of one pushed onto atoms of the other, in the structure of lowest energy.

    Where no structure holds both species, or no free way leads from one to the other, the atom's nearest neighbour is
    exchanged for one of the other species. The energy has to rise from where the atom is nearer to some other than
    their contact distance, down to `NEAREST` or to where it begins to fly past.

    Args:
        potential: What is asked.
        structures: The data.
        contacts: Å, by pair, as `contact_distances` gives them.
        directions: For each pair: straight to other atoms first, the rest at random.
        seed: Of the random ones.
        quiet: Show no progress.

    Raises:
        DataError: No structure holds a species, or no way leads from an atom of a pair to the other.
    """
    rng = np.random.default_rng(seed)
    hosts = {pair: host_of(structures, pair) for pair in contacts}
    paths = [
        path
        for pair, host in hosts.items()
        for path in push_paths(potential.cutoff, host, pair, contacts, count=directions, rng=rng)
    ]
    return [
        EnergyCurve.along(path.place, potential, path.structures, path.distance, "Å")
        for path in track(paths, "pushing atoms onto each other", quiet=quiet)
    ]


@dataclass(frozen=True)
class PushPath:
    """An atom on its way onto another.

    Attributes:
        place: Which, and where to.
        structures: (P,).
        distance: (P,) Å, from the pushed atom to the nearest other.
    """

    place: str
    structures: Sequence[Atoms]
    distance: FloatArray


def push_paths(
    reach: float, host: Atoms, pair: Pair, contacts: Mapping[Pair, float], *, count: int, rng: np.random.Generator
) -> list[PushPath]:
    """Paths on which the energy has to rise: an atom of one species pushed onto atoms of the other, as `push_curves` has it.

    Args:
        reach: Å, beyond which atoms do not feel each other.
        host: A structure that holds one of the species; it is repeated.
        pair: The species.
        contacts: Å, by pair.
        count: How many.
        rng: For the directions.

    Raises:
        DataError: No so many straight ways lead from an atom of the pair to another.
    """
    ways = _ways(reach, host, pair, contacts, count=count, rng=rng)
    return [_path(pair, crowd, push) for crowd, push in ways]


def _ways(
    reach: float, host: Atoms, pair: Pair, contacts: Mapping[Pair, float], *, count: int, rng: np.random.Generator
) -> list[tuple[_Crowd, _Push]]:
    """Ways of one atom onto others, in the host as it is, or with a neighbour exchanged."""
    pushed, other = pair if pair[0] in host.numbers else pair[::-1]
    atoms = repeated_beyond(host, 2 * reach)
    for neighbors in (atoms.numbers == other, np.ones(len(atoms), dtype=bool)):
        crowd = _crowd(atoms, pushed, other, contacts, neighbors=neighbors, reach=reach)
        pushes = _pushes(crowd, count, rng) if crowd is not None else []
        if crowd is not None and len(pushes) == count:
            return [(crowd, push) for push in pushes]
    raise DataError(
        f"no {count} straight ways lead from an atom of {atoms.get_chemical_formula()} to another",
        place=pair_name(pair),
        rule="an atom is pushed onto others that it can reach",
        mend="add structures in which such atoms are neighbours, or ask for fewer directions",
    )


def _crowd(
    atoms: Atoms, pushed: int, other: int, contacts: Mapping[Pair, float], *, neighbors: BoolArray, reach: float
) -> _Crowd | None:
    """The pushed atom that is nearest to one of the neighbours, which becomes one of the other species; None without any."""
    graph = neighbor_graph(Batch.from_atoms(atoms), reach)
    center, neighbor, vectors = graph.center.numpy(), graph.neighbor.numpy(), graph.vectors().numpy()
    nearest_first = np.argsort((vectors**2).sum(-1), kind="stable")
    nearest_first = nearest_first[(center != neighbor)[nearest_first]]
    chosen = (atoms.numbers[center] == pushed) & neighbors[neighbor]
    chosen = nearest_first[chosen[nearest_first]]
    if not len(chosen):
        return None
    atoms = atoms.copy()
    atoms.numbers[neighbor[chosen[0]]] = other
    seen = nearest_first[center[nearest_first] == center[chosen[0]]]
    numbers = atoms.numbers[neighbor[seen]]
    contact = contact_table(contacts)[pushed, numbers]
    return _Crowd(atoms, int(center[chosen[0]]), vectors[seen], contact, numbers == other)


def _path(pair: Pair, crowd: _Crowd, push: _Push) -> PushPath:
    path = [_displaced(crowd, length * push.direction) for length in push.displacement]
    towards = ", ".join(f"{component:.2f}" for component in push.direction)
    place = f"{pair_name(pair)}, atom {crowd.pushed} of {crowd.atoms.get_chemical_formula()} pushed along ({towards})"
    return PushPath(place, path, push.distance)


def _displaced(crowd: _Crowd, displacement: FloatArray) -> Atoms:
    moved = crowd.atoms.copy()
    moved.positions[crowd.pushed] += displacement
    return moved


def _pushes(crowd: _Crowd, count: int, rng: np.random.Generator) -> list[_Push]:
    """Straight onto wanted atoms, one at each distance, then at random onto any of them; fewer where there are no more."""
    straight = _found(_straight_aims(crowd), crowd, min(count, HEAD_ON))
    return straight + _found(_random_aims(crowd, rng), crowd, count - len(straight))


def _found(aims: Iterator[FloatArray], crowd: _Crowd, count: int) -> list[_Push]:
    pushes = (_push(aim / np.linalg.norm(aim), crowd) for aim in aims)
    return list(islice((push for push in pushes if push is not None), count))


def _straight_aims(crowd: _Crowd) -> Iterator[FloatArray]:
    before = 0.0
    for vector in crowd.vectors[crowd.wanted]:
        distance = float(np.linalg.norm(vector))
        if distance > before + SAME_SHELL:
            yield vector
            before = distance


def _random_aims(crowd: _Crowd, rng: np.random.Generator) -> Iterator[FloatArray]:
    """At random points about random wanted atoms."""
    wanted = np.flatnonzero(crowd.wanted)
    for target in rng.choice(wanted, DRAWS) if len(wanted) else ():
        yield crowd.vectors[target] + IMPACT * crowd.contact[target] * _in_unit_ball(rng)


def _in_unit_ball(rng: np.random.Generator) -> FloatArray:
    direction = rng.normal(size=3)
    return direction / np.linalg.norm(direction) * rng.uniform() ** (1 / 3)


def _push(direction: FloatArray, crowd: _Crowd) -> _Push | None:
    """The part of a line on which the energy has to rise; None where it leads past all wanted atoms."""
    lengths = np.arange(0.0, np.linalg.norm(crowd.vectors, axis=-1).max(), FINE)
    along = crowd.vectors @ direction - lengths[:, None]
    aside = np.linalg.norm(np.cross(crowd.vectors, direction), axis=-1)
    distance = np.hypot(along, aside)
    leaves = ((along < 0) & (distance < crowd.contact)).any(1)
    nearest = (distance / crowd.contact).argmin(1)
    rows = np.arange(len(lengths))
    distance, along = distance[rows, nearest], along[rows, nearest]
    near = distance < crowd.contact[nearest]
    if not near.any():
        return None
    start = int(near.argmax())
    over = (distance < NEAREST) | (along < HEADING * distance) | leaves
    stop = start + int(over[start:].argmax())
    met = nearest[stop]
    if stop == start or not crowd.wanted[met] or aside[met] > IMPACT * crowd.contact[met]:
        return None
    points = np.unique(np.linspace(start, stop, 2 + int((lengths[stop] - lengths[start]) / STEP)).astype(int))
    return _Push(direction, lengths[points], distance[points])
