"""The contract that a potential has no holes: that nothing draws atoms into one another."""

from collections.abc import Sequence

from adiabat.holes import HoleSurvey, survey_holes
from adiabat.potential import Potential
from adiabat.system import Labelled
from adiabat.testing.violation import ContractViolation

NAMED = 20
"""Holes that a message names."""


def check_no_holes(
    potential: Potential,
    structures: Sequence[Labelled],
    *,
    packings: int = 1000,
    directions: int = 10,
    seed: int = 0,
    quiet: bool = False,
) -> HoleSurvey:
    """Refuse a potential that draws atoms into one another where its data end.

    For each pair of species, a dimer and an atom pushed through the bulk: the energy rises from the shortest distance of
    the data down to 0.3 Å, but for falls of 5 meV. Crystals scaled down to 40 % of their volume have no second minimum. Random packings
    relax to no distance below 0.7 of the shortest in the data, nor, those of one element, to an energy 0.5 eV/atom below its
    crystals.

    Args:
        potential: What is checked.
        structures: The data that it was made from.
        packings: As `survey_holes` takes them, and so the other arguments.
        directions: In which an atom is pushed, for each pair.
        seed: Of all that is random.
        quiet: Show no progress.

    Returns:
        What was found.

    Raises:
        ContractViolation: With each hole, where it is and how deep.
        DataError: The data hold too little to judge by.
    """
    survey = survey_holes(potential, structures, packings=packings, directions=directions, seed=seed, quiet=quiet)
    complaints = survey.complaints()
    if complaints:
        more = [f"and {len(complaints) - NAMED} more"] if len(complaints) > NAMED else []
        raise ContractViolation(
            "short distances",
            value="\n".join([f"{len(complaints)} holes", *complaints[:NAMED], *more]),
            rule="nothing draws atoms into one another: nearer than in the data the energy rises, but for falls of 5 meV",
        )
    return survey
