"""The bytes of a potential file: a safetensors file whose metadata hold one JSON document, under a checksum.

The checksum is the SHA-256 of the whole file with the checksum itself written as zeros, so that any changed byte is found.
Nothing in a file is ever run: there is JSON, there are numbers, and that is all.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from adiabat.errors import PotentialFileError

FORMAT = "adiabat potential"
FORMAT_VERSION = 1
METADATA_KEY = "adiabat"
NO_CHECKSUM = "0" * 64
LENGTH_BYTES = 8


@dataclass(frozen=True)
class Document:
    """What a potential file holds.

    Attributes:
        values: JSON values.
        tensors: By name, as `values` refer to them.
    """

    values: dict[str, Any]
    tensors: dict[str, Tensor]


def encode(document: Document) -> bytes:
    """The bytes of the file; the same document gives the same bytes.

    Raises:
        PotentialFileError: A value is not one that JSON has (a NaN among them), a tensor is none or of an unknown type.
    """
    values = document.values | {"format": FORMAT, "format_version": FORMAT_VERSION, "checksum": NO_CHECKSUM}
    try:
        text = json.dumps(values, sort_keys=True, allow_nan=False)
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in document.tensors.items()}
        content = safetensors.torch.save(tensors, metadata={METADATA_KEY: text})
    except (TypeError, ValueError, AttributeError, KeyError, SafetensorError) as error:
        raise PotentialFileError(
            f"the potential cannot be stored: {error}",
            rule="a part's state is JSON values and tensors",
            mend="mend the part's to_state",
        ) from error
    return content.replace(NO_CHECKSUM.encode(), hashlib.sha256(content).hexdigest().encode(), 1)


def decode(content: bytes, *, place: str) -> Document:
    """The inverse of `encode`.

    Raises:
        PotentialFileError: Empty, foreign, newer than this version, or damaged.
    """
    if not content:
        raise PotentialFileError(
            "is empty", place=place, rule="a potential file is what `adiabat train` writes", mend="name another file"
        )
    values = _values(content, place)
    _require_known_version(values.get("format_version"), place)
    _require_whole(content, values.get("checksum"), place)
    try:
        return Document(values, safetensors.torch.load(content))
    except SafetensorError as error:
        raise PotentialFileError(
            f"its tensors cannot be read: {error}",
            place=place,
            rule="a potential file is a safetensors file",
            mend="copy it again from where it came from",
        ) from error


def _values(content: bytes, place: str) -> dict[str, Any]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    try:
        header = json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length])
        values = json.loads(header["__metadata__"][METADATA_KEY])
    except (ValueError, KeyError, TypeError, RecursionError):
        values = None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise PotentialFileError(
            "holds no adiabat potential, or its beginning is damaged",
            place=place,
            rule="a potential file is a safetensors file with adiabat's own header",
            mend="name a file that `adiabat train` or `potential.save` wrote",
        )
    return values


def _require_known_version(found: Any, place: str) -> None:
    if not isinstance(found, int) or found < 1:
        raise PotentialFileError(
            f"has the format version {found!r}",
            place=place,
            rule="a version is 1, 2, 3 ...",
            mend="write the file again with the adiabat that made it",
        )
    if found > FORMAT_VERSION:
        raise PotentialFileError(
            f"has the format version {found}",
            place=place,
            rule=f"adiabat {version('adiabat')} reads versions up to {FORMAT_VERSION}",
            mend="use a newer adiabat",
        )


def _require_whole(content: bytes, checksum: Any, place: str) -> None:
    blank = content.replace(str(checksum).encode(), NO_CHECKSUM.encode(), 1)
    found = hashlib.sha256(blank).hexdigest()
    if found != checksum:
        raise PotentialFileError(
            f"is damaged: its checksum is {found[:12]}..., not {str(checksum)[:12]}...",
            place=place,
            rule="a file is as it was written, to the last byte",
            mend="copy it again from where it came from",
        )
