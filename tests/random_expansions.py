"""Linear expansions with drawn coefficients: any species, numbers of factors, channels and radial functions."""

from collections.abc import Sequence

import numpy as np
import torch

from adiabat.basis.mixing import chemical_channels
from adiabat.basis.products import TotalDegree, coupled_products, invariant_functions
from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import BasisSpecification
from adiabat.models import LinearACE

INNER = InnerCutoff(radius=1.4, width=0.5)


def random_expansion(
    species: Sequence[int],
    *,
    limits: tuple[float, ...] = (5, 5, 4, 3),
    l_limits: tuple[int, ...] = (0, 3, 2, 1),
    cutoff: float = 4.0,
    contracted: bool = False,
    mixed: bool = False,
    seed: int = 0,
) -> LinearACE:
    """An expansion over products of one factor for each limit.

    Args:
        species: Atomic numbers, ascending.
        limits: The largest degree of products of one, two, three ... factors.
        l_limits: Their largest l.
        cutoff: Å.
        contracted: Radial functions are drawn combinations, others for each l, instead of the Bessel functions themselves.
        mixed: Channels are combinations of the species, instead of one for each.
        seed: Of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    degree = TotalDegree(limits, l_limits)
    channels = 2 if mixed else len(species)
    functions = tuple(invariant_functions(degree, (tuple(range(channels)),) * len(limits)))
    n_max = 1 + max(factor[1] for function in functions for factor in function.factors)
    l_max = max(factor[2] for function in functions for factor in function.factors)
    mixing = chemical_channels(tuple(species), 2) if mixed else np.eye(len(species))
    contraction = np.tile(np.eye(n_max), (l_max + 1, 1, 1))
    if contracted:
        contraction = rng.normal(size=(l_max + 1, n_max, n_max + 2)) / n_max
    degrees = np.array([degree.of(function.factors) for function in functions])
    basis = BasisSpecification(
        species=tuple(species),
        cutoff=cutoff,
        inner={(a, b): INNER for a in species for b in species if a <= b},
        contraction=torch.from_numpy(contraction),
        mixing=torch.from_numpy(mixing),
        functions=functions,
        degrees=torch.from_numpy(degrees),
        products=tuple(
            coupled_products(list(functions), order, n_max=n_max, l_max=l_max) for order in range(1, len(limits) + 1)
        ),
    )
    coefficients = rng.normal(size=(len(species), len(functions))) * 0.2 * np.exp(-0.3 * degrees)
    return LinearACE(basis, torch.from_numpy(coefficients))
