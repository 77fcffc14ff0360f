"""Phonons of potentials trained on displaced supercells, beside those made directly of the same DFT forces.

    python benchmarks/phonon_dispersion.py

Trains on the displaced supercells of silicon and of NaCl, which takes some CPU minutes; potentials are kept in build/phonon_dispersion. Force
constants of either side are fitted to the same displacements in the same supercell (symfc, second order), without a non-analytic term, so that
only the potential differs. The error is the largest difference of a frequency along seekpath's path, relative to the largest frequency. Exit status 1
where it is above what is allowed.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from rich.console import Console
from timing import machine

import adiabat
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.phonons.setup import band_path
from adiabat.report.terminal import print_table
from adiabat.results import Table

ROOT = Path(__file__).parents[1]
GRID = 16
"""Sites of both crystals, in the supercell's vectors, are multiples of one over this."""
AT_ONCE = 20


@dataclass(frozen=True)
class Case:
    """A crystal: its displaced supercells, of 2 x 2 x 2 conventional cells each, and the error allowed."""

    name: str
    file: str
    allowed: float


CASES = (Case("Si", "phonon/Si-PBE_ph3.xyz", 0.02), Case("NaCl", "phonon/NaCl_rd_params.xyz", 0.05))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the reference data")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "phonon_dispersion")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, passed = [], True
    for case in CASES:
        structures = adiabat.read(options.data / case.file)
        potential = trained(structures, options.cache / f"{case.name}.adiabat")
        largest, highest = compared(
            [one.atoms for one in structures], [one.labels.forces for one in structures], potential
        )
        passed &= largest <= case.allowed * highest
        rows.append((case.name, len(structures), largest, highest, f"{largest / highest:.2%}", f"{case.allowed:.0%}"))
    columns = ("crystal", "supercells", "largest difference (THz)", "highest frequency (THz)", "error", "allowed")
    print_table(
        Table("dispersion", "Phonons of the potential and of the forces it was trained on", columns, tuple(rows)),
        Console(width=120),
    )
    print(machine())
    return 0 if passed else 1


def trained(structures: Any, file: Path) -> Potential:
    """From the cache, where it is there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        adiabat.train(structures, quiet=True).save(file)
    return adiabat.load(file)


def compared(frames: Sequence[Atoms], forces: Sequence[Any], potential: Potential) -> tuple[float, float]:
    """The largest difference of a frequency along the path, and the highest frequency, THz."""
    ideal, displacements = displaced_from_sites(frames)
    model = [
        found
        for start in range(0, len(frames), AT_ONCE)
        for found in forces_of(potential, frames[start : start + AT_ONCE])
    ]
    phonon, order = made(ideal)
    found = [frequencies(phonon, displacements[:, order], np.array(each)[:, order]) for each in (forces, model)]
    return float(np.abs(found[0] - found[1]).max()), float(found[0].max())


def forces_of(potential: Potential, frames: Sequence[Atoms]) -> np.ndarray:
    return evaluated(potential, frames, "forces")[0].reshape(len(frames), -1, 3)


def displaced_from_sites(frames: Sequence[Atoms]) -> tuple[Atoms, np.ndarray]:
    """The perfect supercell, and (frames, N, 3) Å."""
    places = np.array([atoms.get_scaled_positions(wrap=False) for atoms in frames])
    sites = np.round(GRID * places) / GRID
    perfect = frames[0].copy()
    perfect.set_scaled_positions(sites[0] % 1)
    return perfect, (places - sites) @ frames[0].cell.array


def made(perfect: Atoms) -> tuple[Phonopy, np.ndarray]:
    """Phonopy of the conventional cell's 2 x 2 x 2 supercell, and where its atoms stand in ours."""
    sites = np.round(GRID * perfect.get_scaled_positions()).astype(int) % GRID
    unit = perfect[(sites < GRID // 2).all(1)]
    unit.set_positions(sites[(sites < GRID // 2).all(1)] / GRID @ perfect.cell.array)
    unit.set_cell(perfect.cell.array / 2)
    cell = PhonopyAtoms(symbols=unit.get_chemical_symbols(), cell=unit.cell.array, positions=unit.positions)
    phonon = Phonopy(cell, np.diag([2, 2, 2]), primitive_matrix="F")
    missed = phonon.supercell.scaled_positions[:, None] - perfect.get_scaled_positions()[None]
    return phonon, np.linalg.norm(missed - np.round(missed), axis=-1).argmin(1)


def frequencies(phonon: Phonopy, displacements: np.ndarray, forces: np.ndarray) -> np.ndarray:
    """(q, modes) THz along the path."""
    phonon.dataset = {"displacements": displacements, "forces": forces}
    phonon.produce_force_constants(fc_calculator="symfc", show_drift=False)
    primitive = phonon.primitive
    crystal = Atoms(primitive.symbols, cell=primitive.cell, scaled_positions=primitive.scaled_positions, pbc=True)
    phonon.run_qpoints(np.concatenate(band_path(crystal).points))
    return np.asarray(phonon.qpoints.frequencies)


if __name__ == "__main__":
    sys.exit(main())
