"""A potential learned from one silicon cell, beside the code that labelled it: lattice, elasticity and phonons, with error bars.

    python -c "from ase.build import bulk; bulk('Si', a=5.47).repeat(2).write('si.xyz')"
    adiabat learn si.xyz --oracle gpaw --oracle-set cutoff_ev=300 --oracle-set kpoint_spacing_per_angstrom=0.7 \
        --temperature-k 300:1200 --budget 60 --out build/gpaw_silicon/run
    python benchmarks/gpaw_silicon.py build/gpaw_silicon/run --docs docs                 (--oracle-python where GPAW is elsewhere)

GPAW is asked with the settings of the run's labels, in the run's cell of sixteen atoms, and the potential in the same cells with the same
differences: what is compared is what was learned, and not how well sixteen atoms and eight k-points stand for silicon. Each member of
the potential's committee is taken at its own lattice constant, and GPAW at its own. GPAW's answers are kept beside the run.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.build import bulk
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from timing import machine

import adiabat
from adiabat.learning import LabelStore, Oracle, label
from adiabat.learning.journal import read_journal
from adiabat.learning.progress import read_json
from adiabat.learning.store import identity
from adiabat.potential import Potential
from adiabat.properties import Measured, measured
from adiabat.properties.arrays import evaluated
from adiabat.results import Result
from adiabat.runs import atomic_write_text
from adiabat.system import Labelled
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

LATTICES_ANGSTROM = (5.39, 5.43, 5.47, 5.51, 5.55)
STRAIN = 0.005
MOVED_ANGSTROM = 0.02
REPEATS = 2
POINTS = 30
"""Along each line of the dispersion."""
SPECIAL = {"L": (0.5, 0.5, 0.5), "Γ": (0.0, 0.0, 0.0), "X": (0.5, 0.0, 0.5)}

Ask = Callable[[Sequence[Atoms]], tuple[FloatArray, FloatArray]]
"""Structures of N atoms to (S, N, 3) eV/Å and (S, 3, 3) eV/Å³."""


@dataclass(frozen=True)
class Silicon(Result):
    """What is compared.

    Attributes:
        lattice_angstrom: Where the pressure is zero.
        bulk_gpa: From the slope of the pressure there.
        c11_gpa: By differences of the stress.
        c12_gpa: Likewise.
        c44_gpa: With atoms at rest.
        c44_clamped_gpa: With atoms that move with the cell alone.
        x_thz: TA, LA/LO and TO.
        l_thz: TA, LA, LO and TO.
        gamma_thz: Of the optical modes.
        along_thz: (q, 6) from L over Γ to X.
    """

    lattice_angstrom: float
    bulk_gpa: float
    c11_gpa: float
    c12_gpa: float
    c44_gpa: float
    c44_clamped_gpa: float
    x_thz: FloatArray
    l_thz: FloatArray
    gamma_thz: float
    along_thz: FloatArray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a run of learning by GPAW")
    parser.add_argument("--oracle-python", help="of the environment that GPAW is in")
    parser.add_argument("--docs", type=Path, help="the folder to write gpaw_silicon.md and its picture to")
    options = parser.parse_args()
    settings = read_json(options.run / "learn.json")["oracle"]["settings"]
    oracle = Oracle.named("gpaw", settings=settings, python=options.oracle_python)
    truth = silicon(lambda structures: labelled(structures, oracle, options.run / "reference.db"))
    potential = adiabat.load(options.run / "potential.adiabat")
    found = measured(lambda member: silicon(lambda structures: asked(member, structures)), potential)
    rows = table(truth, found)
    print("\n".join(rows))
    if options.docs:
        draw(truth, found, options.docs / "images" / "gpaw_silicon.png")
        atomic_write_text(options.docs / "gpaw_silicon.md", page(rows, options.run, settings))


def labelled(structures: Sequence[Atoms], oracle: Oracle, file: Path) -> tuple[FloatArray, FloatArray]:
    """By an oracle, once."""
    asked_for = [Labelled(atoms, config_type="reference", place=f"structure {k}") for k, atoms in enumerate(structures)]
    label(asked_for, oracle, file)
    answers = {identity(one): one.labels for one in LabelStore(file).labelled()}
    labels = [answers[identity(one)] for one in asked_for]
    return np.array([one.forces for one in labels]), np.array([one.stress for one in labels])


def asked(potential: Potential, structures: Sequence[Atoms]) -> tuple[FloatArray, FloatArray]:
    """By a potential."""
    forces, stresses = evaluated(potential, structures, "forces", "stress")
    return forces.reshape(len(structures), -1, 3), stresses


def silicon(ask: Ask) -> Silicon:
    """By whoever answers."""
    lattice, bulk_gpa = at_rest(ask)
    crystal = cell(lattice)
    c11, c12, clamped, pulled = strained(ask, crystal)
    softer = pulled**2 / (held(ask, crystal) * crystal.get_volume())
    phonon = phonons(ask, lattice)
    special = {name: frequencies(phonon, np.array([point]))[0] for name, point in SPECIAL.items()}
    corners = [np.array(point) for point in SPECIAL.values()]
    lines = [np.linspace(*ends, POINTS) for ends in pairwise(corners)]
    return Silicon(
        lattice_angstrom=lattice,
        bulk_gpa=bulk_gpa,
        c11_gpa=c11 * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        c12_gpa=c12 * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        c44_gpa=(clamped - softer) * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        c44_clamped_gpa=clamped * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        x_thz=special["X"][[0, 2, 4]],
        l_thz=special["L"][[0, 2, 3, 4]],
        gamma_thz=float(special["Γ"][3:].mean()),
        along_thz=frequencies(phonon, np.concatenate(lines)),
    )


def cell(lattice: float) -> Atoms:
    """Sixteen atoms."""
    return bulk("Si", a=lattice).repeat(REPEATS)


def at_rest(ask: Ask) -> tuple[float, float]:
    """The lattice constant, and the bulk modulus in GPa: of a cubic through the pressures."""
    _, stresses = ask([cell(lattice) for lattice in LATTICES_ANGSTROM])
    pressures = -np.trace(stresses, axis1=1, axis2=2) / 3
    curve = np.polynomial.Polynomial.fit(LATTICES_ANGSTROM, pressures, 3)
    roots = [root.real for root in curve.roots() if abs(root.imag) < 1e-9]
    lattice = min(roots, key=lambda root: abs(root - np.mean(LATTICES_ANGSTROM)))
    slope = float(curve.deriv()(lattice))
    return float(lattice), -slope * lattice / 3 * GPA_PER_EV_PER_CUBIC_ANGSTROM


def strained(ask: Ask, crystal: Atoms) -> tuple[float, float, float, float]:
    """C11, C12, C44 of clamped atoms, eV/Å³, and the force that a shear exerts on one sublattice, eV/Å, for a strain of one."""
    stretched, sheared = np.zeros((3, 3)), np.zeros((3, 3))
    stretched[0, 0] = STRAIN
    sheared[1, 2] = sheared[2, 1] = STRAIN / 2
    forces, stresses = ask([deformed(crystal, sign * by) for by in (stretched, sheared) for sign in (1, -1)])
    by_stretch, by_shear = ((stresses[k] - stresses[k + 1]) / (2 * STRAIN) for k in (0, 2))
    pull = (forces[2] - forces[3]) / (2 * STRAIN)
    across = (by_stretch[1, 1] + by_stretch[2, 2]) / 2
    return float(by_stretch[0, 0]), float(across), float(by_shear[1, 2]), float(pull[::2, 0].sum())


def deformed(crystal: Atoms, strain: FloatArray) -> Atoms:
    found = crystal.copy()
    found.set_cell(crystal.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return found


def held(ask: Ask, crystal: Atoms) -> float:
    """What holds one sublattice against the other, eV/Å²."""
    structures = []
    for sign in (1, -1):
        moved = crystal.copy()
        moved.positions[::2, 0] += sign * MOVED_ANGSTROM
        structures.append(moved)
    forces, _ = ask(structures)
    return float(-(forces[0] - forces[1])[::2, 0].sum() / (2 * MOVED_ANGSTROM))


def phonons(ask: Ask, lattice: float) -> Phonopy:
    """Of the cell of sixteen atoms, by one displacement, forwards and backwards."""
    unit = bulk("Si", a=lattice)
    primitive = PhonopyAtoms(symbols=["Si", "Si"], cell=unit.cell.array, scaled_positions=unit.get_scaled_positions())
    phonon = Phonopy(primitive, REPEATS * np.eye(3, dtype=int), primitive_matrix=np.eye(3))
    phonon.generate_displacements(distance=MOVED_ANGSTROM, is_plusminus=True)
    cells: Any = phonon.supercells_with_displacements
    forces, _ = ask([Atoms(one.symbols, one.positions, cell=one.cell, pbc=True) for one in cells])
    phonon.forces = forces
    phonon.produce_force_constants(show_drift=False)
    phonon.symmetrize_force_constants(show_drift=False)
    return phonon


def frequencies(phonon: Any, points: FloatArray) -> FloatArray:
    phonon.run_qpoints(points)
    return np.asarray(phonon.qpoints.frequencies)


NAMES = {
    "lattice_angstrom": ("lattice constant (Å)", ("",)),
    "bulk_gpa": ("bulk modulus (GPa)", ("",)),
    "c11_gpa": ("C11 (GPa)", ("",)),
    "c12_gpa": ("C12 (GPa)", ("",)),
    "c44_gpa": ("C44 (GPa)", ("",)),
    "c44_clamped_gpa": ("C44, clamped atoms (GPa)", ("",)),
    "gamma_thz": ("phonon at Γ (THz)", (" optical",)),
    "x_thz": ("phonon at X (THz)", (" TA", " LA", " TO")),
    "l_thz": ("phonon at L (THz)", (" TA", " LA", " LO", " TO")),
}


def table(truth: Silicon, found: Measured[Silicon]) -> list[str]:
    """As Markdown."""
    rows = ["| | GPAW | potential | standard deviation | error | in deviations |", "|---|---|---|---|---|---|"]
    for name, (words, parts) in NAMES.items():
        values: tuple[Any, ...] = (getattr(truth, name), getattr(found.result, name), found.std(name))
        theirs, ours, bars = map(np.atleast_1d, values)
        digits = 4 if name == "lattice_angstrom" else 2
        for part, their, our, bar in zip(parts, theirs, ours, bars, strict=True):
            numbers = f"{their:.{digits}f} | {our:.{digits}f} | {bar:.{digits}f}"
            rows.append(f"| {words}{part} | {numbers} | {our / their - 1:+.1%} | {(our - their) / bar:+.1f} |")
    return rows


def draw(truth: Silicon, found: Measured[Silicon], file: Path) -> None:
    """The dispersions."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    places = np.arange(len(truth.along_thz))
    bars = np.asarray(found.std("along_thz"))
    for mode in range(6):
        axes.plot(places, truth.along_thz[:, mode], color="black", label="GPAW" if not mode else None)
        ours = found.result.along_thz[:, mode]
        axes.plot(places, ours, color="tab:orange", linestyle="--", label="potential" if not mode else None)
        axes.fill_between(places, ours - bars[:, mode], ours + bars[:, mode], color="tab:orange", alpha=0.3)
    axes.set_xticks([0, POINTS, 2 * POINTS - 1], list(SPECIAL))
    axes.set_ylabel("frequency (THz)")
    axes.legend()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=150)


def page(rows: list[str], run: Path, settings: dict[str, Any]) -> str:
    """The documentation's."""
    summary, estimate = read_json(run / "summary.json"), read_json(run / "estimate.json")
    seconds = sum(one.seconds or 0.0 for one in read_journal(run / "journal.json"))
    return "\n".join(
        [
            "# From one silicon cell to a potential, by GPAW",
            "",
            "Written by `python benchmarks/gpaw_silicon.py`, which says what was learned, by which command, and what is compared.",
            "",
            f"{summary['labels']} labels ({', '.join(f'{name}={value}' for name, value in settings.items())}), {summary['oracle_seconds'] / 60:.0f} minutes of GPAW, {seconds / 60:.0f} of all on one "
            f"core of a busy machine; before it began, {estimate['seconds'] / 60:.0f} had been estimated. It ended: {summary['why']}.",
            "",
            *rows,
            "",
            "![Phonons of the potential and of GPAW](images/gpaw_silicon.png)",
            "",
            *(f"    {line}" for line in machine().splitlines()),
            "",
        ]
    )


if __name__ == "__main__":
    main()
