"""The scales on which two evaluations of a structure are compared: a file's canaries, a contract, an export's certificate.

Energies: the sum of the magnitudes of the terms, so that terms that cancel do not ask for digits that no one has.
Forces: the structure's largest force + 0.1 eV/Å. Stress: its largest component + 1e-3 eV/Å³.
"""

from collections.abc import Sequence
from functools import singledispatch

import torch
from torch import Tensor

from adiabat.models import LinearACE, MessagePassing
from adiabat.system import Batch, EnergyModel, Graph

FORCE_FLOOR_EV_PER_ANGSTROM = 0.1
STRESS_FLOOR_EV_PER_CUBIC_ANGSTROM = 1e-3


def energy_scales(parts: Sequence[EnergyModel], graph: Graph) -> Tensor:
    """(S,) eV: the magnitudes of the terms of each part's energy of each atom, summed."""
    with torch.no_grad():
        magnitudes = torch.stack([term_magnitudes(part, graph) for part in parts]).sum(0)
    return graph.batch.sum_over_atoms(magnitudes)


@singledispatch
def term_magnitudes(part: EnergyModel, graph: Graph) -> Tensor:
    """(N,) eV: by default one term for each atom; models whose energy is a sum of terms of both signs register here."""
    return part.atomic_energies(graph).abs()


@term_magnitudes.register
def _linear_ace(part: LinearACE, graph: Graph) -> Tensor:
    features = part.features(graph)
    index = torch.searchsorted(torch.tensor(part.species, device=features.device), graph.batch.numbers)
    return (features * part.coefficients.to(features)[index]).abs().sum(-1)


@term_magnitudes.register
def _message_passing(part: MessagePassing, graph: Graph) -> Tensor:
    return part.magnitudes(graph)


def force_scales(forces: Tensor, batch: Batch) -> Tensor:
    """(S,) eV/Å, from forces (N, 3)."""
    sizes = forces.square().sum(-1).sqrt()
    largest = sizes.new_zeros(batch.n_systems).scatter_reduce(0, batch.system, sizes, "amax")
    return largest + FORCE_FLOOR_EV_PER_ANGSTROM


def stress_scales(stress: Tensor) -> Tensor:
    """(S,) eV/Å³, from stresses (S, 3, 3)."""
    return stress.abs().amax((1, 2)) + STRESS_FLOOR_EV_PER_CUBIC_ANGSTROM
