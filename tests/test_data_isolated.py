"""Energies of isolated atoms: from the data, the configuration, or a fit, each in closed form."""

import pytest
from ase import Atoms
from labelled_structures import labelled, rattled_silicon

from adiabat.data import atomic_reference
from adiabat.errors import ConfigurationError, DataError
from adiabat.system import Labelled

ENERGIES = {1: -13.6, 6: -1030.0, 8: -2042.0}


def molecule(formula: str, **labels: float) -> Labelled:
    """A molecule whose energy is the sum of its atoms'."""
    atoms = Atoms(formula, positions=[[1.2 * i, 0, 0] for i in range(len(Atoms(formula)))])
    return labelled(atoms, energy=labels.get("energy", sum(ENERGIES[int(z)] for z in atoms.numbers)))


def test_isolated_atoms_in_the_data_come_first() -> None:
    data = [molecule("H2O"), labelled(Atoms("H"), energy=-13.0), labelled(Atoms("O"), energy=-2000.0)]
    reference = atomic_reference(data)
    assert reference.energies_ev == {1: -13.0, 8: -2000.0}
    assert reference.source == "data"
    assert reference.notes == ()


def test_an_isolated_atom_in_a_periodic_box_is_one_by_its_name() -> None:
    boxed = labelled(Atoms("H", cell=[20] * 3, pbc=True), config_type="IsolatedAtom", energy=-13.0)
    assert atomic_reference([boxed]).energies_ev == {1: -13.0}


def test_of_several_isolated_atoms_the_lowest_is_taken_and_said() -> None:
    data = [labelled(Atoms("O"), energy=-2000.0), labelled(Atoms("O"), energy=-2001.5)]
    reference = atomic_reference(data)
    assert reference.energies_ev == {8: -2001.5}
    assert reference.notes == (
        "2 isolated atoms of O have energies from -2001.5000 to -2000.0000 eV: the lowest is taken",
    )


def test_configured_energies_serve_where_the_data_hold_no_isolated_atom() -> None:
    reference = atomic_reference([molecule("H2O"), labelled(Atoms("H"), energy=-13.6)], {"O": -2041.0})
    assert reference.energies_ev == {1: -13.6, 8: -2041.0}
    assert reference.sources == {1: "data", 8: "configuration"}
    assert reference.source == "configuration"


def test_least_squares_finds_the_energies_that_made_the_data() -> None:
    reference = atomic_reference([molecule(f) for f in ("H2O", "CO2", "CH4", "C2H6O", "H2O2")])
    assert reference.energies_ev == pytest.approx(ENERGIES)
    assert reference.source == "fitted"
    assert reference.notes == ()


def test_what_is_missing_is_fitted_with_what_is_known_held_fixed() -> None:
    known = labelled(Atoms("H"), energy=-13.6)
    reference = atomic_reference([molecule("H2O"), molecule("CO2"), molecule("CH4"), known])
    assert reference.energies_ev == pytest.approx(ENERGIES)
    assert reference.sources == {1: "data", 6: "fitted", 8: "fitted"}
    assert reference.source == "fitted"


def test_structures_without_the_missing_element_say_nothing_of_it() -> None:
    known = [labelled(Atoms("H"), energy=-13.6), labelled(Atoms("C"), energy=-1030.0)]
    strongly_bound = [molecule("CH4", energy=-1200.0)] * 50
    reference = atomic_reference([*known, *strongly_bound, molecule("H2O")])
    assert reference.energies_ev[8] == pytest.approx(ENERGIES[8])


def test_a_composition_that_never_changes_gives_equal_energies_and_is_named() -> None:
    reference = atomic_reference([molecule("H2O"), molecule("H4O2")])
    mean = (2 * ENERGIES[1] + ENERGIES[8]) / 3
    assert reference.energies_ev == pytest.approx({1: mean, 8: mean})
    (note,) = reference.notes
    assert "combination +1 H -2 O of fitted" in note


def test_only_the_combination_that_is_not_determined_is_named() -> None:
    reference = atomic_reference([molecule(f) for f in ("H2O", "H4O2", "CH2O", "C2H2O")])
    assert reference.energies_ev[6] == pytest.approx(ENERGIES[6], rel=1e-2)
    (note,) = reference.notes
    assert "+1 H -2 O" in note
    assert "C" not in note.partition("combination")[2].partition(" of fitted")[0]


def test_a_combination_that_hardly_changes_is_not_fitted_to_noise() -> None:
    noise = (0.5, -0.4, 0.3, -0.6, 0.45, -0.2)
    salts = [
        Atoms("NaCl" * 50 + "Na" * (i % 2), positions=[[2.5 * k, 0, 0] for k in range(100 + i % 2)]) for i in range(6)
    ]
    data = [labelled(atoms, energy=-3.5 * len(atoms) + 100 * dE) for atoms, dE in zip(salts, noise, strict=True)]
    reference = atomic_reference(data)
    assert all(abs(energy + 3.5) < 0.6 for energy in reference.energies_ev.values())
    assert len(reference.notes) == 1


def test_a_single_element_has_its_mean_energy() -> None:
    data = [labelled(rattled_silicon(seed), energy=energy) for seed, energy in enumerate((-40.0, -44.0))]
    assert atomic_reference(data).energies_ev == pytest.approx({14: -5.25})


def test_the_energies_of_all_atoms_add_up() -> None:
    reference = atomic_reference(
        [molecule("H2O"), *(labelled(Atoms(s), energy=-1.0 * n) for s, n in (("H", 1), ("O", 8)))]
    )
    assert reference.sum_over(Atoms("H2O").numbers) == -10.0


def test_an_element_without_any_energy_is_named() -> None:
    data = [molecule("H2O"), labelled(Atoms("HF", [[0, 0, 0], [1, 0, 0]]), forces=[[0, 0, 0], [0, 0, 0]])]
    with pytest.raises(DataError, match=r"(?s)no structure with an energy holds F.*isolated_atoms_ev.F=0") as caught:
        atomic_reference(data)
    assert "give the energy of one structure or more" in str(caught.value)


def test_forces_alone_leave_the_distance_from_isolated_atoms_open_however_well_these_are_known() -> None:
    fluoride = labelled(Atoms("HF", [[0, 0, 0], [1, 0, 0]]), forces=[[0, 0, 0], [0, 0, 0]])
    for data, given in (
        ([molecule("H2O"), fluoride], {"F": -2700.0}),
        ([molecule("H2O"), fluoride, labelled(Atoms("F"), energy=-2700.0)], None),
    ):
        reference = atomic_reference(data, given)
        assert reference.energies_ev[9] == -2700.0
        assert reference.sources[9] == reference.source == "shift"
        [note] = [note for note in reference.notes if "F" in note]
        assert "but for a constant" in note
        assert "no energy of its own" in note


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Oo": -1.0}, "(?s)isolated_atoms_ev.Oo: 'Oo' is no element.*did you mean 'O'"),
        ({"Fe": -1.0}, "(?s)the data hold no Fe: they hold H, O"),
        ({"H": -14.0}, "(?s)is -14.0 eV, and the isolated atom in the data has -13.6 eV"),
    ],
)
def test_a_configured_energy_that_does_not_fit_the_data_is_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        atomic_reference([molecule("H2O"), labelled(Atoms("H"), energy=-13.6)], given)
