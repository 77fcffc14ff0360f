"""The run loop: from structures, a potential and a configuration to trajectories and logs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ase import Atoms

from adiabat.errors import AdiabatError, ConfigurationError, SimulationError
from adiabat.potential import Potential
from adiabat.runs import StopRequest, atomic_write_text
from adiabat.simulate.awareness import Awareness, Look
from adiabat.simulate.checkpoint import Checkpoint
from adiabat.simulate.checks import require_positive
from adiabat.simulate.config import SimulationConfig
from adiabat.simulate.correction import Correction, corrected
from adiabat.simulate.folder import RunFolder
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Evaluator, Integrator
from adiabat.simulate.live import LiveLine, Speed
from adiabat.simulate.observe import Observation, observe, observe_each
from adiabat.simulate.plan import Plan
from adiabat.simulate.records import Records
from adiabat.simulate.start import Start
from adiabat.simulate.state import State
from adiabat.simulate.summary import SimulationSummary, summarise
from adiabat.simulate.watch import Watch, require_cells, require_finite

SECONDS_BETWEEN_CHECKPOINTS = 30.0


def simulate(
    atoms: Atoms,
    potential: Potential,
    config: SimulationConfig,
    *,
    folder: Path | str,
    place: str = "start structure",
    resume: bool = False,
    quiet: bool = False,
    wall_time_s: float | None = None,
    oracle: Evaluator | None = None,
) -> SimulationSummary:
    """Molecular dynamics of one structure, with everything that it gives in one folder.

    SIGINT and SIGTERM end it after the present step, with a checkpoint; killed in any other way, it loses what it did since
    the last one. Resumed, it goes on to the same bits as if it had never stopped (on the same machine, with the same number
    of threads and the same versions).

    Args:
        atoms: The start structure, with velocities or without; atoms that ASE's FixAtoms holds never move.
        potential: The potential.
        config: Ensemble, length, time step ...
        folder: Is made; gets trajectory.h5, thermo.csv, checkpoint.safetensors, last_frame.xyz, run.json, summary.json.
        place: What messages call the start structure.
        resume: Go on from the checkpoint; where there is no run yet, begin it.
        quiet: Show no live line.
        wall_time_s: Stop after so many seconds, as a signal would; None: no limit.
        oracle: For on_uncertain="correct": a potential, or any other function from a batch to energies and forces, that is dearer and
            better; how it counts energies does not matter.

    Returns:
        The summary; `finished` is False where a signal or the wall clock ended the run early.

    Raises:
        SimulationError: It went wrong; the last good frame is in last_frame.xyz and at the end of the trajectory.
        CheckpointError: What was to be resumed is another run.
        OutputError: The folder holds a run already, or the disk is full.
        ConfigurationError: The configuration asks for several replicas: that is `simulate_batch`; or it is not fit for the structure.
        AdiabatError: The start structure or the potential are not fit for it.
    """
    if config.n_replicas > 1:
        raise ConfigurationError(
            f"asks for {config.n_replicas}", place="replicas", rule="simulate() is for one", mend="simulate_batch()"
        )
    return simulate_batch(
        [atoms],
        potential,
        config,
        folder=folder,
        places=[place],
        resume=resume,
        quiet=quiet,
        wall_time_s=wall_time_s,
        oracle=oracle,
    )[0]


def simulate_batch(
    structures: Sequence[Atoms],
    potential: Potential,
    config: SimulationConfig,
    *,
    folder: Path | str,
    places: Sequence[str] | None = None,
    resume: bool = False,
    quiet: bool = False,
    wall_time_s: float | None = None,
    oracle: Evaluator | None = None,
) -> tuple[SimulationSummary, ...]:
    """Molecular dynamics of several structures at once: replicas of one, or different ones. They do not feel each other.

    Args:
        structures: One start structure, of which `config.replicas` are simulated, or several, each once.
        potential: As for `simulate`.
        config: As for `simulate`.
        folder: Gets checkpoint.safetensors and run.json, and a folder for each: replica-0, replica-1 ... or structure-0 ... with the
            files of a run of its own. Of one replica of one structure it is that folder.
        places: What messages call the structures.
        resume: As for `simulate`.
        quiet: As for `simulate`.
        wall_time_s: As for `simulate`.
        oracle: As for `simulate`.

    Returns:
        A summary for each.

    Raises:
        ConfigurationError: Several structures and several replicas.
        AdiabatError: As `simulate`.
    """
    clock, start = _Clock(wall_time_s), _start(structures, places, config)
    files, plan = RunFolder(Path(folder)), Plan(start, potential, config, oracle=oracle)
    with StopRequest() as stop:
        if resume and files.checkpoint.exists():
            plan = plan.completed(resumed=True)
            with files.claimed():
                return _carry_out(_Run.resumed(files, plan), stop, clock, said=f"going on in {files.path}", quiet=quiet)
        for part in plan.parts(files):
            (part.require_nothing_lost if resume else part.require_new)()
        if not resume:
            files.require_new()
        said, awareness = plan.velocities, plan.awareness
        plan = plan.completed()
        said = "\n".join([said, *plan.notes])
        state, follower = plan.first_state()
        with files.claimed():
            return _carry_out(
                _Run.started(files, plan, state, follower, awareness), stop, clock, said=said, quiet=quiet
            )


def _start(structures: Sequence[Atoms], places: Sequence[str] | None, config: SimulationConfig) -> Start:
    if len(structures) > 1 and config.n_replicas > 1:
        raise ConfigurationError(
            f"{config.n_replicas} of {len(structures)} structures were asked for",
            place="replicas",
            rule="replicas are of one structure",
            mend="give one structure, or leave replicas out",
        )
    names = tuple(places) if places is not None else ("start structure",) * len(structures)
    copies = config.n_replicas if len(structures) == 1 else 1
    return Start(tuple(structures) * copies, names * copies)


@dataclass(frozen=True)
class _Clock:
    """When to stop by the clock on the wall."""

    limit_s: float | None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.limit_s is not None:
            require_positive("wall_time_s", self.limit_s)

    @property
    def is_over(self) -> bool:
        return self.limit_s is not None and time.monotonic() - self.began >= self.limit_s


@dataclass
class _Run:
    """A run under way; `state` is the last one that is whole and good."""

    files: RunFolder
    config: SimulationConfig
    integrator: Integrator
    follower: Follower
    watch: Watch
    records: list[Records]
    awareness: Awareness | None
    identity: dict[str, Any]
    state: State
    oracle: Evaluator | None = None
    looks: tuple[Look, ...] = ()
    flagged: tuple[int, ...] = ()
    saved_at: float = field(default_factory=time.monotonic)

    @classmethod
    def started(
        cls, files: RunFolder, plan: Plan, state: State, follower: Follower, awareness: Awareness | None
    ) -> Self:
        integrator, description = plan.integrator, plan.describe()
        seen, records = observe_each(state, integrator), []
        for system, (part, first) in enumerate(zip(plan.parts(files), seen, strict=True)):
            kept = () if awareness is None else awareness.kept
            records.append(Records.create(part, state, system, seen=first, outputs=plan.config.output, looked_at=kept))
            atomic_write_text(part.description, description)
        atomic_write_text(files.description, description)
        run = cls(
            files=files,
            config=plan.config,
            integrator=integrator,
            follower=follower,
            watch=plan.watch,
            records=records,
            awareness=awareness,
            identity=plan.identity,
            state=state,
            oracle=plan.oracle,
        )
        run.look()
        run.record(seen)
        run.save()
        return run

    @classmethod
    def resumed(cls, files: RunFolder, plan: Plan) -> Self:
        checkpoint = Checkpoint.load(files.checkpoint)
        identity, state = plan.identity, checkpoint.state
        checkpoint.require_identity(identity, place=str(files.checkpoint))
        follower = Follower.resumed(plan.potential, reference=checkpoint.reference, batch=state.batch)
        follower.correction = Correction.of(state)
        if state.step > plan.config.steps:
            raise ConfigurationError(
                f"asks for {plan.config.steps} steps in all, {state.step} are done already",
                place="steps",
                rule="a resumed run goes on",
                mend=f"ask for more than {state.step}",
            )
        return cls(
            files=files,
            config=plan.config,
            integrator=plan.integrator,
            follower=follower,
            watch=plan.watch,
            records=[Records.resume(part, system, checkpoint) for system, part in enumerate(plan.parts(files))],
            awareness=plan.awareness,
            identity=identity,
            state=state,
            oracle=plan.oracle,
        )

    def advance(self) -> None:
        """One step, with its records; raises SimulationError when it must not be taken."""
        try:
            state = self.integrator.step(self.state, self.follower)
            require_finite(state)
            require_cells(self.state, state, skin=self.follower.neighbors.skin)
            seen = observe_each(state, self.integrator) if state.step % self.config.output.log_every == 0 else ()
            self._check_energies(state, seen)
        except AdiabatError as error:
            raise self._broken_off(error) from error
        self.state = state
        self.look()
        self.record(seen)
        if self._checkpoint_is_due():
            self.save()

    def look(self) -> None:
        """See how far from the training the present state is, where it is due, and do what is to be done."""
        self.looks = ()
        if self.awareness is None or not self.awareness.is_due(self.state.step):
            return
        self.looks = self.awareness.look(self.state, self.follower)
        self.flagged = tuple(self.awareness.flagged(self.looks))
        for system in self.flagged:
            self.records[system].add_to_dump(self.state, self.looks[system])
        self.state = self.awareness.reacted(self.state, self.looks, self.integrator.timestep_fs)
        if self.oracle is not None:
            self.state = corrected(self.state, self.flagged, self.follower, self.oracle)

    @property
    def is_stopped(self) -> bool:
        """Whether it is too far from the training to go on."""
        return self.awareness is not None and self.awareness.reaction == "stop" and bool(self.flagged)

    def record(self, seen: Sequence[Observation]) -> None:
        """Write what is due at this step."""
        frames = self.state.step % self.config.output.trajectory_every == 0
        if not frames and not seen:
            return
        looks = self.looks or (Look(),) * len(self.records)
        if frames:
            for one, look in zip(self.records, looks, strict=True):
                one.add_frame(self.state, look)
        for one, observed, look in zip(self.records, seen, looks, strict=False):
            one.add_line(observed, look)

    def save(self) -> None:
        """Write the checkpoint, and before it all that it counts."""
        for one in self.records:
            one.flush()
        Checkpoint(
            state=self.state,
            reference=self.follower.reference,
            start_ev=[one.start_ev for one in self.records],
            frames=[one.trajectory.frames for one in self.records],
            log_bytes=[one.log.size for one in self.records],
            dumped_bytes=[one.dump.size for one in self.records],
            identity=self.identity,
        ).save(self.files.checkpoint)
        self.saved_at = time.monotonic()

    def summaries(self, speed: Speed | None) -> tuple[SimulationSummary, ...]:
        """Of the whole run so far, one for each structure; they are written, too."""
        atoms = self.state.batch.counts.tolist()
        degrees = self.integrator.degrees_of_freedom(self.state).tolist()
        found = []
        for one in self.records:
            summary = summarise(
                one.files.log,
                self.integrator,
                atoms=atoms[one.system],
                degrees_of_freedom=degrees[one.system],
                steps=self.state.step,
                time_fs=self.state.time_fs,
                finished=self.state.step == self.config.steps,
                speed=speed,
                system=one.system,
            )
            summary.save(one.files.summary)
            found.append(summary)
        return tuple(found)

    def say_flagged(self, live: LiveLine, *, but: Sequence[int] = ()) -> None:
        """Which structures are far from the training, but for those that are known to be."""
        for system in sorted(set(self.flagged) - set(but)):
            name = "" if len(self.records) == 1 else f"{self.records[system].files.path.name}: "
            live.say(f"step {self.state.step}: {name}{self.looks[system].why}")

    def _check_energies(self, state: State, seen: Sequence[Observation]) -> None:
        atoms = state.batch.counts.tolist() if seen else []
        for one, observed, count in zip(self.records, seen, atoms, strict=False):
            self.watch.check_energy(observed, system=one.system, start_ev=one.start_ev, atoms=count)

    def _checkpoint_is_due(self) -> bool:
        every = self.config.output.checkpoint_every
        if every is None:
            return time.monotonic() - self.saved_at >= SECONDS_BETWEEN_CHECKPOINTS
        return self.state.step % every == 0

    def _broken_off(self, error: AdiabatError) -> SimulationError:
        for one in self.records:
            if self.state.step % self.config.output.trajectory_every != 0:
                one.add_frame(self.state, Look())
            one.flush()
            one.save_last_frame(self.state)
        where = self.records[0].files.last_frame if len(self.records) == 1 else f"{self.files.path}/*/last_frame.xyz"
        return SimulationError(
            error.what,
            place=f"step {self.state.step + 1}",
            rule=error.rule,
            mend=f"{error.mend} (the time step is {self.integrator.timestep_fs:g} fs); the last good frame, of step "
            f"{self.state.step}, is in {where}",
        )


def _carry_out(run: _Run, stop: StopRequest, clock: _Clock, *, said: str, quiet: bool) -> tuple[SimulationSummary, ...]:
    atoms, config = run.state.batch.n_atoms, run.config
    timestep_fs = run.integrator.timestep_fs
    live = LiveLine(steps=config.steps, done=run.state.step, timestep_fs=timestep_fs, atoms=atoms, quiet=quiet)
    with live:
        live.say(f"step {run.state.step} of {config.steps}: {said}")
        run.say_flagged(live)
        while run.state.step < config.steps and not (stop.requested or run.is_stopped or clock.is_over):
            before = run.flagged
            run.advance()
            run.say_flagged(live, but=before)
            live.update(run.state.step, lambda: observe(run.state, run.integrator))
        speed = live.speed(run.state.step)
    run.save()
    for one in run.records:
        one.save_last_frame(run.state)
    return run.summaries(speed)
