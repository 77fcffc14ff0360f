"""Small labelled structures and files for tests of the data layer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk

from adiabat.system import Labelled, Labels

TWO_ATOMS = """2
Lattice="5.0 0.0 0.0 0.0 5.0 0.0 0.0 0.0 5.0" Properties=species:S:1:pos:R:3:REF_forces:R:3 {comment} pbc="T T T"
Si 0.0 0.0 0.0 {force} 0.0 0.0
Si 2.4 0.1 0.0 -0.5 0.0 0.0
"""
STRESS = "0.01 0.002 0.003 0.002 0.02 0.004 0.003 0.004 0.03"


def frame(comment: str = "REF_energy=-9.0", *, force: str = "0.5") -> str:
    """A frame of extended XYZ: two silicon atoms in a box."""
    return TWO_ATOMS.format(comment=comment, force=force)


def write(folder: Path, *frames: str, name: str = "data.xyz") -> Path:
    """A file of frames."""
    file = folder / name
    file.write_text("".join(frames))
    return file


def rattled_silicon(seed: int, *, scale: float = 0.1, a: float = 5.43) -> Atoms:
    """Eight atoms, off their sites by `scale` (Å)."""
    atoms = bulk("Si", "diamond", a=a, cubic=True)
    atoms.positions += np.random.default_rng(seed).normal(scale=scale, size=(8, 3))
    return atoms


def labelled(atoms: Atoms, place: str = "structure", config_type: str = "default", **labels: Any) -> Labelled:
    """A structure with labels."""
    return Labelled(atoms, Labels(**labels), config_type=config_type, place=place)


def relabelled(structure: Labelled, **labels: Any) -> Labelled:
    """The structure with some labels exchanged."""
    return replace(structure, labels=replace(structure.labels, **labels))


def sound_silicon(count: int = 30) -> list[Labelled]:
    """A sound data set: a spring to each site gives energies and forces, a made-up stress follows."""
    structures = []
    for seed in range(count):
        atoms = rattled_silicon(seed)
        moved = atoms.positions - bulk("Si", "diamond", a=5.43, cubic=True).positions
        moved -= moved.mean(axis=0)
        stress = np.diag([0.001, 0.002, 0.003]) * (1 + 0.1 * seed)
        energy = -40.0 + 2.5 * float((moved**2).sum())
        structures.append(
            labelled(atoms, f"data.xyz, structure {seed}", energy=energy, forces=-5.0 * moved, stress=stress)
        )
    return structures
