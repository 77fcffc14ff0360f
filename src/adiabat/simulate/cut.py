"""Trajectories that were cut short: which of their frames are still whole."""

import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
END_OF_FILE = 28
"""Where a superblock of version 2 or 3 says how long the file is (HDF5 File Format Specification, II.A)."""


@contextmanager
def whole_or_mended(file: Path) -> Iterator[tuple[Path, int | None]]:
    """The file, and None; or, where it is shorter than it says, a copy that HDF5 opens, and the length of what is real in it.

    HDF5 itself reads what is missing as zeros where a file may be read while it is written, as trajectories may.
    """
    length, said = file.stat().st_size, _said_length(file)
    if said is None or length >= said:
        yield file, None
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        shutil.copyfile(file, copy)
        with copy.open("r+b") as handle:
            handle.truncate(said)
        yield copy, length


def frames_before(handle: h5py.File, names: Sequence[str], *, frames: int, length: int) -> int:
    """How many of the frames lie before `length` in the file, in all of these data sets."""
    return min(_rows_before(cast(h5py.Dataset, handle[name]), frames, length) for name in names)


def _rows_before(dataset: h5py.Dataset, frames: int, length: int) -> int:
    rows = dataset.chunks[0] if dataset.chunks else max(frames, 1)
    for start in range(0, frames, rows):
        try:
            chunk = dataset.id.get_chunk_info_by_coord((start, *(0,) * (dataset.ndim - 1)))
        except (RuntimeError, ValueError, OSError):  # the list of chunks itself is cut here
            return start
        if chunk.byte_offset is None or chunk.byte_offset + chunk.size > length:
            return start
    return frames


def _said_length(file: Path) -> int | None:
    """Bytes; None where the file is none that HDF5's later versions write."""
    with file.open("rb") as handle:
        start = handle.read(END_OF_FILE + 8)
    if len(start) < END_OF_FILE + 8 or not start.startswith(SIGNATURE) or start[8] not in (2, 3):
        return None
    return int(struct.unpack_from("<Q", start, END_OF_FILE)[0])
