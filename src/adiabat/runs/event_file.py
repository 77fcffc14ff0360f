"""Event files, as TensorBoard reads them: numbers by name and step.

A file is a series of records: length (8 bytes, little-endian), its masked CRC-32C, the content, its masked CRC-32C (TensorFlow,
`tensorflow/core/lib/io/record_writer.h`). The content is a message of `event.proto`: 1 wall time, 2 step, 3 version of the file,
5 summary; of which (`summary.proto`) 1 is a value, with 1 its tag and 2 a number in single precision.
"""

import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from adiabat.errors import OutputError

POLYNOMIAL = 0x82F63B78
"""Castagnoli's, reversed (RFC 3720, appendix B.4)."""
MASK = 0xA282EAD8
NAME = "events.out.tfevents.0000000000.adiabat"
"""TensorBoard looks for the second and third word."""


class EventFile:
    """Written record by record, so that it can be read while a run goes on.

    Args:
        folder: Is made where it is missing; an event file of an earlier run of adiabat in it is replaced.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = self._file.open("wb")
        except OSError as error:
            raise _unwritable(self._file, error) from error
        self._write(_double(1, time.time()) + _bytes(3, b"brain.Event:2"))

    def add(self, values: Mapping[str, float], *, step: int, seconds: float) -> None:
        """Numbers of one step.

        Args:
            values: By tag; what stands before the first slash groups them.
            step: Of the run.
            seconds: Its time, since 1970.

        Raises:
            OutputError: The file cannot be written.
        """
        summary = b"".join(_bytes(1, _bytes(1, tag.encode()) + _single(2, value)) for tag, value in values.items())
        self._write(_double(1, seconds) + _integer(2, step) + _bytes(5, summary))

    def close(self) -> None:
        """Nothing can be added any more."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, content: bytes) -> None:
        length = struct.pack("<Q", len(content))
        try:
            self._stream.write(length + _masked(length) + content + _masked(content))
            self._stream.flush()
        except OSError as error:
            raise _unwritable(self._file, error) from error


def crc32c(content: bytes) -> int:
    """The cyclic redundancy check of Castagnoli's polynomial."""
    value = 0xFFFFFFFF
    for byte in content:
        value = TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = tuple(_table_entry(byte) for byte in range(256))


def _masked(content: bytes) -> bytes:
    value = crc32c(content)
    return struct.pack("<I", ((value >> 15 | value << 17) + MASK) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _single(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _unwritable(file: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot be written: {error.strerror}",
        place=str(file),
        rule="events are written to a file in a folder",
        mend="name another folder, or make room for it",
    )
