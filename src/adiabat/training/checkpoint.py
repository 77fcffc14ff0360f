"""The checkpoint of a training run: the normal equations so far, and which run they belong to."""

import json
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adiabat.errors import CheckpointError
from adiabat.runs import atomic_write_text
from adiabat.training.normal_equations import NormalEquations

SECONDS_BETWEEN_SAVES = 20.0


@dataclass
class TrainingCheckpoint:
    """A folder beside the output that goes when the output is there.

    Attributes:
        folder: Where.
        identity: What makes two runs the same: data fingerprint, configuration, versions, threads.
    """

    folder: Path
    identity: dict[str, Any]
    _last: float = field(default_factory=time.monotonic)

    def start(self, *, resume: bool) -> NormalEquations | None:
        """The equations to go on from, or None at a beginning.

        Raises:
            CheckpointError: There is a checkpoint and `resume` was not asked for, or it is of another run, or there is none.
        """
        equations = self.folder / "equations.safetensors"
        if not resume:
            if equations.exists():
                raise CheckpointError(
                    "holds the checkpoint of a run that did not end",
                    place=str(self.folder),
                    mend="go on with --resume, or remove the folder to begin anew",
                )
            self._describe()
            return None
        if not self.folder.exists():
            raise CheckpointError(
                "there is no checkpoint to resume from", place=str(self.folder), mend="leave --resume out to begin"
            )
        self._require_same_run()
        return NormalEquations.load(equations) if equations.exists() else None

    def save_sometimes(self, equations: NormalEquations) -> None:
        """Save when the last time is long enough ago."""
        if time.monotonic() - self._last >= SECONDS_BETWEEN_SAVES:
            self.save(equations)

    def save(self, equations: NormalEquations) -> None:
        """Save now."""
        equations.save(self.folder / "equations.safetensors")
        self._last = time.monotonic()

    @staticmethod
    def discard(folder: Path) -> None:
        """Remove a checkpoint: the run has ended well."""
        shutil.rmtree(folder, ignore_errors=True)

    def _describe(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_write_text(self.folder / "run.json", json.dumps(self.identity, indent=1, sort_keys=True))

    def _require_same_run(self) -> None:
        try:
            stored = json.loads((self.folder / "run.json").read_text())
        except (OSError, ValueError):
            raise CheckpointError(
                "its run.json is missing or damaged", place=str(self.folder), mend="remove it"
            ) from None
        wanted = json.loads(json.dumps(self.identity))
        differing = sorted(key for key in wanted.keys() | stored.keys() if wanted.get(key) != stored.get(key))
        if differing:
            key = differing[0]
            raise CheckpointError(
                f"is of another run: {key} was {stored.get(key)!r} and is {wanted.get(key)!r}",
                place=str(self.folder),
                rule="a run goes on with the data, configuration, versions and threads it began with",
                mend="remove the folder to begin anew",
            )
