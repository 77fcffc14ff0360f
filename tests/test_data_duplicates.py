"""Structures that are in the data more than once, however they are moved, wrapped or ordered."""

import numpy as np
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_structures import labelled, sound_silicon
from narrowing import present

from adiabat.data import Finding, check, measure_distances
from adiabat.data.same import same_structures
from adiabat.system import Labelled


def duplicates(structures: list[Labelled]) -> dict[str, Finding]:
    return {f.name: f for f in check(structures, quiet=True).findings if "duplicate" in f.name}


def random_structure(rng: np.random.Generator, pbc: np.ndarray) -> Atoms:
    n = int(rng.integers(1, 7))
    cell = 5.0 * np.eye(3) + rng.uniform(-1, 1, (3, 3))
    return Atoms(rng.choice([1, 8], n), rng.uniform(0, 5, (n, 3)), cell=cell, pbc=pbc)


def moved(rng: np.random.Generator, atoms: Atoms) -> tuple[Atoms, np.ndarray]:
    """The same structure elsewhere: translated, some atoms in other images, in another order (its numbering)."""
    order = rng.permutation(len(atoms))
    copy = atoms[order]
    images = rng.integers(-2, 3, (len(atoms), 3)) * atoms.pbc
    copy.positions += rng.uniform(-9, 9, 3) + images @ atoms.cell.array
    return copy, order


@given(seed=st.integers(0, 10**6), pbc=st.tuples(*[st.booleans()] * 3))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_a_moved_copy_is_the_same_and_its_atoms_are_matched(seed: int, pbc: tuple[bool, bool, bool]) -> None:
    rng = np.random.default_rng(seed)
    atoms = random_structure(rng, np.array(pbc))
    copy, order = moved(rng, atoms)
    pair = [labelled(atoms), labelled(copy)]
    ((first, second),) = same_structures(pair, measure_distances(pair, quiet=True))
    originals, copies = (atoms, copy) if first[0] == 0 else (copy, atoms)
    assert (originals.numbers == copies.numbers[second[1]]).all()
    labels = order if first[0] == 0 else np.argsort(order)
    np.testing.assert_array_equal(labels[second[1]], np.arange(len(atoms)))


@given(seed=st.integers(0, 10**6), pbc=st.tuples(*[st.booleans()] * 3))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_a_copy_with_one_atom_moved_is_another_structure(seed: int, pbc: tuple[bool, bool, bool]) -> None:
    rng = np.random.default_rng(seed)
    atoms = random_structure(rng, np.array(pbc))
    copy, _ = moved(rng, atoms)
    if len(atoms) == 1:
        copy.set_cell(copy.cell.array * 1.001)
    else:
        copy.positions[0] += rng.choice([-1, 1], 3) * 1e-3
    pair = [labelled(atoms), labelled(copy)]
    alone = len(atoms) == 1 and not any(pbc)
    assert len(same_structures(pair, measure_distances(pair, quiet=True))) == alone


def test_exchanged_species_make_another_structure() -> None:
    crystal = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    crystal.positions[0] += [0.1, 0, 0]
    other = crystal.copy()
    other.numbers = np.where(crystal.numbers == 11, 17, 11)
    assert duplicates([labelled(crystal, energy=-1.0), labelled(other, energy=-1.1)]) == {}


def test_a_mirror_image_that_no_translation_makes_is_another_structure() -> None:
    bent = Atoms("CHO", [[0, 0, 0], [1, 0, 0], [0, 1.2, 0.3]])
    mirrored = bent.copy()
    mirrored.positions[:, 2] *= -1
    assert duplicates([labelled(bent, energy=-1.0), labelled(mirrored, energy=-1.0)]) == {}


def test_copies_with_the_same_labels_are_a_warning() -> None:
    data = sound_silicon()
    found = duplicates([*data, data[4]])["duplicate-structures"]
    assert found.severity == "warning"
    assert found.places == ("data.xyz, structure 4 = structure 4",)


def test_a_copy_with_another_energy_is_an_error_with_the_difference() -> None:
    data = sound_silicon()
    copy = data[4].atoms.copy()
    copy.positions += 0.7
    copy.wrap()
    other = labelled(copy, "data.xyz, structure 30", energy=present(data[4].labels.energy) + 0.1)
    found = duplicates([*data, other])["conflicting-duplicates"]
    assert found.severity == "error"
    assert found.places == ("data.xyz, structure 4 = structure 30 (they differ in energy by 12.5 meV/atom)",)


def test_forces_of_copies_are_compared_atom_by_atom_in_any_order() -> None:
    original = sound_silicon()[4]
    order = [3, 1, 0, 2, 7, 5, 6, 4]
    assert original.labels.forces is not None
    forces = original.labels.forces[order]
    same = labelled(original.atoms[order], energy=original.labels.energy, forces=forces)
    assert set(duplicates([original, same])) == {"duplicate-structures"}
    mixed = labelled(original.atoms[order], energy=original.labels.energy, forces=original.labels.forces)
    assert "forces by" in duplicates([original, mixed])["conflicting-duplicates"].places[0]


def test_a_copy_without_a_label_contradicts_nothing() -> None:
    original = sound_silicon()[4]
    assert set(duplicates([original, labelled(original.atoms, energy=original.labels.energy)])) == {
        "duplicate-structures"
    }


def test_many_copies_are_one_group() -> None:
    data = [sound_silicon()[0]] * 50
    (group,) = same_structures(data, measure_distances(data, quiet=True))
    assert sorted(index for index, _ in group) == list(range(50))
