"""Exploration: simulations by the potential so far, up to where it is unsure of what it meets."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.learning.bands import band_images
from adiabat.learning.biased import BiasedPotential
from adiabat.learning.config import LearnConfig
from adiabat.learning.course import Course
from adiabat.learning.first_structures import around
from adiabat.learning.judge import Frame, judge
from adiabat.potential import Potential
from adiabat.runs import atomic_write_text, track
from adiabat.simulate import read_trajectory, simulate
from adiabat.system import Labelled

BEYOND = 1
"""Frames taken after the first unsure one of a simulation: what comes later was driven by wrong forces."""
TYPICAL = 12
"""Structures on which the strength of a bias is measured."""


@dataclass(frozen=True)
class Explored:
    """What the explorers of a generation found.

    Attributes:
        frames: Of use to a potential that is to be made sure: up to where each simulation is.
        judged: Frames in all, those beyond included.
        flagged: Of them, those that the potential is not sure of, or come after one.
        whole: Whether every simulation was a whole course.
        left: Of each explorer, what is to be gone on with.
        broken: Simulations that broke off, each with the reason.
    """

    frames: tuple[Frame, ...]
    judged: int
    flagged: int
    whole: bool
    left: tuple[Course | None, ...]
    broken: tuple[str, ...]

    @property
    def fraction_flagged(self) -> float:
        """Of the frames."""
        return self.flagged / self.judged if self.judged else 1.0


def drawn_courses(
    starts: Sequence[Atoms], config: LearnConfig, left: Sequence[Course | None], *, generation: int
) -> list[Course]:
    """What the explorers of a generation are to do: what is left, and new courses.

    Args:
        starts: The start structures.
        config: Temperatures, lengths.
        left: Of each explorer in the generation before; empty in the first.
        generation: Which.
    """
    left = [*left, *[None] * (config.explore.explorers - len(left))]
    return [
        Course.drawn(starts, config, generation=generation, number=number) if before is None else before
        for number, before in enumerate(left)
    ]


def explore(
    courses: Sequence[Course],
    potential: Potential,
    config: LearnConfig,
    folder: Path,
    *,
    generation: int,
    starts: Sequence[Atoms] = (),
    quiet: bool = False,
) -> Explored:
    """Simulate, and judge the frames; goes on where it was killed.

    Args:
        courses: Of the explorers.
        starts: Between which bands are judged too, where the configuration says so.
        potential: The one so far.
        config: Temperatures, lengths.
        folder: Gets a folder for each explorer.
        generation: Which, in the names of frames.
        quiet: Show no progress.
    """
    frames: list[Frame] = []
    left: list[Course | None] = []
    broken: list[str] = []
    judged = flagged = 0
    for number, course in enumerate(track(courses, "exploring", quiet=quiet)):
        kind = (f"generation_{generation}", f"generation_{generation}_explorer_{number}")
        found, reason = _run(
            course, driving_potential(potential, course, config), config, folder / f"explorer_{number}"
        )
        if reason is not None:
            broken.append(f"explorer {number}: {reason}")
        named = [(_structure(atoms, kind, place), atoms) for place, atoms in enumerate(found)]
        verdicts = judge(potential, named, force_std_limit=config.force_std_ev_per_angstrom)
        first = next((place for place, frame in enumerate(verdicts) if not frame.sure), len(verdicts))
        frames += verdicts if config.acquisition == "random" else verdicts[: first + 1 + BEYOND]
        judged += len(verdicts)
        flagged += len(verdicts) - first
        left.append(_left(course, verdicts, first) if config.explore.go_on else None)
    if config.explore.paths:
        kind = (f"generation_{generation}", f"generation_{generation}_paths")
        named = [(_structure(atoms, kind, place), atoms) for place, atoms in enumerate(band_images(starts, potential))]
        verdicts = judge(potential, named, force_std_limit=config.force_std_ev_per_angstrom)
        frames += verdicts
        judged += len(verdicts)
        flagged += sum(not frame.sure for frame in verdicts)
    whole = all(course.is_whole for course in courses)
    return Explored(tuple(frames), judged, flagged, whole, tuple(left), tuple(broken))


def _left(course: Course, verdicts: Sequence[Frame], first: int) -> Course | None:
    """What is to be gone on with: from the last sure frame; None of a course that was sure, or not from the start on."""
    if first == len(verdicts) or first == 0:
        return None
    return course.left_after(first * course.every, verdicts[first - 1].atoms)


def driving_potential(potential: Potential, course: Course, config: LearnConfig) -> Potential:
    """What the simulation is driven by."""
    if config.explore.bias is None or not course.is_biased:
        return potential
    typical = around(course.atoms, TYPICAL, volumes=(1.0, 1.0), seed=config.seed)
    return BiasedPotential(potential, config.explore.bias, [one.atoms for one in typical])


def _run(course: Course, driving: Potential, config: LearnConfig, folder: Path) -> tuple[list[Atoms], str | None]:
    """Frames of one simulation after its first, and why it broke off, if it did."""
    ended = folder / "broken_off.json"
    reason = json.loads(ended.read_text())["reason"] if ended.exists() else None
    if reason is None:
        run = course.simulation(config.explore.timestep_fs)
        try:
            summary = simulate(course.atoms, driving, run, folder=folder, resume=True, quiet=True)
        except SimulationError as error:
            reason = f"{error.place}: {error.what}"
            atomic_write_text(ended, json.dumps({"reason": reason}) + "\n")
        else:
            if not summary.finished:
                raise KeyboardInterrupt
    return read_trajectory(folder / "trajectory.h5")[1:], reason


def _structure(atoms: Atoms, kind: tuple[str, str], place: int) -> Labelled:
    config_type, group = kind
    bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    return Labelled(bare, config_type=config_type, group=group, place=f"{group}, frame {place + 1}")
