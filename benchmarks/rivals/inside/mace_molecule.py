"""MACE on molecules: the errors of its averaged parameters after every epoch that was its best, and when that was.

    python mace_molecule.py CHANNELS FOLDER TRAIN TEST BUDGET_S

Writes FOLDER/curve.json. The time is of the processor; how many epochs fit is told by a trial, which is not counted. What was
interrupted goes on from its last checkpoint.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import torch
from ase import Atoms
from mace.calculators import MACECalculator
from mace_command import command, last_epoch, run, staged

NAME = "molecule"
TENTH = slice(None, None, 10)
POLL_S = 0.5
EVERY = 5
"""Of the test structures one in so many is taken for all points but the last."""
POINTS = 30


def main() -> None:
    channels, folder, train, test, budget_s = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:5], float(sys.argv[5])
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "name": NAME,
        "model": "MACE",
        "valid_fraction": 0.05,
        "energy_key": "REF_energy",
        "forces_key": "REF_forces",
        "hidden_irreps": f"{channels}x0e",
        "r_max": 5.0,
        "batch_size": 5,
        "default_dtype": "float64",
        "device": "cpu",
        "seed": 1,
        "eval_interval": 1,
    }
    epochs = planned(options, folder, Path(train), budget_s)
    further = ("--keep_checkpoints", "--restart_latest", f"--train_file={train}", *staged(epochs))
    seen = watched(command(options, further, folder), folder)
    structures = list(ase.io.iread(test, ":"))
    [final] = folder.glob(f"{NAME}_stagetwo.model")
    model = torch.load(final, weights_only=False, map_location="cpu")
    chosen = np.unique(np.linspace(0, len(seen) - 1, POINTS).astype(int))
    points = []
    for k in chosen:
        seconds, checkpoint = seen[k]
        model.load_state_dict(torch.load(checkpoint, weights_only=False, map_location="cpu")["model"], strict=False)
        points.append({"cpu_s": seconds, **errors(model, structures[:: 1 if k == chosen[-1] else EVERY])})
    how = f"mace-torch {channels}x0e, 2 layers, 5 Å, {epochs} epochs, the last quarter with the second stage's weights"
    (folder / "curve.json").write_text(json.dumps({"how": how, "points": points}, indent=1))


def planned(options: dict[str, object], folder: Path, train: Path, budget_s: float) -> int:
    """Epochs that fit; decided once."""
    kept, trial = folder / "epochs.json", folder / "trial"
    if kept.is_file():
        return int(json.loads(kept.read_text()))
    trial.mkdir(exist_ok=True)
    structures = list(ase.io.iread(train, ":"))
    lonely = [atoms for atoms in structures if len(atoms) == 1]
    some = [atoms for atoms in structures if len(atoms) > 1][TENTH]
    ase.io.write(trial / "some.xyz", lonely + some, format="extxyz")
    few = (f"--train_file={trial / 'some.xyz'}", "--max_num_epochs=2", "--start_swa=1")
    start = time.perf_counter()
    share = run(command(options, few, trial)) / (time.perf_counter() - start)  # of a core, where others work too
    epoch = (len(structures) - len(lonely)) / len(some) * share * last_epoch(NAME, trial)
    epochs = max(4, int(0.95 * budget_s / epoch))
    kept.write_text(json.dumps(epochs))
    return epochs


def watched(words: list[str], folder: Path) -> list[tuple[float, Path]]:
    """Run a command; the checkpoints that it wrote, before and now, with the processor seconds after which each appeared."""
    journal = folder / "seen.jsonl"
    lines = journal.read_text().splitlines() if journal.is_file() else []
    seen = {Path(one["file"]): float(one["cpu_s"]) for one in map(json.loads, lines)}
    before, process = max(seen.values(), default=0.0), subprocess.Popen(words)
    while process.poll() is None:
        seconds = before + processor_seconds(process.pid)
        for file in set((folder / "checkpoints").glob(f"{NAME}_*.pt")) - set(seen):
            seen[file] = seconds
            with journal.open("a") as out:
                print(json.dumps({"cpu_s": seconds, "file": str(file)}), file=out)
        time.sleep(POLL_S)
    if process.returncode:
        raise RuntimeError(f"MACE ended with exit status {process.returncode}")
    return sorted((seconds, file) for file, seconds in seen.items())


def processor_seconds(process: int) -> float:
    """Of a process, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def errors(model: torch.nn.Module, structures: list[Atoms]) -> dict[str, float]:
    """Root mean squares: of energies in meV per molecule, of forces in meV/Å."""
    calculator = MACECalculator(models=[model], device="cpu", default_dtype="float64")
    energies, forces = [], []
    for atoms in structures:
        labels = atoms.info["REF_energy"], atoms.arrays["REF_forces"]
        bare = Atoms(numbers=atoms.numbers, positions=atoms.positions)
        bare.calc = calculator
        energies.append(bare.get_potential_energy() - labels[0])
        forces.append(bare.get_forces() - labels[1])
    return {
        "energy_rmse_mev": 1e3 * float(np.sqrt(np.mean(np.square(energies)))),
        "force_rmse_mev_per_angstrom": 1e3 * float(np.sqrt(np.mean(np.square(forces)))),
    }


if __name__ == "__main__":
    main()
