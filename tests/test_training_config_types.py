"""Noise levels by config_type: found where they differ, of use, refused where there is one config_type alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from block_matrices import in_blocks, precision_in_full
from made_potentials import made_potential
from training_structures import CONFIG, FAST, isolated_silicon, labelled_cells, noisy, training_data, write_structures

from adiabat.cli.app import run
from adiabat.errors import ConfigurationError
from adiabat.models import LinearACE
from adiabat.potential import Potential
from adiabat.system import Labelled
from adiabat.training import accumulate, checkpoint, train, training_sentences
from adiabat.training.config_type_noise import LARGEST_FACTOR, noise_factors, search_by_config_type
from adiabat.training.equations_file import load_equations, save_equations
from adiabat.training.examples import Block, Example
from adiabat.training.hyperparameters import SearchConfig, score_of, search
from adiabat.training.judged import LEAST_OF_EACH, judged_structures
from adiabat.training.leave_one_out import LeftOut, leave_one_structure_out
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prior import PackingPrior
from adiabat.training.regression import solve
from adiabat.typing import FloatArray

COLUMNS = 8
ROWS = {"energy": 1, "forces": 9}
QUIET, LOUD = {"energy": 0.01, "forces": 0.05}, {"energy": 0.1, "forces": 0.4}
COEFFICIENTS = np.random.default_rng(3).normal(size=COLUMNS)
BY_TYPE = CONFIG.model_copy(update={"search": SearchConfig(noise_per_config_type=True)})


def example(seed: int, noise: dict[str, float], config_type: str) -> Example:
    """Random rows, and targets of the coefficients with Gaussian noise by kind of label."""
    rng, blocks = np.random.default_rng(seed), {}
    for kind, count in ROWS.items():
        rows = rng.normal(size=(count, COLUMNS))
        blocks[kind] = Block(rows, rows @ COEFFICIENTS + rng.normal(scale=noise[kind], size=count))
    return Example(blocks, rng.normal(size=(3, COLUMNS)), np.zeros(3, dtype=int), config_type)


def mixture(*, loud: dict[str, float] = LOUD) -> list[Example]:
    """Sixty structures of two config_types, in turn."""
    noise = {"liquid": loud, "crystal": QUIET}
    return [example(seed, noise[name], name) for seed, name in enumerate(["liquid", "crystal"] * 30)]


def equations_of(examples: list[Example]) -> NormalEquations:
    found = NormalEquations(1, COLUMNS, per_config_type=True)
    found.add(examples)
    return found


def made_prior() -> PackingPrior:
    rows = np.random.default_rng(77).normal(size=(4, COLUMNS))
    return PackingPrior(in_blocks(rows.T @ rows / len(rows), COLUMNS), np.mean(rows**2, axis=0), len(rows))


NOISE = {"energy": 0.02, "forces": 0.3}
FACTORS = {("energy", "liquid"): 3.0, ("forces", "liquid"): 2.0, ("forces", "crystal"): 0.4}


def dense(examples: list[Example], prior: FloatArray) -> FloatArray:
    """The coefficients of the problem written out in full, each row divided by its noise."""
    parts = [(e.config_type, kind, block) for e in examples for kind, block in e.blocks.items()]
    std = [np.full(len(b.targets), NOISE[kind] * FACTORS.get((kind, name), 1.0)) for name, kind, b in parts]
    weights = np.concatenate(std) ** -2
    rows, targets = (np.concatenate([getattr(b, name) for _, _, b in parts]) for name in ("rows", "targets"))
    found = np.linalg.solve(rows.T @ (weights[:, None] * rows) + prior, rows.T @ (weights * targets))
    return np.asarray(found, dtype=float)


def test_the_solution_and_its_left_out_residuals_are_those_of_the_dense_problem() -> None:
    examples, strength = mixture()[:7], made_prior().precision(1e-2)
    of_forces = sum(len(e.blocks["forces"].targets) * FACTORS["forces", e.config_type] ** -2 for e in examples)
    prior = (
        of_forces * NOISE["forces"] ** -2 * precision_in_full(strength)
    )  # by the number of the rows of the anchor and their precision

    solution = solve(equations_of(examples), NOISE, strength, FACTORS)
    left_out = leave_one_structure_out(examples, solution, NOISE, FACTORS)

    np.testing.assert_allclose(solution.mean, dense(examples, prior), rtol=1e-9)
    for kind in ROWS:
        refitted = []
        for number, one in enumerate(examples):
            rest = [e for other, e in enumerate(examples) if other != number]
            refitted.append(one.blocks[kind].targets - one.blocks[kind].rows @ dense(rest, prior))
        np.testing.assert_allclose(left_out.residuals[kind], np.concatenate(refitted), rtol=1e-7, atol=1e-12)


def test_the_noise_of_each_config_type_is_found_and_the_fit_comes_nearer_to_the_truth() -> None:
    examples = mixture()
    equations = equations_of(examples)
    common = search(equations, examples, made_prior(), quiet=True)

    best, said = search_by_config_type(equations, examples, made_prior(), quiet=True)

    factors = best.parameters.factors
    for kind in ROWS:
        assert factors[kind, "liquid"] / factors[kind, "crystal"] == pytest.approx(LOUD[kind] / QUIET[kind], rel=0.4)
    for name, noise in (("liquid", LOUD), ("crystal", QUIET)):
        assert best.parameters.noise["forces"] * factors["forces", name] == pytest.approx(noise["forces"], rel=0.4)
    assert score_of(best.left_out) < score_of(common.left_out)
    off, off_common = (np.linalg.norm(found.solution.mean - COEFFICIENTS) for found in (best, common))
    assert off < 0.6 * off_common
    assert "are kept: errors on left-out structures change, energy by -" in said


def test_config_types_alike_keep_the_fit_with_one_level() -> None:
    examples = mixture(loud=QUIET)
    equations = equations_of(examples)
    common = search(equations, examples, made_prior(), quiet=True)
    best, said = search_by_config_type(equations, examples, made_prior(), quiet=True)
    assert best.parameters == common.parameters
    assert best.solution.mean.tobytes() == common.solution.mean.tobytes()
    assert "one level for all is kept" in said


def left_out_of(examples: list[Example], sizes: dict[str, float]) -> LeftOut:
    """Residuals of one size for each config_type."""
    residuals = {kind: np.repeat([sizes[e.config_type] for e in examples], count) for kind, count in ROWS.items()}
    structure = {kind: np.repeat(np.arange(len(examples)), count) for kind, count in ROWS.items()}
    return LeftOut(residuals, {kind: np.ones_like(values) for kind, values in residuals.items()}, structure)


def test_factors_follow_the_residuals_where_many_structures_tell_and_stay_near_one_where_one_does() -> None:
    names = ["liquid"] * 200 + ["crystal"] * 200 + ["rare"]
    examples = [example(seed, QUIET, name) for seed, name in enumerate(names)]
    found = noise_factors(
        equations_of(examples), examples, left_out_of(examples, {"liquid": 4, "crystal": 1, "rare": 4})
    )
    assert found["forces", "liquid"] / found["forces", "crystal"] == pytest.approx(4, rel=0.05)
    assert 1 < found["forces", "rare"] < 1.15
    mean_square = np.mean([found["energy", name] ** 2 for name in names])
    assert mean_square == pytest.approx(1)


def test_half_of_the_way_is_that_of_logarithms() -> None:
    examples = mixture()
    left_out = left_out_of(examples, {"liquid": 9.0, "crystal": 1.0})
    whole, half = (noise_factors(equations_of(examples), examples, left_out, share=share) for share in (1.0, 0.5))
    ratios = [found["energy", "liquid"] / found["energy", "crystal"] for found in (whole, half)]
    assert ratios[1] == pytest.approx(ratios[0] ** 0.5)
    assert np.mean([half["energy", e.config_type] ** 2 for e in examples]) == pytest.approx(1)


def test_factors_are_bounded_and_one_where_nothing_was_judged() -> None:
    examples = [example(seed, QUIET, name) for seed, name in enumerate(["liquid", "crystal"] * 50)]
    unseen = [example(200 + seed, QUIET, "unseen") for seed in range(100)]
    left_out = left_out_of(examples, {"liquid": 1.0, "crystal": 1e-9})
    found = noise_factors(equations_of([*examples, *unseen]), examples, left_out)
    assert found["energy", "unseen"] / found["energy", "crystal"] == pytest.approx(LARGEST_FACTOR)
    exact = noise_factors(equations_of(examples), examples, left_out_of(examples, {"liquid": 0.0, "crystal": 0.0}))
    assert set(exact.values()) == {1.0}


def test_sums_by_config_type_are_kept_where_asked_alone(tmp_path: Path) -> None:
    sizes = []
    for per_config_type in (False, True):
        equations = NormalEquations(1, COLUMNS, per_config_type=per_config_type)
        equations.add(mixture())
        save_equations(equations, tmp_path / "equations")
        sizes.append(load_equations(tmp_path / "equations").config_types)
    assert sizes[0] is None
    assert sizes[1] is not None
    assert set(sizes[1]) == {(kind, name) for kind in ROWS for name in ("liquid", "crystal")}


def test_sums_by_config_type_that_were_saved_go_on_to_the_same_fit(tmp_path: Path) -> None:
    examples = mixture()  # the liquid first: not in the order of the alphabet
    undisturbed = equations_of(examples[:5])
    save_equations(undisturbed, tmp_path / "equations")
    resumed = load_equations(tmp_path / "equations")
    for equations in (undisturbed, resumed):
        equations.add(examples[5:])
    fits = [solve(e, NOISE, made_prior().precision(1e-3), FACTORS) for e in (resumed, undisturbed)]
    assert fits[0].mean.tobytes() == fits[1].mean.tobytes()
    assert torch.equal(fits[0].covariance.factor, fits[1].covariance.factor)


def test_factors_need_sums_by_config_type() -> None:
    equations = NormalEquations(1, COLUMNS)
    equations.add(mixture()[:1])
    with pytest.raises(ValueError, match="not kept by config_type"):
        solve(equations, NOISE, made_prior().precision(1.0), FACTORS)


def test_a_few_structures_of_each_config_type_are_judged() -> None:
    names = ["common"] * 400 + ["rare"] * 7 + ["single"]
    config = SearchConfig(structures=20, noise_per_config_type=True)
    chosen = judged_structures(names, config)
    count = Counter(names[index] for index in chosen)
    assert chosen == sorted(set(chosen)) == judged_structures(names, config)
    assert len(chosen) == 20
    assert count["rare"] >= LEAST_OF_EACH
    assert count["single"] == 1
    assert chosen != judged_structures(names, config.model_copy(update={"seed": 1}))
    many = [str(index % 30) for index in range(300)]
    assert len({many[index] for index in judged_structures(many, config)}) == 20


def two_types() -> list[Labelled]:
    """Ten cells, the labels of every second one with thirty times the noise."""
    cells = labelled_cells(10)
    quiet = noisy(cells[::2], energy=0.01, forces=0.01, stress=1e-4)
    loud = noisy(cells[1::2], energy=0.3, forces=0.3, stress=3e-3)
    mixed = [s for pair in zip(quiet, [replace(s, config_type="loud") for s in loud], strict=True) for s in pair]
    return [*mixed, isolated_silicon()]


@pytest.fixture(scope="module")
def by_type() -> Potential:
    return train(two_types(), BY_TYPE, quiet=True)


def test_a_trained_potential_says_its_noise_levels(by_type: Potential) -> None:
    training = by_type.metadata["training"]
    levels = training["noise_by_config_type"]
    assert set(levels) == {"cell", "loud"}
    assert levels["loud"]["forces"] > 5 * levels["cell"]["forces"]
    between = sorted([levels["cell"]["forces"], training["noise"]["forces"], levels["loud"]["forces"]])
    assert between[1] == training["noise"]["forces"] == by_type.attachments["posterior"].noise["forces"]  # pyright: ignore
    assert "noise levels per config_type are kept" in "\n".join(training["notes"])
    assert any(sentence.startswith("noise of loud: energy ") for sentence in training_sentences(by_type))


def test_an_interrupted_run_with_levels_by_config_type_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accumulate, "rows_at_once", lambda columns: 60)  # two cells
    undisturbed = train(two_types(), BY_TYPE, quiet=True)
    add = NormalEquations.add

    def dying(self: NormalEquations, examples: Sequence[Example]) -> None:
        if self.config_types is not None and self.done == 6:
            raise KeyboardInterrupt
        add(self, examples)

    with monkeypatch.context() as context:
        context.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0.0)
        context.setattr(checkpoint, "MOST_SAVING", 1e6)
        context.setattr(NormalEquations, "add", dying)
        with pytest.raises(KeyboardInterrupt):
            train(two_types(), BY_TYPE, checkpoint=tmp_path / "checkpoint", quiet=True)
    assert load_equations(tmp_path / "checkpoint" / "equations.safetensors").done == 6

    resumed = train(two_types(), BY_TYPE, checkpoint=tmp_path / "checkpoint", resume=True, quiet=True)
    assert torch.equal(coefficients(resumed), coefficients(undisturbed))
    assert resumed.metadata["training"] == undisturbed.metadata["training"]


def coefficients(potential: Potential) -> torch.Tensor:
    return next(part for part in potential.parts if isinstance(part, LinearACE)).coefficients


def test_without_the_option_config_types_make_no_difference() -> None:
    plain, named = (train(data, CONFIG, quiet=True) for data in (one_name(two_types()), two_types()))
    assert torch.equal(coefficients(plain), coefficients(named))
    assert "noise_by_config_type" not in named.metadata["training"]


def one_name(structures: list[Labelled]) -> list[Labelled]:
    return [s if s.is_isolated_atom else replace(s, config_type="cell") for s in structures]


def test_one_config_type_alone_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="no effect: all 7 structures to fit are of the config_type 'cell'"
    ) as e:
        train(training_data(), BY_TYPE, quiet=True)
    assert "search.noise_per_config_type" in str(e.value)


def test_the_command_refuses_it_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_structures(tmp_path / "train.xyz", training_data())
    asked = ["--set", "search.noise_per_config_type=true", "--out", str(tmp_path / "si.adiabat")]
    assert run(["train", str(tmp_path / "train.xyz"), *FAST, *asked]) == 2
    assert "mend:" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["train.xyz"]


def test_info_shows_levels_by_config_type_where_there_are_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = made_potential()
    levels = {"glass": {"energy": 0.0015, "forces": 0.07}, "quartz": {"energy": 0.0025}}
    training = plain.metadata["training"] | {"noise_by_config_type": levels}
    Potential(plain.parts, metadata=plain.metadata | {"training": training}).save(tmp_path / "levels.adiabat")
    plain.save(tmp_path / "plain.adiabat")

    assert run(["info", str(tmp_path / "levels.adiabat")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for said in ("Noise by config_type", "glass energy 1.5", "glass forces 0.07", "quartz energy 2.5"):
        assert said in out
    assert run(["info", str(tmp_path / "plain.adiabat")]) == 0
    assert "Noise by config_type" not in capsys.readouterr().out
