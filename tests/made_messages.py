"""Small message-passing models with drawn weights, scaled so that their numbers are of order one."""

from typing import Any

import torch

from adiabat.models import MessagePassing, MessagesConfig
from adiabat.models.messages.standardize import standardized
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Graph
from adiabat.testing.structures import contract_cases

SMALL = MessagesConfig(
    cutoff_angstrom=4.0,
    l_max=2,
    channels=3,
    edge_channels=4,
    vector_channels=2,
    hidden=6,
    radial_functions=4,
    radial_hidden=5,
)
SPECIES = (8, 14)
LENGTH = 3.0
"""Å, between neighbours."""
BINDING_EV = torch.tensor([-2.0, -3.5])


def messages_graph() -> Graph:
    """The structures of the contracts, in one graph."""
    structures = [case.atoms for case in contract_cases(SPECIES, length=LENGTH)]
    return neighbor_graph(Batch.from_atoms(structures), SMALL.cutoff_angstrom)


def made_messages(seed: int = 3, **changes: Any) -> MessagePassing:
    """A model of the small shape, but for some changes."""
    model = MessagePassing(SMALL.model_copy(update=changes), SPECIES, seed=seed)
    return standardized(model, messages_graph(), energy_scale_ev=0.5, binding_ev=BINDING_EV)
