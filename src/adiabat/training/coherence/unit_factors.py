"""Units and signs that are mixed up, by the factor that it makes between labels and what forces say of them."""

import numpy as np

from adiabat.training.coherence.force_comparison import Kind
from adiabat.training.coherence.slopes import Slope
from adiabat.units import (
    BOHR_ANGSTROM,
    GPA_PER_EV_PER_CUBIC_ANGSTROM,
    HARTREE_EV,
    KCAL_PER_MOL_PER_EV,
    KJ_PER_MOL_PER_EV,
)

AS_NEAR = 0.05
"""Of the logarithm of a factor: units that are as near to a slope but for this, and two of its standard errors, are all named."""

# label / truth, for a label in the unit that is named, where eV, eV/Å, eV/Å³ are expected.
ENERGY_FACTORS = {
    "energies in Hartree": 1 / HARTREE_EV,
    "energies in Rydberg": 2 / HARTREE_EV,
    "energies in kcal/mol": KCAL_PER_MOL_PER_EV,
    "energies in kJ/mol": KJ_PER_MOL_PER_EV,
    "energies in meV": 1e3,
    "energies and forces in atomic units (Hartree or Rydberg, with Bohr)": 1 / BOHR_ANGSTROM,
}
FORCE_FACTORS = {
    "forces in Hartree/Bohr": BOHR_ANGSTROM / HARTREE_EV,
    "forces in Rydberg/Bohr": 2 * BOHR_ANGSTROM / HARTREE_EV,
    "forces in eV/Bohr": BOHR_ANGSTROM,
    "forces in Hartree/Å": 1 / HARTREE_EV,
    "forces in kcal/mol/Å": KCAL_PER_MOL_PER_EV,
    "forces in kJ/mol/Å": KJ_PER_MOL_PER_EV,
    "forces in meV/Å": 1e3,
}
STRESS_FACTORS = {
    "stresses in GPa": GPA_PER_EV_PER_CUBIC_ANGSTROM,
    "stresses in kbar": 10 * GPA_PER_EV_PER_CUBIC_ANGSTROM,
    "stresses in Hartree/Bohr³": BOHR_ANGSTROM**3 / HARTREE_EV,
    "stresses in meV/Å³": 1e3,
    "stresses and forces in atomic units (Hartree or Rydberg, with Bohr)": BOHR_ANGSTROM**2,
}
OPPOSITE = {"energy": "the sign of the forces is opposite (gradients?)", "stress": "the sign is opposite"}


def explain(kind: Kind, slope: Slope) -> str | None:
    """What would make this slope of what should be one: labels of this kind or forces in another unit, or of the opposite sign.

    Units are named by which the slope would fit, the nearest of them: several where the slope does not tell them apart.
    """
    factors = dict(ENERGY_FACTORS if kind == "energy" else STRESS_FACTORS)
    factors |= {text: 1 / factor for text, factor in FORCE_FACTORS.items()}
    signs = []
    if slope.value < 0:
        slope, signs = slope.divided(-1), [OPPOSITE[kind]]
        factors[""] = 1.0  # the sign alone
    off = {text: _distance(slope.divided(factor)) for text, factor in factors.items() if slope.divided(factor).fits}
    limit = min(off.values(), default=0.0) + AS_NEAR + 2 * slope.std / slope.value
    units = [text for text, distance in off.items() if distance <= limit]
    if "" in units:
        units = []
    elif not units:
        return None
    return "; ".join([*signs, " or ".join(units)] if units else signs)


def _distance(slope: Slope) -> float:
    """Between the logarithms of one and of the slope, which is anywhere between its value and its reverse."""
    low, high = np.log(slope.value), np.log(max(slope.value, slope.reverse))
    return float(max(low, -high, 0.0))
