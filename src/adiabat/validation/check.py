"""Check: one thing that a potential must do, and what came of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Protocol

from ase import Atoms

from adiabat.holes import Pair, contact_distances
from adiabat.properties.observables import Trajectory
from adiabat.results import IN_MEMORY, Figure
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.validation.config import ValidateConfig
from adiabat.validation.subject import Subject


@dataclass(frozen=True)
class CheckResult:
    """What came of one check.

    Attributes:
        name: Of the check, and of what it looked at.
        passed: None where it was not made: the reason says why.
        value: What was measured; None likewise.
        limit: What it was held against; the reason says on which side of it the value has to be.
        unit: Of both; empty of a ratio.
        reason: In a sentence: what was found, and what that means.
        figures: What is to be seen of it; not in the JSON.
    """

    name: str
    passed: bool | None
    value: float | None
    limit: float | None
    unit: str
    reason: str
    figures: tuple[Figure, ...] = field(default=(), metadata=IN_MEMORY, repr=False)

    def __post_init__(self) -> None:
        """NumPy's numbers become Python's: its False is not False."""
        for name, kind in (("passed", bool), ("value", float), ("limit", float)):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else kind(given))


class Check(Protocol):
    """One thing that a potential must do.

    Attributes:
        name: Under which it stands where it breaks off.
    """

    name: ClassVar[str]

    def evaluations(self, case: "Case") -> int:
        """How many structures it evaluates, for the time left; 0 where it is not made."""
        ...

    def run(self, case: "Case") -> Sequence[CheckResult]:
        """Make it."""
        ...


@dataclass(frozen=True)
class Case:
    """What is validated, and on what.

    Attributes:
        subject: The potential.
        start: A structure as it will be simulated, near equilibrium.
        temperature_k: At which it will be.
        config: How much, and how strictly.
        data: Labelled structures that it was not trained on; empty where there are none.
        reference: A trajectory of the same system by what the potential is to reproduce; None without one.
        clock: Counts evaluations.
    """

    subject: Subject
    start: Atoms
    temperature_k: float
    config: ValidateConfig
    data: Sequence[Labelled]
    reference: Trajectory | None
    clock: "Clock"

    @property
    def known(self) -> list[Labelled]:
        """All structures there are: the start first, then the data."""
        start = Labelled(self.start, config_type="start", place="start structure")
        return [start, *self.data]

    @cached_property
    def contacts(self) -> dict[Pair, float]:
        """Å, how near atoms of each pair of species come in the start and the data."""
        return contact_distances(self.known, sorted(set(self.start.numbers.tolist())))


class Clock:
    """Counts evaluations and shows the time left.

    Args:
        total: That there will be.
        quiet: Show nothing.
    """

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._items: Iterator[int] = iter(track(_counted(total), "validating", total=total, quiet=quiet))

    def tick(self, evaluations: int = 1) -> None:
        """So many more are done."""
        for _ in range(evaluations):
            next(self._items, None)


def _counted(total: int) -> Iterable[int]:
    yield from range(total)
