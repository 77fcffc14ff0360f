"""Energies that are networks of the compiled invariants; arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.kernels import _core
from adiabat.kernels.ace import (
    CommitteeEvaluation,
    Configuration,
    Evaluation,
    Execution,
    Plan,
    Want,
    chosen_instruction_set,
    plan_builder,
)
from adiabat.kernels.ace_invariants import InvariantTable, compiled_table
from adiabat.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Network:
    """E = shift + linear · B + readout · h, h = φ(W_L ... φ(W_1 B + b_1) ... + b_L), φ(a) = a / (1 + exp(-a)).

    Attributes:
        weights: W of each layer, (outputs, inputs).
        biases: b of each layer, (outputs,).
        linear: (functions,) eV.
        readout: (outputs of the last layer,) eV.
        shift: eV.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    linear: FloatArray
    readout: FloatArray
    shift: float


class NetworkEvaluator:
    """Energies of atoms and their derivatives; it may be used from several threads.

    Args:
        plan: Its repulsion is added; its programs say only how many species there are.
        table: What the invariants are.
        networks: One for each species.

    Raises:
        ValueError: A number of species, functions, weights or biases that does not fit; one that is not finite.
    """

    def __init__(self, plan: Plan, table: InvariantTable, networks: Sequence[Network]) -> None:
        self._core = _core.NetworkEvaluator(plan_builder(plan), compiled_table(table), [_compiled(n) for n in networks])

    def __call__(self, configuration: Configuration, *, want: Want, execution: Execution) -> Evaluation:
        """Arguments and errors as of `kernels.ace.Evaluator`."""
        c = configuration
        found = CommitteeEvaluation.empty(c.edges, 1, want)
        self._core.evaluate(
            *(c.edges, c.positions, c.cells, c.species, *found.outputs()),
            single=execution.single,
            threads=execution.threads,
            instruction_set=chosen_instruction_set(execution),
        )
        return found.member(0)


def _compiled(network: Network) -> _core.Network:
    widths = [network.weights[0].shape[1], *(len(bias) for bias in network.biases)]
    return _core.Network(
        np.array(widths, dtype=np.int32),
        np.concatenate([weight.ravel() for weight in network.weights]),
        np.concatenate(network.biases),
        np.ascontiguousarray(network.linear),
        np.ascontiguousarray(network.readout),
        network.shift,
    )
