"""Energies of all surfaces of a crystal up to a Miller index."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from adiabat.errors import SimulationError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation import RelaxationSettings, relax, require_at_rest
from adiabat.properties.surfaces.slabs import Slab, as_text, conventional_cell, distinct_planes, slabs_of
from adiabat.properties.surfaces.wulff import wulff
from adiabat.properties.symmetry import Symmetry
from adiabat.results import EXACT, IN_MEMORY, Bars, Figure, Result, Table
from adiabat.typing import FloatArray
from adiabat.units import JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM

THINNER = 0.65
"""Of the thickness: the slab by which the error of a finite thickness is judged."""


@dataclass(frozen=True)
class Surfaces(Result):
    """Energies of surfaces without reconstructions that a relaxation from the cut crystal does not find.

    Each is the mean of both faces of a slab of whole primitive cells.

    Attributes:
        formula: Of the crystal.
        miller_indices: (n) of the planes, in the conventional cell.
        cuts: (n) which of the ways to cut the crystal along the plane.
        atoms: (n) in the slab.
        thickness_angstrom: (n).
        surface_energy_j_per_m2: (n) atoms at rest.
        unrelaxed_surface_energy_j_per_m2: (n) as cut.
        thickness_error_j_per_m2: (n) how far a slab of two thirds the thickness is off.
        wulff_area_shares: (n) of the equilibrium shape; zero of a surface that does not take part in it.
        mean_surface_energy_j_per_m2: Over that shape.
        wulff_anisotropy: Standard deviation of the energy over that shape, relative to the mean.
        slabs: (n) at rest.
    """

    formula: str
    miller_indices: tuple[tuple[int, int, int], ...]
    cuts: tuple[int, ...]
    atoms: tuple[int, ...]
    thickness_angstrom: FloatArray = field(metadata=EXACT)
    surface_energy_j_per_m2: FloatArray
    unrelaxed_surface_energy_j_per_m2: FloatArray
    thickness_error_j_per_m2: FloatArray = field(metadata=EXACT)
    wulff_area_shares: FloatArray
    mean_surface_energy_j_per_m2: float
    wulff_anisotropy: float
    slabs: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def surfaces(
    rest: Atoms,
    potential: Potential,
    *,
    highest_index: int = 1,
    thickness_angstrom: float = 15.0,
    vacuum_angstrom: float = 12.0,
) -> Surfaces:
    """Energies of all distinct surfaces, all slabs relaxed together.

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        highest_index: Of the planes.
        thickness_angstrom: Of the slabs, at least.
        vacuum_angstrom: Between a slab and its image.

    Raises:
        StructureError: It is not at rest, or not a crystal.
        SimulationError: A slab does not come to rest, or a surface costs nothing: the crystal is none.
    """
    require_at_rest(rest, potential)
    planes = distinct_planes(rest, highest_index)
    thick = _all(rest, planes, thickness_angstrom, vacuum_angstrom)
    thin = _all(rest, planes, THINNER * thickness_angstrom, vacuum_angstrom)
    [bulk] = evaluated(potential, [rest], "energy")
    per_atom = float(bulk[0]) / len(rest)
    as_cut = evaluated(potential, [slab.atoms for slab in thick], "energy")[0]
    found = relax([slab.atoms for slab in [*thick, *thin]], potential, RelaxationSettings())
    for slab, one in zip([*thick, *thin], found, strict=True):
        if not one.converged:
            raise SimulationError(
                f"the slab {as_text(slab.miller)} does not come to rest",
                place=f"surfaces of {rest.get_chemical_formula()}",
                rule="a surface energy is of atoms at rest",
                mend=one.advice,
            )
    energies = _excess([*thick, *thin], np.array([one.energy_ev for one in found]), per_atom)
    own, other = energies[: len(thick)], energies[len(thick) :]
    _require_cost(thick, own, rest)
    millers = np.array([slab.miller for slab in thick], dtype=np.float64)
    normals = np.asarray(millers @ np.linalg.inv(conventional_cell(rest)).T, dtype=np.float64)
    shape = wulff(normals, own, Symmetry.of(rest).point_group)
    return Surfaces(
        formula=rest.get_chemical_formula(),
        miller_indices=tuple(slab.miller for slab in thick),
        cuts=tuple(slab.cut for slab in thick),
        atoms=tuple(len(slab.atoms) for slab in thick),
        thickness_angstrom=np.array([slab.thickness for slab in thick]),
        surface_energy_j_per_m2=own,
        unrelaxed_surface_energy_j_per_m2=_excess(thick, as_cut, per_atom),
        thickness_error_j_per_m2=np.abs(own - other),
        wulff_area_shares=shape.area_shares,
        mean_surface_energy_j_per_m2=shape.mean_energy,
        wulff_anisotropy=shape.anisotropy,
        slabs=tuple(one.atoms for one in found[: len(thick)]),
    )


def _all(rest: Atoms, planes: Sequence[tuple[int, int, int]], thickness: float, vacuum: float) -> list[Slab]:
    return [
        slab for plane in planes for slab in slabs_of(rest, plane, thickness_angstrom=thickness, vacuum_angstrom=vacuum)
    ]


def _excess(slabs: Sequence[Slab], energies: FloatArray, per_atom: float) -> FloatArray:
    """(n,) J/m², of one face."""
    atoms, areas = np.array([len(slab.atoms) for slab in slabs]), np.array([slab.area for slab in slabs])
    return (energies - per_atom * atoms) / (2 * areas) * JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM


def _require_cost(slabs: Sequence[Slab], energies: FloatArray, rest: Atoms) -> None:
    if energies.min() <= 0:
        slab = slabs[int(energies.argmin())]
        raise SimulationError(
            f"the surface {as_text(slab.miller)} has the energy {energies.min():.3g} J/m²",
            place=f"surfaces of {rest.get_chemical_formula()}",
            rule="to cut a crystal costs energy",
            mend="the potential does not know such surfaces, or the crystal is not its ground state: train it on slabs",
        )


def surface_table(found: Surfaces, std: FloatArray | None) -> Table:
    """One row a surface, with the error of the potential and that of the thickness apart."""
    rows = tuple(
        (
            as_text(miller),
            found.cuts[place],
            found.atoms[place],
            float(found.surface_energy_j_per_m2[place]),
            None if std is None else float(std[place]),
            float(found.thickness_error_j_per_m2[place]),
            float(found.unrelaxed_surface_energy_j_per_m2[place] - found.surface_energy_j_per_m2[place]),
            f"{found.wulff_area_shares[place]:.0%}",
        )
        for place, miller in enumerate(found.miller_indices)
    )
    columns = (
        "plane",
        "cut",
        "atoms",
        "energy (J/m²)",
        "std of the potential",
        "error of the thickness",
        "gained by relaxation",
        "of the Wulff shape",
    )
    return Table("surfaces", "Surface energies", columns, rows)


def surface_figures(found: Surfaces) -> tuple[Figure, ...]:
    """Energies of the surfaces, and their shares of the equilibrium shape."""
    edges = np.arange(len(found.miller_indices) + 1, dtype=np.float64) - 0.5
    names = ", ".join(
        f"{place}: {as_text(miller)} cut {cut}"
        for place, (miller, cut) in enumerate(zip(found.miller_indices, found.cuts, strict=True))
    )
    return (
        Figure(
            "surface-energies",
            "Surface energies",
            "surface",
            "energy (J/m²)",
            (
                Bars(edges, found.unrelaxed_surface_energy_j_per_m2, "as cut"),
                Bars(edges, found.surface_energy_j_per_m2, "at rest"),
            ),
            note=f"Surfaces: {names}.",
        ),
        Figure(
            "wulff",
            "Shares of the equilibrium shape",
            "surface",
            "share of its area",
            (Bars(edges, found.wulff_area_shares, "share"),),
            note=f"Surfaces: {names}.",
        ),
    )
