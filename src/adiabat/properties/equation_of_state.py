"""The equation of state of a cubic crystal."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.cubic_lattice import relaxed_cubic, scaled
from adiabat.results import Result
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

VOLUMES = np.linspace(0.94, 1.06, 13)
"""Relative to that at rest, as in K. Lejaeghere et al., Science 351, aad3000 (2016), with more points."""


@dataclass(frozen=True)
class EquationOfState(Result):
    """Energy against volume, by Birch and Murnaghan's equation of the third order (F. Birch, Phys. Rev. 71, 809 (1947)).

    Attributes:
        volume_cubic_angstrom_per_atom: At zero pressure.
        bulk_modulus_gpa: There.
        bulk_modulus_derivative: By the pressure, there.
        energies_ev_per_atom: (13,) what was fitted, relative to the lowest, at 0.94 to 1.06 times the volume at rest.
    """

    volume_cubic_angstrom_per_atom: float
    bulk_modulus_gpa: float
    bulk_modulus_derivative: float
    energies_ev_per_atom: FloatArray


def equation_of_state(crystal: Atoms, potential: Potential) -> EquationOfState:
    """Volume, bulk modulus and its derivative of a cubic crystal whose atoms are held by symmetry.

    Args:
        crystal: As `cubic_lattice` takes it.
        potential: What it is made of.

    Raises:
        StructureError: As `cubic_lattice`; or the energies have no minimum.
    """
    rest = relaxed_cubic(crystal, potential)
    structures = [scaled(rest, float(volume) ** (1 / 3)) for volume in VOLUMES]
    energies = evaluated(potential, structures, "energy")[0] / len(rest)
    volume = float(rest.get_volume()) / len(rest)
    relative, curvature, derivative = birch_murnaghan(VOLUMES, energies)
    return EquationOfState(
        volume_cubic_angstrom_per_atom=relative * volume,
        bulk_modulus_gpa=curvature / volume * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        bulk_modulus_derivative=derivative,
        energies_ev_per_atom=energies - energies.min(),
    )


def birch_murnaghan(volumes: FloatArray, energies: FloatArray) -> tuple[float, float, float]:
    """Volume and bulk modulus at zero pressure, in the units of what is given, and the modulus' derivative.

    The equation is a polynomial of the third degree in x = V^(-2/3): a linear fit.

    Raises:
        StructureError: It has no minimum.
    """
    energy = np.polynomial.Polynomial.fit(volumes ** (-2 / 3), energies, 3)
    slope, curvature, third = energy.deriv(), energy.deriv(2), energy.deriv(3)
    minima = [root.real for root in slope.roots() if abs(root.imag) < 1e-9 and curvature(root.real) > 0]
    if not minima:
        raise StructureError(
            "the energies have no minimum",
            place="equation of state",
            rule="it is taken around rest",
            mend="give volumes on either side of it",
        )
    middle = float(volumes.mean()) ** (-2 / 3)
    x = float(min(minima, key=lambda root: abs(root - middle)))
    second, cubic = float(curvature(x)), float(third(x))
    volume = x ** (-3 / 2)
    # From dx/dV = -2x / 3V, at zero slope: V E'' = 4x²E₂ / 9V, and B' = -1 - V²E''' / (V E'') = 4 + 2x E₃ / 3E₂.
    return float(volume), 4 * x**2 * second / (9 * volume), 4 + 2 * x * cubic / (3 * second)
