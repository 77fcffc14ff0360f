"""Structures as made features: of two species, correlated, of very different sizes, in structures of several atoms."""

import numpy as np
import torch

from adiabat.uncertainty import Environments

FUNCTIONS = 6


def made_structures(count: int, *, atoms: int = 8, seed: int = 0, functions: int = FUNCTIONS) -> list[Environments]:
    """Atoms of a structure share a shift, as those of one temperature or cell do."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(2, functions, functions))
    sizes = 10.0 ** np.linspace(-2, 2, functions)
    found = []
    for _ in range(count):
        species = rng.permutation(np.arange(atoms) % 2)
        drawn = rng.normal(size=(atoms, functions)) + rng.normal(size=functions)
        features = np.einsum("nk,nkl->nl", drawn, mixing[species]) * sizes + sizes
        found.append(Environments(torch.from_numpy(features), torch.from_numpy(species)))
    return found
