"""Label the demonstration set that adiabat ships: about 200 small silicon structures, PBE, GPAW.

    CC=g++ pip install gpaw gpaw-data            # an environment of its own; needs Debian's libxc-dev, libopenblas-dev
    python scripts/label_demonstration_set.py label WORK --processes 2     # resumable: one file per label in WORK
    python scripts/label_demonstration_set.py assemble WORK src/adiabat/data/demonstration/silicon.xyz
    python scripts/label_demonstration_set.py unpack src/adiabat/data/demonstration/silicon.xyz WORK      # go on from a set
    python scripts/label_demonstration_set.py convergence                  # stress and energy against the cutoff

One cutoff, one k-point spacing, one smearing for every structure; the energy stored is the free (force-consistent)
energy, of which forces and stress are the derivatives. The structures come from fixed seeds.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from ase import Atoms, units
from ase.build import bulk, diamond100, diamond111, make_supercell, surface
from ase.calculators.tersoff import Tersoff, TersoffParameters
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

CUTOFF_EV = 350.0
KPOINT_SPACING = 0.2  # 1/Å, with the factor 2π
SMEARING_EV = 0.1  # Fermi-Dirac
ATOM_SMEARING_EV = (
    0.001  # the p shell of an atom is degenerate: at 0.1 eV its free energy would hold 0.19 eV of entropy
)
LATTICE_CONSTANT = 5.469  # Å, PBE
# J. Tersoff, Phys. Rev. B 39, 5566 (1989), silicon; only to draw hot structures, never to label them.
TERSOFF_SILICON = TersoffParameters(
    m=3.0,
    gamma=1.0,
    lambda3=0.0,
    c=1.0039e5,
    d=16.217,
    h=-0.59825,
    n=0.78734,
    beta=1.1e-6,
    lambda2=1.73222,
    B=471.18,
    R=2.85,
    D=0.15,
    lambda1=2.4799,
    A=1830.8,
)


def primitive(volume_factor: float = 1.0) -> Atoms:
    return bulk("Si", "diamond", LATTICE_CONSTANT * volume_factor ** (1 / 3))


def cubic(volume_factor: float = 1.0) -> Atoms:
    return bulk("Si", "diamond", LATTICE_CONSTANT * volume_factor ** (1 / 3), cubic=True)


def displaced(atoms: Atoms, amplitude: float, rng: np.random.Generator) -> Atoms:
    atoms = atoms.copy()
    atoms.positions += rng.normal(0.0, amplitude, atoms.positions.shape)
    return atoms


def strained(atoms: Atoms, amplitude: float, rng: np.random.Generator) -> Atoms:
    strain = rng.uniform(-amplitude, amplitude, (3, 3))
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + 0.5 * (strain + strain.T)), scale_atoms=True)
    return atoms


def at_volume(atoms: Atoms, volume_per_atom: float) -> Atoms:
    atoms = atoms.copy()
    factor = (volume_per_atom * len(atoms) / atoms.get_volume()) ** (1 / 3)
    atoms.set_cell(atoms.cell[:] * factor, scale_atoms=True)
    return atoms


def beta_tin() -> Atoms:
    a, c = 4.82, 2.66
    return Atoms(
        "Si4", scaled_positions=[(0, 0, 0), (0.5, 0, 0.25), (0.5, 0.5, 0.5), (0, 0.5, 0.75)], cell=[a, a, c], pbc=True
    )


def polymorphs() -> dict[str, Atoms]:
    simple_hexagonal = Atoms("Si", cell=[(2.64, 0, 0), (-1.32, 2.64 * 3**0.5 / 2, 0), (0, 0, 2.48)], pbc=True)
    return {
        "beta_tin": beta_tin(),
        "simple_cubic": bulk("Si", "sc", 2.53),
        "simple_hexagonal": simple_hexagonal,
        "bcc": bulk("Si", "bcc", 3.09),
        "fcc": bulk("Si", "fcc", 3.87),
        "hcp": bulk("Si", "hcp", 2.7, c=4.6),
    }


def hot(atoms: Atoms, temperature_k: float, seed: int) -> Atoms:
    atoms = atoms.copy()
    rng = np.random.RandomState(seed)
    atoms.calc = Tersoff({("Si", "Si", "Si"): TERSOFF_SILICON})
    MaxwellBoltzmannDistribution(atoms, temperature_K=2 * temperature_k, rng=rng)
    Langevin(atoms, 1.0 * units.fs, temperature_K=temperature_k, friction=0.02 / units.fs, rng=rng).run(400)
    return Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)


def without_one(atoms: Atoms) -> Atoms:
    atoms = atoms.copy()
    del atoms[0]
    return atoms


def slabs() -> list[Atoms]:
    a = LATTICE_CONSTANT
    found = [diamond100("Si", (1, 1, n), a=a, vacuum=5.0) for n in (5, 6, 8)]
    found += [diamond111("Si", (1, 1, n), a=a, vacuum=5.0) for n in (4, 6, 8)]
    found += [surface(cubic(), (1, 1, 0), n, vacuum=5.0) for n in (1, 2)]
    for slab in found:
        slab.pbc = True
    return found


def structures() -> dict[str, Atoms]:  # noqa: PLR0912 (one loop a kind of structure)
    """Every structure by its name; the name up to the last underscore is its config_type."""
    rng = np.random.default_rng(20261121)
    found: dict[str, Atoms] = {
        "IsolatedAtom_0": Atoms("Si", positions=[(5.0, 5.2, 5.4)], cell=[10.0, 10.4, 10.8], pbc=True)
    }

    def add(config_type: str, atoms: Atoms) -> None:
        index = sum(name.rsplit("_", 1)[0] == config_type for name in found)
        found[f"{config_type}_{index}"] = atoms

    for factor in np.linspace(0.70, 1.25, 12):
        add("volume", primitive(factor))
    for name, atoms in polymorphs().items():
        for volume in (13.0, 15.0, 17.0):
            add(f"{name}", at_volume(atoms, volume))
    for name in ("simple_cubic", "beta_tin", "bcc", "simple_hexagonal"):
        cell = polymorphs()[name] * ((2, 1, 1) if name == "beta_tin" else (2, 2, 2))
        for volume in (13.5, 15.5):
            add(f"{name}_rattled", displaced(at_volume(cell, volume), 0.12, rng))
    for _ in range(30):
        add("strained", displaced(strained(primitive(), 0.08, rng), 0.03, rng))
    for amplitude in (0.05, 0.10, 0.15, 0.20, 0.25):
        for _ in range(8):
            add("rattled", displaced(strained(cubic(), 0.03, rng), amplitude, rng))
    for _ in range(15):
        add("compressed", displaced(cubic(rng.uniform(0.60, 0.85)), 0.10, rng))
    for _ in range(6):
        add("expanded", displaced(cubic(rng.uniform(1.15, 1.5)), 0.10, rng))
    for index, temperature in enumerate(np.linspace(800, 5000, 30)):
        add("hot", hot(cubic(rng.uniform(0.85, 1.05)), temperature, index))
    sixteen = make_supercell(primitive(), 2 * np.eye(3))
    for index, temperature in enumerate(np.linspace(1000, 4000, 10)):
        add("hot", hot(sixteen, temperature, 100 + index))
    for _ in range(12):
        add("vacancy", displaced(without_one(cubic(rng.uniform(0.95, 1.05))), rng.uniform(0.03, 0.2), rng))
    for _ in range(8):
        add("vacancy", displaced(without_one(sixteen), rng.uniform(0.03, 0.2), rng))
    for slab in slabs():
        add("surface", slab)
        for amplitude in (0.06, 0.15):
            add("surface", displaced(slab, amplitude, rng))
    return found


def kpoint_mesh(atoms: Atoms) -> tuple[int, int, int]:
    reciprocal = 2 * np.pi * np.linalg.norm(np.linalg.inv(atoms.cell[:]).T, axis=1)
    return tuple(int(n) for n in np.ceil(reciprocal / KPOINT_SPACING - 1e-9))


def is_isolated(atoms: Atoms) -> bool:
    return len(atoms) == 1 and atoms.get_volume() > 500


def label(atoms: Atoms, *, cutoff_ev: float = CUTOFF_EV, log: str | None = None) -> dict:
    """Energy (free), extrapolated energy, forces, stress of one structure; raises where the density does not converge."""
    from gpaw import GPAW, PW, FermiDirac

    isolated = is_isolated(atoms)
    calculator = GPAW(
        mode=PW(cutoff_ev),
        xc="PBE",
        txt=log,
        hund=isolated,
        kpts={"size": (1, 1, 1) if isolated else kpoint_mesh(atoms)},
        occupations=FermiDirac(ATOM_SMEARING_EV if isolated else SMEARING_EV, fixmagmom=isolated),
        convergence={"density": 1e-5},
        maxiter=200,
    )
    atoms = atoms.copy()
    atoms.calc = calculator
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.tolist(),
        "energy": float(atoms.get_potential_energy(force_consistent=True)),
        "energy_extrapolated": float(atoms.get_potential_energy()),
        "forces": atoms.get_forces().tolist(),
        "stress": None if isolated else atoms.get_stress(voigt=False).tolist(),
    }


def label_into(task: tuple[str, Atoms, Path]) -> tuple[str, float, str | None]:
    name, atoms, work = task
    start = time.time()
    try:
        labels = label(atoms, log=str(work / f"{name}.txt"))
    except Exception as error:  # one structure that does not converge must not end the others; it stays unlabelled
        return name, time.time() - start, f"{type(error).__name__}: {error}"
    temporary = work / f"{name}.part"
    temporary.write_text(json.dumps(labels))
    temporary.rename(work / f"{name}.json")
    return name, time.time() - start, None


def run_labels(work: Path, processes: int) -> int:
    work.mkdir(parents=True, exist_ok=True)
    wanted = structures()
    names = [name for name in wanted if not (work / f"{name}.json").exists()]
    np.random.default_rng(0).shuffle(names)  # so that an unfinished set is already a fair one
    failures, start = 0, time.time()
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=10) as pool:
        tasks = ((name, wanted[name], work) for name in names)
        for done, (name, seconds, error) in enumerate(pool.imap_unordered(label_into, tasks), 1):
            failures += error is not None
            left = (time.time() - start) / done * (len(names) - done) / 60
            print(f"{done}/{len(names)} {name} {seconds:.0f} s, {left:.0f} min left {error or ''}", flush=True)
    return int(failures > 0)


def by_type_and_index(path: Path) -> tuple[str, int]:
    config_type, index = path.stem.rsplit("_", 1)
    return config_type, int(index)


def assemble(work: Path, out: Path) -> int:
    import gpaw

    frames = []
    for path in sorted(work.glob("*.json"), key=by_type_and_index):
        labels = json.loads(path.read_text())
        config_type = path.stem.rsplit("_", 1)[0]
        isolated = config_type == "IsolatedAtom"
        cell = None if isolated else labels["cell"]
        frame = Atoms(labels["numbers"], positions=labels["positions"], cell=cell, pbc=not isolated)
        frame.arrays["REF_forces"] = np.round(labels["forces"], 6)
        frame.info = {
            "config_type": config_type,
            "name": path.stem,
            "REF_energy": round(labels["energy"], 6),
            "REF_energy_extrapolated": round(labels["energy_extrapolated"], 6),
            "code": f"GPAW {gpaw.__version__}",
            "setups": "gpaw-data 1.2.1",
            "functional": "PBE",
            "cutoff_ev": CUTOFF_EV,
            "kpoint_spacing_per_angstrom": KPOINT_SPACING,
            "fermi_dirac_smearing_ev": ATOM_SMEARING_EV if isolated else SMEARING_EV,
        }
        if labels["stress"] is not None:
            frame.info["REF_stress"] = np.round(labels["stress"], 8)
        frames.append(frame)
    write(out, frames, format="extxyz")
    print(f"{len(frames)} structures, {out.stat().st_size / 1e3:.0f} kB")
    return 0


def unpack(file: Path, work: Path) -> int:
    """Take the labels of an assembled set as done."""
    work.mkdir(parents=True, exist_ok=True)
    for frame in read(file, ":"):
        stress = frame.info.get("REF_stress")
        labels = {
            "numbers": frame.numbers.tolist(),
            "positions": frame.positions.tolist(),
            "cell": frame.cell.tolist(),
            "energy": frame.info["REF_energy"],
            "energy_extrapolated": frame.info["REF_energy_extrapolated"],
            "forces": frame.arrays["REF_forces"].tolist(),
            "stress": None if stress is None else stress.tolist(),
        }
        (work / f"{frame.info['name']}.json").write_text(json.dumps(labels))
    return 0


def convergence() -> int:
    """Print energy and stress of a distorted crystal and a compressed one against the plane-wave cutoff."""
    for name in ("strained_0", "compressed_0"):
        atoms = structures()[name]
        reference = None
        for cutoff in (800.0, 600.0, 450.0, CUTOFF_EV):
            found = label(atoms, cutoff_ev=cutoff)
            reference = reference or found
            stress = np.abs(np.subtract(found["stress"], reference["stress"])).max() / units.GPa
            forces = np.abs(np.subtract(found["forces"], reference["forces"])).max()
            energy = 1e3 * (found["energy"] - reference["energy"]) / len(atoms)
            print(
                f"{name} {cutoff:.0f} eV: {energy:+.2f} meV/atom, forces {forces:.5f} eV/Å, stress {stress:.4f} GPa",
                flush=True,
            )
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("label")
    run.add_argument("work", type=Path)
    run.add_argument("--processes", type=int, default=2)
    gather = commands.add_parser("assemble")
    gather.add_argument("work", type=Path)
    gather.add_argument("out", type=Path)
    earlier = commands.add_parser("unpack")
    earlier.add_argument("file", type=Path)
    earlier.add_argument("work", type=Path)
    commands.add_parser("convergence")
    arguments = parser.parse_args()
    if arguments.command == "label":
        return run_labels(arguments.work, arguments.processes)
    if arguments.command == "unpack":
        return unpack(arguments.file, arguments.work)
    return assemble(arguments.work, arguments.out) if arguments.command == "assemble" else convergence()


if __name__ == "__main__":
    sys.exit(main())
