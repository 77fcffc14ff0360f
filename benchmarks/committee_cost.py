"""Cost of members of a committee and of uncertainties in a simulation, and what estimated uncertainties are worth.

    python benchmarks/committee_cost.py trained.adiabat ../shared/data/mlearn/Si_test.xyz

The potential holds posterior, spread and projection; the structures are others than those that it was trained on, their labels
are not used.

cost      times those of energy and forces by the potential, in paired runs: medians [quartiles]. 1,000 atoms of diamond
          silicon, or a like number of a body-centred metal, rattled by 0.05 Å, one thread, a list with a skin of 1 Å.
accuracy  of estimated standard deviations against the exact ones, of atomic energies and of whole structures': how many are within
          20 %, and the quantiles of 5 and 95 % of the quotient.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import ase.io
import torch
from ase import Atoms
from ase.build import bulk
from ase.data import chemical_symbols
from timing import machine, paired, ratio
from torch import Tensor

from adiabat.neighbors import SkinList
from adiabat.potential import Potential, load_potential
from adiabat.potential.compiled_committee import CompiledCommittee
from adiabat.system import Batch
from adiabat.typing import Quantity

RUNS = 25
MEMBERS = (1, 2, 4, 8, 16)
BOX_EDGES = {"Si": 5, "Mo": 8}
"""Cubic cells to each side: 1,000 and 1,024 atoms."""
CLOSE = 0.2
TOGETHER: tuple[Quantity, ...] = ("energy", "forces")
ESTIMATES: tuple[Quantity, ...] = ("energy_std_estimate", "energies_std_estimate")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("potential", type=Path)
    parser.add_argument("structures", type=Path, help="extended XYZ")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    potential = load_potential(options.potential)
    print_cost(potential)
    print_accuracy(potential, ase.io.read(options.structures, index=":"))


def print_cost(potential: Potential) -> None:
    """Members, estimates, exact deviations."""
    cell = crystal(potential)
    graph = SkinList(potential.cutoff).graph(Batch.from_atoms(cell))
    works: dict[str, Callable[[], object]] = {"energy and forces": lambda: potential(graph, want=TOGETHER)}
    for count in MEMBERS:
        found = CompiledCommittee.of(
            [member.parts for member in potential.committee(size=max(count, 2)).members[:count]]
        )
        if found is None:
            raise SystemExit("the kernel does not know a part of this potential")
        works[f"{count} members, energies"] = lambda c=found: c.each(graph, ("energy", "energies"))
        works[f"{count} members, energies and forces"] = lambda c=found: c.each(graph, TOGETHER)
        if count > 1:
            works[f"{count} members, energies, forces of the first"] = lambda c=found: c.first(graph, TOGETHER)
    works["energy and forces, estimated deviations"] = lambda: potential(graph, want=(*TOGETHER, *ESTIMATES))
    seconds = paired(list(works.values()), runs=RUNS)
    print(f"\n{len(cell)} atoms{'':<45}µs per atom   times energy and forces")
    for k, name in enumerate(works):
        print(f"{name:<55}{1e6 * seconds[:, k].min() / len(cell):>11.2f}   {ratio(seconds, k, 0)}")
    exact = paired([works["energy and forces"], lambda: potential(graph, want=("energies_std",))], runs=3)
    print(
        f"{'exact deviations of atomic energies':<55}{1e6 * exact[:, 1].min() / len(cell):>11.2f}   {ratio(exact, 1, 0)}"
    )


def print_accuracy(potential: Potential, given: list[Atoms]) -> None:
    """By kind of structure."""
    heads = "".join(f"{name:>24}" for name in ("atoms' energies", "structures' energies"))
    print(f"\n{'within 20 % (5 %, 95 % of the quotient)':<42}{'atoms':>7}{'median, eV':>12}{heads}")
    for kind, structures in {"given": given, **dict(made_structures(potential))}.items():
        found = potential(structures, want=("energy_std", "energies_std", *ESTIMATES))
        atoms, each = found.energies_std, found.energy_std
        if atoms is None or each is None or found.energies_std_estimate is None or found.energy_std_estimate is None:
            raise SystemExit("the potential gives no deviations")
        columns = f"{summary(found.energies_std_estimate / atoms):>24}{summary(found.energy_std_estimate / each):>24}"
        print(f"{kind:<42}{len(atoms):>7}{atoms.median().item():>12.4f}{columns}", flush=True)


def summary(quotient: Tensor) -> str:
    """How many are close to 1, and quantiles."""
    low, high = torch.quantile(quotient, torch.tensor([0.05, 0.95], dtype=torch.float64)).tolist()
    within = ((quotient - 1).abs() < CLOSE).double().mean().item()
    return f"{within:.3f} ({low:.2f}, {high:.2f})"


def crystal(potential: Potential) -> Atoms:
    """About 1,000 atoms."""
    symbol = chemical_symbols[potential.species[0]]
    edge = BOX_EDGES.get(symbol, 6)
    found = bulk(symbol, cubic=True) * (edge, edge, edge)
    found.rattle(0.05, seed=1)
    return found


def made_structures(potential: Potential) -> Iterator[tuple[str, list[Atoms]]]:
    """Like a simulation's, and unlike any that was trained on."""
    cell = bulk(chemical_symbols[potential.species[0]], cubic=True) * (3, 3, 3)
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
