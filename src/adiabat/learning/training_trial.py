"""A trial of what learning does beside the oracle: training, simulation and judgement, on made-up labels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TypeVar

import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones

from adiabat.data import DataConfig, measure_distances
from adiabat.evaluation import trust
from adiabat.holes import contact_distances, packings_like, relaxed_packings, survey_holes
from adiabat.holes.relaxed_packings import AT_ONCE
from adiabat.learning.config import LearnConfig
from adiabat.learning.course import Course
from adiabat.learning.explore import driving_potential
from adiabat.learning.resources import own_memory_bytes
from adiabat.potential import Potential
from adiabat.simulate import simulate
from adiabat.system import Labelled, Labels, is_exact
from adiabat.training.mending import PACKINGS
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.repulsion import RepulsionConfig
from adiabat.training.train import fit
from adiabat.training.update import update

T = TypeVar("T")
WELL_EV, REACH = 0.3, 2.2
"""Of the made-up interaction: its depth, and where it ends, in shortest distances."""
LONGEST_STEPS, SHORT_STEPS, MOVED_S = 200, 10, 0.5
"""Of the trial simulation: at the most, at the least, and about how long it may take."""
STILL_K, STILL_FS = 1.0, 0.01
"""Temperature and time step of the trial simulation: it is to be timed, not to go anywhere."""
SEARCHES, FEWEST_SEARCHES, MOST_SEARCHES = 2.5, 1, 6
"""For holes, in a training: one that finds none, or some that find holes and another one after the last mend. Trainings on twenty to sixty
structures of copper made 1 or 2, of silicon 6: what is not known before; this is the geometric mean."""
FRAMES_JUDGED, ADDED, REPEATS = 3, 5, 3


@dataclass(frozen=True)
class TrainingTrial:
    """What was measured.

    Attributes:
        tried: Structures that were trained on.
        fit_seconds: Of that, without the search for holes.
        search_seconds: Of one such search in a training on the way: alike for few structures and for many.
        last_search_seconds: Of one in the last training.
        update_seconds: Of a few labels added to it.
        step_seconds: Of a step of a simulation, of an average explorer.
        start_seconds: Of a simulation before its first step, and after its last.
        judging_seconds: Of a frame.
        potential_bytes: Of a potential's file.
        frame_bytes: Of a frame of a trajectory.
        memory_bytes: That this process held more than before.
    """

    tried: int
    fit_seconds: float
    search_seconds: float
    last_search_seconds: float
    update_seconds: float
    step_seconds: float
    start_seconds: float
    judging_seconds: float
    potential_bytes: int
    frame_bytes: int
    memory_bytes: int

    def training_seconds(self, structures: int, *, searches: float = SEARCHES, last: bool = False) -> float:
        """Of a training from the beginning on so many.

        Args:
            structures: How many.
            searches: For holes.
            last: Whether it is the last.
        """
        search = self.last_search_seconds if last else self.search_seconds
        return self.fit_seconds * structures / self.tried + searches * search


def try_training(structures: Sequence[Labelled], starts: Sequence[Atoms], config: LearnConfig) -> TrainingTrial:
    """Train on structures as there will be, with labels of a Lennard-Jones interaction, and simulate and judge by that.

    Args:
        structures: Isolated atoms among them.
        starts: What is simulated.
        config: How potentials are trained, and what explorers do.
    """
    before, made_up = own_memory_bytes(), _labelled(structures)
    train = config.train
    plain = train.model_copy(update={"repulsion": RepulsionConfig(enabled=False), "data": DataConfig()})
    fitting, potential = _timed(lambda: fit(made_up, plain, quiet=True))
    searching = last_searching = 0.0
    if train.repulsion.enabled:
        trial = _SearchTrial.of(prepare(made_up, train, quiet=True), potential)
        searching = trial.seconds(config.train_on_the_way.repulsion.packings)
        last_searching = trial.seconds(train.repulsion.packings)
    adding = fitting
    if config.rebuild > 1:
        adding, _ = _timed(lambda: update(potential, made_up, made_up[-ADDED:], quiet=True))
    frames = [one for one in made_up if not one.is_isolated_atom][:FRAMES_JUDGED]
    judging = _best(lambda: trust(potential, frames, quiet=True))
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "trial.adiabat"
        saving, _ = _timed(lambda: potential.save(file))
        runs = [_simulated(course, potential, config, Path(scratch) / str(k)) for k, course in _courses(starts, config)]
        size = file.stat().st_size
    return TrainingTrial(
        tried=len(structures),
        fit_seconds=fitting + saving,
        search_seconds=searching,
        last_search_seconds=last_searching,
        update_seconds=adding + saving,
        step_seconds=float(np.mean([run.step_seconds for run in runs])),
        start_seconds=float(np.mean([run.start_seconds for run in runs])),
        judging_seconds=judging / len(frames),
        potential_bytes=size,
        frame_bytes=max(run.frame_bytes for run in runs),
        memory_bytes=own_memory_bytes() - before,
    )


def _timed(task: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    found = task()
    return time.perf_counter() - start, found


def _best(task: Callable[[], object]) -> float:
    """Seconds of something short: the least of a few, which nothing else has disturbed."""
    return min(_timed(task)[0] for _ in range(REPEATS))


def _labelled(structures: Sequence[Labelled]) -> list[Labelled]:
    """With labels that fit together: energies, and their derivatives."""
    shortest = float(np.nanmin(measure_distances(structures, quiet=True).least()))
    calculator = LennardJones(sigma=shortest / 2 ** (1 / 6), epsilon=WELL_EV, rc=REACH * shortest, smooth=True)
    found = []
    for one in structures:
        atoms = one.atoms.copy()
        atoms.calc = calculator
        stress = atoms.get_stress(voigt=False) if atoms.pbc.all() else None
        labels = Labels(float(atoms.get_potential_energy()), atoms.get_forces(), stress)
        found.append(Labelled(one.atoms, labels, one.config_type, one.group, one.place))
    return found


@dataclass(frozen=True)
class _SearchTrial:
    """Of a search for holes.

    Attributes:
        curves_seconds: Of all that is asked beside packings.
        packing_seconds: Of one that is relaxed.
    """

    curves_seconds: float
    packing_seconds: float

    @classmethod
    def of(cls, prepared: Preparation, fitted: Potential) -> Self:
        """All curves, and a part of the packings."""
        learned = [part for part in fitted.parts if not is_exact(part)]
        potential = Potential([*prepared.baseline.parts, *learned])
        contacts = contact_distances(prepared.fitted, potential.species)
        packings = packings_like(prepared.fitted, contacts, AT_ONCE, seed=0)
        relaxing, _ = _timed(lambda: relaxed_packings(potential, packings, contacts, quiet=True))
        curves, _ = _timed(lambda: survey_holes(potential, prepared.fitted, packings=0, quiet=True))
        return cls(curves, relaxing / AT_ONCE)

    def seconds(self, packings: int | None) -> float:
        """Of a search with so many packings; None: as many as a training looks at."""
        return self.curves_seconds + self.packing_seconds * (packings or PACKINGS)


def _courses(starts: Sequence[Atoms], config: LearnConfig) -> list[tuple[int, Course]]:
    """Two that stand for all: with a bias, one of them has it."""
    two = range(min(2, config.explore.explorers))
    return [(number, Course.drawn(list(starts), config, generation=0, number=number)) for number in two]


@dataclass(frozen=True)
class _Run:
    step_seconds: float
    start_seconds: float
    frame_bytes: int


def _simulated(course: Course, potential: Potential, config: LearnConfig, scratch: Path) -> _Run:
    driving = driving_potential(potential, course, config)

    def still(steps: int) -> Course:
        return replace(course, temperature_k=(STILL_K, STILL_K), steps=steps, steps_of_all=steps)

    def run(steps: int, name: str) -> float:
        told, folders = still(steps).simulation(STILL_FS), iter(range(REPEATS))
        return _best(
            lambda: simulate(course.atoms, driving, told, folder=scratch / f"{name}-{next(folders)}", quiet=True)
        )

    short = run(SHORT_STEPS, "short")
    steps = SHORT_STEPS + int(np.clip(MOVED_S * SHORT_STEPS / short, SHORT_STEPS, LONGEST_STEPS))
    step = max(run(steps, "long") - short, 0.0) / (steps - SHORT_STEPS)
    trajectory = scratch / "long-0" / "trajectory.h5"
    frames = steps // still(steps).every
    return _Run(step, max(short - SHORT_STEPS * step, 0.0), trajectory.stat().st_size // frames)
