"""A small MACE, trained by its command as its README shows, for as many epochs as the budget allows."""

import resource
import subprocess
import sys
from pathlib import Path

from mace.calculators import MACECalculator
from serving import AseSubject, Order, serve

NAME = "si"
IRREPS = {"32": "32x0e + 32x1o"}
OVERHEAD = 0.35
"""What one epoch's run spends on starting and on final errors, of its whole."""
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
        "train_file": order.data,
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
    one = run([*flags, "--max_num_epochs=2", "--start_swa=1"], order.folder / "trial") / 2
    epochs = max(2, int((order.budget_s - 2 * one - OVERHEAD * one) / ((1 - OVERHEAD) * one)))
    begin = int(SECOND_STAGE * epochs)
    run([*flags, f"--max_num_epochs={epochs}", f"--start_swa={begin}"], order.folder)
    return f"{IRREPS[order.model]}, 2 layers, 5 Å, trained here: {epochs} epochs"


def run(flags: list[str], folder: Path) -> float:
    """Processor seconds of a training in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "mace.cli.run_train", f"--work_dir={folder}", f"--model_dir={folder}", *flags]
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    serve(load, train, ["mace-torch", "torch", "e3nn"])
