"""The whole way on the silicon data that the package ships: check, train, evaluate, run. `make demo` calls it.

python examples/demo.py FOLDER
"""

import subprocess
import sys
from pathlib import Path

import ase.build
import ase.io

import adiabat
from adiabat.data import SplitConfig, demonstration_set, split


def run(*words: str | Path) -> None:
    """Show a command, then run it."""
    command = ["adiabat", *map(str, words)]
    print(f"\n$ {' '.join(command)}", flush=True)
    subprocess.run([Path(sys.executable).parent / command[0], *command[1:]], check=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data, potential, report = demonstration_set(), folder / "silicon.adiabat", folder / "report.html"
    frames = ase.io.read(data, ":")
    division = split(adiabat.read(data), SplitConfig(test_fraction=0.15))
    ase.io.write(folder / "train.xyz", [frames[index] for index in division.train])
    ase.io.write(folder / "test.xyz", [frames[index] for index in division.test])
    ase.io.write(folder / "start.xyz", ase.build.bulk("Si", cubic=True) * (2, 2, 2))

    run("train", folder / "train.xyz", "--out", potential, "--set", "basis.size=medium")
    run("evaluate", potential, folder / "test.xyz", "--report", report)
    md = ("--ensemble", "nvt", "--temperature-k", "300", "--timestep-fs", "1", "--steps", "500", "--seed", "1")
    run("md", potential, folder / "start.xyz", *md, "--out", folder / "md")
    print(f"\nreport: {report.resolve()}\ntrajectory and log: {(folder / 'md').resolve()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
