"""The label store: an ASE database of labels and, in the same file, a ledger of every label that was asked for."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.stress import full_3x3_to_voigt_6_stress

from adiabat.data import fingerprint
from adiabat.errors import LabelStoreError
from adiabat.learning.answer import Answer, Code
from adiabat.learning.structure_json import from_json, to_json
from adiabat.system import Labelled, Labels

State = Literal["asked", "running", "done", "failed", "rejected"]
"""Rejected by the gate: the structure before it was asked about, or the answer."""
TABLES = """
CREATE TABLE IF NOT EXISTS ledger (
    request INTEGER PRIMARY KEY,
    fingerprint TEXT UNIQUE NOT NULL,
    structure TEXT NOT NULL,
    config_type TEXT NOT NULL,
    group_name TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    asked_at REAL NOT NULL,
    ended_at REAL,
    seconds REAL,
    label INTEGER
);
CREATE TABLE IF NOT EXISTS made_by (code TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Request:
    """A label that was asked for.

    Attributes:
        number: In the ledger.
        structure: Without labels.
        attempts: Made so far.
    """

    number: int
    structure: Labelled
    attempts: int


class LabelStore:
    """Labels of one code with one choice of settings; each change is written whole or not at all.

    Args:
        file: An SQLite file; is made where there is none.

    Raises:
        LabelStoreError: The file is something else.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._labels: Any = connect(file, type="db", use_lock_file=False)
        with self._transaction() as connection:
            connection.executescript(TABLES)
            self._code = self._stored_code(connection)

    def require_same_code(self, code: Code) -> None:
        """Labels of one store are of one surface: note the code with the first, refuse another one with the others.

        Raises:
            LabelStoreError: It holds labels of another code, another version or other settings.
        """
        if self._code is None:
            with self._transaction() as connection:
                connection.execute("INSERT INTO made_by VALUES (?)", [json.dumps(asdict(code))])
            self._code = code
        if self._code == code:
            return
        differing = [name for name, value in _flat(self._code).items() if _flat(code).get(name) != value]
        differing += [name for name in _flat(code) if name not in _flat(self._code)]
        said = ", ".join(
            f"{name}: {_flat(self._code).get(name)} there, {_flat(code).get(name)} now" for name in differing
        )
        raise LabelStoreError(
            f"holds labels that were made otherwise ({said})",
            place=str(self.file),
            rule="labels of one set are of one functional, cutoff, smearing and density of k-points: of one surface",
            mend="take the settings back, or name another store",
        )

    def ask(self, structures: Sequence[Labelled]) -> int:
        """Enter structures that are not in the ledger yet, and say how many they are."""
        rows = [(identity(s), json.dumps(to_json(s.atoms)), s.config_type, s.group) for s in structures]
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO ledger (fingerprint, structure, config_type, group_name, state, asked_at) "
                "VALUES (?, ?, ?, ?, 'asked', ?)",
                [(*row, time.time()) for row in rows],
            )
            return connection.total_changes - before

    def known(self) -> set[str]:
        """Identities of all structures in the ledger."""
        with self._transaction() as connection:
            return {fingerprint for (fingerprint,) in connection.execute("SELECT fingerprint FROM ledger")}

    def take_back(self) -> int:
        """Requests that were running when a process was killed are to be asked again; says how many."""
        with self._transaction() as connection:
            return connection.execute("UPDATE ledger SET state = 'asked' WHERE state = 'running'").rowcount

    def open_requests(self) -> list[Request]:
        """Those that are still to be asked, in their order."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT request, structure, config_type, group_name, attempts FROM ledger WHERE state = 'asked' ORDER BY request"
            ).fetchall()
        return [Request(number, self._structure(number, *of), attempts) for number, *of, attempts in rows]

    def start(self, request: Request) -> None:
        """Note that it is being computed."""
        self._change(request, "running", attempts=request.attempts + 1)

    def release(self, request: Request) -> None:
        """Note that it is to be asked again."""
        self._change(request, "asked")

    def fail(self, request: Request, reason: str) -> None:
        """Note that there is no label, and why."""
        self._change(request, "failed", reason=reason, ended_at=time.time())

    def reject(self, request: Request, reason: str, *, seconds: float | None = None) -> None:
        """Note that the gate holds it back, and why."""
        self._change(request, "rejected", reason=reason, ended_at=time.time(), seconds=seconds)

    def finish(self, request: Request, answer: Answer) -> None:
        """Store a label and note it in the ledger, both or neither."""
        with self._transaction() as connection:
            row = self._labels.write(
                _with_labels(request.structure.atoms, answer), request=request.number, data=_origin(answer)
            )
            connection.execute(
                "UPDATE ledger SET state = 'done', reason = NULL, ended_at = ?, seconds = ?, label = ? WHERE request = ?",
                (time.time(), answer.seconds, row, request.number),
            )

    def labelled(self) -> list[Labelled]:
        """What is done, in the order in which it was asked for."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT request, config_type, group_name, label FROM ledger WHERE state = 'done' ORDER BY request"
            ).fetchall()
        return [self._label(*row) for row in rows]

    def counts(self) -> dict[State, int]:
        """Requests by state."""
        with self._transaction() as connection:
            found: dict[State, int] = Counter(s for (s,) in connection.execute("SELECT state FROM ledger"))
        return found

    def reasons(self, state: State) -> list[tuple[str, str]]:
        """(structure, reason) of what failed or was rejected."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT request, config_type, reason FROM ledger WHERE state = ? ORDER BY request", [state]
            ).fetchall()
        return [(self._place(number, config_type), reason) for number, config_type, reason in rows]

    def seconds(self) -> float:
        """That all labels took together, the rejected ones included."""
        with self._transaction() as connection:
            [(found,)] = connection.execute("SELECT TOTAL(seconds) FROM ledger")
        return float(found)

    @property
    def code(self) -> Code | None:
        """What made the labels; None before the first."""
        return self._code

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block or nothing of it; ASE's own writes are in it."""
        try:
            with self._labels:
                yield self._labels.connection
        except sqlite3.DatabaseError as error:
            raise LabelStoreError(
                f"cannot be read or written: {error}",
                place=str(self.file),
                rule="a store of labels is an SQLite file that adiabat made, on a disk with room",
                mend="free some space, or name another file",
            ) from error

    def _change(self, request: Request, state: State, **values: Any) -> None:
        columns = {"state": state, **values}
        with self._transaction() as connection:
            connection.execute(
                f"UPDATE ledger SET {', '.join(f'{name} = ?' for name in columns)} WHERE request = ?",
                [*columns.values(), request.number],
            )

    def _stored_code(self, connection: sqlite3.Connection) -> Code | None:
        rows = connection.execute("SELECT code FROM made_by").fetchall()
        return Code(**json.loads(rows[0][0])) if rows else None

    def _structure(self, number: int, structure: str, config_type: str, group: str | None) -> Labelled:
        atoms = from_json(json.loads(structure))
        return Labelled(atoms, config_type=config_type, group=group, place=self._place(number, config_type))

    def _place(self, number: int, config_type: str) -> str:
        return f"{self.file.name}, request {number} ({config_type})"

    def _label(self, number: int, config_type: str, group: str | None, row: int) -> Labelled:
        atoms = self._labels.get_atoms(row)
        results = atoms.calc.results
        atoms.calc = None
        stress = results.get("stress")
        full = None if stress is None else stress[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]]
        labels = Labels(float(results["free_energy"]), results["forces"], full)
        return Labelled(atoms, labels, config_type, group, self._place(number, config_type))


def identity(structure: Labelled) -> str:
    """Of a structure, whatever its labels: atoms in the same order at the same places, to 1e-8 Å."""
    return fingerprint([Labelled(structure.atoms)])


def _with_labels(atoms: Atoms, answer: Answer) -> Atoms:
    """For the database: ASE's free energy is the one whose derivatives forces are, its energy the extrapolated one."""
    labels, found = answer.labels, atoms.copy()
    values = {"energy": answer.extrapolated_energy_ev, "free_energy": labels.energy, "forces": labels.forces}
    if labels.stress is not None:
        values["stress"] = full_3x3_to_voigt_6_stress(labels.stress)
    found.calc = SinglePointCalculator(found, **values)
    return found


def _origin(answer: Answer) -> dict[str, Any]:
    return {
        "converged": answer.converged,
        "seconds": answer.seconds,
        "names_force_consistent_energy": answer.names_force_consistent_energy,
    }


def _flat(code: Code) -> dict[str, Any]:
    return {"code": code.code, "version": code.version, **code.settings}
