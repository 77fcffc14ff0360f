"""What benchmarks are about: potentials with drawn coefficients, and crystals to evaluate them on."""

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

from adiabat.basis.presets import BasisConfig, Environment, choose_basis
from adiabat.basis.products import TotalDegree, coupled_products, invariant_functions
from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import BasisSpecification
from adiabat.models import LinearACE
from adiabat.physics import ZBL
from adiabat.potential import Potential

COPPER_FUNCTIONS = 742


def preset(size: str, cutoff: float) -> Potential:
    """Silicon, with drawn coefficients."""
    inner = {(14, 14): InnerCutoff(radius=1.8, width=0.5)}
    environment = Environment((14,), nearest_neighbor_distance=2.35, shortest_distances={(14, 14): 2.1})
    basis = choose_basis(BasisConfig.model_validate({"size": size, "cutoff_angstrom": cutoff}), environment, inner)
    drawn = np.random.default_rng(0).normal(size=(1, basis.n_functions)) * np.exp(-0.3 * basis.degrees.numpy())
    return Potential([ZBL({(14, 14): (1.2, 2.4)}), LinearACE(basis, torch.from_numpy(drawn))])


def copper_like() -> Potential:
    """742 functions of two- to six-body order, those of five and six bodies of low degree, as large as the basis of the
    published PACE potential (Y. Lysogorskiy et al., npj Comput. Mater. 7, 97 (2021))."""
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


def expansion(potential: Potential) -> LinearACE:
    """The part that takes the time."""
    return next(part for part in potential.parts if isinstance(part, LinearACE))


def crystal(potential: Potential, atoms: int) -> Atoms:
    """Diamond silicon, or fcc copper, of about so many atoms (at least one cubic cell), rattled by 0.05 Å."""
    cell = bulk("Si" if potential.species == (14,) else "Cu", cubic=True)
    repeats = max(1, round((atoms / len(cell)) ** (1 / 3)))
    found = cell * (repeats, repeats, repeats)
    found.rattle(0.05, seed=1)
    return found
