"""A small MACE, trained by its command as its README shows, for as many epochs as the budget allows."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import ase.io
from mace.calculators import MACECalculator
from serving import AseSubject, Order, serve

NAME = "si"
IRREPS = {"32": "32x0e + 32x1o"}
TENTH = slice(None, None, 10)
"""Of the structures, for a trial that tells what an epoch costs."""
ERRORS = 0.5
"""What the errors at the end cost, in epochs."""
SECOND_STAGE = 0.75
"""Of the epochs; then energies weigh more."""


def load(model: str, precision: str, folder: Path) -> AseSubject:
    del model
    [file] = folder.glob(f"{NAME}_stagetwo.model")
    return AseSubject(MACECalculator(model_paths=str(file), device="cpu", default_dtype=precision))


def train(order: Order) -> str:
    options = {
        "name": NAME,
        "model": "MACE",
        "valid_fraction": 0.05,
        "energy_key": "REF_energy",
        "forces_key": "REF_forces",
        "E0s": "average",
        "hidden_irreps": IRREPS[order.model],
        "r_max": 5.0,
        "batch_size": 5,
        "default_dtype": "float32",
        "device": "cpu",
        "seed": 1,
    }
    flags = [
        "--swa",
        "--ema",
        "--ema_decay=0.99",
        "--amsgrad",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    trial = order.folder / "trial"
    trial.mkdir(exist_ok=True)
    structures = list(ase.io.iread(order.data, ":"))
    ase.io.write(trial / "some.xyz", structures[TENTH], format="extxyz")
    start = time.perf_counter()
    spent = run([*flags, f"--train_file={trial / 'some.xyz'}", "--max_num_epochs=2", "--start_swa=1"], trial)
    share = spent / (time.perf_counter() - start)  # of a core, where others work too
    epoch = len(structures) / len(structures[TENTH]) * share * last_epoch(trial)
    left = order.budget_s - 2 * spent  # starting takes most of the trial, and comes again
    epochs = max(2, int(left / epoch - ERRORS))
    begin = int(SECOND_STAGE * epochs)
    run([*flags, f"--train_file={order.data}", f"--max_num_epochs={epochs}", f"--start_swa={begin}"], order.folder)
    return f"{IRREPS[order.model]}, 2 layers, 5 Å, trained here: {epochs} epochs"


def last_epoch(folder: Path) -> float:
    """Seconds of steps in the last epoch of a training."""
    [log] = (folder / "results").glob(f"{NAME}_*.txt")
    steps = [said for line in log.read_text().splitlines() if (said := json.loads(line))["mode"] == "opt"]
    return sum(step["time"] for step in steps if step["epoch"] == steps[-1]["epoch"])


def run(flags: list[str], folder: Path) -> float:
    """Processor seconds of a training in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "mace.cli.run_train", f"--work_dir={folder}", f"--model_dir={folder}", *flags]
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    serve(load, train, ["mace-torch", "torch", "e3nn"])
