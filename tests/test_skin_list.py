"""A list with a skin never misses a pair, whatever moves, and searches only when it must."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, fcc111
from hypothesis import given, settings
from hypothesis import strategies as st
from random_structures import clear_edges, random_cell, structures

from adiabat.errors import ConfigurationError, StructureError
from adiabat.neighbors import SkinList, neighbor_graph
from adiabat.system import Batch, Graph
from adiabat.typing import FloatArray

CUTOFF = 3.5


@dataclass(frozen=True)
class Move:
    """A strain of everything, and a displacement of each atom beyond it (Å)."""

    strain: FloatArray
    size: float
    seed: int


@st.composite
def moves(draw: st.DrawFn) -> Move:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    strain = rng.uniform(-1, 1, (3, 3)) * rng.choice([0.0, 0.0, 0.01, 0.05, 0.3])
    return Move(strain, float(rng.choice([0.0, 0.02, 0.2, 0.5, 3.0])), int(rng.integers(2**32)))


def moved(atoms: Atoms, move: Move) -> Atoms:
    deformation = np.eye(3) + move.strain
    beyond = move.size * np.random.default_rng(move.seed).uniform(-1, 1, atoms.positions.shape)
    return Atoms(
        atoms.numbers,
        positions=atoms.positions @ deformation + beyond,
        cell=atoms.cell.array @ deformation,
        pbc=atoms.pbc,
    )


def same_edges(first: Graph, second: Graph) -> bool:
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in ("center", "neighbor", "shift"))


@settings(deadline=None, max_examples=150, derandomize=True)
@given(atoms=structures(), path=st.lists(moves(), min_size=1, max_size=5), skin=st.sampled_from([0.0, 0.3, 1.0, 2.5]))
def test_no_edge_is_ever_missed_while_atoms_and_cell_move(atoms: Atoms, path: list[Move], skin: float) -> None:
    skin_list = SkinList(CUTOFF, skin)
    for step in [Move(np.zeros((3, 3)), 0.0, 0), *path]:
        atoms = moved(atoms, step)
        clear_edges(atoms, CUTOFF)
        batch = Batch.from_atoms(atoms)

        graph = skin_list.graph(batch)

        assert same_edges(graph.within(CUTOFF), neighbor_graph(batch, CUTOFF))
        assert graph.batch is batch


@settings(deadline=None, max_examples=50, derandomize=True)
@given(atoms=structures(), seed=st.integers(0, 2**32 - 1))
def test_no_edge_is_missed_when_the_cell_alone_becomes_another(atoms: Atoms, seed: int) -> None:
    other = atoms.copy()
    other.set_cell(random_cell(np.random.default_rng(seed), atoms.pbc))
    for one in (atoms, other):
        clear_edges(one, CUTOFF)
    skin_list = SkinList(CUTOFF, 1.0)
    skin_list.graph(Batch.from_atoms(atoms))

    graph = skin_list.graph(Batch.from_atoms(other))

    assert same_edges(graph.within(CUTOFF), neighbor_graph(Batch.from_atoms(other), CUTOFF))


def searches(skin_list: SkinList, batches: list[Batch]) -> list[bool]:
    """Whether each batch made the list search anew."""
    found = []
    for batch in batches:
        before = skin_list.reference
        skin_list.graph(batch)
        found.append(skin_list.reference is not before)
    return found


def crystal() -> Batch:
    return Batch.from_atoms(bulk("Ar", "fcc", a=5.3, cubic=True))


def shifted(batch: Batch, atom: int, by: float) -> Batch:
    positions = batch.positions.clone()
    positions[atom, 0] += by
    return batch.replace(positions=positions)


def test_a_list_serves_until_an_atom_has_moved_through_half_of_the_skin() -> None:
    batch = crystal()
    path = [batch, shifted(batch, 0, 0.49), shifted(batch, 1, -0.49), shifted(batch, 2, 0.51), shifted(batch, 2, 0.52)]

    assert searches(SkinList(4.0, 1.0), path) == [True, False, False, True, False]


def test_a_list_serves_a_homogeneous_strain_that_the_skin_allows() -> None:
    batch = crystal()
    # pairs at cutoff + skin = 5 Å come as near as 5 · 0.81 Å, and no nearer than 4
    squeezed, more = (batch.replace(positions=s * batch.positions, cell=s * batch.cell) for s in (0.81, 0.79))
    stretched = batch.replace(positions=1.3 * batch.positions, cell=1.3 * batch.cell)

    assert searches(SkinList(4.0, 1.0), [batch, squeezed, stretched, more]) == [True, False, False, True]


def test_one_structure_that_moves_too_far_makes_the_list_of_all_anew() -> None:
    batch = Batch.from_atoms([bulk("Ar", "fcc", a=5.3, cubic=True), Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 4]])])

    assert searches(SkinList(4.0, 1.0), [batch, shifted(batch, 5, 0.4), shifted(batch, 5, 0.6)]) == [True, False, True]


def test_other_structures_make_a_new_list() -> None:
    batch = crystal()
    other_elements = batch.replace(numbers=batch.numbers + 18)
    open_surface = batch.replace(pbc=torch.tensor([[True, True, False]]))
    split = Batch(
        batch.positions, batch.cell.repeat(2, 1, 1), batch.pbc.repeat(2, 1), batch.numbers, torch.tensor([0, 0, 1, 1])
    )
    fewer = Batch.from_atoms(bulk("Ar", "fcc", a=5.3))

    for other in (other_elements, open_surface, split, fewer):
        assert searches(SkinList(4.0, 1.0), [batch, other, batch]) == [True, True, True]


def test_a_slab_without_a_third_cell_vector_is_searched_anew_when_its_cell_changes() -> None:
    slab = fcc111("Ar", (2, 2, 2), a=5.3)
    slab.set_cell(np.diag([1.0, 1.0, 0.0]) @ slab.cell.array)
    slab.pbc = (True, True, False)
    batch = Batch.from_atoms(slab)
    shrunk = batch.replace(cell=batch.cell * torch.tensor([0.7, 1.0, 1.0], dtype=torch.float64))
    skin_list = SkinList(CUTOFF, 1.0)

    assert searches(skin_list, [batch, batch, shrunk, shrunk]) == [True, False, True, False]
    assert same_edges(skin_list.graph(shrunk).within(CUTOFF), neighbor_graph(shrunk, CUTOFF))


def test_a_restart_repeats_the_search_that_was_in_force() -> None:
    batch = crystal()
    here = shifted(batch, 0, 0.3)
    running, restarted = SkinList(4.0, 1.0), SkinList(4.0, 1.0)
    running.graph(batch)
    expected = running.graph(here)

    assert running.reference is not None
    found = restarted.search_at(running.reference, here)

    assert same_edges(found, expected)
    assert found.batch is here
    assert searches(restarted, [shifted(batch, 0, 0.49), shifted(batch, 0, 0.51)]) == [False, True]


def test_the_reference_does_not_move_with_the_callers_tensors() -> None:
    batch = crystal()
    skin_list = SkinList(4.0, 1.0)
    skin_list.graph(batch)

    batch.positions[0] += 3.0

    assert searches(skin_list, [batch]) == [True]


@pytest.mark.parametrize(("cutoff", "skin"), [(4.0, -0.1), (0.0, 1.0), (float("nan"), 1.0)])
def test_a_skin_or_cutoff_that_makes_no_sense_is_refused(cutoff: float, skin: float) -> None:
    with pytest.raises(ConfigurationError, match="a skin is not negative"):
        SkinList(cutoff, skin)


def test_a_search_that_is_refused_leaves_the_list_as_it_was() -> None:
    batch = crystal()
    skin_list = SkinList(4.0, 1.0)
    before = skin_list.graph(batch)

    with pytest.raises(StructureError, match="atom 1"):
        skin_list.graph(shifted(batch, 1, float("nan")))

    assert searches(skin_list, [shifted(batch, 1, 0.1)]) == [False]
    assert same_edges(skin_list.graph(batch), before)
