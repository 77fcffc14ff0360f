"""The loss as a landscape: curvatures, the way downhill, minimum or saddle."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from narrowing import present
from torch import Tensor
from trainable_models import SHIFT, TRUTH, Bumps, bumpy_cells, task
from training_structures import isolated_silicon, labelled_cells, noisy, write_structures

from adiabat.cli.app import run
from adiabat.errors import ConfigurationError
from adiabat.potential import Potential
from adiabat.training import TrainConfig
from adiabat.training.gradient.config import Stage
from adiabat.training.gradient.loss import Loss
from adiabat.training.landscape import LandscapeConfig, survey_landscape
from adiabat.training.landscape.flow import gradient_flow
from adiabat.training.landscape.lanczos import lanczos
from adiabat.training.landscape.surface import LossSurface

SCALES = {"energy": 0.02, "forces": 0.1, "stress": 0.002}
STAGE = Stage(energy=0.3)


def surface(model: Bumps) -> LossSurface:
    targets = task(model=model).training
    return LossSurface.of(model, targets, scales=SCALES, stage=STAGE)


def as_trained(model: Bumps) -> Potential:
    config = TrainConfig.parse({"model": "network", "gradient": {"stages": [STAGE.model_dump()]}})
    metadata = {
        "training": {"loss_scales": SCALES},
        "configuration": config.model_dump(mode="json"),
        "data": {"fingerprint": "", "structures": 8},
    }
    return Potential([*SHIFT.parts, model], metadata=metadata)


def test_extreme_eigenvalues_of_a_matrix_are_found_in_few_steps() -> None:
    generator = torch.Generator().manual_seed(0)
    frame = torch.linalg.qr(torch.randn(200, 200, generator=generator, dtype=torch.float64))[0]
    values = torch.cat([torch.tensor([-3.0, -1.0]), torch.linspace(0, 1, 196), torch.tensor([50.0, 90.0])]).double()
    matrix = frame @ torch.diag(values) @ frame.T
    found = lanczos(lambda v: matrix @ v, torch.randn(200, generator=generator, dtype=torch.float64), 30)
    for place, exact in ((0, -3.0), (1, -1.0), (-2, 50.0), (-1, 90.0)):
        assert abs(float(found.values[place]) - exact) <= float(found.errors[place]) + 1e-9
        assert float(found.errors[place]) < 1e-3
    image = matrix @ found.vectors[:, -1]
    torch.testing.assert_close(image, 90.0 * found.vectors[:, -1], rtol=0, atol=1e-3)


def test_a_space_that_is_not_left_ends_the_iteration() -> None:
    matrix = torch.diag(torch.tensor([2.0, 2.0, 2.0, 5.0], dtype=torch.float64))
    found = lanczos(lambda v: matrix @ v, torch.ones(4, dtype=torch.float64), 4)
    torch.testing.assert_close(found.values, torch.tensor([2.0, 5.0], dtype=torch.float64))


def test_second_derivatives_are_those_of_the_loss_differentiated_twice() -> None:
    model = Bumps(*TRUTH)
    of = surface(model)
    targets, loss = of.gradients.targets, of.gradients.loss
    assert isinstance(loss, Loss)

    def value(parameters: Tensor) -> float:
        return of.at(parameters - of.origin)[0]

    step = 1e-3
    expected = np.empty((2, 2))
    for i, j in np.ndindex(2, 2):
        a, b = torch.zeros(2, 2, dtype=torch.float64).unbind()
        a[i], b[j] = step, step
        corners = [value(of.origin + s * a + t * b) * s * t for s in (1, -1) for t in (1, -1)]
        expected[i, j] = sum(corners) / (4 * step**2)
    found = torch.stack([of.curved(torch.zeros(2, dtype=torch.float64), v) for v in torch.eye(2, dtype=torch.float64)])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert len(targets) == 6


def test_the_way_downhill_never_rises_and_ends_where_the_labels_are_from() -> None:
    of = surface(Bumps(TRUTH[0] + 0.05, TRUTH[1] - 0.05))
    curvature = float(of.curved(torch.zeros(2, dtype=torch.float64), torch.tensor([1.0, 0.0]).double()).norm())
    flow = gradient_flow(of, curvature=curvature, steps=150, quiet=True)
    assert all(after <= before for before, after in pairwise(flow.losses))
    assert all(after > before for before, after in pairwise(flow.times))
    assert flow.losses[-1] < 0.05 * flow.losses[0]


def test_where_the_labels_are_met_is_a_minimum_and_its_curvatures_are_all_there_are() -> None:
    found = survey_landscape(as_trained(Bumps(*TRUTH)), bumpy_cells(), quiet=True)
    assert found.verdict == "minimum"
    assert found.loss < 1e-12
    assert found.parameters == 2
    assert found.largest_curvatures[0] > found.smallest_curvatures[0] > 0
    assert present(found.conditioning[0]) > present(found.conditioning[-1])
    assert {figure.name for figure in found.figures()} == {"flow", "slices", "conditioning"}


def test_a_saddle_is_told() -> None:
    """With a height of zero the decay has no effect, and which way it should go depends on the height's sign: ∂²L/∂a∂b alone is not zero."""
    structures = bumpy_cells()
    found = survey_landscape(as_trained(Bumps(0.0, 0.8)), structures, quiet=True)
    assert found.verdict == "saddle"
    assert found.smallest_curvatures[0] < 0
    low = found.slice_losses[1]
    middle = low[len(low) // 2]
    assert min(low) < middle
    assert "saddle" in " ".join(found.sentences())


def test_a_potential_without_a_descent_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="was not trained by gradients"):
        survey_landscape(replace_metadata(as_trained(Bumps())), bumpy_cells(), quiet=True)


def replace_metadata(potential: Potential) -> Potential:
    return Potential(potential.parts, metadata={"training": {}})


def test_the_command_says_and_draws_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_structures(tmp_path / "train.xyz", [*noisy(labelled_cells(12)), isolated_silicon()])
    settings = {
        "network.start": "random",
        "basis.cutoff_angstrom": 4.0,
        "network.inputs": 4,
        "network.hidden": "[3]",
        "repulsion.enabled": "false",
        "gradient.epochs": 3,
    }
    sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    assert run(["train", "train.xyz", "--model", "network", *sets, "--out", "p.adiabat"]) == 0
    few = ("--structures", "4", "--lanczos-steps", "6", "--flow-steps", "5")
    command = ["loss-landscape", "p.adiabat", "train.xyz", *few, "--pictures", "drawn", "--json", "l.json"]
    assert run(command) == 0
    assert "curvatures from" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "drawn").iterdir()} >= {"flow.png", "slices.png"}
    assert run([*command[:-2], "--structures", "0"]) == 2


def test_what_is_drawn_is_the_same_for_a_seed() -> None:
    from adiabat.training.landscape.survey import drawn

    chosen = [drawn(bumpy_cells(), LandscapeConfig(structures=3, seed=seed)) for seed in (0, 0, 1)]
    places = [[one.place for one in structures] for structures in chosen]
    assert places[0] == places[1] != places[2]
