"""500 relaxations of 32-atom cells: all at once, and one by one through ASE, by the same potential to the same tolerance.

    python benchmarks/relaxation_speed.py POTENTIAL

Times are CPU seconds of one thread. Of the ASE side a part is measured, and scaled. Exit status 1 where the batch is less than five
times as fast.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.data import chemical_symbols
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, LBFGS
from timing import machine

import adiabat
from adiabat.potential import Potential
from adiabat.properties import RelaxationSettings, relax

AT_LEAST = 5.0
FORCE = 0.01
"""eV/Å"""
STRESS_GPA = 0.1
MOST_STEPS = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential")
    parser.add_argument("--structures", type=int, default=500)
    parser.add_argument("--through-ase", type=int, default=25, help="of them, for the time one by one")
    parser.add_argument("--cell", action="store_true", help="let cells move too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential = adiabat.load(options.potential)
    structures = rattled(chemical_symbols[potential.species[0]], options.structures)
    settings = RelaxationSettings(
        cell="free" if options.cell else "fixed",
        force_tolerance_ev_per_angstrom=FORCE,
        stress_tolerance_gpa=STRESS_GPA,
        steps=MOST_STEPS,
    )
    start = time.process_time()
    found = relax(structures, potential, settings)
    batch = (time.process_time() - start) / len(structures)
    steps = np.array([one.steps for one in found])
    print(
        f"{len(found)} at once: {1e3 * batch:.1f} CPU ms each, {steps.mean():.1f} steps, "
        f"{sum(one.converged for one in found)} at rest"
    )
    ratios = []
    for name, optimizer in (("LBFGS", LBFGS), ("BFGS", BFGS)):
        seconds, their_steps, energies = through_ase(
            structures[: options.through_ase], potential, optimizer, cell=options.cell
        )
        ours = np.array([one.energy_ev for one in found[: options.through_ase]])
        same = int((np.abs(energies - ours) < 1e-2).sum())
        ratios.append(seconds / batch)
        print(
            f"ASE {name}: {1e3 * seconds:.1f} CPU ms each, {their_steps:.1f} steps; {same} of {len(ours)} in the same minimum; "
            f"{ratios[-1]:.1f} times as long"
        )
    print(machine())
    return 0 if min(ratios) >= AT_LEAST else 1


def rattled(symbol: str, count: int) -> list[Atoms]:
    """Cells of 32 atoms around the element's own crystal."""
    crystal = bulk(symbol)
    repeats = (4, 4, 32 // (16 * len(crystal))) if len(crystal) < 3 else (2, 2, 1)
    full, found = crystal.repeat(repeats), []
    for seed in range(count):
        atoms, rng = full.copy(), np.random.default_rng(seed)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.uniform(-0.02, 0.02, (3, 3))), scale_atoms=True)
        atoms.positions += rng.normal(scale=0.1, size=(len(atoms), 3))
        found.append(atoms)
    return found


def through_ase(
    structures: Sequence[Atoms], potential: Potential, optimizer: type[LBFGS] | type[BFGS], *, cell: bool
) -> tuple[float, float, np.ndarray]:
    """CPU seconds and steps for each, and energies."""
    start, steps, energies = time.process_time(), 0, []
    for given in structures:
        atoms = given.copy()
        atoms.calc = potential.calculator()
        run = optimizer(FrechetCellFilter(atoms) if cell else atoms, logfile=None)
        run.run(fmax=FORCE, steps=MOST_STEPS)
        steps += run.nsteps
        energies.append(atoms.get_potential_energy())
    return (time.process_time() - start) / len(structures), steps / len(structures), np.array(energies)


if __name__ == "__main__":
    sys.exit(main())
