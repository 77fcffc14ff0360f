"""A potential of the kinds of parts that training makes, with drawn coefficients instead of fitted ones."""

import numpy as np
import torch

from adiabat.basis.presets import BasisConfig, Environment, choose_basis
from adiabat.basis.radial import InnerCutoff
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.physics import ZBL
from adiabat.potential import Potential

RADII = {(8, 8): (0.6, 1.3), (8, 14): (0.7, 1.5), (14, 14): (1.0, 2.1)}
INNER = {pair: InnerCutoff(radius=1.2 * outer, width=0.3) for pair, (_, outer) in RADII.items()}
INNER_RADII = sorted(
    {x for r in RADII.values() for x in r} | {x for i in INNER.values() for x in (i.radius, i.radius - i.width)}
)
"""Å: wherever a term begins or ends below the cutoff."""


def made_ace() -> LinearACE:
    """Oxygen and silicon; its energies are of the order of 0.1 eV per atom."""
    shortest = {pair: outer for pair, (_, outer) in RADII.items()}
    environment = Environment((8, 14), nearest_neighbor_distance=1.6, shortest_distances=shortest)
    basis = choose_basis(BasisConfig(size="small", cutoff_angstrom=4.5), environment, INNER)
    drawn = np.random.default_rng(5).normal(size=(2, basis.n_functions)) * 0.2 * np.exp(-0.3 * basis.degrees.numpy())
    return LinearACE(basis, torch.from_numpy(drawn))


def made_potential() -> Potential:
    """Isolated atoms, repulsion and the expansion."""
    training = {
        "functions": made_ace().basis.n_functions,
        "rows": {"energy": 10, "forces": 300, "stress": 60},
        "noise": {"energy": 0.002, "forces": 0.05, "stress": 0.001},
        "left_out_mae": {"energy": 0.003, "forces": 0.06, "stress": 0.002},
        "left_out_rmse": {"energy": 0.004, "forces": 0.09, "stress": 0.003},
        "notes": ["O-O: no pair in the data"],
    }
    metadata = {
        "provenance": {"adiabat": "0.1.0", "created": "2026-11-21T05:56:24+00:00", "machine": "Linux x86_64"},
        "configuration": {"seed": 1},
        "data": {"fingerprint": "0123456789abcdef0123", "structures": 10},
        "training": training,
    }
    return Potential([IsolatedAtoms({8: -432.0, 14: -158.5}, "fitted", 4.5), ZBL(RADII), made_ace()], metadata=metadata)
