"""The quasi-harmonic approximation: how a crystal expands and softens with temperature."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.equation_of_state import birch_murnaghan
from adiabat.properties.phonons.phonons import MESH_ANGSTROM, TEMPERATURES_K, require_real, set_forces
from adiabat.properties.phonons.setup import PhononSetup
from adiabat.properties.phonons.thermal import Thermodynamics, thermodynamics
from adiabat.properties.relaxation import Relaxation, require_at_rest
from adiabat.properties.volumes import at_volumes
from adiabat.results import EXACT, Result
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

VOLUMES = np.linspace(0.96, 1.08, 13)
"""Relative to that at rest: vibrations make crystals larger."""

FEWEST_VOLUMES = 6
ORDER = 3
"""Of the polynomials in the volume by which entropies, heat capacities and cell lengths are taken between volumes."""


@dataclass(frozen=True)
class QuasiHarmonic(Result):
    """A crystal at temperatures and a pressure, its vibrations harmonic at each volume.

    Cell shape and atoms are at rest without vibrations at each volume, so that only the volume follows the temperature.

    Attributes:
        formula: Of the structure.
        repeats: Of its primitive cell, the supercell.
        pressure_gpa: Held.
        relative_volumes: (n,) to that at rest, at which vibrations were taken.
        static_volume_cubic_angstrom_per_atom: Without vibrations.
        static_bulk_modulus_gpa: Likewise.
        temperatures_k: (T,).
        volume_cubic_angstrom_per_atom: (T,).
        cell_lengths_angstrom: (T, 3) of the structure's cell.
        thermal_expansion_per_k: (T,) of the volume, d ln V / dT.
        bulk_modulus_gpa: (T,) isothermal.
        heat_capacity_kb_per_atom: (T,) at constant pressure, in k_B.
        gibbs_energy_ev_per_atom: (T,) above the static energy at rest; with the zero point.
    """

    formula: str
    repeats: tuple[int, int, int]
    pressure_gpa: float = field(metadata=EXACT)
    relative_volumes: FloatArray = field(metadata=EXACT)
    static_volume_cubic_angstrom_per_atom: float
    static_bulk_modulus_gpa: float
    temperatures_k: FloatArray = field(metadata=EXACT)
    volume_cubic_angstrom_per_atom: FloatArray
    cell_lengths_angstrom: FloatArray
    thermal_expansion_per_k: FloatArray
    bulk_modulus_gpa: FloatArray
    heat_capacity_kb_per_atom: FloatArray
    gibbs_energy_ev_per_atom: FloatArray


@dataclass(frozen=True)
class _Free:
    """Free energies by volume.

    Attributes:
        volumes: (n,) Å³ per atom.
        static: (n,) eV per atom, E + pV above the lowest.
        vibrational: (n, T) eV per atom.
        entropy: (n, T) k_B per atom.
        heat_capacity: (n, T) k_B per atom, at constant volume.
    """

    volumes: FloatArray
    static: FloatArray
    vibrational: FloatArray
    entropy: FloatArray
    heat_capacity: FloatArray


def quasi_harmonic(
    rest: Atoms,
    potential: Potential,
    *,
    setup: PhononSetup | None = None,
    relative_volumes: Sequence[float] | FloatArray = VOLUMES,
    temperatures_k: FloatArray = TEMPERATURES_K,
    pressure_gpa: float = 0.0,
) -> QuasiHarmonic:
    """Thermal expansion, bulk modulus and heat capacity, from free energies E(V) + F(V, T) (A. A. Maradudin et al., 1971, chapter 4).

    G = E + F + pV is fitted by Birch and Murnaghan's equation at each temperature. The expansion is that of the pressure at fixed volume,
    α = (∂S/∂V) / B, so that no difference of temperatures is taken.

    Args:
        rest: A crystal at rest under the pressure.
        potential: What it is made of.
        setup: Supercell; by default one that suits the potential.
        relative_volumes: Six or more, from below one to where the crystal comes at the highest temperature.
        temperatures_k: (T,).
        pressure_gpa: Hydrostatic.

    Raises:
        ConfigurationError: Volumes that are too few, or do not enclose rest.
        StructureError: It is not at rest, has imaginary modes at one of the volumes, or outgrows them; or as `PhononSetup.of`.
        SimulationError: It does not come to rest at one of the volumes.
    """
    volumes = _checked(relative_volumes)
    require_at_rest(rest, potential, pressure_gpa=pressure_gpa)
    setup = setup or PhononSetup.of(rest, potential)
    found = at_volumes(rest, potential, volumes, place="quasi-harmonic approximation")
    heats = [
        _vibrations(setup.at(one.atoms), one.atoms, potential, temperatures_k, float(v))
        for one, v in zip(found, volumes, strict=True)
    ]
    pressure = pressure_gpa / GPA_PER_EV_PER_CUBIC_ANGSTROM
    free = _free_energies(found, heats, pressure, len(setup.primitive))
    static_volume, static_modulus, _ = birch_murnaghan(free.volumes, free.static)
    fits = [birch_murnaghan(free.volumes, free.static + each) for each in free.vibrational.T]
    at, modulus = (np.array([fit[place] for fit in fits]) for place in (0, 1))
    _require_inside(at, free.volumes, temperatures_k, rest)
    by_volume = [np.polynomial.Polynomial.fit(free.volumes, each, ORDER) for each in free.entropy.T]
    expansion = BOLTZMANN_EV_PER_K * np.array([fit.deriv()(v) for fit, v in zip(by_volume, at, strict=True)]) / modulus
    capacity = _between(free.volumes, free.heat_capacity, at)
    capacity = capacity + expansion**2 * modulus * at * temperatures_k / BOLTZMANN_EV_PER_K
    lengths = np.array([one.atoms.cell.lengths() for one in found])
    lengths_at = np.stack([_at(free.volumes, each, at) for each in lengths.T], axis=1)
    return QuasiHarmonic(
        formula=rest.get_chemical_formula(),
        repeats=setup.repeats,
        pressure_gpa=pressure_gpa,
        relative_volumes=volumes,
        static_volume_cubic_angstrom_per_atom=static_volume,
        static_bulk_modulus_gpa=static_modulus * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        temperatures_k=temperatures_k,
        volume_cubic_angstrom_per_atom=at,
        cell_lengths_angstrom=lengths_at,
        thermal_expansion_per_k=expansion,
        bulk_modulus_gpa=modulus * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        heat_capacity_kb_per_atom=capacity,
        gibbs_energy_ev_per_atom=_between(free.volumes, free.static[:, None] + free.vibrational, at),
    )


def _checked(relative_volumes: Sequence[float] | FloatArray) -> FloatArray:
    volumes = np.sort(np.asarray(relative_volumes, dtype=np.float64))
    if len(volumes) < FEWEST_VOLUMES or not (0 < volumes[0] < 1 < volumes[-1]):
        raise ConfigurationError(
            f"{len(volumes)} volumes from {volumes.min(initial=np.inf):g} to {volumes.max(initial=-np.inf):g} times that at rest",
            place="quasi-harmonic approximation",
            rule=f"free energies are fitted over {FEWEST_VOLUMES} volumes or more, on either side of rest",
            mend=f"give more of them: {VOLUMES[0]:g} to {VOLUMES[-1]:g} is usual",
        )
    return volumes


def _vibrations(
    there: PhononSetup, atoms: Atoms, potential: Potential, temperatures_k: FloatArray, relative_volume: float
) -> Thermodynamics:
    set_forces(there, atoms, potential)
    there.phonopy.run_mesh(MESH_ANGSTROM)
    mesh = there.phonopy.mesh
    place = f"quasi-harmonic approximation of {atoms.get_chemical_formula()} at {relative_volume:g} times its volume"
    require_real(mesh.frequencies, mesh.qpoints, place=place)
    return thermodynamics(mesh.frequencies, mesh.weights, temperatures_k)


def _free_energies(
    found: Sequence[Relaxation], heats: Sequence[Thermodynamics], pressure: float, primitive_atoms: int
) -> _Free:
    volumes = np.array([one.atoms.get_volume() / len(one.atoms) for one in found])
    static = np.array([one.energy_ev_per_atom for one in found]) + pressure * volumes
    free, entropy, capacity = (
        np.array([getattr(heat, name) for heat in heats]) / primitive_atoms
        for name in ("free_energy_ev", "entropy", "heat_capacity")
    )
    return _Free(volumes, static - static.min(), free, entropy, capacity)


def _require_inside(at: FloatArray, volumes: FloatArray, temperatures_k: FloatArray, rest: Atoms) -> None:
    outside = np.flatnonzero((at < volumes[0]) | (at > volumes[-1]))
    if len(outside):
        first = outside[0]
        there = float(rest.get_volume()) / len(rest)
        raise StructureError(
            f"the volume is {at[first] / there:.3f} times that at rest at {temperatures_k[first]:g} K",
            place=f"quasi-harmonic approximation of {rest.get_chemical_formula()}",
            rule=f"vibrations were taken from {volumes[0] / there:.3f} to {volumes[-1] / there:.3f} times",
            mend="take volumes farther out, or lower temperatures",
        )


def _at(volumes: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """(T,) of values (n,) by volume, at volumes (T,)."""
    return np.asarray(np.polynomial.Polynomial.fit(volumes, values, ORDER)(at), dtype=np.float64)


def _between(volumes: FloatArray, values: FloatArray, at: FloatArray) -> FloatArray:
    """(T,) of values (n, T) by volume, at a volume for each temperature."""
    fits = (np.polynomial.Polynomial.fit(volumes, each, ORDER) for each in values.T)
    return np.array([fit(v) for fit, v in zip(fits, at, strict=True)])
