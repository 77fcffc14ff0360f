"""Small silicon structures labelled by a known linear expansion, so that training has something exact to find."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.io import write

from adiabat.basis.presets import BasisConfig
from adiabat.models import LinearACE
from adiabat.potential import Potential
from adiabat.system import Labelled, Labels
from adiabat.training import TrainConfig, train
from adiabat.training.prepare import prepare
from adiabat.training.repulsion import RepulsionConfig

ISOLATED_EV = -158.5
CONFIG = TrainConfig(basis=BasisConfig(size="small", cutoff_angstrom=4.0), repulsion=RepulsionConfig(outer_factor=1.3))
"""With a repulsion that reaches so far the truth below has no holes that a training would look for ways to mend."""
FAST = ("--set", "basis.size=small", "--set", "basis.cutoff_angstrom=4.0", "--set", "repulsion.outer_factor=1.3")
"""The same configuration on the command line."""
FEW = 7
"""Structures: one less than energies and forces are compared for, which would take longer than the training."""


def cells(count: int = FEW, *, first_seed: int = 0) -> list[Atoms]:
    """Eight atoms each, rattled, strained and sheared."""
    found = []
    for seed in range(first_seed, first_seed + count):
        rng = np.random.default_rng(seed)
        atoms = bulk("Si", "diamond", a=5.43, cubic=True)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.uniform(-0.04, 0.04, (3, 3))), scale_atoms=True)
        atoms.positions += rng.normal(scale=0.12, size=(8, 3))
        found.append(atoms)
    return found


def isolated_silicon() -> Labelled:
    """The isolated atom."""
    return Labelled(Atoms("Si", [[0.0, 0.0, 0.0]]), Labels(energy=ISOLATED_EV), "isolated_atom", place="isolated atom")


def label(atoms: Atoms, potential: Potential, *, place: str = "structure", config_type: str = "cell") -> Labelled:
    """The structure with what the potential says of it."""
    periodic = bool(atoms.pbc.all())
    found = potential(atoms, want=("energy", "forces", "stress") if periodic else ("energy", "forces"))
    assert found.energy is not None
    assert found.forces is not None
    stress = found.stress[0].numpy() if found.stress is not None else None
    return Labelled(atoms, Labels(float(found.energy[0]), found.forces.numpy(), stress), config_type, place=place)


@cache
def truth() -> Potential:
    """What labels the structures: drawn coefficients in the very basis, and on the baseline, that training finds for `cells()`."""
    placeholders = [Labelled(atoms, Labels(energy=0.0, forces=np.zeros((8, 3)))) for atoms in cells()]
    prepared = prepare([*placeholders, isolated_silicon()], CONFIG, quiet=True)
    basis = prepared.model.basis
    drawn = np.random.default_rng(1).normal(size=(1, basis.n_functions)) * 0.05 * np.exp(-0.4 * basis.degrees.numpy())
    drawn[0, 0] -= 1.0  # binds
    return Potential([*prepared.baseline.parts, LinearACE(basis, torch.from_numpy(drawn))])


@cache
def labelled_cells(count: int = FEW, *, first_seed: int = 0) -> tuple[Labelled, ...]:
    """`cells` with labels and places."""
    return tuple(
        label(atoms, truth(), place=f"cells, structure {number}")
        for number, atoms in enumerate(cells(count, first_seed=first_seed))
    )


def training_data() -> list[Labelled]:
    """What `trained` is trained on."""
    return [*labelled_cells(), isolated_silicon()]


@cache
def trained() -> Potential:
    """One trained potential for all tests that only look at it."""
    return train(training_data(), CONFIG, quiet=True)


def noisy(
    structures: Sequence[Labelled], *, energy: float = 0.02, forces: float = 0.05, stress: float = 0.002
) -> list[Labelled]:
    """The structures with Gaussian noise on their labels: eV per structure, eV/Å, eV/Å³."""
    found = []
    for seed, structure in enumerate(structures):
        rng, labels = np.random.default_rng(seed), structure.labels
        shear = rng.normal(scale=stress, size=(3, 3))
        changed = Labels(
            None if labels.energy is None else labels.energy + rng.normal(scale=energy),
            None if labels.forces is None else labels.forces + rng.normal(scale=forces, size=labels.forces.shape),
            None if labels.stress is None else labels.stress + 0.5 * (shear + shear.T),
        )
        found.append(replace(structure, labels=changed))
    return found


def write_structures(file: Path, structures: Sequence[Labelled]) -> None:
    """As extended XYZ, under the default keys."""
    frames = []
    for structure in structures:
        atoms, labels = structure.atoms.copy(), structure.labels
        atoms.info["config_type"] = structure.config_type
        if labels.energy is not None:
            atoms.info["REF_energy"] = labels.energy
        if labels.forces is not None:
            atoms.arrays["REF_forces"] = labels.forces
        if labels.stress is not None:
            atoms.info["REF_stress"] = labels.stress.ravel()
        frames.append(atoms)
    write(file, frames, format="extxyz")


@cache
def trained_on_noise() -> Potential:
    """Trained on labels that no fit can meet exactly."""
    return train(noisy_data(), CONFIG, quiet=True)


def noisy_data() -> list[Labelled]:
    """What `trained_on_noise` is trained on."""
    return [*noisy(labelled_cells()), isolated_silicon()]
