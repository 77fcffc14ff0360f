"""The invariants as the derivatives of their products, gathered by function and component."""

import numpy as np

from adiabat.basis.specification import BasisSpecification
from adiabat.kernels.ace import SparseRows
from adiabat.kernels.ace_rows import Functions
from adiabat.models.ace.plan import used_components


def functions_of(basis: BasisSpecification, components: SparseRows) -> Functions:
    """The derivative of each product by each of its factors, gathered by function and component."""
    used = used_components(basis)
    most = len(basis.products)
    function, component, weight, others = [], [], [], []
    for order, products in enumerate(basis.products, start=1):
        index = np.searchsorted(used, products.index)[products.product]  # (Z, factors)
        for position in range(order):
            function.append(products.function)
            component.append(index[:, position])
            weight.append(products.value)
            rest = np.delete(index, position, axis=1)
            others.append(np.pad(rest, ((0, 0), (0, most - order)), constant_values=len(used)))
    functions, places = np.concatenate(function), np.concatenate(component)
    order_of_terms = np.lexsort((places, functions))
    key = (functions * (len(used) + 1) + places)[order_of_terms]
    pairs, first = np.unique(key, return_index=True)
    per_function = np.bincount(pairs // (len(used) + 1), minlength=basis.n_functions)
    return Functions(
        components=components,
        pair_start=np.concatenate([[0], np.cumsum(per_function)]),
        pair_component=(pairs % (len(used) + 1)).astype(np.int32),
        term_start=np.concatenate([first, [len(key)]]),
        term_weight=np.concatenate(weight)[order_of_terms],
        term_factor=np.concatenate(others)[order_of_terms].astype(np.int32).ravel(),
        factors=np.array([len(f.factors) for f in basis.functions], dtype=np.int32),
    )
