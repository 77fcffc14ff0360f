"""The regression: normal equations, their solution, left-out residuals in closed form, the search."""

import resource
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from block_matrices import in_blocks, in_full, precision_in_full

from adiabat.errors import DataError, OutputError
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.equations_file import load_equations, save_equations
from adiabat.training.examples import Block, Example
from adiabat.training.hyperparameters import search
from adiabat.training.leave_one_out import leave_one_structure_out
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prior import PackingPrior
from adiabat.training.regression import PriorPrecision, anchor, solve
from adiabat.typing import FloatArray

N_SPECIES, N_FUNCTIONS = 2, 6
COLUMNS = N_SPECIES * N_FUNCTIONS
NOISE = {"energy": 0.02, "forces": 0.3, "stress": 0.007}
ALL_KINDS = {"energy": 1, "forces": 9, "stress": 6}


def made_example(seed: int, counts: dict[str, int]) -> Example:
    """Three atoms of two species with random rows and targets."""
    rng = np.random.default_rng(seed)
    blocks = {kind: Block(rng.normal(size=(n, COLUMNS)), rng.normal(size=n)) for kind, n in counts.items()}
    return Example(blocks, rng.normal(size=(3, N_FUNCTIONS)), np.array([0, 1, 1]))


def made_prior(stiffness: float = 1.0) -> PackingPrior:
    """As if by a few force rows, fewer than columns."""
    rows = np.sqrt(stiffness) * np.random.default_rng(77).normal(size=(COLUMNS // 2, COLUMNS))
    return PackingPrior(in_blocks(rows.T @ rows / len(rows), N_FUNCTIONS), np.mean(rows**2, axis=0), len(rows))


PRIOR = made_prior().precision(1e-2)


def mixed_examples() -> list[Example]:
    """Structures with all labels, and structures that lack some."""
    fewer = [{"energy": 1}, {"forces": 9}, {"energy": 1, "stress": 6}, {"energy": 1, "forces": 9}]
    return [made_example(seed, counts) for seed, counts in enumerate([ALL_KINDS] * 3 + fewer)]


def equations_of(examples: list[Example]) -> NormalEquations:
    found = NormalEquations(N_SPECIES, N_FUNCTIONS)
    found.add(examples)
    return found


@dataclass(frozen=True)
class Dense:
    """Rows, targets and noise of some structures, and the prior's precision: the problem written out in full."""

    rows: FloatArray
    targets: FloatArray
    noise: FloatArray
    prior: FloatArray

    @property
    def precision(self) -> FloatArray:
        weighted = self.rows / self.noise[:, None]
        return weighted.T @ weighted + self.prior

    @property
    def mean(self) -> FloatArray:
        solution = np.linalg.solve(self.precision, self.rows.T @ (self.targets / self.noise**2))
        return solution.astype(np.float64, copy=False)


def dense(examples: list[Example], prior: FloatArray) -> Dense:
    blocks = [(kind, block) for example in examples for kind, block in example.blocks.items()]
    noise = [np.full(len(block.targets), NOISE[kind]) for kind, block in blocks]
    rows, targets = (np.concatenate([getattr(block, name) for _, block in blocks]) for name in ("rows", "targets"))
    return Dense(rows, targets, np.concatenate(noise), prior)


def prior_precision(equations: NormalEquations) -> FloatArray:
    """Times (rows of the anchor) / (its variance), as `solve` documents it."""
    kind = anchor(equations)
    return equations.kinds[kind].count / NOISE[kind] ** 2 * precision_in_full(PRIOR)


def test_the_solution_is_that_of_the_dense_problem() -> None:
    examples = mixed_examples()
    equations = equations_of(examples)
    whole = dense(examples, prior_precision(equations))
    solution = solve(equations, NOISE, PRIOR)
    np.testing.assert_allclose(solution.mean, whole.mean, rtol=1e-10)
    lower = (solution.covariance.factor / solution.covariance.scale[:, None]).numpy()
    np.testing.assert_allclose(lower @ lower.T, whole.precision, rtol=1e-10, atol=1e-10 * whole.precision.max())


def test_whitened_rows_give_posterior_variances() -> None:
    examples = mixed_examples()
    equations = equations_of(examples)
    rows = np.random.default_rng(9).normal(size=(4, COLUMNS))
    whitened = solve(equations, NOISE, PRIOR).covariance.whiten(torch.from_numpy(rows)).numpy()
    covariance = np.linalg.inv(dense(examples, prior_precision(equations)).precision)
    np.testing.assert_allclose(whitened.T @ whitened, rows @ covariance @ rows.T, rtol=1e-9)


def test_left_out_residuals_are_those_of_refits_without_the_structure() -> None:
    examples = mixed_examples()
    equations = equations_of(examples)
    prior = prior_precision(equations)
    found = leave_one_structure_out(examples, solve(equations, NOISE, PRIOR), NOISE)
    expected: dict[str, list[FloatArray]] = {}
    for left_out in range(len(examples)):
        coefficients = dense([e for number, e in enumerate(examples) if number != left_out], prior).mean
        for kind, block in examples[left_out].blocks.items():
            expected.setdefault(kind, []).append(block.targets - block.rows @ coefficients)
    assert set(found.residuals) == set(expected) == {"energy", "forces", "stress"}
    for kind, residuals in expected.items():
        np.testing.assert_allclose(found.residuals[kind], np.concatenate(residuals), rtol=1e-8)


def test_mean_errors_are_those_of_the_residuals() -> None:
    examples = mixed_examples()
    found = leave_one_structure_out(examples, solve(equations_of(examples), NOISE, PRIOR), NOISE)
    forces = found.residuals["forces"]
    assert found.mean_absolute("forces") == pytest.approx(sum(abs(forces)) / len(forces))
    assert found.root_mean_square("forces") == pytest.approx(np.linalg.norm(forces) / np.sqrt(len(forces)))


def test_sums_are_those_of_all_rows_and_features() -> None:
    examples = mixed_examples()
    equations = equations_of(examples)
    rows = np.concatenate([e.blocks["forces"].rows for e in examples if "forces" in e.blocks])
    targets = np.concatenate([e.blocks["forces"].targets for e in examples if "forces" in e.blocks])
    forces = equations.kinds["forces"]
    assert forces.count == len(targets) == 45
    np.testing.assert_allclose(in_full(forces.gram, N_SPECIES), rows.T @ rows, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(forces.moment.flatten(), rows.T @ targets, rtol=1e-12, atol=1e-12)
    assert forces.spread == pytest.approx(targets.std())
    assert equations.done == len(examples)
    assert equations.atoms.tolist() == [len(examples), 2 * len(examples)]
    second = np.concatenate([e.features[1:] for e in examples])
    np.testing.assert_allclose(equations.feature_mean[1], second.mean(axis=0))
    scatter = np.cov(second.T, bias=True) * len(second)
    np.testing.assert_allclose(equations.feature_scatter.of_species(1), scatter, atol=1e-12)


def test_targets_that_are_all_the_same_have_their_size_as_spread() -> None:
    block = Block(np.ones((3, N_FUNCTIONS)), np.full(3, -0.25))
    equations = equations_of([Example({"energy": block}, np.ones((1, N_FUNCTIONS)), np.array([0]))])
    assert equations.kinds["energy"].spread == pytest.approx(0.25)


def same_bits(one: NormalEquations, other: NormalEquations) -> bool:
    """Whether all sums are the same to the last bit."""
    if one.done != other.done or not np.array_equal(one.atoms, other.atoms):
        return False
    if one.feature_mean.tobytes() != other.feature_mean.tobytes():
        return False
    sums = [(one.kinds[kind], other.kinds[kind]) for kind in one.kinds]
    scalars = all((a.count, a.total, a.square) == (b.count, b.total, b.square) for a, b in sums)
    matrices = [(one.feature_scatter, other.feature_scatter), *((a.gram, b.gram) for a, b in sums)]
    return scalars and all(torch.equal(a.moment, b.moment) for a, b in sums) and all(same_blocks(*m) for m in matrices)


def same_blocks(one: BlockMatrix, other: BlockMatrix) -> bool:
    return one.blocks.keys() == other.blocks.keys() and all(
        torch.equal(block, other.blocks[pair]) for pair, block in one.blocks.items()
    )


def test_what_is_saved_is_loaded_to_the_bit_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    examples = mixed_examples()
    file = tmp_path / "equations.safetensors"
    first = equations_of(examples[:4])
    save_equations(first, file)
    resumed = load_equations(file)
    assert same_bits(resumed, first)
    for found in (resumed, first):
        found.add(examples[4:])
    assert same_bits(resumed, first)
    assert not same_bits(resumed, equations_of(examples[:4]))


def test_equations_that_cannot_be_saved_leave_the_last_ones(tmp_path: Path) -> None:
    examples = mixed_examples()
    file = tmp_path / "equations.safetensors"
    save_equations(equations_of(examples[:4]), file)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            save_equations(equations_of(examples), file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == [file]
    assert same_bits(load_equations(file), equations_of(examples[:4]))


def test_a_function_that_the_data_never_show_stays_at_zero() -> None:
    examples = mixed_examples()
    for example in examples:
        example.features[:, 2] = 0.0
        for block in example.blocks.values():
            block.rows[:, [2, 2 + N_FUNCTIONS]] = 0.0
    alone = PriorPrecision(
        BlockMatrix(N_FUNCTIONS), 0.0, np.diag(precision_in_full(PRIOR)).copy()
    )  # ties no two functions
    solution = solve(equations_of(examples), NOISE, alone)
    assert solution.mean[[2, 2 + N_FUNCTIONS]].tolist() == [0.0, 0.0]
    assert solution.covariance.factor.isfinite().all()


def learnable_examples(count: int, noise: dict[str, float]) -> list[Example]:
    """Targets of one set of coefficients, with Gaussian noise by kind."""
    coefficients = np.random.default_rng(3).normal(size=COLUMNS)
    found = []
    for seed in range(count):
        example, rng = made_example(seed, ALL_KINDS), np.random.default_rng(1000 + seed)
        found.append(
            Example(
                {
                    kind: Block(b.rows, b.rows @ coefficients + rng.normal(scale=noise[kind], size=len(b.targets)))
                    for kind, b in example.blocks.items()
                },
                example.features,
                example.species,
            )
        )
    return found


def test_the_search_finds_the_noise_of_the_labels() -> None:
    noise = {"energy": 0.05, "forces": 0.2, "stress": 0.01}
    examples = learnable_examples(60, noise)
    best = search(equations_of(examples), examples, made_prior(), quiet=True)
    scaled = np.concatenate([r / best.parameters.noise[kind] for kind, r in best.left_out.residuals.items()])
    assert np.mean(scaled**2) == pytest.approx(1.0, rel=1e-6)
    for kind, value in noise.items():
        assert best.left_out.root_mean_square(kind) == pytest.approx(value, rel=0.35)


def test_a_strength_is_looked_for_down_to_a_priors_weakest_and_no_further() -> None:
    learnable = learnable_examples(60, {"energy": 1e-7, "forces": 1e-7, "stress": 1e-7})
    examples = [Example({"forces": e.blocks["forces"]}, e.features, e.species) for e in learnable]
    equations, firm = equations_of(examples), made_prior(stiffness=1e6)
    for weakest in (1e-3, 1e-5, 1e-7):
        best = search(equations, examples, replace(firm, weakest=weakest), quiet=True)
        assert best.parameters.strength == pytest.approx(weakest)


def test_absolute_noise_levels_leave_the_fit_as_it_is() -> None:
    examples = mixed_examples()
    equations = equations_of(examples)
    louder = {kind: 7 * value for kind, value in NOISE.items()}
    plain = solve(equations, NOISE, PRIOR)
    np.testing.assert_allclose(solve(equations, louder, PRIOR).mean, plain.mean, rtol=1e-10)


def test_labels_that_are_explained_exactly_are_no_reason_to_stop() -> None:
    silent = [
        Example({"energy": Block(e.blocks["energy"].rows, np.zeros(1))}, e.features, e.species)
        for e in mixed_examples()
        if "energy" in e.blocks
    ]
    best = search(equations_of(silent), silent, made_prior(), quiet=True)
    assert best.solution.mean.tolist() == [0.0] * COLUMNS
    assert all(value > 0 for value in best.parameters.noise.values())


def test_labels_that_are_not_finite_are_refused() -> None:
    examples = mixed_examples()
    examples[0].blocks["energy"].targets[0] = np.nan
    with pytest.raises(DataError, match="solvable"):
        search(equations_of(examples), examples, made_prior(), quiet=True)
