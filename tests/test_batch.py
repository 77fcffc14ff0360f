"""Structures as tensors, and which structures are refused."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from random_structures import structures

from adiabat.errors import StructureError
from adiabat.system import Batch, Labelled, Labels


@settings(deadline=None, max_examples=40, derandomize=True)
@given(several=st.lists(structures(), min_size=1, max_size=4))
def test_structures_come_back_from_a_batch_as_they_went_in(several: list[Atoms]) -> None:
    assert Batch.from_atoms(several).to_atoms() == several


def test_a_batch_counts_its_atoms_and_sums_over_each_structure() -> None:
    batch = Batch.from_atoms([molecule("H2O"), bulk("Si"), Atoms("Ar")])

    assert (batch.n_systems, batch.n_atoms) == (3, 6)
    assert batch.counts.tolist() == [3, 2, 1]
    assert batch.system.tolist() == [0, 0, 0, 1, 1, 2]
    assert batch.sum_over_atoms(torch.arange(6.0)).tolist() == [3.0, 7.0, 5.0]
    assert batch.sum_over_atoms(torch.ones(6, 2, 2)).shape == (3, 2, 2)


def test_the_volume_is_positive_for_either_handedness_and_zero_without_a_cell() -> None:
    left_handed = Atoms("Ar", cell=[[0, 2, 0], [3, 0, 0], [0, 0, 4]], pbc=True)

    assert Batch.from_atoms([left_handed, Atoms("Ar")]).volume.tolist() == pytest.approx([24.0, 0.0])


def test_one_structure_is_a_batch_of_one() -> None:
    assert Batch.from_atoms(bulk("Si")).n_systems == 1


def test_the_precision_is_double_unless_another_is_asked_for() -> None:
    batch = Batch.from_atoms(bulk("Si"))

    single = batch.to(dtype=torch.float32)

    assert batch.positions.dtype == batch.cell.dtype == torch.float64
    assert single.positions.dtype == single.cell.dtype == torch.float32
    assert single.numbers.dtype == torch.int64
    assert batch.to(device="cpu").positions.dtype == torch.float64
    assert Batch.from_atoms(bulk("Si"), dtype=torch.float32).positions.dtype == torch.float32


def test_a_batch_does_not_move_with_the_structure_it_was_made_from() -> None:
    atoms = bulk("Si")
    batch = Batch.from_atoms(atoms)

    atoms.positions += 1

    assert float(batch.positions[0].abs().max()) == 0


def test_an_isolated_atom_is_one_atom_without_periodicity_or_so_named() -> None:
    boxed = Atoms("Ar", cell=[9, 9, 9], pbc=True)

    assert Labelled(Atoms("Ar")).is_isolated_atom
    assert Labelled(boxed, config_type="IsolatedAtom").is_isolated_atom
    assert not Labelled(boxed).is_isolated_atom
    assert not Labelled(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 4]]), config_type="IsolatedAtom").is_isolated_atom


@pytest.mark.parametrize("label", [{"energy": 0.0}, {"forces": np.zeros((1, 3))}, {"stress": np.zeros((3, 3))}])
def test_a_label_of_zero_is_a_label(label: dict) -> None:
    assert Labels(**label).any
    assert not Labels().any


FLAT_CELL = [[3.0, 0, 0], [0, 3.0, 0], [3.0, 3.0, 0]]


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms(), "holds no atom"),
        (Atoms("Ar", positions=[[0, float("nan"), 0]]), r"atom 0 has the position \[0\.0, nan, 0\.0\]"),
        (Atoms("Ar2", positions=[[0, 0, 0], [0, float("inf"), 0]]), "atom 1 has the position"),
        (Atoms("Ar", cell=[[float("nan"), 0, 0], [0, 1, 0], [0, 0, 1]]), "cell vector 0 has the cell"),
        (Atoms("Ar", cell=FLAT_CELL, pbc=True), "linearly independent"),
        (Atoms("Ar", cell=[0, 0, 0], pbc=(False, False, True)), "switch its periodic directions off"),
        (Atoms("Ar", cell=[[3, 0, 0], [6, 0, 0], [0, 0, 5]], pbc=(True, True, False)), "linearly independent"),
    ],
)
def test_a_structure_that_no_potential_can_evaluate_is_named(atoms: Atoms, message: str) -> None:
    with pytest.raises(StructureError, match=f"(?s)structure 1: .*{message}"):
        Batch.from_atoms([bulk("Si"), atoms])


def test_cell_vectors_along_open_directions_may_be_anything() -> None:
    for cell, pbc in ((FLAT_CELL, (True, True, False)), (FLAT_CELL, False), ([1e-5, 1e-5, 1e-5], True)):
        atoms = Atoms("Ar", cell=cell, pbc=pbc)
        assert (Batch.from_atoms(atoms).cell[0].numpy() == atoms.cell.array).all()


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(StructureError, match="one structure or more"):
        Batch.from_atoms([])
