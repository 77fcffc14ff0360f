"""What a training by gradients is made of: batches, loss, schedule, average, division, gradients in parts."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from trainable_models import Bumps, bumpy, bumpy_cells, task
from training_structures import cells

from adiabat.errors import ConfigurationError, DataError, TrainingError
from adiabat.training.gradient.average import Average
from adiabat.training.gradient.batches import batches_of_epoch
from adiabat.training.gradient.config import GradientConfig, Stage
from adiabat.training.gradient.gradients import Gradients
from adiabat.training.gradient.loss import Loss
from adiabat.training.gradient.schedule import rate_factor, stage_at
from adiabat.training.gradient.validation import divide


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 80), st.integers(0, 5))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_an_epoch_holds_every_structure_once_in_batches_that_are_not_too_large(
    atoms: list[int], most: int, epoch: int
) -> None:
    batches = batches_of_epoch(atoms, most, seed=3, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(atoms)))
    assert all(len(batch) == 1 or sum(atoms[index] for index in batch) <= most for batch in batches)
    assert batches == batches_of_epoch(atoms, most, seed=3, epoch=epoch)


def test_epochs_and_seeds_differ_in_their_order() -> None:
    drawn = [batches_of_epoch([1] * 20, 4, seed=seed, epoch=epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert drawn[0] != drawn[1]
    assert drawn[0] != drawn[2]


def test_the_loss_is_the_weighted_mean_of_squares_of_scaled_errors() -> None:
    loss = Loss({"energy": 0.5, "forces": 2.0}, {"energy": 2.0, "forces": 4.0}, None)
    errors = {"energy": torch.tensor([1.0, -0.5]), "forces": torch.tensor([2.0, 0.0, -4.0, 0.0])}
    assert float(loss(errors, Stage(energy=3.0, forces=10.0))) == pytest.approx(3.0 * (4 + 1) / 2 + 10.0 * (1 + 4) / 4)


def test_beyond_the_huber_threshold_errors_count_linearly() -> None:
    loss = Loss({"forces": 1.0}, {"forces": 1.0}, 2.0)
    values = [float(loss({"forces": torch.tensor([x])}, Stage())) for x in (1.0, 2.0, 5.0, -5.0)]
    assert values == pytest.approx([1.0, 4.0, 2 * 2 * 5 - 4, 2 * 2 * 5 - 4])


def test_the_learning_rate_rises_and_falls_to_zero() -> None:
    config = GradientConfig(warmup=0.1)
    assert [rate_factor(x, config) for x in (0.0, 0.05, 0.1, 0.55, 1.0)] == pytest.approx(
        [0, 0.5, 1, 0.5, 0], abs=1e-12
    )


def test_stages_begin_where_they_say() -> None:
    config = GradientConfig(stages=(Stage(energy=0.1), Stage(start=0.5, energy=7.0)))
    assert [stage_at(x, config).energy for x in (0.0, 0.49, 0.5, 1.0)] == [0.1, 0.1, 7.0, 7.0]


@pytest.mark.parametrize("starts", [(), (0.1,), (0.0, 0.0), (0.0, 0.6, 0.3)])
def test_stages_that_do_not_follow_each_other_are_refused(starts: tuple[float, ...]) -> None:
    with pytest.raises(ConfigurationError, match="stages begin at 0"):
        GradientConfig.parse({"stages": [{"start": start} for start in starts]})


def test_the_average_forgets_its_start_and_shows_itself_for_a_while() -> None:
    parameter = torch.zeros(1, dtype=torch.float64)
    average = Average([parameter], 0.9)
    expected = 0.0
    for step in range(1, 200):
        parameter.fill_(1.0)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + 1 - decay
    assert float(average.values[0]) == pytest.approx(expected, rel=1e-12)
    parameter.fill_(5.0)
    with average.shown():
        assert float(parameter) == pytest.approx(expected)
    assert float(parameter) == 5.0


def test_duplicates_and_groups_are_on_one_side_of_the_division() -> None:
    structures = bumpy_cells(8)
    moved = structures[0].atoms.copy()
    moved.positions += 1.3
    structures.append(replace(structures[0], atoms=moved))
    structures = [replace(s, group="run" if k in (3, 4, 5) else None) for k, s in enumerate(structures)]
    for seed in range(12):
        training, validation = divide(structures, 0.3, seed=seed, quiet=True)
        assert sorted(training + validation) == list(range(9))
        assert validation
        assert len({index in validation for index in (3, 4, 5)}) == 1
        assert len({index in validation for index in (0, 8)}) == 1


def test_structures_that_all_belong_together_cannot_be_divided() -> None:
    with pytest.raises(DataError, match="belong together"):
        divide([replace(s, group="run") for s in bumpy_cells(4)], 0.3, seed=0, quiet=True)


def gradients(model: Bumps | None = None) -> Gradients:
    given = task(model=model)
    loss = Loss(given.scales, dict.fromkeys(given.scales, 1.0), None)
    return Gradients(given.model, list(given.model.parameters()), given.training, loss, torch.float64)  # pyright: ignore[reportAttributeAccessIssue] (a module)


def test_missing_labels_do_not_enter_the_loss() -> None:
    """Of a structure with forces alone: the closed form of one kind of label."""
    found = gradients()
    alone = found.of([1], Stage(), None)[0]
    errors = found.targets[1].forces
    assert errors is not None
    model = Bumps(0.0)
    at_zero = replace(found, model=model, parameters=list(model.parameters())).of([1], Stage(), None)[0]
    assert at_zero == pytest.approx(float(np.square(errors / 0.1).sum()), rel=1e-12)
    assert alone != at_zero


def test_a_batch_in_parts_has_the_gradient_of_the_whole() -> None:
    found = gradients()
    whole, parts = found.of(range(6), Stage(), None), found.of(range(6), Stage(), 16)
    assert parts[0] == pytest.approx(whole[0], rel=1e-13)
    for one, other in zip(parts[1], whole[1], strict=True):
        assert float(one) == pytest.approx(float(other), rel=1e-12)


def test_a_batch_that_does_not_fit_into_memory_is_computed_in_parts() -> None:
    class Hungry(Bumps):
        def atomic_energies(self, graph):
            if graph.batch.n_atoms > 20:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes")
            return super().atomic_energies(graph)

    hungry = gradients(Hungry())
    loss, found, at_once = hungry.of(range(6), Stage(), None)
    expected = gradients().of(range(6), Stage(), None)
    assert at_once is not None
    assert at_once <= 24
    assert loss == pytest.approx(expected[0], rel=1e-13)
    assert all(math.isclose(a, b, rel_tol=1e-12) for a, b in zip(found, expected[1], strict=True))


def test_a_structure_that_does_not_fit_into_memory_is_named() -> None:
    class Starving(Bumps):
        def atomic_energies(self, graph):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(TrainingError, match="8 atoms do not fit into memory") as caught:
        gradients(Starving()).of(range(3), Stage(), None)
    assert caught.value.place == "structure 0"


def test_an_error_that_is_none_of_memory_is_passed_on() -> None:
    class Broken(Bumps):
        def atomic_energies(self, graph):
            raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        gradients(Broken()).of([0], Stage(), None)


def test_the_structures_whose_own_loss_is_no_number_are_named() -> None:
    found = gradients()
    broken = bumpy(cells(1)[0], 77)
    assert broken.labels.forces is not None
    broken.labels.forces[3, 1] = np.nan
    targets = [*found.targets[:3], *task([broken, broken, broken]).training]
    assert replace(found, targets=targets).not_finite([0, 2, 3], Stage()) == ["structure 77"]
