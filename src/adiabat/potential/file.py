"""One potential, one file: its parts, what is attached to it, where it comes from, and its canaries.

The document (see `potential.document` for the bytes) has the keys

    units        of all numbers
    adiabat      the version that wrote it
    species      atomic numbers, ascending
    cutoff       Å
    parts        [{kind, values, tensors: {name in the part: name in the file}}]
    attachments  {name: as a part}
    canaries     [{name of a quantity: name in the file}]
    metadata     provenance, training configuration, data fingerprint, summary of the training
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from ase import Atoms
from torch import Tensor

import adiabat.models
import adiabat.physics
import adiabat.uncertainty  # noqa: F401 (with the two above: importing them registers the kinds of parts)
from adiabat.errors import AdiabatError, PotentialFileError
from adiabat.potential.canaries import DEVIATIONS, TOLERANCE, Canary, require_same, require_telling
from adiabat.potential.document import Document, decode, encode
from adiabat.potential.potential import Potential
from adiabat.runs import atomic_write_bytes, require_writable
from adiabat.system import PartState, restore

UNITS = {"energy": "eV", "length": "Å", "force": "eV/Å", "stress": "eV/Å³, positive under tension"}


def save_potential(potential: Potential, file: Path, *, canaries: Sequence[Atoms]) -> None:
    """Write a potential, whole or not at all; what was encoded is first restored, and its canaries evaluated.

    Args:
        potential: What to store; stored as it is in float64.
        file: Its suffix is ``.adiabat`` by custom.
        canaries: Structures that the potential can evaluate, one or more: a few that it was made for.

    Raises:
        PotentialFileError: A part cannot be stored, or a canary has no finite energy, forces or stress.
        OutputError: The file cannot be written.
        AdiabatError: The potential cannot evaluate a canary.
    """
    require_writable(file)
    content = encode(_document(potential.to(dtype=torch.float64, device="cpu"), canaries))
    _restored(content, place=f"{file} (not written)", dtype=torch.float64, device="cpu")
    atomic_write_bytes(file, content)


def load_potential(
    file: Path | str, *, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> Potential:
    """Read a potential and check that it computes what it did when it was written.

    Args:
        file: What `save_potential` wrote.
        dtype: float64, or float32 where single precision is enough.
        device: Where its tensors go.

    Raises:
        PotentialFileError: The file is missing, empty, damaged, foreign or newer than this version, holds a part of an
            unknown kind, or its canaries differ.
    """
    if dtype not in TOLERANCE:
        raise PotentialFileError(
            f"was to be loaded as {dtype}",
            place=str(file),
            rule="a potential is of float64 or float32",
            mend="load it as one of these",
        )
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise PotentialFileError(
            f"cannot be read: {error.strerror}",
            place=str(file),
            rule="a potential is a file that `adiabat train` wrote",
            mend="name such a file",
        ) from error
    return _restored(content, place=str(file), dtype=dtype, device=device)


def fingerprint(potential: Potential) -> str:
    """SHA-256 of what the potential computes and what is attached to it; provenance and times do not enter."""
    tensors: dict[str, Tensor] = {}
    values = _stored_parts(potential.to(dtype=torch.float64, device="cpu"), tensors)
    return hashlib.sha256(encode(Document(values, tensors))).hexdigest()


def _document(potential: Potential, canaries: Sequence[Atoms]) -> Document:
    if not canaries:
        raise PotentialFileError(
            "no canaries were given", rule="a potential file holds one canary or more", mend="give a structure"
        )
    tensors: dict[str, Tensor] = {}
    values = _stored_parts(potential, tensors) | {
        "units": UNITS,
        "adiabat": version("adiabat"),
        "species": list(potential.species),
        "cutoff": potential.cutoff,
        "metadata": potential.metadata,
        "canaries": [
            _stored_canary(Canary.of(potential, atoms), f"canary.{index}", tensors)
            for index, atoms in enumerate(canaries)
        ],
    }
    return Document(values, tensors)


def _stored_parts(potential: Potential, tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {
        "parts": [_stored(part, f"part.{index}", tensors) for index, part in enumerate(potential.parts)],
        "attachments": {
            name: _stored(part, f"attachment.{name}", tensors) for name, part in potential.attachments.items()
        },
    }


def _stored(part: Any, prefix: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    if not callable(getattr(part, "to_state", None)):
        raise PotentialFileError(
            f"{prefix} ({type(part).__name__}) cannot be stored",
            rule="a part that is stored has a state and a kind",
            mend="give its class kind, to_state and from_state, or leave the part out",
        )
    state: PartState = part.to_state()
    names = {name: f"{prefix}.{name}" for name in state.tensors}
    tensors.update({names[name]: tensor for name, tensor in state.tensors.items()})
    return {"kind": state.kind, "values": state.values, "tensors": names}


def _stored_canary(canary: Canary, prefix: str, tensors: dict[str, Tensor]) -> dict[str, str]:
    if not canary.finite:
        raise PotentialFileError(
            f"{prefix} ({canary.atoms.get_chemical_formula()}) has an energy, force or stress that is not finite",
            rule="a stored potential gives numbers for its canaries",
            mend="see what is wrong with the potential, or give other canaries",
        )
    stored = {
        "positions": torch.tensor(canary.atoms.positions),
        "cell": torch.tensor(canary.atoms.cell.array),
        "pbc": torch.tensor(canary.atoms.pbc),
        "numbers": torch.tensor(canary.atoms.numbers),
        "energy": canary.energy,
        "forces": canary.forces,
    }
    if canary.stress is not None:
        stored["stress"] = canary.stress
    stored |= canary.deviations
    tensors.update({f"{prefix}.{name}": tensor for name, tensor in stored.items()})
    return {name: f"{prefix}.{name}" for name in stored}


def _restored(content: bytes, *, place: str, dtype: torch.dtype, device: torch.device | str) -> Potential:
    document = decode(content, place=place)
    try:
        potential, canaries = _read(document)
    except PotentialFileError as error:
        raise PotentialFileError(error.what, place=place, rule=error.rule, mend=error.mend) from error
    except (AdiabatError, KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise PotentialFileError(
            f"its parts cannot be restored: {type(error).__name__}: {error}",
            place=place,
            rule="each part restores what its kind stored",
            mend="use the adiabat (and the plugins) that wrote the file",
        ) from error
    require_telling(canaries, place=place)
    potential = potential.to(dtype=dtype)
    for index, canary in enumerate(canaries):
        require_same(potential, canary, name=f"canary {index}", place=place)
    return potential.to(device=device)


def _read(document: Document) -> tuple[Potential, list[Canary]]:
    values, tensors = document.values, document.tensors
    canaries = [_read_canary(names, tensors) for names in values["canaries"]]
    potential = Potential(
        [restore(_state(stored, tensors)) for stored in values["parts"]],
        attachments={name: restore(_state(stored, tensors)) for name, stored in values["attachments"].items()},
        metadata=values["metadata"],
        canaries=[canary.atoms for canary in canaries],
    )
    for name, found in (("species", list(potential.species)), ("cutoff", potential.cutoff)):
        if found != values[name]:
            raise PotentialFileError(
                f"its parts have the {name} {found}, the file says {values[name]}",
                rule="a loaded potential is as it was stored",
                mend="use the adiabat (and the plugins) that wrote the file",
            )
    return potential, canaries


def _state(stored: dict[str, Any], tensors: dict[str, Tensor]) -> PartState:
    named = {name: tensors[key] for name, key in stored["tensors"].items()}
    return PartState(stored["kind"], stored["values"], named)


def _read_canary(names: dict[str, str], tensors: dict[str, Tensor]) -> Canary:
    found = {name: tensors[key] for name, key in names.items()}
    structure = {name: found[name].numpy() for name in ("numbers", "positions", "cell", "pbc")}
    deviations = {name: found[name] for name in DEVIATIONS if name in found}
    return Canary(Atoms(**structure), found["energy"], found["forces"], found.get("stress"), deviations)
