"""Awareness: whether a simulation is where its potential was trained, and what is done where it is not."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal, Self, TypeAlias

from ase import Atoms
from ase.io import write
from torch import Tensor

from adiabat.errors import CheckpointError, OutputError, PropertyUnavailable
from adiabat.evaluation.distance import Distance, extrapolation_of, training_distance
from adiabat.potential import Potential
from adiabat.simulate.follower import Follower
from adiabat.simulate.state import State
from adiabat.simulate.variable import LIMIT, limited
from adiabat.uncertainty.extrapolation import Extrapolation

Reaction: TypeAlias = Literal["warn", "stop", "shrink"]
MOST_HALVINGS = 3


@dataclass(frozen=True)
class Look:
    """What was seen of one structure.

    Attributes:
        extrapolation: The largest grade of an atom over the threshold; infinite for a species of which the training held no atom.
        why: A sentence.
    """

    extrapolation: float
    why: str


@dataclass(frozen=True)
class Awareness:
    """Looks at a simulation by the extrapolation grades of its potential.

    Attributes:
        detector: Thresholds and words.
        distance: Grades.
        every: Steps from look to look.
        above: The extrapolation from which on something is done.
        reaction: What: "warn" and dump the structure, "stop" as well, or "shrink" the time step as well, by half at each look, down to
            an eighth, and back by as much where all is well again.
    """

    detector: Extrapolation
    distance: Distance
    every: int
    above: float
    reaction: Reaction

    @classmethod
    def of(cls, potential: Potential, *, every: int, above: float, reaction: Reaction) -> Self:
        """By what a potential carries.

        Raises:
            PropertyUnavailable: It cannot tell.
        """
        detector, distance = extrapolation_of(potential), training_distance(potential)
        if detector is None or distance is None:
            raise PropertyUnavailable(
                "this potential does not say where it was trained",
                place="on_uncertain",
                rule="extrapolation is measured by what a training keeps of its structures",
                mend="train it again with this adiabat, or leave on_uncertain out",
            )
        return cls(detector, distance, every, above, reaction)

    def is_due(self, step: int) -> bool:
        """Whether this step is looked at."""
        return step % self.every == 0

    def look(self, state: State, follower: Follower) -> tuple[Look, ...]:
        """At each structure of the state."""
        graph = follower.graph(state.batch)
        grades: Tensor = self.distance(graph)
        verdicts = self.detector.verdicts(grades, state.batch.numbers, state.batch.counts.tolist())
        return tuple(
            Look(float("inf") if one.grade is None else one.grade / one.threshold, one.why) for one in verdicts
        )

    def flagged(self, looks: Sequence[Look]) -> list[int]:
        """The structures that are too far."""
        return [system for system, look in enumerate(looks) if not look.extrapolation <= self.above]

    def reacted(self, state: State, looks: Sequence[Look], longest_fs: float) -> State:
        """The state with its time step limited, where that is the reaction; `longest_fs` is what it was at the start."""
        if self.reaction != "shrink":
            return state
        limit = float(state.variables[LIMIT][0])
        if self.flagged(looks):
            return limited(state, max(0.5 * limit, longest_fs / 2**MOST_HALVINGS))
        return limited(state, min(2 * limit, longest_fs))


@dataclass
class Dump:
    """Structures that were far from the training, in a file of extended XYZ.

    Attributes:
        file: It.
        size: Bytes so far.
    """

    file: Path
    size: int = 0

    def cut(self) -> None:
        """Take off what was written after the checkpoint; raises CheckpointError where there is less."""
        found = self.file.stat().st_size if self.file.is_file() else 0
        if found < self.size:
            raise CheckpointError(
                f"has {found} bytes, the checkpoint counts {self.size}",
                place=str(self.file),
                rule="a run is resumed with the files that it wrote",
                mend="put the file back, or start a new run in another folder",
            )
        if found > self.size:
            os.truncate(self.file, self.size)

    def append(self, atoms: Atoms, look: Look) -> None:
        """Write a structure; raises OutputError."""
        dumped = atoms.copy()
        dumped.calc = None
        dumped.info |= {"extrapolation": look.extrapolation, "why": look.why}
        text = StringIO()
        write(text, dumped, format="extxyz")
        content = text.getvalue().encode()
        try:
            with self.file.open("r+b" if self.size else "wb") as handle:
                handle.seek(self.size)
                handle.write(content)
                handle.truncate()
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                place=str(self.file),
                rule="a run goes on while it can be written down",
                mend="free some space, then --resume",
            ) from error
        self.size += len(content)
