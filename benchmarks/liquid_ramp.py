"""A liquid reached by a ramp from the crystal, by a potential that learning called sure: errors on its frames by the truth.

    adiabat train shared/data/mlearn/Si_train.xyz --set data.isolated_atoms_ev.Si=-0.8 --out si.adiabat
    python benchmarks/liquid_ramp.py si.adiabat --out build/liquid_ramp

Learning begins at sixteen atoms of silicon, and its explorers are heated from 300 K to up to 2500 K. When its stop criterion is met, the
learned potential heats a crystal along the same ramp, and keeps it there. Of the frames none may have a force error (root mean square
over its atoms) above five times the calibrated one, and at most one atom in a thousand. The calibrated error of a force component is that of structures
left out of the last training; of an atom's force √3 times as much. A larger crystal is heated too: its frames are nothing that was asked for.
Exit status 1 where the learned cell does not hold what is asked.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk

import adiabat
from adiabat.learning import LearnConfig, Oracle, learn
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.results import Result
from adiabat.simulate import Outputs, SimulationConfig, read_trajectory, simulate

COLD_K, HOT_K = 300.0, 2500.0
STEPS, FRAMES = 15_000, 500
RAMP_SHARE = 2 / 3
"""Of the steps; in the rest it stays hot."""
EXPLORERS = 8
ALLOWED, ATOMS_BEYOND = 5.0, 0.001
MELTED_ANGSTROM = 2.0
"""Root mean square displacement of the last frame: atoms of the crystal stay well below it."""


@dataclass(frozen=True)
class Ramp(Result):
    """Frames of one heated crystal.

    Attributes:
        atoms: Of it.
        displaced_angstrom: In the last frame, root mean square.
        calibrated_ev_per_angstrom: Error of a force component, of structures left out.
        largest_ratio: Of a frame: the error of its force components, root mean square, over that.
        median_ratio: Likewise.
        frames_beyond: Frames above what is allowed.
        atoms_beyond: Share of the atoms of all frames above what is allowed.
    """

    atoms: int
    displaced_angstrom: float
    calibrated_ev_per_angstrom: float
    largest_ratio: float
    median_ratio: float
    frames_beyond: int
    atoms_beyond: float

    @property
    def holds(self) -> bool:
        """Whether it is as asked, of a liquid."""
        melted = self.displaced_angstrom > MELTED_ANGSTROM
        return melted and self.frames_beyond == 0 and self.atoms_beyond <= ATOMS_BEYOND


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path, help="a potential for silicon that knows the energy of an isolated atom")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument(
        "--sure-ev-per-angstrom", type=float, help="largest standard deviation of a force; default: learning's"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start, run = bulk("Si").repeat(2), options.out / "run"
    config = LearnConfig.parse(
        {
            "temperature_k": (COLD_K, HOT_K),
            "budget": options.budget,
            "explore": {"ramp": True, "explorers": EXPLORERS},
            "validation": None,
            "seed": options.seed,
            **(
                {}
                if options.sure_ev_per_angstrom is None
                else {"force_std_ev_per_angstrom": options.sure_ev_per_angstrom}
            ),
        }
    )
    summary = learn([start], Oracle.named(str(options.truth)), config, folder=run, resume=run.exists())
    print(f"{summary.labels} labels in {len(summary.generations)} generations; it ended: {summary.why}")
    truth, potential = adiabat.load(options.truth), adiabat.load(run / "potential.adiabat")
    held = []
    for crystal in (start, bulk("Si", cubic=True).repeat(2)):
        found = heated(crystal, potential, truth, options.out / f"{len(crystal)}_atoms", seed=options.seed)
        found.save(options.out / f"{len(crystal)}_atoms.json")
        print(json.dumps(found.to_dict()), "holds" if found.holds else "does not hold")
        held.append(found.holds)
    return 0 if held[0] and summary.why == "sure" else 1


def heated(crystal: Atoms, potential: Potential, truth: Potential, folder: Path, *, seed: int) -> Ramp:
    """Along the ramp, and beyond."""
    ramp = int(RAMP_SHARE * STEPS)
    frames: list[Atoms] = []
    atoms = crystal
    for name, heat, steps in (("ramp", f"{COLD_K!r}:{HOT_K!r}", ramp), ("hot", HOT_K, STEPS - ramp)):
        output = Outputs(trajectory_every=STEPS // FRAMES)
        run = SimulationConfig(
            ensemble="nvt", steps=steps, timestep_fs=1.0, temperature_k=heat, seed=seed, output=output
        )
        simulate(atoms, potential, run, folder=folder / name, resume=True, quiet=True)
        frames += read_trajectory(folder / name / "trajectory.h5")[1:]
        atoms = frames[-1]
    errors = np.array([forces_of(potential, frame) - forces_of(truth, frame) for frame in frames])
    calibrated = float(potential.typical_errors["forces"])
    of_frames = np.sqrt(np.square(errors).mean((1, 2))) / calibrated
    of_atoms = np.linalg.norm(errors, axis=2) / (np.sqrt(3) * calibrated)
    moved = frames[-1].positions - crystal.positions
    return Ramp(
        atoms=len(crystal),
        displaced_angstrom=float(np.sqrt(np.square(moved - moved.mean(0)).sum(1).mean())),
        calibrated_ev_per_angstrom=calibrated,
        largest_ratio=float(of_frames.max()),
        median_ratio=float(np.median(of_frames)),
        frames_beyond=int((of_frames > ALLOWED).sum()),
        atoms_beyond=float((of_atoms > ALLOWED).mean()),
    )


def forces_of(potential: Potential, atoms: Atoms) -> np.ndarray:
    return evaluated(potential, [atoms], "forces")[0].reshape(-1, 3)


if __name__ == "__main__":
    sys.exit(main())
