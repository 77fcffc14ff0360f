"""The journal of a run: what it did from when on and how long, so that anyone can see it, while it runs and afterwards."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from adiabat.runs import atomic_write_text

Phase = Literal["estimating", "labelling", "training", "exploring", "validating"]


@dataclass(frozen=True)
class Stretch:
    """What a run did without a break.

    Attributes:
        phase: What.
        generation: Of which; None where it is of none.
        began_at: Seconds since 1970.
        seconds: That it took; None where it is under way, or was cut short by a kill.
    """

    phase: Phase
    generation: int | None
    began_at: float
    seconds: float | None


class Journal:
    """Written whole with each entry.

    Args:
        file: Is made with the first one.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def during(self, phase: Phase, generation: int | None = None) -> Iterator[None]:
        """Note the block, at its beginning and, where it ends well, at its end."""
        before, began_at = read_journal(self.file), time.time()
        self._write((*before, Stretch(phase, generation, began_at, None)))
        start = time.monotonic()
        yield
        self._write((*before, Stretch(phase, generation, began_at, time.monotonic() - start)))

    def _write(self, stretches: tuple[Stretch, ...]) -> None:
        lines = ",\n".join(json.dumps(asdict(one)) for one in stretches)
        atomic_write_text(self.file, f"[\n{lines}\n]\n")


def read_journal(file: Path) -> tuple[Stretch, ...]:
    """All entries, the first one first; none where there is no file."""
    if not file.exists():
        return ()
    return tuple(Stretch(**one) for one in json.loads(file.read_text()))


def seconds_of(stretches: tuple[Stretch, ...], phase: Phase) -> float:
    """That went into a phase; what a kill cut short is not counted."""
    return sum(one.seconds for one in stretches if one.phase == phase and one.seconds is not None)
