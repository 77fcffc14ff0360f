"""Holes under a fit: what neither labels nor random packings spoke of, found and taken into the prior."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from ase import Atoms

from adiabat.errors import DataError
from adiabat.holes import Hole, HoleSurvey, RelaxedPacking, survey_holes
from adiabat.models import LinearACE
from adiabat.potential import Potential
from adiabat.system import Labelled
from adiabat.training.examples import Example
from adiabat.training.hyperparameters import Candidate, refit
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation
from adiabat.training.prior import WEAKEST, PackingPrior, gram_of

PACKINGS = 300
"""In each round others, so that what the prior was told of does not judge itself."""
SEED = 20_000
"""Of the first round, and one more with each. Far from those by which a finished potential is judged."""
NEAREST_RATIO, DEEPEST_BELOW_EV = 0.8, 0.4
"""Of the contact distance, and per atom below the crystals of an element: a packing that comes to rest beyond has collapsed or
sunk. A potential is held to 0.7 and 0.5."""
WEIGHT, HEAVIER = 0.1, 3.0
"""Of a row on the way into a hole, relative to one in a random packing of a prior of a solid's strength or more; and by how much it grows with each round. On
acetylacetone the rows of one round, about as many as those of the random packings, closed all holes with 0.03 to 1; errors
of left-out structures grew by 1 to 10 %. On 5,282 structures of Nb-Mo-Ta-W, whose packings sank below all crystals, six rounds
were needed; of a thousand packings that no round saw, two still sank a little too far, none collapsed."""
ROUNDS = 10
FRAMES = 12
"""Of a curve, at most."""


def without_holes(
    prepared: Preparation,
    equations: NormalEquations,
    examples: Sequence[Example],
    prior: PackingPrior,
    found: Candidate,
    *,
    packings: int | None = None,
    quiet: bool = False,
) -> tuple[Candidate, tuple[str, ...]]:
    """Look for holes as the contract does; where there are some, expect no forces of the learned part there, and fit again.

    Labels say nothing of such structures, and a prior by random packings too little: a descent seeks out the few directions
    in which sums over functions still fall. On its way the repulsion alone is right.

    Args:
        prepared: The model, what it stands on, and the data.
        equations: Of the data.
        examples: Those whose left-out errors count.
        prior: Of the fit.
        found: The fit.
        packings: Random ones that are relaxed in each round; None: `PACKINGS`.
        quiet: Show no progress.

    Returns:
        The fit that has no holes, or the last of `ROUNDS`, and what a user should know of that.
    """
    rounds, heavy = 0, WEIGHT * max(1.0, WEAKEST / found.parameters.strength)
    try:
        while frames := _frames(survey := _survey(prepared, found, packings, SEED + rounds, quiet=quiet)):
            if rounds == ROUNDS:
                break
            prior = _told_of(prior, prepared.model, frames, heavy * HEAVIER**rounds)
            found = refit(equations, examples, prior, found)
            rounds += 1
    except DataError as error:
        return found, (f"holes at short distances were not looked for: {error}",)
    return found, _said(survey, rounds)


def _told_of(prior: PackingPrior, model: LinearACE, frames: Sequence[Atoms], weight: float) -> PackingPrior:
    """Joined by the rows of frames, or of some of them that count for all: those on one way are alike.

    No more rows are made than the prior was of.
    """
    every = max(1, 3 * sum(map(len, frames)) // prior.rows)
    return prior.joined_by(gram_of(model, frames[::every]), every * weight)


def holes_left(
    potential: Potential, structures: Sequence[Labelled], *, packings: int | None = None, quiet: bool = False
) -> tuple[str, ...]:
    """What a user should know of the holes of a potential that cannot be mended by its prior.

    Args:
        potential: The whole of it.
        structures: What it was trained on.
        packings: Random ones that are relaxed; None: `PACKINGS`.
        quiet: Show no progress.
    """
    try:
        survey = survey_holes(potential, structures, packings=packings or PACKINGS, seed=SEED, quiet=quiet)
    except DataError as error:
        return (f"holes at short distances were not looked for: {error}",)
    return _said(survey, 0)


def _survey(prepared: Preparation, found: Candidate, packings: int | None, seed: int, *, quiet: bool) -> HoleSurvey:
    potential = Potential([*prepared.baseline.parts, prepared.fitted_model(found.solution.mean)])
    return survey_holes(potential, prepared.fitted, packings=packings or PACKINGS, seed=seed, quiet=quiet)


def _frames(survey: HoleSurvey) -> list[Atoms]:
    """Structures on the way into each hole."""
    packings = survey.collapsed(NEAREST_RATIO) | survey.sunk(DEEPEST_BELOW_EV)
    return [
        *chain.from_iterable(map(_of_curve, survey.falls)),
        *chain.from_iterable(map(_of_packing, packings.values())),
    ]


def _of_curve(hole: Hole) -> list[Atoms]:
    chosen = np.unique(np.linspace(0, len(hole.between) - 1, FRAMES).astype(int))
    return [hole.between[index] for index in chosen]


def _of_packing(packing: RelaxedPacking) -> list[Atoms]:
    return [*packing.way, packing.end]


def _said(survey: HoleSurvey, rounds: int) -> tuple[str, ...]:
    complaints = survey.complaints()
    if complaints:
        return (
            f"{len(complaints)} holes are left, such as: {complaints[0]}. "
            "Do not trust this potential where atoms are nearer than in the data",
        )
    if rounds:
        return (
            f"the first fit had holes at short distances, or came near to it; the prior was told of them, {rounds} time(s), "
            "and another search finds none",
        )
    return ()
