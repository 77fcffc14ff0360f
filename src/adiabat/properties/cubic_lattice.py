"""The lattice constant of a cubic crystal, and the crystal at it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy.optimize import root_scalar

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.results import Result
from adiabat.typing import FloatArray

SCALES = np.linspace(0.94, 1.06, 13)
"""Lengths of the cell, relative to the given one, between which the crystal is looked for."""
ACCURACY = 1e-9
"""Of the scale."""
REST_EV_PER_ANGSTROM = 1e-3
"""Forces below which atoms are held where they are by symmetry,"""
STRETCHED = 1.01
"""at rest and at this scale."""


@dataclass(frozen=True)
class CubicLattice(Result):
    """A cubic crystal without stress.

    Attributes:
        lattice_constant_angstrom: The edge of its cubic cell.
        energy_ev_per_atom: As the potential counts, from the same zero as its training data.
    """

    lattice_constant_angstrom: float
    energy_ev_per_atom: float


def cubic_lattice(crystal: Atoms, potential: Potential) -> CubicLattice:
    """The lattice constant of a cubic crystal whose atoms are held by symmetry.

    Args:
        crystal: A cubic cell along the axes (`ase.build.bulk(..., cubic=True)`), within 6 % of its size at rest.
        potential: What it is made of.

    Raises:
        StructureError: The cell is not cubic, atoms are not held by symmetry, or there is no rest within 6 %.
    """
    rest = relaxed_cubic(crystal, potential)
    [energy] = evaluated(potential, [rest], "energy")
    return CubicLattice(float(rest.cell.array[0, 0]), float(energy[0]) / len(rest))


def relaxed_cubic(crystal: Atoms, potential: Potential) -> Atoms:
    """The crystal, scaled until it has no stress; arguments and errors as of `cubic_lattice`."""
    _require_cubic(crystal)
    energies, pressures = _scan(crystal, potential, SCALES)
    crossings = np.flatnonzero((pressures[:-1] > 0) & (pressures[1:] <= 0))
    if not len(crossings):
        raise StructureError(
            f"{crystal.get_chemical_formula()} has no rest from {SCALES[0] * crystal.cell.array[0, 0]:.3f} to "
            f"{SCALES[-1] * crystal.cell.array[0, 0]:.3f} Å",
            place="cubic crystal",
            rule="the pressure falls through zero within 6 % of the given size",
            mend="give it a cell nearer its lattice constant",
        )
    lowest = min(crossings, key=lambda place: energies[place : place + 2].min())
    found = root_scalar(
        lambda scale: float(_scan(crystal, potential, [scale])[1][0]),
        bracket=(SCALES[lowest], SCALES[lowest + 1]),
        xtol=ACCURACY,
        rtol=ACCURACY,
    )
    rest = scaled(crystal, float(found.root))
    _require_rest(rest, potential)
    return rest


def scaled(crystal: Atoms, scale: float) -> Atoms:
    """A copy with all lengths times `scale`."""
    copy = crystal.copy()
    copy.set_cell(crystal.cell.array * scale, scale_atoms=True)
    return copy


def _scan(crystal: Atoms, potential: Potential, scales: Sequence[float] | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Energies in eV and pressures in eV/Å³."""
    energies, stresses = evaluated(potential, [scaled(crystal, float(scale)) for scale in scales], "energy", "stress")
    return energies, -np.trace(stresses, axis1=1, axis2=2) / 3


def _require_cubic(crystal: Atoms) -> None:
    cell = crystal.cell.array
    if not (crystal.pbc.all() and cell[0, 0] > 0 and np.allclose(cell, np.eye(3) * cell[0, 0], rtol=1e-6, atol=1e-6)):
        raise StructureError(
            f"the cell is {np.round(cell, 3).tolist()}, periodic along {crystal.pbc.tolist()}",
            place="cubic crystal",
            rule="its three edges are equal and lie along x, y and z, all periodic",
            mend="ase.build.bulk(symbol, cubic=True) makes such a cell",
        )


def _require_rest(rest: Atoms, potential: Potential) -> None:
    [forces] = evaluated(potential, [rest, scaled(rest, STRETCHED)], "forces")
    largest = float(np.abs(forces).max())
    if largest > REST_EV_PER_ANGSTROM:
        raise StructureError(
            f"a force of {largest:.3g} eV/Å acts on an atom of the crystal",
            place="cubic crystal",
            rule="its atoms are held where they are by symmetry, whatever the size of the cell",
            mend="give the perfect crystal, without displacements",
        )
