"""Generalized Clebsch-Gordan couplings: which sums of products of real harmonics are invariant under rotation."""

import math
from functools import cache
from itertools import permutations, product

import numpy as np

from adiabat.typing import FloatArray

NEGLIGIBLE = 1e-10
"""Couplings are of order one; below this they are rounding."""


@cache
def clebsch_gordan(l1: int, l2: int, l3: int) -> FloatArray:
    """<l1 m1 l2 m2 | l3 m3> for complex harmonics, by Racah's formula.

    (Varshalovich, Moskalev, Khersonskii, Quantum Theory of Angular Momentum, section 8.2.1, equation 3.)

    Returns:
        (2 l1+1, 2 l2+1, 2 l3+1), m ascending.
    """
    found = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        return found
    f = math.factorial
    triangle = f(l1 + l2 - l3) * f(l1 - l2 + l3) * f(-l1 + l2 + l3) / f(l1 + l2 + l3 + 1)
    for m1, m2 in product(range(-l1, l1 + 1), range(-l2, l2 + 1)):
        m3 = m1 + m2
        if abs(m3) > l3:
            continue
        norm = (2 * l3 + 1) * triangle
        norm *= f(l1 + m1) * f(l1 - m1) * f(l2 + m2) * f(l2 - m2) * f(l3 + m3) * f(l3 - m3)
        total = 0.0
        for k in range(max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1):
            below = (
                f(k) * f(l1 + l2 - l3 - k) * f(l1 - m1 - k) * f(l2 + m2 - k) * f(l3 - l2 + m1 + k) * f(l3 - l1 - m2 + k)
            )
            total += (-1) ** k / below
        found[m1 + l1, m2 + l2, m3 + l3] = math.sqrt(norm) * total
    return found


@cache
def complex_from_real(degree: int) -> np.ndarray:
    """U with Y_complex = U Y_real, for harmonics without the Condon-Shortley phase in the real ones."""
    unitary = np.zeros((2 * degree + 1, 2 * degree + 1), dtype=complex)
    unitary[degree, degree] = 1.0
    for m in range(1, degree + 1):
        sign = (-1) ** m  # the Condon-Shortley phase of the complex ones
        unitary[degree + m, degree + m] = sign / math.sqrt(2)
        unitary[degree + m, degree - m] = sign * 1j / math.sqrt(2)
        unitary[degree - m, degree + m] = 1 / math.sqrt(2)
        unitary[degree - m, degree - m] = -1j / math.sqrt(2)
    return unitary


@cache
def real_clebsch_gordan(l1: int, l2: int, l3: int) -> FloatArray:
    """The coupling of two real harmonics to a third: real for even l1+l2+l3; for odd ones i times the coupling is.

    Returns:
        (2 l1+1, 2 l2+1, 2 l3+1), with C·(Y1 ⊗ Y2) transforming as Y3.
    """
    coupled = np.einsum(
        "abc,ai,bj,ck->ijk",
        clebsch_gordan(l1, l2, l3).astype(complex),
        complex_from_real(l1),
        complex_from_real(l2),
        complex_from_real(l3).conj(),
    )
    real = coupled.real if (l1 + l2 + l3) % 2 == 0 else coupled.imag
    return np.where(np.abs(real) > NEGLIGIBLE, real, 0.0)


@cache
def invariant_couplings(degrees: tuple[int, ...]) -> FloatArray:
    """Couplings of harmonics of these degrees to invariants, one for each path of intermediate degrees.

    The product is built left to right: (..((l1 l2)L2 l3)L3 ..)0. Reflection demands an even sum of degrees.

    Returns:
        (paths, 2 l1+1, 2 l2+1, ...); no path where the degrees cannot couple.
    """
    shape = tuple(2 * degree + 1 for degree in degrees)
    if sum(degrees) % 2:
        return np.zeros((0, *shape))
    partial: list[tuple[int, FloatArray]] = [(degrees[0], np.eye(2 * degrees[0] + 1))]
    for position, degree in enumerate(degrees[1:], start=1):
        last = position == len(degrees) - 1
        partial = [
            (coupled, np.tensordot(tensor, real_clebsch_gordan(intermediate, degree, coupled), axes=([-1], [0])))
            for intermediate, tensor in partial
            for coupled in ([0] if last else range(abs(intermediate - degree), intermediate + degree + 1))
            if abs(intermediate - degree) <= coupled <= intermediate + degree
        ]
    paths = [tensor[..., 0] for coupled, tensor in partial if coupled == 0]
    return np.stack(paths) if paths else np.zeros((0, *shape))


@cache
def independent_couplings(
    degrees: tuple[int, ...], identical: tuple[int, ...]
) -> tuple[tuple[tuple[int, ...], ...], FloatArray]:
    """Linearly independent invariants of a product in which some factors are the same.

    Products commute: exchanging two identical factors (same channel, radial index and degree) changes nothing, so
    couplings are gathered over such exchanges, and those that vanish or repeat are dropped.

    Args:
        degrees: l of each factor.
        identical: A label of each factor; equal labels mean identical factors (which stand together).

    Returns:
        The distinct products, each a tuple of m + l, sorted within identical factors; and (invariants, products).
    """
    symmetric = _symmetrised(invariant_couplings(degrees), identical)
    if len(symmetric) == 0:
        return (), np.zeros((0, 0))
    gathered: dict[tuple[int, ...], FloatArray] = {}
    for index in product(*(range(n) for n in symmetric.shape[1:])):
        values = symmetric[(slice(None), *index)]
        if np.abs(values).max() > NEGLIGIBLE:
            key = _sorted_within(index, identical)
            gathered[key] = gathered.get(key, np.zeros(len(symmetric))) + values
    products = tuple(sorted(key for key, values in gathered.items() if np.abs(values).max() > NEGLIGIBLE))
    if not products:
        return (), np.zeros((0, 0))
    table = np.stack([gathered[key] for key in products], axis=1)
    table = _independent_rows(table)
    used = np.abs(table).max(axis=0) > NEGLIGIBLE
    return tuple(key for key, keep in zip(products, used, strict=True) if keep), table[:, used]


def _symmetrised(couplings: FloatArray, identical: tuple[int, ...]) -> FloatArray:
    """The mean over all exchanges of identical factors."""
    found = np.zeros_like(couplings)
    exchanges = [
        p for p in permutations(range(len(identical))) if all(identical[a] == identical[b] for a, b in enumerate(p))
    ]
    for exchange in exchanges:
        found += couplings.transpose(0, *(axis + 1 for axis in exchange))
    return found / len(exchanges)


def _sorted_within(index: tuple[int, ...], identical: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(m for _, m in sorted(zip(identical, index, strict=True)))


def _independent_rows(table: FloatArray) -> FloatArray:
    """Rows of unit norm that span the row space, the sparsest first; none that others already span."""
    order = np.argsort((np.abs(table) > NEGLIGIBLE).sum(axis=1), kind="stable")
    kept: list[FloatArray] = []
    orthonormal: list[FloatArray] = []
    for row in table[order]:
        rest = row.copy()
        for direction in orthonormal:
            rest -= (rest @ direction) * direction
        for direction in orthonormal:  # once more: Gram-Schmidt loses orthogonality otherwise
            rest -= (rest @ direction) * direction
        if np.linalg.norm(rest) > 1e-8:
            orthonormal.append(rest / np.linalg.norm(rest))
            kept.append(row / np.linalg.norm(row))
    return np.stack(kept) if kept else np.zeros((0, table.shape[1]))
