"""The equation of state of a crystal: energy against volume, its shape and its atoms at rest at each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from scipy.optimize import least_squares

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation import relaxed_crystal
from adiabat.properties.volumes import at_volumes
from adiabat.results import EXACT, Figure, Line, Points, Result
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

VOLUMES = np.linspace(0.94, 1.06, 13)
"""Relative to that at rest, as in K. Lejaeghere et al., Science 351, aad3000 (2016), with more points."""

CURVE = np.linspace(0.0, 1.0, 101)
"""Of the range of volumes, where fitted curves are drawn."""


@dataclass(frozen=True)
class EquationOfState(Result):
    """Energy against volume at zero temperature, fitted by two equations of three parameters.

    Attributes:
        formula: Of the structure.
        energy_ev_per_atom: At rest, as the potential counts.
        volume_cubic_angstrom_per_atom: At zero pressure, by Birch and Murnaghan's equation of the third order (F. Birch, Phys.
            Rev. 71, 809 (1947)).
        bulk_modulus_gpa: There.
        bulk_modulus_derivative: By the pressure, there.
        vinet_volume_cubic_angstrom_per_atom: The same by Vinet's equation (P. Vinet et al., J. Geophys. Res. 92, 9319 (1987)).
        vinet_bulk_modulus_gpa: There.
        vinet_bulk_modulus_derivative: By the pressure, there.
        relative_volumes: (n,) to that at rest, of what was fitted.
        energies_ev_per_atom: (n,) relative to the lowest.
        pressures_gpa: (n,) from the stress.
        misfit_mev_per_atom: (2,) root mean square of what each fit leaves.
    """

    formula: str
    energy_ev_per_atom: float
    volume_cubic_angstrom_per_atom: float
    bulk_modulus_gpa: float
    bulk_modulus_derivative: float
    vinet_volume_cubic_angstrom_per_atom: float
    vinet_bulk_modulus_gpa: float
    vinet_bulk_modulus_derivative: float
    relative_volumes: FloatArray = field(metadata=EXACT)
    energies_ev_per_atom: FloatArray
    pressures_gpa: FloatArray
    misfit_mev_per_atom: FloatArray = field(metadata=EXACT)


def equation_of_state(
    crystal: Atoms, potential: Potential, *, relative_volumes: Sequence[float] | FloatArray = VOLUMES
) -> EquationOfState:
    """Volume, bulk modulus and its derivative of a crystal; at each volume cell shape and atoms are relaxed, all at once.

    Args:
        crystal: Any, periodic in three directions; it is relaxed first.
        potential: What it is made of.
        relative_volumes: Five or more, on either side of 1.

    Raises:
        StructureError: Too few volumes, or the energies have no minimum; or as `relax`.
        SimulationError: The crystal does not come to rest at one of the volumes.
    """
    volumes = _checked(relative_volumes)
    rest = relaxed_crystal(crystal, potential)
    found = at_volumes(rest, potential, volumes, place="equation of state")
    energies = np.array([one.energy_ev_per_atom for one in found])
    [stresses] = evaluated(potential, [one.atoms for one in found], "stress")
    volume = float(rest.get_volume()) / len(rest)
    relative, curvature, derivative = birch_murnaghan(volumes, energies)
    by_vinet = vinet(volumes, energies)
    fits = (
        birch_murnaghan_energy(volumes, energies.min(), relative, curvature, derivative),
        vinet_energy(volumes, energies.min(), *by_vinet),
    )
    return EquationOfState(
        formula=rest.get_chemical_formula(),
        energy_ev_per_atom=float(evaluated(potential, [rest], "energy")[0][0]) / len(rest),
        volume_cubic_angstrom_per_atom=relative * volume,
        bulk_modulus_gpa=curvature / volume * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        bulk_modulus_derivative=derivative,
        vinet_volume_cubic_angstrom_per_atom=by_vinet[0] * volume,
        vinet_bulk_modulus_gpa=by_vinet[1] / volume * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        vinet_bulk_modulus_derivative=by_vinet[2],
        relative_volumes=volumes,
        energies_ev_per_atom=energies - energies.min(),
        pressures_gpa=-np.trace(stresses, axis1=1, axis2=2) / 3 * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        misfit_mev_per_atom=np.array([1e3 * float((energies - fit).std()) for fit in fits]),
    )


def _checked(relative_volumes: Sequence[float] | FloatArray) -> FloatArray:
    volumes = np.sort(np.asarray(relative_volumes, dtype=np.float64))
    if len(volumes) < 5 or not (0 < volumes[0] < 1 < volumes[-1]):
        raise StructureError(
            f"{len(volumes)} volumes from {volumes.min(initial=np.inf):g} to {volumes.max(initial=-np.inf):g} times that at rest",
            place="equation of state",
            rule="its four parameters take five volumes or more, on either side of rest",
            mend="give more of them: 0.94 to 1.06 is usual",
        )
    return volumes


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


def birch_murnaghan_energy(
    volumes: FloatArray, lowest: float, volume: float, modulus: float, derivative: float
) -> FloatArray:
    """Birch and Murnaghan's equation of the third order, from its four parameters."""
    eulerian = (volume / volumes) ** (2 / 3) - 1
    bracket = eulerian**3 * derivative + eulerian**2 * (2 - 4 * eulerian)
    return lowest + 9 * volume * modulus / 16 * bracket


def vinet(volumes: FloatArray, energies: FloatArray) -> tuple[float, float, float]:
    """As `birch_murnaghan`, by Vinet's equation.

    Raises:
        StructureError: The energies have no minimum.
    """
    first = birch_murnaghan(volumes, energies)
    unit = float(np.ptp(energies)) or 1.0

    def left(parameters: FloatArray) -> FloatArray:
        return (vinet_energy(volumes, *(float(each) for each in parameters)) - energies) / unit

    begin = np.array([energies.min(), *first])
    found = least_squares(left, begin, x_scale=np.maximum(np.abs(begin), 1e-12), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    volume, modulus, derivative = (float(each) for each in found.x[1:])
    return volume, modulus, derivative


def vinet_energy(volumes: FloatArray, lowest: float, volume: float, modulus: float, derivative: float) -> FloatArray:
    """Vinet's equation, from its four parameters."""
    x, slope = (volumes / volume) ** (1 / 3), derivative - 1
    bracket = 2 - (5 + 3 * derivative * (x - 1) - 3 * x) * np.exp(-1.5 * slope * (x - 1))
    return lowest + 2 * modulus * volume / slope**2 * bracket


def equation_of_state_figures(found: EquationOfState, std: FloatArray | None) -> tuple[Figure, ...]:
    """Energies with their error bars, and both fits."""
    at_rest = found.volume_cubic_angstrom_per_atom
    volumes = found.relative_volumes * at_rest
    low, high = volumes[0], volumes[-1]
    fine = low + CURVE * (high - low)
    pressure = GPA_PER_EV_PER_CUBIC_ANGSTROM
    fits = {
        "Birch-Murnaghan": birch_murnaghan_energy(
            fine, 0.0, at_rest, found.bulk_modulus_gpa / pressure, found.bulk_modulus_derivative
        ),
        "Vinet": vinet_energy(
            fine,
            0.0,
            found.vinet_volume_cubic_angstrom_per_atom,
            found.vinet_bulk_modulus_gpa / pressure,
            found.vinet_bulk_modulus_derivative,
        ),
    }
    lines = tuple(Line(fine, 1e3 * values, name) for name, values in fits.items())
    band = (
        (Line(volumes, 1e3 * found.energies_ev_per_atom, "± one standard deviation", band=1e3 * std),)
        if std is not None
        else ()
    )
    return (
        Figure(
            name="equation-of-state",
            title="Energy against volume",
            x_label="volume (Å³/atom)",
            y_label="energy above the lowest (meV/atom)",
            marks=(Points(volumes, 1e3 * found.energies_ev_per_atom, "potential"), *lines, *band),
        ),
    )
