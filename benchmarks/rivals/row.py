"""What is measured of one entry."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from adiabat.runs import atomic_write_text
from adiabat.typing import FloatArray
from rivals.catalogue import ENTRIES, Entry


@dataclass
class Row:
    """Filled in as the benchmark goes on.

    Attributes:
        entry: Of whom.
        how: Where the model is from.
        training_s: Processor seconds; None for published coefficients.
        versions: Of the packages that matter.
        energy_mae: meV/atom on the test set.
        force_mae: eV/Å on the test set.
        microseconds: Per atom and step, of each round.
        problem: Why it was not measured, where it was not.
    """

    entry: Entry
    how: str = ""
    training_s: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    energy_mae: float | None = None
    force_mae: float | None = None
    microseconds: list[float] = field(default_factory=list)
    problem: str | None = None

    def compare(self, answer: dict[str, Any], test: Sequence[Atoms]) -> None:
        """Take the errors of predictions: of energies per atom, and of all components of forces."""
        energies = [
            (energy - atoms.info["REF_energy"]) / len(atoms)
            for energy, atoms in zip(answer["energies"], test, strict=True)
        ]
        forces = [
            np.asarray(found) - atoms.arrays["REF_forces"] for found, atoms in zip(answer["forces"], test, strict=True)
        ]
        self.energy_mae = 1000 * float(np.abs(energies).mean())
        self.force_mae = float(np.abs(np.concatenate(forces)).mean())

    @property
    def speed(self) -> float | None:
        """Median µs per atom and step."""
        return float(np.median(self.microseconds)) if self.microseconds else None

    def slower_than(self, other: "Row") -> FloatArray | None:
        """The quartiles of how many times the other's time it takes, round by round."""
        if not self.microseconds or not other.microseconds:
            return None
        return np.quantile(np.divide(self.microseconds, other.microseconds), [0.25, 0.5, 0.75])


def save_rows(file: Path, said: str, rows: Sequence[Row]) -> None:
    """Keep what was measured."""
    kept = [vars(row) | {"entry": [row.entry.label, row.entry.precision]} for row in rows]
    atomic_write_text(file, json.dumps({"said": said, "rows": kept}, indent=1))


def load_rows(file: Path) -> tuple[str, list[Row]]:
    """What was kept."""
    found = json.loads(file.read_text())
    entries = {(entry.label, entry.precision): entry for entry in ENTRIES}
    return found["said"], [Row(**(kept | {"entry": entries[tuple(kept["entry"])]})) for kept in found["rows"]]
