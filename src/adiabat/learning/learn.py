"""The loop: explore until unsure, choose, label, train, go on; every step stands in files, so that a run goes on after a kill."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from ase import Atoms

from adiabat.errors import CheckpointError, ConfigurationError, LabelStoreError
from adiabat.learning.acquisition import choose
from adiabat.learning.bands import alike
from adiabat.learning.config import LearnConfig
from adiabat.learning.cut_out import cut_out
from adiabat.learning.estimate import CostEstimate, estimate_cost
from adiabat.learning.explore import drawn_courses, explore
from adiabat.learning.first_structures import around_all, first_structures
from adiabat.learning.foreseen import foresee
from adiabat.learning.found import Found
from adiabat.learning.journal import Journal
from adiabat.learning.judge import Frame
from adiabat.learning.label import LabelSummary, label
from adiabat.learning.observer import Observer
from adiabat.learning.oracle import Oracle
from adiabat.learning.oracle_trial import try_oracle
from adiabat.learning.store import LabelStore, identity
from adiabat.learning.validated import validate_learned
from adiabat.learning.workers import ONE_WORKER, Workers
from adiabat.potential import Potential, load_potential
from adiabat.results import Result
from adiabat.runs import atomic_write_text
from adiabat.system import Labelled
from adiabat.training.train import fit
from adiabat.training.update import structures_of_last_training, update

Why = Literal["sure", "budget", "nothing new"]
FORESEEN = "foreseen.json"
"""Of each generation: what its potential had said of the new labels."""
ATTEMPTS = 4
"""At labels for the first training."""
MISSING = 0.1
"""Of those, with which it begins all the same."""
SEEDS_APART = 1000


@dataclass(frozen=True)
class Generation:
    """What one turn of the loop found.

    Attributes:
        labels: That its potential was trained on.
        fraction_flagged: Of the frames of its simulations, those that the potential was unsure of, and what came after them.
        broken_off: Simulations that broke off.
        left_out_force_rmse_ev_per_angstrom: Of the training, structure by structure left out.
        asked: Structures that were chosen to be labelled.
        new_labels: That came of them.
        new_force_rmse_ev_per_angstrom: Of the potential on the new labels, before it had seen them; None where there are none.
        new_force_std_ev_per_angstrom: What it had said of that: the root mean square of its standard deviations.
    """

    labels: int
    fraction_flagged: float
    whole_courses: bool
    broken_off: int
    left_out_force_rmse_ev_per_angstrom: float
    asked: int
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
    def estimate(self) -> Path:
        """What it was going to cost."""
        return self.path / "estimate.json"

    @property
    def journal(self) -> Path:
        """What it did when."""
        return self.path / "journal.json"

    @property
    def potential(self) -> Path:
        """The one in the end."""
        return self.path / "potential.adiabat"

    @property
    def validation(self) -> Path:
        """Whether that is fit for use."""
        return self.path / "validation.json"

    @property
    def summary(self) -> Path:
        """How it went."""
        return self.path / "summary.json"

    def generation(self, number: int) -> Path:
        """The folder of one."""
        return self.path / f"generation_{number:02d}"


def learn(
    starts: Sequence[Atoms],
    oracle: Oracle,
    config: LearnConfig,
    *,
    folder: Path | str,
    workers: Workers = ONE_WORKER,
    resume: bool = False,
    observer: Observer | None = None,
    quiet: bool = False,
) -> LearnSummary:
    """Learn a potential from a structure and an oracle.

    Args:
        starts: One structure or more, each periodic in three directions or a molecule.
        oracle: What labels.
        config: Temperatures, budget, training.
        folder: Is made; gets the label store, each generation's potential and simulations, the potential and the summary.
        workers: How labels are computed.
        resume: Go on with the run in the folder.
        observer: Is told how it goes on.
        quiet: Show no progress.

    Raises:
        OracleError: The oracle does not start, or gives no label in a trial.
        ResourceError: There is less memory or disk than the run would need.
        ConfigurationError: Volumes of a structure without any.
        CheckpointError: The folder holds another run, or none is to be resumed.
        LabelStoreError: Too few labels came out for a training.
    """
    _require_effect(starts, config)
    files = LearnFolder(Path(folder))
    _claim(files, starts, oracle, config, resume=resume)
    loop = _Loop(starts, oracle, config, files, workers, quiet)
    first = first_structures(starts, config)
    observer = observer or Observer()
    observer.estimated(loop.estimated(first))
    loop.first(first)
    generations: list[Generation] = []
    why: Why | None = None
    while why is None:
        was_done = loop.is_done(len(generations))
        generations.append(loop.turn(len(generations)))
        why = loop.over(generations[-1])
        if not was_done:
            observer.turned(files.path)
    loop.finish()
    store = LabelStore(files.store)
    summary = LearnSummary(why, store.counts().get("done", 0), loop.requests(), store.seconds(), tuple(generations))
    summary.save(files.summary)
    observer.turned(files.path)
    return summary


@dataclass(frozen=True)
class _Loop:
    starts: Sequence[Atoms]
    oracle: Oracle
    config: LearnConfig
    files: LearnFolder
    workers: Workers
    quiet: bool

    def estimated(self, first: Sequence[Labelled]) -> CostEstimate:
        """What the run costs; tried out once.

        Raises:
            ResourceError: The machine cannot hold it.
        """
        if not self.files.estimate.exists():
            with self.journal.during("estimating"):
                tried = try_oracle(first, self.oracle, self.files.store, workers=self.workers)
                found = estimate_cost(self.starts, first, tried, self.config, self.files.path, workers=self.workers)
            found.require_resources(self.files.path)
            found.save(self.files.estimate)
        return CostEstimate.load(self.files.estimate)

    def first(self, structures: Sequence[Labelled]) -> None:
        """Labels for the first training; others in the place of those that an oracle failed at, as long as many are missing."""
        self.label(structures)
        for again in range(1, ATTEMPTS):
            missing = self.config.first - LabelStore(self.files.store).counts().get("done", 0)
            if missing <= MISSING * self.config.first or self.requests() + missing > self.config.budget:
                break
            self.label(around_all(self.starts, missing, self.config, seed=self.config.seed + SEEDS_APART * again))

    def is_done(self, number: int) -> bool:
        """Whether a generation was done by a run that was killed afterwards."""
        return (self.files.generation(number) / "generation.json").exists()

    def turn(self, number: int) -> Generation:
        """Train, explore, choose, label; what a killed run has done of it is not done again."""
        folder = self.files.generation(number)
        said = folder / "generation.json"
        if said.exists():
            return Generation(**json.loads(said.read_text()))
        potential = self.trained(number)
        found_file = folder / "found.json"
        if not found_file.exists():
            with self.journal.during("exploring", number):
                found = self.found(number, potential)
            atomic_write_text(found_file, json.dumps(found.to_json()) + "\n")
        found = Found.from_json(json.loads(found_file.read_text()))
        asked = {identity(structure) for structure in found.chosen}
        if found.chosen:
            self.label(found.chosen, generation=number)
        new = [one for one in LabelStore(self.files.store).labelled() if identity(one) in asked]
        foreseen = foresee(potential, new)
        foreseen.save(folder / FORESEEN)
        done = Generation(
            labels=_structures(potential),
            fraction_flagged=found.fraction_flagged,
            whole_courses=found.whole_courses,
            broken_off=found.broken_off,
            left_out_force_rmse_ev_per_angstrom=float(potential.typical_errors["forces"]),
            asked=len(asked),
            new_labels=len(new),
            new_force_rmse_ev_per_angstrom=foreseen.force_rmse_ev_per_angstrom,
            new_force_std_ev_per_angstrom=foreseen.force_std_ev_per_angstrom,
        )
        atomic_write_text(said, json.dumps(asdict(done)) + "\n")
        return done

    def found(self, number: int, potential: Potential) -> Found:
        """Explore and choose."""
        before = self.files.generation(number - 1) / "found.json"
        left = Found.from_json(json.loads(before.read_text())).left if number else ()
        courses = drawn_courses(self.starts, self.config, left, generation=number)
        folder = self.files.generation(number)
        explored = explore(
            courses, potential, self.config, folder, generation=number, starts=self.starts, quiet=self.quiet
        )
        count = min(self.config.batch, self.config.budget - self.requests())
        chosen: list[Frame] = []
        if count > 0:
            known = LabelStore(self.files.store).known()
            frames = [frame for frame in explored.frames if identity(frame.structure) not in known]
            by, seed = self.config.acquisition, self.config.seed + number
            chosen = choose(frames, potential, count, by=by, seed=seed)
        most = self.config.explore.label_atoms
        return Found.of(explored, [_affordable(frame, potential, most) for frame in chosen])

    def over(self, done: Generation) -> Why | None:
        """Why the run ends after a generation; None where it goes on."""
        if done.fraction_flagged <= self.config.flagged and not done.broken_off and done.whole_courses:
            return "sure"
        if done.asked:
            return None
        if self.requests() >= self.config.budget:
            return "budget"
        return "nothing new" if done.whole_courses else None

    def trained(self, number: int) -> Potential:
        """The potential of a generation: of the one before, with the labels since; from the beginning where they have become many."""
        file = self.files.generation(number) / "potential.adiabat"
        if file.exists():
            return load_potential(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        labelled = LabelStore(self.files.store).labelled()
        before = load_potential(self.files.generation(number - 1) / "potential.adiabat") if number else None
        with self.journal.during("training", number):
            if before is None or len(labelled) > self.config.rebuild * structures_of_last_training(before):
                found = fit(labelled, self.config.train_on_the_way, quiet=self.quiet)
            else:
                seen = _structures(before)
                found = (
                    update(before, labelled[:seen], labelled[seen:], quiet=self.quiet) if labelled[seen:] else before
                )
            found.save(file)
        return load_potential(file)

    def label(self, structures: Sequence[Labelled], *, generation: int | None = None) -> LabelSummary:
        """Ask the oracle; what it has answered before is not asked again.

        Raises:
            LabelStoreError: Of all that was asked for so far, little came out.
        """
        with self.journal.during("labelling", generation):
            summary = label(structures, self.oracle, self.files.store, workers=self.workers, quiet=self.quiet)
        if summary.open:
            raise KeyboardInterrupt
        reasons = [*summary.failed.values(), *summary.rejected.values()]
        if summary.done < len(reasons):
            raise LabelStoreError(
                f"{summary.done} labels came of {summary.done + len(reasons)} structures; the first reason: {reasons[0]}",
                place=str(self.files.store),
                rule="an oracle labels most of what it is asked for",
                mend="try it by `adiabat doctor`, and change its settings or the start structure",
            )
        return summary

    @property
    def journal(self) -> Journal:
        """What the run did when."""
        return Journal(self.files.journal)

    def finish(self) -> None:
        """The potential in the end, trained from the beginning on all labels, and whether it is fit for use, which changes nothing."""
        if not self.files.potential.exists():
            with self.journal.during("training"):
                fit(LabelStore(self.files.store).labelled(), self.config.train, quiet=self.quiet).save(
                    self.files.potential
                )
        if self.config.validation is not None and not self.files.validation.exists():
            with self.journal.during("validating"):
                found = validate_learned(load_potential(self.files.potential), self.starts[0], self.config)
                found.save(self.files.validation)

    def requests(self) -> int:
        """That the oracle was asked."""
        counts = LabelStore(self.files.store).counts()
        return sum(counts.values())


def _affordable(frame: Frame, potential: Potential, most_atoms: int | None) -> Labelled:
    """A frame that the oracle can afford: cut out of a larger one, about its least known atom."""
    if most_atoms is None:
        return frame.structure
    whole = frame.structure
    part = cut_out(whole.atoms, frame.least_known_atom, most_atoms=most_atoms, potential=potential)
    return Labelled(part, config_type=whole.config_type, group=whole.group, place=whole.place)


def _require_effect(starts: Sequence[Atoms], config: LearnConfig) -> None:
    """Refuse what has no effect on any start structure."""
    given = {"explore.volumes": config.explore.volumes, "pressure_gpa": config.pressure_gpa}
    for name, value in given.items():
        if value is not None and not any(start.pbc.all() for start in starts):
            raise ConfigurationError(
                f"{name}={value} of structures that are periodic along {starts[0].pbc.tolist()}",
                place=name,
                rule="cells are made denser and thinner where there is one",
                mend=f"leave {name} out, or give a structure that is periodic in three directions",
            )
    if config.explore.paths and not any(alike(first, last) for first, last in pairwise(starts)):
        raise ConfigurationError(
            f"paths of {len(starts)} start structures, none of which has the atoms and the cell of the one before it",
            place="explore.paths",
            rule="a path leads from a structure to another one of the same atoms, in the same order and cell",
            mend="give both ends in START, one after the other, or leave explore.paths out",
        )


def _claim(files: LearnFolder, starts: Sequence[Atoms], oracle: Oracle, config: LearnConfig, *, resume: bool) -> None:
    """Make the folder, or see that it holds this very run."""
    run: dict[str, Any] = {
        "start": [identity(Labelled(start)) for start in starts],
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


def _structures(potential: Potential) -> int:
    """That it was trained on."""
    return int(potential.metadata["data"]["structures"])
