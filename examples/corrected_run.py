"""A cheap potential that is corrected by a better one: what it costs, and how near it comes to the better one's trajectory.

    python examples/corrected_run.py cheap.adiabat better.adiabat start.xyz

Both start from the same atoms with the same velocities. Every so many steps the better one is asked for the forces, and the difference is
carried on to the next look (see `adiabat.simulate.correction`); the oftener, the dearer, and the nearer.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase.io import read

import adiabat
from adiabat.simulate import SimulationConfig, read_trajectory, simulate

STEPS, TEMPERATURE_K = 200, 600.0


def positions(folder: Path, potential: adiabat.Potential, oracle: adiabat.Potential | None, every: int) -> np.ndarray:
    """(T, N, 3) Å."""
    asked = {} if oracle is None else {"on_uncertain": "correct", "uncertain_every": every, "uncertain_above": 1e-9}
    config = SimulationConfig.parse(
        {"ensemble": "nve", "steps": STEPS, "timestep_fs": 1.0, "temperature_k": TEMPERATURE_K} | asked
    )
    simulate(read(sys.argv[3]), potential, config, folder=folder, quiet=True, oracle=oracle)
    return np.array([frame.positions for frame in read_trajectory(folder / "trajectory.h5")])


def main() -> None:
    """Print a table."""
    cheap, better = (adiabat.load(file) for file in sys.argv[1:3])
    with TemporaryDirectory() as place:
        right = positions(Path(place) / "better", better, None, 1)
        for every in (1, 2, 5, 10, 20, 50, None):
            start = time.process_time()
            oracle = None if every is None else better
            found = positions(Path(place) / str(every), cheap, oracle, every or 1)
            seconds = time.process_time() - start
            error = np.sqrt(((found - right) ** 2).sum(-1).mean(-1))[-1]
            calls = 0 if every is None else STEPS // every + 1
            print(
                f"{calls:4d} calls of the better one, {seconds:5.1f} CPU s: {error:.4f} Å from its trajectory after {STEPS} fs"
            )


if __name__ == "__main__":
    main()
