"""How often `adiabat validate` fails a potential that is right: the whole suite, with other random numbers each time.

    python benchmarks/false_alarms.py --runs 100 --json build/false_alarms.json

The potential is Lennard-Jones with a smooth end, in closed form; the start a crystal of two masses, 32 atoms. Some eight CPU seconds a run.
Exit status 1 where more than 1 % of the runs fail.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from timing import machine

from adiabat.runs import atomic_write_text, track
from adiabat.validation import ValidateConfig, validate

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from made_subjects import mixture, subject

AT_REST = 0.94
"""Of the volume of the tests' crystal, for the shorter cutoff here."""
CUTOFF = 4.8
TEMPERATURE_K = 30.0
LENGTHS = {"timestep_fs": 4.0, "settle_ps": 2.0, "nvt_ps": 6.0, "nve_ps": 2.0, "hot_ps": 1.0}
ALLOWED = 0.01


def start() -> Atoms:
    """Near equilibrium."""
    atoms = mixture()
    atoms.set_cell(atoms.cell.array * AT_REST ** (1 / 3), scale_atoms=True)
    return atoms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="of the runs, where they are made in parts")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    made, failed, began = Counter[str](), Counter[str](), time.process_time()
    of_limit: dict[str, list[float]] = {}
    alarms: list[dict[str, str | int]] = []
    for seed in track(range(options.first, options.first + options.runs), "right runs"):
        config = ValidateConfig.parse({"seed": 1000 * seed} | LENGTHS)
        found = validate(subject(cutoff=CUTOFF), start(), temperature_k=TEMPERATURE_K, config=config, quiet=True)
        for check in found.checks:
            if check.passed is None:
                continue
            made[check.name] += 1
            if check.value is not None and check.limit:
                of_limit.setdefault(check.name, []).append(check.value / check.limit)
            if not check.passed:
                failed[check.name] += 1
                alarms.append({"run": seed, "check": check.name, "reason": check.reason})
        share = {
            "runs": seed + 1 - options.first,
            "failed": len({one["run"] for one in alarms}),
            "alarms": alarms,
            "made": dict(made),
        }
        if options.json is not None:
            atomic_write_text(options.json, json.dumps(share, indent=1) + "\n")
    print(f"{share['failed']} of {options.runs} right runs failed; {time.process_time() - began:.0f} CPU seconds")
    for name, count in made.items():
        ratios = np.abs(of_limit.get(name, [0.0]))
        print(f"  {name}: made {count} times, {failed[name]} alarms; value over limit at most {ratios.max():.2f}")
    for alarm in alarms:
        print(f"  run {alarm['run']}: {alarm['check']}: {alarm['reason']}")
    print(machine())
    return 0 if share["failed"] <= ALLOWED * options.runs else 1


if __name__ == "__main__":
    sys.exit(main())
