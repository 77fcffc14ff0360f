"""What learning said that it would cost, and what it then took: whole runs by the command.

    python benchmarks/learning_cost.py --out build/learning_cost [--oracle-python PYTHON]      (silicon: pip install tblite)

`flagged=0` lets a run spend its whole budget, as the estimate counts it. Times are by the clock, of one process on one thread; a machine
that is busy in between makes them differ by as much.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ase.build import bulk
from ase.io import write
from timing import machine

from adiabat.learning import CostEstimate
from adiabat.learning.journal import read_journal, seconds_of

SHARED = ("flagged=0",)


@dataclass(frozen=True)
class Case:
    """A run.

    Attributes:
        species: Of the cubic cell that it begins with.
        oracle: Its name.
        settings: Of the run.
    """

    species: str
    oracle: str
    settings: tuple[str, ...]


CASES = {
    "copper, EMT": Case("Cu", "ase.calculators.emt:EMT", ("budget=50", "train.basis.size=small")),
    "silicon, tblite": Case("Si", "tblite", ("budget=50", "train.basis.size=medium")),
}


def main() -> None:
    """Run each case that has not been run, and print what was said and what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--oracle-python", default=sys.executable)
    parser.add_argument("--case", action="append", choices=CASES)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(machine())
    print("| run | part | estimated (s) | took (s) | ratio |", "|---|---|---|---|---|", sep="\n")
    for name in arguments.case or CASES:
        folder = arguments.out / name.replace(", ", "-").replace(" ", "-")
        if not (folder / "summary.json").exists():
            run(CASES[name], folder, arguments.oracle_python)
        for part, said, took in parts(folder):
            print(f"| {name} | {part} | {said:.1f} | {took:.1f} | {said / took:.2f} |", flush=True)


def run(case: Case, folder: Path, python: str) -> None:
    """By the command, in a process of its own."""
    start = folder.with_suffix(".xyz")
    write(start, bulk(case.species, cubic=True))
    settings = [part for setting in (*SHARED, *case.settings) for part in ("--set", setting)]
    command = ["learn", str(start), "--oracle", case.oracle, "--oracle-python", python, "--out", str(folder)]
    program = [sys.executable, "-c", "from adiabat.cli import main; main()", *command, *settings, "--threads", "1"]
    began = time.time()
    process = os.spawnv(os.P_NOWAIT, sys.executable, program)
    _, _, used = os.wait4(process, 0)
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    (folder / "took.txt").write_text(f"{time.time() - began} {1024 * used.ru_maxrss} {disk}\n")


def parts(folder: Path) -> list[tuple[str, float, float]]:
    """Name, what was said, what it took."""
    said, stretches = CostEstimate.load(folder / "estimate.json"), read_journal(folder / "journal.json")
    took, memory, disk = (float(word) for word in (folder / "took.txt").read_text().split())
    last = [one for one in stretches if one.phase == "training" and one.generation is None]
    ending = seconds_of(stretches, "validating") + seconds_of(tuple(last), "training")
    training = seconds_of(stretches, "training") - seconds_of(tuple(last), "training")
    return [
        ("training", said.generations * said.seconds_per_training, training),
        (
            "labels and exploration",
            said.requests * said.seconds_per_request + said.generations * said.seconds_per_exploration,
            seconds_of(stretches, "labelling") + seconds_of(stretches, "exploring"),
        ),
        ("last training and validation", said.seconds_at_end, ending),
        ("all", said.seconds, took - seconds_of(stretches, "estimating")),
        ("the estimate itself", seconds_of(stretches, "estimating"), seconds_of(stretches, "estimating")),
        ("memory: of both processes, and of the larger one (GB)", said.memory_gb, memory / 1e9),
        ("disk (GB)", said.disk_gb, disk / 1e9),
    ]


if __name__ == "__main__":
    main()
