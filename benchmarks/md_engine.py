"""What the engine of molecular dynamics costs beside the kernel and the neighbour list; CPU seconds.

python benchmarks/md_engine.py si.adiabat [--steps 200]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np
import torch
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet as TheirVerlet
from timing import machine

from adiabat.kernels.ace import Evaluator
from adiabat.neighbors import SkinList
from adiabat.potential import Potential, load_potential
from adiabat.simulate import SimulationConfig, simulate_batch

ENSEMBLES = {
    "nve": {"ensemble": "nve"},
    "nvt langevin": {"ensemble": "nvt"},
    "nvt csvr": {"ensemble": "nvt", "thermostat": "csvr"},
    "nvt nhc": {"ensemble": "nvt", "thermostat": "nhc"},
    "npt csvr": {"ensemble": "npt", "pressure_gpa": 0.0},
    "npt nhc": {"ensemble": "npt", "pressure_gpa": 0.0, "thermostat": "nhc"},
    "npt csvr flexible": {"ensemble": "npt", "pressure_gpa": 0.0, "cell": "flexible"},
}


WRITTEN = {"log_every": 100, "trajectory_every": 100}
"""ASE writes nothing here."""


class Stamped:
    """When calls of a function began and ended, in CPU seconds."""

    def __init__(self, function: Callable) -> None:
        self.function, self.stamps = function, list[tuple[float, float]]()

    def __call__(self, *values, **named):
        start = time.process_time()
        found = self.function(*values, **named)
        self.stamps.append((start, time.process_time()))
        return found


@contextmanager
def stamping(*methods: tuple[type, str]) -> Iterator[list[Stamped]]:
    """Stamps the calls of these methods."""
    found = [Stamped(getattr(owner, name)) for owner, name in methods]
    for (owner, name), one in zip(methods, found, strict=True):
        setattr(owner, name, lambda *given, stamped=one, **named: stamped(*given, **named))
    try:
        yield found
    finally:
        for (owner, name), one in zip(methods, found, strict=True):
            setattr(owner, name, one.function)


def engine(atoms: Atoms, potential: Potential, *, replicas: int, steps: int, values: dict) -> tuple[float, float]:
    """CPU seconds of a step without output: all, and of kernel and list; medians over steps, from the end of one kernel to that of the next."""
    common = {"steps": steps, "timestep_fs": 1.0, "temperature_k": 300.0, "replicas": replicas, "output": WRITTEN}
    config = SimulationConfig.parse(common | values)
    with stamping((Evaluator, "__call__"), (SkinList, "graph")) as (kernel, lists), TemporaryDirectory() as folder:
        simulate_batch([atoms], potential, config, folder=Path(folder) / "run", quiet=True)
    # The last calls are those of the steps; before them is what finds out the time step and the compressibility.
    (began, ended), (asked, given) = (np.array(one.stamps[-steps:]).T for one in (kernel, lists))
    inside = (ended - began) + (given - asked)
    return float(np.median(np.diff(ended))), float(np.median(inside[1:]))


class Free(Calculator):
    """No forces, at no cost: what is left is ASE's own."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=()) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": 0 * atoms.positions}


def theirs(atoms: Atoms, calculator: Calculator, steps: int) -> float:
    """CPU seconds of a step of ASE's velocity Verlet."""
    moving = atoms.copy()
    moving.calc = calculator
    MaxwellBoltzmannDistribution(moving, temperature_K=300)
    dynamics = TheirVerlet(moving, 1.0 * units.fs)
    dynamics.run(5)
    start = time.process_time()
    dynamics.run(steps)
    return (time.process_time() - start) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ensembles", default=",".join(ENSEMBLES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    potential = load_potential(given.potential)
    print("least of each over the rounds: what else the machine does only adds to it")
    for name in given.ensembles.split(","):
        print(f"{name:20s}", compared(potential, ENSEMBLES[name], steps=given.steps, rounds=given.rounds), flush=True)


def compared(potential: Potential, values: dict, *, steps: int, rounds: int) -> str:
    """64 replicas of 64 atoms beside ASE's velocity Verlet of 64 atoms, and the share of the engine with 1,000 atoms."""
    small, large = bulk("Si", cubic=True) * (2, 2, 2), bulk("Si", cubic=True) * (5, 5, 5)
    calculator = potential.calculator()
    seen = []
    for _ in range(rounds):
        many, inside = (one / 64 for one in engine(small, potential, replicas=64, steps=steps, values=values))
        whole, kernel = engine(large, potential, replicas=1, steps=3 * steps, values=values)
        seen.append(
            (
                many,
                many - inside,
                theirs(small, Free(), 4 * steps),
                theirs(small, calculator, 4 * steps),
                whole - kernel,
                kernel,
            )
        )
    many, beside, free, with_kernel, engine_s, kernel_s = np.min(seen, axis=0)
    return (
        f"64 x 64: engine {1e6 * beside:5.1f} µs a replica-step, ASE's {1e6 * free:.0f} ({free / beside:.0f} times); all "
        f"{1e6 * many:.0f} µs, with ASE {1e6 * with_kernel:.0f} ({with_kernel / many:.2f} times); 1000 atoms: engine "
        f"{1e6 * engine_s:.0f} µs, {engine_s / kernel_s:.1%} of kernel and list ({1e6 * kernel_s:.0f} µs)"
    )


if __name__ == "__main__":
    main()
