"""Interstitials: holes of known crystals, and energies against ASE's own relaxation."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.optimize import BFGS

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import FromASE
from adiabat.properties import relaxed_crystal
from adiabat.properties.defects import distinct_holes, interstitials


@pytest.mark.parametrize(
    ("crystal", "expected"),
    [
        # Radii in terms of the edge a: octahedral and tetrahedral holes of close packings, tetrahedral of bcc, both of diamond.
        (bulk("Cu", a=3.6), [(3.6 / 2, 6), (3.6 * np.sqrt(3) / 4, 4)]),
        (bulk("Cu", cubic=True, a=3.6), [(3.6 / 2, 6), (3.6 * np.sqrt(3) / 4, 4)]),
        (bulk("W", a=3.16), [(3.16 * np.sqrt(5) / 4, 4)]),
        (bulk("Si", a=5.43), [(5.43 * np.sqrt(3) / 4, 4), (5.43 * np.sqrt(11) / 8, 6)]),
    ],
    ids=["fcc", "cubic cell", "bcc", "diamond"],
)
def test_holes_of_simple_crystals(crystal, expected: list[tuple[float, int]]) -> None:
    found = distinct_holes(crystal)

    assert [hole.neighbors for hole in found] == [neighbors for _, neighbors in expected]
    assert [hole.radius for hole in found] == pytest.approx([radius for radius, _ in expected])


def test_an_extra_atom_costs_what_ases_relaxation_says() -> None:
    potential = FromASE(EMT())
    rest = relaxed_crystal(bulk("Cu", cubic=True), potential)
    found = interstitials(rest, potential, repeats=(2, 2, 2))
    theirs = found.structures[0].copy()
    theirs.calc = EMT()
    BFGS(theirs, logfile=None).run(fmax=1e-3)
    rest.calc = EMT()

    expected = theirs.get_potential_energy() - 33 / 4 * rest.get_potential_energy()
    assert found.formation_energy_ev[0] == pytest.approx(expected, abs=1e-4)
    assert found.element == "Cu"
    assert found.neighbors == (6, 4)
    assert found.formation_energy_ev.min() > 1.0


def test_a_foreign_atom_comes_from_its_own_crystal() -> None:
    potential = FromASE(EMT())
    rest = relaxed_crystal(bulk("Cu", cubic=True), potential)
    holes = distinct_holes(rest)[:1]
    found = interstitials(rest, potential, element="Ni", repeats=(2, 2, 2), holes=holes)
    nickel = relaxed_crystal(bulk("Ni"), potential)
    nickel.calc = EMT()

    assert found.chemical_potential_ev == pytest.approx(nickel.get_potential_energy(), abs=1e-6)
    assert found.structures[0].get_chemical_symbols()[-1] == "Ni"


def test_what_is_not_said_or_not_there_is_refused() -> None:
    ordered = bulk("Cu", cubic=True, a=3.75)
    ordered.numbers[0] = 79
    potential = FromASE(EMT())
    rest = relaxed_crystal(ordered, potential)

    with pytest.raises(StructureError, match="no element is named"):
        interstitials(rest, potential)
    with pytest.raises(ConfigurationError, match="'Ag' is given"):
        interstitials(
            rest,
            potential,
            element="Cu",
            repeats=(2, 2, 2),
            given_chemical_potentials={"Ag": 1.0},
            holes=distinct_holes(rest)[:1],
        )
