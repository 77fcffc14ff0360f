"""The phonons of a crystal: dispersion, density of states, imaginary modes, speed of sound, harmonic thermodynamics."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.elasticity import elasticity
from adiabat.properties.phonons.primitive import primitive_cell
from adiabat.properties.phonons.setup import OFF_CENTRE_PER_ANGSTROM, PhononSetup
from adiabat.properties.phonons.thermal import thermodynamics
from adiabat.properties.relaxation import require_at_rest
from adiabat.results import EXACT, Result
from adiabat.typing import FloatArray
from adiabat.units import METER_PER_SECOND_PER_ANGSTROM_THZ

IMAGINARY_THZ = -0.05
"""Above, a negative frequency is the rounding of an acoustic mode near the zone centre."""

MESH_ANGSTROM = 60.0
"""Points along a reciprocal vector times the length that it belongs to."""

TEMPERATURES_K = np.arange(0.0, 1001.0, 20.0)


@dataclass(frozen=True)
class Phonons(Result):
    """Lattice vibrations at zero temperature and in the harmonic approximation.

    Frequencies are negative where imaginary.

    Attributes:
        formula: Of the primitive cell.
        repeats: Of it, the supercell.
        images_angstrom: How far images of an atom are apart there, at least.
        exact: Whether force constants of all pairs fit in the supercell.
        with_charges: Whether the long-ranged field of effective charges is there; the zone's centre is then a limit along the path.
        path: Ends of each line of the path.
        path_per_angstrom: (q,) length along the path, without 2π.
        path_points: (q, 3) in reciprocal vectors of the primitive cell.
        frequencies_thz: (q, 3N) along the path, ascending.
        special_points: Labels of the points of high symmetry.
        special_frequencies_thz: (points, 3N) there.
        highest_frequency_thz: On the mesh and the path.
        lowest_frequency_thz: Likewise: negative where a mode is imaginary.
        stable: Whether no mode is imaginary.
        imaginary_modes: Each point of high symmetry with imaginary modes, and the lowest mode of all, in words.
        dos_frequencies_thz: (n,).
        density_of_states_per_thz: (n,) modes of a primitive cell.
        sound_speeds_m_per_s: (3, 3) slopes of the acoustic branches along x, y and z, ascending.
        elastic_sound_speeds_m_per_s: (3, 3) the same from the stiffness tensor.
        zero_point_energy_ev_per_atom: None where a mode is imaginary, as what follows.
        temperatures_k: (T,).
        vibrational_free_energy_ev_per_atom: (T,) with the zero point.
        entropy_kb_per_atom: (T,) in k_B.
        heat_capacity_kb_per_atom: (T,) at constant volume, in k_B.
    """

    formula: str
    repeats: tuple[int, int, int]
    images_angstrom: float = field(metadata=EXACT)
    exact: bool
    with_charges: bool
    path: tuple[tuple[str, str], ...]
    path_per_angstrom: FloatArray = field(metadata=EXACT)
    path_points: FloatArray = field(metadata=EXACT)
    frequencies_thz: FloatArray
    special_points: tuple[str, ...]
    special_frequencies_thz: FloatArray
    highest_frequency_thz: float
    lowest_frequency_thz: float
    stable: bool
    imaginary_modes: tuple[str, ...]
    dos_frequencies_thz: FloatArray = field(metadata=EXACT)
    density_of_states_per_thz: FloatArray
    sound_speeds_m_per_s: FloatArray
    elastic_sound_speeds_m_per_s: FloatArray
    zero_point_energy_ev_per_atom: float | None
    temperatures_k: FloatArray = field(metadata=EXACT)
    vibrational_free_energy_ev_per_atom: FloatArray | None
    entropy_kb_per_atom: FloatArray | None
    heat_capacity_kb_per_atom: FloatArray | None


def phonons(
    rest: Atoms,
    potential: Potential,
    *,
    setup: PhononSetup | None = None,
    temperatures_k: FloatArray = TEMPERATURES_K,
    dos_frequencies_thz: FloatArray | None = None,
) -> Phonons:
    """The phonons of a crystal, by finite displacements in a supercell (phonopy: A. Togo, J. Phys. Soc. Jpn. 92, 012001 (2023)).

    Args:
        rest: A crystal at rest; of what is not primitive, its primitive cell is taken.
        potential: What it is made of.
        setup: Supercell and path; by default one that suits the potential.
        temperatures_k: (T,) of the harmonic thermodynamics.
        dos_frequencies_thz: (n,) where the density of states is taken; by default up to a tenth above the highest frequency.

    Raises:
        StructureError: It is not at rest; or as `PhononSetup.of`.
    """
    require_at_rest(rest, potential, cell=False)
    setup = setup or PhononSetup.of(rest, potential)
    set_forces(setup, rest, potential)
    points = np.concatenate(setup.path.points)
    special = np.array(list(setup.path.special.values()))
    evaluated_at = (points, special) if setup.charges is None else setup.path.off_centre(setup.primitive)
    along, there = (frequencies(setup, each) for each in evaluated_at)
    setup.phonopy.run_mesh(MESH_ANGSTROM)
    mesh = setup.phonopy.mesh
    lowest = float(min(mesh.frequencies.min(), along.min()))
    highest = float(max(mesh.frequencies.max(), along.max()))
    grid = _grid(lowest, highest) if dos_frequencies_thz is None else dos_frequencies_thz
    stable, atoms = lowest > IMAGINARY_THZ, len(setup.primitive)
    heat = thermodynamics(mesh.frequencies, mesh.weights, temperatures_k) if stable else None
    return Phonons(
        formula=setup.primitive.get_chemical_formula(),
        repeats=setup.repeats,
        images_angstrom=float(setup.images.min()),
        exact=setup.exact,
        with_charges=setup.charges is not None,
        path=setup.path.labels,
        path_per_angstrom=np.concatenate(setup.path.lengths),
        path_points=points,
        frequencies_thz=along,
        special_points=tuple(setup.path.special),
        special_frequencies_thz=there,
        highest_frequency_thz=highest,
        lowest_frequency_thz=lowest,
        stable=stable,
        imaginary_modes=_imaginary(setup, there, points, along),
        dos_frequencies_thz=grid,
        density_of_states_per_thz=_density(setup, grid),
        sound_speeds_m_per_s=_sound(setup, primitive_cell(rest)),
        elastic_sound_speeds_m_per_s=elasticity(rest, potential).sound_speeds_m_per_s,
        zero_point_energy_ev_per_atom=None if heat is None else heat.zero_point_ev / atoms,
        temperatures_k=temperatures_k,
        vibrational_free_energy_ev_per_atom=None if heat is None else heat.free_energy_ev / atoms,
        entropy_kb_per_atom=None if heat is None else heat.entropy / atoms,
        heat_capacity_kb_per_atom=None if heat is None else heat.heat_capacity / atoms,
    )


def set_forces(setup: PhononSetup, rest: Atoms, potential: Potential) -> None:
    """Give the setup the force constants of a potential, made symmetric, at rest under it."""
    displaced = setup.displaced(rest)
    forces = evaluated(potential, displaced, "forces")[0].reshape(len(displaced), -1, 3)
    setup.phonopy.forces = forces
    setup.phonopy.produce_force_constants(calculate_full_force_constants=False, show_drift=False)
    setup.phonopy.symmetrize_force_constants(show_drift=False)


def frequencies(setup: PhononSetup, points: FloatArray | Sequence[FloatArray]) -> FloatArray:
    """(q, 3N) THz at points (q, 3) in reciprocal vectors, of the force constants that the setup has."""
    setup.phonopy.run_qpoints(np.asarray(points))
    return np.asarray(setup.phonopy.qpoints.frequencies, dtype=np.float64)


def _grid(lowest: float, highest: float) -> FloatArray:
    return np.linspace(min(0.0, 1.1 * lowest), 1.1 * highest, 301)


def _density(setup: PhononSetup, grid: FloatArray) -> FloatArray:
    step = float(grid[1] - grid[0])
    setup.phonopy.run_total_dos(freq_min=float(grid[0]), freq_max=float(grid[-1] + step / 2), freq_pitch=step)
    return np.asarray(setup.phonopy.total_dos.dos, dtype=np.float64)[: len(grid)]


def _sound(setup: PhononSetup, primitive: Atoms) -> FloatArray:
    """(3, 3) m/s."""
    directions = OFF_CENTRE_PER_ANGSTROM * np.eye(3) @ primitive.cell.array.T
    slopes = frequencies(setup, directions)[:, :3] / OFF_CENTRE_PER_ANGSTROM
    return slopes * METER_PER_SECOND_PER_ANGSTROM_THZ


def _imaginary(setup: PhononSetup, there: FloatArray, points: FloatArray, along: FloatArray) -> tuple[str, ...]:
    said = []
    for label, values in zip(setup.path.special, there, strict=True):
        found = values[values < IMAGINARY_THZ]
        if len(found):
            said.append(
                f"{label}: {len(found)} of {len(values)} modes, {', '.join(f'{f:.2f}i' for f in np.abs(found))} THz"
            )
    mesh = setup.phonopy.mesh
    everywhere = np.concatenate([points, mesh.qpoints])
    lowest = np.concatenate([along, mesh.frequencies]).min(1)
    if lowest.min() < IMAGINARY_THZ:
        place = everywhere[lowest.argmin()]
        said.append(f"lowest: {-lowest.min():.2f}i THz at q = ({', '.join(f'{x:.3f}' for x in place)})")
    return tuple(said)


def require_real(frequencies_thz: FloatArray, points: FloatArray, *, place: str) -> None:
    """Refuse to go on from a crystal with imaginary modes.

    Args:
        frequencies_thz: (q, 3N) negative where imaginary.
        points: (q, 3) where they are, in reciprocal vectors.
        place: What the error is of.

    Raises:
        StructureError: Naming the lowest.
    """
    lowest = frequencies_thz.min(1)
    if lowest.min() < IMAGINARY_THZ:
        where = ", ".join(f"{x:.3f}" for x in points[lowest.argmin()])
        raise StructureError(
            f"an imaginary mode of {-lowest.min():.2f}i THz at q = ({where})",
            place=place,
            rule="it is of a crystal that is a minimum, at every volume that is needed",
            mend="take volumes nearer rest; or displace the atoms of a supercell along the mode, relax, and take what comes out",
        )
