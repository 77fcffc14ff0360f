"""The prior: random packings, and forces in them that no label speaks of."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from ase import Atoms
from block_matrices import in_blocks, in_full, precision_in_full
from hypothesis import given, settings
from hypothesis import strategies as st
from training_structures import CONFIG, cells, label, training_data, truth

from adiabat.models import LinearACE
from adiabat.models.ace.rows import RowBuilder
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import ExampleMaker
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.packings import VOLUME, PackingRule, random_packings
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.prior import RIDGE, PackingPrior, packing_prior
from adiabat.training.regression import solve
from adiabat.typing import FloatArray

NOISE = {"energy": 1e-3, "forces": 1e-2, "stress": 1e-3}


def rule(shortest: float = 1.5, spacing: float = 2.4) -> PackingRule:
    """Two species, of which structures hold the first alone or both."""
    pairs = combinations_with_replacement((14, 32), 2)
    return PackingRule(
        [np.array([14] * 4), np.array([14, 32])], spacing, {pair: shortest + 0.1 * i for i, pair in enumerate(pairs)}
    )


def nearest(packing: Atoms, pair: tuple[int, int]) -> float:
    """Å, the shortest distance of a pair of species, own images left out as they are as far apart as the edge."""
    distances = packing.get_all_distances(mic=True)
    numbers = packing.numbers
    of_pair = [
        distances[i, j]
        for i in range(len(packing))
        for j in range(i)
        if (min(numbers[i], numbers[j]), max(numbers[i], numbers[j])) == pair
    ]
    return min(of_pair, default=np.inf)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.integers(0, 1000), st.floats(0.8, 1.9))
def test_no_two_atoms_of_a_packing_are_nearer_than_their_species_may(seed: int, shortest: float) -> None:
    asked = rule(shortest)
    for packing in random_packings(asked, 60, seed=seed):
        assert packing.cell.lengths().min() >= max(asked.shortest.values())
        for pair, distance in asked.shortest.items():
            assert nearest(packing, pair) >= distance


def test_packings_are_as_many_as_asked_and_of_all_species_and_densities() -> None:
    packings = random_packings(rule(0.9), 2000)
    assert sum(len(p) for p in packings) >= 2000
    volumes = np.array([p.get_volume() / len(p) for p in packings]) / rule().spacing ** 3
    assert volumes.min() < 1.3 * VOLUME[0]
    assert volumes.max() > 0.7 * VOLUME[1]
    kinds = {frozenset(packing.numbers.tolist()) for packing in packings}
    assert kinds >= {frozenset({14}), frozenset({14, 32})}


def test_a_seed_gives_the_same_packings() -> None:
    first, again, other = (random_packings(rule(), 50, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].positions, other[0].positions)


def prepared() -> Preparation:
    return prepare([label(atoms, truth()) for atoms in cells()], CONFIG, quiet=True)


def equations_of(found: Preparation) -> NormalEquations:
    make = ExampleMaker(found.model, found.baseline)
    equations = NormalEquations(1, found.model.basis.n_functions)
    equations.add([make(structure) for structure in found.fitted])
    return equations


def force_rows(model: LinearACE, packings: list[Atoms]) -> FloatArray:
    """One packing at a time, by the reference."""
    graphs = (neighbor_graph(Batch.from_atoms(packing), model.cutoff) for packing in packings)
    return np.concatenate([RowBuilder(model.basis)(graph).forces.numpy() for graph in graphs])


def test_without_weight_on_the_prior_labels_give_the_truth_back() -> None:
    found = prepare(training_data(), CONFIG, quiet=True)
    prior = packing_prior(found.model, found.packings, quiet=True)
    make = ExampleMaker(found.model, found.baseline)
    unseen = make(label(cells(1, first_seed=100)[0], truth())).blocks["forces"]
    mean = solve(equations_of(found), NOISE, prior.precision(1e-13)).mean
    assert np.abs(unseen.rows @ mean - unseen.targets).max() < 1e-6 * np.abs(unseen.targets).max()


def test_the_prior_is_of_the_forces_in_the_packings_and_of_each_function_a_little() -> None:
    found = prepared()
    prior = packing_prior(found.model, found.packings[:5], quiet=True)
    rows = force_rows(found.model, found.packings[:5])
    forces = in_full(prior.forces, 1)
    np.testing.assert_allclose(forces, rows.T @ rows / len(rows), rtol=1e-9, atol=1e-12 * forces.max())
    precision = precision_in_full(prior.precision(0.1))
    np.testing.assert_allclose(precision - np.diag(np.diag(precision)), 0.1 * (forces - np.diag(np.diag(forces))))
    np.testing.assert_allclose(np.diag(precision), 0.1 * (np.diag(forces) + RIDGE * prior.sizes))


def test_a_stronger_prior_makes_forces_in_other_packings_smaller() -> None:
    found = prepared()
    equations, prior = equations_of(found), packing_prior(found.model, found.packings, quiet=True)
    of_rule = PackingRule([np.array([14] * 8)], 2.35, {(14, 14): 1.4})
    rows = force_rows(found.model, random_packings(of_rule, 200, seed=99))
    sizes = [
        float(np.abs(rows @ solve(equations, NOISE, prior.precision(strength)).mean).mean())
        for strength in (1e-8, 1e-4, 1.0)
    ]
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]


def multiplied(matrix: BlockMatrix, factors: FloatArray) -> BlockMatrix:
    return in_blocks(in_full(matrix, 1) * factors[:, None] * factors, len(factors))


def test_the_prior_does_not_depend_on_what_the_functions_are_multiplied_by() -> None:
    found = prepared()
    equations, prior = equations_of(found), packing_prior(found.model, found.packings[:20], quiet=True)
    factors = 10.0 ** np.random.default_rng(2).uniform(-2, 2, equations.columns)
    plain = solve(equations, NOISE, prior.precision(1e-3)).mean
    rescaled = PackingPrior(multiplied(prior.forces, factors), prior.sizes * factors**2)
    for sums in equations.kinds.values():
        sums.gram = multiplied(sums.gram, factors)
        sums.moment = sums.moment * torch.from_numpy(factors)
    scaled = solve(equations, NOISE, rescaled.precision(1e-3)).mean
    assert scaled * factors == pytest.approx(plain, rel=1e-5, abs=1e-7 * float(np.abs(plain).max()))


def test_a_function_that_no_packing_shows_is_held_like_the_others() -> None:
    found = prepared()
    no_neighbours = [Atoms("Si2", [[0, 0, 0], [0, 0, 3.9]], cell=[20, 20, 20], pbc=True)]
    prior = packing_prior(found.model, no_neighbours, quiet=True)
    assert np.linalg.eigvalsh(precision_in_full(prior.precision(1.0))).min() > 0
