"""Networks on invariants with drawn weights."""

import torch
from made_potentials import INNER_RADII, made_ace
from random_expansions import random_expansion

from adiabat.models import LinearACE
from adiabat.models.network import Inputs, InvariantNetwork, Perceptron

SMALL = random_expansion((8, 14), limits=(4, 4, 3), l_limits=(0, 3, 2))
"""A basis of few functions."""
RADII = INNER_RADII
"""Å: where terms of `made_network` begin or end."""


def drawn_network(
    expansion: LinearACE = SMALL, *, inputs: int = 7, hidden: tuple[int, ...] = (6, 5), seed: int = 0
) -> InvariantNetwork:
    """On the invariants of an expansion; weights, scales and offsets are drawn throughout."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(expansion.species), inputs, expansion.basis.n_functions)
    transform = torch.randn(shape, generator=generator, dtype=torch.float64) / shape[-1]
    mean = torch.randn(shape[0], shape[2], generator=generator, dtype=torch.float64)
    perceptrons = [Perceptron(inputs, hidden, silent=False, generator=generator) for _ in expansion.species]
    for perceptron in perceptrons:
        for values in (perceptron.direct, *perceptron.biases):
            torch.nn.init.normal_(values, generator=generator)
    return InvariantNetwork(expansion.basis, Inputs(mean, transform), perceptrons, scale_ev=0.7)


def made_network() -> InvariantNetwork:
    """Oxygen and silicon, on the invariants of `made_ace`."""
    return drawn_network(made_ace(), inputs=9, hidden=(11, 6)).requires_grad_(False)
