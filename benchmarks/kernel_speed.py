"""Speed of the compiled expansion, in µs per atom, on one thread unless it says otherwise.

    python benchmarks/kernel_speed.py                      all tables, ten minutes
    python benchmarks/kernel_speed.py basis atoms          some of them: basis, entries, atoms, threads
    python benchmarks/kernel_speed.py basis --potential fitted.adiabat

basis    energies and forces by functions, neighbours, instruction set and precision; of 1,000 atoms (864 of copper)
entries  energies alone, invariants forwards and backwards, committees, rows of the design matrix
atoms    all that dynamics pays for, by number of atoms from 100 to 1,000,000: kernel, whole step, search, memory
threads  kernel and search on one thread and on several

Diamond silicon with 0.05 Å noise, repulsion included; without files the presets, with drawn coefficients, and on copper a
basis as large as that of the published PACE potential. Times are the least of several runs, ratios are paired: medians
[quartiles] over runs in turn. The list of neighbours has a skin of 1 Å; how long it serves depends on the dynamics, so the
search stands in a column of its own.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from ase.build import bulk
from subjects import copper_like, crystal, expansion, preset
from timing import PeakMemory, machine, paired, ratio

from adiabat.basis.presets import SIZES
from adiabat.kernels.ace import Want, instruction_sets
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.neighbors import SkinList, neighbor_graph
from adiabat.potential import Potential, load_potential
from adiabat.potential.compiled import CompiledSum
from adiabat.potential.compiled_committee import CompiledCommittee
from adiabat.simulate import Follower, Streams, VelocityVerlet
from adiabat.system import Batch, Graph

RUNS = 15
CUTOFFS = (5.0, 6.5)
ATOMS = (100, 1_000, 10_000, 100_000, 1_000_000)
MEMBERS = (1, 2, 4, 8, 16)
FORCES = Want(forces=True)
STILL_FS = 1e-3  # atoms that hardly move: a step without a search


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all where left out")
    parser.add_argument("--potential", type=Path, nargs="+", default=[], help="instead of the presets")
    parser.add_argument("--atoms", type=int, nargs="+", default=list(ATOMS))
    parser.add_argument("--threads", type=int, nargs="+", default=range(1, 1 + len(os.sched_getaffinity(0))))
    options = parser.parse_args()
    unknown = set(options.tables) - set(TABLES)
    if unknown:
        parser.error(f"there is no table {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    print(machine())
    potentials = [(file.name, load_potential(file)) for file in options.potential] or list(presets())
    for name in options.tables or TABLES:
        print()
        TABLES[name](potentials, options)


def presets() -> Iterator[tuple[str, Potential]]:
    """By cutoff and size, and copper."""
    for cutoff in CUTOFFS:
        for size in SIZES:
            yield f"{size}, {cutoff} Å", preset(size, cutoff)
    yield "copper, 7.4 Å", copper_like()


Potentials = Sequence[tuple[str, Potential]]


def print_basis(potentials: Potentials, _: argparse.Namespace) -> None:
    """Functions, neighbours, instruction sets and precisions."""
    kinds = [(name, dtype) for name in instruction_sets() for dtype in (torch.float64, torch.float32)]
    heads = "".join(f"{f'{name} {str(dtype)[-2:]}':>13}" for name, dtype in kinds)
    print(f"{'energies and forces':<22}{'functions':>10}{'products':>10}{'neighbours':>11}{heads}   (times the first)")
    for name, potential in potentials:
        model, graph = expansion(potential), skin_graph(potential, 1000)
        works = [evaluation(potential, graph, instruction_set=kind, dtype=dtype) for kind, dtype in kinds]
        seconds = paired(works, runs=RUNS)
        atoms = graph.batch.n_atoms
        products = sum(len(table.index) for table in model.basis.products)
        neighbors = neighbor_graph(graph.batch, model.cutoff).n_edges / atoms
        times = "".join(f"{1e6 * t / atoms:>13.2f}" for t in seconds.min(axis=0))
        ratios = "  ".join(ratio(seconds, k, 0) for k in range(1, len(works)))
        print(f"{name:<22}{model.basis.n_functions:>10}{products:>10}{neighbors:>11.1f}{times}   {ratios}", flush=True)


def print_entries(potentials: Potentials, _: argparse.Namespace) -> None:
    """What else the walk gives."""
    members = "".join(f"{m:>8}" for m in MEMBERS)
    print(f"{'':<22}{'invariants':>16}{'':>8}{'energies of members':>40}{'energies and forces of members':>40}")
    print(f"{'':<22}{'forwards':>8}{'backw.':>8}{'rows':>8}{members}{members}")
    for name, potential in potentials:
        model, graph = expansion(potential), skin_graph(potential, 1000)
        small = neighbor_graph(Batch.from_atoms(crystal(potential, 64)), model.cutoff)
        invariants = CompiledInvariants(model.basis)
        derivatives = invariants.values(graph)
        works: list[Callable[[], object]] = [
            lambda i=invariants, g=graph: i.values(g),
            lambda i=invariants, g=graph, d=derivatives: i.forces(g, d, FORCES),
        ]
        committees = [found for m in MEMBERS if (found := CompiledCommittee.of([potential.parts] * m)) is not None]
        works += [lambda c=c, g=graph: c.each(g, ("energies",)) for c in committees]
        works += [lambda c=c, g=graph: c.each(g, ("energies", "forces")) for c in committees]
        times = [1e6 * t / graph.batch.n_atoms for t in paired(works, runs=5).min(axis=0)]
        rows = 1e6 * paired([lambda m=model, g=small: m.design_rows(g)], runs=5).min() / small.batch.n_atoms
        columns = [*times[:2], rows, *times[2:]]
        print(f"{name:<22}" + "".join(f"{t:>8.2f}" for t in columns), flush=True)


def print_atoms(potentials: Potentials, options: argparse.Namespace) -> None:
    """From small to large: what dynamics pays for."""
    for name, potential in potentials:
        print(
            f"{name:<22}{'atoms':>9}{'edges':>8}{'kernel':>9}{'step':>9}{'of it':>8}{'search':>9}{'bytes per atom':>16}"
        )
        for wanted in options.atoms:
            batch = Batch.from_atoms(crystal(potential, wanted))
            atoms, runs = batch.n_atoms, max(3, min(200, 200_000 // batch.n_atoms))
            fresh = potential.to()  # one that has not evaluated anything yet
            with PeakMemory() as memory:
                graph = SkinList(potential.cutoff).graph(batch)
                fresh(graph, want=("energy", "forces", "stress"))
            seconds = paired([evaluation(potential, graph), step(potential, batch)], runs=runs)
            search = paired([lambda p=potential, b=batch: SkinList(p.cutoff).graph(b)], runs=3).min()
            kernel, whole = 1e6 * seconds.min(axis=0) / atoms
            grown = "–" if memory.bytes is None or atoms < 5_000 else f"{memory.bytes / atoms:.0f}"
            print(
                f"{'':<22}{atoms:>9}{graph.n_edges / atoms:>8.1f}{kernel:>9.3f}{whole:>9.3f}{kernel / whole:>8.0%}"
                f"{1e6 * search / atoms:>9.2f}{grown:>16}",
                flush=True,
            )


def print_threads(potentials: Potentials, options: argparse.Namespace) -> None:
    """One thread against several."""
    for name, potential in potentials:
        print(f"{name:<22}{'atoms':>9}{'threads':>8}{'kernel':>9}  {'speedup':<20}{'search':>9}  speedup")
        for wanted in (1_000, 10_000, 100_000):
            batch = Batch.from_atoms(crystal(potential, wanted))
            graph = SkinList(potential.cutoff).graph(batch)
            atoms, runs = batch.n_atoms, max(9, min(99, 300_000 // batch.n_atoms))
            threads = [1, *(t for t in options.threads if t != 1)]
            kernel = paired([on_threads(t, evaluation(potential, graph)) for t in threads], runs=runs)
            again = [on_threads(t, lambda p=potential, b=batch: neighbor_graph(b, p.cutoff + 1)) for t in threads]
            search = paired(again, runs=max(3, runs // 5))
            for k, count in enumerate(threads):
                times = [1e6 * s[:, k].min() / atoms for s in (kernel, search)]
                speedups = [ratio(s, 0, k) for s in (kernel, search)]
                print(
                    f"{'':<22}{atoms:>9}{count:>8}{times[0]:>9.3f}  {speedups[0]:<20}{times[1]:>9.2f}  {speedups[1]}",
                    flush=True,
                )
    torch.set_num_threads(1)


TABLES: dict[str, Callable[[Potentials, argparse.Namespace], None]] = {
    "basis": print_basis,
    "entries": print_entries,
    "atoms": print_atoms,
    "threads": print_threads,
}


def skin_graph(potential: Potential, atoms: int) -> Graph:
    return SkinList(potential.cutoff).graph(Batch.from_atoms(crystal(potential, atoms)))


def evaluation(
    potential: Potential, graph: Graph, *, instruction_set: str | None = None, dtype: torch.dtype = torch.float64
) -> Callable[[], object]:
    """Energies, forces and virial by the kernel."""
    kernel = CompiledSum.of(potential.parts)
    if kernel is None:
        raise SystemExit("the kernel does not know a part of this potential")
    given = graph.on(graph.batch.to(dtype=dtype))
    want = Want(forces=True, virial=True)
    return lambda: kernel.evaluate(given, want, instruction_set=instruction_set)


def step(potential: Potential, batch: Batch) -> Callable[[], object]:
    """One step of dynamics after the other, by a run's own means."""
    follower, integrator = Follower(potential), VelocityVerlet(STILL_FS)
    mass = float(bulk("Si").get_masses()[0])
    masses = batch.positions.new_full((batch.n_atoms,), mass)
    state = integrator.init(
        batch, follower, velocities=torch.zeros_like(batch.positions), masses=masses, streams=Streams.of(batch, 0)
    )

    def advance() -> None:
        nonlocal state
        state = integrator.step(state, follower)

    return advance


def on_threads(threads: int, work: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        torch.set_num_threads(threads)
        return work()

    return run


if __name__ == "__main__":
    main()
