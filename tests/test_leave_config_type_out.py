"""Errors on whole config_types left out, against refits without them."""

from dataclasses import replace

import numpy as np
import pytest
from training_structures import CONFIG, isolated_silicon, labelled_cells, noisy

from adiabat.system import Labelled
from adiabat.training.accumulate import accumulate
from adiabat.training.examples import ExampleMaker
from adiabat.training.hyperparameters import search
from adiabat.training.leave_config_type_out import leave_config_types_out
from adiabat.training.prepare import prepare
from adiabat.training.prior import packing_prior


def data() -> list[Labelled]:
    """Of three kinds."""
    kinds = ("a", "b", "b", "c")
    structures = noisy(labelled_cells(8))
    return [replace(structure, config_type=kinds[number % 4]) for number, structure in enumerate(structures)]


def test_errors_are_those_of_the_fit_to_the_other_config_types() -> None:
    prepared = prepare([*data(), isolated_silicon()], CONFIG, quiet=True)
    equations, examples = accumulate(prepared, CONFIG.search, quiet=True)
    best = search(equations, examples, packing_prior(prepared.model, prepared.packings, quiet=True), quiet=True)
    make, noise = ExampleMaker(prepared.model, prepared.baseline), best.parameters.noise
    blocks = [(s.config_type, k, b) for s in prepared.fitted for k, b in make(s).blocks.items()]
    precision = np.linalg.inv(best.solution.covariance.dense().numpy())
    right = precision @ best.solution.mean

    found = leave_config_types_out(prepared, best, quiet=True)

    assert sorted(found) == ["a", "b", "c"]
    for name, errors in found.items():
        own = [(kind, block) for config_type, kind, block in blocks if config_type == name]
        rest = precision - sum(block.rows.T @ block.rows / noise[kind] ** 2 for kind, block in own)
        mean = np.linalg.solve(rest, right - sum(b.rows.T @ b.targets / noise[kind] ** 2 for kind, b in own))
        assert errors["structures"] == {"a": 2, "b": 4, "c": 2}[name]
        for kind in noise:
            residuals = np.concatenate([b.targets - b.rows @ mean for of_kind, b in own if of_kind == kind])
            assert errors[kind] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-4)


def test_one_config_type_alone_is_not_left_out() -> None:
    prepared = prepare([*noisy(labelled_cells(8)), isolated_silicon()], CONFIG, quiet=True)
    equations, examples = accumulate(prepared, CONFIG.search, quiet=True)
    best = search(equations, examples, packing_prior(prepared.model, prepared.packings, quiet=True), quiet=True)
    assert leave_config_types_out(prepared, best, quiet=True) == {}
