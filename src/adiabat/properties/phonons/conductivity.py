"""The lattice thermal conductivity of a crystal, through phono3py."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from ase import Atoms

from adiabat.errors import ConfigurationError, PropertyUnavailable, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.phonons.phonons import require_real
from adiabat.properties.phonons.primitive import phonopy_cell
from adiabat.properties.phonons.setup import SYMPREC_ANGSTROM, PhononSetup
from adiabat.properties.relaxation import require_at_rest
from adiabat.results import EXACT, Result
from adiabat.typing import FloatArray

DISPLACEMENT_ANGSTROM = 0.03
"""Of one atom, and of a second one beside it."""

MESH_ANGSTROM = 40.0
"""Points along a reciprocal vector times the length that it belongs to."""

TEMPERATURES_K = np.arange(100.0, 1001.0, 50.0)
FREE_PATHS_ANGSTROM = np.logspace(1, 7, 61)
ATOMS_AT_ONCE = 20_000
VOIGT = ((0, 5, 4), (5, 1, 3), (4, 3, 2))
"""Places of a symmetric tensor's components in the order xx yy zz yz xz xy."""


@dataclass(frozen=True)
class Conductivity(Result):
    """Heat carried by phonons that scatter each other, three at a time, each relaxing by itself.

    Attributes:
        formula: Of the primitive cell.
        repeats: Of it, the supercell.
        displacements: Supercells of which forces were taken.
        mesh: Of wave vectors.
        isotopes: Whether the natural isotopes scatter too.
        temperatures_k: (T,).
        conductivity_w_per_m_k: (T, 3, 3) in the crystal's axes.
        mean_conductivity_w_per_m_k: (T,) a third of the trace.
        free_paths_angstrom: (n,).
        share_of_shorter_free_paths: (n,) of the mean conductivity at the lowest temperature, by phonons whose free paths are shorter.
    """

    formula: str
    repeats: tuple[int, int, int]
    displacements: int
    mesh: tuple[int, int, int]
    isotopes: bool
    temperatures_k: FloatArray = field(metadata=EXACT)
    conductivity_w_per_m_k: FloatArray
    mean_conductivity_w_per_m_k: FloatArray
    free_paths_angstrom: FloatArray = field(metadata=EXACT)
    share_of_shorter_free_paths: FloatArray


@dataclass(frozen=True)
class ConductivitySetup:
    """Made once for a crystal; third-order force constants of any potential go through it.

    Attributes:
        phonons: The primitive cell, and its supercell.
        phono3py: What does the symmetry; its force constants are those of the last potential.
        mesh: Of wave vectors.
        isotopes: Whether the natural isotopes scatter too.
    """

    phonons: PhononSetup
    phono3py: Any
    mesh: tuple[int, int, int]
    isotopes: bool

    @classmethod
    def of(cls, phonons: PhononSetup, *, mesh: Sequence[int] | None = None, isotopes: bool = False) -> Self:
        """For a crystal.

        Args:
            phonons: Its primitive cell and supercell.
            mesh: Of wave vectors; by default as dense as `MESH_ANGSTROM` says.
            isotopes: Whether the natural isotopes scatter too.

        Raises:
            PropertyUnavailable: phono3py is not installed.
            ConfigurationError: A mesh of no points.
        """
        Phono3py = _phono3py()
        lengths = phonons.primitive.cell.lengths()
        chosen = np.ceil(MESH_ANGSTROM / lengths).astype(int) if mesh is None else np.asarray(mesh, dtype=int)
        if chosen.shape != (3,) or (chosen < 1).any():
            raise ConfigurationError(
                f"a mesh of {chosen.tolist()} points",
                place="conductivity",
                rule="one or more along each of three vectors",
                mend="give three numbers",
            )
        made = Phono3py(
            phonopy_cell(phonons.primitive), np.diag(phonons.repeats), primitive_matrix="P", symprec=SYMPREC_ANGSTROM
        )
        made.generate_displacements(distance=DISPLACEMENT_ANGSTROM)
        if phonons.charges is not None:
            made.nac_params = phonons.charges.for_phonopy()
        made.mesh_numbers = chosen.tolist()
        return cls(phonons, made, (int(chosen[0]), int(chosen[1]), int(chosen[2])), isotopes)

    def displaced(self, rest: Atoms) -> list[Atoms]:
        """Supercells of the crystal, or of one strained from it, in phono3py's order."""
        return self.phonons.moved(rest, self.phono3py.supercell, self.phono3py.supercells_with_displacements)


def conductivity(
    rest: Atoms,
    potential: Potential,
    *,
    setup: ConductivitySetup | None = None,
    temperatures_k: FloatArray = TEMPERATURES_K,
) -> Conductivity:
    """Lattice conductivity by the linearised Boltzmann equation in the relaxation-time approximation (A. Togo et al., Phys. Rev. B 91, 094306 (2015)).

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        setup: Supercell, displacements and mesh; by default as the potential's reach asks for.
        temperatures_k: (T,) above zero, ascending.

    Raises:
        PropertyUnavailable: phono3py is not installed.
        StructureError: It is not at rest, has imaginary modes, or its phonons do not scatter on the mesh; or as `PhononSetup.of`.
    """
    require_at_rest(rest, potential, cell=False)
    setup = setup or ConductivitySetup.of(PhononSetup.of(rest, potential))
    _set_forces(setup, rest, potential)
    crystal = setup.phono3py
    crystal.init_phph_interaction()
    place = f"thermal conductivity of {rest.get_chemical_formula()}"
    crystal.run_phonon_solver()
    frequencies, _, points = crystal.get_phonon_data()
    require_real(np.asarray(frequencies), np.asarray(points) / np.array(setup.mesh), place=place)
    crystal.run_thermal_conductivity(temperatures=temperatures_k, is_isotope=setup.isotopes)
    found = crystal.thermal_conductivity
    kappa = np.asarray(found.kappa, dtype=np.float64)[0]
    if not np.isfinite(kappa).all():
        raise StructureError(
            "phonons do not scatter on this mesh",
            place=place,
            rule="each has a finite lifetime",
            mend="take a denser mesh",
        )
    tensor = kappa[:, np.array(VOIGT)]
    return Conductivity(
        formula=setup.phonons.primitive.get_chemical_formula(),
        repeats=setup.phonons.repeats,
        displacements=len(crystal.supercells_with_displacements),
        mesh=setup.mesh,
        isotopes=setup.isotopes,
        temperatures_k=temperatures_k,
        conductivity_w_per_m_k=tensor,
        mean_conductivity_w_per_m_k=np.trace(tensor, axis1=1, axis2=2) / 3,
        free_paths_angstrom=FREE_PATHS_ANGSTROM,
        share_of_shorter_free_paths=_shares(found),
    )


def _phono3py() -> Any:
    try:
        from phono3py import Phono3py
    except ImportError as error:
        raise PropertyUnavailable(
            "phono3py is not installed",
            place="thermal conductivity",
            rule="third-order force constants and the scattering of phonons are its",
            mend="pip install 'adiabat[conductivity]'",
        ) from error
    return Phono3py


def _set_forces(setup: ConductivitySetup, rest: Atoms, potential: Potential) -> None:
    crystal, cells = setup.phono3py, setup.displaced(rest)
    at_once = max(1, ATOMS_AT_ONCE // len(cells[0]))
    starts = range(0, len(cells), at_once)
    parts = [evaluated(potential, cells[start : start + at_once], "forces")[0] for start in starts]
    crystal.forces = np.concatenate(parts).reshape(len(cells), -1, 3)
    crystal.produce_fc3()
    crystal.produce_fc2()
    crystal.symmetrize_fc2()


def _shares(found: Any) -> FloatArray:
    """Of the conductivity at the first temperature, by phonons of free paths below `FREE_PATHS_ANGSTROM`."""
    lifetimes = 1 / (4 * np.pi * np.maximum(found.gamma[0, 0], 1e-12))  # ps, from half widths in THz
    paths = np.linalg.norm(found.group_velocities, axis=-1) * lifetimes
    heat = np.asarray(found.mode_kappa)[0, 0, ..., :3].sum(-1)
    return np.array([heat[paths < length].sum() for length in FREE_PATHS_ANGSTROM]) / heat.sum()
