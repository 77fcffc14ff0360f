"""Energies of one atom in an outer field, whose paths and saddles are known: the first atom feels it, others feel nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from ase import Atoms
from ase.constraints import FixAtoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import Graph, PartState

STIFF = 5.0
"""eV/Å², out of the plane."""


@dataclass(frozen=True)
class OuterField:
    """The first atom of each structure feels energy(x, y), and a spring along z."""

    energy: Callable[[Tensor, Tensor], Tensor]
    stiffness: float = STIFF
    kind: ClassVar[str] = "test_outer_field"

    @property
    def cutoff(self) -> float:
        return 1.0

    @property
    def interaction_range(self) -> float:
        return 1.0

    @property
    def species(self) -> tuple[int, ...]:
        return (18,)

    def atomic_energies(self, graph: Graph) -> Tensor:
        batch = graph.batch
        first = torch.ones_like(batch.system, dtype=torch.bool)
        first[1:] = batch.system[1:] != batch.system[:-1]
        x, y, z = batch.positions[first].T
        felt = self.energy(x, y) + 0.5 * self.stiffness * z**2
        return (0.0 * batch.positions[:, 0]).index_put((first.nonzero().squeeze(-1),), felt)

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        raise NotImplementedError


def field(energy: Callable[[Tensor, Tensor], Tensor], stiffness: float = STIFF) -> Potential:
    """A potential of the field alone."""
    return Potential([OuterField(energy, stiffness)])


def walker(x: float, y: float) -> Atoms:
    """An atom in the plane, and one far away that is held, so that the first is no free body."""
    return Atoms("Ar2", positions=[[x, y, 0], [50, 50, 50]], constraint=FixAtoms([1]))


def muller_brown(x: Tensor, y: Tensor) -> Tensor:
    """K. Müller and L. D. Brown, Theor. Chim. Acta 53, 75 (1979), a hundredth of it in eV.

    Minima at (-0.558, 1.442), (0.623, 0.028) and (-0.050, 0.467), of -146.700, -108.167 and -80.768; saddles at (-0.822, 0.624) and
    (0.212, 0.293), of -40.665 and -72.249.
    """
    height = (-200.0, -100.0, -170.0, 15.0)
    a, b, c = (-1.0, -1.0, -6.5, 0.7), (0.0, 0.0, 11.0, 0.6), (-10.0, -10.0, -6.5, 0.7)
    x0, y0 = (1.0, 0.0, -0.5, -1.0), (0.0, 0.5, 1.5, 1.0)
    terms = [
        height[k] * torch.exp(a[k] * (x - x0[k]) ** 2 + b[k] * (x - x0[k]) * (y - y0[k]) + c[k] * (y - y0[k]) ** 2)
        for k in range(4)
    ]
    return 0.01 * (terms[0] + terms[1] + terms[2] + terms[3])


def cosine(barrier_ev: float, period: float, stiffness: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Wells along x, a spring along y."""

    def energy(x: Tensor, y: Tensor) -> Tensor:
        return 0.5 * barrier_ev * (1 - torch.cos(2 * torch.pi * x / period)) + 0.5 * stiffness * y**2

    return energy


def leps(x: Tensor, y: Tensor) -> Tensor:
    """Three atoms in a line, the distances AB = x and BC = y, by London, Eyring, Polanyi and Sato, in eV and Å.

    The parameters and the formula of H. Jónsson, G. Mills and K. W. Jacobsen in Classical and Quantum Dynamics in Condensed Phase
    Simulations (World Scientific, 1998), p. 385, appendix: a = b = 0.05, c = 0.3, d = 4.746, α = 1.942, r₀ = 0.742.
    """
    share = (0.05, 0.05, 0.30)
    lengths = (x, y, x + y)

    def morse(r: Tensor, first: float, second: float) -> Tensor:
        near = torch.exp(-1.942 * (r - 0.742))
        return 0.5 * 4.746 * (first * near * near - second * near)

    coulomb = [morse(r, 1.5, 1.0) / (1 + s) for r, s in zip(lengths, share, strict=True)]
    exchange = [0.5 * morse(r, 1.0, 6.0) / (1 + s) for r, s in zip(lengths, share, strict=True)]
    a, b, c = exchange
    return coulomb[0] + coulomb[1] + coulomb[2] - torch.sqrt(a * a + b * b + c * c - a * b - b * c - a * c)
