"""Whether the potential that a run ends with is fit for use, where the run had learned."""

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from ase import Atoms

from adiabat.learning.config import LearnConfig
from adiabat.potential import Potential
from adiabat.validation import Validation, validate

LEAST_ATOMS = 32
"""Of what is simulated: in a crystal's cell of a few atoms, every atom is its own neighbour."""


def validate_learned(potential: Potential, start: Atoms, config: LearnConfig) -> Validation:
    """All checks of `adiabat validate` that need no data, at a temperature of which twice is still one that was explored.

    Args:
        potential: That was learned.
        start: The start structure; a crystal is repeated.
        config: Of the run.
    """
    coldest, hottest = config.temperature_k
    repeated = start.repeat(ceil((LEAST_ATOMS / len(start)) ** (1 / 3))) if start.pbc.all() else start
    return validate(potential, repeated, temperature_k=max(coldest, hottest / 2), config=config.validation, quiet=True)


@dataclass(frozen=True)
class Verdict:
    """Of one check.

    Attributes:
        name: Of the check.
        passed: None where it was not made.
        reason: In a sentence.
    """

    name: str
    passed: bool | None
    reason: str


def read_verdicts(file: Path) -> tuple[Verdict, ...]:
    """Of a validation that was saved; none where there is no file."""
    if not file.exists():
        return ()
    return tuple(Verdict(one["name"], one["passed"], one["reason"]) for one in json.loads(file.read_text())["checks"])
