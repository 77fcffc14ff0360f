"""MACE's training command, in a process of its own."""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SECOND_STAGE = 0.75
"""Of the epochs; then energies weigh more."""
ERRORS = 0.5
"""What the errors at the end cost, in epochs."""


def command(options: Mapping[str, object], further: Sequence[str], folder: Path) -> list[str]:
    """As MACE's README shows it, two stages and averages."""
    return [
        *(sys.executable, "-m", "mace.cli.run_train", f"--work_dir={folder}", f"--model_dir={folder}"),
        *("--swa", "--ema", "--ema_decay=0.99", "--amsgrad"),
        *(f"--{name}={value}" for name, value in options.items()),
        *further,
    ]


def staged(epochs: int) -> tuple[str, str]:
    """So many epochs, the last of them in the second stage."""
    return f"--max_num_epochs={epochs}", f"--start_swa={int(SECOND_STAGE * epochs)}"


def run(words: Sequence[str]) -> float:
    """Processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def last_epoch(name: str, folder: Path) -> float:
    """Seconds of steps in the last epoch of the training of this name."""
    [log] = (folder / "results").glob(f"{name}_*.txt")
    steps = [said for line in log.read_text().splitlines() if (said := json.loads(line))["mode"] == "opt"]
    return sum(step["time"] for step in steps if step["epoch"] == steps[-1]["epoch"])
