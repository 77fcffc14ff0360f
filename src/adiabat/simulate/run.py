"""The run loop: from a structure, a potential and a configuration to a trajectory and a log."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ase import Atoms
from ase.io import write

from adiabat.errors import AdiabatError, ConfigurationError, SimulationError
from adiabat.potential import Potential
from adiabat.potential.file import fingerprint
from adiabat.runs import StopRequest, atomic_path, atomic_write_text, provenance
from adiabat.simulate.checkpoint import Checkpoint
from adiabat.simulate.config import SimulationConfig
from adiabat.simulate.folder import RunFolder
from adiabat.simulate.follower import Follower
from adiabat.simulate.frame import Frame, Species
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.live import LiveLine, Speed
from adiabat.simulate.observe import Observation, observe
from adiabat.simulate.start import first_state, structure_fingerprint, velocity_source
from adiabat.simulate.state import State
from adiabat.simulate.summary import SimulationSummary, summarise
from adiabat.simulate.thermolog import ThermoLog
from adiabat.simulate.trajectory import TrajectoryWriter
from adiabat.simulate.watch import Watch, require_finite

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
) -> SimulationSummary:
    """Molecular dynamics of one structure, with everything that it gives in one folder.

    SIGINT and SIGTERM end it after the present step, with a checkpoint; killed in any other way, it loses what it did since
    the last one. Resumed, it goes on to the same bits as if it had never stopped (on the same machine, with the same number
    of threads and the same versions).

    Args:
        atoms: The start structure, with velocities or without.
        potential: The potential.
        config: Ensemble, length, time step ...
        folder: Is made; gets trajectory.h5, thermo.csv, checkpoint.safetensors, last_frame.xyz, run.json, summary.json.
        place: What messages call the start structure.
        resume: Go on from the checkpoint; where there is no run yet, begin it.
        quiet: Show no live line.

    Returns:
        The summary; `finished` is False where a signal ended the run early.

    Raises:
        SimulationError: It went wrong; the last good frame is in last_frame.xyz and at the end of the trajectory.
        CheckpointError: What was to be resumed is another run.
        OutputError: The folder holds a run already, or the disk is full.
        AdiabatError: The start structure, the potential or the configuration are not fit for it.
    """
    files, plan = RunFolder(Path(folder)), _Plan(atoms, potential, config, place)
    with StopRequest() as stop:
        if resume and files.checkpoint.exists():
            with files.claimed():
                return _carry_out(_Run.resumed(files, plan), stop, said=f"going on in {files.path}", quiet=quiet)
        require = files.require_nothing_lost if resume else files.require_new
        require()
        said, (state, follower) = plan.velocities, plan.first_state()
        with files.claimed():
            require()
            return _carry_out(_Run.started(files, plan, state, follower), stop, said=said, quiet=quiet)


@dataclass(frozen=True)
class _Plan:
    """What was asked for."""

    atoms: Atoms
    potential: Potential
    config: SimulationConfig
    place: str

    @property
    def velocities(self) -> str:
        return velocity_source(self.atoms, self.config)

    @property
    def identity(self) -> dict[str, Any]:
        whose = {
            "potential": fingerprint(self.potential),
            "precision": str(self.potential.dtype).removeprefix("torch."),
            "start structure": structure_fingerprint(self.atoms),
        }
        return whose | self.config.identity()

    def first_state(self) -> tuple[State, Follower]:
        follower = Follower(self.potential)
        integrator = self.config.integrator()
        return first_state(self.atoms, follower, integrator, self.config, place=self.place), follower

    def watch(self, start_ev: float) -> Watch:
        return Watch(start_ev, thermostat_k=self.config.temperature_k if self.config.ensemble == "nvt" else None)

    def describe(self) -> str:
        values = {
            "configuration": self.config.model_dump(),
            "start": self.place,
            "velocities": self.velocities,
            "identity": self.identity,
            "provenance": provenance(),
        }
        return json.dumps(values, indent=1) + "\n"


@dataclass
class _Run:
    """A run under way; `state` is the last one that is whole and good."""

    files: RunFolder
    config: SimulationConfig
    integrator: Integrator
    follower: Follower
    watch: Watch
    trajectory: TrajectoryWriter
    log: ThermoLog
    identity: dict[str, Any]
    state: State
    saved_at: float = field(default_factory=time.monotonic)

    @classmethod
    def started(cls, files: RunFolder, plan: _Plan, state: State, follower: Follower) -> Self:
        atomic_write_text(files.description, plan.describe())
        forces = plan.config.output.forces
        integrator = plan.config.integrator()
        seen = observe(state, integrator)
        run = cls(
            files=files,
            config=plan.config,
            integrator=integrator,
            follower=follower,
            watch=plan.watch(seen.conserved_energy_ev),
            trajectory=TrajectoryWriter.create(files.trajectory, Species.of(state), forces=forces),
            log=ThermoLog.create(files.log),
            identity=plan.identity,
            state=state,
        )
        run.record(seen)
        run.save()
        return run

    @classmethod
    def resumed(cls, files: RunFolder, plan: _Plan) -> Self:
        checkpoint = Checkpoint.load(files.checkpoint)
        identity, state = plan.identity, checkpoint.state
        checkpoint.require_identity(identity, place=str(files.checkpoint))
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
            integrator=plan.config.integrator(),
            follower=Follower.resumed(plan.potential, reference=checkpoint.reference, batch=state.batch),
            watch=plan.watch(checkpoint.start_ev),
            trajectory=TrajectoryWriter.resume(files.trajectory, frames=checkpoint.frames),
            log=ThermoLog.resume(files.log, size=checkpoint.log_bytes),
            identity=identity,
            state=state,
        )

    def advance(self) -> None:
        """One step, with its records; raises SimulationError when it must not be taken."""
        try:
            state = self.integrator.step(self.state, self.follower)
            require_finite(state)
            seen = observe(state, self.integrator) if state.step % self.config.output.log_every == 0 else None
            if seen is not None:
                self.watch.check_energy(seen, atoms=state.batch.n_atoms)
        except AdiabatError as error:
            raise self._broken_off(error) from error
        self.state = state
        self.record(seen)
        if self._checkpoint_is_due():
            self.save()

    def record(self, seen: Observation | None) -> None:
        """Write what is due at this step."""
        if self.state.step % self.config.output.trajectory_every == 0:
            self.trajectory.append(self._frame())
        if seen is not None:
            self.log.append(seen)

    def save(self) -> None:
        """Write the checkpoint, and before it all that it counts."""
        self.trajectory.flush()
        Checkpoint(
            state=self.state,
            reference=self.follower.reference,
            start_ev=self.watch.start_ev,
            frames=self.trajectory.frames,
            log_bytes=self.log.size,
            identity=self.identity,
        ).save(self.files.checkpoint)
        self.saved_at = time.monotonic()

    def save_last_frame(self) -> None:
        """Write the present frame as extended XYZ, for whoever goes on from it."""
        atoms = self._frame().to_atoms(Species.of(self.state))
        with atomic_path(self.files.last_frame) as temporary:
            write(temporary, atoms, format="extxyz")

    def summary(self, speed: Speed | None) -> SimulationSummary:
        """Of the whole run so far."""
        batch = self.state.batch
        return summarise(
            self.files.log,
            self.integrator,
            atoms=batch.n_atoms,
            degrees_of_freedom=int(self.integrator.degrees_of_freedom(batch)),
            steps=self.state.step,
            finished=self.state.step == self.config.steps,
            speed=speed,
        )

    def _checkpoint_is_due(self) -> bool:
        every = self.config.output.checkpoint_every
        if every is None:
            return time.monotonic() - self.saved_at >= SECONDS_BETWEEN_CHECKPOINTS
        return self.state.step % every == 0

    def _frame(self) -> Frame:
        return Frame.of(self.state, timestep_fs=self.config.timestep_fs)

    def _broken_off(self, error: AdiabatError) -> SimulationError:
        if self.state.step % self.config.output.trajectory_every != 0:
            self.trajectory.append(self._frame())
        self.trajectory.flush()
        self.save_last_frame()
        return SimulationError(
            error.what,
            place=f"step {self.state.step + 1}",
            rule=error.rule,
            mend=f"{error.mend} (the time step is {self.config.timestep_fs:g} fs); the last good frame, of step "
            f"{self.state.step}, is in {self.files.last_frame}",
        )


def _carry_out(run: _Run, stop: StopRequest, *, said: str, quiet: bool) -> SimulationSummary:
    atoms, config = run.state.batch.n_atoms, run.config
    live = LiveLine(steps=config.steps, done=run.state.step, timestep_fs=config.timestep_fs, atoms=atoms, quiet=quiet)
    with live:
        live.say(f"step {run.state.step} of {config.steps}: {said}")
        while run.state.step < config.steps and not stop.requested:
            run.advance()
            live.update(run.state.step, lambda: observe(run.state, run.integrator))
        speed = live.speed(run.state.step)
    run.save()
    run.save_last_frame()
    summary = run.summary(speed)
    summary.save(run.files.summary)
    return summary
