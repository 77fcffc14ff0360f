"""The structures of a file, one by one, each with its number in the file."""

import re
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import cast

from ase import Atoms
from ase.io import iread, read
from ase.io.formats import UnknownFileTypeError, filetype, ioformats, open_with_compression
from ase.utils import string2index

from adiabat.errors import ConfigurationError, DataError

UNREADABLE = (OSError, EOFError, zlib.error, UnicodeDecodeError)
PROPERTIES = re.compile(r'\bProperties\s*=\s*"?([^\s"]+)')


def place_of(file: Path, number: int) -> str:
    """How messages name a structure of a file; numbers count from 0."""
    return f"{file}, structure {number}"


def iterate_frames(file: Path, index: str | int | slice = ":") -> Generator[tuple[int, Atoms], None, None]:
    """Yield (number in the file, from 0; structure) of the chosen structures.

    Extended XYZ goes through frame by frame, so that a file of any size is read once, compressed or not, and a fault is
    named with its frame (ASE's own reader stops without a word at a blank line, and seeks back and forth).

    Args:
        file: Whatever ASE reads.
        index: Which structures: a number, a slice, or ASE's text for one (":", "-1", "10:20").

    Raises:
        DataError: The file is missing, empty, of no known format, or a frame is cut short or malformed.
        ConfigurationError: `index` is malformed.
    """
    chosen = _as_slice(index)
    format = _format_of(file)
    if format not in ("xyz", "extxyz"):
        frames = list(enumerate(_other_frames(file, format)))
        yield from frames[chosen]
        return
    if any(bound is not None and bound < 0 for bound in (chosen.start, chosen.stop, chosen.step)):
        wanted = set(range(sum(1 for _ in _xyz_texts(file)))[chosen])
        chosen = slice(None)
    else:
        wanted = None
    with closing(_xyz_texts(file)) as texts:  # a caller may stop, or a frame be refused, before the file's end
        for number, text in islice(enumerate(texts), chosen.start, chosen.stop, chosen.step):
            if wanted is None or number in wanted:
                yield number, _parsed(text, place_of(file, number))


def _as_slice(index: str | int | slice) -> slice:
    if isinstance(index, str):
        with suppress(ValueError):
            index = string2index(index)
    if isinstance(index, str):
        raise ConfigurationError(
            f"'{index}' selects no structures",
            place="index",
            rule="an index is a number, from 0 (-1 is the last), or start:stop:step",
            mend="give such an index",
        )
    return index if isinstance(index, slice) else slice(index, index + 1 or None)


def _format_of(file: Path) -> str:
    rule = "structures are read from a file that holds one or more"
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "does not exist"
        raise DataError(what, place=str(file), rule=rule, mend="name a file of structures")
    if file.stat().st_size == 0:
        raise DataError("is empty", place=str(file), rule=rule, mend="see why nothing was written to it")
    try:
        format = filetype(str(file), read=True)
    except UnknownFileTypeError:
        format = "unknown"
    except UNREADABLE as error:
        raise _unreadable(file, error) from None
    if format not in ioformats:
        what, mend = _of_ours(file) or ("has a format that ASE does not know", "convert it to extended XYZ")
        raise DataError(what, place=str(file), rule="structures are read by ASE", mend=mend)
    return format


def _of_ours(file: Path) -> tuple[str, str] | None:
    """What to say of a file of a kind that adiabat writes, and how to mend it; by its first bytes."""
    with file.open("rb") as handle:
        head = handle.read(10)
    if head[8:] == b'{"':  # after the length of what follows
        return "is a safetensors file, as potentials and checkpoints are", "name a file of structures here"
    if head.startswith(b"\x89HDF"):
        return (
            "is an HDF5 file, as the trajectory of a run is",
            f"make extended XYZ of it, adiabat.simulate.trajectory_to_xyz('{file}', 'frames.xyz'), or name the "
            "last_frame.xyz of the run",
        )
    return None


def _unreadable(file: Path, error: Exception) -> DataError:
    return DataError(
        f"cannot be read: {error}",
        place=str(file),
        rule="structures are read by ASE, compressed or not",
        mend="see whether the file is whole and not damaged",
    )


def _xyz_texts(file: Path) -> Generator[str, None, None]:
    try:
        with open_with_compression(str(file), "r") as handle:
            yield from _split(file, handle)
    except UNREADABLE as error:
        raise _unreadable(file, error) from None


def _split(file: Path, lines: Iterator[str]) -> Iterator[str]:
    number = 0
    for header in lines:
        if not header.strip():
            continue
        place = place_of(file, number)
        atoms = int(header) if header.strip().isdecimal() else 0
        if atoms < 1:
            raise DataError(
                f"begins with {header.strip()[:60]!r}",
                place=place,
                rule="a frame begins with its number of atoms, one or more, alone on a line",
                mend="see whether the frame before it holds as many atoms as its first line says",
            )
        body = list(islice(lines, atoms + 1))
        if len(body) < atoms + 1:
            raise DataError(
                f"ends after {max(len(body) - 1, 0)} of {atoms} atoms",
                place=place,
                rule="a frame is whole",
                mend="the file was cut short: copy it again, or remove its last frame",
            )
        _require_columns(body, place)
        yield header + "".join(body)
        number += 1


def _require_columns(body: list[str], place: str) -> None:
    """Refuse rows that do not have the columns that the frame declares: ASE drops those that are too many."""
    declared = PROPERTIES.search(body[0])
    try:
        expected = sum(int(width) for width in declared[1].split(":")[2::3]) if declared else 4
    except ValueError:
        raise DataError(
            f"declares the columns {declared and declared[1]!r}",
            place=place,
            rule="columns are declared as Properties=name:type:width:name:type:width ...",
            mend="mend the declaration",
        ) from None
    for atom, row in enumerate(body[1:]):
        columns = len(row.split())
        if columns < expected or (columns > expected and declared):
            raise DataError(
                f"atom {atom} has {columns} columns: {row.strip()[:60]!r}",
                place=place,
                rule=f"the frame declares {expected} columns",
                mend="mend the number of atoms, the Properties, or the row",
            )


def _parsed(text: str, place: str) -> Atoms:
    try:
        atoms = read(StringIO(text), index=0, format="extxyz")
    except Exception as error:  # ASE's readers raise whatever their parsing meets
        raise _malformed(error, place) from None
    return cast(Atoms, atoms)  # one index gives one structure


def _other_frames(file: Path, format: str) -> Iterator[Atoms]:
    number = 0
    try:
        for atoms in iread(str(file), index=":", format=format, do_not_split_by_at_sign=True):
            yield atoms
            number += 1
    except Exception as error:  # as above
        raise _malformed(error, place_of(file, number)) from None


def _malformed(error: Exception, place: str) -> DataError:
    said = (
        f"unknown element or column type {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
    )
    return DataError(
        f"cannot be read ({said})",
        place=place,
        rule="a frame is as its format says",
        mend="mend or remove this frame",
    )
