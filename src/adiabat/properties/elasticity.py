"""The stiffness of any crystal, at any pressure, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.cubic_elasticity import strained
from adiabat.properties.estimate import decimals_of
from adiabat.properties.force_constants import displaced, from_forces, without_translations
from adiabat.properties.measured import Measured
from adiabat.properties.relaxation import RelaxationSettings, relax, require_at_rest
from adiabat.properties.stiffness import eigenvalues, moduli, sound_speeds, to_matrix, to_tensor, young_modulus
from adiabat.properties.symmetry import Symmetry
from adiabat.results import EXACT, Figure, Line, Result, Table
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM, KILOGRAM_PER_CUBIC_METER_PER_AMU_PER_CUBIC_ANGSTROM

STRAIN = 2e-3
"""Either way; the error is of the second order in it."""

MOST_DISPLACED = 100
"""Atoms of a cell up to which ions follow by linear response; beyond, 6 N displaced cells of N atoms cost more than relaxations."""

SOFTEST = 1e-3
"""eV/Å²: below, a mode of the cell is not held, and there is nothing that ions could come to rest in."""

ZERO_GPA = 1e-6
"""Below which a number of the tensor is zero by symmetry, and printed so."""

ANGLES = np.arange(0.0, 360.0, 5.0)
"""Degrees, in each of the planes in which Young's modulus is drawn."""

PLANES = ("xy", "yz", "xz")
PLACES = ("xx", "yy", "zz", "yz", "xz", "xy")

Ions = Literal["response", "relaxation"]


@dataclass(frozen=True)
class Elasticity(Result):
    """Elasticity of a crystal at zero temperature, in the Cartesian axes of the structure that was given.

    At a pressure these are the coefficients between stress and strain there, by which waves travel and stability is judged
    (D. C. Wallace, Thermodynamics of Crystals (1972), chapter 1), not derivatives of the energy.

    Attributes:
        formula: Of the structure.
        space_group: By which the tensor is made symmetric.
        ions: How atoms followed: "response" or "relaxation".
        pressure_gpa: At which.
        stiffness_gpa: (6, 6), Voigt's order xx yy zz yz xz xy, atoms at rest under each strain.
        stiffness_clamped_gpa: (6, 6), atoms that move with the cell alone.
        bulk_modulus_voigt_gpa: Of a polycrystal under equal strain.
        bulk_modulus_reuss_gpa: Under equal stress.
        bulk_modulus_gpa: Hill's mean.
        shear_modulus_voigt_gpa: As above.
        shear_modulus_reuss_gpa: As above.
        shear_modulus_gpa: As above.
        young_modulus_gpa: Of the polycrystal, from Hill's means.
        poisson_ratio: Likewise.
        universal_anisotropy: Zero where the crystal is isotropic.
        eigenvalues_gpa: (6,) of the stiffness, ascending.
        stable: Whether all of them are positive (Born).
        density_kg_per_m3: Of the crystal.
        sound_speeds_m_per_s: (3, 3) along x, y and z: two transverse, one longitudinal; negative where imaginary.
        young_modulus_by_angle_gpa: (3, 72) in the planes xy, yz and xz, each 5° from the first axis to the second.
    """

    formula: str
    space_group: str
    ions: Ions
    pressure_gpa: float = field(metadata=EXACT)
    stiffness_gpa: FloatArray
    stiffness_clamped_gpa: FloatArray
    bulk_modulus_voigt_gpa: float
    bulk_modulus_reuss_gpa: float
    bulk_modulus_gpa: float
    shear_modulus_voigt_gpa: float
    shear_modulus_reuss_gpa: float
    shear_modulus_gpa: float
    young_modulus_gpa: float
    poisson_ratio: float
    universal_anisotropy: float
    eigenvalues_gpa: FloatArray
    stable: bool
    density_kg_per_m3: float
    sound_speeds_m_per_s: FloatArray
    young_modulus_by_angle_gpa: FloatArray


def elasticity(rest: Atoms, potential: Potential, *, pressure_gpa: float = 0.0, ions: Ions | None = None) -> Elasticity:
    """The stiffness tensor by central differences of the stress, clamped and with atoms that come to rest.

    Atoms follow by linear response, C = C⁰ - Λᵀ Φ⁺ Λ / V (M. Born and K. Huang, Dynamical Theory of Crystal Lattices (1954), chapter
    III), or by a relaxation under each strain; the two agree.

    Args:
        rest: A crystal at rest under the pressure; primitive cells will do.
        potential: What it is made of.
        pressure_gpa: Hydrostatic.
        ions: How atoms follow; by default "response" for cells up to 100 atoms.

    Raises:
        StructureError: It is not at rest, or not periodic in three directions.
        SimulationError: A mode of the cell is not held; or atoms do not come to rest under a strain.
    """
    require_at_rest(rest, potential, pressure_gpa=pressure_gpa)
    group = Symmetry.of(rest)
    ions = ions or ("response" if len(rest) <= MOST_DISPLACED else "relaxation")
    structures = [strained(rest, sign * STRAIN, place) for place in range(6) for sign in (1.0, -1.0)]
    forces, stresses = evaluated(potential, structures, "forces", "stress")
    clamped = _symmetric(_by_strain(stresses), group)
    if ions == "response":
        held = _symmetric(clamped - _followed(rest, potential, forces), group)
    else:
        held = _symmetric(_relaxed_stiffness(structures, potential), group)
    return _elasticity(rest, group, ions, pressure_gpa, held, clamped)


def _by_strain(stresses: FloatArray) -> FloatArray:
    """(6, 6) eV/Å³, from stresses (12, 3, 3) under each strain forwards and backwards."""
    pairs = stresses.reshape(6, 2, 3, 3)
    slopes = (pairs[:, 0] - pairs[:, 1]) / (2 * STRAIN)
    return slopes[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]].T


def _symmetric(matrix: FloatArray, group: Symmetry) -> FloatArray:
    return to_matrix(group.tensor(to_tensor((matrix + matrix.T) / 2)))


def _followed(rest: Atoms, potential: Potential, forces: FloatArray) -> FloatArray:
    """(6, 6) eV/Å³: by how much atoms that come to rest soften the strains."""
    pairs = forces.reshape(6, 2, -1)
    by_strain = ((pairs[:, 0] - pairs[:, 1]) / (2 * STRAIN)).T
    constants = from_forces(evaluated(potential, displaced(rest), "forces")[0], len(rest))
    keep = without_translations(rest, np.ones(len(rest)))
    stiffnesses, modes = np.linalg.eigh(keep @ constants @ keep)
    internal = np.argsort(np.abs(stiffnesses))[3:]  # what was projected out is zero to rounding
    if len(internal) and stiffnesses[internal].min() < SOFTEST:
        raise SimulationError(
            f"a displacement of its atoms has the stiffness {stiffnesses[internal].min():.2g} eV/Å²",
            place=f"elasticity of {rest.get_chemical_formula()}",
            rule="atoms can come to rest under a strain only where the crystal is a minimum",
            mend="see which mode is unstable (adiabat phonons), displace the atoms along it, and relax",
        )
    along = modes[:, internal].T @ by_strain
    return along.T @ (along / stiffnesses[internal, None]) / rest.get_volume()


def _relaxed_stiffness(structures: Sequence[Atoms], potential: Potential) -> FloatArray:
    found = relax(structures, potential, RelaxationSettings(force_tolerance_ev_per_angstrom=1e-5))
    stuck = [one for one in found if not one.converged]
    if stuck:
        raise SimulationError(
            f"atoms do not come to rest under {len(stuck)} of {len(found)} strains",
            place=f"elasticity of {stuck[0].formula}",
            rule="the stiffness is that of atoms at rest",
            mend=str(stuck[0].advice),
        )
    return _by_strain(evaluated(potential, [one.atoms for one in found], "stress")[0])


def _elasticity(
    rest: Atoms, group: Symmetry, ions: Ions, pressure_gpa: float, held: FloatArray, clamped: FloatArray
) -> Elasticity:
    stiffness = held * GPA_PER_EV_PER_CUBIC_ANGSTROM
    average, spectrum = moduli(stiffness), eigenvalues(stiffness)
    density = float(rest.get_masses().sum() / rest.get_volume()) * KILOGRAM_PER_CUBIC_METER_PER_AMU_PER_CUBIC_ANGSTROM
    return Elasticity(
        formula=rest.get_chemical_formula(),
        space_group=group.name,
        ions=ions,
        pressure_gpa=pressure_gpa,
        stiffness_gpa=stiffness,
        stiffness_clamped_gpa=clamped * GPA_PER_EV_PER_CUBIC_ANGSTROM,
        bulk_modulus_voigt_gpa=average.bulk_voigt,
        bulk_modulus_reuss_gpa=average.bulk_reuss,
        bulk_modulus_gpa=average.bulk_hill,
        shear_modulus_voigt_gpa=average.shear_voigt,
        shear_modulus_reuss_gpa=average.shear_reuss,
        shear_modulus_gpa=average.shear_hill,
        young_modulus_gpa=average.young_hill,
        poisson_ratio=average.poisson_hill,
        universal_anisotropy=average.anisotropy,
        eigenvalues_gpa=spectrum,
        stable=bool(spectrum[0] > 0),
        density_kg_per_m3=density,
        sound_speeds_m_per_s=sound_speeds(1e9 * stiffness, density, np.eye(3))[0],
        young_modulus_by_angle_gpa=young_modulus(stiffness, _in_planes()).reshape(3, -1),
    )


def _in_planes() -> FloatArray:
    """(216, 3) unit vectors."""
    angles, found = np.deg2rad(ANGLES), np.zeros((3, len(ANGLES), 3))
    for plane, (first, second) in enumerate(((0, 1), (1, 2), (0, 2))):
        found[plane, :, first], found[plane, :, second] = np.cos(angles), np.sin(angles)
    return found.reshape(-1, 3)


def young_figure(result: Elasticity) -> Figure:
    """Young's modulus by direction: the distance from the middle."""
    angles = np.deg2rad(np.append(ANGLES, ANGLES[0]))
    lengths = np.concatenate([result.young_modulus_by_angle_gpa, result.young_modulus_by_angle_gpa[:, :1]], axis=1)
    return Figure(
        name="young",
        title="Young's modulus by direction",
        x_label="along the plane's first axis (GPa)",
        y_label="along its second axis (GPa)",
        marks=tuple(
            Line(length * np.cos(angles), length * np.sin(angles), plane)
            for plane, length in zip(PLANES, lengths, strict=True)
        ),
        note="The distance of the curve from the middle is the modulus in that direction of each plane.",
        equal_axes=True,
    )


def stiffness_tables(found: Measured[Elasticity]) -> tuple[Table, ...]:
    """The tensor, each number with its error bar where it is known, and that of clamped ions."""
    shown = {"stiffness_gpa": "Stiffness (GPa), ions at rest", "stiffness_clamped_gpa": "Stiffness (GPa), ions clamped"}
    tables = []
    for name, title in shown.items():
        values, std = getattr(found.result, name), found.std(name)
        bars = None if std is None else np.asarray(std)
        rows = tuple(
            (place, *(_with_bar(values[row, column], bars, row, column) for column in range(6)))
            for row, place in enumerate(PLACES)
        )
        tables.append(Table(name, title, ("", *PLACES), rows))
    return tuple(tables)


def _with_bar(value: float, bars: FloatArray | None, row: int, column: int) -> str:
    if bars is None:
        return f"{value + 0.0:.2f}"
    bar = float(bars[row, column])
    if max(abs(value), bar) < ZERO_GPA:
        return "0"
    decimals = min(decimals_of(bar), 3)
    return f"{round(float(value), decimals) + 0.0:.{decimals}f} ± {bar:.{decimals}f}"


def elasticity_sentences(result: Elasticity) -> tuple[str, ...]:
    """What is to be known before the numbers."""
    followed = {"response": "by linear response", "relaxation": "by a relaxation under each strain"}[result.ions]
    pressure = f" at {result.pressure_gpa:g} GPa" if result.pressure_gpa else ""
    verdict = (
        f"elastically stable{pressure}: the eigenvalues of the stiffness are positive (Born)"
        if result.stable
        else f"elastically UNSTABLE{pressure}: the lowest eigenvalue of the stiffness is {result.eigenvalues_gpa[0]:.3g} GPa"
    )
    return (f"space group {result.space_group}; ions follow {followed}", verdict)
