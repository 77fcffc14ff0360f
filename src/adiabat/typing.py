"""Names for arrays and tensors with their shapes: N atoms, S systems, E edges, K functions."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

Positions: TypeAlias = Tensor  # (N, 3) Å
Cells: TypeAlias = Tensor  # (S, 3, 3) Å, rows are vectors
AtomicEnergies: TypeAlias = Tensor  # (N,) eV
Energies: TypeAlias = Tensor  # (S,) eV
Forces: TypeAlias = Tensor  # (N, 3) eV/Å
Stresses: TypeAlias = Tensor  # (S, 3, 3) eV/Å³, positive under tension
EdgeVectors: TypeAlias = Tensor  # (E, 3) Å, from centre to neighbour
Features: TypeAlias = Tensor  # (N, K)

Quantity: TypeAlias = Literal[
    "energy",
    "energy_std",
    "energy_std_parametric",
    "energy_std_misfit",
    "energy_std_estimate",
    "energies",
    "energies_std",
    "energies_std_parametric",
    "energies_std_misfit",
    "energies_std_estimate",
    "forces",
    "forces_std",
    "forces_std_parametric",
    "forces_std_misfit",
    "stress",
    "stress_std",
    "stress_std_parametric",
    "stress_std_misfit",
    "atomic_virials",
]
