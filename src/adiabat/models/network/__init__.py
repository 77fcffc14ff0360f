"""Networks on invariants."""

from adiabat.models.network.config import NetworkConfig
from adiabat.models.network.elements import ElementNetworks, Inputs
from adiabat.models.network.invariant_network import InvariantNetwork
from adiabat.models.network.perceptron import Perceptron

__all__ = ["ElementNetworks", "Inputs", "InvariantNetwork", "NetworkConfig", "Perceptron"]
