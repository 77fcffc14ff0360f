"""Packings that collapse under a fit: what no label and no random packing spoke of, found and taken into the prior."""

from collections.abc import Mapping, Sequence

from ase import Atoms

from adiabat.packings import Pair, RelaxedPacking, contact_distances, packings_like, relaxed_packings
from adiabat.potential import Potential
from adiabat.training.examples import Example
from adiabat.training.hyperparameters import Candidate, refit
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.prepare import Preparation
from adiabat.training.prior import PackingPrior, force_gram

PACKINGS = 200
SEED = 20_000
"""Far from those by which a finished potential is judged."""
NEAREST_RATIO = 0.8
"""Of the contact distance. A packing that comes to rest nearer has collapsed; a potential is held to 0.7."""
WEIGHT = 0.1
"""Of a force row on the way into a collapse, relative to one in a random packing. On acetylacetone the rows of one round,
about as many as those of the random packings, closed all holes with 0.03 to 1; errors of left-out structures grew
by 1 to 10 %."""
ROUNDS = 6


def without_collapse(
    prepared: Preparation,
    equations: NormalEquations,
    examples: Sequence[Example],
    prior: PackingPrior,
    found: Candidate,
    *,
    quiet: bool = False,
) -> tuple[Candidate, tuple[str, ...]]:
    """Let random packings relax; where some collapse, expect no forces of the learned part on their way, and fit again.

    Labels say nothing of such packings, and a prior by random ones too little: a descent seeks out the few directions
    in which sums over functions still fall. On its way the repulsion alone is right.

    Args:
        prepared: The model, what it stands on, and the data.
        equations: Of the data.
        examples: Those whose left-out errors count.
        prior: Of the fit.
        found: The fit.
        quiet: Show no progress.

    Returns:
        The fit under which none of these packings collapses, or the last of `ROUNDS`, and what a user should know of that.
    """
    contacts = contact_distances(prepared.fitted, prepared.model.species)
    packings = packings_like(prepared.fitted, contacts, PACKINGS, seed=SEED)
    rounds = 0
    while (collapsed := _collapsed(prepared, found, packings, contacts, quiet=quiet)) and rounds < ROUNDS:
        prior = prior.joined_by(force_gram(prepared.model, _frames(collapsed)), WEIGHT)
        found = refit(equations, examples, prior, found)
        rounds += 1
    return found, _said(collapsed, rounds)


def _collapsed(
    prepared: Preparation,
    found: Candidate,
    packings: Sequence[Atoms],
    contacts: Mapping[Pair, float],
    *,
    quiet: bool,
) -> list[RelaxedPacking]:
    potential = Potential([*prepared.baseline.parts, prepared.fitted_model(found.solution.mean)])
    relaxed = relaxed_packings(potential, packings, contacts, quiet=quiet)
    return [packing for packing in relaxed if packing.ratio < NEAREST_RATIO]


def _frames(collapsed: Sequence[RelaxedPacking]) -> list[Atoms]:
    return [frame for packing in collapsed for frame in (*packing.way, packing.end)]


def _said(collapsed: Sequence[RelaxedPacking], rounds: int) -> tuple[str, ...]:
    if collapsed:
        nearest = min(collapsed, key=lambda packing: packing.ratio).nearest
        return (
            f"{len(collapsed)} of {PACKINGS} random packings collapse under this potential ({nearest}): "
            "do not trust it where atoms are nearer than in the data",
        )
    if rounds:
        return (
            f"random packings collapsed under the first fit; the prior was told of them, in {rounds} round(s), and none do",
        )
    return ()
