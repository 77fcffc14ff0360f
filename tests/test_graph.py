"""A graph: edges over atoms that move."""

import pytest
import torch
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from random_structures import structures

from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Graph


def edges_of(graph: Graph) -> list[tuple[int, ...]]:
    return [tuple(row) for row in torch.cat([graph.center[:, None], graph.neighbor[:, None], graph.shift], 1).tolist()]


def test_edges_within_a_shorter_cutoff_are_those_of_a_search_with_it() -> None:
    batch = Batch.from_atoms(bulk("Si").repeat((2, 1, 1)))

    shortened = neighbor_graph(batch, 6.0).within(4.0)

    assert edges_of(shortened) == edges_of(neighbor_graph(batch, 4.0))
    assert shortened.cutoff == 4.0


def test_edge_vectors_follow_positions_and_cell_and_pass_gradients() -> None:
    batch = Batch.from_atoms(Atoms("X2", positions=[[0, 0, 0], [0.9, 1.6, 1.1]], cell=[4, 3, 3], pbc=True))
    graph = neighbor_graph(batch, 4.0)
    positions, cell = batch.positions.clone().requires_grad_(), batch.cell.clone().requires_grad_()

    scaled = graph.on(batch.replace(positions=2 * positions, cell=2 * cell)).vectors()
    slopes = torch.autograd.grad(scaled.square().sum(), (positions, cell))

    torch.testing.assert_close(scaled.detach(), 2 * graph.vectors())
    assert all(bool((slope != 0).any()) for slope in slopes)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(atoms=structures())
def test_each_bond_is_there_twice_once_from_either_end(atoms: Atoms) -> None:
    graph = neighbor_graph(Batch.from_atoms(atoms), 4.0)

    forward = torch.cat([graph.center[:, None], graph.neighbor[:, None], graph.shift], 1)
    backward = torch.cat([graph.neighbor[:, None], graph.center[:, None], -graph.shift], 1)

    assert sorted(forward.tolist()) == sorted(backward.tolist())


def test_a_longer_cutoff_than_the_graph_has_cannot_be_claimed() -> None:
    graph = neighbor_graph(Batch.from_atoms(bulk("Si")), 4.0)

    assert graph.within(9.0).cutoff == 4.0
    assert graph.within(9.0).n_edges == graph.n_edges


def test_edges_that_have_grown_beyond_the_cutoff_are_left_out_and_return() -> None:
    near = Batch.from_atoms(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.0]]))
    far = Batch.from_atoms(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.5]]))
    graph = neighbor_graph(near, 4.0)

    assert [graph.on(batch).within(3.2).n_edges for batch in (near, far, near)] == [2, 0, 2]


def test_the_vector_of_an_edge_points_from_centre_to_neighbour() -> None:
    wire = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 1.0]], cell=[0, 0, 5.0], pbc=(False, False, True))
    graph = neighbor_graph(Batch.from_atoms(wire), 4.5)

    found = dict(zip(edges_of(graph), graph.vectors()[:, 2].tolist(), strict=True))

    assert found == pytest.approx(
        {(0, 1, 0, 0, 0): 1.0, (0, 1, 0, 0, -1): -4.0, (1, 0, 0, 0, 0): -1.0, (1, 0, 0, 0, 1): 4.0}
    )
