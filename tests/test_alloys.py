"""Alloys: quasi-random cells, their order, and vacancies over their sites."""

import numpy as np
import pytest
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers

from adiabat.errors import ConfigurationError, SimulationError, StructureError
from adiabat.potential import Committee, Potential
from adiabat.properties import measured, relaxed_crystal
from adiabat.properties.alloys import (
    Shells,
    alloy_order,
    composition_of,
    counts_of,
    quasirandom_cell,
    short_range_order,
    shuffled,
)
from adiabat.properties.defects import alloy_vacancies, vacancies
from adiabat.properties.defects.alloy_vacancies import choose_sites, of_member
from adiabat.sampling import ExchangeSettings


def rare_gases(factor: float = 1.0) -> Potential:
    """Argon and krypton that reach their neighbours alone, and like each other as themselves."""
    return Potential([PairModel({18: 0.1 * factor, 36: 0.1}, {18: 3.4, 36: 3.45}, cutoff=5.0)])


def mixed(repeats: int = 2) -> Atoms:
    return shuffled(bulk("Ar", cubic=True, a=5.3).repeat(repeats), {"Ar": 2 * repeats**3, "Kr": 2 * repeats**3}, seed=1)


def test_compositions_are_shares_and_become_whole_atoms() -> None:
    assert composition_of("NbMoTaW") == {"Nb": 0.25, "Mo": 0.25, "Ta": 0.25, "W": 0.25}
    assert composition_of("W=9,Ta=1") == pytest.approx({"W": 0.9, "Ta": 0.1})
    assert counts_of({"W": 0.9, "Ta": 0.1}, 16) == {"W": 14, "Ta": 2}
    assert sum(counts_of(composition_of("NbMoTa"), 128).values()) == 128
    for text in ("", "W=1,W=2", "W=-1,Ta=2", "Xx=1,W=1", "W=a", "W2Qq"):
        with pytest.raises(ConfigurationError):
            composition_of(text)
    with pytest.raises(ConfigurationError, match="16 sites hold 0 atoms of Ta"):
        counts_of({"W": 0.99, "Ta": 0.01}, 16)


def test_shells_of_bcc_are_those_of_the_books() -> None:
    shells = Shells.of(bulk("W", cubic=True, a=3.2).repeat(3), 4)

    assert shells.distances == pytest.approx(3.2 * np.array([np.sqrt(3) / 2, 1, np.sqrt(2), np.sqrt(11) / 2]))
    assert [len(pairs) / 54 for pairs in shells.pairs] == [8, 6, 12, 24]


def test_the_order_of_b2_is_complete() -> None:
    cell = bulk("W", cubic=True, a=3.2).repeat(2)
    cell.numbers[::2] = atomic_numbers["Ta"]
    found = short_range_order(cell.numbers, Shells.of(cell, 2), [73, 74])

    assert found[0] == pytest.approx(np.array([[1, -1], [-1, 1]]))  # every neighbour is unlike
    assert found[1] == pytest.approx(np.array([[-1, 1], [1, -1]]))


def test_a_quasi_random_cell_has_its_composition_and_less_order_than_chance() -> None:
    found = quasirandom_cell(
        bulk("W", cubic=True, a=3.24), composition_of("NbMoTaW"), repeats=(3, 3, 3), iterations=20_000
    )

    assert sorted(found.counts) == [13, 13, 14, 14]
    assert found.cell.get_chemical_formula() == found.formula
    assert found.largest_order < found.shuffled_order
    assert np.allclose(found.cell.positions, bulk("W", cubic=True, a=3.24).repeat(3).positions)


def test_the_order_of_a_cell_is_what_sqsgenerator_counts() -> None:
    sqsgenerator = pytest.importorskip("sqsgenerator")
    crystal = bulk("W", cubic=True, a=3.24).repeat(2)
    asked = {
        "structure": {
            "lattice": crystal.cell.array.tolist(),
            "coords": crystal.get_scaled_positions().tolist(),
            "species": ["W"] * 16,
        },
        "composition": {"Ta": 6, "W": 10},
        "iterations": 50,
        "iteration_mode": "random",
        "shell_weights": {1: 1.0, 2: 0.5},
        "max_results_per_objective": 1,
        "thread_config": 1,
    }
    theirs = sqsgenerator.optimize(sqsgenerator.parse_config(asked)).best()
    cell = sqsgenerator.to_ase(theirs.structure())

    mine, other = short_range_order(cell.numbers, Shells.of(cell, 2), [73, 74]), np.asarray(theirs.sro())

    assert mine[:, 0, 1] == pytest.approx(other[:, 0, 1], abs=1e-6)
    assert (1 - mine[:, 0, 0]) / 2 == pytest.approx(1 - other[:, 0, 0], abs=1e-6)  # they count like pairs once


def test_an_alloy_is_no_parent_of_another() -> None:
    with pytest.raises(StructureError, match="holds Ar16Kr16"):
        quasirandom_cell(mixed(), {"Ar": 0.5, "Kr": 0.5}, repeats=(1, 1, 1))


def test_like_neighbours_that_attract_come_together() -> None:
    likes_like = Potential([PairModel({18: 0.1, 36: 1.0}, {18: 3.4, 36: 3.4}, cutoff=6.0)])
    settings = ExchangeSettings(1000.0, sweeps=12, equilibration_sweeps=10, vibrations_per_sweep=0)
    found = alloy_order(mixed(), likes_like, settings, chains=4, shells=2, quiet=True)

    # 2√(0.1·1.0) < 0.1 + 1.0: like neighbours gain more, so that they come together.
    assert found.result.short_range_order[0, 0, 1] > 3 * found.result.short_range_order_std_sampling[0, 0, 1] > 0
    assert found.result.cells[0].get_chemical_formula() == mixed().get_chemical_formula()


def test_the_order_has_error_bars_of_the_potential_and_of_the_sampling() -> None:
    committee = Committee([rare_gases(0.95), rare_gases(1.05)])
    settings = ExchangeSettings(300.0, sweeps=6, equilibration_sweeps=4, vibrations_per_sweep=1)
    found = alloy_order(mixed(), committee, settings, chains=4, shells=1, quiet=True)
    written = found.to_dict()

    assert np.shape(written["short_range_order_std"]) == (1, 2, 2)
    assert written["energy_ev_per_atom_std"] > 0
    assert written["energy_ev_per_atom_std_sampling"] > 0
    with pytest.raises(ConfigurationError, match="2 chains"):
        alloy_order(mixed(), committee, settings, chains=2)


def test_vacancies_of_an_element_cost_what_the_elements_own_command_says() -> None:
    """In a cell of one element but for one far atom, sites far from it are those of the element."""
    potential = Potential([PairModel({18: 0.1, 36: 0.1}, {18: 3.4, 36: 3.4}, cutoff=5.0)])
    cell = bulk("Ar", cubic=True, a=5.3).repeat(2)
    cell.numbers[0] = 36  # an atom of krypton is one of argon here
    found = alloy_vacancies([cell], potential, sites=8, given_chemical_potentials=None)
    alone = vacancies(relaxed_crystal(bulk("Ar", cubic=True, a=5.3), potential), potential, repeats=(2, 2, 2))

    assert found.formation_energy_ev == pytest.approx(np.full(8, alone.formation_energy_ev[0]), abs=2e-4)
    assert found.spread_formation_energy_ev < 1e-3
    assert found.chemical_potentials_ev[0] == pytest.approx(alone.chemical_potentials_ev[0], abs=1e-6)


def test_the_distribution_over_the_sites_has_error_bars() -> None:
    committee = Committee([rare_gases(0.95), rare_gases(1.05)])
    own = alloy_vacancies([mixed()], committee, sites=6)
    found = measured(lambda member: own if member is committee else of_member(own, member), committee, quiet=True)

    assert own.elements_with_vacancies == ("Ar", "Kr")
    assert own.elements_of_sites.count("Ar") == 3
    assert found.std("mean_formation_energy_ev") > 0  # type: ignore[operator]
    assert np.asarray(found.std("mean_by_element_ev")).shape == (2,)
    assert own.mean_formation_energy_ev == pytest.approx(np.mean(own.formation_energy_ev))


def test_sites_are_chosen_by_the_shares_of_the_elements() -> None:
    cell = shuffled(bulk("Ar", cubic=True, a=5.3).repeat(2), {"Ar": 24, "Kr": 8}, seed=0)
    for count in (4, 8, 16):
        chosen = choose_sites(cell, count, seed=3)
        assert len(set(chosen.tolist())) == count
        assert (cell.numbers[chosen] == 36).sum() == count // 4


def test_cells_that_do_not_belong_together_are_refused() -> None:
    potential = rare_gases()
    with pytest.raises(StructureError, match="cell 1 is Ar32"):
        alloy_vacancies([mixed(), bulk("Ar", cubic=True, a=5.3).repeat(2)], potential, sites=4)
    with pytest.raises(StructureError, match="images of a defect"):
        alloy_vacancies([mixed(1)], potential, sites=2)
    with pytest.raises(ConfigurationError, match="40 sites of 1 cells"):
        alloy_vacancies([mixed()], potential, sites=40)


def test_an_alloy_that_loses_its_crystal_is_an_error() -> None:
    repelled = Potential([PairModel({18: 0.1, 36: 0.1}, {18: 3.4, 36: 5.2}, cutoff=6.0)])  # krypton far too large
    with pytest.raises(SimulationError, match=r"from its site|does not come to rest"):
        alloy_vacancies([mixed(3)], repelled, sites=2, given_chemical_potentials={"Ar": 0.0, "Kr": 0.0})


def test_atoms_around_a_vacancy_stay_on_their_sites() -> None:
    found = alloy_vacancies([mixed()], rare_gases(), sites=4)

    assert found.left_their_sites == 0
    assert (found.largest_displacement_angstrom > 0).all()
    assert (found.largest_displacement_angstrom < 0.5).all()
