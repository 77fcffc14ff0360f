"""Thermal conductivity of silicon by a potential, beside that made directly of the DFT forces that it was trained on.

    python benchmarks/silicon_conductivity.py

Takes the potential of benchmarks/phonon_dispersion.py (run that first; or it is trained here). Force constants of the second and third order of
either side are fitted to the same displacements in the same supercell (symfc), so that only the potential differs.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from phono3py import Phono3py
from phonon_dispersion import AT_ONCE, CASES, GRID, ROOT, displaced_from_sites, forces_of, made, trained
from phonopy.structure.atoms import PhonopyAtoms
from rich.console import Console
from timing import machine

import adiabat
from adiabat.report.terminal import print_table
from adiabat.results import Table

TEMPERATURES_K = (300.0, 600.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the reference data")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "phonon_dispersion")
    parser.add_argument("--mesh", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    structures = adiabat.read(options.data / CASES[0].file)
    potential = trained(structures, options.cache / "Si.adiabat")
    frames = [one.atoms for one in structures]
    starts = range(0, len(frames), AT_ONCE)
    sides = {
        "DFT": np.array([np.asarray(one.labels.forces) for one in structures]),
        "potential": np.concatenate([forces_of(potential, frames[start : start + AT_ONCE]) for start in starts]),
    }
    ideal, displacements = displaced_from_sites(frames)
    rows = [
        (name, *(f"{value:.1f}" for value in conductivities(ideal, displacements, forces, options.mesh)))
        for name, forces in sides.items()
    ]
    columns = ("forces of", *(f"{temperature:g} K (W/m/K)" for temperature in TEMPERATURES_K))
    print_table(
        Table("conductivity", "Lattice thermal conductivity of silicon", columns, tuple(rows)), Console(width=100)
    )
    print(machine())


def conductivities(ideal: Atoms, displacements: np.ndarray, forces: np.ndarray, mesh: int) -> np.ndarray:
    """(T,) W/m/K, in the relaxation-time approximation."""
    _, order = made(ideal)
    sites = np.round(GRID * ideal.get_scaled_positions()).astype(int) % GRID
    kept = (sites < GRID // 2).all(1)
    cell = PhonopyAtoms(
        symbols=["Si"] * int(kept.sum()),
        cell=ideal.cell.array / 2,
        positions=sites[kept] / GRID @ ideal.cell.array,
    )
    crystal = Phono3py(cell, np.diag([2, 2, 2]), primitive_matrix="F")
    crystal.dataset = {"displacements": displacements[:, order], "forces": forces[:, order]}
    crystal.produce_fc3(fc_calculator="symfc")
    crystal.mesh_numbers = [mesh] * 3
    crystal.init_phph_interaction()
    crystal.run_thermal_conductivity(temperatures=TEMPERATURES_K)
    found: Any = crystal.thermal_conductivity
    return np.asarray(found.kappa)[0, :, 0]


if __name__ == "__main__":
    main()
