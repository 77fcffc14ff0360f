"""Invariants of the atomic density: products of its components, coupled."""

import torch
from torch import Tensor

from adiabat.basis.products import Products
from adiabat.basis.specification import BasisSpecification


def product_values(density: Tensor, products: Products) -> Tensor:
    """(N, T): the products of a table."""
    index = torch.from_numpy(products.index).to(density.device)
    value = density[:, index[:, 0]]
    for factor in range(1, index.shape[1]):
        value = value * density[:, index[:, factor]]
    return value


def sparse_matrix(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """A sparse matrix whose repeated entries are summed."""
    with torch.sparse.check_sparse_tensor_invariants(False):
        return torch.sparse_coo_tensor(torch.stack([rows, columns]), values, shape).coalesce()


def coupling_matrix(products: Products, n_functions: int, like: Tensor) -> Tensor:
    """(functions, T) sparse: B = coupling · products."""
    function, product = torch.from_numpy(products.function), torch.from_numpy(products.product)
    values = torch.from_numpy(products.value).to(like)
    return sparse_matrix(function.to(like.device), product.to(like.device), values, (n_functions, len(products.index)))


def invariants(density: Tensor, basis: BasisSpecification) -> Tensor:
    """B: (N, functions)."""
    found = density.new_zeros(basis.n_functions, density.shape[0])
    for products in basis.products:
        found = found + torch.sparse.mm(
            coupling_matrix(products, basis.n_functions, density), product_values(density, products).T
        )
    return found.T
