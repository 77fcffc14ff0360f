"""Acetylacetone: errors on the test set against training time, ours beside mace-torch, one core each.

    python benchmarks/molecule_curve.py --docs docs            # hours the first time; what is done is kept in --cache
    python benchmarks/molecule_curve.py --only linear          # words of labels

450 of the 500 structures at 300 K of I. Batatia et al. (arXiv:2206.07697) are drawn to train on, each code's validation among
them; the test set is all structures of the 300 K test trajectory. Ours are trainings by the plain command, each from the start and
each one point; MACE is trained by its command with its defaults for two stages and averages, in float64, for --budget-s processor
seconds, and every parameter set that it kept is a point. A MACE that is interrupted goes on where it was. Seconds are of the processor.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from rivals.catalogue import MACE
from rivals.worker import ONE_THREAD

import adiabat
from adiabat.report.image import STYLE
from adiabat.report.palette import COLOURS
from adiabat.runs import atomic_path, atomic_write_text
from adiabat.system import Labelled

INSIDE = Path(__file__).parent / "rivals" / "inside"
STRUCTURES, SEED = 450, 0


@dataclass(frozen=True)
class Entry:
    """One training or, of a rival, one curve.

    Attributes:
        label: In table and picture.
        settings: Of `adiabat train`.
        channels: Of MACE; 0: it is ours.
    """

    label: str
    settings: tuple[str, ...] = ()
    channels: int = 0

    @property
    def folder(self) -> str:
        """Its name below --cache."""
        return "".join(c if c.isalnum() else "-" for c in self.label)


ENTRIES = (
    Entry("linear, small", ("basis.size=small",)),
    Entry("linear, medium", ("basis.size=medium",)),
    Entry("linear, large (default)"),
    Entry("linear, molecule", ("basis.size=molecule",)),
    Entry("mace-torch 64x0e", channels=64),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(__file__).parents[2] / "shared" / "data" / "botnet"
    parser.add_argument("--train", type=Path, default=data / "acac_train_300K.xyz")
    parser.add_argument("--test", type=Path, default=data / "acac_test_MD_300K.xyz")
    parser.add_argument("--cache", type=Path, default=Path("build/molecule_curve"))
    parser.add_argument("--budget-s", type=float, default=1800, help="processor seconds of a training of MACE")
    parser.add_argument(
        "--only", nargs="+", default=[], help="words of labels; the others are shown where they are done"
    )
    parser.add_argument("--docs", type=Path, help="the folder whose images/molecule_curve.png is drawn")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cache = options.cache.absolute()
    cache.mkdir(parents=True, exist_ok=True)
    chosen = drawn(options.train, cache / "train.xyz")
    for entry in ENTRIES:
        folder = cache / entry.folder
        if (folder / "curve.json").is_file() or (options.only and not any(w in entry.label for w in options.only)):
            continue
        if entry.channels:
            folder.mkdir(exist_ok=True)
            rival(entry, folder, chosen, options)
        else:
            shutil.rmtree(folder, ignore_errors=True)  # a time counts from the start
            folder.mkdir()
            atomic_write_text(folder / "curve.json", json.dumps(own(entry, folder, chosen, options.test), indent=1))
    curves = {e.label: json.loads(f.read_text()) for e in ENTRIES if (f := cache / e.folder / "curve.json").is_file()}
    print(table(curves))
    if options.docs:
        draw(curves, options.docs / "images" / "molecule_curve.png")


def drawn(source: Path, file: Path) -> Path:
    """The isolated atoms and the structures to train on."""
    structures = list(ase.io.iread(source, ":"))
    lonely = [atoms for atoms in structures if len(atoms) == 1]
    molecules = [atoms for atoms in structures if len(atoms) > 1]
    order = np.random.default_rng(SEED).permutation(len(molecules))[:STRUCTURES]
    ase.io.write(file, [*lonely, *(molecules[k] for k in sorted(order))], format="extxyz")
    return file


def own(entry: Entry, folder: Path, train: Path, test: Path) -> dict[str, Any]:
    """One training by the command, and its errors."""
    command = [str(Path(sys.executable).parent / "adiabat"), "train", str(train), "--out", str(folder / "own.adiabat")]
    settings = [word for setting in entry.settings for word in ("--set", setting)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, *settings, "--threads", "1"], check=True, env=os.environ | ONE_THREAD)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    potential = adiabat.load(folder / "own.adiabat")
    how = f"`adiabat train` {' '.join(entry.settings)}".strip()
    return {"how": how, "points": [{"cpu_s": seconds, **errors(potential, adiabat.read(test, quiet=True))}]}


def errors(potential: adiabat.Potential, structures: Sequence[Labelled]) -> dict[str, float]:
    """Root mean squares: of energies in meV per molecule, of forces in meV/Å."""
    found = potential([structure.atoms for structure in structures], want=("energy", "forces"))
    energies = np.array([structure.labels.energy for structure in structures])
    forces = np.concatenate(
        [structure.labels.forces for structure in structures if structure.labels.forces is not None]
    )
    assert found.energy is not None
    assert found.forces is not None
    return {
        "energy_rmse_mev": 1e3 * float(np.sqrt(np.square(found.energy.numpy() - energies).mean())),
        "force_rmse_mev_per_angstrom": 1e3 * float(np.sqrt(np.square(found.forces.numpy() - forces).mean())),
    }


def rival(entry: Entry, folder: Path, train: Path, options: argparse.Namespace) -> None:
    """MACE's curve, in its environment."""
    python = MACE.python(options.cache.absolute())
    words = [entry.channels, folder, train, options.test.absolute(), options.budget_s]
    subprocess.run(
        [python, INSIDE / "mace_molecule.py", *map(str, words)], check=True, cwd=folder, env=os.environ | ONE_THREAD
    )


def table(curves: dict[str, Any]) -> str:
    """The last point of each, and how it was made."""
    lines = ["| | CPU s | energy RMSE (meV per molecule) | force RMSE (meV/Å) | how |", "|---|---|---|---|---|"]
    for label, curve in curves.items():
        last = curve["points"][-1]
        errors = f"{last['energy_rmse_mev']:.2f} | {last['force_rmse_mev_per_angstrom']:.1f}"
        lines.append(f"| {label} | {last['cpu_s']:.0f} | {errors} | {curve['how']} |")
    return "\n".join(lines)


def draw(curves: dict[str, Any], file: Path) -> None:
    """Both errors against time, all logarithmic."""
    with mpl.rc_context(STYLE):  # pyright: ignore[reportArgumentType] (the stubs list the keys one by one)
        canvas = Figure(figsize=(9, 4), dpi=160, layout="constrained")
        names = {"force_rmse_mev_per_angstrom": "force RMSE, meV/Å", "energy_rmse_mev": "energy RMSE, meV per molecule"}
        for axes, (key, name) in zip(canvas.subplots(1, 2), names.items(), strict=True):
            axes.set(xscale="log", yscale="log", xlabel="training, CPU s on one core", ylabel=name)
            for number, (label, curve) in enumerate(curves.items()):
                points = sorted(curve["points"], key=lambda point: point["cpu_s"])
                times, values = [p["cpu_s"] for p in points], [p[key] for p in points]
                axes.plot(times, values, "o-", color=COLOURS[number % len(COLOURS)], label=label, markersize=4)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter(NullFormatter())
        canvas.axes[0].legend(loc="best", fontsize=8)
        canvas.suptitle("Acetylacetone at 300 K, 450 structures to train on: errors on the test set")
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as path:
            canvas.savefig(path, format="png")


if __name__ == "__main__":
    main()
