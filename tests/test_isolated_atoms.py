"""Energies of isolated atoms in a potential: where each comes from, and what a lone atom of it has."""

from dataclasses import replace

import pytest
from ase import Atoms
from ase.build import bulk
from training_structures import CONFIG

from adiabat.errors import ConfigurationError, PropertyUnavailable
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential, describe_potential
from adiabat.system import Labelled, Labels
from adiabat.training.prepare import prepare

O_EV, SI_EV = -432.0, -158.5
MIXED = IsolatedAtoms({8: O_EV, 14: SI_EV}, {8: "data", 14: "fitted"}, 4.0)


def energy(potential: Potential, atoms: Atoms) -> float:
    found = potential(atoms, want=("energy",)).energy
    assert found is not None
    return float(found[0])


def test_a_lone_atom_has_its_energy_where_that_is_known_whatever_the_others_are() -> None:
    potential = Potential([MIXED])
    assert energy(potential, Atoms("O")) == O_EV
    assert energy(potential, Atoms("OSi2", [[0, 0, 9], [0, 0, 0], [0, 0, 2]])) == O_EV + 2 * SI_EV
    for lone in (Atoms("Si"), Atoms("SiO2", [[0, 0, 9], [0, 0, 0], [0, 0, 2]])):
        with pytest.raises(PropertyUnavailable, match=r"atom 0 \(Si\) has no neighbour") as caught:
            energy(potential, lone)
        assert "isolated_atoms_ev.Si" in str(caught.value)


def test_sources_come_back_from_a_file() -> None:
    assert IsolatedAtoms.from_state(MIXED.to_state()) == MIXED


def test_one_source_is_that_of_all_energies_in_a_file_too() -> None:
    energies = {8: O_EV, 14: SI_EV}
    each = IsolatedAtoms(energies, {8: "data", 14: "data"}, 4.0)
    assert IsolatedAtoms(energies, "data", 4.0) == each
    state = each.to_state()
    assert IsolatedAtoms.from_state(replace(state, values=state.values | {"source": "data"})) == each


def test_a_lone_atom_has_no_energy_where_no_training_structure_had_one() -> None:
    with pytest.raises(PropertyUnavailable, match="no neighbour") as caught:
        energy(Potential([IsolatedAtoms({14: SI_EV}, "shift", 4.0)]), Atoms("Si"))
    assert "energies of structures that hold Si" in str(caught.value)


def test_every_energy_has_a_source() -> None:
    with pytest.raises(ConfigurationError, match="Si"):
        IsolatedAtoms({8: O_EV, 14: SI_EV}, {8: "data"}, 4.0)


def test_a_description_says_where_each_energy_comes_from() -> None:
    [part] = describe_potential(Potential([MIXED])).parts
    assert part.details == (
        "O -432.0000 eV (from isolated atoms in the data); Si -158.5000 eV (a fitted reference shift)"
    )


def labelled(atoms: Atoms, place: str, energy_ev: float) -> Labelled:
    return Labelled(atoms, Labels(energy=energy_ev), place=place)


def test_training_leaves_out_what_holds_lone_atoms_of_the_species_without_an_energy_alone() -> None:
    bound = [labelled(bulk("SiO", "zincblende", a=a), f"crystal {a}", -590.0 - a) for a in (4.2, 4.3, 4.4)]
    silicon = [labelled(bulk("Si", a=a), f"silicon {a}", -321.0 - a) for a in (5.3, 5.4)]
    oxygen_left = labelled(Atoms("OSi2", [[0, 0, 9], [0, 0, 0], [0, 0, 2.2]]), "oxygen has left", -750.0)
    silicon_left = replace(
        oxygen_left, atoms=Atoms("SiO2", [[0, 0, 9], [0, 0, 0], [0, 0, 1.4]]), place="silicon has left"
    )
    alone = labelled(Atoms("O"), "isolated oxygen", O_EV)

    prepared = prepare([*bound, *silicon, oxygen_left, silicon_left, alone], CONFIG, quiet=True)

    assert [s.place for s in prepared.fitted] == [s.place for s in (*bound, *silicon, oxygen_left)]
    [note] = [note for note in prepared.notes if "left out of the fit" in note]
    assert "1 structures (from silicon has left on) have Si atoms without a neighbour" in note
    assert "data.isolated_atoms_ev.Si" in note
    assert energy(prepared.baseline, Atoms("O")) == O_EV
    with pytest.raises(PropertyUnavailable):
        energy(prepared.baseline, Atoms("Si"))
