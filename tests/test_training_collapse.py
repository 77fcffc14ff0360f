"""A fit under which random packings collapse is mended by a prior that is told of them."""

from dataclasses import replace

import pytest
from training_structures import CONFIG, cells, label, truth

from adiabat.packings import contact_distances, packings_like, relaxed_packings
from adiabat.potential import Potential
from adiabat.training import collapse
from adiabat.training.collapse import without_collapse
from adiabat.training.examples import Example, ExampleMaker
from adiabat.training.hyperparameters import Candidate, search
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.prior import PackingPrior, packing_prior


def fit() -> tuple[Preparation, NormalEquations, list[Example], PackingPrior, Candidate]:
    found = prepare([label(atoms, truth()) for atoms in cells()], CONFIG, quiet=True)
    make = ExampleMaker(found.model, found.baseline)
    examples = [make(structure) for structure in found.fitted]
    equations = NormalEquations(1, found.model.basis.n_functions)
    for example in examples:
        equations.add(example)
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
    monkeypatch.setattr(collapse, "PACKINGS", 20)


def test_a_fit_under_which_nothing_collapses_is_kept_as_it_is() -> None:
    prepared, equations, examples, prior, sound = fit()

    found, said = without_collapse(prepared, equations, examples, prior, sound, quiet=True)

    assert found is sound
    assert said == ()


def test_a_fit_that_collapses_is_made_again_until_none_of_the_packings_does_and_that_is_said() -> None:
    prepared, equations, examples, prior, sound = fit()
    wild = collapsing(sound)
    assert nearest_ratio(prepared, wild, seed=0) < 0.8

    found, said = without_collapse(prepared, equations, examples, prior, wild, quiet=True)

    assert nearest_ratio(prepared, found, seed=0) >= 0.8
    assert said == (
        "random packings collapsed under the first fit; the prior was told of them, in 1 round(s), and none do",
    )
    for kind in ("energy", "forces", "stress"):
        assert found.left_out.mean_absolute(kind) < 1.2 * sound.left_out.mean_absolute(kind)


def test_packings_that_go_on_to_collapse_are_counted_in_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, equations, examples, prior, sound = fit()
    monkeypatch.setattr(collapse, "refit", lambda *_: collapsing(sound))
    monkeypatch.setattr(collapse, "ROUNDS", 1)

    _, said = without_collapse(prepared, equations, examples, prior, collapsing(sound), quiet=True)

    assert len(said) == 1
    assert "of 20 random packings collapse under this potential (Si-Si at " in said[0]
