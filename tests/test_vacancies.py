"""Vacancies, against bonds counted and ASE's own relaxation."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.optimize import BFGS
from test_properties import NEAREST_ONLY, deepest

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import FromASE, Potential
from adiabat.properties import relaxed_crystal
from adiabat.properties.defects import chemical_potentials, elemental_crystal, vacancies


def ordered() -> Atoms:
    """Cu3Au."""
    atoms = bulk("Cu", cubic=True, a=3.75)
    atoms.numbers[0] = 79
    return atoms


def test_a_vacancy_costs_the_bonds_that_it_breaks() -> None:
    potential = Potential([NEAREST_ONLY])
    found = vacancies(relaxed_crystal(bulk("Ar", a=5.3), potential), potential)
    _, depth = deepest(NEAREST_ONLY)

    assert found.formation_energy_ev == pytest.approx([6 * depth], rel=1e-3)
    assert found.unrelaxed_formation_energy_ev == pytest.approx([6 * depth], rel=1e-3)
    assert found.repeats == (4, 4, 4)


def test_sites_of_a_compound_are_told_apart_and_atoms_go_to_their_elements() -> None:
    potential = FromASE(EMT())
    rest = relaxed_crystal(ordered(), potential)
    found = vacancies(rest, potential, repeats=(2, 2, 2))

    assert found.elements == ("Au", "Cu")
    assert found.multiplicities == (1, 3)
    full = rest.repeat(2)
    full.calc = EMT()
    less = full.copy()
    del less[1]
    less.calc = EMT()
    BFGS(less, logfile=None).run(fmax=1e-3)
    copper = relaxed_crystal(bulk("Cu"), potential)
    copper.calc = EMT()
    expected = less.get_potential_energy() - full.get_potential_energy() + copper.get_potential_energy()
    assert found.formation_energy_ev[1] == pytest.approx(expected, abs=1e-4)
    assert (found.formation_energy_ev < found.unrelaxed_formation_energy_ev).all()


def test_a_chemical_potential_shifts_the_formation_energy() -> None:
    potential = FromASE(EMT())
    rest = relaxed_crystal(ordered(), potential)
    given = {"Cu": -1.0, "Au": 0.0}

    assert chemical_potentials(rest, potential, given=given) == {"Au": 0.0, "Cu": -1.0}
    with pytest.raises(ConfigurationError, match="'Ag' is given"):
        chemical_potentials(rest, potential, given={"Ag": 1.0})


def test_an_element_without_a_simple_crystal_must_be_given_one() -> None:
    with pytest.raises(StructureError) as caught:
        elemental_crystal("O")
    assert "--chemical-potential O=" in str(caught.value)


def test_too_small_a_supercell_is_refused() -> None:
    potential = Potential([NEAREST_ONLY])
    with pytest.raises(StructureError, match=r"images of a defect are .* apart in 2 x 2 x 2 cells"):
        vacancies(relaxed_crystal(bulk("Ar", a=5.3), potential), potential, repeats=(2, 2, 2))


def test_atoms_next_to_the_hole_move() -> None:
    found = vacancies(relaxed_crystal(bulk("Cu", cubic=True), FromASE(EMT())), FromASE(EMT()), repeats=(2, 2, 2))

    assert 0.005 < found.largest_displacement_angstrom[0] < 0.3
    assert np.shape(found.structures[0].positions) == (31, 3)
