"""What learning said that it would cost, and what it then took: whole runs by the command.

    python benchmarks/learning_cost.py --out build/learning_cost [--oracle-python PYTHON]      (silicon: pip install tblite)

`flagged=0` lets a run go on as long as its potential is unsure of any frame; the estimate counts with the whole budget. Times are CPU seconds of the run and
of the oracle's processes, on one thread: what else the machine does meanwhile is not counted. The estimate is made by the same clock.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from ase.build import bulk
from timing import machine

from adiabat.learning import CostEstimate, LearnConfig, Oracle, journal, learn, oracle_trial, training_trial
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
    "copper, EMT, no repulsion": Case(
        "Cu",
        "ase.calculators.emt:EMT",
        ("budget=40", "train.basis.size=small", "train.repulsion.enabled=false", "force_std_ev_per_angstrom=0.02"),
    ),
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
    torch.set_num_threads(1)
    print(machine())
    print("| run | part | estimated (s) | took (s) | ratio |", "|---|---|---|---|---|", sep="\n")
    for name in arguments.case or CASES:
        folder = arguments.out / name.replace(", ", "-").replace(" ", "-")
        if not (folder / "summary.json").exists():
            run(CASES[name], folder, arguments.oracle_python)
        ended = json.loads((folder / "summary.json").read_text())
        print(f"{name}: {ended['why']}, {ended['requests']} requests, {len(ended['generations'])} generations")
        for part, said, took in parts(folder):
            print(f"| {name} | {part} | {said:.1f} | {took:.1f} | {said / took:.2f} |", flush=True)


def run(case: Case, folder: Path, python: str) -> None:
    """In this process, whose CPU seconds and those of the oracle's processes are the clock."""
    clock = SimpleNamespace(perf_counter=cpu_seconds, monotonic=cpu_seconds, time=time.time)
    for module in (journal, oracle_trial, training_trial):
        vars(module)["time"] = clock
    oracle = Oracle.named(case.oracle, python=python)
    config = LearnConfig.load(None, (*SHARED, *case.settings))
    began = cpu_seconds()
    learn([bulk(case.species, cubic=True)], oracle, config, folder=folder, quiet=True)
    (folder / "took.txt").write_text(f"{cpu_seconds() - began}\n")


def cpu_seconds() -> float:
    """Of this process and of those of its processes that have ended."""
    return sum(os.times()[:4])


def parts(folder: Path) -> list[tuple[str, float, float]]:
    """Name, what was said, what it took."""
    said, stretches = CostEstimate.load(folder / "estimate.json"), read_journal(folder / "journal.json")
    took = float((folder / "took.txt").read_text())
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
    ]


if __name__ == "__main__":
    main()
