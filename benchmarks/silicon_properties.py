"""Ten properties of silicon with error bars, beside DFT and beside what other halves of the data would have given.

    python benchmarks/silicon_properties.py --docs docs

Trains on all of Si_train and on ten random halves of it, which takes some CPU minutes; potentials are kept in
build/silicon_properties, and a second run takes a few. Exit status 1 where a check fails.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from silicon_dft import SLAB, TRAINING, Reference, SiliconReferences, silicon_references
from timing import machine

import adiabat
from adiabat.errors import PotentialFileError
from adiabat.potential import Potential, Prediction
from adiabat.properties import (
    Estimate,
    FixedStructures,
    PropertyValue,
    cubic_elasticity,
    cubic_lattice,
    equation_of_state,
    propagate,
    relaxed_cubic,
    surface,
    vacancy,
    zone_centre_phonons,
)
from adiabat.report.terminal import print_table
from adiabat.results import Table
from adiabat.runs import atomic_write_text, track
from adiabat.system import Labelled

ROOT = Path(__file__).parents[1]
NORMAL_95 = 1.96
FACTOR = 2.0
"""Within which scatter and parametric part are to agree."""
COVERED_AT_LEAST = 8
WIDEST = 5.0
"""Of the 95 % bar over the true error, in the median."""

WIDTH = 140
"""Of the printed table, whatever the terminal's."""

Property = Callable[[Potential], PropertyValue]


@dataclass(frozen=True)
class Row:
    """A property: what the potential says, what DFT says, and what potentials from halves of the data say."""

    name: str
    estimate: Estimate
    reference: Reference
    halves: np.ndarray

    @property
    def error(self) -> float:
        return abs(float(self.estimate.value) - self.reference.value)

    @property
    def bar(self) -> float:
        """Half of the 95 % interval."""
        return NORMAL_95 * float(self.estimate.total)

    @property
    def scatter(self) -> float:
        return float(self.halves.std(ddof=1))

    @property
    def scatter_over_parametric(self) -> float:
        return self.scatter / float(np.asarray(self.estimate.std_parametric))

    @property
    def agrees(self) -> bool:
        return 1 / FACTOR <= self.scatter_over_parametric <= FACTOR

    @property
    def covered(self) -> bool:
        return bool(self.error <= self.bar)


def properties(references: SiliconReferences) -> list[Property]:
    """What is asked of each potential; together they give the references' names."""
    crystal = references.crystal

    def lattice(potential: Potential) -> dict[str, float]:
        return {"lattice_constant_angstrom": cubic_lattice(crystal, potential).lattice_constant_angstrom}

    def elasticity(potential: Potential) -> dict[str, float]:
        found = cubic_elasticity(crystal, potential)
        return {"c11_gpa": found.c11_gpa, "c12_gpa": found.c12_gpa, "c44_gpa": found.c44_gpa}

    def phonons(potential: Potential) -> dict[str, float]:
        frequencies = zone_centre_phonons(relaxed_cubic(crystal, potential), potential).frequencies_thz
        return {"transverse_acoustic_x_thz": float(frequencies[0]), "optical_phonon_thz": float(frequencies[-1])}

    def polymorphs(found: Prediction) -> dict[str, float]:
        if found.energy is None:
            raise TypeError("energies were asked for, and did not come")
        hexagonal, diamond = (float(energy) for energy in found.energy)
        per_atom = hexagonal / len(references.hexagonal) - diamond / len(references.diamond)
        return {"hexagonal_diamond_mev_per_atom": 1e3 * per_atom}

    return [
        lattice,
        lambda potential: {"bulk_modulus_gpa": equation_of_state(crystal, potential).bulk_modulus_gpa},
        elasticity,
        lambda potential: {"vacancy_formation_energy_ev": vacancy(crystal, potential).formation_energy_ev},
        lambda potential: {
            "surface_energy_100_j_per_m2": surface(references.slab, crystal, potential).surface_energy_j_per_m2
        },
        phonons,
        FixedStructures([references.hexagonal, references.diamond], ("energy",), polymorphs),
    ]


def main() -> int:
    options = arguments()
    torch.set_num_threads(1)
    references = silicon_references(options.data)
    asked = properties(references)
    potentials = trained(options)
    start = time.process_time()
    estimates: dict[str, Estimate] = {}
    remarks: list[str] = []
    for property in track(asked, "properties"):
        found = propagate(property, potentials[0], members=options.members, quiet=True)
        estimates |= found.estimates
        remarks += [f"left out: {failure}" for failure in found.failures]
    halves = of_each(asked, potentials[1:])
    rows = [Row(name, estimates[name], reference, halves[name]) for name, reference in references.values.items()]
    remarks.append(about_the_slab(rows, options))
    checks = checked(rows)
    print("\n".join(f"{row.name}: {row.estimate}" for row in rows), end="\n\n")
    print_table(tabulated(rows), Console(width=WIDTH))
    print("\n".join([*(line for line, _ in checks), *remarks]))
    print(f"{time.process_time() - start:.0f} CPU seconds beside the training")
    if options.docs is not None:
        write_page(options.docs / "silicon_properties.md", rows, [line for line, _ in checks] + remarks, options)
    return 0 if all(passed for _, passed in checks) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the reference data")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "silicon_properties")
    parser.add_argument("--members", type=int, default=32, help="for each part of the uncertainty")
    parser.add_argument("--halves", type=int, default=10)
    parser.add_argument("--docs", type=Path, help="write silicon_properties.md in this folder")
    return parser.parse_args()


def trained(options: argparse.Namespace) -> list[Potential]:
    """On all structures, and on each random half of them."""
    file = options.data / TRAINING
    structures = adiabat.read(file)
    key = hashlib.sha256(version("adiabat").encode() + file.read_bytes()).hexdigest()[:12]
    options.cache.mkdir(parents=True, exist_ok=True)
    found = [_trained(structures, options.cache / f"{key}-all.adiabat")]
    for seed in track(range(options.halves), "training on halves"):
        found.append(_trained(half(structures, seed), options.cache / f"{key}-half-{seed}.adiabat"))
    return found


def half(structures: Sequence[Labelled], seed: int) -> list[Labelled]:
    """Drawn without replacement, in their order."""
    drawn = np.random.default_rng(seed).permutation(len(structures))[: len(structures) // 2]
    return [structures[place] for place in sorted(drawn)]


def _trained(structures: Sequence[Labelled], file: Path) -> Potential:
    if file.is_file():
        try:
            return adiabat.load(file)
        except PotentialFileError as error:
            print(f"trained again, for {error.what}", flush=True)
    adiabat.train(structures, quiet=True).save(file)
    return adiabat.load(file)


def of_each(asked: Sequence[Property], potentials: Sequence[Potential]) -> Mapping[str, np.ndarray]:
    """Values by name, one for each potential."""
    values: dict[str, list[float]] = {}
    for potential in track(potentials, "properties of halves"):
        for property in asked:
            for name, value in property(potential).items():  # type: ignore[union-attr]
                values.setdefault(name, []).append(float(value))
    return {name: np.array(each) for name, each in values.items()}


def about_the_slab(rows: Sequence[Row], options: argparse.Namespace) -> str:
    """The slab is one structure, unlike the others: halves scatter by whether they hold it."""
    structures = adiabat.read(options.data / TRAINING)
    halves = [half(structures, seed) for seed in range(options.halves)]
    holds = np.array([any(one.atoms.info.get("description") == SLAB for one in each) for each in halves])
    [row] = [row for row in rows if row.name == "surface_energy_100_j_per_m2"]
    scatters = ", ".join(f"{row.halves[which].std(ddof=1):.2g}" for which in (holds, ~holds))
    return (
        f"of {len(holds)} halves {holds.sum()} hold the slab whose surface energy is asked for; the scatter over those that do, "
        f"and over those that do not: {scatters} J/m²"
    )


def tabulated(rows: Sequence[Row]) -> Table:
    columns = (
        "property",
        "DFT",
        "error",
        "95 % bar",
        "covered",
        "bar / error",
        "parametric σ",
        "scatter of halves",
        "scatter / parametric",
    )
    return Table("silicon", "Silicon: ten properties", columns, tuple(_cells(row) for row in rows))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.reference.value:.4g}",
        f"{row.error:.2g}",
        f"{row.bar:.2g}",
        "yes" if row.covered else "no",
        f"{row.bar / row.error:.1f}",
        f"{float(np.asarray(row.estimate.std_parametric)):.2g}",
        f"{row.scatter:.2g}",
        f"{row.scatter_over_parametric:.2f}",
    )


def checked(rows: Sequence[Row]) -> list[tuple[str, bool]]:
    """What is to hold, said with its numbers, and whether it does."""
    agree, covered = sum(row.agrees for row in rows), sum(row.covered for row in rows)
    width = float(np.median([row.bar / row.error for row in rows]))
    ratio = float(np.median([row.scatter_over_parametric for row in rows]))
    return [
        (
            f"scatter over halves within a factor {FACTOR:g} of the parametric part: {agree} of {len(rows)} "
            f"(median ratio {ratio:.2f})",
            agree == len(rows),
        ),
        (f"the 95 % bar covers the DFT value: {covered} of {len(rows)}", covered >= COVERED_AT_LEAST),
        (f"the 95 % bar is {width:.1f} times the true error in the median", width <= WIDEST),
    ]


def write_page(file: Path, rows: Sequence[Row], said: Sequence[str], options: argparse.Namespace) -> None:
    table = tabulated(rows)
    estimates = [f"| {row.name} | {row.estimate} | {row.reference.source} |" for row in rows]
    lines = [
        "# Properties of silicon, with error bars",
        "",
        "Written by `python benchmarks/silicon_properties.py --docs docs`. The potential is trained with default settings on the",
        "silicon training set of Zuo et al., J. Phys. Chem. A 124, 731 (2020); no structure of their test set is used.",
        f"Error bars are from {options.members} members for each part. A half of the data, drawn without replacement, scatters as",
        "a resampling of all of it does, so the scatter is what the parametric part of the whole is to be compared with; of",
        f"{options.halves} halves it is known to a quarter.",
        "",
        "| property | value ± σ (and its parts) | what DFT says is from |",
        "| --- | --- | --- |",
        *estimates,
        "",
        f"| {' | '.join(table.columns)} |",
        f"|{' --- |' * len(table.columns)}",
        *(f"| {' | '.join(str(cell) for cell in cells)} |" for cells in table.rows),
        "",
        *(f"- {line}" for line in said),
        "",
        "Error and bar are in the unit of the value; the 95 % bar is 1.96 σ.",
        "",
        *(f"    {line}" for line in machine().splitlines()),
    ]
    atomic_write_text(file, "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
