"""A trial of what learning does beside the oracle: training, simulation and judgement, on made-up labels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones

from adiabat.data import measure_distances
from adiabat.evaluation import trust
from adiabat.holes import contact_distances, packings_like, relaxed_packings
from adiabat.holes.relaxed_packings import AT_ONCE
from adiabat.learning.resources import own_memory_bytes
from adiabat.potential import Potential
from adiabat.simulate import Outputs, SimulationConfig, simulate
from adiabat.system import Labelled, Labels
from adiabat.training import TrainConfig
from adiabat.training.mending import PACKINGS
from adiabat.training.prepare import Preparation, prepare
from adiabat.training.repulsion import RepulsionConfig
from adiabat.training.train import fit

T = TypeVar("T")
WELL_EV, REACH = 0.3, 2.2
"""Of the made-up interaction: its depth, and where it ends, in shortest distances."""
LONGEST_STEPS, SHORT_STEPS, MOVED_S = 200, 10, 0.5
"""Of the trial simulation: at the most, at the least, and about how long it may take."""
STILL_K, STILL_FS = 1.0, 0.01
"""Temperature and time step of the trial simulation: it is to be timed, not to go anywhere."""
SEARCHES = 1.5
"""For holes, in a training: one that finds none, or one that finds some and another one or more after the mend."""
FRAMES_JUDGED = 3


@dataclass(frozen=True)
class TrainingTrial:
    """What was measured.

    Attributes:
        training_seconds: Of a training on so many structures.
        step_seconds: Of a step of a simulation.
        start_seconds: Of a simulation before its first step, and after its last.
        judging_seconds: Of a frame.
        potential_bytes: Of a potential's file.
        frame_bytes: Of a frame of a trajectory.
        memory_bytes: That this process held more than before.
        tried: Structures that were trained on.
    """

    training_seconds: float
    step_seconds: float
    start_seconds: float
    judging_seconds: float
    potential_bytes: int
    frame_bytes: int
    memory_bytes: int
    tried: int


def try_training(structures: Sequence[Labelled], start: Atoms, config: TrainConfig) -> TrainingTrial:
    """Train on structures as there will be, with labels of a Lennard-Jones interaction, and simulate and judge by that.

    Args:
        structures: As many as an average training of the run will have, isolated atoms among them.
        start: What is simulated.
        config: How each potential is trained.
    """
    before, made_up = own_memory_bytes(), _labelled(structures)
    plain = TrainConfig(
        basis=config.basis,
        search=config.search,
        calibration=config.calibration,
        repulsion=RepulsionConfig(enabled=False),
    )
    training, potential = _timed(lambda: fit(made_up, plain, quiet=True))
    if config.repulsion.enabled:
        training += SEARCHES * _search_seconds(prepare(made_up, config, quiet=True))
    frames = [one for one in made_up if not one.is_isolated_atom][:FRAMES_JUDGED]
    judging, _ = _timed(lambda: trust(potential, frames, quiet=True))
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "trial.adiabat"
        saving, _ = _timed(lambda: potential.save(file))
        step, begin, frame_bytes = _simulated(start, potential, Path(scratch))
        size = file.stat().st_size
    return TrainingTrial(
        training_seconds=training + saving,
        step_seconds=step,
        start_seconds=begin,
        judging_seconds=judging / len(frames),
        potential_bytes=size,
        frame_bytes=frame_bytes,
        memory_bytes=own_memory_bytes() - before,
        tried=len(structures),
    )


def _timed(task: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    found = task()
    return time.perf_counter() - start, found


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


def _search_seconds(prepared: Preparation) -> float:
    """Of one search for holes: of the packings that it relaxes, a part is relaxed here, by the repulsion alone."""
    potential = Potential([*prepared.baseline.parts, prepared.model])
    contacts = contact_distances(prepared.fitted, potential.species)
    packings = packings_like(prepared.fitted, contacts, AT_ONCE, seed=0)
    seconds, _ = _timed(lambda: relaxed_packings(potential, packings, contacts, quiet=True))
    return seconds * PACKINGS / AT_ONCE


def _simulated(start: Atoms, potential: Potential, scratch: Path) -> tuple[float, float, int]:
    """Seconds of a step, and of the rest, and bytes of a frame."""

    def run(steps: int, name: str) -> float:
        config = SimulationConfig(
            ensemble="nvt",
            steps=steps,
            timestep_fs=STILL_FS,
            temperature_k=STILL_K,
            output=Outputs(trajectory_every=max(1, steps // SHORT_STEPS)),
        )
        return _timed(lambda: simulate(start, potential, config, folder=scratch / name, quiet=True))[0]

    run(SHORT_STEPS, "warm")
    short = run(SHORT_STEPS, "short")
    steps = SHORT_STEPS + int(np.clip(MOVED_S * SHORT_STEPS / short, SHORT_STEPS, LONGEST_STEPS))
    step = max(run(steps, "long") - short, 0.0) / (steps - SHORT_STEPS)
    trajectory = scratch / "long" / "trajectory.h5"
    return step, max(short - SHORT_STEPS * step, 0.0), trajectory.stat().st_size // SHORT_STEPS
