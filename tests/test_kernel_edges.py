"""The compiled search and list of edges: the same for any number of threads, small, and safe from bad input."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from random_structures import all_edges

from adiabat.errors import StructureError
from adiabat.kernels import _core
from adiabat.kernels.edges import EdgeList, Structures, expanded, listed_edges, search_edges
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch


def structures(several: list[Atoms]) -> Structures:
    """Periodic ones."""
    return Structures(
        start=np.cumsum([0] + [len(atoms) for atoms in several]),
        positions=np.concatenate([atoms.positions for atoms in several]),
        boxes=np.stack([atoms.cell.array for atoms in several]),
        periodic=np.stack([atoms.pbc for atoms in several]),
        numbers=np.concatenate([atoms.numbers for atoms in several]).astype(np.int64),
    )


def rows(edges: EdgeList) -> list[tuple[int, ...]]:
    center, neighbor, shift = expanded(edges)
    return [tuple(row) for row in np.column_stack([center, neighbor, shift]).tolist()]


def liquid(atoms: int, *, seed: int, spread: int) -> Atoms:
    """At the density of silicon, its atoms scattered over cells beside its own as after long diffusion."""
    rng = np.random.default_rng(seed)
    cell = np.cbrt(20.0 * atoms) * (np.eye(3) + 0.2 * rng.uniform(-1, 1, (3, 3)))
    fractions = rng.uniform(size=(atoms, 3)) + rng.integers(-spread, spread + 1, (atoms, 3))
    return Atoms(rng.choice([8, 14], atoms), positions=fractions @ cell, cell=cell, pbc=True)


def test_a_search_does_not_depend_on_the_number_of_threads() -> None:
    given = structures([liquid(1500, seed=1, spread=0), bulk("Si"), liquid(40, seed=2, spread=3)])
    first, shortest = search_edges(given, 4.0, threads=1)

    for threads in (2, 3, 8):
        found, other = search_edges(given, 4.0, threads=threads)
        assert other == shortest
        assert all(np.array_equal(a, b) for a, b in zip(expanded(first), expanded(found), strict=True))


def test_edges_of_a_structure_cut_into_many_windows_are_those_of_an_exhaustive_search() -> None:
    atoms = liquid(200, seed=3, spread=1)

    edges, shortest = search_edges(structures([atoms]), 3.5, threads=2)

    expected = all_edges(atoms, 3.5)
    assert rows(edges) == sorted(edge for edge, distance in expected.items() if distance < 3.5)
    assert shortest is not None
    nearest = min(expected.items(), key=lambda item: (round(item[1], 9), item[0]))
    assert (shortest.center, shortest.neighbor, *shortest.shift) == nearest[0]
    assert shortest.distance == pytest.approx(nearest[1], abs=1e-12)


def test_each_edge_is_there_from_both_ends_also_where_rounding_decides() -> None:
    crystal = bulk("Cu", "fcc", a=3.61, cubic=True) * (5, 5, 5)
    crystal.positions += [0.37, -11.3, 29.9]
    for shell in (1 / 2, 1, 3 / 2, 2, 5 / 2, 3):
        center, neighbor, shift = expanded(search_edges(structures([crystal]), 3.61 * np.sqrt(shell))[0])
        forth = set(map(tuple, np.column_stack([center, neighbor, shift]).tolist()))
        back = set(map(tuple, np.column_stack([neighbor, center, -shift]).tolist()))
        assert forth == back


def test_listed_edges_come_back_as_they_were() -> None:
    atoms = liquid(300, seed=4, spread=1)
    center, neighbor, shift = expanded(search_edges(structures([atoms]), 4.0)[0])

    edges = listed_edges(1, center, neighbor, shift, np.zeros(300, dtype=np.int64))

    assert all(np.array_equal(a, b) for a, b in zip(expanded(edges), (center, neighbor, shift), strict=True))


def test_open_directions_and_vacuum_far_wider_than_matter_are_searched() -> None:
    chain = Atoms("X40", positions=np.outer(np.arange(40) // 2, [0.0, 0.0, 4000.0]))
    chain.positions[1::2, 0] = 1.0
    slab = Atoms("X2", positions=[[0, 0, 0], [0, 0, 5.0]], cell=[2.0, 2.0, 50000.0], pbc=True)

    assert rows(neighbor_graph(Batch.from_atoms(chain), 4.0).edges.found)[:3] == [  # pyright: ignore
        (0, 1, 0, 0, 0),
        (1, 0, 0, 0, 0),
        (2, 3, 0, 0, 0),
    ]
    assert neighbor_graph(Batch.from_atoms(slab), 2.5).n_edges == 8


@pytest.mark.parametrize("length", [1e-7, 1e-3, 0.02])
def test_a_cell_far_too_thin_is_named_and_no_memory_is_lost_on_it(length: float) -> None:
    atoms = Atoms("X", cell=[length] * 3, pbc=True)

    with pytest.raises(StructureError, match=r"structure 0|no edges up to 5\.0 Å"):
        neighbor_graph(Batch.from_atoms(atoms), 5.0)


def test_what_goes_wrong_in_one_thread_is_said_by_all_and_the_next_search_is_right() -> None:
    several = [bulk("Si") for _ in range(50)]
    expected = rows(search_edges(structures(several), 4.0)[0])
    wrong = [*several[:30], Atoms("X", cell=[1e-7] * 3, pbc=True), *several[30:]]

    for _ in range(20):
        with pytest.raises(ValueError, match="too thin"):
            search_edges(structures(wrong), 4.0, threads=4)
        assert rows(search_edges(structures(several), 4.0, threads=4)[0]) == expected


def arguments() -> dict[str, Any]:
    return {
        "start": np.array([0, 1, 3]),
        "positions": np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]),
        "boxes": np.tile(9.0 * np.eye(3), (2, 1, 1)),
        "periodic": np.ones((2, 3), dtype=bool),
        "numbers": np.ones(3, dtype=np.int64),
        "cutoff": 3.0,
        "threads": 1,
    }


def test_what_is_refused_here_is_accepted_when_it_is_right() -> None:
    edges, shortest = _core.search(**arguments())

    assert rows(edges) == [(1, 2, 0, 0, 0), (2, 1, 0, 0, 0)]
    assert shortest == (pytest.approx(np.sqrt(3)), 1, 2, (0, 0, 0))


WRONG = {
    "positions in single precision": ({"positions": np.zeros((3, 3), dtype=np.float32)}, TypeError),
    "positions in a plane": ({"positions": np.zeros((3, 2))}, TypeError),
    "every second position": ({"positions": np.zeros((6, 3))[::2]}, TypeError),
    "a position that is no number": ({"positions": np.full((3, 3), np.nan)}, ValueError),
    "an infinite position": ({"positions": np.full((3, 3), np.inf)}, ValueError),
    "a box that is no number": ({"boxes": np.full((2, 3, 3), np.nan)}, ValueError),
    "a box without volume": ({"boxes": np.ones((2, 3, 3))}, ValueError),
    "an empty box": ({"boxes": np.zeros((2, 3, 3))}, ValueError),
    "a box too few": ({"boxes": np.ones((1, 3, 3))}, ValueError),
    "whole numbers for periodic directions": ({"periodic": np.ones((2, 3), dtype=np.int64)}, TypeError),
    "atoms beyond the last": ({"start": np.array([0, 1, 4])}, ValueError),
    "atoms that belong nowhere": ({"start": np.array([0, 1, 2])}, ValueError),
    "structures that overlap": ({"start": np.array([0, 4, 3])}, ValueError),
    "a negative start": ({"start": np.array([-1, 1, 3])}, ValueError),
    "a number too few": ({"numbers": np.ones(2, dtype=np.int64)}, ValueError),
    "no cutoff": ({"cutoff": 0.0}, ValueError),
    "a cutoff that is no number": ({"cutoff": np.nan}, ValueError),
    "no threads": ({"threads": 0}, ValueError),
}


@pytest.mark.parametrize(("change", "error"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_searched_is_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        _core.search(**(arguments() | change))


def test_outputs_of_another_length_or_type_are_refused() -> None:
    edges, _ = _core.search(**arguments())
    right = {"center": np.zeros(2, np.int64), "neighbor": np.zeros(2, np.int64), "shift": np.zeros((2, 3), np.int64)}

    edges.expand(**right)
    for name, array in right.items():
        with pytest.raises(ValueError, match="a row for each edge"):
            edges.expand(**(right | {name: array[:1].copy()}))
        with pytest.raises(TypeError):
            edges.expand(**(right | {name: array.astype(np.int32)}))


def test_no_atoms_have_no_edges() -> None:
    nothing = np.zeros(0, dtype=np.int64)

    edges = listed_edges(0, nothing, nothing, np.zeros((0, 3), dtype=np.int64), nothing)

    assert (edges.atoms, edges.edges) == (0, 0)
    assert rows(edges) == []


MEMORY = """
import sys
sys.path.insert(0, "tests")
import torch
from ase.build import bulk
from random_expansions import random_expansion
from adiabat.neighbors import SkinList
from adiabat.potential import Potential
from adiabat.system import Batch

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

torch.set_num_threads(1)
potential = Potential([random_expansion([14], limits=(3, 3), l_limits=(0, 1), cutoff=6.69)])
atoms = bulk("Si", cubic=True) * (20, 20, 20)
atoms.rattle(0.05, seed=1)
batch = Batch.from_atoms(atoms)
potential(atoms[:8])
for skin in (0.0, 2.0):
    before = peak()
    graph = SkinList(potential.cutoff, skin).graph(batch)
    potential(graph, want=("energy", "forces", "stress"))
    print((peak() - before) / len(atoms), graph.n_edges / len(atoms))
"""


def test_memory_for_each_atom_and_for_each_further_edge_is_small() -> None:
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    (bytes_of_atom, neighbors), (further_bytes, all_neighbors) = (
        map(float, line.split()) for line in run.stdout.splitlines()
    )

    assert 60 < neighbors < 66
    assert bytes_of_atom <= 4000
    assert further_bytes <= 50 * (all_neighbors - neighbors)
