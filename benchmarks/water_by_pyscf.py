"""A potential learned from one water molecule and a dimer by PySCF: a trajectory at 300 K, and errors along it.

    python benchmarks/water_by_pyscf.py --start water.xyz
    adiabat learn water.xyz --oracle pyscf --temperature-k 300:600 --set explore.timestep_fs=0.5 --budget 80 --out build/water_by_pyscf/run
    python benchmarks/water_by_pyscf.py build/water_by_pyscf/run                          (--oracle-python where PySCF is elsewhere)

The dimer is simulated at 300 K, thermostatted and then alone. It is stable where every O-H bond stays one, and the energy of the second part does
not drift. Frames of the first part are labelled by PySCF, with the settings of the run. Exit status 1 where it is not stable.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.io import write

import adiabat
from adiabat.learning import LabelStore, Oracle, label
from adiabat.learning.progress import read_json
from adiabat.properties.arrays import evaluated
from adiabat.results import Result
from adiabat.simulate import Outputs, SimulationConfig, read_trajectory, simulate
from adiabat.system import Labelled

TEMPERATURE_K, TIMESTEP_FS, STEPS, FRAMES = 300.0, 0.5, 100_000, 500
LABELLED = 20
BOND_ANGSTROM = (0.8, 1.25)
"""An O-H bond that is shorter or longer is none of a molecule at 300 K."""
DRIFT_MEV_PER_ATOM = 1.0
"""Of the energy alone, over the whole of its part."""


@dataclass(frozen=True)
class Water(Result):
    """What was seen.

    Attributes:
        simulated_ps: Thermostatted, and as long alone.
        shortest_bond_angstrom: O-H, of all frames.
        longest_bond_angstrom: Likewise.
        farthest_angstrom: Of the two oxygen atoms: a dimer in empty space evaporates.
        drift_mev_per_atom: Of the total energy, alone: from the first tenth of the frames to the last.
        force_rmse_ev_per_angstrom: Of frames by PySCF.
        force_std_ev_per_angstrom: What the potential said of that.
        energy_rmse_mev_per_atom: Likewise.
    """

    simulated_ps: float
    shortest_bond_angstrom: float
    longest_bond_angstrom: float
    farthest_angstrom: float
    drift_mev_per_atom: float
    force_rmse_ev_per_angstrom: float
    force_std_ev_per_angstrom: float
    energy_rmse_mev_per_atom: float

    @property
    def stable(self) -> bool:
        """Whether molecules stay molecules, and the energy stays."""
        whole = BOND_ANGSTROM[0] < self.shortest_bond_angstrom <= self.longest_bond_angstrom < BOND_ANGSTROM[1]
        return whole and abs(self.drift_mev_per_atom) < DRIFT_MEV_PER_ATOM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="the folder of a run of learning by PySCF")
    parser.add_argument("--start", type=Path, help="write the start structures here, and end")
    parser.add_argument("--oracle-python", help="of the environment that PySCF is in")
    options = parser.parse_args()
    if options.start:
        write(options.start, [molecule("H2O"), dimer()])
        return 0
    potential, folder = adiabat.load(options.run / "potential.adiabat"), options.run.parent / "simulated"
    held = simulated(potential, dimer(), folder / "nvt")
    alone = simulated(potential, held[-1], folder / "nve")
    settings = read_json(options.run / "learn.json")["oracle"]["settings"]
    oracle = Oracle.named("pyscf", settings=settings, python=options.oracle_python)
    chosen = held[:: FRAMES // LABELLED]
    asked = [Labelled(Atoms(one.numbers, one.positions), place=f"frame {k}") for k, one in enumerate(chosen)]
    label(asked, oracle, options.run.parent / "reference.db")
    found = seen(potential, held, alone, LabelStore(options.run.parent / "reference.db").labelled())
    found.save(options.run.parent / "water.json")
    print(found.to_dict(), "stable" if found.stable else "not stable")
    return 0 if found.stable else 1


def simulated(potential: adiabat.Potential, atoms: Atoms, folder: Path) -> list[Atoms]:
    """Frames, in the ensemble that the folder is called after."""
    alone = folder.name == "nve"
    run = SimulationConfig(
        ensemble="nve" if alone else "nvt",
        steps=STEPS,
        timestep_fs=TIMESTEP_FS,
        temperature_k=None if alone else TEMPERATURE_K,
        seed=0,
        output=Outputs(trajectory_every=STEPS // FRAMES),
    )
    simulate(atoms, potential, run, folder=folder, resume=True, quiet=True)
    return read_trajectory(folder / "trajectory.h5")[1:]


def dimer() -> Atoms:
    """Near its lowest energy: the first molecule gives a hydrogen bond to the second."""
    first, second = molecule("H2O"), molecule("H2O")
    first.rotate(first.positions[1] - first.positions[0], (0, 0, 1))
    first.translate(-first.positions[0])
    second.rotate(180, "x")
    second.translate([0, 0, 2.9] - second.positions[0])
    second.rotate(60, "y", center=(0, 0, 2.9))
    return first + second


def seen(potential: adiabat.Potential, held: list[Atoms], alone: list[Atoms], labelled: list[Labelled]) -> Water:
    """Of both parts."""
    distances = np.array([one.get_all_distances() for one in (*held, *alone)])
    bonds = distances[:, [0, 0, 3, 3], [1, 2, 4, 5]]
    found = adiabat.evaluate(potential, labelled, quiet=True)
    stds = np.array([evaluated(potential, [one.atoms], "forces_std")[0] for one in labelled])
    totals = np.array([energy(potential, one) for one in alone])
    tenth = len(totals) // 10
    assert found.force_rmse_ev_per_angstrom is not None
    assert found.energy_rmse_mev_per_atom is not None
    return Water(
        simulated_ps=STEPS * TIMESTEP_FS / 1000,
        shortest_bond_angstrom=float(bonds.min()),
        longest_bond_angstrom=float(bonds.max()),
        farthest_angstrom=float(distances[:, 0, 3].max()),
        drift_mev_per_atom=1000 * float(totals[-tenth:].mean() - totals[:tenth].mean()) / len(alone[0]),
        force_rmse_ev_per_angstrom=found.force_rmse_ev_per_angstrom,
        force_std_ev_per_angstrom=float(np.sqrt(np.square(stds).mean())),
        energy_rmse_mev_per_atom=found.energy_rmse_mev_per_atom,
    )


def energy(potential: adiabat.Potential, atoms: Atoms) -> float:
    """Total, eV."""
    return float(evaluated(potential, [atoms], "energy")[0][0]) + float(atoms.get_kinetic_energy())


if __name__ == "__main__":
    sys.exit(main())
