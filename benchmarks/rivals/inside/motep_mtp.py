"""Moment tensor potentials by motep, in C, trained as its example `0.0_train` does.

The untrained potentials, one for each level, are in its source distribution alone.
"""

import logging
import re
import subprocess
import sys
import tarfile
import time
from importlib.metadata import version
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress
from motep.calculator import MTP
from motep.io.mlip.mtp import read_mtp, write_mtp
from motep.loss import LossFunction
from motep.train import Trainer
from serving import AseSubject, Order, Predicted, serve

FILE = "final.mtp"
SHORTER = 0.95
"""Of the shortest distance in the data: where its radial functions begin."""
STEP = 1.2
"""Evaluations of the loss and its gradient in a step of BFGS, by its line search."""
RESERVED = 4
"""Evaluations kept for the first line search and for the linear problem at the end."""


class Mtp(AseSubject):
    """A trained potential; its calculator knows only the structure that it saw first, so each gets its own."""

    def __init__(self, file: Path) -> None:
        self.potential = read_mtp(str(file))
        self.potential.species = [14]
        super().__init__(MTP(self.potential))

    def predict(self, atoms: Atoms) -> Predicted:
        return AseSubject(MTP(self.potential)).predict(atoms)


def load(model: str, precision: str, folder: Path) -> Mtp:
    del model, precision
    return Mtp(folder / FILE)


def train(order: Order) -> str:
    start = time.process_time()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    images = [labelled(atoms) for atoms in ase.io.iread(order.data, ":")]
    shortest = min(neighbor_list("d", atoms, 4.0).min() for atoms in images)
    untrained = order.folder / "initial.mtp"
    text = re.sub(r"min_dist = \S+", f"min_dist = {SHORTER * shortest:.3f}", template(order))
    untrained.write_text(text)
    potential = read_mtp(str(untrained))
    potential.species = [14]
    linear = [
        {"method": "Level2MTP", "optimized": ["radial_coeffs"]},
        {"method": "LLS", "optimized": ["moment_coeffs"]},
    ]
    Trainer(potential, seed=42, steps=linear).train(images)
    loss = LossFunction(images, potential, Trainer(potential).loss)
    begin = time.process_time()
    loss(potential.parameters)
    loss.jac(potential.parameters)
    evaluation = time.process_time() - begin
    left = order.budget_s - (time.process_time() - start) - RESERVED * evaluation
    count = max(1, int(left / (STEP * evaluation)))
    both = ["radial_coeffs", "moment_coeffs"]
    settings = {"method": "BFGS", "jac": True, "tol": 1e-3, "options": {"maxiter": count}}
    descent = {"method": "minimize", "optimized": both, "kwargs": settings}
    Trainer(potential, steps=[descent, linear[1]]).train(images)
    write_mtp(str(order.folder / FILE), potential, legacy=True)  # motep 0.2.0 reads no other form
    return f"{potential.alpha_scalar_moments} functions, trained here: at most {count} steps of BFGS"


def labelled(atoms: Atoms) -> Atoms:
    results = {
        "energy": atoms.info["REF_energy"],
        "forces": atoms.arrays["REF_forces"],
        "stress": full_3x3_to_voigt_6_stress(np.reshape(atoms.info["REF_stress"], (3, 3))),
    }
    bare = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    bare.calc = SinglePointCalculator(bare, **results)
    return bare


def template(order: Order) -> str:
    """The untrained potential of a level."""
    name = f"motep-{version('motep')}"
    get = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "motep"]
    subprocess.run([*get, "--dest", order.folder, name.replace("-", "==")], check=True)
    with tarfile.open(order.folder / f"{name}.tar.gz") as archive:
        member = archive.extractfile(f"{name}/tests/data_path/fitting/crystals/cubic/{order.model}/initial.mtp")
        if member is None:
            raise FileNotFoundError(f"level {order.model} in {name}.tar.gz")
        return member.read().decode()


if __name__ == "__main__":
    serve(load, train, ["motep"])
