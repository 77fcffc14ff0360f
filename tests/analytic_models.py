"""Energy models in closed form, for tests that need a potential but no training."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, Self

from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import Graph, PartState, register


@register
@dataclass(frozen=True)
class PairModel:
    """Lennard-Jones times a polynomial that takes energy, force and curvature to zero at the cutoff.

    V(r) = 4 ε ((σ/r)¹² - (σ/r)⁶) (1 - (r/r_c)²)³ for r < r_c; unlike pairs by the Lorentz-Berthelot rules.

    Attributes:
        epsilon_ev: By atomic number.
        sigma: Å, by atomic number.
        cutoff: Å.
    """

    epsilon_ev: Mapping[int, float]
    sigma: Mapping[int, float]
    cutoff: float
    kind: ClassVar[str] = "test_pair"

    @property
    def interaction_range(self) -> float:
        return self.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        return tuple(sorted(self.epsilon_ev))

    def pair_energy(self, distance: float, first: int, second: int) -> float:
        """V in eV of two atoms at `distance` (Å), by their atomic numbers."""
        epsilon = sqrt(self.epsilon_ev[first] * self.epsilon_ev[second])
        ratio = (0.5 * (self.sigma[first] + self.sigma[second]) / distance) ** 6
        return 4 * epsilon * (ratio**2 - ratio) * max(0.0, 1 - (distance / self.cutoff) ** 2) ** 3

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        numbers, positions = graph.batch.numbers, graph.batch.positions
        table = positions.new_zeros(max(self.species) + 1, 2)
        for number in self.species:
            table[number, 0], table[number, 1] = sqrt(self.epsilon_ev[number]), 0.5 * self.sigma[number]
        center, neighbor = table[numbers[graph.center]], table[numbers[graph.neighbor]]
        epsilon, sigma = center[:, 0] * neighbor[:, 0], center[:, 1] + neighbor[:, 1]
        squared = graph.vectors().square().sum(-1)
        ratio = (sigma**2 / squared) ** 3
        pair = 4 * epsilon * (ratio**2 - ratio) * (1 - squared / self.cutoff**2) ** 3
        return positions.new_zeros(len(positions)).index_add(0, graph.center, 0.5 * pair)

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        values = {
            "epsilon_ev": {str(number): value for number, value in self.epsilon_ev.items()},
            "sigma": {str(number): value for number, value in self.sigma.items()},
            "cutoff": self.cutoff,
        }
        return PartState(self.kind, values, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        epsilon_ev = {int(number): float(value) for number, value in state.values["epsilon_ev"].items()}
        sigma = {int(number): float(value) for number, value in state.values["sigma"].items()}
        return cls(epsilon_ev, sigma, float(state.values["cutoff"]))


def argon_and_krypton() -> PairModel:
    """Two species; Lennard-Jones parameters of the rare gases (Bernardes 1958, rounded)."""
    return PairModel(epsilon_ev={18: 0.0104, 36: 0.0140}, sigma={18: 3.40, 36: 3.65}, cutoff=7.0)


def rare_gas_potential() -> Potential:
    """A potential of `argon_and_krypton` alone."""
    return Potential([argon_and_krypton()])
