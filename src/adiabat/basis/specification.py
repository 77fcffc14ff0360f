"""The frozen specification of a basis: everything that its functions are, and nothing learned from energies or forces."""

from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from adiabat.basis.products import Function, Products
from adiabat.basis.radial import InnerCutoff

Pair = tuple[int, int]


@dataclass(frozen=True)
class BasisSpecification:
    """A basis of invariant functions of the atomic density A_i,cnlm = Σ_j W_c,z(j) R_nl(r_ij) Y_lm(r_ij).

    Attributes:
        species: Atomic numbers, ascending.
        cutoff: Å.
        inner: Where the radial functions of a pair of species (ascending) vanish at short distance.
        contraction: (l_max+1, n_max, k): R_nl = Σ_k contraction[l, n, k] g_k, with g_k the simplified Bessel functions.
        mixing: (channels, species): the weight W of each species in each channel of the density.
        functions: The invariant functions, in order.
        degrees: (functions,) a measure of how fast each function varies, for the smoothness prior.
        products: The product tables, for one factor, two, three ...
    """

    species: tuple[int, ...]
    cutoff: float
    inner: dict[Pair, InnerCutoff]
    contraction: Tensor
    mixing: Tensor
    functions: tuple[Function, ...]
    degrees: Tensor
    products: tuple[Products, ...]

    @property
    def n_functions(self) -> int:
        """Invariant functions of an atom."""
        return len(self.functions)

    @property
    def l_max(self) -> int:
        """Highest degree of the harmonics."""
        return self.contraction.shape[0] - 1

    @property
    def n_max(self) -> int:
        """Radial functions of each l."""
        return self.contraction.shape[1]

    @property
    def n_density(self) -> int:
        """Components of the flattened density of an atom."""
        return self.mixing.shape[0] * self.n_max * (self.l_max + 1) ** 2

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same basis with its tensors in another floating-point type or on another device."""
        return replace(
            self,
            contraction=self.contraction.to(dtype=dtype, device=device),
            mixing=self.mixing.to(dtype=dtype, device=device),
        )

    def to_state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What JSON can hold, and tensors."""
        values = {
            "species": list(self.species),
            "cutoff": self.cutoff,
            "inner": [[*pair, inner.radius, inner.width] for pair, inner in sorted(self.inner.items())],
            "functions": [[[list(factor) for factor in f.factors], f.coupling] for f in self.functions],
            "orders": len(self.products),
        }
        tensors = {"contraction": self.contraction, "mixing": self.mixing, "degrees": self.degrees}
        for order, products in enumerate(self.products, start=1):
            for name in ("index", "function", "product", "value"):
                tensors[f"products.{order}.{name}"] = torch.from_numpy(getattr(products, name))
        return values, tensors

    @classmethod
    def from_state(cls, values: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        """The inverse of `to_state`."""

        def table(order: int) -> Products:
            return Products(
                *(tensors[f"products.{order}.{n}"].numpy() for n in ("index", "function", "product", "value"))
            )

        def function(factors: list[list[int]], coupling: int) -> Function:
            return Function(tuple((int(c), int(n), int(degree)) for c, n, degree in factors), int(coupling))

        return cls(
            species=tuple(values["species"]),
            cutoff=values["cutoff"],
            inner={(low, high): InnerCutoff(radius, width) for low, high, radius, width in values["inner"]},
            contraction=tensors["contraction"],
            mixing=tensors["mixing"],
            functions=tuple(function(*entry) for entry in values["functions"]),
            degrees=tensors["degrees"],
            products=tuple(table(order) for order in range(1, values["orders"] + 1)),
        )
