"""Energies of symmetric grain boundaries, over the rigid shifts of one grain against the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import ConfigurationError, SimulationError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.boundaries.bicrystal import Bicrystal, Plane, area_of
from adiabat.properties.relaxation import Relaxation, RelaxationSettings, relax, relaxed_crystal, require_at_rest
from adiabat.properties.surfaces.slabs import as_text
from adiabat.results import EXACT, IN_MEMORY, Bars, Figure, Result
from adiabat.typing import FloatArray
from adiabat.units import JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM

EXPANSIONS_ANGSTROM = (0.0, 0.2, 0.4, 0.7, 1.0)
"""Openings that are tried with each rigid shift."""

SETTINGS = RelaxationSettings(cell="height", stress_tolerance_gpa=0.05, steps=800)
"""Atoms move, and the cell along the normal: along the boundary it stays that of the crystal."""


@dataclass(frozen=True)
class GrainBoundary(Result):
    """A symmetric boundary, the lowest that shifts of the grains and relaxation find; no atoms are taken out or put in.

    Attributes:
        formula: Of the crystal.
        plane: Miller indices.
        sigma: Inverse share of coincident lattice points; None where the crystal is not cubic.
        atoms: In the cell, which holds two boundaries.
        area_square_angstrom: Of one.
        grain_thickness_angstrom: Between them.
        boundary_energy_j_per_m2: Of the lowest, atoms and opening at rest.
        rigid_energy_j_per_m2: Of the lowest where no atom moves in its grain.
        excess_volume_angstrom: Per area: by how much the lowest boundary opens the crystal.
        candidate_shifts: (m, 2) of the shifts that were relaxed, in shares of the boundary's vectors.
        candidate_energies_j_per_m2: (m) at rest.
        shifts_tried: Rigid ones.
        structures: (m) at rest, in the same order.
    """

    formula: str
    plane: Plane
    sigma: int | None
    atoms: int
    area_square_angstrom: float = field(metadata=EXACT)
    grain_thickness_angstrom: float = field(metadata=EXACT)
    boundary_energy_j_per_m2: float
    rigid_energy_j_per_m2: float = field(metadata=EXACT)
    excess_volume_angstrom: float
    candidate_shifts: FloatArray = field(metadata=EXACT)
    candidate_energies_j_per_m2: FloatArray
    shifts_tried: int
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)

    @property
    def lowest(self) -> Atoms:
        """The structure of the boundary."""
        return self.structures[int(self.candidate_energies_j_per_m2.argmin())]


def grain_boundary(
    rest: Atoms,
    potential: Potential,
    plane: Plane,
    *,
    thickness_angstrom: float = 15.0,
    shifts: int = 6,
    relaxed_shifts: int = 6,
) -> GrainBoundary:
    """Search the shifts of one grain against its mirror image: all rigid, then the lowest relaxed.

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        plane: Where the grains meet.
        thickness_angstrom: Of each grain, at least.
        shifts: Along each of the boundary's two vectors.
        relaxed_shifts: How many of the lowest are relaxed, atoms and opening.

    Raises:
        StructureError: It is not at rest, or as `Bicrystal.of`.
        ConfigurationError: No shift.
        SimulationError: None of the shifts comes to rest.
    """
    if shifts < 1 or relaxed_shifts < 1:
        raise ConfigurationError(
            f"{shifts} shifts, of which {relaxed_shifts} are relaxed",
            place="shifts",
            rule="one or more of each",
            mend="take 6 and 6",
        )
    require_at_rest(rest, potential)
    bicrystal = Bicrystal.of(rest, plane, thickness_angstrom=thickness_angstrom)
    shares, begun, rigid = _rigid(bicrystal, potential, shifts, relaxed_shifts)
    found = relax(begun, potential, SETTINGS)
    kept = [place for place, one in enumerate(found) if one.converged]
    if not kept:
        raise SimulationError(
            "no shift of the grains comes to rest",
            place=f"boundary {as_text(plane)} of {rest.get_chemical_formula()}",
            rule="a boundary energy is of atoms at rest",
            mend=found[0].advice,
        )
    per_atom = _per_atom(rest, potential)
    return _result(
        bicrystal,
        rest,
        per_atom,
        shares[kept],
        [found[place] for place in kept],
        rigid=_excess(rigid, len(bicrystal.atoms), per_atom, bicrystal.area),
        tried=shifts * shifts,
    )


def boundary_of_member(found: GrainBoundary, rest: Atoms, member: Potential) -> GrainBoundary:
    """The same shifts by another potential, at its own lattice constants, from where they came to rest.

    Raises:
        SimulationError: One does not come to rest.
    """
    own = relaxed_crystal(rest, member)
    strain = np.linalg.solve(rest.cell.array, own.cell.array)
    begun = []
    for atoms in found.structures:
        scaled = atoms.copy()
        scaled.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        begun.append(scaled)
    ended = relax(begun, member, SETTINGS)
    for one in ended:
        if not one.converged:
            raise SimulationError(
                "a boundary does not come to rest",
                rule="an error bar is over members with which it does",
                mend=one.advice,
            )
    bicrystal = Bicrystal.of(own, found.plane, thickness_angstrom=0.99 * found.grain_thickness_angstrom)
    return _result(
        bicrystal,
        own,
        _per_atom(own, member),
        found.candidate_shifts,
        ended,
        rigid=found.rigid_energy_j_per_m2,
        tried=found.shifts_tried,
    )


def _rigid(bicrystal: Bicrystal, potential: Potential, shifts: int, kept: int) -> tuple[FloatArray, list[Atoms], float]:
    """Shares (m, 2) of the lowest shifts, their cells at the best opening, and the lowest energy in eV."""
    steps = np.arange(shifts) / shifts
    shares = np.array([(first, second) for first in steps for second in steps])
    energies = np.array(
        [
            _energies([bicrystal.shifted(share, opening) for opening in EXPANSIONS_ANGSTROM], potential)
            for share in shares
        ]
    )
    order = np.argsort(energies.min(1), kind="stable")[:kept]
    begun = [bicrystal.shifted(shares[place], EXPANSIONS_ANGSTROM[int(energies[place].argmin())]) for place in order]
    for seed, atoms in enumerate(begun):
        atoms.rattle(0.01, seed=seed)
    return shares[order], begun, float(energies.min())


def _energies(structures: Sequence[Atoms], potential: Potential) -> FloatArray:
    return evaluated(potential, structures, "energy")[0]


def _per_atom(rest: Atoms, potential: Potential) -> float:
    return float(evaluated(potential, [rest], "energy")[0][0]) / len(rest)


def _excess(energy: float, atoms: int, per_atom: float, area: float) -> float:
    """J/m², of one of two boundaries."""
    return (energy - atoms * per_atom) / (2 * area) * JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM


def _result(
    bicrystal: Bicrystal,
    rest: Atoms,
    per_atom: float,
    shares: FloatArray,
    found: Sequence[Relaxation],
    *,
    rigid: float,
    tried: int,
) -> GrainBoundary:
    area, atoms = bicrystal.area, len(bicrystal.atoms)
    energies = np.array([_excess(one.energy_ev, atoms, per_atom, area) for one in found])
    lowest = found[int(energies.argmin())].atoms
    volume_per_atom = rest.get_volume() / len(rest)
    return GrainBoundary(
        formula=rest.get_chemical_formula(),
        plane=bicrystal.plane,
        sigma=bicrystal.sigma,
        atoms=atoms,
        area_square_angstrom=area,
        grain_thickness_angstrom=bicrystal.atoms.get_volume() / (2 * area),
        boundary_energy_j_per_m2=float(energies.min()),
        rigid_energy_j_per_m2=rigid,
        excess_volume_angstrom=float((lowest.get_volume() - atoms * volume_per_atom) / (2 * area_of(lowest))),
        candidate_shifts=shares,
        candidate_energies_j_per_m2=energies,
        shifts_tried=tried,
        structures=tuple(one.atoms for one in found),
    )


def boundary_sentences(found: GrainBoundary) -> tuple[str, ...]:
    """What was built and tried."""
    sigma = "" if found.sigma is None else f"Σ{found.sigma} "
    return (
        f"{sigma}{as_text(found.plane)} of {found.formula}: {found.atoms} atoms, two boundaries of "
        f"{found.area_square_angstrom:.2f} Å², grains of {found.grain_thickness_angstrom:.1f} Å",
        f"{found.shifts_tried} rigid shifts tried, {len(found.structures)} of the lowest at rest, "
        f"with {len(np.unique(np.round(found.candidate_energies_j_per_m2, 3)))} different energies",
        f"lowest where no atom moves in its grain: {found.rigid_energy_j_per_m2:.4g} J/m²",
    )


def boundary_figures(found: GrainBoundary) -> tuple[Figure, ...]:
    """Energies of the shifts that were relaxed."""
    edges = np.arange(len(found.structures) + 1, dtype=np.float64) - 0.5
    names = ", ".join(f"{n}: ({a:.2f}, {b:.2f})" for n, (a, b) in enumerate(found.candidate_shifts))
    return (
        Figure(
            "boundary",
            "Energies of the boundary by the shift it began with",
            "shift",
            "energy (J/m²)",
            (Bars(edges, found.candidate_energies_j_per_m2, "at rest"),),
            note=f"Shifts, in shares of the boundary's vectors: {names}.",
        ),
    )
