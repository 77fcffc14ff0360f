"""Labels asked for where they teach, against labels by lot and a plain simulation of the truth: learning curves with bands.

    adiabat train shared/data/mlearn/Si_train.xyz --set data.isolated_atoms_ev.Si=-0.8 --out si.adiabat
    python benchmarks/active_learning.py --silicon si.adiabat --out build/active --docs docs      (malonaldehyde: pip install tblite)

Three ways to choose labels, each with its own seeds:

- active: `adiabat learn` as it is.
- by lot: the same loop, which takes any frames of its simulations.
- plain simulation: frames of molecular dynamics by the truth itself, at the same temperatures and volumes.

Errors are those on frames of other simulations by the truth, and apart on the hottest of them; for malonaldehyde also that of the barrier of its
proton transfer. What has been done is not done again: a run that was interrupted goes on.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.build import bulk
from timing import machine

import adiabat
from adiabat.errors import AdiabatError
from adiabat.learning import LearnConfig, Oracle, learn
from adiabat.learning.first_structures import isolated_atoms
from adiabat.potential import FromASE, Potential
from adiabat.properties.paths import minimum_energy_path, path_ends
from adiabat.runs import atomic_write_text, track
from adiabat.simulate import Outputs, SimulationConfig, read_trajectory, simulate
from adiabat.system import Labelled, Labels
from adiabat.training.train import fit

SIZES = (20, 30, 45, 60)
SHARED: dict[str, Any] = {
    "budget": SIZES[-1],
    "force_std_ev_per_angstrom": 0.12,
    "train": {"repulsion": {"packings": 60}},
    "validation": None,
}
"""Holes are looked for in the last training as in all others: its potential is one of the curve's."""
TEST_FRAMES = 15
"""Of each of six simulations."""
HOTTEST = ("run 4", "run 5")
"""Of them."""
KEPT = ("energy_rmse_mev_per_atom", "force_rmse_ev_per_angstrom", "hot_force_rmse_ev_per_angstrom", "barrier_error_ev")
NAMES = {
    "energy_rmse_mev_per_atom": "energy RMSE (meV/atom)",
    "force_rmse_ev_per_angstrom": "force RMSE (eV/Å)",
    "hot_force_rmse_ev_per_angstrom": "force RMSE, hottest (eV/Å)",
    "barrier_error_ev": "error of the barrier (eV)",
}


@dataclass(frozen=True, eq=False)
class Ends:
    """Of a path."""

    first: Atoms
    last: Atoms


@dataclass(frozen=True)
class System:
    """What is learned.

    Attributes:
        name: For people.
        start: Where exploration begins.
        oracle: What labels.
        truth: The same, in this process.
        config: Of the loop.
        ends: Of a path whose barrier is compared, or None.
    """

    name: str
    start: Atoms
    oracle: Oracle
    truth: Potential
    config: dict[str, Any]
    ends: Ends | None


def silicon(file: Path) -> System:
    """Sixteen atoms, from the crystal into the melt."""
    config = {"temperature_k": (300.0, 2500.0), **SHARED}
    start = bulk("Si").repeat(2)
    return System("silicon", start, Oracle.named(str(file)), adiabat.load(file), config, None)


def malonaldehyde() -> System:
    """One molecule; the proton between its two oxygen atoms changes place."""
    from tblite.ase import TBLite

    truth = FromASE(TBLite(method="GFN1-xTB", accuracy=0.1, verbosity=0))
    symbols = "OCCCOHHHH"
    # planar: O=C-C=C-O-H, with the proton between the oxygen atoms
    xyz = [[-1.28, 1.02, 0], [-1.20, -0.22, 0], [0, -0.94, 0], [1.17, -0.27, 0], [1.25, 1.05, 0]]
    xyz += [[-2.11, -0.83, 0], [0.02, -2.02, 0], [2.13, -0.79, 0], [0.32, 1.40, 0]]
    start = Atoms(symbols, xyz)
    mirrored = start.copy()
    mirrored.positions = start.positions * [-1, 1, 1]
    mirrored = mirrored[[4, 3, 2, 1, 0, 7, 6, 5, 8]]
    config = {"temperature_k": (300.0, 1200.0), **SHARED}
    config |= {"explore": {"timestep_fs": 0.5, "steps": 4000}}
    return System("malonaldehyde", start, Oracle.named("tblite"), truth, config, Ends(start, mirrored))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--silicon", type=Path, help="a potential that is the truth for silicon; left out, no silicon")
    parser.add_argument("--malonaldehyde", action="store_true", help="by GFN1-xTB; needs tblite")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--as-it-stands", action="store_true", help="run nothing: curves as far as runs have come")
    parser.add_argument("--docs", type=Path, help="the folder to write active_learning.md and its pictures to")
    options = parser.parse_args()
    systems = [silicon(options.silicon)] if options.silicon else []
    systems += [malonaldehyde()] if options.malonaldehyde else []
    said: list[str] = []
    for system in systems:
        test = test_set(system, options.out / system.name / "test")
        jobs = [(way, seed) for seed in range(options.seeds) for way in WAYS]
        curves: dict[str, list[list[dict[str, float]]]] = {way: [] for way in WAYS}
        for way, seed in track(jobs, f"learning {system.name}"):
            folder = options.out / system.name / f"{way.replace(' ', '_')}_{seed}"
            if options.as_it_stands:
                curves[way] += standing(system, folder, test)
                continue
            curves[way].append(kept(folder / "curve.json", partial(WAYS[way], system, seed, folder, test)))
        said += [f"## {system.name.capitalize()}", "", *table(curves), ""]
        if options.docs:
            (options.docs / "images").mkdir(parents=True, exist_ok=True)
            draw(curves, options.docs / "images" / f"active_learning_{system.name}.png")
            said += [f"![Errors against labels](images/active_learning_{system.name}.png)", ""]
    print("\n".join(said))
    if options.docs:
        atomic_write_text(options.docs / "active_learning.md", page(said, options.seeds))


def kept(file: Path, work: Callable[[], list[dict[str, float]]]) -> list[dict[str, float]]:
    """What stands in a file; done and written there where there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(file, json.dumps(work()))
    return json.loads(file.read_text())


def by_the_loop(system: System, seed: int, folder: Path, test: Sequence[Labelled]) -> list[dict[str, float]]:
    """As `adiabat learn` does it."""
    return learned(system, LearnConfig.parse({**system.config, "seed": seed}), folder, test)


def by_lot(system: System, seed: int, folder: Path, test: Sequence[Labelled]) -> list[dict[str, float]]:
    """The same loop; any frames."""
    explore = {**system.config.get("explore", {}), "go_on": False}
    values = {**system.config, "seed": seed, "acquisition": "random", "explore": explore, "flagged": 0.0}
    return learned(system, LearnConfig.parse(values), folder, test)


def learned(system: System, config: LearnConfig, folder: Path, test: Sequence[Labelled]) -> list[dict[str, float]]:
    """Errors of each generation's potential, trained from the beginning on what was labelled before it, and of the last."""
    run = folder / "run"
    learn([system.start], system.oracle, config, folder=run, resume=run.exists(), quiet=True)
    return [*by_generation(system, run, test), errors(system, adiabat.load(run / "potential.adiabat"), test)]


def by_generation(system: System, run: Path, test: Sequence[Labelled]) -> list[dict[str, float]]:
    """Errors of the potentials that there are."""
    files = sorted(run.glob("generation_*/potential.adiabat"))
    return [errors(system, adiabat.load(file), test) for file in files]


def standing(system: System, folder: Path, test: Sequence[Labelled]) -> list[list[dict[str, float]]]:
    """The curve of a run, whole or as far as it has come; none where it has not begun."""
    if (folder / "curve.json").exists():
        return [json.loads((folder / "curve.json").read_text())]
    found = by_generation(system, folder / "run", test)
    return [found] if found else []


def by_simulation(system: System, seed: int, folder: Path, test: Sequence[Labelled]) -> list[dict[str, float]]:
    """Frames of molecular dynamics by the truth, in any order."""
    frames = simulated(system, folder / "truth", seed=1000 + seed, frames=20)
    order = np.random.default_rng(seed).permutation(len(frames))
    lone = labelled(system.truth, isolated_atoms([system.start]))
    config = LearnConfig.parse(system.config).train
    found = []
    for size in SIZES:
        chosen = [frames[place] for place in order[: size - len(lone)]]
        found.append(errors(system, fit([*lone, *chosen], config, quiet=True), test))
    return found


WAYS: dict[str, Callable[[System, int, Path, Sequence[Labelled]], list[dict[str, float]]]] = {
    "active": by_the_loop,
    "by lot": by_lot,
    "plain simulation": by_simulation,
}


def test_set(system: System, folder: Path) -> list[Labelled]:
    """Frames of six simulations by the truth."""
    return simulated(system, folder, seed=0, frames=TEST_FRAMES)


def simulated(system: System, folder: Path, *, seed: int, frames: int) -> list[Labelled]:
    """Labelled frames of six simulations by the truth, at the temperatures and volumes of the explorers."""
    config = LearnConfig.parse(system.config)
    rng, found = np.random.default_rng(seed), list[Labelled]()
    for number, kelvin in enumerate(np.linspace(*config.temperature_k, 6)):
        atoms = system.start.copy()
        if atoms.pbc.all():
            atoms.set_cell(atoms.cell.array * rng.uniform(0.9, 1.1) ** (1 / 3), scale_atoms=True)
        atoms.rattle(0.02, seed=seed + number)
        run = SimulationConfig(
            ensemble="nvt",
            steps=2000 if atoms.pbc.all() else 4000,
            timestep_fs=config.explore.timestep_fs,
            temperature_k=float(kelvin),
            seed=seed + number,
            output=Outputs(trajectory_every=(2000 if atoms.pbc.all() else 4000) // frames),
        )
        simulate(atoms, system.truth, run, folder=folder / str(number), resume=True, quiet=True)
        bare = [
            Labelled(
                Atoms(a.numbers, a.positions, cell=a.cell, pbc=a.pbc),
                config_type="simulated",
                group=f"run {number}",
                place=f"run {number}, frame {place}",
            )
            for place, a in enumerate(read_trajectory(folder / str(number) / "trajectory.h5")[1:])
        ]
        found += labelled(system.truth, bare)
    return found


def labelled(truth: Potential, structures: Sequence[Labelled]) -> list[Labelled]:
    """With the truth's energies, forces and, of crystals, stresses."""
    found = []
    for one in structures:
        with_stress = bool(one.atoms.pbc.all())
        said = truth(one.atoms, want=("energy", "forces", "stress") if with_stress else ("energy", "forces"))
        assert said.energy is not None
        assert said.forces is not None
        stress = said.stress[0].numpy() if said.stress is not None else None
        labels = Labels(float(said.energy), said.forces.numpy(), stress)
        found.append(Labelled(one.atoms, labels, one.config_type, one.group, one.place))
    return found


def errors(system: System, potential: Potential, test: Sequence[Labelled]) -> dict[str, float]:
    """Of a potential, with how many labels it has seen."""
    hot = [one for one in test if one.group in HOTTEST]
    found, of_hot = (adiabat.evaluate(potential, part, calibration=False, quiet=True) for part in (test, hot))
    assert found.energy_rmse_mev_per_atom is not None
    assert found.force_rmse_ev_per_angstrom is not None
    assert of_hot.force_rmse_ev_per_angstrom is not None
    values = {
        "labels": float(potential.metadata["data"]["structures"]),
        "energy_rmse_mev_per_atom": found.energy_rmse_mev_per_atom,
        "force_rmse_ev_per_angstrom": found.force_rmse_ev_per_angstrom,
        "hot_force_rmse_ev_per_angstrom": of_hot.force_rmse_ev_per_angstrom,
    }
    if system.ends is not None:
        values["barrier_error_ev"] = abs(barrier(system.ends, potential) - barrier(system.ends, system.truth))
    return values


@cache
def barrier(ends: Ends, potential: Potential) -> float:
    """EV, of the band's highest image; nan where there is none."""
    try:
        path = minimum_energy_path(path_ends(ends.first, ends.last, potential), potential, images=5, vibrations=False)
    except AdiabatError:
        return np.nan
    return path.barrier_ev


def at(curve: Sequence[dict[str, float]], key: str, labels: float) -> float:
    """Of a curve at a number of labels, along straight lines of the logarithms; nan beyond its ends."""
    x = [point["labels"] for point in curve]
    y = np.log([max(point[key], 1e-9) for point in curve])
    return float(np.exp(np.interp(np.log(labels), np.log(x), y, left=np.nan, right=np.nan)))


def needed(curve: Sequence[dict[str, float]], key: str, error: float) -> float:
    """Labels after which a curve stays at or below an error; infinite where it does not come there."""
    above = [point["labels"] for point in curve if not point[key] <= error]
    below = [point["labels"] for point in curve if point["labels"] > max(above, default=0)]
    return min(below, default=np.inf)


def table(curves: dict[str, list[list[dict[str, float]]]]) -> list[str]:
    """As Markdown: mean and standard deviation over the seeds, and labels needed for what active learning ends with."""
    keys = [key for key in KEPT if key in curves["active"][0][0]]
    lines: list[list[str]] = []
    for key in keys:
        for labels in SIZES[1:]:
            cells = []
            for of_way in curves.values():
                values = np.array([at(one, key, labels) for one in of_way])
                cells.append(spread(values[np.isfinite(values)]))
            lines.append([NAMES[key], str(labels), *cells])
        goal = float(np.mean([one[-1][key] for one in curves["active"]]))
        cells = [", ".join(counted(one, key, goal) for one in of_way) for of_way in curves.values()]
        lines.append([f"labels needed for {goal:.4f}: {NAMES[key]}", "", *cells])
    header = ["", "labels", *curves]
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines)]


def spread(values: np.ndarray) -> str:
    """Mean and standard deviation; of one value, that."""
    if len(values) < 2:
        return f"{values[0]:.4f} (one run)" if len(values) else ""
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f}"


def counted(curve: Sequence[dict[str, float]], key: str, goal: float) -> str:
    """Labels needed, or more than there were."""
    count = needed(curve, key, goal)
    return f"{count:.0f}" if np.isfinite(count) else f"> {curve[-1]['labels']:.0f}"


def draw(curves: dict[str, list[list[dict[str, float]]]], file: Path) -> None:
    """Every curve, and bands from the lowest to the highest of the seeds."""
    keys = [key for key in KEPT if key in curves["active"][0][0]]
    figure, all_axes = plt.subplots(1, len(keys), figsize=(4.5 * len(keys), 3.8), layout="constrained", squeeze=False)
    for key, axes in zip(keys, all_axes[0], strict=True):
        for way, of_way in curves.items():
            grid = np.geomspace(20, max(one[-1]["labels"] for one in of_way), 40)
            values = np.array([[at(one, key, labels) for labels in grid] for one in of_way])
            seen = np.isfinite(values).any(0)
            [line] = axes.plot(grid[seen], np.nanmean(values[:, seen], 0), label=way)
            low, high = np.nanmin(values[:, seen], 0), np.nanmax(values[:, seen], 0)
            axes.fill_between(grid[seen], low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        axes.set(xlabel="labels", ylabel=NAMES[key], xscale="log", yscale="log")
    all_axes[0][0].legend()
    figure.savefig(file, dpi=150)


def page(said: list[str], seeds: int) -> str:
    """The documentation's."""
    return "\n".join(
        [
            "# Labels that teach",
            "",
            "Written by `python benchmarks/active_learning.py`, which says what is compared with what. Mean and standard deviation over",
            f"{seeds} seeds, or those runs that came so far; bands in the pictures from the lowest to the highest. The last line of each kind: how many labels",
            "each run needed to stay below the mean error that active learning ended with.",
            "",
            *said,
            *(f"    {line}" for line in machine().splitlines()),
            "",
        ]
    )


if __name__ == "__main__":
    main()
