"""Time and memory of training against the number of configurations and functions.

    python benchmarks/training_cost.py

takes parts of the silicon data of Zuo et al. (J. Phys. Chem. A 124, 731 (2020)) with all sizes of basis, and parts of the
Nb-Mo-Ta-W data of Li et al. (npj Comput. Mater. 6, 70 (2020)) with the default. The whole of the latter is among them with

    python benchmarks/training_cost.py --only NbMoTaW --counts 1000 5282

The data lie in the folder that the environment variable ADIABAT_DATA names, or in ../shared/data beside the repository.
Each training runs in a process of its own, as `adiabat train` does it, and the table is in Markdown. Wall time is that of
the machine as it was: with other work on it, processor time says more. Memory is the most that was resident.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from timing import machine

import adiabat
from adiabat.basis.presets import SIZES, BasisConfig
from adiabat.system import Labelled
from adiabat.testing.data import REPOSITORY

SEED = 0
DATA = Path(os.environ.get("ADIABAT_DATA") or REPOSITORY.parent / "shared" / "data")


@dataclass(frozen=True)
class Subject:
    """A data set, of which parts are trained on."""

    file: str
    counts: tuple[int, ...]
    sizes: tuple[str, ...]


SUBJECTS = {
    "Si": Subject("mlearn/Si_train.xyz", (30, 60, 120, 214), tuple(SIZES)),
    "NbMoTaW": Subject("snap/NbMoTaW_train.xyz.gz", (100, 250, 500, 1000), ("large",)),
}


@dataclass(frozen=True)
class Cost:
    """What one training took."""

    configurations: int
    atoms: int
    functions: int
    coefficients: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SUBJECTS, help="one data set")
    parser.add_argument("--counts", nargs="+", type=int, help="configurations, in place of the usual ones")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, help="of the basis, in place of the usual ones")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="all cores where not given")
    parser.add_argument("--one", nargs=3, metavar=("FILE", "COUNT", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        file, count, size = options.one
        print(json.dumps(asdict(cost(Path(file), int(count), size, options.threads))))
        return
    torch.set_num_threads(options.threads)
    print(f"{machine()}\n")
    print("| data | basis | configurations | atoms | functions | coefficients | wall s | CPU s | memory MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in [options.only] if options.only else SUBJECTS:
        subject = SUBJECTS[name]
        for size in options.sizes or subject.sizes:
            for count in options.counts or subject.counts:
                print(row(name, size, alone(subject.file, count, size, options.threads)), flush=True)


def row(name: str, size: str, found: Cost | str) -> str:
    if isinstance(found, str):
        return f"| {name} | {size} | {found} |"
    return (
        f"| {name} | `{size}` | {found.configurations} | {found.atoms} | {found.functions} | {found.coefficients} | "
        f"{found.wall_s:.0f} | {found.cpu_s:.0f} | {found.peak_mb:.0f} |"
    )


def alone(file: str, count: int, size: str, threads: int) -> Cost | str:
    """A training in a process of its own; what it says where it fails."""
    command = [sys.executable, __file__, "--threads", str(threads)]
    command += ["--one", str(DATA / file), str(count), size]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{count} configurations: {done.stderr.strip().splitlines()[-1]}"
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def cost(file: Path, count: int, size: str, threads: int) -> Cost:
    """Of reading the data and training on a part of them."""
    torch.set_num_threads(threads)
    wall, cpu = time.perf_counter(), time.process_time()
    structures = part(adiabat.read(file), count)
    potential = adiabat.train(
        structures, adiabat.TrainConfig(basis=BasisConfig.model_validate({"size": size})), quiet=True
    )
    said = potential.metadata["training"]
    return Cost(
        configurations=len(structures),
        atoms=sum(len(structure.atoms) for structure in structures),
        functions=said["functions"],
        coefficients=said["coefficients"],
        wall_s=time.perf_counter() - wall,
        cpu_s=time.process_time() - cpu,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def part(structures: list[Labelled], count: int) -> list[Labelled]:
    """Drawn from all, in their order."""
    drawn = np.random.default_rng(SEED).permutation(len(structures))[:count]
    return [structures[int(index)] for index in np.sort(drawn)]


if __name__ == "__main__":
    main()
