"""Keating's model of a diamond crystal, whose elastic constants and optical frequency are known in closed form."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import Graph, PartState, register

NEIGHBORS = 4


@register
@dataclass(frozen=True)
class KeatingModel:
    """P. N. Keating, Phys. Rev. 145, 637 (1966): bonds and angles between the four neighbours of each atom.

    E = Σ_i [Σ_j 3α/16r² (|r_ij|² - r²)² + Σ_{j<k} 3β/8r² (r_ij·r_ik + r²/3)²].

    Attributes:
        alpha: eV/Å².
        beta: eV/Å².
        lattice_constant: Å, of the cubic cell at rest.
    """

    alpha: float
    beta: float
    lattice_constant: float
    kind: ClassVar[str] = "test_keating"

    @property
    def bond(self) -> float:
        return sqrt(3) / 4 * self.lattice_constant

    @property
    def cutoff(self) -> float:
        return 1.3 * self.bond

    @property
    def interaction_range(self) -> float:
        return self.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        return (14,)

    def elastic_constants(self) -> tuple[float, float, float]:
        """C11, C12 and C44 in eV/Å³."""
        alpha, beta, edge = self.alpha, self.beta, self.lattice_constant
        return (alpha + 3 * beta) / edge, (alpha - beta) / edge, 4 * alpha * beta / (edge * (alpha + beta))

    def optical_constant(self) -> float:
        """eV/Å²: the mass of an atom times the square of the optical frequency at the zone centre."""
        return 8 * (self.alpha + self.beta)

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        vectors = graph.vectors()[torch.argsort(graph.center, stable=True)].reshape(-1, NEIGHBORS, 3)
        products = vectors @ vectors.transpose(1, 2)
        first, second = torch.triu_indices(NEIGHBORS, NEIGHBORS, offset=1)
        square = self.bond**2
        bonds = (products.diagonal(dim1=1, dim2=2) - square).square().sum(-1)
        angles = (products[:, first, second] + square / 3).square().sum(-1)
        return (3 * self.alpha / 16 * bonds + 3 * self.beta / 8 * angles) / square

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        return PartState(
            self.kind, {"alpha": self.alpha, "beta": self.beta, "lattice_constant": self.lattice_constant}, {}
        )

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        return cls(**state.values)


def keating_silicon() -> KeatingModel:
    """Keating's constants of silicon: 48.5 and 13.8 N/m."""
    return KeatingModel(alpha=3.03, beta=0.861, lattice_constant=5.431)


def keating_potential() -> Potential:
    """A potential of `keating_silicon` alone."""
    return Potential([keating_silicon()])
