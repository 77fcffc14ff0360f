"""Each check finds what it is for, and says nothing of sound data."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from labelled_structures import labelled, rattled_silicon, relabelled, sound_silicon
from narrowing import present

from adiabat.data import Finding, check
from adiabat.errors import DataError
from adiabat.system import Labelled
from adiabat.units import BOHR_ANGSTROM, HARTREE_EV


def findings(structures: list[Labelled], **options) -> dict[str, Finding]:
    return {finding.name: finding for finding in check(structures, quiet=True, **options).findings}


def only(structures: list[Labelled], name: str, **options) -> Finding:
    found = findings(structures, **options)
    assert set(found) == {name}
    return found[name]


def changed(index: int, change: Callable[[Labelled], Labelled]) -> list[Labelled]:
    structures = sound_silicon()
    structures[index] = change(structures[index])
    return structures


def pushed(structure: Labelled, force: float) -> Labelled:
    """The same force (eV/Å) added to every atom."""
    return relabelled(structure, forces=structure.labels.forces + np.array([force, 0, 0]))


def test_sound_data_are_clean() -> None:
    result = check(sound_silicon(), quiet=True)
    assert result.findings == ()
    assert result.is_clean


def test_no_structures_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="holds no structures"):
        check([])


# Geometry.


def test_atoms_closer_than_a_third_of_an_angstrom_are_an_error_with_their_distance() -> None:
    def doubled(structure: Labelled) -> Labelled:
        atoms = structure.atoms.copy()
        atoms.positions[5] = atoms.positions[2] + [0.0, 0.2, 0.0]
        return replace(structure, atoms=atoms)

    found = only(changed(3, doubled), "close-atoms")
    assert found.severity == "error"
    assert len(found.places) == 1
    assert "structure 3 (Si" in found.places[0]
    assert "are 0.200 Å apart" in found.places[0]


def test_atoms_that_are_close_through_the_cell_boundary_are_found() -> None:
    pair = labelled(Atoms("Si2", [[0.05, 0, 0], [3.9, 0, 0]], cell=[4, 4, 4], pbc=True), energy=-1.0)
    assert "0.150 Å apart" in findings([pair])["close-atoms"].places[0]
    image = labelled(Atoms("Si", cell=[0.25, 4, 4], pbc=True), energy=-1.0)
    assert "Si 0 and its periodic image are 0.250 Å apart" in findings([image])["close-atoms"].places[0]


def test_a_hydrogen_molecule_under_pressure_is_no_finding() -> None:
    assert findings([labelled(Atoms("H2", [[0, 0, 0], [0.5, 0, 0]]), energy=-1.0)]) == {}


def test_strong_forces_in_a_structure_scaled_from_bohr_twice_are_an_error() -> None:
    water = molecule("H2O")
    forces = np.array([[0, 0, 5.0], [0, 0, -2.5], [0, 0, -2.5]])
    assert findings([labelled(water, energy=-14.0, forces=forces)]) == {}
    scaled = water.copy()
    scaled.positions /= BOHR_ANGSTROM**2
    assert "O 0 feels 5.0 eV/Å" in only([labelled(scaled, energy=-14.0, forces=forces)], "distant-forces").places[0]


@pytest.mark.parametrize("symbol", ["Cs", "K", "Ar", "Xe"])
def test_compressed_soft_matter_has_strong_forces_at_its_own_distances(symbol: str) -> None:
    atoms = bulk(symbol, cubic=True)
    atoms.set_cell(0.8 * atoms.cell.array, scale_atoms=True)
    forces = np.zeros((len(atoms), 3))
    forces[:2, 0] = 4.0, -4.0
    assert "distant-forces" not in findings([labelled(atoms, energy=-1.0, forces=forces)])


# Isolated atoms.


def with_isolated_atom(energy_ev: float) -> list[Labelled]:
    return [*sound_silicon(), labelled(Atoms("Si"), "data.xyz, structure 30", energy=energy_ev)]


def test_isolated_atoms_above_their_crystal_are_no_finding() -> None:
    assert findings(with_isolated_atom(-0.8)) == {}


@pytest.mark.parametrize(
    ("energy_ev", "bound"), [(20.0, "by 24.89 to 24.98"), (-7880.0, "by -7875.11 to"), (-5.5, "by -0.61 to -0.52")]
)
def test_an_isolated_atom_above_or_below_what_the_data_allow_is_an_error(energy_ev: float, bound: str) -> None:
    found = only(with_isolated_atom(energy_ev), "isolated-atom-energy")
    assert found.severity == "error"
    assert found.places[0].startswith(
        f"isolated Si ({energy_ev:.4f} eV, from the data): structures with it are bound by"
    )
    assert bound in found.places[0]


def test_a_configured_isolated_atom_is_looked_at_in_the_same_way() -> None:
    assert findings(sound_silicon(), isolated_atoms_ev={"Si": -0.8}) == {}
    assert (
        "from the configuration"
        in only(sound_silicon(), "isolated-atom-energy", isolated_atoms_ev={"Si": 20.0}).places[0]
    )


def test_the_one_wrong_element_among_several_is_named() -> None:
    true = {"H": -13.6, "C": -1030.0, "O": -2042.0}
    names = ("H2O", "CO2", "CH4", "CH3OH", "C2H6", "H2CO", "C2H4")
    data = [labelled(m, energy=sum(true[s] - 4.0 for s in m.symbols)) for m in map(molecule, names)]
    assert findings(data, isolated_atoms_ev=true) == {}
    wrong = only(data, "isolated-atom-energy", isolated_atoms_ev=true | {"O": -2022.0})
    assert [place.split()[1] for place in wrong.places] == ["O"]
    assert "24.00 eV each" in wrong.places[0]


def test_fitted_energies_are_not_held_against_the_data() -> None:
    assert findings([labelled(molecule("H2O"), energy=+1.6), labelled(molecule("H2O2"), energy=-900.0)]) == {}


def test_a_force_on_an_isolated_atom_is_an_error() -> None:
    data = [*sound_silicon(), labelled(Atoms("Si"), "data.xyz, structure 30", energy=-0.8, forces=np.full((1, 3), 0.1))]
    assert only(data, "isolated-atom-forces").places == ("data.xyz, structure 30",)


def test_an_atom_alone_in_a_periodic_box_should_say_that_it_is_isolated() -> None:
    boxed = labelled(Atoms("Si", cell=[15] * 3, pbc=True), "data.xyz, structure 30", energy=-0.8)
    found = findings([*sound_silicon(), boxed])["unnamed-isolated-atom"]
    assert found.severity == "warning"
    assert found.places == ("data.xyz, structure 30",)


# Labels.


def test_structures_without_any_label_are_named() -> None:
    bare = changed(4, lambda s: relabelled(s, energy=None, forces=None, stress=None))
    assert only(bare, "no-labels").places == ("data.xyz, structure 4",)


def test_a_label_that_only_some_of_a_kind_have_is_named() -> None:
    found = only(changed(4, lambda s: relabelled(s, forces=None)), "mixed-labels")
    assert found.places == ("data.xyz, structure 4 (no forces)",)


def test_kinds_of_structures_may_carry_different_labels() -> None:
    data = sound_silicon()
    elastic = [replace(relabelled(s, forces=None), config_type="elastic") for s in data[:5]]
    clusters = [
        labelled(
            Atoms("Si2", [[0, 0, 0], [d, 0, 0]]), config_type="dimer", energy=-6.0 - d, forces=np.zeros((2, 3)) + f
        )
        for d, f in ((2.2, [[0.1], [-0.1]]), (2.4, [[0.2], [-0.2]]))
    ]
    isolated = labelled(Atoms("Si"), energy=-0.8)
    assert "mixed-labels" not in findings([*data[5:], *elastic, *clusters, isolated])


def test_a_label_under_another_name_than_elsewhere_is_an_error() -> None:
    def renamed(structure: Labelled) -> Labelled:
        atoms = structure.atoms.copy()
        atoms.info["energy"] = -40.0
        return relabelled(replace(structure, atoms=atoms), energy=None)

    found = findings(changed(2, renamed))["unread-labels"]
    assert found.severity == "error"
    assert found.places == ("data.xyz, structure 2 (energy)",)


def test_a_stress_of_exactly_zero_is_an_error() -> None:
    found = only(changed(2, lambda s: relabelled(s, stress=np.zeros((3, 3)))), "zero-stress")
    assert found.places == ("data.xyz, structure 2",)


def test_forces_of_exactly_zero_are_an_error_where_no_symmetry_explains_them() -> None:
    found = only(changed(2, lambda s: relabelled(s, forces=np.zeros((8, 3)))), "zero-forces")
    assert found.places == ("data.xyz, structure 2",)


@pytest.mark.parametrize(
    "atoms",
    [
        bulk("Si", "diamond", a=5.5),
        bulk("W", "bcc", a=3.0),
        bulk("NaCl", "rocksalt", a=5.6, cubic=True),
        bulk("Ti", "hcp"),
    ],
    ids=["diamond", "bcc", "rocksalt", "hcp"],
)
def test_forces_of_exactly_zero_are_right_on_symmetric_sites(atoms: Atoms) -> None:
    atoms.set_cell(atoms.cell.array @ np.diag([1.01, 1.02, 0.99]), scale_atoms=True)
    assert "zero-forces" not in findings([labelled(atoms, energy=-1.0, forces=np.zeros((len(atoms), 3)))])


def test_species_out_of_order_on_a_lattice_break_the_symmetry_that_makes_forces_zero() -> None:
    alloy = bulk("W", "bcc", a=3.2, cubic=True) * (2, 2, 2)
    alloy.numbers[:5] = 41
    assert "zero-forces" in findings([labelled(alloy, energy=-1.0, forces=np.zeros((16, 3)))])


def test_one_energy_for_many_structures_is_an_error() -> None:
    data = [relabelled(s, energy=-40.0) if i < 6 else s for i, s in enumerate(sound_silicon())]
    found = only(data, "constant-energy")
    assert found.what.startswith("6 structures (6 different ones) have the energy -40.0 eV")


def test_net_forces_are_a_warning_with_their_size() -> None:
    found = only(changed(2, lambda s: pushed(s, 0.1)), "net-force")
    assert found.severity == "warning"
    assert found.places == ("data.xyz, structure 2 (0.1 eV/Å per atom)",)


def test_the_grid_error_of_a_calculation_is_no_net_force() -> None:
    data = changed(2, lambda s: pushed(s, 0.003))
    assert findings(data) == {}


# Outliers.


@pytest.mark.parametrize("factor", [1 / HARTREE_EV, HARTREE_EV, -1.0, 1.2])
def test_an_energy_far_from_all_others_is_a_warning(factor: float) -> None:
    found = only(changed(2, lambda s: relabelled(s, energy=factor * present(s.labels.energy))), "energy-outliers")
    assert found.severity == "warning"
    assert found.places[0].startswith("data.xyz, structure 2 (")


def test_a_high_energy_of_atoms_closer_than_anywhere_else_is_explained() -> None:
    squeezed = rattled_silicon(99, a=4.3)
    data = [*sound_silicon(), labelled(squeezed, "squeezed", energy=10.0)]
    assert "energy-outliers" not in findings(data)


def test_a_high_energy_of_atoms_farther_apart_than_anywhere_else_is_explained() -> None:
    gas = Atoms("Si2", [[0, 0, 0], [2.3, 0, 0]], cell=[12] * 3, pbc=True)
    assert "energy-outliers" not in findings([*sound_silicon(), labelled(gas, "gas", energy=-4.0)])


def test_a_force_far_beyond_all_others_is_a_warning() -> None:
    scale = HARTREE_EV / BOHR_ANGSTROM
    found = only(changed(2, lambda s: relabelled(s, forces=scale * present(s.labels.forces))), "force-outliers")
    assert found.places[0].startswith("data.xyz, structure 2 (")


def test_a_stress_far_beyond_all_others_is_a_warning() -> None:
    found = only(changed(2, lambda s: relabelled(s, stress=1602.0 * present(s.labels.stress))), "stress-outliers")
    assert found.places[0].startswith("data.xyz, structure 2 (")


def test_two_populations_are_no_outliers() -> None:
    hot = [
        relabelled(s, energy=present(s.labels.energy) + 80.0) if i % 3 == 0 else s
        for i, s in enumerate(sound_silicon())
    ]
    assert findings(hot) == {}


# The result.


def test_findings_from_elsewhere_stand_with_the_others_errors_first() -> None:
    result = check(changed(2, lambda s: pushed(s, 0.1)), quiet=True)
    other = Finding("energy-force-mismatch", "error", "", ("all",), "", "")
    assert [f.name for f in result.including([other]).findings] == ["energy-force-mismatch", "net-force"]


def test_a_result_is_clean_when_all_that_was_found_is_accepted() -> None:
    result = check(changed(2, lambda s: pushed(s, 0.1)), quiet=True)
    assert not result.is_clean
    accepted = result.accepting(["net-force"])
    assert accepted.is_clean
    assert accepted.to_dict()["clean"] is True
    assert accepted.to_dict()["findings"][0]["name"] == "net-force"
