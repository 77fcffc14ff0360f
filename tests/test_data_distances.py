"""Distances in a data set, against ASE's neighbour list and closed forms."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_structures import labelled

from adiabat.data import measure_distances, shortest_distances
from adiabat.errors import StructureError


def test_the_shortest_distance_of_each_pair_of_species_is_found_over_all_structures() -> None:
    near = labelled(Atoms("OH", [[0, 0, 0], [0.9, 0, 0]]))
    far = labelled(Atoms("OHH", [[0, 0, 0], [1.1, 0, 0], [0, 1.2, 0]]))
    shortest = shortest_distances([far, near])
    assert shortest == pytest.approx({(1, 1): np.hypot(1.1, 1.2), (1, 8): 0.9})


def test_pairs_that_never_come_near_do_not_occur() -> None:
    assert shortest_distances([labelled(Atoms("HO", [[0, 0, 0], [6.1, 0, 0]]))]) == {}


def test_an_atom_counts_its_own_images_as_neighbours() -> None:
    distances = measure_distances([labelled(bulk("Cu", "fcc", a=3.6))])
    assert distances.shortest == pytest.approx({(29, 29): 3.6 / np.sqrt(2)})
    assert distances.nearest[0] == pytest.approx([3.6 / np.sqrt(2)])


def test_an_atom_alone_has_no_nearest_neighbour() -> None:
    distances = measure_distances([labelled(Atoms("H"))])
    assert distances.nearest[0] == [np.inf]
    assert distances.least() == [np.inf]
    assert distances.shortest == {}


def test_coincident_atoms_have_the_distance_zero() -> None:
    distances = measure_distances([labelled(Atoms("HHO", [[0, 0, 0], [2, 0, 0], [2, 0, 0]]))])
    assert distances.least() == [0.0]
    assert set(distances.closest[0]) == {1, 2}


@given(seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_all_distances_agree_with_ase_for_any_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pbc, n = rng.random(3) < 0.5, int(rng.integers(1, 6))
    cell = 4.0 * np.eye(3) + rng.uniform(-1.2, 1.2, (3, 3))
    atoms = Atoms(rng.choice([1, 6, 8], n), rng.uniform(-6, 6, (n, 3)), cell=cell, pbc=pbc)
    i, j, d = neighbor_list("ijd", atoms, 6.0)
    distances = measure_distances([labelled(atoms)])
    expected: dict[tuple[int, int], float] = {}
    for pair, distance in zip(np.sort(atoms.numbers[np.stack([i, j])], axis=0).T, d, strict=True):
        expected[tuple(pair)] = min(distance, expected.get(tuple(pair), np.inf))
    assert distances.shortest == pytest.approx(expected)
    nearest = [d[i == atom].min(initial=np.inf) for atom in range(n)]
    np.testing.assert_allclose(distances.nearest[0], nearest)


def test_a_cell_without_volume_is_refused_with_its_place() -> None:
    flat = Atoms("H", cell=[[1, 0, 0], [1, 0, 0], [0, 0, 1]], pbc=True)
    with pytest.raises(StructureError, match=r"data\.xyz, structure 4"):
        shortest_distances([labelled(flat, "data.xyz, structure 4")])


def test_an_atom_lost_in_space_is_refused_with_its_place() -> None:
    with pytest.raises(StructureError, match=r"data\.xyz, structure 4"):
        shortest_distances([labelled(Atoms("H2", [[0, 0, 0], [1e9, 0, 0]]), "data.xyz, structure 4")])
