"""What density-functional theory (PBE, VASP) says of silicon, taken from the reference data."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, sqrt
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.io import read

from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, GPA_PER_EV_PER_CUBIC_ANGSTROM
from adiabat.units import JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM as J_PER_M2

TRAINING, PHONONS = "mlearn/Si_train.xyz", "phonon/Si-PBE_ph3.xyz"
POLYMORPHS = "reference/matcalc_MP-PBE-Element-Refs.json.gz"
VACANCY = "reference/Si_CASTEP_PW91/model-CASTEP_ASE-test-vacancy-energy-properties.json"
SLAB = "Si_surface_mp/Si_mp-149_(1_0_0)_reconstructed"
STRAINED = "Si 2x2x2 cell, mode {mode}, strain {strain}"
STRAIN = 0.02
AXIAL, SHEAR = 0, 5
"""Modes of the strained cells: xx, and yz."""
DIAMOND_EV_PER_ATOM, HEXAGONAL_EV_PER_ATOM = -5.42531803, -5.41189778
"""By which the two polymorphs are found among all."""
SILICON_AMU = 28.085

OF_LABELS = "strained cells labelled for Zuo et al., J. Phys. Chem. A 124, 731 (2020)"
OF_PHONONS = "displaced supercell of phono3py's example Si-PBE"
OF_POLYMORPHS = "Materials Project, relaxed structures and their energies"


@dataclass(frozen=True)
class Reference:
    """A value and where it is from."""

    value: float
    source: str


@dataclass(frozen=True)
class SiliconReferences:
    """Values by the names that the properties have here, and the structures that properties are taken of.

    Attributes:
        values: By name.
        crystal: The cubic cell of diamond at its own lattice constant.
        slab: The (100) surface, reconstructed to dimers, at rest; under no strain against the crystal.
        diamond: The primitive cell.
        hexagonal: Hexagonal diamond at rest.
    """

    values: Mapping[str, Reference]
    crystal: Atoms
    slab: Atoms
    diamond: Atoms
    hexagonal: Atoms


def silicon_references(data: Path) -> SiliconReferences:
    """All, from the folder of reference data."""
    training = {atoms.info["description"]: atoms for atoms in _all(data / TRAINING)}
    diamond, hexagonal = _polymorphs(data / POLYMORPHS)
    edge = (4 * diamond.get_volume()) ** (1 / 3)
    c11, c12, clamped, coupling = _strained(training)
    alpha, optical, acoustic = _phonons(_all(data / PHONONS)[0])
    c44 = clamped - coupling**2 / (alpha * diamond.get_volume())
    ground = training["Ground state crystal"]
    slab = training[SLAB]
    excess = slab.info["REF_energy"] - len(slab) / len(ground) * ground.info["REF_energy"]
    area = np.linalg.norm(np.cross(slab.cell.array[0], slab.cell.array[1]))
    vacancy = json.loads((data / VACANCY).read_text())["vacancy_energy"]
    gpa = GPA_PER_EV_PER_CUBIC_ANGSTROM
    values = {
        "lattice_constant_angstrom": Reference(edge, OF_POLYMORPHS),
        "bulk_modulus_gpa": Reference((c11 + 2 * c12) / 3 * gpa, OF_LABELS),
        "c11_gpa": Reference(c11 * gpa, OF_LABELS),
        "c12_gpa": Reference(c12 * gpa, OF_LABELS),
        "c44_gpa": Reference(c44 * gpa, f"{OF_LABELS}; atoms at rest by linear response, with the {OF_PHONONS}"),
        "vacancy_formation_energy_ev": Reference(
            vacancy, "64-atom cell, PW91, CASTEP: Bartók et al., Phys. Rev. X 8, 041048 (2018)"
        ),
        "surface_energy_100_j_per_m2": Reference(
            excess / (2 * area) * J_PER_M2, "slab labelled for Zuo et al., from Tran et al., Sci. Data 3, 160080 (2016)"
        ),
        "optical_phonon_thz": Reference(optical, OF_PHONONS),
        "transverse_acoustic_x_thz": Reference(acoustic, OF_PHONONS),
        "hexagonal_diamond_mev_per_atom": Reference(1e3 * (HEXAGONAL_EV_PER_ATOM - DIAMOND_EV_PER_ATOM), OF_POLYMORPHS),
    }
    return SiliconReferences(values, bulk("Si", a=edge, cubic=True), slab, diamond, hexagonal)


def _all(file: Path) -> Sequence[Atoms]:
    found = read(file, index=":")
    return found if isinstance(found, list) else [found]


def _strained(training: Mapping[str, Atoms]) -> tuple[float, float, float, float]:
    """C11, C12 and C44 of atoms that move with the cell, in eV/Å³, by central differences of the second Piola-Kirchhoff stress by
    the Lagrangian strain; and the force on an atom by the shear, in eV/Å."""
    stresses: dict[int, list[np.ndarray]] = {AXIAL: [], SHEAR: []}
    ground = training["Ground state crystal"]
    forces = []
    for mode, found in stresses.items():
        for strain in (STRAIN, -STRAIN):
            atoms = training[STRAINED.format(mode=mode, strain=strain)]
            gradient = np.linalg.solve(ground.cell.array, atoms.cell.array)
            back = np.linalg.inv(gradient)
            stress = np.reshape(atoms.info["REF_stress"], (3, 3))
            found.append(np.linalg.det(gradient) * back.T @ stress @ back)
            if mode == SHEAR:
                forces.append(np.abs(atoms.arrays["REF_forces"]).max())
    axial, shear = ((found[0] - found[1]) / (2 * STRAIN) for found in stresses.values())
    return axial[0, 0], axial[1, 1], shear[1, 2] / 2, float(np.mean(forces)) / (2 * STRAIN)


def _phonons(displaced: Atoms) -> tuple[float, float, float]:
    """From the forces of a 64-atom cell in which one atom is displaced along x, sums over all its images with the phases of a
    wave vector: the force constant of one sublattice against the other in eV/Å², the optical frequency at the zone centre and
    that of the transverse acoustic modes at X, in THz."""
    eighth = displaced.cell.array[0, 0] / 8
    sites = displaced.positions / eighth - 0.5
    places = np.round(sites).astype(int)
    moved = int(np.abs(sites - places).sum(axis=1).argmax())
    step = (sites - places)[moved, 0] * eighth
    apart = (places - places[moved]) % 8
    same = (apart % 2 == 0).all(axis=1) & (apart.sum(axis=1) % 4 == 0)
    constants = -displaced.arrays["REF_forces"] / step
    phase = np.exp(0.5j * pi * apart[:, 2])  # X lies along z: 2π over the cubic edge, which is four eighths
    centre = float(constants[same, 0].sum())
    along = float((constants[same, 0] * phase[same]).sum().real)
    across = abs((constants[~same, 1] * phase[~same]).sum())
    return centre, _thz(2 * centre), _thz(along - across)


def _thz(constant: float) -> float:
    return sqrt(constant * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / SILICON_AMU) * 1e3 / (2 * pi)


def _polymorphs(file: Path) -> tuple[Atoms, Atoms]:
    """Diamond and hexagonal diamond."""
    with gzip.open(file) as opened:
        found = json.load(opened)["Si"]
    energies = np.array(found["energy_per_atom"])
    places = [int(np.abs(energies - energy).argmin()) for energy in (DIAMOND_EV_PER_ATOM, HEXAGONAL_EV_PER_ATOM)]
    diamond, hexagonal = (_atoms(found["structure"][place]) for place in places)
    return diamond, hexagonal


def _atoms(structure: Mapping) -> Atoms:
    positions = [site["xyz"] for site in structure["sites"]]
    return Atoms(f"Si{len(positions)}", positions=positions, cell=structure["lattice"]["matrix"], pbc=True)
