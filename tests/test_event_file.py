"""Event files, read back by the rules of their format."""

import struct
from pathlib import Path

import pytest

from adiabat.errors import OutputError
from adiabat.runs import EventFile
from adiabat.runs.event_file import crc32c


def records(folder: Path) -> list[bytes]:
    """The contents, each with its checks."""
    [file] = folder.glob("*tfevents*")
    data, found = file.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        content = data[12 : 12 + length]
        assert unmasked(data[8:12]) == crc32c(data[:8])
        assert unmasked(data[12 + length : 16 + length]) == crc32c(content)
        found.append(content)
        data = data[16 + length :]
    return found


def unmasked(stored: bytes) -> int:
    value = (struct.unpack("<I", stored)[0] - 0xA282EAD8) & 0xFFFFFFFF
    return (value >> 17 | value << 15) & 0xFFFFFFFF


def varint(data: bytes) -> tuple[int, bytes]:
    value, shift = 0, 0
    while True:
        byte, data = data[0], data[1:]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, data


def fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """Number and content of each field of a protocol buffer."""
    found: list[tuple[int, int | bytes]] = []
    while message:
        key, message = varint(message)
        if key & 7 == 0:
            value, message = varint(message)
        else:
            size = {1: 8, 5: 4}.get(key & 7)
            if size is None:
                size, message = varint(message)
            value, message = message[:size], message[size:]
        found.append((key >> 3, value))
    return found


def test_the_check_is_that_of_the_standard() -> None:
    """RFC 3720, appendix B.4; and the check value of the catalogue of parametrised CRC algorithms."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


def test_numbers_stand_in_it_by_tag_and_step(tmp_path: Path) -> None:
    with EventFile(tmp_path / "log") as events:
        events.add({"training/loss": 1.5, "validation/forces": 0.25}, step=300, seconds=12.5)
        events.add({"training/loss": 0.5}, step=70_000, seconds=13.0)
    version, first, second = records(tmp_path / "log")
    assert dict(fields(version))[3] == b"brain.Event:2"
    assert dict(fields(first))[2] == 300
    assert dict(fields(second))[2] == 70_000
    assert struct.unpack("<d", bytes(dict(fields(first))[1])) == (12.5,)
    [(_, summary)] = [field for field in fields(first) if field[0] == 5]
    values = [dict(fields(bytes(value))) for _, value in fields(bytes(summary))]
    found = {value[1]: struct.unpack("<f", bytes(value[2]))[0] for value in values}
    assert found == {b"training/loss": 1.5, b"validation/forces": 0.25}


def test_what_was_written_can_be_read_before_the_end(tmp_path: Path) -> None:
    with EventFile(tmp_path) as events:
        events.add({"a": 1.0}, step=1, seconds=1.0)
        assert len(records(tmp_path)) == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken"):
        EventFile(tmp_path / "taken" / "log")
