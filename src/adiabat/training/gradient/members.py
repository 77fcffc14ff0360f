"""One network, or the members of a committee: the same data, other first parameters and another order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adiabat.models import Mean
from adiabat.system import EnergyModel, TrainableModel
from adiabat.training.fitting import Problem
from adiabat.training.gradient.descend import Descended, DescentData, descend


@dataclass(frozen=True)
class DescendedMembers:
    """Trained networks.

    Attributes:
        members: One or more.
    """

    members: tuple[Descended, ...]

    @property
    def part(self) -> EnergyModel:
        """The network, or the mean of the members."""
        models = [found.model for found in self.members]
        return models[0] if len(models) == 1 else Mean(tuple((model,) for model in models))

    @property
    def summary(self) -> dict[str, Any]:
        """Of the first, and how many there are where they are several."""
        first = self.members[0].summary
        return first if len(self.members) == 1 else {**first, "members": len(self.members)}

    @property
    def notes(self) -> tuple[str, ...]:
        """Of all, none twice."""
        return tuple(dict.fromkeys(note for found in self.members for note in found.notes))


def descend_members(
    made: Callable[[int], TrainableModel], data: DescentData, problem: Problem, *, learning_rate: float
) -> DescendedMembers:
    """Train one network after the other; they share the time that the training may take.

    Args:
        made: A model with first parameters, from a seed.
        data: What is to be learned.
        problem: Its configuration and checkpoint.
        learning_rate: Where the configuration gives none.

    Raises:
        TrainingError, CheckpointError, OutputError: As `Descent.run`.
    """
    count, seed = problem.config.gradient.members, problem.config.gradient.seed
    return DescendedMembers(
        tuple(
            descend(made(seed + number), data, _of_member(problem, number), learning_rate=learning_rate, number=number)
            for number in range(count)
        )
    )


def _of_member(problem: Problem, number: int) -> Problem:
    """With a seed, a log and a share of the time of its own."""
    gradient = problem.config.gradient
    minutes = None if gradient.max_minutes is None else gradient.max_minutes / gradient.members
    own = gradient.model_copy(update={"seed": gradient.seed + number, "max_minutes": minutes})
    log, events = problem.log, problem.events
    if number > 0:
        log = None if log is None else log.with_suffix(f".{number}{log.suffix}")
        events = None if events is None else events / str(number)
    return replace(problem, config=problem.config.model_copy(update={"gradient": own}), log=log, events=events)


def models_of(part: EnergyModel) -> Sequence[EnergyModel]:
    """The networks of `DescendedMembers.part`."""
    return [member[0] for member in part.members] if isinstance(part, Mean) else [part]
