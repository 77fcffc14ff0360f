"""Checks for single values far from all others, with nothing in the geometry to explain them."""

from collections.abc import Sequence

import numpy as np

from adiabat.data.findings import Finding
from adiabat.data.survey import Survey
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

FEW = 0.05
"""Outliers are at most this fraction of the data; more of them are a population."""
FEWEST = 20
"""Values, below which nothing is said of outliers."""
GAP_EV = 0.5
"""Per atom: structures of like geometry lie closer together in energy."""
FACTOR = 4.0
"""How far a largest force or stress is beyond those of all other structures."""
LARGE_FORCE, LARGE_STRESS_GPA = 10.0, 20.0
"""eV/Å and GPa, below which none is remarkable."""
BEYOND = 0.05
"""Relative: a shortest distance or a mean crowding this far outside those of all others explains a value."""


def energy_outliers(survey: Survey) -> list[Finding]:
    """Energies per atom that lie farther from all others than those are apart."""
    energy = np.where(survey.not_isolated, survey.relative_energy, np.nan)
    candidates = {index for sign in (1.0, -1.0) for index in _beyond(sign * energy, GAP_EV, spread=True)}
    outliers = _unexplained(survey, sorted(candidates))
    if not outliers:
        return []
    others = np.delete(energy, outliers)
    return [
        Finding(
            "energy-outliers",
            "warning",
            f"{len(outliers)} of {len(energy)} energies lie far from all others, which are within {np.nanmin(others):.3f} and "
            f"{np.nanmax(others):.3f} eV/atom of their references",
            _with_values(survey, outliers, energy, "eV/atom"),
            "an energy is no farther from the others than these are apart, unless the geometry is unlike any other",
            "see whether these calculations converged and are in eV; remove or relabel them",
        )
    ]


def force_outliers(survey: Survey) -> list[Finding]:
    """Forces far beyond those of all other structures."""
    largest = np.where(survey.not_isolated, survey.largest_force(), np.nan)
    return _magnitude_outliers(survey, largest, LARGE_FORCE, name="force", unit="eV/Å")


def stress_outliers(survey: Survey) -> list[Finding]:
    """Stresses far beyond those of all other structures."""
    stresses = (structure.labels.stress for structure in survey.structures)
    largest = np.array([np.nan if s is None else np.abs(s).max() * GPA_PER_EV_PER_CUBIC_ANGSTROM for s in stresses])
    return _magnitude_outliers(survey, largest, LARGE_STRESS_GPA, name="stress", unit="GPa")


def _magnitude_outliers(
    survey: Survey, largest: FloatArray, remarkable: float, *, name: str, unit: str
) -> list[Finding]:
    scale = np.log(np.maximum(largest, remarkable / FACTOR))
    outliers = _unexplained(survey, _beyond(scale, np.log(FACTOR), spread=False))
    if not outliers:
        return []
    others = np.nanmax(np.delete(largest, outliers))
    return [
        Finding(
            f"{name}-outliers",
            "warning",
            f"the largest {name} of {len(outliers)} of {len(largest)} structures is more than {FACTOR:g} times that of any "
            f"other ({others:.3g} {unit})",
            _with_values(survey, outliers, largest, unit),
            "magnitudes are alike, unless the geometry is unlike any other",
            f"see whether these calculations converged and are in the right unit ({unit} here); remove or relabel them",
        )
    ]


def _with_values(survey: Survey, indices: Sequence[int], values: FloatArray, unit: str) -> tuple[str, ...]:
    return tuple(f"{survey.structures[index].place} ({values[index]:.4g} {unit})" for index in indices)


def _beyond(values: FloatArray, gap: float, *, spread: bool) -> list[int]:
    """The few largest values above a gap that is wider than `gap` (and, with `spread`, than all below it are apart)."""
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) < FEWEST:
        return []
    order = finite[np.argsort(values[finite], kind="stable")]
    ranked = values[order]
    for count in range(int(FEW * len(order)), 0, -1):
        below = ranked[:-count]
        required = max(gap, below[-1] - below[0]) if spread else gap
        if ranked[-count] - below[-1] > required:
            return [int(index) for index in order[-count:]]
    return []


def _unexplained(survey: Survey, outliers: Sequence[int]) -> list[int]:
    """Those whose shortest distance and mean crowding are like those of other structures."""
    if not len(outliers):
        return []
    least = survey.distances.least()
    crowding = np.array([of_atoms.mean() for of_atoms in survey.distances.crowding])
    rest = np.setdiff1d(np.flatnonzero(survey.not_isolated), outliers)
    lowest, highest = (1 - BEYOND) * crowding[rest].min(), (1 + BEYOND) * crowding[rest].max()
    like_others = (least >= (1 - BEYOND) * least[rest].min()) & (crowding >= lowest) & (crowding <= highest)
    return [index for index in outliers if like_others[index]]
