"""Message passing: its harmonics, its symmetries, its derivatives, and what it must not see."""

import pytest
import torch

from adiabat.models import MessagePassing, MessagesConfig
from adiabat.models.messages.standardize import standardized
from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch
from adiabat.testing import check_energy_model
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
BINDING_EV = torch.tensor([-2.0, -3.5])


def made_messages(config: MessagesConfig = SMALL, seed: int = 3) -> MessagePassing:
    structures = [case.atoms for case in contract_cases(SPECIES, length=LENGTH)]
    graph = neighbor_graph(Batch.from_atoms(structures), config.cutoff_angstrom)
    return standardized(MessagePassing(config, SPECIES, seed=seed), graph, energy_scale_ev=0.5, binding_ev=BINDING_EV)


@pytest.mark.parametrize("vector_channels", [0, 2])
def test_message_passing_keeps_the_contract_of_an_energy_model(vector_channels: int) -> None:
    model = made_messages(SMALL.model_copy(update={"vector_channels": vector_channels}))

    check_energy_model(model, length=LENGTH)
