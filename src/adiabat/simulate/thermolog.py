"""The thermodynamic log: a CSV file, one line per observation."""

import csv
import os
from pathlib import Path
from typing import Self

import numpy as np

from adiabat.errors import CheckpointError, DataError, OutputError
from adiabat.simulate.observe import COLUMNS, Observation
from adiabat.typing import FloatArray


class ThermoLog:
    """Appends observations, each whole and at once on disk; what is not available is an empty field.

    Attributes:
        file: The CSV file; its first line names the columns, units included.
        size: Bytes written so far.
    """

    def __init__(self, file: Path, *, size: int) -> None:
        self.file, self.size = file, size

    @classmethod
    def create(cls, file: Path) -> Self:
        """A new log with its heading; an old one is written over."""
        log = cls(file, size=0)
        log._write(",".join(COLUMNS) + "\n")
        return log

    @classmethod
    def resume(cls, file: Path, *, size: int) -> Self:
        """The log as it was when it had `size` bytes.

        Raises:
            CheckpointError: It is missing or shorter.
        """
        found = file.stat().st_size if file.is_file() else 0
        if found < size:
            raise CheckpointError(
                f"has {found} bytes, the checkpoint counts {size}",
                place=str(file),
                rule="a run is resumed with the files that it wrote",
                mend="put the file back, or start a new run in another folder",
            )
        os.truncate(file, size)
        return cls(file, size=size)

    def append(self, seen: Observation) -> None:
        """Write one line.

        Raises:
            OutputError: The disk is full, or the folder has gone.
        """
        values = [getattr(seen, name) for name in COLUMNS]
        self._write(",".join("" if value is None else repr(value) for value in values) + "\n")

    def _write(self, text: str) -> None:
        content = text.encode()
        try:
            with self.file.open("r+b" if self.size else "wb") as handle:
                handle.seek(self.size)
                handle.write(content)
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                place=str(self.file),
                rule="a run goes on while it can be written down",
                mend="free some space, then --resume",
            ) from error
        self.size += len(content)


def read_log(file: Path | str) -> dict[str, FloatArray]:
    """The columns of a log by name; NaN where a value is not available.

    Raises:
        DataError: The file is no log.
    """
    with Path(file).open(newline="") as handle:
        rows = list(csv.reader(handle))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise DataError(
            "is no thermodynamic log",
            place=str(file),
            rule=f"its first line is {','.join(COLUMNS)}",
            mend="name the thermo.csv of a run",
        )
    table = np.array([[float(value or "nan") for value in row] for row in rows[1:]]).reshape(-1, len(COLUMNS))
    return dict(zip(COLUMNS, table.T, strict=True))
