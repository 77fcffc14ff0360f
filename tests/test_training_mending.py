"""A fit with holes is mended by a prior that is told of them."""

from dataclasses import replace
from typing import Any

import pytest
from training_structures import CONFIG, cells, label, truth

from adiabat.holes import HoleSurvey, contact_distances, packings_like, relaxed_packings, survey_holes
from adiabat.potential import Potential
from adiabat.training import mending
from adiabat.training.examples import Example, ExampleMaker
from adiabat.training.hyperparameters import Candidate, search
from adiabat.training.mending import _told_of, without_holes
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.prior import PackingPrior, gram_of, packing_prior


def fit() -> tuple[Preparation, NormalEquations, list[Example], PackingPrior, Candidate]:
    found = prepare([label(atoms, truth()) for atoms in cells()], CONFIG, quiet=True)
    make = ExampleMaker(found.model, found.baseline)
    examples = [make(structure) for structure in found.fitted]
    equations = NormalEquations(1, found.model.basis.n_functions)
    equations.add(examples)
    prior = packing_prior(found.model, found.packings, quiet=True)
    return found, equations, examples, prior, search(equations, examples, prior, quiet=True)


def collapsing(sound: Candidate) -> Candidate:
    """The fit turned over and a hundred times as large, so that it draws atoms onto the wall."""
    return replace(sound, solution=replace(sound.solution, mean=-100 * sound.solution.mean))


def nearest_ratio(prepared: Preparation, found: Candidate, seed: int) -> float:
    contacts = contact_distances(prepared.fitted, (14,))
    potential = Potential([*prepared.baseline.parts, prepared.fitted_model(found.solution.mean)])
    packings = packings_like(prepared.fitted, contacts, 40, seed=seed)
    return min(packing.ratio for packing in relaxed_packings(potential, packings, contacts, quiet=True))


@pytest.fixture(autouse=True)
def few_packings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "PACKINGS", 20)


def test_a_fit_without_holes_is_kept_as_it_is() -> None:
    prepared, equations, examples, prior, sound = fit()

    found, said = without_holes(prepared, equations, examples, prior, sound, quiet=True)

    assert found is sound
    assert said == ()


def test_a_fit_with_holes_is_made_again_until_none_is_left_and_that_is_said() -> None:
    prepared, equations, examples, prior, sound = fit()
    wild = collapsing(sound)
    assert nearest_ratio(prepared, wild, seed=0) < 0.8

    found, said = without_holes(prepared, equations, examples, prior, wild, quiet=True)

    assert nearest_ratio(prepared, found, seed=0) >= 0.8
    assert said == (
        "the first fit had holes at short distances, or came near to it; the prior was told of them, 1 time(s), "
        "and another search finds none",
    )
    for kind in ("energy", "forces", "stress"):
        assert found.left_out.mean_absolute(kind) < 1.2 * sound.left_out.mean_absolute(kind)


def test_each_round_searches_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the prior was told of says nothing of the rest."""
    prepared, equations, examples, prior, sound = fit()
    seeds: list[int] = []

    def survey(*args: Any, seed: int, **options: Any) -> HoleSurvey:
        seeds.append(seed)
        return survey_holes(*args, seed=seed, **options)

    monkeypatch.setattr(mending, "survey_holes", survey)
    without_holes(prepared, equations, examples, prior, collapsing(sound), quiet=True)

    assert len(seeds) > 1
    assert len(set(seeds)) == len(seeds)


def test_holes_that_are_left_are_counted_in_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, equations, examples, prior, sound = fit()
    monkeypatch.setattr(mending, "refit", lambda *_: collapsing(sound))
    monkeypatch.setattr(mending, "ROUNDS", 1)

    _, said = without_holes(prepared, equations, examples, prior, collapsing(sound), quiet=True)

    assert len(said) == 1
    assert "holes are left, such as: Si-Si" in said[0]


def test_of_more_frames_than_the_prior_has_rows_some_count_for_all() -> None:
    prepared, _, _, prior, _ = fit()
    frames = prepared.packings[:1] * 40
    small = replace(prior, rows=3 * len(frames[0]) * 10)  # as if it had been made of ten such packings

    told = _told_of(small, prepared.model, frames, 0.5)

    expected = small.joined_by(gram_of(prepared.model, frames), 0.5)
    found, all_of_them = (one.forces.diagonal(1) for one in (told, expected))
    assert (found - all_of_them).abs().max() <= 1e-9 * all_of_them.abs().max()
