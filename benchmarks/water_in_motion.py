"""Liquid water in motion, beside the frames that its potential was trained on: structure with error bars, and diffusion.

    ase convert -n ::4 ../shared/data/water/water_pbe0ts.xyz.gz water_train.xyz
    adiabat train water_train.xyz --set basis.size=medium --out water.adiabat
    python benchmarks/water_in_motion.py water.adiabat --docs docs

Training takes four CPU minutes, the rest three.

The frames (PBE0+TS, 64 molecules, of the DeePMD-kit examples) come without a temperature and without an order in time; both are estimated
from them. Runs are kept in build/water_in_motion, and a second call only reads them. Exit status 1 where a check fails.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from ase import Atoms
from ase.io import read
from motion_pages import Line, Quantities, page
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import shortest_path
from timing import machine

from adiabat.potential import Potential, load_potential
from adiabat.properties.observables import (
    Ensemble,
    RadialDistribution,
    Trajectory,
    mean_squared_displacement,
    radial_distribution,
)
from adiabat.report import write_image
from adiabat.results import Figure
from adiabat.results import Line as Curve
from adiabat.runs import atomic_write_text
from adiabat.simulate import SimulationConfig, SimulationSummary, iterate_trajectory, simulate
from adiabat.simulate.statistics import standard_error
from adiabat.system import Batch
from adiabat.units import BOLTZMANN_EV_PER_K

ROOT = Path(__file__).parents[1]
FRAMES = "water/water_pbe0ts.xyz.gz"
NEAR = 0.2
"""Å, root mean square: frames that differ by less were a few femtoseconds apart."""
NEIGHBORS = 8
PROBE = 1e-3
"""Å."""
STEPS = {"settling": 10_000, "measured": 100_000}
TIMESTEP_FS = 0.5
BOND = 1.2
"""Å; the peak of the O-H bond below it is ten times as high as all others."""


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error."""

    value: float
    std: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ± {self.std:.2g}"


def distances(frames: Sequence[Atoms]) -> np.ndarray:
    """(T, T) Å, root mean square displacement from frame to frame, by the nearest images and without the motion of the whole."""
    positions, lengths = np.array([frame.positions for frame in frames]), frames[0].cell.lengths()
    found = np.zeros((len(frames), len(frames)))
    for index, one in enumerate(positions):
        away = positions - one
        away -= lengths * np.round(away / lengths)
        away -= away.mean(axis=1, keepdims=True)
        found[index] = np.sqrt((away**2).sum(-1).mean(-1))
    return found


def in_time(away: np.ndarray) -> np.ndarray:
    """The order of the frames along the way that they lie on: by its length from one end, from neighbour to neighbour."""
    nearest = np.argsort(away, axis=1)[:, 1 : NEIGHBORS + 1]
    rows = np.repeat(np.arange(len(away)), NEIGHBORS)
    graph = csr_matrix((away[rows, nearest.ravel()] ** 2, (rows, nearest.ravel())), shape=away.shape)
    length = shortest_path(graph, directed=False)
    end = int(np.where(np.isfinite(length), length, 0.0).max(axis=1).argmax())
    return np.argsort(length[end])


def temperatures(frames: Sequence[Atoms], potential: Potential) -> dict[str, Estimate]:
    """K, by species: k_B T = ⟨F²⟩ / ⟨∇²U⟩ of classical nuclei in equilibrium; forces are the reference's own, the curvature the potential's.

    (H. H. Rugh, Phys. Rev. Lett. 78, 772 (1997); the trace of the Hessian by products with random signs, M. F. Hutchinson (1990).)
    """
    rng, numbers = np.random.default_rng(0), frames[0].numbers
    squares, curvatures = [], []
    for frame in frames:
        signs = rng.choice([-1.0, 1.0], size=(4, *frame.positions.shape))
        moved = [_displaced(frame, sign * PROBE * one) for one in signs for sign in (1, -1)]
        forces = cast(torch.Tensor, potential(Batch.from_atoms(moved), want=("forces",)).forces)
        up, down = forces.numpy().reshape(4, 2, -1, 3).transpose(1, 0, 2, 3)
        curvatures.append((signs * (down - up) / (2 * PROBE)).sum(-1).mean(0))
        squares.append((frame.arrays["REF_forces"] ** 2).sum(-1))
    found = {}
    for name, own in (("all", numbers > 0), ("O", numbers == 8), ("H", numbers == 1)):
        f, c = np.array(squares)[:, own].sum(1), np.array(curvatures)[:, own].sum(1)
        value = f.mean() / c.mean()
        residual = f - value * c
        error = standard_error(residual) or float("nan")
        found[name] = Estimate(value / BOLTZMANN_EV_PER_K, error / c.mean() / BOLTZMANN_EV_PER_K)
    return found


def _displaced(frame: Atoms, by: np.ndarray) -> Atoms:
    return Atoms(frame.numbers, positions=frame.positions + by, cell=frame.cell, pbc=True)


def spacing_fs(away: np.ndarray, folder: Path) -> float:
    """From frame to frame in the mean, were they in order: of N frames at random times of a run T pairs nearer than t are N(N-1) t / T.

    How far atoms get in a time t is read off a run of the potential itself.
    """
    positions = np.array([atoms.positions for atoms in iterate_trajectory(folder / "short" / "trajectory.h5")])
    moved = positions - positions[:1]
    moved -= moved.mean(axis=1, keepdims=True)
    reached = np.sqrt((moved**2).sum(-1).mean(-1))
    time_fs = float(np.interp(NEAR, reached, np.arange(len(reached), dtype=float)))
    count = len(away)
    pairs = int((away[np.triu_indices(count, 1)] < NEAR).sum())
    return (count - 1) * time_fs / pairs


def done(name: str, start: Atoms, potential: Potential, folder: Path, **settings: object) -> SimulationSummary:
    """Run it, or read what was run."""
    config = SimulationConfig.parse({"timestep_fs": TIMESTEP_FS} | settings)
    return simulate(start, potential, config, folder=folder / name, resume=True, quiet=True)


def simulated(frames: Sequence[Atoms], potential: Potential, folder: Path, kelvin: float) -> SimulationSummary:
    """Warmed up, then 50 ps under a thermostat that hardly disturbs the motion; and a short run with every femtosecond."""
    canonical = {"ensemble": "nvt", "temperature_k": kelvin, "seed": 2}
    start = _displaced(frames[0], 0.0 * frames[0].positions)
    done("settling", start, potential, folder, steps=STEPS["settling"], **canonical)
    settled = _last(folder / "settling")
    weak = {"thermostat": "csvr", "thermostat_time_fs": 1000.0, "output": {"trajectory_every": 20}}
    done("short", settled, potential, folder, ensemble="nve", steps=400, output={"trajectory_every": 2})
    return done("measured", settled, potential, folder, steps=STEPS["measured"], **canonical, **weak)


def _last(folder: Path) -> Atoms:
    found = read(folder / "last_frame.xyz")
    if not isinstance(found, Atoms):
        raise TypeError("a last frame is one structure")
    return found


def compared(own: RadialDistribution, reference: RadialDistribution) -> list[Line]:
    """How many bins of each pair agree within the error bars of both."""
    lines = []
    for name, one in own.pairs.items():
        other = reference.pairs[name]
        known = (one.values + other.values > 0.02) & np.isfinite(one.values_std + other.values_std)
        error = np.hypot(one.values_std, other.values_std)[known]
        away = np.abs(one.values - other.values)[known] / error
        apart = float(np.abs(np.diff(own.edges_angstrom[:2])[0] * (one.values - other.values)).sum())
        share = float((away <= 2).mean())
        peak = f"first peak {one.peak_height:.2f} at {one.peak_angstrom:.2f} Å; frames {other.peak_height:.2f} at {other.peak_angstrom:.2f} Å"
        lines.append(
            Line(f"g(r) of {name}: {peak}", f"{share:.0%} of {known.sum()} bins within two standard errors", f"95 % by chance; area between them {apart:.2f} Å", share >= 0.9)
        )  # fmt: skip
    return lines


def figure(own: RadialDistribution, reference: RadialDistribution) -> Figure:
    """Both, with their bands."""
    curves, shown = [], own.distances > BOND
    for name, one in own.pairs.items():
        simulated = Curve(
            own.distances[shown], one.values[shown], f"{name}, simulated", band=_shown(one.values_std, shown)
        )
        curves += [
            simulated,
            Curve(own.distances[shown], reference.pairs[name].values[shown], f"{name}, frames", dashed=True),
        ]
    return Figure(
        "water",
        "Liquid water; dashed: the frames",
        "distance (Å)",
        "g(r)",
        tuple(curves),
        note="Bands: one standard error. The O-H bond is left of the picture.",
    )


def _shown(band: np.ndarray | None, where: np.ndarray) -> np.ndarray | None:
    return None if band is None else band[where]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the reference data")
    parser.add_argument("--runs", type=Path, default=ROOT / "build" / "water_in_motion")
    parser.add_argument("--docs", type=Path, help="write water_in_motion.md and its picture in this folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    potential = load_potential(options.potential)
    frames = cast(list[Atoms], read(f"{options.data / FRAMES}@:"))
    away = distances(frames)
    ordered = [frames[index] for index in in_time(away)]
    kelvin = temperatures(ordered, potential)
    print({name: str(one) for name, one in kelvin.items()}, flush=True)
    options.runs.mkdir(parents=True, exist_ok=True)
    target = round(kelvin["all"].value / 5) * 5.0
    summary = simulated(frames, potential, options.runs, target)
    print(*summary.lines(), sep="\n", flush=True)
    if not summary.finished:
        print("stopped; call again to go on")
        return 1
    run = Trajectory.read(options.runs / "measured")
    reference = Trajectory.from_atoms(map(_bare, ordered), interval_fs=1.0, ensemble=Ensemble("nvt"))
    own, theirs = (radial_distribution(one, cutoff_angstrom=6.2, quiet=True) for one in (run, reference))
    diffusion = mean_squared_displacement(run)
    oxygen = diffusion.species["O"]
    lines = [
        Line("temperature of the frames: all, O, H", ", ".join(f"{kelvin[name]} K" for name in ("all", "O", "H")), f"simulated at {target:.0f} K"),
        Line("spacing of the frames in the mean, were they in order", f"{spacing_fs(away, options.runs):.1f} fs", "not stated at the source"),
        Line("50 ps of NVT", f"{summary.steps} steps, drift {summary.drift_mev_per_atom_per_ps:.4f} meV/atom/ps", "without a break", summary.steps == STEPS["measured"]),
        *compared(own, theirs),
        Line("self-diffusion of O in this cell", f"({1e5 * oxygen.diffusion_cm2_per_s:.2f} ± {1e5 * oxygen.diffusion_cm2_per_s_std:.2f}) 10⁻⁵ cm²/s", "measured 2.3 at 298 K, in an infinite system", oxygen.diffusive),
    ]  # fmt: skip
    text = page(Quantities("Water in motion", ABOUT, lines, ("water_rdf",)), machine())
    print(text)
    if options.docs is not None:
        write_image(figure(own, theirs), options.docs / "images" / "water_rdf.png")
        atomic_write_text(options.docs / "water_in_motion.md", text)
    return 0 if all(line.passed is not False for line in lines) else 1


def _bare(frame: Atoms) -> Atoms:
    return _displaced(frame, 0.0 * frame.positions)


ABOUT = """\
    ase convert -n ::4 ../shared/data/water/water_pbe0ts.xyz.gz water_train.xyz
    adiabat train water_train.xyz --set basis.size=medium --out water.adiabat
    python benchmarks/water_in_motion.py water.adiabat --docs docs

The 400 frames of 64 molecules (PBE0+TS; DeePMD-kit) have neither a
temperature nor an order. Their temperature is ⟨F²⟩ / (k_B ⟨∇²U⟩), with their own forces and the curvature of the potential; that oxygen and hydrogen
agree says that nuclei are classical. Frames are put in order along the way that they lie on, for the error bars of their g(r), by the time that
neighbours take to differ.

The potential: 614 functions, 57,600 forces and 100 energies, four minutes on one core. On 100 frames between those of the training it errs by 0.28 meV/atom
(mean absolute) and 45 meV/Å (root mean square of forces); 68 % intervals hold 70 % of the forces. With the repulsion of molecules (see molecules.md) it errs by
0.31 and 47, and `small` by 341 meV/Å instead of 229, after six rounds of mending holes instead of two: water gains nothing by it, and periodic data
keep the repulsion of solids. The `small` preset on 40 frames (1.8 meV/atom, 229 meV/Å) is no potential of water: it fell into a hole after 2 ps, and its
curvature put the temperature of the frames at 306 K."""


if __name__ == "__main__":
    sys.exit(main())
