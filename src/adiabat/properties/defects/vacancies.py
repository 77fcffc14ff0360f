"""Vacancies on all sites of a crystal that symmetry tells apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.defects.chemical_potentials import chemical_potentials
from adiabat.properties.defects.supercell import repeats_for
from adiabat.properties.measured import Measured
from adiabat.properties.relaxation import RelaxationSettings, relax, require_at_rest
from adiabat.properties.symmetry import Symmetry
from adiabat.properties.vacancy import RATTLE_ANGSTROM, RATTLE_SEED
from adiabat.results import EXACT, IN_MEMORY, Bars, Figure, Result
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Vacancies(Result):
    """Vacancies in a supercell of fixed size, one for each orbit of the crystal's space group.

    Attributes:
        formula: Of the crystal.
        repeats: Of its cell, the supercell.
        atoms: In the supercell without a vacancy.
        sites: (n) the first atom of each orbit in the crystal.
        elements: (n) what is missing.
        multiplicities: (n) atoms of the orbit in the crystal's cell.
        elements_with_chemical_potential: By which the next are ordered.
        chemical_potentials_ev: Where missing atoms have gone.
        formation_energy_ev: (n) E(vacancy) - E(crystal) + μ, atoms at rest.
        unrelaxed_formation_energy_ev: (n) where the crystal's atoms stay.
        largest_displacement_angstrom: (n) of an atom from its site.
        structures: (n) supercells with a vacancy, at rest.
    """

    formula: str
    repeats: tuple[int, int, int]
    atoms: int
    sites: tuple[int, ...]
    elements: tuple[str, ...]
    multiplicities: tuple[int, ...]
    elements_with_chemical_potential: tuple[str, ...]
    chemical_potentials_ev: FloatArray
    formation_energy_ev: FloatArray
    unrelaxed_formation_energy_ev: FloatArray
    largest_displacement_angstrom: FloatArray = field(metadata=EXACT)
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def vacancies(
    rest: Atoms,
    potential: Potential,
    *,
    repeats: Sequence[int] | None = None,
    given_chemical_potentials: Mapping[str, float] | None = None,
) -> Vacancies:
    """Formation energies of vacancies, all relaxed together.

    Args:
        rest: A crystal at rest.
        potential: What it is made of. Members of a committee may come to rest in different minima: that is part of the uncertainty.
        repeats: Of its cell; by default as many as a defect and its images need to have no neighbour in common, and 10 Å.
        given_chemical_potentials: By element, in eV; as `chemical_potentials` takes them.

    Raises:
        StructureError: It is not at rest, or the supercell is too small.
        SimulationError: Atoms do not come to rest.
    """
    require_at_rest(rest, potential)
    group, number = Symmetry.of(rest), repeats_for(rest, potential, repeats)
    reservoirs = chemical_potentials(rest, potential, given=given_chemical_potentials)
    full = rest.repeat(number)
    sites = np.unique(group.orbits)
    bare = [_without(full, int(site)) for site in sites]
    begun = [atoms.copy() for atoms in bare]
    for atoms in begun:
        atoms.rattle(RATTLE_ANGSTROM, seed=RATTLE_SEED)
    found = relax(begun, potential, RelaxationSettings())
    for one in found:
        if not one.converged:
            raise SimulationError(
                "atoms around a vacancy do not come to rest",
                place=f"vacancy in {full.get_chemical_formula()}",
                rule="a formation energy is of atoms at rest",
                mend=one.advice,
            )
    energies = evaluated(potential, [full, *bare], "energy")[0]
    elements = tuple(rest.get_chemical_symbols()[int(site)] for site in sites)
    gone = np.array([reservoirs[element] for element in elements])
    relaxed_energies = np.array([one.energy_ev for one in found])
    return Vacancies(
        formula=rest.get_chemical_formula(),
        repeats=number,
        atoms=len(full),
        sites=tuple(int(site) for site in sites),
        elements=elements,
        multiplicities=tuple(int((group.orbits == site).sum()) for site in sites),
        elements_with_chemical_potential=tuple(reservoirs),
        chemical_potentials_ev=np.array(list(reservoirs.values())),
        formation_energy_ev=relaxed_energies - energies[0] + gone,
        unrelaxed_formation_energy_ev=energies[1:] - energies[0] + gone,
        largest_displacement_angstrom=np.array(
            [_farthest(one.atoms, atoms) for one, atoms in zip(found, bare, strict=True)]
        ),
        structures=tuple(one.atoms for one in found),
    )


def _without(full: Atoms, site: int) -> Atoms:
    less = full.copy()
    del less[site]
    return less


def _farthest(moved: Atoms, perfect: Atoms) -> float:
    return float(np.linalg.norm(moved.positions - perfect.positions, axis=1).max())


def vacancy_sentences(found: Vacancies) -> tuple[str, ...]:
    """The supercell, and where missing atoms have gone."""
    pairs = zip(found.elements_with_chemical_potential, found.chemical_potentials_ev, strict=True)
    return (
        f"supercell of {' x '.join(map(str, found.repeats))} cells, {found.atoms} atoms; "
        f"{len(found.sites)} site{'s' if len(found.sites) > 1 else ''} by symmetry",
        f"chemical potentials: {', '.join(f'{symbol} {value:.4f} eV' for symbol, value in pairs)}",
    )


def vacancy_figures(found: Measured[Vacancies]) -> tuple[Figure, ...]:
    """Formation energies by site."""
    result = found.result
    places = np.arange(len(result.sites) + 1, dtype=np.float64) - 0.5
    names = ", ".join(
        f"{n}: {element}, site {site}"
        for n, (element, site) in enumerate(zip(result.elements, result.sites, strict=True))
    )
    return (
        Figure(
            name="vacancies",
            title="Formation energies of vacancies",
            x_label="site",
            y_label="formation energy (eV)",
            marks=(
                Bars(places, result.unrelaxed_formation_energy_ev, "atoms stay"),
                Bars(places, result.formation_energy_ev, "atoms at rest"),
            ),
            note=f"Sites: {names}.",
        ),
    )
