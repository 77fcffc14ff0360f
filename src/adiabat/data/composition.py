"""Energies per species by least squares over compositions, regularised where the compositions do not determine them."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase.data import chemical_symbols

from adiabat.system import Labelled
from adiabat.typing import FloatArray

DETERMINED_EV = 1.0
"""A combination of energies is determined where its standard error is below this."""
VANISHING = 1e-6
"""Relative to the largest: a singular value or a component that is zero but for rounding."""


def composition_fractions(structures: Sequence[Labelled], species: Sequence[int]) -> FloatArray:
    """(S, species) the fraction of each structure's atoms that are of each species."""
    return np.array([[(s.atoms.numbers == number).mean() for number in species] for s in structures])


def fit_atomic_energies(
    structures: Sequence[Labelled], species: Sequence[int], known: Mapping[int, float]
) -> tuple[dict[int, float], list[str]]:
    """Energies per atom of `species`, those of `known` held fixed.

    Minimises Σ (E/n - Σ x_Z E_Z)² over structures. Each energy is the common mean plus a deviation; combinations of
    deviations that the compositions do not determine to within `DETERMINED_EV` are left at zero (the limit of a weak
    ridge towards the mean) and named.

    Args:
        structures: With energies.
        species: Atomic numbers to fit.
        known: eV, by atomic number.

    Returns:
        eV by atomic number, and one note for each combination that is not determined.
    """
    fractions = composition_fractions(structures, species)
    fixed = composition_fractions(structures, list(known)) @ np.array([*known.values()]) if known else 0.0
    target = np.array([s.labels.energy / len(s.atoms) for s in structures if s.labels.energy is not None]) - fixed
    total = fractions.sum(axis=1)
    mean = float(total @ target / max(float(total @ total), VANISHING))
    deviation, undetermined = _regularised(fractions, target - mean * total)
    energies = {number: mean + float(shift) for number, shift in zip(species, deviation, strict=True)}
    return energies, [_note(vector, species) for vector in _sparse(undetermined)]


def _regularised(fractions: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The least-squares solution in the determined directions (K,), and the other directions (D, K)."""
    left, singular, directions = np.linalg.svd(fractions, full_matrices=False)
    directions = np.vstack([directions, _complement(directions)])
    amplitudes = left.T @ target
    exact = singular > VANISHING * max(singular.max(), VANISHING)
    residual = target - left[:, exact] @ amplitudes[exact]
    noise = np.sqrt(residual @ residual / max(len(target) - exact.sum(), 1))
    determined = exact & (noise < DETERMINED_EV * singular)
    solution = (amplitudes[determined] / singular[determined]) @ directions[: len(singular)][determined]
    kept = np.concatenate([determined, np.zeros(len(directions) - len(singular), dtype=bool)])
    return solution, directions[~kept]


def _complement(directions: FloatArray) -> FloatArray:
    """Orthonormal rows that complete `directions` (R, K) to a basis: what fewer structures than species leave open."""
    return np.linalg.svd(directions)[2][len(directions) :]


def _sparse(vectors: FloatArray) -> FloatArray:
    """The same space in reduced row-echelon form, so that a combination names few species."""
    rows, pivot = vectors.copy(), 0
    for column in range(rows.shape[1]):
        if pivot == len(rows):
            break
        best = pivot + int(np.abs(rows[pivot:, column]).argmax())
        if abs(rows[best, column]) < VANISHING:
            continue
        rows[[pivot, best]] = rows[[best, pivot]]
        rows[pivot] /= rows[pivot, column]
        others = np.arange(len(rows)) != pivot
        rows[others] -= np.outer(rows[others, column], rows[pivot])
        pivot += 1
    return rows


def _note(vector: FloatArray, species: Sequence[int]) -> str:
    present = np.abs(vector) > VANISHING * np.abs(vector).max()
    scaled = vector / np.abs(vector[present]).min()
    terms = [
        f"{amount:+.3g} {chemical_symbols[number]}"
        for amount, number, is_there in zip(scaled, species, present, strict=True)
        if is_there
    ]
    return (
        f"the compositions do not determine the combination {' '.join(terms)} of fitted isolated-atom energies: it is kept "
        "at that of equal energies per atom"
    )
