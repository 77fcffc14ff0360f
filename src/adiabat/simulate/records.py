"""Records: what is written of one structure while it is simulated."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ase.io import write

from adiabat.runs import atomic_path
from adiabat.simulate.awareness import Dump, Look
from adiabat.simulate.checkpoint import Checkpoint
from adiabat.simulate.config import Outputs
from adiabat.simulate.folder import RunFolder
from adiabat.simulate.frame import Frame, Species
from adiabat.simulate.observe import Observation
from adiabat.simulate.state import State
from adiabat.simulate.thermolog import ThermoLog
from adiabat.simulate.trajectory import LOOKED_AT, TrajectoryWriter


@dataclass
class Records:
    """Trajectory, log and last frame of one structure of a batch.

    Attributes:
        files: Where they are.
        system: Which structure of the batch it is.
        start_ev: Its conserved energy at step 0.
        trajectory: Frames.
        log: Observations.
        dump: Structures that were far from the training.
    """

    files: RunFolder
    system: int
    start_ev: float
    trajectory: TrajectoryWriter
    log: ThermoLog
    dump: Dump

    @classmethod
    def create(
        cls,
        files: RunFolder,
        state: State,
        system: int,
        *,
        seen: Observation,
        outputs: Outputs,
        looked_at: Collection[str],
    ) -> Self:
        """New ones, without a frame and an observation."""
        files.path.mkdir(exist_ok=True)
        trajectory = TrajectoryWriter.create(
            files.trajectory,
            Species.of(state, system),
            forces=outputs.forces,
            stress=outputs.stress and state.stress is not None,
            looked_at=looked_at,
        )
        return cls(files, system, seen.conserved_energy_ev, trajectory, ThermoLog.create(files.log), Dump(files.dumped))

    @classmethod
    def resume(cls, files: RunFolder, system: int, checkpoint: Checkpoint) -> Self:
        """As they were at a checkpoint; raises CheckpointError."""
        trajectory = TrajectoryWriter.resume(files.trajectory, frames=checkpoint.frames[system])
        log = ThermoLog.resume(files.log, size=checkpoint.log_bytes[system])
        dump = Dump(files.dumped, checkpoint.dumped_bytes[system])
        dump.cut()
        return cls(files, system, checkpoint.start_ev[system], trajectory, log, dump)

    def add_frame(self, state: State, look: Look) -> None:
        """Take the present frame."""
        seen = {name: getattr(look, name) for name in LOOKED_AT}
        self.trajectory.append(replace(Frame.of(state, self.system), **seen))

    def add_line(self, seen: Observation, look: Look) -> None:
        """Take the present observation."""
        names = ("extrapolation", "energy_std_ev", "largest_energy_std_ev")
        self.log.append(replace(seen, **{name: getattr(look, name) for name in names}))

    def add_to_dump(self, state: State, look: Look) -> None:
        """Write the present frame to the structures that are far from the training; raises OutputError."""
        self.dump.append(Frame.of(state, self.system).to_atoms(Species.of(state, self.system)), look)

    def flush(self) -> None:
        """Write all that waits; raises OutputError."""
        self.trajectory.flush()
        self.log.flush()

    def save_last_frame(self, state: State) -> Path:
        """Write the present frame as extended XYZ, for whoever goes on from it."""
        atoms = Frame.of(state, self.system).to_atoms(Species.of(state, self.system))
        with atomic_path(self.files.last_frame) as temporary:
            write(temporary, atoms, format="extxyz")
        return self.files.last_frame
