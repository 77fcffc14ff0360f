"""The ledger of a label store for those who look on: read, and nothing else, while another process writes."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from adiabat.errors import LabelStoreError
from adiabat.learning.store import State
from adiabat.learning.structure_json import from_json

BUSY_S = 5.0
"""That a reader waits for one who writes."""


@dataclass(frozen=True)
class Entry:
    """One request.

    Attributes:
        number: In the order in which they were asked for.
        config_type: Of the structure.
        group: Of the structure.
        atoms: The structure.
        state: What became of it.
        reason: Why it has no label, where it has none.
        seconds: That the oracle took; None where it gave no answer.
        asked_at: Seconds since 1970.
    """

    number: int
    config_type: str
    group: str | None
    atoms: Atoms
    state: State
    reason: str | None
    seconds: float | None
    asked_at: float


def read_ledger(store_file: Path) -> tuple[Entry, ...]:
    """All requests; none where there is no store yet.

    Raises:
        LabelStoreError: It cannot be read.
    """
    rows = _rows(store_file, "request, config_type, group_name, structure, state, reason, seconds, asked_at")
    return tuple(
        Entry(number, kind, group, from_json(json.loads(structure)), *rest)
        for number, kind, group, structure, *rest in rows
    )


@dataclass(frozen=True)
class Counts:
    """Of the requests.

    Attributes:
        by_state: How many.
        answered: That the oracle took time for.
        seconds: That it took.
    """

    by_state: dict[State, int]
    answered: int
    seconds: float

    @property
    def requests(self) -> int:
        """In all."""
        return sum(self.by_state.values())

    def of(self, state: State) -> int:
        """In this state."""
        return self.by_state.get(state, 0)


def count_ledger(store_file: Path) -> Counts:
    """Without the structures: quick; raises as `read_ledger`."""
    rows = _rows(store_file, "state, seconds")
    spent = [seconds for _, seconds in rows if seconds is not None]
    return Counts(Counter(state for state, _ in rows), len(spent), sum(spent))


def _rows(store_file: Path, columns: str) -> Sequence[tuple]:
    if not store_file.exists():
        return ()
    uri = f"{store_file.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            return connection.execute(f"SELECT {columns} FROM ledger ORDER BY request").fetchall()
    except sqlite3.DatabaseError as error:
        raise LabelStoreError(
            f"cannot be read: {error}",
            place=str(store_file),
            rule="a store of labels is an SQLite file that adiabat made",
            mend="see whether the run goes on; a store that a kill left is mended when it does",
        ) from error
