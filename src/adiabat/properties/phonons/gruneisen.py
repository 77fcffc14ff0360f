"""Grüneisen parameters: how vibrations soften as a crystal is stretched, and how it then expands with temperature."""

from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import ConfigurationError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.phonons.phonons import MESH_ANGSTROM, require_real, set_forces
from adiabat.properties.phonons.setup import PhononSetup
from adiabat.properties.phonons.thermal import mode_heat_capacities
from adiabat.properties.relaxation import Relaxation, require_at_rest
from adiabat.properties.volumes import at_volumes
from adiabat.properties.zone_centre_phonons import frequencies_of
from adiabat.results import EXACT, Result
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

TEMPERATURES_K = np.arange(20.0, 1001.0, 20.0)

VOLUME_CHANGE = 0.01
"""Relative, either way; the error is of the second order in it."""

DEGENERATE = 1e-5
"""Relative to the largest squared frequency: below, modes have one."""


@dataclass(frozen=True)
class Gruneisen(Result):
    """Mode Grüneisen parameters γ = -d ln ω / d ln V, cell shape and atoms at rest at each volume.

    Attributes:
        formula: Of the primitive cell.
        repeats: Of it, the supercell.
        relative_volume_change: Either way.
        path: Ends of each line of the path.
        path_per_angstrom: (q,) length along the path, without 2π.
        path_points: (q, 3) in reciprocal vectors of the primitive cell; the zone's centre is a limit along the path.
        frequencies_thz: (q, 3N) along the path, ascending; negative where imaginary.
        mode_gruneisen: (q, 3N) in the same order.
        special_points: Labels of the points of high symmetry.
        special_gruneisen: (points, 3N) there.
        bulk_modulus_gpa: From the pressures at the two volumes.
        temperatures_k: (T,).
        mean_gruneisen: (T,) averages by the modes' heat capacities.
        thermal_expansion_per_k: (T,) of the volume, γ C / (V B).
    """

    formula: str
    repeats: tuple[int, int, int]
    relative_volume_change: float = field(metadata=EXACT)
    path: tuple[tuple[str, str], ...]
    path_per_angstrom: FloatArray = field(metadata=EXACT)
    path_points: FloatArray = field(metadata=EXACT)
    frequencies_thz: FloatArray
    mode_gruneisen: FloatArray
    special_points: tuple[str, ...]
    special_gruneisen: FloatArray
    bulk_modulus_gpa: float
    temperatures_k: FloatArray = field(metadata=EXACT)
    mean_gruneisen: FloatArray
    thermal_expansion_per_k: FloatArray


def gruneisen(
    rest: Atoms,
    potential: Potential,
    *,
    setup: PhononSetup | None = None,
    volume_change: float = VOLUME_CHANGE,
    temperatures_k: FloatArray = TEMPERATURES_K,
) -> Gruneisen:
    """Mode Grüneisen parameters, by the change of the dynamical matrix: γ = -V ⟨e| dD/dV |e⟩ / 2ω².

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        setup: Supercell and path; by default one that suits the potential.
        volume_change: Relative, either way.
        temperatures_k: (T,) of the averages, above zero.

    Raises:
        ConfigurationError: The change of volume is none, or not a small one.
        StructureError: It is not at rest, or has imaginary modes; or as `PhononSetup.of`.
        SimulationError: It does not come to rest at one of the volumes.
    """
    _require_small(volume_change)
    require_at_rest(rest, potential, cell=False)
    setup = setup or PhononSetup.of(rest, potential)
    along, special = setup.path.off_centre(setup.primitive)
    found = at_volumes(rest, potential, [1 - volume_change, 1.0, 1 + volume_change], place="Grüneisen parameters")
    mesh, weights = _mesh(setup, found[1].atoms, potential)
    points = np.concatenate([along, special, mesh])
    smaller, middle, larger = (_dynamical_matrices(setup, one.atoms, potential, points) for one in found)
    squares, slopes = _slopes(middle, (larger - smaller) / (2 * volume_change))
    frequencies = frequencies_of(squares)
    require_real(frequencies, points, place=f"Grüneisen parameters of {rest.get_chemical_formula()}")
    parameters = -slopes / (2 * squares)
    on_path, on_special = len(along), len(along) + len(special)
    modulus = _bulk_modulus(found, potential)
    capacities = mode_heat_capacities(frequencies[on_special:], weights, temperatures_k)
    weighed = np.einsum("tqm,qm->t", capacities, parameters[on_special:])
    total = capacities.sum((1, 2))
    volume = setup.primitive.get_volume()
    return Gruneisen(
        formula=setup.primitive.get_chemical_formula(),
        repeats=setup.repeats,
        relative_volume_change=volume_change,
        path=setup.path.labels,
        path_per_angstrom=np.concatenate(setup.path.lengths),
        path_points=along,
        frequencies_thz=frequencies[:on_path],
        mode_gruneisen=parameters[:on_path],
        special_points=tuple(setup.path.special),
        special_gruneisen=parameters[on_path:on_special],
        bulk_modulus_gpa=modulus * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        temperatures_k=temperatures_k,
        mean_gruneisen=weighed / total,
        thermal_expansion_per_k=BOLTZMANN_EV_PER_K * weighed / (volume * modulus),
    )


def _require_small(volume_change: float) -> None:
    if not 1e-4 <= volume_change <= 0.1:
        raise ConfigurationError(
            f"the volume is to change by {volume_change:g} of itself",
            place="Grüneisen parameters",
            rule="they are a derivative: from 0.0001 to 0.1",
            mend=f"take {VOLUME_CHANGE:g}",
        )


def _mesh(setup: PhononSetup, rest: Atoms, potential: Potential) -> tuple[FloatArray, FloatArray]:
    """Points (q, 3) without the zone's centre, whose acoustic modes are none, and their weights (q,)."""
    set_forces(setup, rest, potential)
    setup.phonopy.run_mesh(MESH_ANGSTROM)
    points = np.asarray(setup.phonopy.mesh.qpoints, dtype=np.float64)
    inside = np.abs(points).max(1) > 1e-9
    return points[inside], np.asarray(setup.phonopy.mesh.weights, dtype=np.float64)[inside]


def _dynamical_matrices(setup: PhononSetup, rest: Atoms, potential: Potential, points: FloatArray) -> FloatArray:
    """(q, 3N, 3N) complex, at one of the volumes."""
    there = setup.at(rest)
    set_forces(there, rest, potential)
    there.phonopy.run_qpoints(points, with_dynamical_matrices=True)
    return np.asarray(there.phonopy.qpoints.dynamical_matrices)


def _slopes(matrices: FloatArray, changes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(q, 3N) eigenvalues, and their derivatives: those of the change within each set of modes of one frequency."""
    squares, modes = np.linalg.eigh(matrices)
    within = modes.conj().swapaxes(1, 2) @ changes @ modes
    alike = np.abs(squares[:, :, None] - squares[:, None, :]) < DEGENERATE * np.abs(squares).max()
    slopes = np.empty_like(squares)
    for place, (block, change) in enumerate(zip(alike, within, strict=True)):
        start = 0
        while start < len(block):
            end = start + int(block[start, start:].sum())
            slopes[place, start:end] = np.linalg.eigvalsh(change[start:end, start:end])
            start = end
    return squares, slopes


def _bulk_modulus(found: list[Relaxation], potential: Potential) -> float:
    """eV/Å³, from pressures either side of rest."""
    smaller, _, larger = (one.atoms for one in found)
    [stresses] = evaluated(potential, [smaller, larger], "stress")
    pressures = -np.trace(stresses, axis1=1, axis2=2) / 3
    volumes = smaller.get_volume(), larger.get_volume()
    return float((pressures[0] - pressures[1]) / np.log(volumes[1] / volumes[0]))
