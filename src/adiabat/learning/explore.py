"""Exploration: simulations by the potential so far, and the frames of them that it is unsure of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.evaluation import trust
from adiabat.learning.config import LearnConfig
from adiabat.potential import Potential
from adiabat.runs import atomic_write_text
from adiabat.simulate import Outputs, SimulationConfig, read_trajectory, simulate
from adiabat.system import Labelled

FRAMES = 20
"""Of each simulation, that are judged."""
BEYOND = 1
"""Frames taken after the first unsure one of a simulation: what comes later was driven by wrong forces."""


@dataclass(frozen=True)
class Frame:
    """A frame that was judged.

    Attributes:
        structure: Without labels.
        force_std_ev_per_angstrom: Of its least known atom.
        sure: That is small enough, and no atom is far from the training.
    """

    structure: Labelled
    force_std_ev_per_angstrom: float
    sure: bool


@dataclass(frozen=True)
class Explored:
    """What the explorers of a generation found.

    Attributes:
        frames: Up to where each simulation is of use.
        judged: Frames in all, those beyond included.
        flagged: Of them, those that the potential is not sure of, or come after one.
        broken: Simulations that broke off, each with the reason.
    """

    frames: tuple[Frame, ...]
    judged: int
    flagged: int
    broken: tuple[str, ...]

    @property
    def fraction_flagged(self) -> float:
        """Of the frames."""
        return self.flagged / self.judged if self.judged else 1.0


def explore(start: Atoms, potential: Potential, config: LearnConfig, folder: Path, *, generation: int) -> Explored:
    """Simulate, each explorer at a temperature and a volume of its own, and judge the frames; goes on where it was killed.

    Args:
        start: The start structure.
        potential: The one so far.
        config: Temperatures, lengths.
        folder: Gets a folder for each explorer.
        generation: Which; explorers of different ones draw different numbers.
    """
    frames: list[Frame] = []
    judged = flagged = 0
    broken = []
    for number in range(config.explorers):
        found, reason = _run(start, potential, config, folder / f"explorer_{number}", (generation, number))
        if reason is not None:
            broken.append(f"explorer {number}: {reason}")
        verdicts = _judge(potential, found, config.force_std_ev_per_angstrom)
        first = next((place for place, frame in enumerate(verdicts) if not frame.sure), len(verdicts))
        frames += verdicts[: first + 1 + BEYOND]
        judged += len(verdicts)
        flagged += len(verdicts) - first
    return Explored(tuple(frames), judged, flagged, tuple(broken))


def _run(
    start: Atoms, potential: Potential, config: LearnConfig, folder: Path, key: tuple[int, int]
) -> tuple[list[Labelled], str | None]:
    """Frames of one simulation, and why it broke off, if it did."""
    generation, number = key
    share = number / max(config.explorers - 1, 1)
    low, high = config.temperature_k
    rng = np.random.default_rng((config.seed, *key))
    atoms = _scaled(start, float(rng.uniform(config.volumes[0], config.volumes[1])))
    run = SimulationConfig(
        ensemble="nvt",
        steps=config.steps,
        timestep_fs=config.timestep_fs,
        temperature_k=low + share * (high - low),
        seed=int(rng.integers(2**31)),
        output=Outputs(trajectory_every=max(1, config.steps // FRAMES)),
    )
    ended = folder / "broken_off.json"
    reason = json.loads(ended.read_text())["reason"] if ended.exists() else None
    if reason is None:
        try:
            summary = simulate(atoms, potential, run, folder=folder, resume=True, quiet=True)
        except SimulationError as error:
            reason = f"{error.place}: {error.what}"
            atomic_write_text(ended, json.dumps({"reason": reason}) + "\n")
        else:
            if not summary.finished:
                raise KeyboardInterrupt
    place = f"generation {generation}, explorer {number}"
    frames = [
        Labelled(
            Atoms(a.numbers, positions=a.positions, cell=a.cell, pbc=a.pbc),
            config_type=f"generation_{generation}",
            group=f"generation_{generation}_explorer_{number}",
            place=f"{place}, frame {k}",
        )
        for k, a in enumerate(read_trajectory(folder / "trajectory.h5"))
        if k > 0
    ]
    return frames, reason


def _judge(potential: Potential, frames: Sequence[Labelled], limit: float) -> list[Frame]:
    if not frames:
        return []
    found = []
    for frame, one in zip(frames, trust(potential, frames, quiet=True).structures, strict=True):
        std = np.inf if one.largest_force_std_ev_per_angstrom is None else one.largest_force_std_ev_per_angstrom
        found.append(Frame(frame, std, one.trusted and std <= limit))
    return found


def _scaled(atoms: Atoms, volume: float) -> Atoms:
    found = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    if atoms.pbc.all():
        found.set_cell(atoms.cell.array * volume ** (1 / 3), scale_atoms=True)
    return found
