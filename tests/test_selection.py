"""Choice of structures against brute force and dense algebra."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adiabat.errors import ConfigurationError
from adiabat.uncertainty import Covariance, choose_d_optimal, choose_farthest, choose_farthest_structures

COLUMNS = 5


def made_covariance(seed: int) -> Covariance:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(COLUMNS, 2 * COLUMNS))
    precision = rows @ rows.T
    scale = 1 / np.sqrt(np.diag(precision))
    factor = np.linalg.cholesky(precision * scale * scale[:, None])
    return Covariance(torch.from_numpy(factor), torch.from_numpy(scale))


def made_pool(seed: int, count: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.normal(size=(rng.integers(1, 5), COLUMNS))) for _ in range(count)]


def information(pool: list[torch.Tensor], chosen: list[int], covariance: Covariance) -> float:
    """log det(1 + X C Xᵀ) / 2 of all rows together."""
    rows = torch.cat([pool[place] for place in chosen]).numpy()
    spread = np.eye(len(rows)) + rows @ covariance.dense().numpy() @ rows.T
    return 0.5 * float(np.linalg.slogdet(spread)[1])


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 9))
def test_each_d_optimal_choice_is_the_best_next_one_of_all(seed: int, count: int) -> None:
    pool, covariance = made_pool(seed, 9), made_covariance(seed)
    selection = choose_d_optimal(pool, covariance, count)
    before = 0.0
    for step in range(count):
        chosen = list(selection.chosen[:step])
        rest = [place for place in range(len(pool)) if place not in chosen]
        found = {place: information(pool, [*chosen, place], covariance) for place in rest}
        best = max(found.values())
        assert found[selection.chosen[step]] == pytest.approx(best, rel=1e-9)
        assert selection.gains[step] == pytest.approx(best - before, rel=1e-7, abs=1e-9)
        before = found[selection.chosen[step]]


def test_another_structure_is_chosen_before_a_known_one_is_repeated() -> None:
    unit = torch.eye(COLUMNS, dtype=torch.float64)
    covariance = Covariance(unit, torch.ones(COLUMNS, dtype=torch.float64))
    selection = choose_d_optimal([unit[:2], unit[:2], unit[:2], unit[2:4]], covariance, 4)
    assert selection.chosen == (0, 3, 1, 2)
    assert selection.gains == pytest.approx([np.log(2), np.log(2), np.log(1.5), np.log(4 / 3)])


def test_rows_that_say_nothing_are_chosen_last() -> None:
    pool = [torch.zeros(2, COLUMNS, dtype=torch.float64), *made_pool(4, 3)]
    selection = choose_d_optimal(pool, made_covariance(4), 4)
    assert selection.chosen[-1] == 0
    assert selection.gains[-1] == 0.0


def test_the_order_of_the_pool_decides_nothing_but_ties() -> None:
    pool, covariance = made_pool(5, 8), made_covariance(5)
    forward = choose_d_optimal(pool, covariance, 4).chosen
    backward = choose_d_optimal(pool[::-1], covariance, 4).chosen
    assert [7 - place for place in backward] == list(forward)


def farthest_by_hand(points: np.ndarray, count: int, known: list[int]) -> list[int]:
    chosen = list(known)
    while len(chosen) < len(known) + count:
        distances = np.linalg.norm(points[:, None] - points[chosen], axis=2).min(1)
        distances[chosen] = -1
        chosen.append(int(distances.argmax()))
    return chosen[len(known) :]


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
def test_the_farthest_points_are_those_of_a_search_through_all(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).normal(size=(15, 3))
    tensor = torch.from_numpy(points)
    selection = choose_farthest(tensor, count)
    first = int(np.linalg.norm(points - points.mean(0), axis=1).argmax())
    assert list(selection.chosen) == [first, *farthest_by_hand(points, count - 1, [first])]
    known = choose_farthest(tensor[3:], count, known=tensor[:3])
    assert [place + 3 for place in known.chosen] == farthest_by_hand(points, count, [0, 1, 2])


def test_farthest_points_cover_within_twice_the_best_radius() -> None:
    points = np.random.default_rng(0).normal(size=(9, 2))

    def radius(centres: tuple[int, ...]) -> float:
        return float(np.linalg.norm(points[:, None] - points[list(centres)], axis=2).min(1).max())

    best = min(radius(centres) for centres in permutations(range(9), 3))
    assert radius(choose_farthest(torch.from_numpy(points), 3).chosen) <= 2 * best


def test_gains_are_the_distances_to_what_was_chosen_before() -> None:
    points = torch.tensor([[0.0], [1.0], [10.0], [4.0]], dtype=torch.float64)
    selection = choose_farthest(points, 3, known=torch.tensor([[0.0]], dtype=torch.float64))
    assert selection.chosen == (2, 3, 1)
    assert selection.gains == pytest.approx((10.0, 4.0, 1.0))


def test_the_structure_with_the_strangest_environment_is_chosen_and_counts_as_a_whole() -> None:
    points = torch.tensor([[0.0], [0.1], [9.0], [-8.0], [8.5], [0.2], [5.0]], dtype=torch.float64)
    selection = choose_farthest_structures(points, [2, 2, 2, 1], 3, known=torch.zeros(1, 1, dtype=torch.float64))
    assert selection.chosen == (1, 3, 2)
    assert selection.gains == pytest.approx((9.0, 4.0, 0.5)) or selection.gains == pytest.approx((9.0, 4.0, 0.2))


@pytest.mark.parametrize("count", [0, 4])
def test_no_more_are_chosen_than_there_are(count: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{count} are to be chosen from 3"):
        choose_d_optimal(made_pool(0, 3), made_covariance(0), count)
    with pytest.raises(ConfigurationError, match=f"{count} are to be chosen from 3"):
        choose_farthest(torch.zeros(3, 2, dtype=torch.float64), count)


def test_identical_points_are_chosen_in_turn() -> None:
    selection = choose_farthest(torch.ones(4, 2, dtype=torch.float64), 4)
    assert selection.chosen == (0, 1, 2, 3)
    assert selection.gains == (0.0, 0.0, 0.0, 0.0)
