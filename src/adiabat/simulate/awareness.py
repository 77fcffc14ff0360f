"""Awareness: whether a simulation is where its potential was trained, and what is done where it is not."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Literal, Protocol, Self, TypeAlias, cast

import numpy as np
from ase import Atoms
from ase.io import write
from torch import Tensor

from adiabat.errors import CheckpointError, OutputError, PropertyUnavailable
from adiabat.evaluation.distance import Distance, extrapolation_of, training_distance
from adiabat.potential import Potential
from adiabat.simulate.follower import Follower
from adiabat.simulate.state import State
from adiabat.simulate.variable import LIMIT, limited
from adiabat.typing import FloatArray, Quantity
from adiabat.uncertainty.extrapolation import Extrapolation

Reaction: TypeAlias = Literal["warn", "stop", "shrink", "correct"]
MOST_HALVINGS = 3
ESTIMATES: tuple[Quantity, ...] = ("energy_std_estimate", "energies_std_estimate")
MEV_PER_EV = 1e3


@dataclass(frozen=True)
class Look:
    """What was seen of one structure; None of what was not looked at.

    Attributes:
        extrapolation: The largest grade of an atom over the threshold; infinite for a species of which the training held no atom.
        energy_std_ev: Estimated standard deviation of its energy.
        energies_std_ev: (n,) those of its atoms' energies.
        alarms: Sentences: why it is not to be believed; none where it is.
    """

    extrapolation: float | None = None
    energy_std_ev: float | None = None
    energies_std_ev: FloatArray | None = None
    alarms: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """All alarms."""
        return " ".join(self.alarms)

    @property
    def largest_energy_std_ev(self) -> float | None:
        """Of an atom."""
        return None if self.energies_std_ev is None else float(self.energies_std_ev.max())

    def with_other(self, other: "Look") -> "Look":
        """What both have seen of the same structure, each something else."""
        seen = {name: value for name, value in vars(other).items() if value is not None}
        return replace(self, **seen | {"alarms": (*self.alarms, *other.alarms)})


class Measure(Protocol):
    """A way to look at a simulation, at its own interval."""

    @property
    def every(self) -> int:
        """Steps from look to look."""
        ...

    @property
    def kept(self) -> tuple[str, ...]:
        """What frames keep of a look."""
        ...

    def look(self, state: State, follower: Follower) -> tuple[Look, ...]:
        """At each structure of the state."""
        ...


@dataclass(frozen=True)
class Grades:
    """Looks by extrapolation grades: how far atoms are from those of the training.

    Attributes:
        detector: Thresholds and words.
        distance: Grades.
        every: Steps from look to look.
        above: The extrapolation from which on it is an alarm.
    """

    detector: Extrapolation
    distance: Distance
    every: int
    above: float

    @classmethod
    def of(cls, potential: Potential, *, every: int, above: float) -> Self:
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
        return cls(detector, distance, every, above)

    @property
    def kept(self) -> tuple[str, ...]:
        """What frames keep of a look."""
        return ("extrapolation",)

    def look(self, state: State, follower: Follower) -> tuple[Look, ...]:
        """At each structure of the state."""
        grades: Tensor = self.distance(follower.graph(state.batch))
        verdicts = self.detector.verdicts(grades, state.batch.numbers, state.batch.counts.tolist())
        values = [float("inf") if one.grade is None else one.grade / one.threshold for one in verdicts]
        return tuple(
            Look(extrapolation=value, alarms=() if value <= self.above else (one.why,))
            for value, one in zip(values, verdicts, strict=True)
        )


@dataclass(frozen=True)
class Estimates:
    """Looks by the estimated standard deviations of energies.

    Attributes:
        potential: That estimates them.
        every: Steps from look to look.
        above_ev: That of an atom from which on it is an alarm; None: never.
    """

    potential: Potential
    every: int
    above_ev: float | None

    @classmethod
    def of(cls, potential: Potential, *, every: int, above_ev: float | None) -> Self:
        """Raises PropertyUnavailable where the potential has no estimates."""
        if not set(ESTIMATES) <= set(potential.known_deviations):
            raise PropertyUnavailable(
                "this potential does not estimate how sure its energies are",
                place="error_every",
                rule="estimates come from the directions that a linear training keeps of its posterior",
                mend="train it again with this adiabat, or leave error_every out",
            )
        return cls(potential, every, above_ev)

    @property
    def kept(self) -> tuple[str, ...]:
        """What frames keep of a look."""
        return ("energy_std_ev", "energies_std_ev")

    def look(self, state: State, follower: Follower) -> tuple[Look, ...]:
        """At each structure of the state."""
        found = self.potential(follower.graph(state.batch), want=ESTIMATES)
        whole, each = (cast(Tensor, getattr(found, name)).double().cpu().numpy() for name in ESTIMATES)
        parts = np.split(each, state.bodies.start[1:-1])
        return tuple(self._look(float(one), part) for one, part in zip(whole, parts, strict=True))

    def _look(self, energy_std_ev: float, energies_std_ev: FloatArray) -> Look:
        atom = int(energies_std_ev.argmax())
        largest = float(energies_std_ev[atom])
        alarms = ()
        if self.above_ev is not None and not largest <= self.above_ev:
            alarms = (
                f"The energy of atom {atom} has an estimated standard deviation of {MEV_PER_EV * largest:.3g} meV, "
                f"above {MEV_PER_EV * self.above_ev:g} meV.",
            )
        return Look(energy_std_ev=energy_std_ev, energies_std_ev=energies_std_ev, alarms=alarms)


@dataclass(frozen=True)
class Awareness:
    """Looks at a simulation, and says what follows.

    Attributes:
        measures: Ways to look.
        reaction: To an alarm: "warn" and dump the structure, "stop" as well, "shrink" the time step as well, by half at each look, down to
            an eighth, and back by as much at a look by all measures at which all is well, or "correct" by an oracle as well. None:
            what was seen is written down.
    """

    measures: tuple[Measure, ...]
    reaction: Reaction | None

    @property
    def kept(self) -> tuple[str, ...]:
        """What frames keep of a look."""
        return tuple(name for one in self.measures for name in one.kept)

    def is_due(self, step: int) -> bool:
        """Whether this step is looked at."""
        return any(step % one.every == 0 for one in self.measures)

    def look(self, state: State, follower: Follower) -> tuple[Look, ...]:
        """At each structure of the state, in the ways that are due."""
        found = [Look()] * state.batch.n_systems
        for one in self.measures:
            if state.step % one.every == 0:
                found = [before.with_other(seen) for before, seen in zip(found, one.look(state, follower), strict=True)]
        return tuple(found)

    def flagged(self, looks: Sequence[Look]) -> list[int]:
        """The structures of which there is an alarm that somebody wants to hear."""
        return [] if self.reaction is None else [system for system, look in enumerate(looks) if look.alarms]

    def reacted(self, state: State, looks: Sequence[Look], longest_fs: float) -> State:
        """The state with its time step limited, where that is the reaction; `longest_fs` is what it was at the start."""
        if self.reaction != "shrink":
            return state
        limit = float(state.variables[LIMIT][0])
        if self.flagged(looks):
            return limited(state, max(0.5 * limit, longest_fs / 2**MOST_HALVINGS))
        if all(state.step % one.every == 0 for one in self.measures):
            return limited(state, min(2 * limit, longest_fs))
        return state


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
        dumped.info |= {name: value for name, value in vars(look).items() if isinstance(value, float)} | {
            "why": look.why
        }
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
