"""Four detectors of extrapolation, side by side: which structures they flag, how often falsely, and what they cost.

    python benchmarks/detectors.py --docs docs

Potentials are trained on some kinds of structures of the silicon and molybdenum training data of Zuo et al. (J. Phys. Chem. A
124, 731 (2020)); a fifth of each kind is held out, and the other kinds are new. The test sets of that work play no part.
What is trained is kept in build/detectors, so that a second run takes minutes. The data lie in the folder that the
environment variable ADIABAT_DATA names, or in ../shared/data beside the repository.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from scipy.stats import rankdata
from timing import machine
from torch import Tensor

import adiabat
from adiabat.data import fingerprint
from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.testing.data import REPOSITORY
from adiabat.training.examples import ExampleMaker
from adiabat.uncertainty import (
    Covariance,
    Detector,
    Environments,
    FeatureStatistics,
    LeverageDetector,
    LinearPosterior,
    MahalanobisDetector,
    MaxVolDetector,
    NearestDetector,
    Thresholds,
    choose_d_optimal,
    choose_farthest,
    cross_fitted,
    distinct,
)
from adiabat.uncertainty.nearest import LEADING
from adiabat.uncertainty.whitening import RIDGE

DATA = Path(os.environ.get("ADIABAT_DATA") or REPOSITORY.parent / "shared" / "data")
KEPT = REPOSITORY / "build" / "detectors"
SEED = 0
HELD_OUT = 5
"""Of each kind, one of so many."""
KINDS = ("Elastic", "AIMD-NVT", "Surface", "Vacancy")
BAD = 5.0
"""Times the training RMSE of the forces: of a structure that should be flagged."""
SYMMETRY_ZERO = 1e-4
"""eV/Å: force components below it, in the reference, vanish by symmetry."""
VOLUME = 0.7
RIDGES = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2)
COSTED = 20_000
SELECTED_FROM = 100_000
CONFIG = adiabat.TrainConfig.parse({"calibration": {"structures": 20}})
"""Nothing here is about error bars, which take most of a training by default."""


def kelvin(structure: Labelled) -> float:
    """Of the simulation that a structure is a snapshot of; zero for the others."""
    words = structure.atoms.info.get("description", "").split()
    return float(words[words.index("K") - 1]) if "K" in words else 0.0


@dataclass(frozen=True)
class Scenario:
    """What is trained on; all else of the file is new."""

    name: str
    says: str
    holds: Callable[[Labelled], bool]


SCENARIOS = (
    Scenario("crystals", "strained crystals", lambda s: s.config_type == "Elastic"),
    Scenario(
        "cold",
        "strained crystals, crystals and vacancies at 300 K",
        lambda s: s.config_type != "Surface" and kelvin(s) <= 300,
    ),
    Scenario("bulk", "strained crystals, bulk at all temperatures", lambda s: s.config_type in {"Elastic", "AIMD-NVT"}),
    Scenario("all", "all kinds", lambda _: True),
)


@dataclass(frozen=True)
class Subject:
    """A potential and the structures of one file, as it sees them.

    Attributes:
        name: Element and scenario.
        training, held, new, squeezed, dimers: Environments by structure.
        bad: Of `new`, by structure, whether the force error exceeds `BAD` times the training RMSE.
        covariance: Of the posterior.
        rows: Of the training structures' labels, over their noise.
    """

    name: str
    training: list[Environments]
    held: list[Environments]
    new: list[Environments]
    bad: np.ndarray
    squeezed: list[Environments]
    dimers: list[Environments]
    covariance: Covariance
    rows: list[Tensor]

    @cached_property
    def statistics(self) -> FeatureStatistics:
        return FeatureStatistics.of_structures(self.training, (0,))


def parts(structures: Sequence[Labelled], scenario: Scenario) -> tuple[list[Labelled], list[Labelled], list[Labelled]]:
    """What is trained on, held out of the same kinds, and new."""
    rng = np.random.default_rng(SEED)
    held: set[int] = set()
    for kind in KINDS:
        of_kind = [k for k, s in enumerate(structures) if s.config_type == kind and scenario.holds(s)]
        held.update(rng.permutation(of_kind)[: len(of_kind) // HELD_OUT].tolist())
    known = [k for k, s in enumerate(structures) if scenario.holds(s)]
    return (
        [structures[k] for k in known if k not in held],
        [structures[k] for k in sorted(held)],
        [s for s in structures if not scenario.holds(s)],
    )


def trained(name: str, structures: Sequence[Labelled]) -> Potential:
    """Trained by default, or kept from the last time."""
    file = KEPT / f"{name}.adiabat"
    if file.exists():
        potential = adiabat.load(file)
        if potential.metadata["data"]["fingerprint"] == fingerprint(structures):
            return potential
    potential = adiabat.train(structures, CONFIG, quiet=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    potential.save(file)
    return potential


def subject(element: str, scenario: Scenario) -> Subject:
    structures = adiabat.read(DATA / "mlearn" / f"{element}_train.xyz")
    training, held, new = parts(structures, scenario)
    potential = trained(f"{element}_{scenario.name}", training)
    [model] = [part for part in potential.parts if isinstance(part, LinearACE)]
    posterior = potential.attachments["posterior"]
    if not isinstance(posterior, LinearPosterior):
        raise TypeError("the potential has no posterior of its coefficients")
    make = ExampleMaker(model, Potential([part for part in potential.parts if part is not model]))
    examples = [make(s) for s in training]
    rmse = training_rmse(potential, training)
    return Subject(
        name=f"{element} {scenario.name}",
        training=[environments(model, s.atoms) for s in training],
        held=[environments(model, s.atoms) for s in held],
        new=[environments(model, s.atoms) for s in new],
        bad=np.array([force_error(potential, s) > BAD * rmse for s in new], dtype=bool),
        squeezed=[environments(model, squeezed(s.atoms)) for s in held],
        dimers=[environments(model, dimer(element, d)) for d in np.arange(1.2, potential.cutoff, 0.1)],
        covariance=posterior.covariance,
        rows=[
            torch.from_numpy(np.concatenate([b.rows / posterior.noise[kind] for kind, b in e.blocks.items()]))
            for e in examples
        ],
    )


def environments(model: LinearACE, atoms: Atoms) -> Environments:
    features = model.features(neighbor_graph(Batch.from_atoms(atoms), model.cutoff))
    return Environments(features, torch.zeros(len(features), dtype=torch.int64))


def squeezed(atoms: Atoms) -> Atoms:
    small = atoms.copy()
    small.set_cell(VOLUME ** (1 / 3) * small.cell.array, scale_atoms=True)
    return small


def dimer(element: str, distance: float) -> Atoms:
    return Atoms([element] * 2, positions=[[0.0, 0.0, 0.0], [0.0, 0.0, distance]])


def residuals(potential: Potential, structure: Labelled) -> np.ndarray:
    found, expected = potential(structure.atoms).forces, structure.labels.forces
    if found is None or expected is None:
        raise TypeError("forces are compared")
    return found.numpy() - expected


def force_error(potential: Potential, structure: Labelled) -> float:
    """eV/Å: root mean square over the atoms."""
    return float(np.sqrt(np.square(residuals(potential, structure)).sum(1).mean()))


def training_rmse(potential: Potential, structures: Sequence[Labelled]) -> float:
    """eV/Å, of a component, those that vanish by symmetry left out."""
    errors = []
    for s in structures:
        forces = s.labels.forces
        if forces is not None:
            errors.append(residuals(potential, s)[np.abs(forces) > SYMMETRY_ZERO])
    return float(np.sqrt(np.square(np.concatenate(errors)).mean()))


Fitted = tuple[Detector, list[Tensor]]
"""A detector, and the grades of the training structures by it when it has not seen them."""


def mahalanobis(of: Subject, *, ridge: float) -> Fitted:
    detector = MahalanobisDetector.of(of.statistics, ridge=ridge)
    return detector, [detector.left_out([structure]) for structure in of.training]


def leverage(of: Subject) -> Fitted:
    detector = LeverageDetector(of.covariance, 1)
    pairs = zip(of.training, of.rows, strict=True)
    return detector, [detector.left_out(s.features, s.species, rows) for s, rows in pairs]


def by_folds(of: Subject, fit: Callable[[Sequence[Environments], int], Detector]) -> Fitted:
    return fit(of.training, 1), cross_fitted([[s] for s in of.training], lambda rest: fit(rest, 1))


DETECTORS: dict[str, Callable[[Subject], Fitted]] = {
    "Mahalanobis": lambda of: mahalanobis(of, ridge=RIDGE),
    "nearest": lambda of: by_folds(of, NearestDetector.fit),
    "leverage": leverage,
    "MaxVol": lambda of: by_folds(of, MaxVolDetector.fit),
}


@dataclass(frozen=True)
class Outcome:
    """What a detector makes of a subject: by structure, the largest grade over its threshold; flagged above one."""

    subject: str
    bad: np.ndarray
    held: np.ndarray
    new: np.ndarray
    squeezed: np.ndarray
    dimers: np.ndarray
    fit_s: float
    seconds_per_1e5: float

    @property
    def area(self) -> float | None:
        """Under the receiver's curve: structures with a bad error against those held out."""
        return area(self.bad, self.held) if len(self.bad) else None


def outcome(of: Subject, make: Callable[[Subject], Fitted]) -> Outcome:
    start = time.process_time()
    detector, left_out = make(of)
    fit_s = time.process_time() - start
    thresholds = Thresholds.fit(left_out)
    new = ratios(detector, thresholds, of.new)
    return Outcome(
        subject=of.name,
        bad=new[of.bad],
        held=ratios(detector, thresholds, of.held),
        new=new[~of.bad],
        squeezed=ratios(detector, thresholds, of.squeezed),
        dimers=ratios(detector, thresholds, of.dimers),
        fit_s=fit_s,
        seconds_per_1e5=cost(detector, of.training),
    )


def ratios(detector: Detector, thresholds: Thresholds, structures: Sequence[Environments]) -> np.ndarray:
    grades = [detector.grades(s.features, s.species) for s in structures]
    return np.array([float(g.max()) / thresholds.at(len(distinct(g))) for g in grades])


def cost(detector: Detector, structures: Sequence[Environments]) -> float:
    """Processor seconds for 100,000 environments, their features aside."""
    atoms = Environments.together(structures)
    repeats = -(-COSTED // len(atoms))
    features, species = atoms.features.repeat(repeats, 1)[:COSTED], atoms.species.repeat(repeats)[:COSTED]
    start = time.process_time()
    detector.grades(features, species)
    return (time.process_time() - start) * 1e5 / COSTED


def area(bad: np.ndarray, good: np.ndarray) -> float:
    """The chance that a bad one has the larger ratio."""
    ranks = rankdata(np.concatenate([bad, good]))[: len(bad)]
    return float((ranks.sum() - len(bad) * (len(bad) + 1) / 2) / (len(bad) * len(good)))


def share(ratios: np.ndarray) -> str:
    """Flagged of how many."""
    return f"{np.count_nonzero(ratios > 1)} of {len(ratios)}" if len(ratios) else "–"


def table(found: dict[str, list[Outcome]]) -> str:
    """One row a subject and detector."""
    lines = [
        "| trained on | detector | bad errors flagged | area | false alarms, held out | new kinds with good errors flagged | "
        "squeezed | dimers | fit, CPU s | 1e5 environments, CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, outcomes in found.items():
        for o in outcomes:
            curve = "–" if o.area is None else f"{o.area:.3f}"
            lines.append(
                f"| {o.subject} | {name} | {share(o.bad)} | {curve} | {share(o.held)} | {share(o.new)} | "
                f"{share(o.squeezed)} | {share(o.dimers)} | {o.fit_s:.1f} | {o.seconds_per_1e5:.1f} |"
            )
    return "\n".join([*lines[:2], *sorted(lines[2:], key=lambda line: line.split("|")[1])])


def pooled(found: dict[str, list[Outcome]], heading: str) -> str:
    """One row a detector, all subjects together."""
    lines = [
        f"| {heading} | bad errors flagged | mean area | false alarms, held out | squeezed flagged | dimers flagged | "
        "1e5 environments, CPU s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, outcomes in found.items():
        together = {
            field: np.concatenate([getattr(o, field) for o in outcomes])
            for field in ("bad", "held", "squeezed", "dimers")
        }
        curves = [o.area for o in outcomes if o.area is not None]
        seconds = np.median([o.seconds_per_1e5 for o in outcomes])
        cells = [percent(together[field]) for field in ("held", "squeezed", "dimers")]
        lines.append(
            f"| {name} | {percent(together['bad'])} | {np.mean(curves):.3f} | {' | '.join(cells)} | {seconds:.1f} |"
        )
    return "\n".join(lines)


def percent(ratios: np.ndarray) -> str:
    return f"{100 * np.mean(ratios > 1):.1f} % of {len(ratios)}"


def selection_cost(of: Subject) -> str:
    """Processor seconds of choosing 40 structures from 100,000 environments, made of those of the subject by noise."""
    atoms = Environments.together(of.training).features
    rng = torch.Generator().manual_seed(SEED)
    drawn = torch.randint(len(atoms), (SELECTED_FROM,), generator=rng)
    spread = 0.01 * atoms.std(0)
    features = atoms[drawn] + spread * torch.randn(SELECTED_FROM, atoms.shape[1], generator=rng, dtype=atoms.dtype)
    start = time.process_time()
    choose_d_optimal(features.split(64), of.covariance, 40)
    middle = time.process_time()
    whitened = of.covariance.whiten(features)
    leading = torch.linalg.eigh(whitened @ whitened.T)[1][:, -LEADING:]
    choose_farthest(whitened.T @ leading, 1000)
    last = time.process_time()
    return (
        f"Of {SELECTED_FROM:,} environments with {atoms.shape[1]:,} features, 40 structures of 64 atoms are chosen D-optimally in "
        f"{middle - start:.0f} CPU s, and 1,000 "
        f"environments by distance along {LEADING} directions in {last - middle:.0f} CPU s; whitening is included in both."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", nargs="+", choices=("Si", "Mo"), default=["Si", "Mo"])
    parser.add_argument("--docs", type=Path, help="a folder to write the page into")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, list[Outcome]] = {name: [] for name in DETECTORS}
    by_ridge: dict[str, list[Outcome]] = {f"{ridge:.0e}": [] for ridge in RIDGES}
    chosen = ""
    for element in options.elements:
        for scenario in SCENARIOS:
            of = subject(element, scenario)
            for name, make in DETECTORS.items():
                found[name].append(outcome(of, make))
            for ridge in RIDGES:
                by_ridge[f"{ridge:.0e}"].append(outcome(of, lambda s, ridge=ridge: mahalanobis(s, ridge=ridge)))
            chosen = chosen or (selection_cost(of) if scenario.name == "all" else "")
            print(f"{of.name} done", flush=True)
    page = PAGE.format(
        detectors=pooled(found, "detector"),
        ridges=pooled(by_ridge, "ridge"),
        subjects=table(found),
        scenarios="\n".join(f"- *{s.name}*: {s.says}" for s in SCENARIOS),
        selection=chosen,
        machine=machine(),
    )
    print(page)
    if options.docs is not None:
        (options.docs / "uncertainty_detectors.md").write_text(page)


PAGE = """# Which structures are far from the training: four detectors

Written by `python benchmarks/detectors.py --docs docs`.

{detectors}

## What is measured

Potentials with default settings are trained on some kinds of structures of the silicon and molybdenum training data of Zuo
et al. (J. Phys. Chem. A 124, 731 (2020)); the test sets of that work play no part. A fifth of each kind is held out.

{scenarios}

- **Bad errors** are those of structures of new kinds whose force error (root mean square over atoms) exceeds five times the
  training RMSE of a force component, those that vanish by symmetry left out.
- **Area** is that under the curve of bad errors against held-out structures: the chance that of one each the bad one has the
  larger grade, relative to its threshold.
- **False alarms**: structures of the training's kinds that were held out, and are flagged.
- **Squeezed** structures are held-out ones at 70 % of their volume, **dimers** two atoms alone from 1.2 Å to the cutoff: there
  are no reference forces for them, and all of them should be flagged.
- **CPU s**: on one thread, features aside.

Thresholds are those of `Thresholds.fit`: 5 % of the training structures, each left out, are above, by their number of distinct
environments. Left-out grades are in closed form for Mahalanobis distance and leverage, and by five folds of structures for the
others.

## What the detectors are

- **Mahalanobis**: distance from the mean of the species in units of the covariance of the training's features, with a ridge
  on the features' correlation (see below). The default, and what a potential's file holds. It and the nearest environment find
  nearly all bad errors, squeezed structures and dimers, within the false alarms that are promised; of the two it has a closed
  form for leaving out, is the cheaper, and needs no stored environments: sums over the training are enough.
- **nearest**: distance to the nearest training environment, in the same metric. Exact in the 64 leading directions; in the others
  a lower bound. Its thresholds, by folds, are a little wider: fewer false alarms, and fewer new kinds with good errors flagged.
- **leverage**: standard deviation of an atom's energy by the covariance of the coefficients. It is what it says, an error of one
  energy given that the basis is right: atoms with few neighbours have small features, and so a small leverage, however strange
  they are. Surfaces of silicon and dimers pass unseen.
- **MaxVol**: the D-optimal grade, one active set for each species. Small features, those of dimers, have small grades likewise. The largest
  element of a row of the training is about one by construction, so that thresholds hang on folds, and where the training hardly
  varies (Si crystals) these differ from one another.

## The ridge

Of a feature's variance, added to each before the covariance is inverted.

{ridges}

## By potential

{subjects}

## Selection

{selection}

    {machine}
"""

if __name__ == "__main__":
    main()
