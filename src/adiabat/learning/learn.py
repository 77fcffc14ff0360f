"""The loop: explore until unsure, choose, label, train, go on; every step stands in files, so that a run goes on after a kill."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms

from adiabat.errors import CheckpointError, ConfigurationError, LabelStoreError
from adiabat.evaluation import evaluate
from adiabat.learning.choose import choose
from adiabat.learning.config import LearnConfig
from adiabat.learning.explore import Explored, explore
from adiabat.learning.first_structures import around, isolated_atoms
from adiabat.learning.label import LabelSummary, label
from adiabat.learning.oracle import Oracle
from adiabat.learning.store import LabelStore, identity
from adiabat.learning.structure_json import from_json, to_json
from adiabat.potential import Potential, load_potential
from adiabat.results import Result
from adiabat.runs import atomic_write_text
from adiabat.system import Labelled
from adiabat.training.train import fit

Why = Literal["sure", "budget", "nothing new"]


@dataclass(frozen=True)
class Generation:
    """What one turn of the loop found.

    Attributes:
        labels: That its potential was trained on.
        fraction_flagged: Of the frames of its simulations, those that the potential was unsure of, and what came after them.
        broken_off: Simulations that broke off.
        left_out_force_rmse_ev_per_angstrom: Of the training, structure by structure left out.
        new_labels: That were asked for.
        new_force_rmse_ev_per_angstrom: Of the potential on the new labels, before it had seen them; None where there are none.
        new_force_std_ev_per_angstrom: What it had said of that: the root mean square of its standard deviations.
    """

    labels: int
    fraction_flagged: float
    broken_off: int
    left_out_force_rmse_ev_per_angstrom: float
    new_labels: int
    new_force_rmse_ev_per_angstrom: float | None
    new_force_std_ev_per_angstrom: float | None


@dataclass(frozen=True)
class LearnSummary(Result):
    """How the learning went.

    Attributes:
        why: It ended: the potential is sure of (nearly) all that its simulations meet; the budget is spent; there was nothing
            new to ask for.
        labels: In the end.
        requests: Of the oracle, failed and rejected ones included.
        oracle_seconds: That they took.
        generations: One by one.
    """

    why: Why
    labels: int
    requests: int
    oracle_seconds: float
    generations: tuple[Generation, ...]


@dataclass(frozen=True)
class LearnFolder:
    """Where everything of a run lies.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def store(self) -> Path:
        """The label store."""
        return self.path / "labels.db"

    @property
    def identity(self) -> Path:
        """Which run it is."""
        return self.path / "learn.json"

    @property
    def potential(self) -> Path:
        """The one in the end."""
        return self.path / "potential.adiabat"

    @property
    def summary(self) -> Path:
        """How it went."""
        return self.path / "summary.json"

    def generation(self, number: int) -> Path:
        """The folder of one."""
        return self.path / f"generation_{number:02d}"


def learn(
    start: Atoms,
    oracle: Oracle,
    config: LearnConfig,
    *,
    folder: Path | str,
    workers: int = 1,
    resume: bool = False,
    quiet: bool = False,
) -> LearnSummary:
    """Learn a potential from a structure and an oracle.

    Args:
        start: Periodic in three directions, or a molecule.
        oracle: What labels.
        config: Temperatures, budget, training.
        folder: Is made; gets the label store, each generation's potential and simulations, the potential and the summary.
        workers: Processes of the oracle.
        resume: Go on with the run in the folder.
        quiet: Show no progress.

    Raises:
        OracleError: The oracle does not start.
        ConfigurationError: Volumes of a structure without any.
        CheckpointError: The folder holds another run, or none is to be resumed.
        LabelStoreError: Too few labels came out for a training.
    """
    if "volumes" in config.model_fields_set and not start.pbc.all():
        raise ConfigurationError(
            f"volumes={config.volumes} of a structure that is periodic along {start.pbc.tolist()}",
            place="volumes",
            rule="cells are made denser and thinner where there is one",
            mend="leave volumes out, or give a structure that is periodic in three directions",
        )
    files = LearnFolder(Path(folder))
    _claim(files, start, oracle, config, resume=resume)
    loop = _Loop(start, oracle, config, files, workers, quiet)
    first = around(start, config.first - len(isolated_atoms(start)), volumes=config.volumes, seed=config.seed)
    loop.label([*isolated_atoms(start), *first])
    generations = [loop.turn(0)]
    while (why := loop.over(generations[-1])) is None:
        generations.append(loop.turn(len(generations)))
    last = len(generations) if generations[-1].new_labels else len(generations) - 1
    loop.trained(last).save(files.potential)
    store = LabelStore(files.store)
    summary = LearnSummary(why, store.counts().get("done", 0), loop.requests(), store.seconds(), tuple(generations))
    summary.save(files.summary)
    return summary


@dataclass(frozen=True)
class _Loop:
    start: Atoms
    oracle: Oracle
    config: LearnConfig
    files: LearnFolder
    workers: int
    quiet: bool

    def turn(self, number: int) -> Generation:
        """Train, explore, choose, label; what a killed run has done of it is not done again."""
        folder = self.files.generation(number)
        said = folder / "generation.json"
        if said.exists():
            return Generation(**json.loads(said.read_text()))
        potential = self.trained(number)
        trained_on = int(potential.metadata["data"]["structures"])
        chosen_file = folder / "chosen.json"
        if not chosen_file.exists():
            explored = explore(self.start, potential, self.config, folder, generation=number)
            left = self.config.budget - self.requests()
            chosen = choose(explored.frames, potential, min(self.config.batch, left)) if left > 0 else []
            _write_chosen(chosen_file, chosen, explored)
        chosen, values = _read_chosen(chosen_file)
        asked = {identity(structure) for structure in chosen}
        if chosen:
            self.label(chosen)
        new = [one for one in LabelStore(self.files.store).labelled() if identity(one) in asked]
        rmse, std = _judged(potential, new)
        done = Generation(
            labels=trained_on,
            fraction_flagged=values["fraction_flagged"],
            broken_off=values["broken_off"],
            left_out_force_rmse_ev_per_angstrom=float(potential.typical_errors["forces"]),
            new_labels=len(new),
            new_force_rmse_ev_per_angstrom=rmse,
            new_force_std_ev_per_angstrom=std,
        )
        atomic_write_text(said, json.dumps(asdict(done)) + "\n")
        return done

    def over(self, done: Generation) -> Why | None:
        """Why the run ends after a generation; None where it goes on."""
        if done.fraction_flagged <= self.config.flagged and not done.broken_off:
            return "sure"
        if not done.new_labels:
            return "budget" if self.requests() >= self.config.budget else "nothing new"
        return None

    def trained(self, number: int) -> Potential:
        """The potential of a generation."""
        file = self.files.generation(number) / "potential.adiabat"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            fit(LabelStore(self.files.store).labelled(), self.config.train, quiet=self.quiet).save(file)
        return load_potential(file)

    def label(self, structures: Sequence[Labelled]) -> LabelSummary:
        """Ask the oracle; what it has answered before is not asked again.

        Raises:
            LabelStoreError: Nearly nothing came out.
        """
        summary = label(structures, self.oracle, self.files.store, workers=self.workers, quiet=self.quiet)
        if summary.open:
            raise KeyboardInterrupt
        if summary.done < len(structures) // 2:
            reasons = [*summary.failed.values(), *summary.rejected.values()]
            raise LabelStoreError(
                f"{summary.done} labels came of {len(structures)} structures; the first reason: "
                f"{reasons[0] if reasons else 'they are the same'}",
                place=str(self.files.store),
                rule="an oracle labels most of what it is asked for",
                mend="try it by `adiabat doctor`, and change its settings or the start structure",
            )
        return summary

    def requests(self) -> int:
        """That the oracle was asked."""
        counts = LabelStore(self.files.store).counts()
        return sum(counts.values())


def _judged(potential: Potential, new: Sequence[Labelled]) -> tuple[float | None, float | None]:
    """Root mean squares of errors and of standard deviations of force components."""
    if not new:
        return None, None
    errors = evaluate(potential, new, calibration=False, quiet=True)
    squares = []
    for structure in new:
        std = potential(structure.atoms, want=("forces_std",)).forces_std
        assert std is not None
        squares.append(std.square().flatten().numpy())
    return errors.force_rmse_ev_per_angstrom, float(np.sqrt(np.concatenate(squares).mean()))


def _claim(files: LearnFolder, start: Atoms, oracle: Oracle, config: LearnConfig, *, resume: bool) -> None:
    """Make the folder, or see that it holds this very run."""
    run: dict[str, Any] = {
        "start": identity(Labelled(start)),
        "oracle": {"name": oracle.name, "settings": oracle.settings},
        "configuration": config.model_dump(mode="json"),
    }
    if not files.identity.exists():
        if resume:
            raise CheckpointError(
                "holds no run of learning",
                place=str(files.path),
                rule="a run is resumed in its own folder",
                mend="name that, or leave out --resume",
            )
        files.path.mkdir(parents=True, exist_ok=True)
        atomic_write_text(files.identity, json.dumps(run, indent=1) + "\n")
        return
    if not resume:
        raise CheckpointError(
            "holds a run of learning",
            place=str(files.path),
            rule="a run is not written over",
            mend="go on with it by --resume, or name another folder",
        )
    before = json.loads(files.identity.read_text())
    differing = [name for name in run if run[name] != before.get(name)]
    if differing:
        raise CheckpointError(
            f"holds a run with another {' and another '.join(differing)}",
            place=str(files.path),
            rule="a run goes on with the settings that it was begun with",
            mend="take them back, or name another folder",
        )


def _write_chosen(file: Path, chosen: Sequence[Labelled], explored: Explored) -> None:
    values = {
        "fraction_flagged": explored.fraction_flagged,
        "broken_off": len(explored.broken),
        "chosen": [
            {"structure": to_json(s.atoms), "config_type": s.config_type, "group": s.group, "place": s.place}
            for s in chosen
        ],
    }
    atomic_write_text(file, json.dumps(values) + "\n")


def _read_chosen(file: Path) -> tuple[list[Labelled], dict[str, Any]]:
    values = json.loads(file.read_text())
    chosen = [
        Labelled(from_json(one["structure"]), config_type=one["config_type"], group=one["group"], place=one["place"])
        for one in values["chosen"]
    ]
    return chosen, values
