"""The folder of a run: whose it is, and what it holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adiabat.errors import CheckpointError, OutputError
from adiabat.runs import claimed
from adiabat.simulate.trajectory import count_frames


@dataclass(frozen=True)
class RunFolder:
    """The files of one run.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def trajectory(self) -> Path:
        """Frames, HDF5."""
        return self.path / "trajectory.h5"

    @property
    def log(self) -> Path:
        """Observations, CSV."""
        return self.path / "thermo.csv"

    @property
    def checkpoint(self) -> Path:
        """What a resume goes on from."""
        return self.path / "checkpoint.safetensors"

    @property
    def last_frame(self) -> Path:
        """The last good frame, extended XYZ with velocities."""
        return self.path / "last_frame.xyz"

    @property
    def description(self) -> Path:
        """What was run, with what, JSON."""
        return self.path / "run.json"

    @property
    def summary(self) -> Path:
        """What came of it, JSON."""
        return self.path / "summary.json"

    @property
    def dumped(self) -> Path:
        """Structures that were far from the training, extended XYZ."""
        return self.path / "uncertain.xyz"

    def part(self, name: str) -> "RunFolder":
        """Of one of several structures that are simulated at once."""
        return RunFolder(self.path / name)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that a run writes."""
        return (
            self.trajectory,
            self.log,
            self.checkpoint,
            self.last_frame,
            self.description,
            self.summary,
            self.dumped,
        )

    def require_new(self) -> None:
        """Refuse to write over a run.

        Raises:
            OutputError: The path is no folder, or holds a run.
        """
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(
                "is a file",
                place=str(self.path),
                rule="a run is written to a folder of its own",
                mend="name a folder; it is made",
            )
        found = [file.name for file in (self.trajectory, self.log, self.checkpoint) if file.exists()]
        if found:
            raise OutputError(
                f"holds a run ({', '.join(found)})",
                place=str(self.path),
                rule="a run is not written over",
                mend="go on with it by --resume, or name another folder",
            )

    def require_nothing_lost(self) -> None:
        """Before a run without a checkpoint is begun anew: it may have been killed before its first, and no later.

        Raises:
            CheckpointError: There are frames beyond the first, but the checkpoint is gone.
        """
        frames = count_frames(self.trajectory) if self.trajectory.exists() else 0
        if frames > 1:
            raise CheckpointError(
                f"is missing, and the trajectory holds {frames} frames",
                place=str(self.checkpoint),
                rule="a run is resumed with the files that it wrote",
                mend="put the file back, or start a new run in another folder",
            )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the folder and keep other processes out of it; the operating system ends the claim with the process.

        Raises:
            OutputError: The folder cannot be made, or another process is running in it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot be made: {error.strerror}",
                place=str(self.path),
                rule="a run is written to a folder of its own",
                mend="name another place",
            ) from error
        with claimed(self.path / ".lock", what=self.path):
            yield
