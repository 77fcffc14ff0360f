"""Error bars against errors: coverage, likelihood and ranks on data that the fit and its calibration never saw.

    python benchmarks/calibration.py --docs docs          # silicon and molybdenum of the reference data
    python benchmarks/calibration.py --pair train.xyz test.xyz
    python benchmarks/calibration.py --model network --set gradient.epochs=30

Each pair is trained with defaults on the first file and judged on the second: force components (those that vanish by symmetry left
out), overall and of molecular dynamics alone, and energies, whose counts over all pairs are held against the 99 % interval of a
calibrated predictor of so many. Beside the likelihood stand those of a constant σ and of σ = a + b |F|, each fitted to the very
errors that are judged, which favours them.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from timing import machine

import adiabat
from adiabat.evaluation.calibration_samples import VANISHING_FORCE, energy_samples, force_samples
from adiabat.evaluation.compare import Compared
from adiabat.runs import atomic_write_text
from adiabat.typing import FloatArray
from adiabat.uncertainty.scores import (
    LEVELS,
    calibrated_range,
    coverage,
    inside,
    negative_log_likelihood,
    rank_correlation,
)

DATA = Path(__file__).parents[2] / "shared" / "data" / "mlearn"
COLUMNS = (
    "",
    "count",
    *(f"in {100 * level:.0f} %" for level in LEVELS),
    "rank",
    "likelihood",
    "constant σ",
    "a + b\\|F\\|",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", nargs=2, type=Path, action="append", metavar=("TRAIN", "TEST"))
    parser.add_argument("--dynamics", default="AIMD", help="how config_types of molecular dynamics begin")
    parser.add_argument("--docs", type=Path, help="the folder to write calibration.md to")
    parser.add_argument("--model", default="ace", help="ace, network or messages; pages are written of ace alone")
    parser.add_argument("--set", action="append", default=[], help="a key of the training, such as gradient.epochs=30")
    options = parser.parse_args()
    if options.docs and (options.model != "ace" or options.set):
        parser.error("--docs goes with the defaults of --model ace")
    config = adiabat.TrainConfig.load(None, [f"model={options.model}", *options.set])
    pairs = options.pair or [(DATA / f"{element}_train.xyz", DATA / f"{element}_test.xyz") for element in ("Si", "Mo")]
    rows, energies = [], []
    for train, test in pairs:
        potential = adiabat.train(adiabat.read(train), config)
        compared = adiabat.evaluate(potential, adiabat.read(test)).comparison.compared
        dynamics = [one for one in compared if one.structure.config_type.startswith(options.dynamics)]
        rows.append(row(f"{test.stem}, forces", compared))
        if dynamics:
            rows.append(row(f"{test.stem}, forces, {options.dynamics}", dynamics))
        energies.append(energy_samples(compared))
    said = [*table(rows), "", *pooled_energies([one.errors for one in energies], [one.std for one in energies])]
    print("\n".join(said))
    if options.docs:
        atomic_write_text(options.docs / "calibration.md", page(said))


@dataclass(frozen=True)
class Forces:
    """Errors of force components, eV/Å, their standard deviations, and the predicted force on the atom."""

    errors: FloatArray
    std: FloatArray
    force: FloatArray

    @property
    def of_constant(self) -> float:
        """The likelihood of the best constant σ."""
        return negative_log_likelihood(self.errors, np.full_like(self.errors, np.sqrt(np.mean(self.errors**2))))

    @property
    def of_force(self) -> float:
        """The likelihood of the best σ = a + b |F|."""

        def loss(logarithms: FloatArray) -> float:
            a, b = np.exp(logarithms)
            return negative_log_likelihood(self.errors, a + b * self.force)

        return float(minimize(loss, np.log([0.05, 0.05]), method="Nelder-Mead").fun)


def row(name: str, compared: list[Compared] | tuple[Compared, ...]) -> tuple[str, ...]:
    """What is said of the forces of some structures."""
    samples = force_samples(compared)
    forces = Forces(samples.errors, samples.std, _sizes(compared))
    held = [f"{100 * coverage(forces.errors, forces.std, level):.1f}" for level in LEVELS]
    rank = rank_correlation(samples.magnitudes, samples.magnitude_std)
    likelihoods = (negative_log_likelihood(forces.errors, forces.std), forces.of_constant, forces.of_force)
    return (name, f"{len(forces.errors):,}", *held, f"{rank:.2f}", *(f"{value:.3f}" for value in likelihoods))


def _sizes(compared: list[Compared] | tuple[Compared, ...]) -> FloatArray:
    """(n,) eV/Å, of the predicted force on the atom of each component that counts."""
    found = []
    for one in compared:
        predicted, label = one.predicted.forces, one.structure.labels.forces
        if predicted is not None and label is not None:
            kept = np.maximum(np.abs(predicted), np.abs(label)) >= VANISHING_FORCE
            found.append(np.broadcast_to(np.linalg.norm(predicted, axis=1)[:, None], kept.shape)[kept])
    return np.concatenate(found)


def pooled_energies(errors: list[FloatArray], std: list[FloatArray]) -> list[str]:
    """Over all pairs, against what a calibrated predictor would show."""
    together, of_std = np.concatenate(errors), np.concatenate(std)
    count = len(together)
    said = []
    for level in (0.68, 0.95):
        low, high = calibrated_range(level, count)
        held = int(inside(together, of_std, level).sum())
        said.append(
            f"{held} within {100 * level:.0f} % (a calibrated predictor: {low * count:.0f} to {high * count:.0f})"
        )
    return [f"Energies of all {count} structures: {', '.join(said)}."]


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """As Markdown."""
    return [f"| {' | '.join(line)} |" for line in (COLUMNS, ("---",) * len(COLUMNS), *rows)]


def page(said: list[str]) -> str:
    """The documentation's."""
    return "\n".join(
        [
            "# Calibration on data that was never seen",
            "",
            "Written by `python benchmarks/calibration.py --docs docs`. Shares of force components within central intervals, in per",
            "cent; Spearman's rank correlation of errors of atoms and their standard deviations; mean negative log likelihood (the",
            "lower the better), beside those of a constant σ and of σ = a + b |F|, which were fitted to the very errors judged.",
            "",
            *said,
            "",
            *(f"    {line}" for line in machine().splitlines()),
            "",
        ]
    )


if __name__ == "__main__":
    main()
