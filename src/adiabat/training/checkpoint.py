"""The checkpoint of a training run: how far it has come, and which run that is."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from adiabat.errors import CheckpointError, OutputError
from adiabat.runs import atomic_write_text
from adiabat.training.equations_file import load_equations, save_equations
from adiabat.training.normal_equations import NormalEquations

SECONDS_BETWEEN_SAVES = 20.0
MOST_SAVING = 0.05
"""Of the time, in saves: those of many coefficients take seconds."""
RULE = "a run goes on from a checkpoint that it wrote"


@dataclass
class TrainingCheckpoint:
    """A folder beside the output that goes when the output is there; each way of fitting keeps files of its own in it.

    Attributes:
        folder: Where.
        identity: What makes two runs the same: data fingerprint, configuration, basis, versions, threads.
    """

    folder: Path
    identity: dict[str, Any]
    _last: float = field(default_factory=time.monotonic)
    _took: float = 0.0

    def start(self, *, resume: bool) -> NormalEquations | None:
        """The equations to go on from, or None at a beginning.

        Raises:
            CheckpointError: There is a checkpoint and `resume` was not asked for, or it is of another run or damaged, or
                there is none.
            OutputError: The folder cannot be made.
        """
        if not resume:
            if self._begun:
                raise CheckpointError(
                    "holds the checkpoint of a run that did not end",
                    place=str(self.folder),
                    rule="a run is not written over",
                    mend="go on with --resume, or remove the folder to begin anew",
                )
            self._describe()
            return None
        if not self.folder.exists():
            raise CheckpointError(
                "there is no checkpoint to resume from",
                place=str(self.folder),
                rule=RULE,
                mend="leave --resume out to begin",
            )
        self._require_same_run()
        return self._load() if self._equations.exists() else None

    def save_sometimes(self, equations: NormalEquations) -> None:
        """Save when the last time is long enough ago."""
        self.sometimes(partial(save_equations, equations, self._equations))

    def save(self, equations: NormalEquations) -> None:
        """Save now."""
        self.now(partial(save_equations, equations, self._equations))

    def sometimes(self, save: Callable[[], None]) -> None:
        """Save what a way of fitting keeps, when the last time is long enough ago."""
        if time.monotonic() - self._last >= max(SECONDS_BETWEEN_SAVES, self._took / MOST_SAVING):
            self.now(save)

    def now(self, save: Callable[[], None]) -> None:
        """Save what a way of fitting keeps."""
        start = time.monotonic()
        save()
        self._last = time.monotonic()
        self._took = self._last - start

    def withdraw(self) -> None:
        """Remove the folder of a run that was refused before it had done anything."""
        if not self._begun:
            self.discard(self.folder)

    @staticmethod
    def discard(folder: Path) -> None:
        """Remove a checkpoint: the run has ended well."""
        shutil.rmtree(folder, ignore_errors=True)

    @property
    def _begun(self) -> bool:
        return any(self.folder.glob("*.safetensors"))

    @property
    def _equations(self) -> Path:
        return self.folder / "equations.safetensors"

    def _load(self) -> NormalEquations:
        try:
            return load_equations(self._equations)
        except (OSError, SafetensorError, KeyError) as error:
            raise CheckpointError(
                f"its equations are damaged ({error})",
                place=str(self.folder),
                rule=RULE,
                mend="remove the folder to begin anew",
            ) from error

    def _describe(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"the folder of the checkpoint cannot be made: {error.strerror}",
                place=str(self.folder),
                rule="a checkpoint lies in a folder beside the output",
                mend="remove what is in its way, or name another output",
            ) from error
        atomic_write_text(self.folder / "run.json", json.dumps(self.identity, indent=1, sort_keys=True))

    def _require_same_run(self) -> None:
        try:
            stored = _flat(dict(json.loads((self.folder / "run.json").read_text())))
        except (OSError, ValueError, TypeError):
            raise CheckpointError(
                "its run.json is missing or damaged",
                place=str(self.folder),
                rule=RULE,
                mend="remove the folder to begin anew",
            ) from None
        wanted = _flat(json.loads(json.dumps(self.identity)))
        differing = sorted(key for key in wanted.keys() | stored.keys() if wanted.get(key) != stored.get(key))
        if differing:
            said = "; ".join(f"{key} was {stored.get(key)!r} and is {wanted.get(key)!r}" for key in differing)
            raise CheckpointError(
                f"is of another run: {said}",
                place=str(self.folder),
                rule="a run goes on with the data, configuration, versions and threads it began with",
                mend="remove the folder to begin anew",
            )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys as one: {"basis": {"size": 1}} as {"basis.size": 1}."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found
