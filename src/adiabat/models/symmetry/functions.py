"""Atom-centred symmetry functions.

With f(r) = tanh³(1 - r/r_c), zero from the cutoff r_c on, Σ over neighbours j of one element, or over pairs j, k of two,

    G²_i = Σ_j exp(-η (r_ij - r_s)²) f(r_ij)
    G⁴_i = 2^(1-ζ) Σ_{j,k} (1 + λ cos θ_jik)^ζ exp(-η (r_ij² + r_ik² + r_jk²)) f(r_ij) f(r_ik) f(r_jk)

J. Behler, J. Chem. Phys. 134, 074106 (2011), equations 6 and 8; the sum over pairs counts each once. The cutoff function, whose first
two derivatives vanish at the cutoff, is that of J. Behler, Int. J. Quantum Chem. 115, 1032 (2015).
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any, Self

import torch
from torch import Tensor

from adiabat.models.messages.neighborhoods import Neighborhoods

CENTRES, EXPONENTS, WIDTHS = 10, (1.0, 4.0, 16.0), 2
"""Of the functions that `SymmetryFunctions.covering` makes: G² by r_s; G⁴ by ζ, and by η."""
NEAREST = 0.5
"""Å: where the first r_s is."""


@dataclass(frozen=True, eq=False)
class SymmetryFunctions:
    """Which functions there are: every row of `radial` for each element, every row of `angular` for each pair of elements.

    Attributes:
        species: Atomic numbers, ascending.
        cutoff: r_c, Å.
        radial: (R, 2): η in Å⁻² and r_s in Å.
        angular: (A, 3): η in Å⁻², λ of 1 or -1, and ζ.
    """

    species: tuple[int, ...]
    cutoff: float
    radial: Tensor
    angular: Tensor

    @classmethod
    def covering(cls, species: tuple[int, ...], cutoff: float) -> Self:
        """Equally spaced shells, each as wide as their distance; angles of two signs, three sharpnesses and two ranges.

        Args:
            species: Atomic numbers, ascending.
            cutoff: Å.
        """
        centres = torch.linspace(NEAREST, cutoff - NEAREST, CENTRES, dtype=torch.float64)
        spacing = float(centres[1] - centres[0])
        radial = torch.stack([torch.full_like(centres, 1 / (2 * spacing**2)), centres], dim=1)
        reaches = [cutoff * (number + 1) / (WIDTHS + 1) for number in range(WIDTHS)]
        angular = [[1 / (2 * reach**2), sign, zeta] for reach in reaches for sign in (1.0, -1.0) for zeta in EXPONENTS]
        return cls(species, cutoff, radial, torch.tensor(angular, dtype=torch.float64))

    @property
    def n_functions(self) -> int:
        """Of an atom."""
        count = len(self.species)
        return count * len(self.radial) + count * (count + 1) // 2 * len(self.angular)

    def values(self, atoms: Neighborhoods) -> Tensor:
        """(N, functions), differentiable in the vectors; zero without neighbours."""
        of_neighbor = atoms.species[atoms.neighbor]
        distance = atoms.vectors.square().sum(-1).sqrt()
        switched = self._cutoff_function(distance)
        return torch.cat(
            [
                self._radial_values(distance, switched, of_neighbor),
                self._angular_values(atoms.vectors, distance, switched, of_neighbor),
            ],
            dim=1,
        )

    def _radial_values(self, distance: Tensor, switched: Tensor, of_neighbor: Tensor) -> Tensor:
        width, centre = self.radial.to(distance).unbind(1)
        shells = torch.exp(-width * (distance[..., None] - centre).square()) * switched[..., None]
        own = torch.nn.functional.one_hot(of_neighbor, len(self.species)).to(distance)
        return (own.transpose(1, 2) @ shells).flatten(1)

    def _angular_values(self, vectors: Tensor, distance: Tensor, switched: Tensor, of_neighbor: Tensor) -> Tensor:
        first, second = torch.triu_indices(distance.shape[1], distance.shape[1], offset=1, device=distance.device)
        square = (vectors[:, first] - vectors[:, second]).square().sum(-1)
        both = (distance[:, first] < self.cutoff) & (distance[:, second] < self.cutoff) & (square < self.cutoff**2)
        square = torch.where(both, square, self.cutoff**2)  # no derivative is taken where two places are one
        weight = switched[:, first] * switched[:, second] * self._cutoff_function(square.sqrt())
        cosine = (vectors[:, first] * vectors[:, second]).sum(-1) / (distance[:, first] * distance[:, second])
        sum_of_squares = distance[:, first].square() + distance[:, second].square() + square
        width, sign, sharpness = self.angular.to(distance).unbind(1)
        lobes = (0.5 * (1 + sign * cosine[..., None])).clamp(min=0) ** sharpness
        terms = 2 * lobes * torch.exp(-width * sum_of_squares[..., None]) * weight[..., None]
        own = torch.nn.functional.one_hot(self._pair(of_neighbor[:, first], of_neighbor[:, second]), self._pairs)
        return (own.to(distance).transpose(1, 2) @ terms).flatten(1)

    @property
    def _pairs(self) -> int:
        return len(self.species) * (len(self.species) + 1) // 2

    def _pair(self, first: Tensor, second: Tensor) -> Tensor:
        """The number of an unordered pair of elements."""
        count = len(self.species)
        table = torch.zeros(count, count, dtype=torch.int64, device=first.device)
        for number, (low, high) in enumerate(combinations_with_replacement(range(count), 2)):
            table[low, high] = table[high, low] = number
        return table[first, second]

    def _cutoff_function(self, distance: Tensor) -> Tensor:
        return torch.tanh(1 - (distance / self.cutoff).clamp(max=1)) ** 3

    def to_state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Values and tensors for a file."""
        return {"species": list(self.species), "cutoff": self.cutoff}, {"radial": self.radial, "angular": self.angular}

    @classmethod
    def from_state(cls, values: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        """The inverse of `to_state`."""
        return cls(tuple(values["species"]), values["cutoff"], tensors["radial"], tensors["angular"])
