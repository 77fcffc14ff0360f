"""Reference and prediction side by side, as numbers to plot: one kind of label after the other."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase.stress import full_3x3_to_voigt_6_stress

from adiabat.evaluation.compare import Compared, Comparison
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


@dataclass(frozen=True)
class Pairs:
    """Reference values, predictions, and a text for each pair."""

    reference: FloatArray
    predicted: FloatArray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class LabelKind:
    """How one kind of label is plotted.

    Attributes:
        name: Of the kind.
        axis: What stands on the axes, with its unit.
        error_unit: Of the errors.
        error_scale: From the unit of the axes to that of the errors.
        counted: What a pair is one of.
        pairs: Of one structure; None without labels of the kind.
        note: What a reader has to know.
    """

    name: str
    axis: str
    error_unit: str
    error_scale: float
    counted: str
    pairs: Callable[[Compared], Pairs | None]
    note: str = ""


def label_kinds(comparison: Comparison) -> tuple[LabelKind, ...]:
    """Energy, force and stress; energies are counted from what makes the differences between structures visible."""
    zero, note = _energy_zero(comparison)
    return (
        LabelKind(
            "energy", "energy (eV/atom)", "meV/atom", 1000.0, "structures", lambda one: _energy(one, zero(one)), note
        ),
        LabelKind("force", "force component (eV/Å)", "eV/Å", 1.0, "force components", _forces),
        LabelKind("stress", "stress component (GPa)", "GPa", 1.0, "stress components", _stress),
    )


def _energy_zero(comparison: Comparison) -> tuple[Callable[[Compared], float], str]:
    energies = comparison.atomic_energies_ev
    if energies:
        note = "Energies are counted from the potential's atomic energies."
        return lambda one: float(np.mean([energies[number] for number in one.structure.atoms.numbers])), note
    labels = [(one.structure.labels.energy, one.n_atoms) for one in comparison.compared]
    per_atom = [energy / n_atoms for energy, n_atoms in labels if energy is not None]
    mean = float(np.mean(per_atom)) if per_atom else 0.0
    return lambda one: mean, f"Energies are counted from the mean of the reference, {mean:.6g} eV/atom."


def _energy(one: Compared, zero: float) -> Pairs | None:
    if one.structure.labels.energy is None or one.predicted.energy is None:
        return None
    pair = np.array([one.structure.labels.energy, one.predicted.energy]) / one.n_atoms - zero
    return Pairs(pair[:1], pair[1:], (f"{one.structure.place}, {one.structure.config_type}",))


def _forces(one: Compared) -> Pairs | None:
    reference, predicted = one.structure.labels.forces, one.predicted.forces
    if reference is None or predicted is None:
        return None
    symbols = one.structure.atoms.get_chemical_symbols()
    texts = tuple(
        f"{one.structure.place}, atom {atom} ({symbol}), {axis}"
        for atom, symbol in enumerate(symbols)
        for axis in "xyz"
    )
    return Pairs(reference.ravel(), predicted.ravel(), texts)


def _stress(one: Compared) -> Pairs | None:
    reference, predicted = one.structure.labels.stress, one.predicted.stress
    if reference is None or predicted is None:
        return None
    x, y = (full_3x3_to_voigt_6_stress(s) * GPA_PER_EV_PER_CUBIC_ANGSTROM for s in (reference, predicted))
    return Pairs(x, y, tuple(f"{one.structure.place}, {component}" for component in VOIGT))
