"""Which structures' left-out errors choose the hyperparameters."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from adiabat.training.hyperparameters import SearchConfig

LEAST_OF_EACH = 5
"""Structures of a config_type that has a noise level of its own, as far as it has them."""


def judged_structures(config_types: Sequence[str], config: SearchConfig) -> list[int]:
    """Indices, ascending, of the structures whose left-out errors count: drawn from all, or at least a few of each config_type.

    Args:
        config_types: Of all structures.
        config: How many, and whether config_types matter.
    """
    count, rng = len(config_types), np.random.default_rng(config.seed)
    if count <= config.structures:
        return list(range(count))
    if not config.noise_per_config_type:
        chosen = rng.choice(count, config.structures, replace=False)
        return sorted(int(index) for index in chosen)
    drawn = [int(index) for index in rng.permutation(count)]
    seen, turn = Counter[str](), dict[int, int]()
    for index in drawn:
        turn[index] = min(seen[config_types[index]], LEAST_OF_EACH)
        seen[config_types[index]] += 1
    return sorted(sorted(drawn, key=turn.__getitem__)[: config.structures])
