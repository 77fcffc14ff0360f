"""What a generation found, as it stands in its folder: so that a killed run does not explore twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from adiabat.learning.course import Course
from adiabat.learning.explore import Explored
from adiabat.learning.structure_json import from_json, to_json
from adiabat.system import Labelled


@dataclass(frozen=True)
class Found:
    """What an exploration found, and what of it was chosen.

    Attributes:
        fraction_flagged: See `Explored`.
        whole_courses: Likewise.
        broken_off: Simulations that did.
        left: Of each explorer, what is to be gone on with.
        chosen: Structures to label.
    """

    fraction_flagged: float
    whole_courses: bool
    broken_off: int
    left: tuple[Course | None, ...]
    chosen: tuple[Labelled, ...]

    @classmethod
    def of(cls, explored: Explored, chosen: Sequence[Labelled]) -> Self:
        """From an exploration."""
        broken = len(explored.broken)
        return cls(explored.fraction_flagged, explored.whole, broken, explored.left, tuple(chosen))

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "fraction_flagged": self.fraction_flagged,
            "whole_courses": self.whole_courses,
            "broken_off": self.broken_off,
            "left": [None if course is None else course.to_json() for course in self.left],
            "chosen": [
                {"structure": to_json(s.atoms), "config_type": s.config_type, "group": s.group, "place": s.place}
                for s in self.chosen
            ],
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        values = dict(said)
        values["left"] = tuple(None if one is None else Course.from_json(one) for one in said["left"])
        values["chosen"] = tuple(
            Labelled(
                from_json(one["structure"]), config_type=one["config_type"], group=one["group"], place=one["place"]
            )
            for one in said["chosen"]
        )
        return cls(**values)
