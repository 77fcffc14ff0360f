"""ASE calculators that go wrong, each in its own way; an oracle's process imports them."""

import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.emt import EMT

LOT = ("raises", "says that it did not converge", "dies", "sleeps", "NaN", "nonsense", "net force", "one force too few")


class Faulty(EMT):
    """EMT with a fault.

    Args:
        fault: Its name; "by lot in FILE" draws one for one of three calculations, and writes it into the file.
        counter: A file that counts what was asked for.
    """

    def __init__(self, fault: str, counter: str | None = None) -> None:
        super().__init__()
        self.fault = fault
        self.counter = counter
        self.lot = Path(fault.removeprefix("by lot in ")) if fault.startswith("by lot in ") else None
        self.converged = fault != "does not converge"
        if fault == "one energy":
            self.implemented_properties = ["energy", "forces", "stress"]

    def calculate(self, *arguments: Any, **options: Any) -> None:
        asked = self._count()
        if self.lot is not None:
            self.fault = self._drawn()
        if self.fault == "raises":
            raise RuntimeError("a wrong input")
        if self.fault == "says that it did not converge":
            raise RuntimeError("SCF did not converge")
        if self.fault == "dies" or (self.fault == "dies once" and asked % 2):
            os._exit(7)
        if self.fault == "sleeps":
            time.sleep(60)
        if self.fault == "slow":
            time.sleep(0.1)
        if self.fault == "prints":
            print("{}\nwelcome to a code that talks")
        super().calculate(*arguments, **options)
        self._spoil()

    def _drawn(self) -> str:
        """One of three times a fault, which is written down."""
        fault = random.choice(LOT) if random.random() < 1 / 3 else "none"
        if fault != "none" and self.lot is not None:
            with self.lot.open("a") as file:
                file.write(fault + "\n")
        return fault

    def _count(self) -> int:
        if self.counter is None:
            return 0
        asked = int(Path(self.counter).read_text()) + 1
        Path(self.counter).write_text(str(asked))
        return asked

    def _spoil(self) -> None:
        forces = self.results["forces"]
        if self.fault == "NaN":
            forces[0, 0] = np.nan
        if self.fault == "nonsense":
            self.results["energy"] = self.results["free_energy"] = 1e6
        if self.fault == "net force":
            self.results["forces"] = forces + np.array([1.0, 0.0, 0.0])
        if self.fault == "one force too few":
            self.results["forces"] = forces[:-1]
        if self.fault == "forces of the wrong sign":
            self.results["forces"] = -forces
        if self.fault == "one energy":
            self.results["energy"] = self.results.pop("free_energy")
        if self.fault == "smeared":
            self.results["free_energy"] = self.results["energy"] - 0.5


def make(fault: str, counter: str | None = None) -> Faulty:
    """What an oracle is told to import."""
    return Faulty(fault, counter)
