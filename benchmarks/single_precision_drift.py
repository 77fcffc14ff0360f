"""Does energy drift when forces are evaluated in single precision? NVE of the same crystal in float64 and float32.

    python benchmarks/single_precision_drift.py si.adiabat --atoms 216 --steps 20000

Diamond silicon from 600 K, of which half becomes potential energy; atoms move in float64 in either case. The limit is that of the
tests of float64: 0.05 meV/atom/ps over 2 ps, 0.02 over 20 ps.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from ase.build import bulk

import adiabat
from adiabat.simulate import SimulationConfig, simulate

LATTICE_CONSTANT = 5.469
"""Å, PBE."""
LIMITS = ((20_000, 0.02), (0, 0.05))
"""meV/atom/ps, from how many steps of 1 fs on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potentials", nargs="+", type=Path)
    parser.add_argument("--atoms", type=int, choices=(8, 64, 216, 512), default=216)
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    cells = round((options.atoms / 8) ** (1 / 3))
    crystal = bulk("Si", "diamond", a=LATTICE_CONSTANT, cubic=True) * (cells, cells, cells)
    config = SimulationConfig.model_validate(
        {"ensemble": "nve", "temperature_k": 600.0, "steps": options.steps, "timestep_fs": 1.0}
    )
    limit = next(most for least, most in LIMITS if options.steps >= least)
    print("| potential | precision | temperature (K) | drift (meV/atom/ps) | below the limit |\n|---|---|---|---|---|")
    for file in options.potentials:
        for dtype in (torch.float64, torch.float32):
            potential = adiabat.load(file).to(dtype=dtype)
            with tempfile.TemporaryDirectory() as folder:
                found = simulate(
                    crystal.copy(), potential, config, folder=Path(folder) / "nve", quiet=True, place="crystal"
                )
            drift, error = found.drift_mev_per_atom_per_ps, found.drift_mev_per_atom_per_ps_std
            said = "" if drift is None or error is None else f"{drift:.5f} ± {error:.5f}"
            below = "yes" if drift is not None and abs(drift) < limit else "no"
            name = str(dtype).removeprefix("torch.")
            print(
                f"| {file.name} | {name} | {found.mean_temperature_k:.0f} | {said} | {below} ({limit:g}) |", flush=True
            )


if __name__ == "__main__":
    main()
