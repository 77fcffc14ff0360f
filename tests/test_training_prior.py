"""The prior: random packings, and forces in them that no label speaks of."""

import numpy as np
import pytest
import torch
from ase import Atoms
from block_matrices import in_blocks, in_full, precision_in_full
from training_structures import CONFIG, cells, label, training_data, truth

from adiabat.holes import PackingRule, random_packing
from adiabat.models import LinearACE
from adiabat.models.ace.rows import RowBuilder
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import ExampleMaker
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.prior import RIDGE, PackingPrior, gram_of, packing_prior
from adiabat.training.regression import solve
from adiabat.typing import FloatArray

NOISE = {"energy": 1e-3, "forces": 1e-2, "stress": 1e-3}


def packings_of(rule: PackingRule, count: int) -> list[Atoms]:
    rng = np.random.default_rng(99)
    return [random_packing(rule, rng) for _ in range(count)]


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
    others = packings_of(PackingRule([np.array([14] * 8)], 0.0, (6, 14), (5.0, 52.0), {(14, 14): 1.4}), 20)
    rows = force_rows(found.model, others)
    sizes = [
        float(np.abs(rows @ solve(equations, NOISE, prior.precision(strength)).mean).mean())
        for strength in (1e-8, 1e-4, 1.0)
    ]
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]


def volume_row(model: LinearACE, atoms: Atoms) -> FloatArray:
    """(1, columns) change of energy per atom with the logarithm of lengths, by central differences."""
    ends = []
    for factor in (1 + 1e-5, 1 - 1e-5):
        scaled = atoms.copy()
        scaled.set_cell(atoms.cell.array * factor, scale_atoms=True)
        ends.append(model.design_rows(neighbor_graph(Batch.from_atoms([scaled]), model.cutoff)).energy.numpy())
    return (ends[0] - ends[1])[None] / (2e-5 * len(atoms))


def test_rows_that_join_the_prior_are_of_forces_and_volume_and_count_as_their_weight_says() -> None:
    found = prepared()
    first, rest = found.packings[:5], found.packings[5:9]
    prior = packing_prior(found.model, first, quiet=True)

    joined = prior.joined_by(gram_of(found.model, rest), 0.5)

    more = np.vstack([force_rows(found.model, rest), *(volume_row(found.model, atoms) for atoms in rest)])
    rows = force_rows(found.model, first)
    expected = (rows.T @ rows + 0.5 * more.T @ more) / len(rows)
    np.testing.assert_allclose(in_full(joined.forces, 1), expected, rtol=0, atol=1e-7 * np.abs(expected).max())
    assert (joined.sizes == prior.sizes).all()


def test_structures_without_a_volume_join_the_prior_by_their_forces() -> None:
    found = prepared()
    cluster = found.packings[0].copy()
    cluster.pbc = False

    rows = force_rows(found.model, [cluster])
    gram = in_full(gram_of(found.model, [cluster]), 1)
    np.testing.assert_allclose(gram, rows.T @ rows, rtol=0, atol=1e-10)


def multiplied(matrix: BlockMatrix, factors: FloatArray) -> BlockMatrix:
    return in_blocks(in_full(matrix, 1) * factors[:, None] * factors, len(factors))


def test_the_prior_does_not_depend_on_what_the_functions_are_multiplied_by() -> None:
    found = prepared()
    equations, prior = equations_of(found), packing_prior(found.model, found.packings[:20], quiet=True)
    factors = 10.0 ** np.random.default_rng(2).uniform(-2, 2, equations.columns)
    plain = solve(equations, NOISE, prior.precision(1e-3)).mean
    rescaled = PackingPrior(multiplied(prior.forces, factors), prior.sizes * factors**2, prior.rows)
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
