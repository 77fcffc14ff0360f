"""Silicon in motion: thermal expansion, heat capacity, structure of crystal and melt, vibrations, and how well energy is conserved.

    python benchmarks/silicon_in_motion.py POTENTIAL --docs docs

Some ten CPU minutes; runs are kept in build/silicon_in_motion, and a second call only reads them. Exit status 1 where a check fails.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.io import read
from motion_pages import Line, Quantities, means, page, straight_line
from timing import machine

from adiabat.potential import Potential, load_potential
from adiabat.properties import relaxed_cubic
from adiabat.properties.observables import Trajectory, radial_distribution, vibrations
from adiabat.properties.observables.heat_capacity import heat_capacity
from adiabat.properties.observables.means import enlarged
from adiabat.properties.observables.model_error import MemberDifferences
from adiabat.report import write_image
from adiabat.runs import atomic_write_text
from adiabat.simulate import SimulationConfig, SimulationSummary, simulate_batch
from adiabat.units import BOLTZMANN_EV_PER_K

ROOT = Path(__file__).parents[1]
TEMPERATURES_K = (200.0, 200.0, 200.0, 300.0, 300.0, 300.0, 400.0, 400.0, 400.0)
SETTLED_PS = 5.0
MELT_G_PER_CM3 = 2.55
"""Of liquid silicon at its melting point, where the melt begins: H. Sasaki et al., J. Cryst. Growth 139, 225 (1994)."""
STEADY = 0.002
"""meV/atom/ps, within which the energy of the long run is to stay."""


@dataclass(frozen=True)
class Run:
    """A run by its name, from a structure that an earlier one may have left."""

    name: str
    start: Callable[[Path], Atoms]
    settings: Mapping[str, Any]

    def done(self, folder: Path, potential: Potential) -> tuple[SimulationSummary, ...]:
        """Run it, or read what was run."""
        config = SimulationConfig.parse({"timestep_fs": 2.0, "seed": 1} | dict(self.settings))
        return simulate_batch(
            [self.start(folder)], potential, config, folder=folder / self.name, resume=True, quiet=True
        )


def runs(rest: Atoms) -> list[Run]:
    """What is simulated."""
    melt = rest * (3, 3, 3)
    amount = 28.0855 * len(melt) * 1.66053906660
    melt.set_cell(melt.cell.array * (amount / MELT_G_PER_CM3 / melt.get_volume()) ** (1 / 3), scale_atoms=True)
    npt = {"ensemble": "npt", "pressure_gpa": 0.0, "barostat_time_fs": 300.0}
    return [
        Run("constant energy", lambda _: rest * (4, 4, 4), {"ensemble": "nve", "temperature_k": 600.0, "timestep_fs": 1.0, "steps": 100_000}),
        Run("crystal", lambda _: rest * (3, 3, 3), {"ensemble": "nvt", "temperature_k": 300.0, "steps": 10_000, "output": {"trajectory_every": 25}}),
        Run("canonical", lambda _: rest * (2, 2, 2), {"ensemble": "nvt", "temperature_k": 300.0, "steps": 50_000, "replicas": 8, "output": {"trajectory_every": 5000}}),
        Run("expansion", lambda _: rest * (3, 3, 3), npt | {"temperature_k": ",".join(map(str, TEMPERATURES_K)), "steps": 40_000, "output": {"trajectory_every": 250}}),
        Run("melting", lambda _: melt, {"ensemble": "nvt", "temperature_k": 3500.0, "steps": 3_000, "output": {"trajectory_every": 1000}}),
        Run("melt", lambda folder: _last(folder / "melting"), npt | {"temperature_k": 1800.0, "steps": 100_000, "output": {"trajectory_every": 25}}),
    ]  # fmt: skip


def _last(folder: Path) -> Atoms:
    found = read(folder / "last_frame.xyz")
    if not isinstance(found, Atoms):
        raise TypeError("a last frame is one structure")
    return found


def conserved(folder: Path) -> Line:
    """The drift of the long run, beside what is allowed."""
    summary = json.loads((folder / "constant energy" / "summary.json").read_text())
    drift, error = summary["drift_mev_per_atom_per_ps"], summary["drift_mev_per_atom_per_ps_std"]
    said = f"{drift:.6f} ± {error:.6f} meV/atom/ps"
    what = f"drift of the energy, {summary['atoms']} atoms, {summary['time_ps']:g} ps, {summary['mean_temperature_k']:.0f} K"
    return Line(what, said, f"below {STEADY}", abs(drift) + 2 * error < STEADY)


def expansion(folder: Path, potential: Potential) -> list[Line]:
    """Volumes and enthalpies at three temperatures, and what a straight line through them says of 300 K."""
    parts = [Trajectory.read(folder / f"expansion/replica-{n}").since(SETTLED_PS) for n in range(len(TEMPERATURES_K))]
    atoms, kelvin = parts[0].n_atoms, np.array(TEMPERATURES_K)
    volume, volume_std = means([one.logged("volume_cubic_angstrom", "volume") for one in parts])
    total = [one.logged("total_energy_ev", "energy") for one in parts]
    energy, energy_std = means(total)
    middle = float(volume[kelvin == 300].mean())
    slope, slope_std = straight_line(kelvin, volume, volume_std)
    model = _model_error(parts, kelvin, potential) / (3 * middle)
    heat, heat_std = (one / atoms / BOLTZMANN_EV_PER_K for one in straight_line(kelvin, energy, energy_std))
    linear, linear_std = (1e6 * one / (3 * middle) for one in (slope, slope_std))
    constant = (middle / atoms * 8) ** (1 / 3)
    lattice_std = constant / 3 * float(np.sqrt((volume_std[kelvin == 300] ** 2).sum()) / 3 / middle)
    return [
        Line("lattice constant at 300 K", f"{constant:.4f} ± {lattice_std:.4f} Å", "PBE at rest 5.469; measured 5.431"),
        Line(
            "linear expansion, 200 to 400 K",
            f"{linear:.2f} ± {linear_std:.2f} (sampling) ± {1e6 * model:.2f} (potential) 10⁻⁶/K",
            "measured 2.6 at 300 K (nuclei are classical here)",
        ),
        Line("heat capacity at constant pressure", f"{heat:.3f} ± {heat_std:.3f} k_B/atom", "harmonic, classical: 3; measured 2.40"),
    ]  # fmt: skip


def _model_error(parts: list[Trajectory], kelvin: np.ndarray, potential: Potential) -> float:
    """Å³/K, of the slope of the volume: its response to each member of the committee, of all temperatures together."""
    squares = 0.0
    responses: dict[str, list[np.ndarray]] = {}
    for trajectory in parts:
        members = MemberDifferences.along(trajectory, potential, quiet=True)
        away = trajectory.volumes - trajectory.volumes.mean()
        for part, reduced in members.reduced.items():
            responses.setdefault(part, []).append(-(reduced @ away) / len(away))
    centered = kelvin - kelvin.mean()
    for each in responses.values():
        slopes = centered @ np.array(each) / (centered @ centered)
        squares += float(np.mean(slopes**2))
    return squares**0.5


def capacity(folder: Path) -> Line:
    """From the fluctuations of eight small crystals."""
    each = [heat_capacity(Trajectory.read(folder / f"canonical/replica-{n}").since(SETTLED_PS)) for n in range(8)]
    values = np.array([one.heat_capacity_kb_per_atom for one in each])
    error = enlarged(7) * values.std(ddof=1) / 8**0.5
    what = "heat capacity at constant volume, by fluctuations"
    return Line(what, f"{values.mean():.3f} ± {error:.3f} k_B/atom", "harmonic, classical: 3")


def crystal(folder: Path, potential: Potential, images: Path | None) -> Line:
    """g(r) at 300 K, with what the potential's own uncertainty makes of it."""
    run = Trajectory.read(folder / "crystal").since(2.0)
    found = radial_distribution(run, members=MemberDifferences.along(run, potential, quiet=True), quiet=True)
    if images is not None:
        write_image(found.figures()[0], images / "silicon_300k.png")
    pair = found.pairs["Si-Si"]
    model = float(pair.values_std_model[pair.values.argmax()]) if pair.values_std_model is not None else float("nan")
    said = f"{pair.peak_height:.2f} ± {pair.peak_height_std or np.nan:.2f} (sampling) ± {model:.2f} (potential)"
    return Line(
        "g(r) of the crystal at 300 K, highest", f"{said} at {pair.peak_angstrom:.3f} Å", "nearest neighbours at 2.37 Å"
    )


def melt(folder: Path, images: Path | None) -> list[Line]:
    """Density and g(r) of the melt."""
    run = Trajectory.read(folder / "melt").since(SETTLED_PS)
    found = radial_distribution(run, cutoff_angstrom=7.5, quiet=True)
    if images is not None:
        write_image(found.figures()[0], images / "silicon_melt.png")
    pair, within = found.pairs["Si-Si"], found.distances < 3.1
    density, density_std = means([28.0855 * run.n_atoms * 1.66053906660 / run.volumes])
    around, around_std = (float(one[within][-1]) for one in (pair.coordination, pair.coordination_std))
    peak = f"{pair.peak_height:.2f} ± {pair.peak_height_std or np.nan:.2f} at {pair.peak_angstrom:.2f} Å"
    return [
        Line("density of the melt at 1800 K", f"{density[0]:.3f} ± {density_std[0]:.3f} g/cm³", "measured 2.5 (Sasaki et al. 1994)"),
        Line("g(r) of the melt, highest", peak, ""),
        Line("neighbours in the melt within 3.1 Å", f"{around:.2f} ± {around_std:.2f}", ""),
    ]  # fmt: skip


def spectrum(folder: Path, images: Path | None) -> Line:
    """The density of states of the long run."""
    found = vibrations(Trajectory.read(folder / "constant energy"))
    if images is not None:
        write_image(found.figures()[0], images / "silicon_vibrations.png")
    top = float(
        found.frequencies_thz[found.frequencies_thz > 10][found.total_per_thz[found.frequencies_thz > 10].argmax()]
    )
    what = "highest peak of the vibrations at 300 K, optical"
    return Line(what, f"{top:.2f} THz (resolution {found.resolution_thz:.2f})", "the potential's own optical phonon at rest 14.3, PBE 15.1 (see silicon_properties.md)")  # fmt: skip


@dataclass(frozen=True)
class Part:
    """What is said of some runs."""

    needs: Sequence[str]
    lines: Callable[[Path, Potential, Path | None], list[Line]]
    pictures: Sequence[str] = ()


PARTS = {
    "energy": Part(
        ["constant energy"], lambda at, _, images: [conserved(at), spectrum(at, images)], ["silicon_vibrations"]
    ),
    "crystal": Part(["crystal"], lambda at, potential, images: [crystal(at, potential, images)], ["silicon_300k"]),
    "expansion": Part(["expansion"], lambda at, potential, _: expansion(at, potential)),
    "capacity": Part(["canonical"], lambda at, *_: [capacity(at)]),
    "melt": Part(["melting", "melt"], lambda at, _, images: melt(at, images), ["silicon_melt"]),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("--runs", type=Path, default=ROOT / "build" / "silicon_in_motion")
    parser.add_argument("--parts", default=",".join(PARTS), help="some of them")
    parser.add_argument("--docs", type=Path, help="write silicon_in_motion.md and its pictures in this folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential = load_potential(options.potential)
    options.runs.mkdir(parents=True, exist_ok=True)
    rest = relaxed_cubic(bulk("Si", cubic=True, a=5.47), potential)
    images, lines, pictures = None if options.docs is None else options.docs / "images", list[Line](), list[str]()
    for name in options.parts.split(","):
        part = PARTS[name]
        for run in runs(rest):
            if run.name in part.needs:
                summary = run.done(options.runs, potential)[0]
                print(run.name, *summary.lines(), sep="\n    ", flush=True)
                if not summary.finished:
                    print(f"{run.name} was stopped; call again to go on")
                    return 1
        lines += part.lines(options.runs, potential, images)
        pictures += part.pictures
    about = ABOUT.format(parts="" if options.parts == ",".join(PARTS) else f" --parts {options.parts}")
    text = page(Quantities("Silicon in motion", about, lines, pictures), machine())
    print(text)
    if options.docs is not None:
        atomic_write_text(options.docs / "silicon_in_motion.md", text)
    return 0 if all(line.passed is not False for line in lines) else 1


ABOUT = """\
Written by `python benchmarks/silicon_in_motion.py POTENTIAL{parts} --docs docs`; the potential is trained with default settings on the silicon
training set of Zuo et al., J. Phys. Chem. A 124, 731 (2020). Nuclei are classical, as in all molecular dynamics: below the Debye temperature
(640 K) heat capacity and expansion are above what is measured, by what quantum mechanics freezes out."""


if __name__ == "__main__":
    sys.exit(main())
