"""Checkpoints: all that a run needs to go on as if it had never stopped."""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from adiabat.errors import CheckpointError
from adiabat.runs import atomic_write_bytes
from adiabat.simulate.bodies import Bodies
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.system import Batch

FORMAT = "adiabat molecular dynamics checkpoint"
FORMAT_VERSION = 3
BATCH = ("positions", "cell", "pbc", "numbers", "system")
FINGERPRINT_DIGITS = 64
VARIABLES = "variables."
FIELDS = ("velocities", "energy", "forces", "heat_ev")


@dataclass(frozen=True)
class Checkpoint:
    """A run at one step; a safetensors file with JSON beside the tensors, written whole or not at all.

    Attributes:
        state: The atoms and all that moves with them.
        reference: The batch of the last neighbour search, which the edges in use come from.
        start_ev: Of each structure, the conserved energy at step 0.
        frames: Of each structure, frames of the trajectory so far.
        log_bytes: Of each structure, bytes of the log so far.
        dumped_bytes: Of each structure, bytes of the dump of uncertain ones so far.
        identity: What makes this run this run: potential, start structure, integrator, outputs.
    """

    state: State
    reference: Batch
    start_ev: list[float]
    frames: list[int]
    log_bytes: list[int]
    dumped_bytes: list[int]
    identity: dict[str, Any]

    def save(self, file: Path) -> None:
        """Write; raises OutputError."""
        state = self.state
        tensors = {name: getattr(state.batch, name) for name in BATCH} | {name: getattr(state, name) for name in FIELDS}
        tensors["masses"] = state.masses
        if state.stress is not None:
            tensors["stress"] = state.stress
        if state.fixed is not None:
            tensors["fixed"] = state.fixed
        tensors |= {f"{VARIABLES}{name}": tensor for name, tensor in state.variables.items()}
        tensors |= {f"reference.{name}": getattr(self.reference, name) for name in BATCH}
        values = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "adiabat": version("adiabat"),
            "step": state.step,
            "time_fs": state.time_fs,
            "seed": state.streams.seed,
            "replicas": state.streams.replicas,
            "start_ev": self.start_ev,
            "frames": self.frames,
            "log_bytes": self.log_bytes,
            "dumped_bytes": self.dumped_bytes,
            "identity": self.identity,
        }
        copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        atomic_write_bytes(file, safetensors.torch.save(copies, metadata={"adiabat": json.dumps(values)}))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read; raises CheckpointError where the file is no checkpoint, damaged, or of a newer version."""
        try:
            with safe_open(file, framework="pt") as handle:
                values = json.loads((handle.metadata() or {})["adiabat"])
                tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 (no mapping)
            if values["format"] != FORMAT or values["format_version"] != FORMAT_VERSION:
                raise CheckpointError(
                    f"is '{values['format']}', version {values['format_version']}",
                    place=str(file),
                    rule=f"this adiabat reads '{FORMAT}', version {FORMAT_VERSION}",
                    mend="resume with the adiabat that began the run",
                )
            return cls(
                state=_state(values, tensors),
                reference=Batch(**{name: tensors[f"reference.{name}"] for name in BATCH}),
                **{name: values[name] for name in ("start_ev", "frames", "log_bytes", "dumped_bytes", "identity")},
            )
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"is no checkpoint, or is damaged: {type(error).__name__}: {error}",
                place=str(file),
                rule="a run goes on from a checkpoint that it wrote",
                mend="start a new run in another folder",
            ) from error

    def require_identity(self, identity: dict[str, Any], *, place: str) -> None:
        """Refuse to go on with another run's checkpoint, naming all that differs.

        Raises:
            CheckpointError: Something differs.
        """
        differing = [
            f"{name} was {_short(self.identity.get(name))}, is now {_short(identity.get(name))}"
            for name in sorted(self.identity | identity)
            if self.identity.get(name) != identity.get(name)
        ]
        if differing:
            raise CheckpointError(
                f"is of another run: {'; '.join(differing)}",
                place=place,
                rule="a run is resumed with the potential, the start structure and the settings that it began with",
                mend="give those, or start a new run in another folder",
            )


def _short(value: object) -> str:
    """Enough of a fingerprint to tell it from others."""
    text = str(value)
    return f"{text[:12]}..." if len(text) == FINGERPRINT_DIGITS else text


def _state(values: dict[str, Any], tensors: dict[str, Tensor]) -> State:
    batch = Batch(**{name: tensors[name] for name in BATCH})
    return State(
        batch=batch,
        **{name: tensors[name] for name in FIELDS},
        stress=tensors.get("stress"),
        bodies=Bodies.of(batch, tensors["masses"], tensors.get("fixed")),
        variables={name.removeprefix(VARIABLES): tensors[name] for name in tensors if name.startswith(VARIABLES)},
        step=values["step"],
        time_fs=values["time_fs"],
        streams=Streams(values["seed"], tuple(values["replicas"])),
    )
