"""What runs inside each environment: a subject, trained or served to the benchmark by lines of JSON.

It imports what every environment has: Python, NumPy, ASE.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TextIO

import ase.io
import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from ase.md.verlet import VelocityVerlet
from numpy.typing import NDArray

TIMESTEP_FS = 1.0
Predicted = tuple[float, NDArray[np.float64]]
Advance = Callable[[int], object]
"""Dynamics by so many steps."""


@dataclass(frozen=True)
class Order:
    """What to train.

    Attributes:
        model: Which of the script's models.
        data: Training structures: extended XYZ with REF_energy, REF_forces, REF_stress.
        folder: Where the model belongs.
        budget_s: Processor seconds for those who train by gradient.
    """

    model: str
    data: Path
    folder: Path
    budget_s: float


class Subject(Protocol):
    """What is compared."""

    def predict(self, atoms: Atoms) -> Predicted:
        """Energy and forces."""
        ...

    def dynamics(self, atoms: Atoms) -> Advance:
        """Constant-energy dynamics from rest, by the means of the subject's own users."""
        ...


class AseSubject:
    """A subject that its users run by ASE."""

    def __init__(self, calculator: Calculator) -> None:
        self.calculator = calculator

    def predict(self, atoms: Atoms) -> Predicted:
        atoms.calc = self.calculator
        return float(atoms.get_potential_energy()), np.asarray(atoms.get_forces(), dtype=float)

    def dynamics(self, atoms: Atoms) -> Advance:
        atoms.calc = self.calculator
        return VelocityVerlet(atoms, timestep=TIMESTEP_FS * units.fs).run


def serve(load: Callable[[str, str, Path], Subject], train: Callable[[Order], str], packages: Sequence[str]) -> None:
    """Train as the command line says, or load and answer requests until there are none.

    Args:
        load: A subject from the model's name, the precision and the model's folder.
        train: Trains, and says how in a few words.
        packages: Whose versions are told.
    """
    with the_only_voice() as out:
        answer: Callable[[dict[str, Any]], None] = lambda what: print(json.dumps(what), file=out, flush=True)  # noqa: E731
        try:
            task, model, folder, *rest = sys.argv[1:]
            if task == "train":
                answer({"how": train(Order(model, Path(rest[0]), Path(folder), float(rest[1])))})
                return
            on_one_core()
            subject = load(model, rest[0], Path(folder))
            answer({"versions": {name: version(name) for name in packages}})
            desk = Desk(subject)
            for line in sys.stdin:
                answer(desk.answer(json.loads(line)))
        except Exception as problem:  # whatever it is, the benchmark names it and goes on
            traceback.print_exc()
            answer({"error": f"{type(problem).__name__}: {problem}"})


class Desk:
    """Answers requests."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.advance: Advance | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "predict":
            found = [self.subject.predict(bare(atoms)) for atoms in ase.io.iread(request["file"], ":")]
            return {"energies": [energy for energy, _ in found], "forces": [forces.tolist() for _, forces in found]}
        if request["do"] == "start":
            [atoms] = ase.io.iread(request["file"], ":")
            self.advance = self.subject.dynamics(bare(atoms))
            return {}
        if request["do"] == "steps" and self.advance is not None:
            wall, start = time.perf_counter(), time.process_time()
            self.advance(request["count"])
            return {"cpu_s": time.process_time() - start, "wall_s": time.perf_counter() - wall}
        raise ValueError(f"no answer to {request}")


def bare(atoms: Atoms) -> Atoms:
    """Without labels, which are none of a subject's business."""
    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)


def on_one_core() -> None:
    """Where the system can: threads that a package starts in spite of its settings gain nothing."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def the_only_voice() -> TextIO:
    """Standard output for answers alone: whatever else prints goes where errors go."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return out
