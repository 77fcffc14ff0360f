"""Cost of members of a committee and of uncertainties in a simulation, and what a projection's uncertainties are worth.

    python benchmarks/committee_cost.py trained.adiabat ../shared/data/mlearn/Si_train.xyz

The potential holds a posterior and a misfit; the structures are those that it was trained on.

cost      times those of energy and forces by the potential, in paired runs: medians [quartiles]. 1,000 atoms of diamond
          silicon, or a like number of a body-centred metal, rattled by 0.05 Å, one thread, a list with a skin of 1 Å.
accuracy  of the standard deviations of atomic energies by projections against the exact ones: how many are within 20 %, and
          the quantiles of 5 and 95 % of the quotient. Directions are chosen by the atoms of one half of the structures. The
          calibration's root of the posterior's variance is taken from that of the whole, times its share in the typical atom.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.data import chemical_symbols
from timing import machine, paired, ratio
from torch import Tensor

from adiabat.models import LinearACE
from adiabat.neighbors import SkinList, neighbor_graph
from adiabat.potential import Potential, load_potential
from adiabat.potential.compiled_committee import CompiledCommittee, CompiledProjection
from adiabat.system import Batch, Graph
from adiabat.uncertainty.calibration import Calibration
from adiabat.uncertainty.projection import project, relative_moments

RUNS = 25
MEMBERS = (1, 2, 4, 8, 16)
DIRECTIONS = ((4, 4), (8, 8), (8, 16), (16, 16))
"""Leading and random ones."""
BOX_EDGES = {"Si": 5, "Mo": 8}
"""Cubic cells to each side: 1,000 and 1,024 atoms."""
CLOSE = 0.2
SAMPLE = 4000
"""Atoms by which directions are chosen."""


@dataclass(frozen=True)
class Subject:
    """A potential and what is asked of it.

    Attributes:
        potential: With posterior and misfit.
        model: Its expansion.
        root: (columns, k) of the covariance of its coefficients, as atomic energies have it.
        posterior_columns: So many of the root's first ones are the posterior's.
        calibration: Of posterior and misfit.
    """

    potential: Potential
    model: LinearACE
    root: Tensor
    posterior_columns: int
    calibration: Calibration

    @classmethod
    def read(cls, file: Path) -> "Subject":
        """From a file."""
        potential = load_potential(file)
        deviations = potential.linear_deviations
        model = next((part for part in potential.parts if isinstance(part, LinearACE)), None)
        if deviations is None or model is None:
            raise SystemExit(f"{file} does not know how sure it is, or has no expansion")
        calibration, covariance = deviations.uncertainty.spread.calibration, deviations.uncertainty.posterior.covariance
        moves, displacements = deviations.uncertainty.spread.moves, deviations.uncertainty.spread.displacements
        scale = calibration.scale["energy"] ** 2
        half = covariance.colour(torch.eye(len(covariance.scale), dtype=torch.float64)).T
        half *= (scale * calibration.widening) ** 0.5
        misfit = displacements.T * (scale * calibration.weight / len(displacements)) ** 0.5
        parametric = moves.T / len(moves) ** 0.5
        root = torch.cat([half, misfit, parametric], dim=1)
        return cls(potential, model, root, half.shape[1], calibration)

    def rows(self, atoms: Atoms) -> Tensor:
        """(N, columns) the features of each atom, in the columns of its species."""
        features = self.model.features(neighbor_graph(Batch.from_atoms(atoms), self.model.cutoff))
        species = torch.searchsorted(torch.tensor(self.model.species), torch.from_numpy(atoms.numbers))
        rows = features.new_zeros(len(features), len(self.model.species), features.shape[1])
        rows[torch.arange(len(features)), species] = features
        return rows.flatten(1)


@dataclass(frozen=True)
class Sample:
    """What is learned from atoms of the training structures.

    Attributes:
        moments: By which directions are chosen.
        share: The part of the typical atom's variance by which the posterior's own is estimated.
    """

    moments: Tensor
    share: float

    @classmethod
    def of(cls, subject: Subject, structures: list[Atoms]) -> "Sample":
        """From so many atoms of the structures."""
        rows = torch.cat([subject.rows(atoms) for atoms in structures])
        rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:SAMPLE]]
        squares = (rows @ subject.root).square()
        whole = squares.sum(1)
        posterior = squares[:, : subject.posterior_columns].sum(1)
        calibration = subject.calibration
        wide = calibration.scale["energy"] ** 2 * calibration.widening
        return cls(relative_moments(subject.root, rows), float((posterior / whole).median()) / wide)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("structures", type=Path, help="extended XYZ")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    subject = Subject.read(options.potential)
    structures = ase.io.read(options.structures, index=":")
    order = np.random.default_rng(0).permutation(len(structures))
    first, second = ([structures[k] for k in part] for part in np.array_split(order, 2))
    sample = Sample.of(subject, first)
    estimates = {f"{a} + {b}": Estimate.of(subject, sample, leading=a, random=b) for a, b in DIRECTIONS}
    print_cost(subject, estimates)
    print_accuracy(subject, estimates, second)


@dataclass(frozen=True)
class Estimate:
    """Deviations by directions, beside the walk of energy and forces.

    Attributes:
        compiled: The walk.
        subject: Whose deviations.
        share: See `Sample`.
    """

    compiled: CompiledProjection
    subject: Subject
    share: float

    @classmethod
    def of(cls, subject: Subject, sample: Sample, *, leading: int, random: int) -> "Estimate":
        """With so many directions."""
        directions = project(subject.root, sample.moments, leading=leading, random=random).directions
        compiled = CompiledProjection.of(
            subject.potential.parts, directions.reshape(-1, *subject.model.coefficients.shape)
        )
        if compiled is None:
            raise SystemExit("the kernel does not know a part of this potential")
        return cls(compiled, subject, sample.share)

    def __call__(self, graph: Graph) -> tuple[Tensor, Tensor]:
        """(N,) eV of the atoms' energies; (S,) eV of the structures', without root and floor of the calibration."""
        _, values = self.compiled.predict(graph, ("energy", "forces"))
        calibration, spread = self.subject.calibration, values.square().sum(1)
        more = calibration.root["energy"] * (self.share * spread).sqrt() + calibration.floor["energy"] ** 2
        return (spread + more).sqrt(), graph.batch.sum_over_atoms(values).square().sum(1).sqrt()


def print_cost(subject: Subject, estimates: dict[str, Estimate]) -> None:
    """Members, and projections."""
    potential, cell = subject.potential, crystal(subject)
    graph = SkinList(potential.cutoff).graph(Batch.from_atoms(cell))
    works: dict[str, Callable[[], object]] = {"energy and forces": lambda: potential(graph, want=("energy", "forces"))}
    for count in MEMBERS:
        found = CompiledCommittee.of(
            [member.parts for member in potential.committee(size=max(count, 2)).members[:count]]
        )
        if found is None:
            raise SystemExit("the kernel does not know a part of this potential")
        works[f"{count} members, energies"] = lambda c=found: c.each(graph, ("energy", "energies"))
        works[f"{count} members, energies and forces"] = lambda c=found: c.each(graph, ("energy", "forces"))
        if count > 1:
            works[f"{count} members, energies, forces of the first"] = lambda c=found: c.first(
                graph, ("energy", "forces")
            )
    for name, estimate in estimates.items():
        works[f"energy, forces, deviations by {name} directions"] = lambda e=estimate: e(graph)
    seconds = paired(list(works.values()), runs=RUNS)
    print(
        f"\n{subject.model.basis.n_functions} functions, {len(cell)} atoms{'':<33}µs per atom   times energy and forces"
    )
    for k, name in enumerate(works):
        print(f"{name:<55}{1e6 * seconds[:, k].min() / len(cell):>11.2f}   {ratio(seconds, k, 0)}")
    exact = paired([works["energy and forces"], lambda: potential(graph, want=("energies_std",))], runs=3)
    print(
        f"{'exact deviations of atomic energies':<55}{1e6 * exact[:, 1].min() / len(cell):>11.2f}   {ratio(exact, 1, 0)}"
    )


def print_accuracy(subject: Subject, estimates: dict[str, Estimate], held_out: list[Atoms]) -> None:
    """By kind of structure and number of directions."""
    heads = "".join(f"{f'{name} directions':>24}" for name in estimates)
    print(f"\n{'within 20 % (5 %, 95 % of the quotient)':<42}{'atoms':>7}{'median, eV':>12}{heads}")
    totals: dict[str, list[float]] = {name: [] for name in estimates}
    for kind, structures in {"held out": held_out, **dict(made_structures(subject))}.items():
        exact, found = [], {name: [] for name in estimates}
        for atoms in structures:
            graph = neighbor_graph(Batch.from_atoms(atoms), subject.potential.cutoff)
            exact.append(deviations(subject, graph))
            whole = (subject.rows(atoms).sum(0) @ subject.root).norm()
            for name, estimate in estimates.items():
                of_atoms, of_structure = estimate(graph)
                found[name].append(of_atoms)
                if kind == "held out":
                    totals[name].append(float(of_structure[0] / whole))
        right = torch.cat(exact)
        columns = "".join(f"{summary(torch.cat(found[name]) / right):>24}" for name in estimates)
        print(f"{kind:<42}{len(right):>7}{right.median().item():>12.4f}{columns}", flush=True)
    columns = "".join(f"{summary(torch.tensor(totals[name], dtype=torch.float64)):>24}" for name in estimates)
    print(f"{'energies of whole structures, held out':<42}{'':>19}{columns}")


def deviations(subject: Subject, graph: Graph) -> Tensor:
    """(N,) eV, exact."""
    found = subject.potential(graph, want=("energies_std",)).energies_std
    if found is None:
        raise SystemExit("the potential gives no deviations")
    return found


def summary(quotient: Tensor) -> str:
    """How many are close to 1, and quantiles."""
    low, high = torch.quantile(quotient, torch.tensor([0.05, 0.95], dtype=torch.float64)).tolist()
    within = ((quotient - 1).abs() < CLOSE).double().mean().item()
    return f"{within:.3f} ({low:.2f}, {high:.2f})"


def crystal(subject: Subject) -> Atoms:
    """About 1,000 atoms."""
    symbol = chemical_symbols[subject.model.species[0]]
    edge = BOX_EDGES.get(symbol, 6)
    found = bulk(symbol, cubic=True) * (edge, edge, edge)
    found.rattle(0.05, seed=1)
    return found


def made_structures(subject: Subject) -> Iterator[tuple[str, list[Atoms]]]:
    """Like a simulation's, and unlike any that was trained on."""
    cell = bulk(chemical_symbols[subject.model.species[0]], cubic=True) * (3, 3, 3)
    for amplitude in (0.02, 0.05, 0.1, 0.2, 0.3):
        yield f"crystal, rattled by {amplitude} Å", [rattled(cell, amplitude)]
    for volume in (0.7, 0.85, 1.15, 1.5):
        scaled = cell.copy()
        scaled.set_cell(cell.cell * volume ** (1 / 3), scale_atoms=True)
        yield f"at {volume:.0%} of the volume, rattled by 0.05 Å", [rattled(scaled, 0.05)]
    slab = cell.copy()
    slab.center(vacuum=8.0, axis=2)
    yield "slab (100), rattled by 0.05 Å", [rattled(slab, 0.05)]
    vacancy = cell.copy()
    del vacancy[0]
    yield "vacancy, rattled by 0.05 Å", [rattled(vacancy, 0.05)]


def rattled(atoms: Atoms, amplitude: float) -> Atoms:
    """A displaced copy."""
    found = atoms.copy()
    found.rattle(amplitude, seed=2)
    return found


if __name__ == "__main__":
    main()
