"""Errors beside the standard deviations that were predicted for them, of one kind of label at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from ase.stress import full_3x3_to_voigt_6_stress

from adiabat.evaluation.compare import Compared
from adiabat.evaluation.pairs import VOIGT
from adiabat.evaluation.statistics import independent_groups
from adiabat.typing import FloatArray, IntArray
from adiabat.uncertainty.calibration import VANISHING
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

VANISHING_FORCE, VANISHING_STRESS = VANISHING["forces"], VANISHING["stress"]
"""eV/Å, eV/Å³: components whose label and prediction are both smaller are zero by symmetry of the site or of the structure."""


@dataclass(frozen=True)
class Samples:
    """Errors of one kind of label with their standard deviations.

    Attributes:
        errors: (n,) eV/atom, eV/Å or GPa.
        std: (n,) likewise.
        groups: (n,) numbers of what is independent: errors within one structure, or one group of structures, are not.
        left_out: Errors that say nothing of an uncertainty, and are not among these.
        magnitudes: (m,) of the error of the force on each atom; of each energy or stress component.
        magnitude_std: (m,) its standard deviation.
        texts: (m,) what it is the error of.
    """

    errors: FloatArray
    std: FloatArray
    groups: IntArray
    left_out: int
    magnitudes: FloatArray
    magnitude_std: FloatArray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class _OfStructure:
    """Errors (rows, columns) of one structure: a row is what has one magnitude; `kept` says which of them count."""

    one: Compared
    errors: FloatArray
    std: FloatArray
    kept: np.ndarray
    texts: Sequence[str]


def energy_samples(compared: Iterable[Compared]) -> Samples:
    """Energies per atom, eV; isolated atoms, from whose energies all others are counted, are left out."""
    return _together([found for one in compared if (found := _energy(one)) is not None])


def force_samples(compared: Iterable[Compared]) -> Samples:
    """Components of forces, eV/Å; those that are zero by symmetry (`VANISHING_FORCE`) are left out."""
    return _together([found for one in compared if (found := _forces(one)) is not None])


def stress_samples(compared: Iterable[Compared]) -> Samples:
    """The six components of stresses, GPa; those that are zero by symmetry (`VANISHING_STRESS`) are left out."""
    return _together([found for one in compared if (found := _stress(one)) is not None])


def _energy(one: Compared) -> _OfStructure | None:
    error, std = one.energy_error_ev, one.std.energy
    if error is None or std is None:
        return None
    per_atom = np.array([[error], [std]]) / one.n_atoms
    kept = np.array([[not one.structure.is_isolated_atom]])
    return _OfStructure(one, per_atom[:1], per_atom[1:], kept, [f"{one.structure.place}, {one.structure.config_type}"])


def _forces(one: Compared) -> _OfStructure | None:
    errors, std = one.force_errors, one.std.forces
    if errors is None or std is None:
        return None
    kept = ~_both_below(VANISHING_FORCE, one.structure.labels.forces, one.predicted.forces)
    texts = [
        f"{one.structure.place}, atom {atom} ({symbol}), {one.structure.config_type}"
        for atom, symbol in enumerate(one.structure.atoms.get_chemical_symbols())
    ]
    return _OfStructure(one, errors, std, kept, texts)


def _stress(one: Compared) -> _OfStructure | None:
    errors, std = one.stress_errors, one.std.stress
    if errors is None or std is None:
        return None
    vanishes = _both_below(VANISHING_STRESS, one.structure.labels.stress, one.predicted.stress)
    kept = ~full_3x3_to_voigt_6_stress(vanishes).astype(bool)
    texts = [f"{one.structure.place}, {component}" for component in VOIGT]
    in_gpa = np.stack([errors, full_3x3_to_voigt_6_stress(std)]) * GPA_PER_EV_PER_CUBIC_ANGSTROM
    return _OfStructure(one, in_gpa[0, :, None], in_gpa[1, :, None], kept[:, None], texts)


def _both_below(threshold: float, label: FloatArray | None, predicted: FloatArray | None) -> np.ndarray:
    return (np.abs(np.asarray(label)) < threshold) & (np.abs(np.asarray(predicted)) < threshold)


def _together(found: Sequence[_OfStructure]) -> Samples:
    if not found:
        none = np.zeros(0)
        return Samples(none, none, np.zeros(0, dtype=np.int64), 0, none, none, ())
    errors, std, kept = (np.concatenate([getattr(each, name) for each in found]) for name in ("errors", "std", "kept"))
    texts = [text for each in found for text in each.texts]
    belongs = independent_groups([each.one.structure.group for each in found])
    groups = np.repeat(belongs, [len(each.errors) for each in found])[:, None]
    rows = kept.any(axis=1)
    return Samples(
        errors=errors[kept],
        std=std[kept],
        groups=np.broadcast_to(groups, kept.shape)[kept],
        left_out=int((~kept).sum()),
        magnitudes=np.linalg.norm(np.where(kept, errors, 0.0), axis=1)[rows],
        magnitude_std=np.linalg.norm(np.where(kept, std, 0.0), axis=1)[rows],
        texts=tuple(texts[index] for index in np.flatnonzero(rows)),
    )
