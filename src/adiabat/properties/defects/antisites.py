"""Antisites: atoms of another element on the sites of a crystal that symmetry tells apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from adiabat.errors import SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.defects.chemical_potentials import reservoir
from adiabat.properties.defects.supercell import repeats_for
from adiabat.properties.relaxation import RelaxationSettings, relax, require_at_rest
from adiabat.properties.symmetry import Symmetry
from adiabat.properties.vacancy import RATTLE_ANGSTROM, RATTLE_SEED
from adiabat.results import IN_MEMORY, Bars, Figure, Result
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Antisites(Result):
    """An atom of another element in a supercell of fixed size, at rest: an antisite, or a solute.

    Attributes:
        formula: Of the crystal.
        repeats: Of its cell, the supercell.
        atoms: In the supercell.
        sites: (n) the first atom of the orbit in the crystal.
        removed: (n) the element that stood there.
        added: (n) the element that stands there now.
        elements: Of the next.
        chemical_potentials_ev: Where atoms come from and go to.
        formation_energy_ev: (n) E(with it) - E(crystal) + μ(removed) - μ(added), atoms at rest.
        unrelaxed_formation_energy_ev: (n) where the crystal's atoms stay.
        structures: (n) supercells at rest.
    """

    formula: str
    repeats: tuple[int, int, int]
    atoms: int
    sites: tuple[int, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]
    elements: tuple[str, ...]
    chemical_potentials_ev: FloatArray
    formation_energy_ev: FloatArray
    unrelaxed_formation_energy_ev: FloatArray
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def antisites(
    rest: Atoms,
    potential: Potential,
    *,
    element: str | None = None,
    repeats: Sequence[int] | None = None,
    given_chemical_potentials: Mapping[str, float] | None = None,
) -> Antisites:
    """Formation energies of antisites, all relaxed together.

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        element: That is put on every site that does not hold it; by default each element of the crystal.
        repeats: Of its cell; by default as for vacancies.
        given_chemical_potentials: By element, in eV.

    Raises:
        StructureError: It is not at rest, the supercell is too small, or no site can hold another element.
        SimulationError: Atoms do not come to rest.
    """
    require_at_rest(rest, potential)
    number, pairs = repeats_for(rest, potential, repeats), _pairs(rest, element)
    symbols = rest.get_chemical_symbols()
    elements = sorted({symbols[site] for site, _ in pairs} | {added for _, added in pairs})
    potentials = {
        symbol: reservoir(symbol, rest, potential, _given(given_chemical_potentials, symbol)) for symbol in elements
    }
    _require_used(given_chemical_potentials, elements)
    full = rest.repeat(number)
    bare = [_with(full, site, added) for site, added in pairs]
    begun = [atoms.copy() for atoms in bare]
    for atoms in begun:
        atoms.rattle(RATTLE_ANGSTROM, seed=RATTLE_SEED)
    found = relax(begun, potential, RelaxationSettings())
    for (_, added), one in zip(pairs, found, strict=True):
        if not one.converged:
            raise SimulationError(
                f"atoms around {added} on another site do not come to rest",
                place=f"antisite in {full.get_chemical_formula()}",
                rule="a formation energy is of atoms at rest",
                mend=one.advice,
            )
    energies = evaluated(potential, [full, *bare], "energy")[0]
    exchanged = np.array([potentials[symbols[site]] - potentials[added] for site, added in pairs])
    return Antisites(
        formula=rest.get_chemical_formula(),
        repeats=number,
        atoms=len(full),
        sites=tuple(site for site, _ in pairs),
        removed=tuple(symbols[site] for site, _ in pairs),
        added=tuple(added for _, added in pairs),
        elements=tuple(elements),
        chemical_potentials_ev=np.array([potentials[symbol] for symbol in elements]),
        formation_energy_ev=np.array([one.energy_ev for one in found]) - energies[0] + exchanged,
        unrelaxed_formation_energy_ev=energies[1:] - energies[0] + exchanged,
        structures=tuple(one.atoms for one in found),
    )


def _pairs(rest: Atoms, element: str | None) -> list[tuple[int, str]]:
    """Sites that symmetry tells apart, with each element that they can be given."""
    symbols = rest.get_chemical_symbols()
    if element is not None and element not in atomic_numbers:
        raise StructureError(
            f"'{element}' is no element", place="antisites", rule="a chemical symbol", mend="--element Cu"
        )
    others = sorted(set(symbols)) if element is None else [element]
    sites = [int(site) for site in np.unique(Symmetry.of(rest).orbits)]
    pairs = [(site, other) for site in sites for other in others if symbols[site] != other]
    if not pairs:
        raise StructureError(
            f"all sites of {rest.get_chemical_formula()} hold {', '.join(others)}",
            place="antisites",
            rule="another element is put on a site",
            mend="name one: --element",
        )
    return pairs


def _given(given: Mapping[str, float] | None, symbol: str) -> dict[str, float]:
    return {symbol: given[symbol]} if given and symbol in given else {}


def _require_used(given: Mapping[str, float] | None, elements: Sequence[str]) -> None:
    for symbol in given or {}:
        if symbol not in elements:
            raise StructureError(
                f"'{symbol}' is given, and the exchange is of {', '.join(elements)}",
                place="chemical potentials",
                rule="they are of elements that come or go",
                mend="leave it out",
            )


def _with(full: Atoms, site: int, element: str) -> Atoms:
    other = full.copy()
    other.numbers[site] = atomic_numbers[element]
    return other


def antisite_sentences(found: Antisites) -> tuple[str, ...]:
    """The supercell, and where atoms come from."""
    pairs = zip(found.elements, found.chemical_potentials_ev, strict=True)
    kinds = "; ".join(
        f"{n}: {added} for {removed} on site {site}"
        for n, (added, removed, site) in enumerate(zip(found.added, found.removed, found.sites, strict=True))
    )
    return (
        f"supercell of {' x '.join(map(str, found.repeats))} cells, {found.atoms} atoms; {kinds}",
        f"chemical potentials: {', '.join(f'{symbol} {value:.4f} eV' for symbol, value in pairs)}",
    )


def antisite_figures(found: Antisites) -> tuple[Figure, ...]:
    """Formation energies."""
    edges = np.arange(len(found.sites) + 1, dtype=np.float64) - 0.5
    marks = (
        Bars(edges, found.unrelaxed_formation_energy_ev, "atoms stay"),
        Bars(edges, found.formation_energy_ev, "atoms at rest"),
    )
    return (
        Figure(
            "antisites",
            "Formation energies of antisites",
            "antisite",
            "formation energy (eV)",
            marks,
            note=antisite_sentences(found)[0] + ".",
        ),
    )
