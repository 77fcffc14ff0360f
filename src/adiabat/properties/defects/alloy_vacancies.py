"""Vacancies over the sites of an alloy, where no two sites are alike: a distribution for each element."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import ConfigurationError, SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.alloys.shells import Shells
from adiabat.properties.arrays import evaluated
from adiabat.properties.defects.chemical_potentials import chemical_potentials
from adiabat.properties.defects.supercell import repeats_for
from adiabat.properties.measured import Measured
from adiabat.properties.relaxation import Relaxation, RelaxationSettings, relax
from adiabat.properties.relaxation.relaxed import TIGHT
from adiabat.properties.vacancy import RATTLE_ANGSTROM, RATTLE_SEED
from adiabat.results import EXACT, IN_MEMORY, Bars, Figure, Line, Result, Table
from adiabat.typing import FloatArray, IntArray

OFF_SITE = 0.25
"""Of the distance between neighbours: in a cell whose atoms go farther from their sites the alloy is another structure."""

HOPPED = 0.5
"""Of that distance: an atom next to a vacancy that goes farther has left its site."""

BINS = 16
"""Of the histogram."""


@dataclass(frozen=True)
class AlloyVacancies(Result):
    """Vacancies on sites of an alloy, each in a cell of fixed size, its atoms at rest.

    Attributes:
        formulas: Of the cells.
        cell_of_site: (n) which cell.
        sites: (n) which atom of it is missing.
        elements_of_sites: (n).
        elements: (k) in the cells.
        chemical_potentials_ev: (k) where missing atoms have gone.
        formation_energy_ev: (n) E(vacancy) - E(cell) + μ.
        elements_with_vacancies: (j) of which the next are.
        mean_by_element_ev: (j).
        spread_by_element_ev: (j) standard deviation over the sites; zero of one site.
        mean_formation_energy_ev: Over all sites.
        spread_formation_energy_ev: Standard deviation over all sites.
        lowest_formation_energy_ev: Of all sites.
        largest_displacement_angstrom: (n) of an atom from its site.
        left_their_sites: How many vacancies an atom has left its site for.
        not_at_rest: How many vacancies did not come to rest, and are left out.
        cells: At rest, without a vacancy.
        structures: (n) with a vacancy, at rest.
    """

    formulas: tuple[str, ...]
    cell_of_site: tuple[int, ...]
    sites: tuple[int, ...]
    elements_of_sites: tuple[str, ...]
    elements: tuple[str, ...]
    chemical_potentials_ev: FloatArray
    formation_energy_ev: FloatArray
    elements_with_vacancies: tuple[str, ...]
    mean_by_element_ev: FloatArray
    spread_by_element_ev: FloatArray
    mean_formation_energy_ev: float
    spread_formation_energy_ev: float
    lowest_formation_energy_ev: float
    largest_displacement_angstrom: FloatArray = field(metadata=EXACT)
    left_their_sites: int
    not_at_rest: int
    cells: tuple[Atoms, ...] = field(metadata=IN_MEMORY)
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def alloy_vacancies(
    cells: Sequence[Atoms],
    potential: Potential,
    *,
    sites: int = 100,
    given_chemical_potentials: Mapping[str, float] | None = None,
    seed: int = 0,
) -> AlloyVacancies:
    """Formation energies over the sites of one or more cells of an alloy; all vacancies are relaxed together.

    Args:
        cells: Supercells of the alloy: quasi-random, or as Monte Carlo ordered them. Each is relaxed first, positions and cell.
        potential: What they are made of.
        sites: How many, shared evenly by the cells, and in each by the elements as they are there.
        given_chemical_potentials: By element, in eV; as `chemical_potentials` takes them.
        seed: Of the choice of the sites.

    Raises:
        StructureError: A cell is too small for a vacancy, or the cells hold different elements.
        ConfigurationError: Fewer sites than cells, or more than there are atoms.
        SimulationError: A cell does not come to rest, or more than an eighth of the vacancies.
    """
    _require_alloy(cells, potential, sites)
    rest = _at_rest(cells, potential)
    reservoirs = chemical_potentials(rest[0], potential, given=given_chemical_potentials)
    chosen = [
        (cell, int(site))
        for cell, atoms in enumerate(rest)
        for site in choose_sites(atoms, sites // len(rest) + (cell < sites % len(rest)), seed + cell)
    ]
    begun = [_without(rest[cell], site) for cell, site in chosen]
    for atoms in begun:
        atoms.rattle(RATTLE_ANGSTROM, seed=RATTLE_SEED)
    found = relax(begun, potential, RelaxationSettings())
    kept = [place for place, one in enumerate(found) if one.converged]
    _require_most(found, len(kept))
    return _collected(
        rest,
        potential,
        [chosen[place] for place in kept],
        [found[place] for place in kept],
        reservoirs,
        len(found) - len(kept),
    )


def of_member(found: AlloyVacancies, member: Potential, given: Mapping[str, float] | None = None) -> AlloyVacancies:
    """The same sites by another potential, from where they came to rest; errors as of `alloy_vacancies`."""
    rest = _at_rest(found.cells, member)
    reservoirs = chemical_potentials(rest[0], member, given=given)
    begun = []
    for cell, atoms in zip(found.cell_of_site, found.structures, strict=True):
        scaled = atoms.copy()
        scaled.set_cell(rest[cell].cell, scale_atoms=True)
        begun.append(scaled)
    ended = relax(begun, member, RelaxationSettings())
    for site, one in zip(found.sites, ended, strict=True):
        if not one.converged:
            raise SimulationError(
                f"the vacancy on site {site} does not come to rest",
                rule="a member gives the distribution over the same sites",
                mend=one.advice,
            )
    chosen = list(zip(found.cell_of_site, found.sites, strict=True))
    return _collected(rest, member, chosen, ended, reservoirs, found.not_at_rest)


def choose_sites(atoms: Atoms, count: int, seed: int) -> IntArray:
    """So many sites, each element's share of them as near to its share of the atoms as whole numbers are; chosen at random."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(atoms))
    place = np.empty(len(atoms))
    for number in np.unique(atoms.numbers):
        own = order[atoms.numbers[order] == number]
        place[own] = (np.arange(len(own)) + random.random()) / len(own)
    return np.sort(np.argsort(place, kind="stable")[:count])


def _collected(
    rest: Sequence[Atoms],
    potential: Potential,
    chosen: Sequence[tuple[int, int]],
    found: Sequence[Relaxation],
    reservoirs: Mapping[str, float],
    not_at_rest: int,
) -> AlloyVacancies:
    [whole] = evaluated(potential, rest, "energy")
    elements = [rest[cell].get_chemical_symbols()[site] for cell, site in chosen]
    energies = np.array(
        [
            one.energy_ev - float(whole[cell]) + reservoirs[element]
            for (cell, _), element, one in zip(chosen, elements, found, strict=True)
        ]
    )
    there = sorted(set(elements))
    moved = np.array(
        [_moved(one.atoms, _without(rest[cell], site)) for (cell, site), one in zip(chosen, found, strict=True)]
    )
    by_element = [energies[np.array(elements) == element] for element in there]
    return AlloyVacancies(
        formulas=tuple(atoms.get_chemical_formula() for atoms in rest),
        cell_of_site=tuple(cell for cell, _ in chosen),
        sites=tuple(site for _, site in chosen),
        elements_of_sites=tuple(elements),
        elements=tuple(reservoirs),
        chemical_potentials_ev=np.array(list(reservoirs.values())),
        formation_energy_ev=energies,
        elements_with_vacancies=tuple(there),
        mean_by_element_ev=np.array([each.mean() for each in by_element]),
        spread_by_element_ev=np.array([_spread(each) for each in by_element]),
        mean_formation_energy_ev=float(energies.mean()),
        spread_formation_energy_ev=_spread(energies),
        lowest_formation_energy_ev=float(energies.min()),
        largest_displacement_angstrom=moved,
        left_their_sites=int((moved > HOPPED * _neighbor_distance(rest[0])).sum()),
        not_at_rest=not_at_rest,
        cells=tuple(rest),
        structures=tuple(one.atoms for one in found),
    )


def _spread(energies: FloatArray) -> float:
    return float(energies.std(ddof=1)) if len(energies) > 1 else 0.0


def _without(cell: Atoms, site: int) -> Atoms:
    less = cell.copy()
    del less[site]
    return less


def _at_rest(cells: Sequence[Atoms], potential: Potential) -> list[Atoms]:
    found = relax(cells, potential, TIGHT)
    for place, one in enumerate(found):
        if not one.converged:
            raise SimulationError(
                f"cell {place} does not come to rest",
                place=one.formula,
                rule="a formation energy is of atoms at rest",
                mend=one.advice,
            )
    for place, (atoms, one) in enumerate(zip(cells, found, strict=True)):
        moved, bond = _moved(one.atoms, atoms), _neighbor_distance(atoms)
        if moved > OFF_SITE * bond:
            raise SimulationError(
                f"an atom of cell {place} goes {moved:.2f} Å from its site, where neighbours are {bond:.2f} Å apart",
                place=one.formula,
                rule=f"an alloy keeps its crystal: no atom goes farther than {OFF_SITE:g} of that distance",
                mend="the potential does not know this alloy (see the energy's error bar): train it on such cells; or give a cell "
                "nearer to rest",
            )
    return [one.atoms for one in found]


def _moved(atoms: Atoms, sites: Atoms) -> float:
    """Å, the farthest that an atom is from its site, strain and a shift of the whole aside."""
    away = atoms.get_scaled_positions(wrap=False) - sites.get_scaled_positions(wrap=False)
    away -= np.round(away)
    return float(np.linalg.norm((away - away.mean(0)) @ atoms.cell.array, axis=1).max())


def _neighbor_distance(atoms: Atoms) -> float:
    return float(Shells.of(atoms, 1).distances[0])


def _require_alloy(cells: Sequence[Atoms], potential: Potential, sites: int) -> None:
    first = set(cells[0].get_chemical_symbols())
    for place, atoms in enumerate(cells):
        if set(atoms.get_chemical_symbols()) != first:
            raise StructureError(
                f"cell {place} is {atoms.get_chemical_formula()}, the first {cells[0].get_chemical_formula()}",
                place="vacancies of an alloy",
                rule="all cells hold the same elements",
                mend="give cells of one alloy",
            )
        repeats_for(atoms, potential, (1, 1, 1))
    fewest = min(len(atoms) for atoms in cells)
    if sites < len(cells) or sites > len(cells) * fewest:
        raise ConfigurationError(
            f"{sites} sites of {len(cells)} cells with {fewest} atoms",
            place="sites",
            rule="each cell gives one site or more, and no site twice",
            mend=f"ask for {len(cells)} to {len(cells) * fewest}",
        )


def _require_most(found: Sequence[Relaxation], kept: int) -> None:
    if kept < 7 / 8 * len(found):
        first = next(one for one in found if not one.converged)
        raise SimulationError(
            f"{len(found) - kept} of {len(found)} vacancies do not come to rest",
            place="vacancies of an alloy",
            rule="at most an eighth is left out, for a distribution leaves them out",
            mend=first.advice,
        )


def alloy_vacancy_sentences(found: AlloyVacancies) -> tuple[str, ...]:
    """The cells, and where missing atoms have gone."""
    potentials = ", ".join(
        f"{symbol} {value:.4f} eV" for symbol, value in zip(found.elements, found.chemical_potentials_ev, strict=True)
    )
    said = (
        f"{len(found.formulas)} cell{'s' if len(found.formulas) > 1 else ''} ({', '.join(sorted(set(found.formulas)))}), "
        "relaxed first, positions and cell",
        f"chemical potentials: {potentials}",
        f"{len(found.sites)} vacancies, each relaxed in its cell of fixed size",
    )
    if found.left_their_sites:
        said += (f"in {found.left_their_sites} of them an atom has left its site",)
    return (*said, f"NOT AT REST, and left out: {found.not_at_rest}") if found.not_at_rest else said


def alloy_vacancy_table(found: Measured[AlloyVacancies]) -> Table:
    """One row an element."""
    result = found.result
    mean_std, spread_std = found.std("mean_by_element_ev"), found.std("spread_by_element_ev")
    rows = tuple(
        (
            element,
            sum(one == element for one in result.elements_of_sites),
            float(result.mean_by_element_ev[place]),
            None if mean_std is None else float(np.asarray(mean_std)[place]),
            float(result.spread_by_element_ev[place]),
            None if spread_std is None else float(np.asarray(spread_std)[place]),
        )
        for place, element in enumerate(result.elements_with_vacancies)
    )
    columns = ("element", "sites", "mean (eV)", "std of the mean", "spread over the sites (eV)", "std of the spread")
    return Table("by-element", "Vacancy formation energies by element", columns, rows)


def alloy_vacancy_figures(found: Measured[AlloyVacancies]) -> tuple[Figure, ...]:
    """The distribution of each element; and all sites in order, with their error bars."""
    result, std = found.result, found.std("formation_energy_ev")
    energies, elements = result.formation_energy_ev, np.array(result.elements_of_sites)
    edges = np.histogram_bin_edges(energies, BINS)
    bars = tuple(
        Bars(edges, np.histogram(energies[elements == element], edges)[0].astype(np.float64), element)
        for element in result.elements_with_vacancies
    )
    order = np.argsort(energies)
    places = np.arange(len(order), dtype=np.float64)
    band = None if std is None else np.asarray(std)[order]
    return (
        Figure("distribution", "Vacancies over the sites", "formation energy (eV)", "sites", bars),
        Figure(
            "sorted",
            "Formation energies in order",
            "site",
            "formation energy (eV)",
            (Line(places, energies[order], "sites", band=band),),
            note="" if std is None else "The band is one standard deviation of the potential wide either way.",
        ),
    )
