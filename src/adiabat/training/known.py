"""What networks know of themselves: one by the posterior of its last layer, several by their spread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adiabat.system import Storable
from adiabat.training.committee import what_a_committee_knows
from adiabat.training.fitting import Problem
from adiabat.training.gradient.members import models_of
from adiabat.training.last_layer import Learned, what_a_network_knows

__all__ = ["Known", "Learned", "what_is_known_of"]


@dataclass(frozen=True)
class Known:
    """What is to be stored and said.

    Attributes:
        attachments: Of the potential, by name.
        notes: What the user should know.
        errors: What replaces a single network's errors in the summary.
    """

    attachments: Mapping[str, Storable]
    notes: tuple[str, ...]
    errors: Mapping[str, Any] = field(default_factory=dict)


def what_is_known_of(learned: Learned, problem: Problem) -> Known:
    """Error bars of what was learned, and how far from its training it is asked.

    Args:
        learned: What was learned, from what.
        problem: Its configuration.
    """
    models = models_of(learned.parts[-1])
    if len(models) == 1:
        return Known(*what_a_network_knows(learned, problem))
    attachments, errors, notes = what_a_committee_knows(models, learned.validation, quiet=problem.quiet)
    return Known(attachments, notes, errors)
