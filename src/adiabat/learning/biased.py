"""A potential that is drawn to where it does not know: for exploration, never for results."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from ase import Atoms

from adiabat.errors import PropertyUnavailable
from adiabat.potential import Committee, Potential, Prediction
from adiabat.system import Batch, Graph
from adiabat.typing import Quantity

if TYPE_CHECKING:
    from adiabat.learning.config import BiasConfig

GIVEN: frozenset[Quantity] = frozenset({"energy", "forces", "stress"})
SMALLEST_EV = 1e-6
"""Added in square to the spread, whose gradient is not defined where it is zero."""


class BiasedPotential(Potential):
    """E - B tanh(τ σ / B): σ is the spread of a committee's energies, B what the bias can lower an energy by.

    The bias has an energy, so that ensembles stay ensembles, and is bounded, so that nothing is torn apart for its sake. After hyperactive
    learning (C. van der Oord et al., npj Comput. Mater. 9, 168 (2023)), whose bias is τ σ without a bound.

    Args:
        potential: With error bars.
        config: How strong.
        typical: Structures on which the strength is measured.
    """

    def __init__(self, potential: Potential, config: "BiasConfig", typical: Sequence[Atoms]) -> None:
        super().__init__(
            potential.parts,
            attachments=potential.attachments,
            metadata=potential.metadata,
            canaries=potential.canaries,
            dtype=potential.dtype,
            device=potential.device,
        )
        self._most = config.most_ev_per_atom
        drawn = potential.committee(size=config.members)
        self._all = Committee([potential, *drawn.members])
        self._times = 1.0
        self._times = config.strength * self._ratio(typical)

    def __call__(
        self, structures: Batch | Graph | Atoms | Sequence[Atoms], *, want: Collection[Quantity] = ("energy", "forces")
    ) -> Prediction:
        """As of a potential: energy, forces and stress, with the bias.

        Raises:
            PropertyUnavailable: Something else was asked for.
        """
        if not GIVEN.issuperset(want):
            raise PropertyUnavailable(
                f"{', '.join(sorted(set(want) - GIVEN))} was asked for of a biased potential",
                rule="a bias has an energy, forces and a stress",
                mend="ask the potential itself",
            )
        graph = self._graph(structures)
        own, spread = self._spread(graph, want)
        assert spread.energy is not None  # always asked for
        batch = graph.batch
        bound = self._most * batch.counts
        share = torch.tanh(self._times * spread.energy / bound)
        slope = self._times * (1 - share.square())
        found: dict[str, torch.Tensor] = {}
        if own.energy is not None and "energy" in want:
            found["energy"] = own.energy - bound * share
        if own.forces is not None and spread.forces is not None:
            found["forces"] = own.forces - slope[batch.system][:, None] * spread.forces
        if own.stress is not None and spread.stress is not None:
            found["stress"] = own.stress - slope[:, None, None] * spread.stress
        return replace(Prediction(), **found)

    def _spread(self, graph: Graph, want: Collection[Quantity]) -> tuple[Prediction, Prediction]:
        """What the potential says, and the spread σ of its committee with -∂σ/∂x as its forces and its stress."""
        own, *members = self._all.each(graph, want={*want, "energy"})
        energies = torch.stack([one.energy for one in members if one.energy is not None])
        off = energies - energies.mean(0)
        spread = (off.square().sum(0) / (len(members) - 1) + SMALLEST_EV**2).sqrt()
        weights = off / ((len(members) - 1) * spread)
        forces = stress = None
        if "forces" in want:
            each = torch.stack([one.forces for one in members if one.forces is not None])
            forces = (weights[:, graph.batch.system, None] * each).sum(0)
        if "stress" in want:
            each = torch.stack([one.stress for one in members if one.stress is not None])
            stress = (weights[:, :, None, None] * each).sum(0)
        return own, Prediction(energy=spread, forces=forces, stress=stress)

    def _ratio(self, typical: Sequence[Atoms]) -> float:
        """Of the potential's forces to the spread's, as root mean squares."""
        own, spread = self._spread(self._graph(list(typical)), ("forces",))
        assert own.forces is not None
        assert spread.forces is not None
        return float(own.forces.square().mean().sqrt() / spread.forces.square().mean().sqrt().clamp(min=1e-9))
