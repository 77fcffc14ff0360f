"""Many-body products on the atoms: invariants of up to four bodies, and vectors, of each channel of the density."""

from itertools import combinations_with_replacement

import torch
from torch import Tensor, nn

from adiabat.basis.spherical import pair_products, places

TO_VECTORS = (1, 2, 1)


def triple_couplings(l_max: int) -> list[tuple[int, int, int]]:
    """(l1, l2, l3): the invariants of three tensors of one channel, l1 and l2 coupled to l3, none of them of degree zero.

    Those of degree zero are scalars, which a network multiplies by itself; those of odd l1+l2+l3 vanish or are pseudoscalars.
    """
    found = []
    for a, b, c in combinations_with_replacement(range(1, l_max + 1), 3):
        if c <= a + b and (a + b + c) % 2 == 0:
            found.append((b, c, a) if b == c else (a, b, c))  # equal ones first: their products commute
    return found


class Products(nn.Module):
    """Invariants and vectors of a density.

    Of each channel: the scalar, the squares of the other degrees, and the couplings of three; the vector, and that of the degrees 1
    and 2. (The spirit of I. Batatia et al., arXiv:2206.07697, equation 10, and of R. Drautz, Phys. Rev. B 99, 014104 (2019).)

    Args:
        l_max: Highest degree of the density.
        vectors: Whether vectors are asked for.
    """

    def __init__(self, l_max: int, *, vectors: bool) -> None:
        super().__init__()
        triples = triple_couplings(l_max)
        self.invariants = 1 + l_max + len(triples)
        self.vectors = (2 if l_max > 1 else 1) if vectors else 0
        couplings = [*triples, *([TO_VECTORS] if self.vectors == 2 else [])]
        products = pair_products(couplings) if couplings else None
        self.coupled = sum(2 * l3 + 1 for _, _, l3 in triples)
        self._buffer("squares", _row_sums(list(range(l_max + 1)))[1:])
        if products is not None:
            self._buffer("first", torch.tensor(products.first))
            self._buffer("second", torch.tensor(products.second))
            self._buffer("table", torch.tensor(products.table))
            self._buffer("third", torch.tensor([row for _, _, l3 in triples for row in places(l3)]))
            self._buffer("triples", _row_sums([l3 for _, _, l3 in triples]))
        self.has_products = products is not None

    def forward(self, density: Tensor) -> tuple[Tensor, Tensor | None]:
        """Of a density ((l_max+1)², N, C): invariants (invariants, N, C), and vectors (3, N, vectors · C) or None."""
        _, n, c = density.shape
        flat = density.reshape(len(density), n * c)
        found = [flat[:1], self.get_buffer("squares") @ flat.square()]
        vectors = [density[1:4]] if self.vectors else []
        if self.has_products:
            first, second, third = (self._rows(flat, name) for name in ("first", "second", "third"))
            pairs = self.get_buffer("table") @ (first * second)
            found.append(self.get_buffer("triples") @ (pairs[: self.coupled] * third))
            vectors += [pairs[self.coupled :].reshape(3, n, c)] if self.vectors == 2 else []
        return torch.cat(found).reshape(-1, n, c), torch.cat(vectors, dim=-1) if vectors else None

    def _rows(self, flat: Tensor, name: str) -> Tensor:
        return flat.index_select(0, self.get_buffer(name))

    def _buffer(self, name: str, table: Tensor) -> None:
        self.register_buffer(name, table, persistent=False)


def _row_sums(degrees: list[int]) -> Tensor:
    """(tensors, rows): the sum over a tensor's components, over the root of their number."""
    rows = sum(2 * degree + 1 for degree in degrees)
    table, start = torch.zeros(len(degrees), rows, dtype=torch.float64), 0
    for index, degree in enumerate(degrees):
        stop = start + 2 * degree + 1
        table[index, start:stop] = (2 * degree + 1) ** -0.5
        start = stop
    return table
