"""Correction: what an oracle says of one instant, carried on to the next look."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self, cast

import torch
from torch import Tensor

from adiabat.potential import Prediction
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Evaluator
from adiabat.simulate.state import State
from adiabat.system import Batch

OFFSET, FORCES, POSITIONS, CALLS = "correction_ev", "correction_forces", "correction_positions", "corrections"


@dataclass(frozen=True, eq=False)
class Correction:
    """Added to the potential's energy: U(x) + ΔU - ΔF·(x - x₀), with ΔF the oracle's forces less the potential's at x₀.

    ΔU is such that the energy does not jump there: what is conserved stays so, and how the oracle counts energies does not matter.
    Between looks atoms move in a potential energy, so nothing but the looks themselves heats them.

    Attributes:
        offset_ev: (S,) ΔU.
        forces: (N, 3) eV/Å, ΔF; zero where there was no alarm.
        positions: (N, 3) Å, x₀.
    """

    offset_ev: Tensor
    forces: Tensor
    positions: Tensor

    @classmethod
    def of(cls, state: State) -> Self | None:
        """That a state carries; None where it was never corrected."""
        if OFFSET not in state.variables:
            return None
        return cls(*(state.variables[name] for name in (OFFSET, FORCES, POSITIONS)))

    def applied(self, batch: Batch, found: Prediction) -> Prediction:
        """What the potential says, corrected; stresses are not."""
        work = batch.sum_over_atoms((self.forces * (batch.positions - self.positions)).sum(-1))
        return replace(
            found,
            energy=None if found.energy is None else found.energy + self.offset_ev - work,
            forces=None if found.forces is None else found.forces + self.forces,
        )


def corrected(state: State, alarmed: Collection[int], follower: Follower, oracle: Evaluator) -> State:
    """The state with the oracle's forces on the structures of which there is an alarm, and the potential's own on the others.

    The follower goes on with them. Raises what the oracle raises.
    """
    if follower.correction is None and not alarmed:
        return state
    follower.correction = None
    own = follower(state.batch, want=("energy", "forces"))
    forces = torch.zeros_like(state.forces)
    bounds = state.bodies.start.tolist()
    for system in alarmed:
        atoms = slice(bounds[system], bounds[system + 1])
        asked = oracle(state.batch.one(system, atoms), want=("energy", "forces"))
        forces[atoms] = cast(Tensor, asked.forces).to(forces) - cast(Tensor, own.forces)[atoms]
    found = Correction(state.energy - cast(Tensor, own.energy), forces, state.batch.positions)
    follower.correction = found
    calls = state.variables.get(CALLS, torch.zeros_like(state.energy)).clone()
    calls[list(alarmed)] += 1
    kept = {OFFSET: found.offset_ev, FORCES: forces, POSITIONS: found.positions, CALLS: calls}
    return state.replace(forces=cast(Tensor, own.forces) + forces, variables={**state.variables, **kept})
