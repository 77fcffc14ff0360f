"""Groups of structures left out of a fit: against refits without them, and against dense linear algebra."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training_regression import NOISE, PRIOR, dense, equations_of, mixed_examples, prior_precision
from training_structures import labelled_cells

from adiabat.system import Labelled
from adiabat.training.examples import Block, Example
from adiabat.training.groups import CalibrationConfig, drawn_groups, structures_together
from adiabat.training.leave_one_out import row_noise
from adiabat.training.left_out_group import RIDGE, LeftOutGroup, leave_out
from adiabat.training.regression import solve
from adiabat.typing import FloatArray


def left_out(members: list[int], examples: list[Example]) -> LeftOutGroup:
    solution = solve(equations_of(examples), NOISE, PRIOR)
    group = [examples[index] for index in members]
    return leave_out(group, solution, [row_noise(example, NOISE, {}) for example in group], "forces")


def refit(members: list[int], examples: list[Example]) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance without some structures, under the prior of all."""
    prior = prior_precision(equations_of(examples))
    rest = dense([e for number, e in enumerate(examples) if number not in members], prior)
    return rest.mean, np.asarray(np.linalg.inv(rest.precision), dtype=np.float64)


def rows_of(examples: list[Example], kind: str) -> Block:
    blocks = [example.blocks[kind] for example in examples if kind in example.blocks]
    return Block(np.concatenate([b.rows for b in blocks]), np.concatenate([b.targets for b in blocks]))


@pytest.mark.parametrize("members", [[0], [4], [0, 1, 5], [0, 1, 2, 3, 4, 6]])
def test_residuals_and_variances_are_those_of_a_refit_without_the_group(members: list[int]) -> None:
    """Of few rows (the inverse in rows) and of more than there are columns (the inverse in columns)."""
    examples = mixed_examples()
    found, (mean, covariance) = left_out(members, examples), refit(members, examples)
    for kind, residuals in found.residuals.items():
        block = rows_of([examples[index] for index in members], kind)
        np.testing.assert_allclose(residuals, block.targets - block.rows @ mean, rtol=1e-7, atol=1e-8)
        variances = np.einsum("ni,ij,nj->n", block.rows, covariance, block.rows)
        np.testing.assert_allclose(found.posterior[kind], variances, rtol=1e-7)


@pytest.mark.parametrize("members", [[0], [0, 1, 5]])
def test_the_move_is_from_the_whole_fit_to_the_one_without_the_group(members: list[int]) -> None:
    examples = mixed_examples()
    solution = solve(equations_of(examples), NOISE, PRIOR)
    move = solution.covariance.colour(left_out(members, examples).move[:, None])[0].numpy()
    np.testing.assert_allclose(solution.mean - move, refit(members, examples)[0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("members", [[1], [0, 1, 2]])
def test_a_displacement_makes_the_fit_meet_what_was_left_out(members: list[int]) -> None:
    """But for what the ridge gives up, in directions that the fit hardly has."""
    examples = mixed_examples()
    solution = solve(equations_of(examples), NOISE, PRIOR)
    found = left_out(members, examples)
    displacement = solution.covariance.colour(found.displacement[:, None])[0].numpy()
    rows = rows_of([examples[index] for index in members], "forces").rows
    sizes, directions = np.linalg.eigh(rows @ solution.covariance.dense().numpy() @ rows.T)
    given_up = RIDGE * sizes[-1] / (sizes + RIDGE * sizes[-1])
    missed = directions @ (given_up * (directions.T @ found.residuals["forces"]))
    np.testing.assert_allclose(rows @ displacement, found.residuals["forces"] - missed, rtol=1e-6, atol=1e-8)


def test_a_displacement_is_the_smallest_in_the_posteriors_metric() -> None:
    examples = mixed_examples()
    solution = solve(equations_of(examples), NOISE, PRIOR)
    displacement = left_out([1], examples).displacement
    rows = torch.from_numpy(examples[1].blocks["forces"].rows)
    whitened = solution.covariance.whiten(rows)
    outside = displacement - whitened @ torch.linalg.lstsq(whitened, displacement[:, None]).solution[:, 0]
    assert float(outside.norm()) < 1e-9 * float(displacement.norm())


def test_structures_of_a_trajectory_and_duplicates_belong_together() -> None:
    first, second, third, fourth, fifth = (replace(s, group=None) for s in labelled_cells(5))
    moved = third.atoms.copy()
    moved.positions += 0.7
    again = replace(third, atoms=moved)
    data: list[Labelled] = [replace(first, group="run"), second, third, replace(fourth, group="run"), again, fifth]
    assert structures_together(data, quiet=True) == [[0, 3], [1], [2, 4], [5]]


def test_a_duplicate_joins_the_trajectory_of_the_structure_that_it_repeats() -> None:
    first, second, third = labelled_cells(3)
    data = [replace(first, group="run"), replace(second, group="run"), third, second]
    assert structures_together(data, quiet=True) == [[0, 1, 3], [2]]


def test_groups_are_drawn_whole_and_in_their_order_until_there_are_enough() -> None:
    groups = [[i, i + 1] for i in range(0, 100, 2)]
    drawn = drawn_groups(groups, CalibrationConfig(structures=21))
    assert len(drawn) == 11
    assert drawn == sorted(drawn)
    assert all(group in groups for group in drawn)
    assert drawn_groups(groups, CalibrationConfig(structures=200)) == groups
