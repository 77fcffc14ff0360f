"""A small MACE, trained by its command as its README shows, for as many epochs as the budget allows."""

import time
from pathlib import Path

import ase.io
from mace.calculators import MACECalculator
from mace_command import ERRORS, command, last_epoch, run, staged
from serving import AseSubject, Order, serve

NAME = "si"
IRREPS = {"32": "32x0e + 32x1o"}
TENTH = slice(None, None, 10)
"""Of the structures, for a trial that tells what an epoch costs."""


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
    trial = order.folder / "trial"
    trial.mkdir(exist_ok=True)
    structures = list(ase.io.iread(order.data, ":"))
    ase.io.write(trial / "some.xyz", structures[TENTH], format="extxyz")
    start = time.perf_counter()
    few = (f"--train_file={trial / 'some.xyz'}", "--max_num_epochs=2", "--start_swa=1")
    spent = run(command(options, few, trial))
    share = spent / (time.perf_counter() - start)  # of a core, where others work too
    epoch = len(structures) / len(structures[TENTH]) * share * last_epoch(NAME, trial)
    left = order.budget_s - 2 * spent  # starting takes most of the trial, and comes again
    epochs = max(2, int(left / epoch - ERRORS))
    run(command(options, (f"--train_file={order.data}", *staged(epochs)), order.folder))
    return f"{IRREPS[order.model]}, 2 layers, 5 Å, trained here: {epochs} epochs"


if __name__ == "__main__":
    serve(load, train, ["mace-torch", "torch", "e3nn"])
