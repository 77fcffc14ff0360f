"""Where a potential draws atoms into one another: every curve and packing of the contract, with its CPU time.

    python benchmarks/no_holes.py si.adiabat ../shared/data/mlearn/Si_train.xyz --packings 1000

Exit status 1 where there is a hole.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch

import adiabat
from adiabat.holes import HoleSurvey, survey_holes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("data", type=Path, help="what it was trained on")
    parser.add_argument("--packings", type=int, default=1000)
    parser.add_argument("--directions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential, structures = adiabat.load(options.potential), adiabat.read(options.data)
    start = time.process_time()
    survey = survey_holes(
        potential, structures, packings=options.packings, directions=options.directions, seed=options.seed
    )
    report(survey)
    complaints = survey.complaints()
    print(f"{len(complaints)} holes, {time.process_time() - start:.0f} CPU seconds")
    print("\n".join(complaints))
    return 1 if complaints else 0


def report(survey: HoleSurvey) -> None:
    falls = {id(hole.curve): hole for hole in survey.falls}
    for curve in survey.curves:
        hole = falls.get(id(curve))
        span = f"{curve.coordinate[0]:.3f} to {curve.coordinate[-1]:.3f} {curve.unit}"
        found = "rises" if hole is None else f"falls {hole.depth_ev:.3g} eV, {hole.top:.3f} to {hole.bottom:.3f}"
        print(f"{curve.place:70s} {span:30s} {found}")
    if not survey.packings:
        return
    ratios = np.array([packing.ratio for packing in survey.packings])
    energies = np.array([packing.energy_ev_per_atom for packing in survey.packings])
    steps = Counter(min(100 * (packing.steps // 100), 300) for packing in survey.packings)
    nearest = f"{ratios.min():.3f} of the shortest" if ratios.min() < 1 else "no nearer than the shortest"
    print(f"{len(ratios)} packings: nearest atoms {nearest} in the data")
    print(f"  collapsed {len(survey.collapsed())}, sunk {len(survey.sunk())}")
    print(f"  energies {energies.min():.3f} to {energies.max():.3f} eV/atom; crystals {survey.lowest_ev_per_atom}")
    print(f"  steps, by hundreds: {dict(sorted(steps.items()))}")


if __name__ == "__main__":
    sys.exit(main())
