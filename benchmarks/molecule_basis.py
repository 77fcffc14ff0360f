"""Acetylacetone: what error of a linear expansion is the basis's, what the repulsion's, without the search of a training.

    python benchmarks/molecule_basis.py                                   # minutes
    python benchmarks/molecule_basis.py --degrees 14,8,7,4 --only data    # one basis, one repulsion

450 of the 500 structures at 300 K to train on, drawn as in molecule_curve.py; errors on the test trajectory. Coefficients are those
of a ridge with a fixed strength (`scales`, `RIDGE`); trainings choose theirs by left-out errors. Products tell all elements apart; a list of degrees has the largest Σ (n + l) of products of
one, two, three ... factors.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import linalg

import adiabat
from adiabat.basis.products import TotalDegree, coupled_products, invariant_functions
from adiabat.basis.specification import BasisSpecification
from adiabat.models import LinearACE
from adiabat.system import Labelled
from adiabat.training.config import TrainConfig
from adiabat.training.examples import ExampleMaker
from adiabat.training.prepare import Preparation, prepare
from adiabat.typing import FloatArray

DEGREES = ("14,8,4", "14,9,5", "14,8,6", "14,8,6,4", "14,8,7", "14,8,7,3", "14,8,7,4")
L_LIMITS = (0, 6, 5, 3)
REPULSIONS = {
    "as for solids": {"outer_factor": 1.3, "inner_factor": 0.98, "width_factor": 0.3},
    "ends at the data": {"outer_factor": 1.02, "inner_factor": 0.98, "width_factor": 0.3},
    "data free of it": {},
}
ENERGY_WEIGHT = 75.0
"""Of an energy per atom, in Å: of 15 atoms, 5 times the total energy counts as much as a force."""
RIDGE = 4e-10
STRUCTURES, AT_ONCE, SEED = 450, 45, 0
Rows = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(__file__).parents[2] / "shared" / "data" / "botnet"
    parser.add_argument("--train", type=Path, default=data / "acac_train_300K.xyz")
    parser.add_argument("--test", type=Path, default=data / "acac_test_MD_300K.xyz")
    parser.add_argument("--degrees", nargs="+", default=DEGREES)
    parser.add_argument("--cutoff-angstrom", type=float, default=5.0)
    parser.add_argument("--only", default="", help="a word of the repulsion's name")
    options = parser.parse_args()
    torch.set_num_threads(1)
    structures = adiabat.read(options.train, quiet=True)
    lonely = [s for s in structures if s.is_isolated_atom]
    molecules = [s for s in structures if not s.is_isolated_atom]
    chosen = [molecules[k] for k in sorted(np.random.default_rng(SEED).permutation(len(molecules))[:STRUCTURES])]
    test = adiabat.read(options.test, quiet=True)
    print(
        "| repulsion | degrees | coefficients | energy RMSE (meV) | force RMSE, MAE (meV/Å) | CPU s |\n|---|---|---|---|---|---|"
    )
    for name, factors in REPULSIONS.items():
        if options.only not in name:
            continue
        config = TrainConfig.model_validate({"basis": {"size": "small"}, "repulsion": factors})
        prepared = prepare([*lonely, *chosen], config, quiet=True)
        for degrees in options.degrees:
            basis = made(prepared, [float(d) for d in degrees.split(",")], options.cutoff_angstrom)
            start = time.process_time()
            energies, forces = left(prepared, basis, chosen, test)
            said = f"{1e3 * rms(energies):.2f} | {1e3 * rms(forces):.1f}, {1e3 * np.abs(forces).mean():.1f}"
            columns = basis.n_functions * len(basis.species)
            print(f"| {name} | {degrees} | {columns} | {said} | {time.process_time() - start:.0f} |", flush=True)


def made(prepared: Preparation, degrees: Sequence[float], cutoff_angstrom: float) -> BasisSpecification:
    """A basis of all products up to these degrees."""
    inner, species = prepared.model.basis.inner, prepared.model.species
    degree = TotalDegree(tuple(degrees), L_LIMITS[: len(degrees)])
    functions = tuple(invariant_functions(degree, (tuple(range(len(species))),) * len(degrees)))
    n_max = 1 + max(factor[1] for function in functions for factor in function.factors)
    l_max = max(factor[2] for function in functions for factor in function.factors)
    orders = range(1, len(degrees) + 1)
    return BasisSpecification(
        species=species,
        cutoff=cutoff_angstrom,
        inner=inner,
        contraction=torch.eye(n_max, dtype=torch.float64).expand(l_max + 1, n_max, n_max).contiguous(),
        mixing=torch.eye(len(species), dtype=torch.float64),
        functions=functions,
        degrees=torch.tensor([degree.of(function.factors) for function in functions], dtype=torch.float64),
        products=tuple(coupled_products(list(functions), order, n_max=n_max, l_max=l_max) for order in orders),
    )


def left(
    prepared: Preparation, basis: BasisSpecification, train: Sequence[Labelled], test: Sequence[Labelled]
) -> tuple[FloatArray, FloatArray]:
    """What a ridge leaves of the test's energies (eV of a structure) and forces (eV/Å)."""
    n_species, n_functions = len(basis.species), basis.n_functions
    model = LinearACE(basis, torch.zeros(n_species, n_functions, dtype=torch.float64))
    maker, columns = ExampleMaker(model, prepared.baseline), n_species * n_functions
    gram, moment = np.zeros((columns, columns), order="F"), np.zeros(columns)
    squares, count = np.zeros(columns), 0
    syrk = linalg.get_blas_funcs("syrk", (gram,))
    for first in range(0, len(train), AT_ONCE):
        energy, of_energy, force, of_force = rows(maker, train[first : first + AT_ONCE], n_species)
        weighed = np.concatenate([ENERGY_WEIGHT * energy, force])
        gram = syrk(1.0, weighed.T, beta=1.0, c=gram, overwrite_c=1, lower=1)
        moment += weighed.T @ np.concatenate([ENERGY_WEIGHT * of_energy, of_force])
        squares, count = squares + (force**2).sum(0), count + len(weighed)
    coefficients = solved(gram, moment, scales(basis, np.sqrt(squares / count)), count)
    energies, forces = [], []
    for first in range(0, len(test), AT_ONCE):
        part = test[first : first + AT_ONCE]
        energy, of_energy, force, of_force = rows(maker, part, n_species)
        energies.append((energy @ coefficients - of_energy) * [len(structure.atoms) for structure in part])
        forces.append(force @ coefficients - of_force)
    return np.concatenate(energies), np.concatenate(forces)


def rows(maker: ExampleMaker, structures: Sequence[Labelled], n_species: int) -> Rows:
    """Rows and targets of energies per atom, and of forces."""
    examples = [maker(structure) for structure in structures]
    found = []
    for kind in ("energy", "forces"):
        found.append(np.concatenate([one.all_columns(one.blocks[kind].rows, n_species) for one in examples]))
        found.append(np.concatenate([one.blocks[kind].targets for one in examples]))
    energy, of_energy, force, of_force = found
    return energy, of_energy, force, of_force


def scales(basis: BasisSpecification, sizes: FloatArray) -> FloatArray:
    """Of each coefficient, expected beforehand: with each number of factors the functions together have forces of one size.

    Args:
        basis: What the functions are.
        sizes: (columns,) root mean squares of the functions' forces.
    """
    n_species = len(basis.species)
    factors = np.tile([len(function.factors) for function in basis.functions], n_species)
    sizes = np.maximum(sizes, 1e-9 * sizes.max())
    found = 1 / np.sqrt(sizes) / (1 + np.tile(basis.degrees.numpy(), n_species))
    for number in np.unique(factors):
        found[factors == number] /= np.sqrt(sizes[factors == number].sum())
    return found


def solved(gram: FloatArray, moment: FloatArray, scale: FloatArray, count: int) -> FloatArray:
    """(columns,) coefficients of the ridge."""
    gram *= scale[:, None]
    gram *= scale
    unit = np.trace(gram) / count
    gram /= unit
    gram[np.diag_indices(len(gram))] += RIDGE
    factor = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    return scale * linalg.cho_solve(factor, scale * moment / unit, check_finite=False)


def rms(values: FloatArray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.square(values).mean()))


if __name__ == "__main__":
    main()
