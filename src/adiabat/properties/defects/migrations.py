"""Migration of vacancies: the hops of neighbours into a vacancy that symmetry and distance tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.potential import Potential
from adiabat.properties.defects.supercell import repeats_for
from adiabat.properties.measured import Measured
from adiabat.properties.paths import BandSettings, MinimumEnergyPath, minimum_energy_path, path_ends
from adiabat.properties.relaxation import relaxed_crystal, require_at_rest
from adiabat.properties.symmetry import Symmetry
from adiabat.results import EXACT, IN_MEMORY, Figure, Line, Result
from adiabat.typing import FloatArray

SAME_ANGSTROM = 0.05
"""Hops between the same orbits whose lengths differ by less are one."""


@dataclass(frozen=True)
class Migrations(Result):
    """Hops of a neighbour into a vacancy.

    Attributes:
        formula: Of the crystal.
        repeats: Of its cell, the supercell.
        atoms: In the supercell without the vacancy.
        from_sites: (n) the site of the atom that hops, in the crystal.
        to_sites: (n) the vacant site.
        elements: (n) of the atom that hops.
        hops_angstrom: (n) between the sites.
        barrier_ev: (n).
        reverse_barrier_ev: (n).
        paths: (n) the bands, unverified.
    """

    formula: str
    repeats: tuple[int, int, int]
    atoms: int
    from_sites: tuple[int, ...]
    to_sites: tuple[int, ...]
    elements: tuple[str, ...]
    hops_angstrom: FloatArray = field(metadata=EXACT)
    barrier_ev: FloatArray
    reverse_barrier_ev: FloatArray
    paths: tuple[MinimumEnergyPath, ...] = field(metadata=IN_MEMORY)


@dataclass(frozen=True)
class _Hop:
    vacant: int
    hopper: int
    length: float


def migrations(
    rest: Atoms,
    potential: Potential,
    *,
    repeats: Sequence[int] | None = None,
    farthest: float = 1.2,
    images: int = 5,
    settings: BandSettings | None = None,
    start: Migrations | None = None,
) -> Migrations:
    """Barriers of the hops of neighbours into a vacancy.

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        repeats: Of its cell; by default as for vacancies.
        farthest: Of the hops, in shares of the distance between nearest neighbours.
        images: Of each band, between its ends.
        settings: Of the bands.
        start: What another potential found, whose bands are begun with.

    Raises:
        StructureError: It is not at rest, or the supercell is too small.
        SimulationError: A band does not come to rest, or has no barrier.
    """
    require_at_rest(rest, potential)
    number = repeats_for(rest, potential, repeats)
    full, hops = rest.repeat(number), _hops(rest, number, farthest)
    how = settings or BandSettings()
    paths = []
    for place, hop in enumerate(hops):
        guess = None if start is None else _begun(start.paths[place], full)
        paths.append(_path(full, hop, potential, images, how, guess))
    symbols = full.get_chemical_symbols()
    return Migrations(
        formula=rest.get_chemical_formula(),
        repeats=number,
        atoms=len(full),
        from_sites=tuple(hop.hopper % len(rest) for hop in hops),
        to_sites=tuple(hop.vacant % len(rest) for hop in hops),
        elements=tuple(symbols[hop.hopper] for hop in hops),
        hops_angstrom=np.array([hop.length for hop in hops]),
        barrier_ev=np.array([path.barrier_ev for path in paths]),
        reverse_barrier_ev=np.array([path.reverse_barrier_ev for path in paths]),
        paths=tuple(paths),
    )


def migrations_of_member(
    found: Migrations, rest: Atoms, member: Potential, settings: BandSettings | None = None
) -> Migrations:
    """The same hops by another potential at its own lattice constants, from its bands; errors as of `migrations`."""
    own = relaxed_crystal(rest, member)
    images = len(found.paths[0].images) - 2
    return migrations(own, member, repeats=found.repeats, images=images, settings=settings, start=found)


def _hops(rest: Atoms, number: tuple[int, int, int], farthest: float) -> list[_Hop]:
    """One for each pair of orbits and length; forwards and back are one."""
    full, orbits = rest.repeat(number), Symmetry.of(rest).orbits
    found: list[_Hop] = []
    for vacant in (int(site) for site in np.unique(orbits)):
        away = full.get_distances(vacant, np.arange(len(full)), mic=True)
        away[vacant] = np.inf
        for hopper in np.flatnonzero(away <= farthest * away.min()):
            pair = {int(orbits[vacant]), int(orbits[hopper % len(rest)])}
            known = any(
                {int(orbits[one.vacant]), int(orbits[one.hopper % len(rest)])} == pair
                and abs(one.length - away[hopper]) < SAME_ANGSTROM
                for one in found
            )
            if not known:
                found.append(_Hop(vacant, int(hopper), float(away[hopper])))
    return found


def _path(
    full: Atoms, hop: _Hop, potential: Potential, images: int, how: BandSettings, guess: torch.Tensor | None
) -> MinimumEnergyPath:
    first, last = full.copy(), full.copy()
    last.positions[hop.hopper] = full.positions[hop.vacant]
    del first[hop.vacant]
    del last[hop.vacant]
    ends = path_ends(first, last, potential)
    if guess is not None:
        guess[0], guess[-1] = torch.from_numpy(ends.first.positions), torch.from_numpy(ends.last.positions)
    found = minimum_energy_path(ends, potential, images=images, how=how, guess=guess, vibrations=False)
    if not found.converged:
        raise SimulationError(
            f"the hop of atom {hop.hopper} over {hop.length:.2f} Å does not come to rest",
            place=f"migration in {full.get_chemical_formula()}",
            rule="a barrier is of a band at rest",
            mend=found.advice,
        )
    return found


def _begun(path: MinimumEnergyPath, full: Atoms) -> torch.Tensor:
    """(M, N, 3) its images, stretched to another cell."""
    stretch = np.linalg.solve(path.images[0].cell.array, full.cell.array)
    return torch.from_numpy(np.stack([atoms.positions @ stretch for atoms in path.images]))


def migration_sentences(found: Migrations) -> tuple[str, ...]:
    """The supercell, and the hops."""
    hops = "; ".join(
        f"{n}: {element} over {length:.2f} Å, site {start} to {end}"
        for n, (element, length, start, end) in enumerate(
            zip(found.elements, found.hops_angstrom, found.from_sites, found.to_sites, strict=True)
        )
    )
    return (
        f"supercell of {' x '.join(map(str, found.repeats))} cells, {found.atoms} atoms before the vacancy; hops: {hops}",
        "saddles are not verified here: `adiabat neb` does, and takes rates",
    )


def migration_figures(found: Measured[Migrations]) -> tuple[Figure, ...]:
    """Energies along the hops."""
    marks = tuple(
        Line(path.path_angstrom, path.energies_ev, f"{n}: {element} over {length:.2f} Å")
        for n, (path, element, length) in enumerate(
            zip(found.result.paths, found.result.elements, found.result.hops_angstrom, strict=True)
        )
    )
    return (
        Figure("hops", "Hops into a vacancy", "length along the path (Å)", "energy above the first end (eV)", marks),
    )
