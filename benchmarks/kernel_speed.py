"""Speed of the compiled expansion on silicon: `python benchmarks/kernel_speed.py [potential.adiabat ...]`.

Energies and forces of 1,000 atoms of diamond with 0.05 Å noise, repulsion included, on one thread: the least of several
runs, in µs per atom, by size of the basis, cutoff, instruction set and floating-point type. Without files the presets are
timed, with drawn coefficients, and on copper (864 atoms) a basis as large as that of the published PACE potential (Y. Lysogorskiy
et al., npj Comput. Mater. 7, 97 (2021)). The rows of the design matrix are timed on a small cell. A second table has energies
alone, and committees.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

from adiabat.basis.presets import SIZES, BasisConfig, Environment, choose_basis
from adiabat.basis.products import TotalDegree, coupled_products, invariant_functions
from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE, Want, instruction_sets
from adiabat.models import LinearACE
from adiabat.models.ace.compiled_committee import CompiledCommittee
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.neighbors import SkinList, neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential, load_potential
from adiabat.potential.compiled import CompiledSum
from adiabat.system import Batch

RUNS = 15
CUTOFFS = (5.0, 6.5)
COPPER_FUNCTIONS = 742
MEMBERS = (1, 2, 4, 8, 16)


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    print(f"adiabat {version('adiabat')}, numpy {np.__version__}, torch {torch.__version__}, {platform.platform()}")
    print(f"{processor()}, load {os.getloadavg()[0]:.1f}\n")
    names = [f"{name} {kind}" for name in instruction_sets() for kind in ("f64", "f32")]
    print(f"{'potential':<28}{'functions':>10}{'products':>10}{'neighbours':>11}" + "".join(f"{n:>14}" for n in names))
    for name, potential in potentials():
        print(f"{name:<28}" + line(potential), flush=True)
    print(
        "\nInvariants forwards and backwards, energies of committees, energies and forces of committees; best set, f64"
    )
    members = "".join(f"{m:>9}" for m in MEMBERS)
    print(f"{'potential':<28}{'forwards':>9}{'backw.':>9}" + members + members)
    for name, potential in potentials():
        print(f"{name:<28}" + shared_line(potential), flush=True)


def potentials() -> Iterator[tuple[str, Potential]]:
    """Those of the command line, or the presets."""
    if sys.argv[1:]:
        yield from ((Path(file).name, load_potential(file)) for file in sys.argv[1:])
        return
    for cutoff in CUTOFFS:
        for size in SIZES:
            yield f"{size}, {cutoff} Å", preset(size, cutoff)
    yield "copper, 7.4 Å", copper_like()


def preset(size: str, cutoff: float) -> Potential:
    """Silicon, with drawn coefficients."""
    inner = {(14, 14): InnerCutoff(radius=1.8, width=0.5)}
    environment = Environment((14,), nearest_neighbor_distance=2.35, shortest_distances={(14, 14): 2.1})
    basis = choose_basis(BasisConfig.model_validate({"size": size, "cutoff_angstrom": cutoff}), environment, inner)
    drawn = np.random.default_rng(0).normal(size=(1, basis.n_functions)) * np.exp(-0.3 * basis.degrees.numpy())
    return Potential([ZBL({(14, 14): (1.2, 2.4)}), LinearACE(basis, torch.from_numpy(drawn))])


def copper_like() -> Potential:
    """742 functions of two- to six-body order, those of five and six bodies of low degree."""
    degree = TotalDegree(limits=(14, 14, 10, 7, 4), l_limits=(0, 6, 5, 2, 1))
    functions = tuple(invariant_functions(degree, ((0,),) * 5))
    functions = tuple(sorted(functions, key=lambda f: (degree.of(f.factors), len(f.factors)))[:COPPER_FUNCTIONS])
    n_max = 1 + max(factor[1] for function in functions for factor in function.factors)
    l_max = max(factor[2] for function in functions for factor in function.factors)
    degrees = np.array([degree.of(function.factors) for function in functions])
    basis = BasisSpecification(
        species=(29,),
        cutoff=7.4,
        inner={(29, 29): InnerCutoff(radius=1.9, width=0.5)},
        contraction=torch.eye(n_max, dtype=torch.float64).repeat(l_max + 1, 1, 1),
        mixing=torch.ones(1, 1, dtype=torch.float64),
        functions=functions,
        degrees=torch.from_numpy(degrees),
        products=tuple(coupled_products(list(functions), order, n_max=n_max, l_max=l_max) for order in range(1, 6)),
    )
    drawn = np.random.default_rng(0).normal(size=(1, len(functions))) * np.exp(-0.3 * degrees)
    return Potential([ZBL({(29, 29): (1.2, 2.3)}), LinearACE(basis, torch.from_numpy(drawn))])


def line(potential: Potential) -> str:
    """One row of the table."""
    model = next(part for part in potential.parts if isinstance(part, LinearACE))
    atoms = crystal(model, 5)
    batch = Batch.from_atoms(atoms)
    neighbors = neighbor_graph(batch, model.cutoff).n_edges / len(atoms)
    graph = SkinList(potential.cutoff).graph(batch)
    narrow = graph.on(batch.to(dtype=torch.float32))
    kernel = CompiledSum.of(potential.parts)
    assert kernel is not None
    times = []
    for name in instruction_sets():
        os.environ[INSTRUCTION_SET_VARIABLE] = name
        for given in (graph, narrow):
            times.append(least(lambda given=given: kernel.evaluate(given, Want(forces=True))) / len(atoms))
    del os.environ[INSTRUCTION_SET_VARIABLE]
    small = crystal(model, 2)
    rows_graph = neighbor_graph(Batch.from_atoms(small), model.cutoff)
    rows = least(lambda: model.design_rows(rows_graph)) / len(small)
    products = sum(len(table.index) for table in model.basis.products)
    numbers = f"{model.basis.n_functions:>10}{products:>10}{neighbors:>11.1f}"
    return numbers + "".join(f"{1e6 * t:>14.2f}" for t in times) + f"   rows {1e6 * rows:.0f}"


def shared_line(potential: Potential) -> str:
    """One row of the second table."""
    model = next(part for part in potential.parts if isinstance(part, LinearACE))
    atoms = crystal(model, 5)
    graph = SkinList(model.cutoff).graph(Batch.from_atoms(atoms))
    invariants = CompiledInvariants(model.basis)
    derivatives = invariants.values(graph)
    times = [
        least(lambda: invariants.values(graph)),
        least(lambda: invariants.forces(graph, derivatives, Want(forces=True))),
    ]
    for want in (Want(), Want(forces=True)):
        for members in MEMBERS:
            committee = CompiledCommittee(model.basis, model.coefficients.repeat(members, 1, 1))
            times.append(least(lambda committee=committee, want=want: committee.evaluate(graph, want)))
    return "".join(f"{1e6 * t / len(atoms):>9.2f}" for t in times)


def crystal(model: LinearACE, repeats: int) -> Atoms:
    """Diamond silicon, or copper with 864 atoms for 1,000, rattled."""
    if model.species == (29,):
        repeats = repeats + 1 if repeats > 2 else repeats
    atoms = bulk("Si" if model.species == (14,) else "Cu", cubic=True) * (repeats, repeats, repeats)
    atoms.rattle(0.05, seed=1)
    return atoms


def least(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs: what the machine does when nothing else disturbs it."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def processor() -> str:
    """The processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [x.split(":")[1].strip() for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()


if __name__ == "__main__":
    main()
