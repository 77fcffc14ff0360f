"""The thermodynamic log: a CSV file, one line per observation."""

import csv
import os
import time
from pathlib import Path
from typing import Self

import numpy as np

from adiabat.errors import CheckpointError, DataError, OutputError
from adiabat.simulate.observe import COLUMNS, Observation
from adiabat.typing import FloatArray

ALWAYS = ("step", "time_fs", "temperature_k")
SECONDS_PER_WRITE = 1.0


class ThermoLog:
    """Appends observations, in whole lines, every second or so; what is not available is an empty field.

    Attributes:
        file: The CSV file; its first line names the columns, units included.
        size: Bytes so far, those not yet written among them.
    """

    def __init__(self, file: Path, *, size: int) -> None:
        self.file, self.size = file, size
        self._waiting: list[bytes] = []
        self._written = time.monotonic()

    @classmethod
    def create(cls, file: Path) -> Self:
        """A new log with its heading; an old one is written over."""
        log = cls(file, size=0)
        log._append(",".join(COLUMNS) + "\n")
        log.flush()
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
        """Take one line, and write those that wait after a while; raises as `flush`."""
        values = [getattr(seen, name) for name in COLUMNS]
        self._append(",".join("" if value is None else repr(value) for value in values) + "\n")
        if time.monotonic() - self._written > SECONDS_PER_WRITE:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait.

        Raises:
            OutputError: The disk is full, or the folder has gone.
        """
        if not self._waiting:
            return
        content = b"".join(self._waiting)
        start = self.size - len(content)
        try:
            with self.file.open("r+b" if start else "wb") as handle:
                handle.seek(start)
                handle.write(content)
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                place=str(self.file),
                rule="a run goes on while it can be written down",
                mend="free some space, then --resume",
            ) from error
        self._waiting = []
        self._written = time.monotonic()

    def _append(self, line: str) -> None:
        self._waiting.append(line.encode())
        self.size += len(self._waiting[-1])


def read_log(file: Path | str) -> dict[str, FloatArray]:
    """The columns of a log by name; NaN where a value is not available. A last line that was cut short is left out.

    Raises:
        DataError: The file is no log.
    """
    with Path(file).open(newline="") as handle:
        rows = list(csv.reader(handle))
    columns = tuple(rows[0]) if rows else ()
    if columns[: len(ALWAYS)] != ALWAYS:
        raise DataError(
            "is no thermodynamic log",
            place=str(file),
            rule=f"its first line begins with {','.join(ALWAYS)}",
            mend="name the thermo.csv of a run",
        )
    whole = [row for row in rows[1:] if len(row) == len(columns)]
    table = np.array([[float(value or "nan") for value in row] for row in whole]).reshape(-1, len(columns))
    return dict(zip(columns, table.T, strict=True))
