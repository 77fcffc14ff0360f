"""What the engine of molecular dynamics costs beside the kernel and the neighbour list; CPU seconds.

python benchmarks/md_engine.py si.adiabat [--steps 200]
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import torch
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet as TheirVerlet
from timing import machine

from adiabat.potential import Potential, load_potential
from adiabat.simulate import Follower, SimulationConfig, simulate_batch

ENSEMBLES = {
    "nve": {"ensemble": "nve"},
    "nvt langevin": {"ensemble": "nvt"},
    "nvt csvr": {"ensemble": "nvt", "thermostat": "csvr"},
    "nvt nhc": {"ensemble": "nvt", "thermostat": "nhc"},
    "npt csvr": {"ensemble": "npt", "pressure_gpa": 0.0},
    "npt nhc": {"ensemble": "npt", "pressure_gpa": 0.0, "thermostat": "nhc"},
    "npt csvr flexible": {"ensemble": "npt", "pressure_gpa": 0.0, "cell": "flexible"},
}


class Counted:
    """CPU seconds that a function takes, all calls together."""

    def __init__(self, function: Callable) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *values, **named):
        start = time.process_time()
        found = self.function(*values, **named)
        self.seconds += time.process_time() - start
        return found


def engine(atoms: Atoms, potential: Potential, *, replicas: int, steps: int, values: dict) -> tuple[float, float]:
    """CPU seconds of one step: all, and of kernel and list; what is done once is taken off by a run of a few steps."""
    common = {"timestep_fs": 1.0, "temperature_k": 300.0, "replicas": replicas}
    counted = Counted(Follower.__call__)
    Follower.__call__ = lambda *given, **named: counted(*given, **named)  # noqa: PLW0108 (bound as a method is)
    spent = []
    try:
        for length in (10, 10 + steps):
            config = SimulationConfig.parse({"steps": length} | common | values)
            start, counted.seconds = time.process_time(), 0.0
            with TemporaryDirectory() as folder:
                simulate_batch([atoms], potential, config, folder=Path(folder) / "run", quiet=True)
            spent.append((time.process_time() - start, counted.seconds))
    finally:
        Follower.__call__ = counted.function
    return (spent[1][0] - spent[0][0]) / steps, (spent[1][1] - spent[0][1]) / steps


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
    parser = argparse.ArgumentParser()
    parser.add_argument("potential", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--ensembles", default=",".join(ENSEMBLES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    potential = load_potential(given.potential)
    small, large = bulk("Si", cubic=True) * (2, 2, 2), bulk("Si", cubic=True) * (5, 5, 5)
    own, with_kernel = theirs(small, Free(), given.steps), theirs(small, potential.calculator(), given.steps)
    print(f"ASE, 64 atoms: {1e6 * own:.0f} µs a step without forces, {1e6 * with_kernel:.0f} with these")
    print("ensemble             64 x 64 atoms, a replica and step           1000 atoms, a step")
    for name in given.ensembles.split(","):
        values = ENSEMBLES[name]
        many, inside = (x / 64 for x in engine(small, potential, replicas=64, steps=given.steps, values=values))
        one, in_one = engine(large, potential, replicas=1, steps=given.steps, values=values)
        print(
            f"{name:20s} engine {1e6 * (many - inside):5.1f} µs, {own / (many - inside):4.0f} times less than ASE; "
            f"all {1e6 * many:5.0f} µs    engine {1e3 * (one - in_one):6.3f} ms, {(one - in_one) / in_one:6.1%} of kernel and list"
        )


if __name__ == "__main__":
    main()
