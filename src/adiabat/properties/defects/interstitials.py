"""Interstitials: extra atoms in the holes of a crystal that symmetry tells apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from scipy.spatial import Voronoi

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.defects.chemical_potentials import reservoir
from adiabat.properties.defects.supercell import repeats_for
from adiabat.properties.relaxation import RelaxationSettings, relax, require_at_rest
from adiabat.properties.symmetry import Symmetry
from adiabat.properties.vacancy import RATTLE_ANGSTROM, RATTLE_SEED
from adiabat.results import EXACT, IN_MEMORY, Bars, Figure, Result
from adiabat.typing import FloatArray

SAME_ANGSTROM = 0.1
"""Holes nearer to each other are one."""

NARROWEST = 0.45
"""Of the distance between neighbours in the crystal: nearer to an atom there is no hole."""


@dataclass(frozen=True)
class Hole:
    """A place that is as far from several atoms as it can be.

    Attributes:
        place: (3,) Å.
        radius: Å, to the nearest atoms.
        neighbors: Atoms at that distance, within a tenth.
    """

    place: FloatArray
    radius: float
    neighbors: int


@dataclass(frozen=True)
class Interstitials(Result):
    """An extra atom in each distinct hole of a supercell of fixed size, at rest.

    Two holes whose atoms come to rest at one energy have relaxed to one defect.

    Attributes:
        formula: Of the crystal.
        element: Of the extra atom.
        repeats: Of the crystal's cell, the supercell.
        atoms: In the supercell without the extra atom.
        holes_angstrom: (n, 3) where it began, in the crystal's cell.
        radii_angstrom: (n) of the holes.
        neighbors: (n) atoms around each.
        chemical_potential_ev: Where the extra atom came from.
        formation_energy_ev: (n) E(with it) - E(crystal) - μ, atoms at rest.
        structures: (n) supercells at rest, the extra atom last.
    """

    formula: str
    element: str
    repeats: tuple[int, int, int]
    atoms: int
    holes_angstrom: FloatArray = field(metadata=EXACT)
    radii_angstrom: FloatArray = field(metadata=EXACT)
    neighbors: tuple[int, ...]
    chemical_potential_ev: float
    formation_energy_ev: FloatArray
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def interstitials(
    rest: Atoms,
    potential: Potential,
    *,
    element: str | None = None,
    repeats: Sequence[int] | None = None,
    given_chemical_potentials: Mapping[str, float] | None = None,
    holes: Sequence[Hole] | None = None,
) -> Interstitials:
    """Formation energies of interstitials, all relaxed together.

    Args:
        rest: A crystal at rest.
        potential: What it is made of, and the extra atom.
        element: Of the extra atom; by default that of the crystal, where it is an element.
        repeats: Of its cell; by default as for vacancies.
        given_chemical_potentials: By element, in eV.
        holes: Where to begin; by default all that symmetry tells apart.

    Raises:
        StructureError: It is not at rest, the supercell is too small, or no element is named for a compound.
        SimulationError: Atoms do not come to rest.
    """
    require_at_rest(rest, potential)
    symbol = element or _only_element(rest)
    number = repeats_for(rest, potential, repeats)
    found = tuple(holes if holes is not None else distinct_holes(rest))
    full = rest.repeat(number)
    begun = [_with_atom(full, hole, symbol) for hole in found]
    ended = relax(begun, potential, RelaxationSettings(steps=1000))
    for hole, one in zip(found, ended, strict=True):
        if not one.converged:
            raise SimulationError(
                f"the atom in the hole at {np.round(hole.place, 2).tolist()} Å does not come to rest",
                place=f"interstitial of {symbol} in {rest.get_chemical_formula()}",
                rule="a formation energy is of atoms at rest",
                mend=one.advice,
            )
    perfect = float(evaluated(potential, [full], "energy")[0][0])
    gained = reservoir(symbol, rest, potential, given_chemical_potentials)
    return Interstitials(
        formula=rest.get_chemical_formula(),
        element=symbol,
        repeats=number,
        atoms=len(full),
        holes_angstrom=np.array([hole.place for hole in found]),
        radii_angstrom=np.array([hole.radius for hole in found]),
        neighbors=tuple(hole.neighbors for hole in found),
        chemical_potential_ev=gained,
        formation_energy_ev=np.array([one.energy_ev for one in ended]) - perfect - gained,
        structures=tuple(one.atoms for one in ended),
    )


def distinct_holes(crystal: Atoms) -> list[Hole]:
    """Corners of the atoms' Voronoi cells, one of each orbit of the space group, the widest first.

    Args:
        crystal: Periodic in three directions.
    """
    group, cell = Symmetry.of(crystal), crystal.cell.array
    repeated = crystal.repeat((5, 5, 5)) if len(crystal) < 9 else crystal.repeat((3, 3, 3))
    middle = (2 if len(crystal) < 9 else 1) * cell.sum(0)
    positions = repeated.positions - middle
    corners = np.asarray(Voronoi(positions).vertices, dtype=np.float64)
    inside = np.linalg.solve(cell.T, corners.T).T
    corners = corners[((inside > -1e-6) & (inside < 1 - 1e-6)).all(1)]
    distances = np.linalg.norm(positions[:, None] - corners[None], axis=2)
    radii = distances.min(0)
    bond = _bond(positions, crystal)
    found: list[Hole] = []
    for place in np.argsort(-radii, kind="stable"):
        known = any(_equivalent(corners[place], hole.place, group, cell) for hole in found)
        if radii[place] > NARROWEST * bond and not known:
            around = int((distances[:, place] < 1.1 * radii[place]).sum())
            found.append(Hole(corners[place], float(radii[place]), around))
    return found


def _bond(positions: FloatArray, crystal: Atoms) -> float:
    """Å between the first atom of the middle cell and its nearest neighbour."""
    lengths = np.linalg.norm(positions - crystal.positions[0], axis=1)
    return float(lengths[lengths > SAME_ANGSTROM].min())


def _equivalent(place: FloatArray, other: FloatArray, group: Symmetry, cell: FloatArray) -> bool:
    """Whether an operation of the group takes one to the other, or to an image of it."""
    inverse = np.linalg.inv(cell)
    taken = np.einsum("gab,b->ga", group.fractional, place @ inverse) + group.shifts
    missed = taken - other @ inverse
    missed -= np.round(missed)
    return bool((np.linalg.norm(missed @ cell, axis=1) < SAME_ANGSTROM).any())


def _with_atom(full: Atoms, hole: Hole, symbol: str) -> Atoms:
    """A little off the middle of the hole, so that it may leave it."""
    more = full.copy()
    more.append(symbol)
    more.positions[-1] = hole.place
    more.rattle(RATTLE_ANGSTROM, seed=RATTLE_SEED)
    return more


def _only_element(crystal: Atoms) -> str:
    symbols = sorted(set(crystal.get_chemical_symbols()))
    if len(symbols) > 1:
        raise StructureError(
            f"holds {', '.join(symbols)}, and no element is named",
            place=f"interstitials in {crystal.get_chemical_formula()}",
            rule="the extra atom has an element",
            mend="name one: --element",
        )
    return symbols[0]


def interstitial_sentences(found: Interstitials) -> tuple[str, ...]:
    """The supercell, the holes, and where the extra atom came from."""
    holes = "; ".join(
        f"{place}: {number} neighbours at {radius:.2f} Å"
        for place, (number, radius) in enumerate(zip(found.neighbors, found.radii_angstrom, strict=True))
    )
    return (
        f"supercell of {' x '.join(map(str, found.repeats))} cells, {found.atoms} atoms; holes: {holes}",
        f"chemical potential: {found.element} {found.chemical_potential_ev:.4f} eV",
    )


def interstitial_figures(found: Interstitials) -> tuple[Figure, ...]:
    """Formation energies by hole."""
    edges = np.arange(len(found.neighbors) + 1, dtype=np.float64) - 0.5
    names = ", ".join(f"{place}: {number} neighbours" for place, number in enumerate(found.neighbors))
    bars = Bars(edges, found.formation_energy_ev, "atoms at rest")
    return (
        Figure(
            "interstitials",
            "Formation energies of interstitials",
            "hole",
            "formation energy (eV)",
            (bars,),
            note=f"Holes: {names}.",
        ),
    )
