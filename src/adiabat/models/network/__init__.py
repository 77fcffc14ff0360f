"""Networks on invariants."""

from adiabat.models.network.config import NetworkConfig
from adiabat.models.network.invariant_network import Inputs, InvariantNetwork
from adiabat.models.network.perceptron import Perceptron

__all__ = ["Inputs", "InvariantNetwork", "NetworkConfig", "Perceptron"]
