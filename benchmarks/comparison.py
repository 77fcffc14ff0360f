"""adiabat beside what users would pick instead: force errors on silicon against the cost of a step of dynamics, in one run.

    python benchmarks/comparison.py --docs docs        # an hour the first time, minutes after that

Each rival is installed by pip into an environment of its own below --cache, trained there on the silicon training set of
Zuo et al. (J. Phys. Chem. A 124, 731 (2020)) by its package's own means where it is not published with coefficients for that
set, and kept there: a second run trains our own presets alone. Then all of them are loaded at once and run in turn, round
by round: constant-energy dynamics of 1,000 silicon atoms in the diamond structure, from rest, displaced by Gaussian noise of
0.05 Å; neighbour lists included. Times are of the processor, on one core and one thread.

--docs writes comparison.md and images/comparison.png; who could not be installed, trained or run is named there.
"""

import argparse
import datetime
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import ase.io
import torch
from ase.build import bulk
from rivals.catalogue import ENTRIES, OWN, REFERENCE, Entry
from rivals.failure import Failed
from rivals.page import page, table
from rivals.picture import draw
from rivals.row import Row, load_rows, save_rows
from rivals.worker import Worker
from timing import machine

from adiabat.runs import atomic_write_text

INSIDE = Path(__file__).parent / "rivals" / "inside"
REPEATS = 5
NOISE_ANGSTROM = 0.05
Trained = tuple[str, float | None]
Key = TypeVar("Key")
Made = TypeVar("Made")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(__file__).parents[2] / "shared" / "data" / "mlearn"
    parser.add_argument("--train", type=Path, default=data / "Si_train.xyz")
    parser.add_argument("--test", type=Path, default=data / "Si_test.xyz")
    parser.add_argument("--cache", type=Path, default=Path("build/comparison"))
    parser.add_argument("--budget-s", type=float, default=600, help="processor seconds for training by gradient")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--turn-s", type=float, default=1, help="seconds of each subject's turn in a round, or one step"
    )
    parser.add_argument("--only", nargs="+", default=[], help="words of labels: the reference and these alone")
    parser.add_argument("--docs", type=Path, help="the folder to write page and picture to")
    parser.add_argument(
        "--written-again", action="store_true", help="write the page of the last run, and measure nothing"
    )
    options = parser.parse_args()
    options.cache = options.cache.absolute()
    results = options.cache / "results.json"
    if options.written_again:
        said, rows = load_rows(results)
    else:
        said, rows = measured(options)
        save_rows(results, said, rows)
    reference = next(row for row in rows if row.entry == REFERENCE)
    print(said, table(rows, reference), sep="\n\n")
    if options.docs:
        (options.docs / "images").mkdir(parents=True, exist_ok=True)
        draw(rows, options.docs / "images" / "comparison.png")
        atomic_write_text(options.docs / "comparison.md", page(rows, reference, said))


def measured(options: argparse.Namespace) -> tuple[str, list[Row]]:
    """What is said of machine and run, and the table."""
    torch.set_num_threads(1)
    entries = [e for e in ENTRIES if not options.only or e is REFERENCE or any(w in e.label for w in options.only)]
    rows = [Row(entry) for entry in entries]
    with ExitStack() as stack:
        workers = prepared(rows, options, stack)
        said = f"{datetime.date.today()}, {machine()}\n{protocol(options)}"
        run_in_turn(rows, workers, rounds=options.rounds, turn_s=options.turn_s)
    return said, rows


def protocol(options: argparse.Namespace) -> str:
    return f"{options.rounds} rounds, turns of {options.turn_s:g} s, {options.budget_s:g} CPU s to train by gradient"


def prepared(rows: Sequence[Row], options: argparse.Namespace, stack: ExitStack) -> dict[Entry, Worker]:
    """Those who can be measured, trained and loaded, with their errors taken; rows get what is known of them."""
    test = list(ase.io.iread(options.test, ":"))
    start = options.cache / "start.xyz"
    options.cache.mkdir(parents=True, exist_ok=True)
    crystal = bulk("Si", cubic=True) * (REPEATS, REPEATS, REPEATS)
    crystal.rattle(NOISE_ANGSTROM, seed=1)
    ase.io.write(start, crystal)
    workers: dict[Entry, Worker] = {}
    pythons: dict[str, Path | Failed] = {}
    trained: dict[Path, Trained | Failed] = {}
    for row in rows:
        entry = row.entry
        print(f"{entry.label}, {entry.precision}", flush=True)
        try:
            python = once(pythons, entry.environment.name, partial(entry.environment.python, options.cache))
            folder = options.cache / "models" / f"{Path(entry.script).stem}-{entry.model}"
            row.how, row.training_s = once(trained, folder, partial(train, entry, python, folder, options))
            arguments = ["run", entry.model, str(folder), entry.precision]
            worker = stack.enter_context(
                Worker(python, INSIDE / entry.script, arguments, log=folder / f"run-{entry.precision}.log")
            )
            row.versions = worker.answer("loading")["versions"]
            if entry.accuracy:
                row.compare(worker.ask("evaluation", do="predict", file=str(options.test.absolute())), test)
            worker.ask("dynamics", do="start", file=str(start))
            workers[entry] = worker
        except Failed as failed:
            row.problem = str(failed)
            print(f"    {failed}", flush=True)
    return workers


def once(done: dict[Key, Made | Failed], key: Key, make: Callable[[], Made]) -> Made:
    """What was made for a key; what failed is not tried again.

    Raises:
        Failed: It failed, now or before.
    """
    if key not in done:
        try:
            done[key] = make()
        except Failed as failed:
            done[key] = failed
    found = done[key]
    if isinstance(found, Failed):
        raise found
    return found


def train(entry: Entry, python: Path, folder: Path, options: argparse.Namespace) -> Trained:
    """How the model was trained, and its processor seconds; that of an earlier run where it would be the same.

    Raises:
        Failed: It was not.
    """
    script, done = INSIDE / entry.script, folder / "trained.json"
    parts = [repr(entry.environment), entry.model, str(options.budget_s), script.read_text()]
    key = hashlib.sha256("".join(parts).encode() + options.train.read_bytes()).hexdigest()
    if entry.environment != OWN and done.is_file():
        found = json.loads(done.read_text())
        if found["key"] == key:
            return found["how"], found["cpu_s"]
    shutil.rmtree(folder, ignore_errors=True)  # some packages add to what they find
    folder.mkdir(parents=True)
    arguments = ["train", entry.model, str(folder), str(options.train.absolute()), str(options.budget_s)]
    with Worker(python, script, arguments, log=folder / "train.log") as worker:
        how = worker.answer("training")["how"]
        seconds = worker.close()
    atomic_write_text(done, json.dumps({"key": key, "how": how, "cpu_s": seconds if entry.trained else None}))
    return how, seconds if entry.trained else None


def run_in_turn(rows: Sequence[Row], workers: Mapping[Entry, Worker], *, rounds: int, turn_s: float) -> None:
    """Dynamics of each in every round: what disturbs one round disturbs all in it alike."""
    counts: dict[Entry, int] = {}
    atoms = 8 * REPEATS**3
    for turn in range(-2, rounds):  # the first compiles what is compiled, the second tells how many steps a turn has
        print(f"round {turn + 1} of {rounds}" if turn >= 0 else "warming up", flush=True)
        for row in rows:
            worker, count = workers.get(row.entry), counts.get(row.entry, 1)
            if worker is None or row.problem:
                continue
            try:
                seconds = worker.ask("dynamics", do="steps", count=count)["cpu_s"]
            except Failed as failed:
                row.problem, row.microseconds = str(failed), []
                continue
            if turn < 0:
                counts[row.entry] = max(1, round(turn_s * count / max(seconds, 1e-6)))
            else:
                row.microseconds.append(1e6 * seconds / count / atoms)


if __name__ == "__main__":
    main()
