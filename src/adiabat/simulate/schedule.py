"""Targets: what a thermostat or a barostat keeps, one value for all structures of a batch or one each, steady or ramped."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np

from adiabat.errors import ConfigurationError
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Ramp:
    """From one value to another, linear in time; steady before and after.

    Attributes:
        start: At time 0.
        end: From `over_fs` on.
        over_fs: How long it takes.
    """

    start: float
    end: float
    over_fs: float

    def at(self, time_fs: float) -> float:
        """The value at a time."""
        through = min(max(time_fs / self.over_fs, 0.0), 1.0)
        return self.start + (self.end - self.start) * through


Target: TypeAlias = float | Ramp | tuple[float | Ramp, ...]
"""A value, or a ramp, for all structures of a batch; or one for each."""


def at_time(target: Target, time_fs: float) -> FloatArray:
    """(S,) the target's values at a time; (1,) where one is for all."""
    each = target if isinstance(target, tuple) else (target,)
    return np.array([one.at(time_fs) if isinstance(one, Ramp) else one for one in each])


def of_system(target: Target, system: int) -> float | Ramp:
    """What one structure of the batch is kept at."""
    return target[system] if isinstance(target, tuple) else target


def require_target(name: str, target: Target, *, least: float = -math.inf, above: float = -math.inf) -> None:
    """Refuse values that are not finite, below `least`, or not above `above`.

    Raises:
        ConfigurationError: Naming the first.
    """
    each = target if isinstance(target, tuple) else (target,)
    values = [end for one in each for end in ((one.start, one.end) if isinstance(one, Ramp) else (one,))]
    rules = {least: f"{least:g} or more", above: f"above {above:g}"}
    rule = " and ".join(["finite", *(text for bound, text in rules.items() if bound > -math.inf)])
    for value in values:
        if not (math.isfinite(value) and value >= least and value > above):
            raise ConfigurationError(f"is {value}", place=name, rule=rule, mend="give another value")


@dataclass(frozen=True)
class Course:
    """What was asked for of one structure: a value, or two that a run goes between.

    Attributes:
        start: At the start of the run.
        end: At its end.
    """

    start: float
    end: float

    @classmethod
    def read(cls, text: str) -> Self:
        """From ``300`` or ``300:1500``.

        Raises:
            ValueError: Neither.
        """
        parts = [float(part) for part in text.split(":")]
        if not 1 <= len(parts) <= 2:
            raise ValueError(text)
        return cls(parts[0], parts[-1])

    def __str__(self) -> str:
        return f"{self.start:g}" if self.start == self.end else f"{self.start:g}:{self.end:g}"

    def over(self, time_fs: float) -> float | Ramp:
        """As a run of this length takes it."""
        return self.start if self.start == self.end else Ramp(self.start, self.end, time_fs)


def read_courses(text: str) -> tuple[Course, ...]:
    """From ``300``, ``300:1500`` or one for each replica, ``300,600,900:1200``.

    Raises:
        ValueError: It is none of these.
    """
    return tuple(Course.read(part) for part in text.split(","))


def target_of(courses: Sequence[Course], *, time_fs: float) -> Target:
    """As integrators take it."""
    each = tuple(course.over(time_fs) for course in courses)
    return each[0] if len(each) == 1 else each
