"""A trial of the oracle, on a structure that it will be asked for anyway: the answer is kept as a label of the run."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adiabat.errors import OracleError
from adiabat.learning.label import label
from adiabat.learning.ledger import Entry, read_ledger
from adiabat.learning.oracle import Oracle
from adiabat.learning.resources import largest_ended_process_bytes
from adiabat.learning.store import identity
from adiabat.learning.workers import Workers
from adiabat.system import Labelled

ATTEMPTS = 8


@dataclass(frozen=True)
class OracleTrial:
    """What was measured.

    Attributes:
        atoms: Of the structure.
        seconds: Of its label.
        lone_atom_seconds: Of the labels of all isolated atoms together.
        begin_seconds: Until a process of the oracle is ready.
        memory_bytes: That such a process held on this machine, at the most.
        scaling: The time of others is assumed to grow with this power of the number of atoms.
    """

    atoms: int
    seconds: float
    lone_atom_seconds: float
    begin_seconds: float
    memory_bytes: int
    scaling: float

    def seconds_of(self, atoms: int) -> float:
        """Of the label of a structure with so many atoms."""
        return self.seconds * (atoms / self.atoms) ** self.scaling


def try_oracle(first: Sequence[Labelled], oracle: Oracle, store_file: Path, *, workers: Workers) -> OracleTrial:
    """Label the isolated atoms and one of the structures around the start; where that fails, another one.

    Not the start itself: of a perfect crystal, a code that uses symmetry computes a small part of what it computes of all others.

    Args:
        first: That is labelled before the first training.
        oracle: What labels.
        store_file: The label store.
        workers: How labels are computed.

    Raises:
        OracleError: It does not start, or gives no label of several structures.
    """
    lone = [one for one in first if one.is_isolated_atom]
    others = [one for one in first if not one.is_isolated_atom]
    middle = len(others) // 2  # squeezed ones, which are harder, come first
    for place, structure in enumerate([*others[middle:], *others[:middle]][:ATTEMPTS]):
        asked = [structure] if place else [*lone, structure]
        begin = time.perf_counter()
        if label(asked, oracle, store_file, workers=workers, quiet=True).open:
            raise KeyboardInterrupt
        by_clock = time.perf_counter() - begin
        entries = {identity(Labelled(one.atoms)): one for one in read_ledger(store_file)}
        trial = entries[identity(structure)]
        if trial.state == "done":
            answered = sum(_seconds(entries[identity(one)]) for one in asked)
            return OracleTrial(
                atoms=len(structure.atoms),
                seconds=_seconds(trial),
                lone_atom_seconds=sum(_seconds(entries[identity(one)]) for one in lone),
                begin_seconds=max(by_clock - answered, 0.0),
                memory_bytes=largest_ended_process_bytes() if workers.cluster is None else 0,
                scaling=oracle.scaling,
            )
    raise OracleError(
        f"a trial gave no label of {place + 1} structures; of the last one: {trial.reason}",
        place=f"{oracle.name}, {structure.place}",
        rule="a run begins with an oracle that labels structures around its start",
        mend="try it by `adiabat doctor`, and change its settings or the start structure",
    )


def _seconds(entry: Entry) -> float:
    return entry.seconds or 0.0
