"""Edges against an exhaustive search on random structures."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from random_structures import PERIODICITIES, Edge, all_edges, clear_edges, structures

from adiabat.errors import StructureError
from adiabat.neighbors import neighbor_graph, pair_vectors
from adiabat.system import Batch, Graph

THOROUGH = settings(deadline=None, max_examples=150, derandomize=True)


def edges_of(graph: Graph) -> list[Edge]:
    rows = torch.cat([graph.center[:, None], graph.neighbor[:, None], graph.shift], 1)
    return [tuple(row) for row in rows.tolist()]


@THOROUGH
@given(atoms=structures(), cutoff=st.floats(2.5, 6.0))
def test_edges_are_those_of_an_exhaustive_search_in_canonical_order(atoms: Atoms, cutoff: float) -> None:
    expected = clear_edges(atoms, cutoff)

    graph = neighbor_graph(Batch.from_atoms(atoms), cutoff)

    assert edges_of(graph) == sorted(expected)
    lengths = graph.vectors().square().sum(-1).sqrt().numpy()
    np.testing.assert_allclose(lengths, [expected[edge] for edge in edges_of(graph)], rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(several=st.lists(structures(), min_size=2, max_size=4))
def test_edges_of_several_structures_are_those_of_each(several: list[Atoms]) -> None:
    expected, start = [], 0
    for atoms in several:
        expected += [(i + start, j + start, *shift) for i, j, *shift in sorted(clear_edges(atoms, 4.0))]
        start += len(atoms)

    assert edges_of(neighbor_graph(Batch.from_atoms(several), 4.0)) == expected


@settings(deadline=None, max_examples=60, derandomize=True)
@given(atoms=structures(), cutoff=st.floats(2.5, 6.0))
def test_undirected_pairs_are_half_of_the_edges(atoms: Atoms, cutoff: float) -> None:
    edges = clear_edges(atoms, cutoff)

    first, second, vectors = pair_vectors(atoms, cutoff)

    distances = np.linalg.norm(vectors, axis=1)
    found = sorted((min(i, j), max(i, j), d) for i, j, d in zip(first, second, distances.round(8), strict=True))
    expected = sorted((min(i, j), max(i, j), round(d, 8)) for (i, j, *_), d in edges.items())
    assert len(edges) == 2 * len(distances)
    np.testing.assert_allclose(found, expected[::2], atol=1.1e-8)


@pytest.mark.parametrize("pbc", PERIODICITIES, ids=str)
@pytest.mark.parametrize("handedness", [1, -1])
def test_every_mixture_of_periodic_directions_of_a_thin_skewed_cell(pbc: tuple, handedness: int) -> None:
    cell = np.array([[2.1, 0.3, 0.0], [-0.9, 1.7, 0.4], [0.5, -0.6, 2.4 * handedness]])
    atoms = Atoms("X3", positions=[[0.1, 0, 0], [1.0, 0.9, 7.3], [-4.2, 0.4, 1.3]], cell=cell, pbc=pbc)

    assert edges_of(neighbor_graph(Batch.from_atoms(atoms), 5.3)) == sorted(all_edges(atoms, 5.3))


@pytest.mark.parametrize("pbc", [pbc for pbc in PERIODICITIES if not all(pbc)], ids=str)
def test_open_directions_need_no_cell_vector(pbc: tuple) -> None:
    cell = np.where(np.array(pbc)[:, None], [[3.0, 0.4, 0.2], [-1.1, 2.8, 0.3], [0.2, 0.9, 3.3]], 0.0)
    atoms = Atoms("X3", positions=[[0, 0, 0], [1.4, 1.0, 1.1], [9.0, -7.0, 4.0]], cell=cell, pbc=pbc)

    assert edges_of(neighbor_graph(Batch.from_atoms(atoms), 4.1)) == sorted(all_edges(atoms, 4.1))


def test_long_thin_molecules_along_a_diagonal_see_no_image() -> None:
    rod = Atoms("X30", positions=np.outer(np.arange(30), [1.0, 1.0, 1.0]), cell=[5, 5, 5])

    graph = neighbor_graph(Batch.from_atoms(rod), 2.0)

    assert graph.n_edges == 2 * 29
    assert bool((graph.shift == 0).all())


def test_the_shells_of_crystals_have_their_known_numbers_of_neighbours() -> None:
    # Coordination shells of fcc: 12 at a/√2, 6 at a, 24 at a√(3/2); of diamond: 4, 12, 12.
    fcc, diamond = bulk("Cu", "fcc", a=3.6), bulk("Si", "diamond", a=5.43)

    for atoms, cutoff, expected in (
        (fcc, 3.0, 12),
        (fcc, 3.7, 18),
        (fcc, 4.5, 42),
        (diamond, 2.5, 4),
        (diamond, 4.0, 16),
        (diamond, 4.6, 28),
    ):
        graph = neighbor_graph(Batch.from_atoms(atoms), cutoff)
        assert torch.bincount(graph.center).tolist() == [expected] * len(atoms)


def test_a_lone_atom_has_no_edges_and_no_energy_is_lost_on_it() -> None:
    graph = neighbor_graph(Batch.from_atoms([Atoms("X"), Atoms("X", cell=[9, 9, 9], pbc=True)]), 4.0)

    assert graph.n_edges == 0
    assert graph.vectors().shape == (0, 3)
    assert graph.shift.shape == (0, 3)


def test_a_cell_far_thinner_than_the_cutoff_keeps_all_images() -> None:
    wire = Atoms("X", cell=[0, 0, 0.5], pbc=(False, False, True))

    graph = neighbor_graph(Batch.from_atoms(wire), 20.1)

    assert edges_of(graph) == [(0, 0, 0, 0, n) for n in range(-40, 41) if n]


def test_a_graph_of_single_precision_positions_is_searched_in_double_precision() -> None:
    atoms = bulk("Si").repeat(2)

    single, double = (neighbor_graph(Batch.from_atoms(atoms, dtype=t), 5.0) for t in (torch.float32, torch.float64))

    assert edges_of(single) == edges_of(double)
    assert single.vectors().dtype == torch.float32


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("X3", positions=[[0, 0, 0], [1, 1, 1], [1, 1, 1.0002]]), r"atoms 1 and 2 \(image \[0, 0, 0\]\)"),
        (Atoms("X2", positions=[[0, 0, 0], [0, 0, 3]], cell=[5, 5, 3], pbc=True), r"image \[0, 0, -1\]"),
    ],
)
def test_atoms_that_coincide_are_named(atoms: Atoms, message: str) -> None:
    with pytest.raises(StructureError, match=message):
        neighbor_graph(Batch.from_atoms([bulk("Si"), atoms]), 4.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e12])
def test_atoms_that_have_flown_away_are_named_with_their_structure(value: float) -> None:
    batch = Batch.from_atoms([bulk("Si"), Atoms("X2", positions=[[0, 0, 0], [0, 0, 2]], pbc=False)])
    positions = batch.positions.clone()
    positions[3, 1] = value

    with pytest.raises(StructureError, match=r"(?s)structure 1: atom 1 is at \[0\.0, .*within 1e\+05"):
        neighbor_graph(batch.replace(positions=positions), 4.0)


def test_a_cell_that_is_not_finite_is_named() -> None:
    batch = Batch.from_atoms(bulk("Si"))

    with pytest.raises(StructureError, match="structure 0: cell vector 0"):
        neighbor_graph(batch.replace(cell=batch.cell * torch.nan), 4.0)
