"""The learning curve over basis sizes: errors, cost of training and cost of running, preset by preset.

    python benchmarks/basis_sizes.py ../shared/data/mlearn/Si_train.xyz --test ../shared/data/mlearn/Si_test.xyz

Left-out errors are of structures left out of the fit; test errors, where a test set is given, are for the report alone.
Times are of the processor, one thread; µs per atom are of energies and forces of the largest training structure, repeated
to a thousand atoms, neighbour list aside: the least of five calls.
"""

import argparse
import platform
import time
from importlib.metadata import version
from pathlib import Path

import torch
from ase import Atoms

import adiabat
from adiabat.basis.presets import SIZES, BasisConfig
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

ATOMS = 1000
CALLS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    structures = adiabat.read(options.train)
    test = adiabat.read(options.test) if options.test else []
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, adiabat {version('adiabat')}")
    header = "left-out MAE: meV/atom eV/Å GPa" + ("   test MAE: meV/atom eV/Å GPa" if test else "")
    print(f"{'size':8s} functions   {header}   training s   µs/atom")
    for size in options.sizes:
        print(line(size, structures, test), flush=True)


def line(size: str, structures: list[Labelled], test: list[Labelled]) -> str:
    """One row of the table."""
    config = adiabat.TrainConfig(basis=BasisConfig.model_validate({"size": size}))
    start = time.process_time()
    potential = adiabat.train(structures, config, quiet=True)
    seconds = time.process_time() - start
    said = potential.metadata["training"]
    parts = [f"{size:8s} {said['functions']:9d}  ", triple(said["left_out_mae"])]
    if test:
        errors = adiabat.evaluate(potential, test, quiet=True)
        parts.append(
            f"{number(errors.energy_mae_mev_per_atom, 2)} {number(errors.force_mae_ev_per_angstrom, 4)} "
            f"{number(errors.stress_mae_gpa, 3)}"
        )
    parts += [f"{seconds:8.0f}", f"{1e6 * seconds_per_atom(potential, structures):8.1f}"]
    return "   ".join(parts)


def triple(errors: dict[str, float]) -> str:
    """Left-out errors in the units of the report."""
    energy, stress = errors.get("energy"), errors.get("stress")
    return (
        f"{number(energy and 1e3 * energy, 2)} {number(errors.get('forces'), 4)} "
        f"{number(stress and GPA_PER_EV_PER_CUBIC_ANGSTROM * stress, 3)}"
    )


def number(value: float | None, digits: int) -> str:
    return "      –" if value is None else f"{value:7.{digits}f}"


def seconds_per_atom(potential: Potential, structures: list[Labelled]) -> float:
    largest = max((s.atoms for s in structures), key=len)
    repeats = max(1, round((ATOMS / len(largest)) ** (1 / 3)))
    atoms: Atoms = largest * tuple(repeats if periodic else 1 for periodic in largest.pbc)
    graph = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)
    potential(graph)
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        potential(graph)
        times.append(time.perf_counter() - start)
    return min(times) / len(atoms)


if __name__ == "__main__":
    main()
