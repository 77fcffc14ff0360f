"""A line through the γ-surface: the energy of a fault by how far one half of the crystal is slid over the other.

V. Vítek, Phil. Mag. 18, 773 (1968).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.errors import ConfigurationError, SimulationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.boundaries.bicrystal import area_of
from adiabat.properties.measured import Measured
from adiabat.properties.phonons.setup import primitive_cell
from adiabat.properties.relaxation import RelaxationSettings, require_at_rest
from adiabat.properties.relaxation.coordinates import Coordinates
from adiabat.properties.relaxation.minimize import Minimum, Projection, minimize
from adiabat.properties.surfaces.slabs import as_text, conventional_cell, cuts_of, layer_of, plane_cell
from adiabat.results import EXACT, IN_MEMORY, Figure, Line, Result
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM

Indices = tuple[int, int, int]

SETTINGS = RelaxationSettings(cell="height", force_tolerance_ev_per_angstrom=2e-3, stress_tolerance_gpa=0.05, steps=500)


@dataclass(frozen=True)
class StackingFaults(Result):
    """A line through the γ-surface; atoms move along the normal alone, so that the fault stays where it is slid to.

    Attributes:
        formula: Of the crystal.
        plane: Miller indices of the fault.
        direction: Of the slide, in the conventional cell.
        cut: Which of the ways to cut the crystal along the plane; the widest gap first.
        atoms: In the cell, which holds one fault.
        thickness_angstrom: Between the fault and its image.
        area_square_angstrom: Of the fault.
        slides_angstrom: (p).
        fault_energy_j_per_m2: (p) atoms and opening at rest along the normal.
        rigid_fault_energy_j_per_m2: (p) where no atom moves in its half.
        unstable_energy_j_per_m2: The highest on the line, at rest.
        end_energy_j_per_m2: At its end: that of the stable fault where the line ends in one.
        structures: (p) at rest.
    """

    formula: str
    plane: Indices
    direction: Indices
    cut: int
    atoms: int
    thickness_angstrom: float = field(metadata=EXACT)
    area_square_angstrom: float = field(metadata=EXACT)
    slides_angstrom: FloatArray = field(metadata=EXACT)
    fault_energy_j_per_m2: FloatArray
    rigid_fault_energy_j_per_m2: FloatArray
    unstable_energy_j_per_m2: float
    end_energy_j_per_m2: float
    structures: tuple[Atoms, ...] = field(metadata=IN_MEMORY)


def stacking_faults(
    rest: Atoms,
    potential: Potential,
    plane: Indices,
    direction: Indices,
    *,
    length: float = 1.0,
    points: int = 9,
    thickness_angstrom: float = 18.0,
    cut: int = 0,
) -> StackingFaults:
    """Slide one half of a crystal over the other, all points of the line relaxed together.

    Args:
        rest: A crystal at rest.
        potential: What it is made of.
        plane: Of the fault, in the conventional cell.
        direction: Of the slide, a vector of the conventional cell in that plane.
        length: Of the line, in shares of that vector: 1/6 of [1 1 -2] leads to fcc's intrinsic fault.
        points: On the line, both ends among them.
        thickness_angstrom: Of the crystal between the fault and its image, at least.
        cut: Which gap between atomic planes, the widest first.

    Raises:
        StructureError: It is not at rest, the direction does not lie in the plane, or there is no such cut.
        ConfigurationError: Fewer than three points, or no length.
        SimulationError: A point does not come to rest.
    """
    require_at_rest(rest, potential)
    _require_line(rest, plane, direction, length, points)
    block = _block(rest, plane, thickness_angstrom, cut)
    slides = np.linspace(0.0, length, points)
    vector = np.array(direction, dtype=np.float64) @ conventional_cell(rest)
    slid = [_slid(block, share * vector) for share in slides]
    [rigid] = evaluated(potential, slid, "energy")
    found = minimize(potential, _space(slid), SETTINGS, project=_along(block))
    if not bool(found.converged.all()):
        place = int((~found.converged).nonzero()[0])
        raise SimulationError(
            f"the fault slid by {slides[place]:.3f} of the vector does not come to rest: a force of "
            f"{float(found.largest_force[place]):.2g} eV/Å is left",
            place=f"stacking fault {as_text(plane)} of {rest.get_chemical_formula()}",
            rule="a fault energy is of atoms at rest along the normal",
            mend="where atoms of the two halves pass through each other, take another cut; or fewer, shorter slides",
        )
    per_area = JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM / area_of(block)
    energies = found.energy.numpy()
    relaxed = (energies - energies[0]) * per_area
    return StackingFaults(
        formula=rest.get_chemical_formula(),
        plane=plane,
        direction=direction,
        cut=cut,
        atoms=len(block),
        thickness_angstrom=block.get_volume() / area_of(block),
        area_square_angstrom=area_of(block),
        slides_angstrom=slides * float(np.linalg.norm(vector)),
        fault_energy_j_per_m2=relaxed,
        rigid_fault_energy_j_per_m2=(rigid - rigid[0]) * per_area,
        unstable_energy_j_per_m2=float(relaxed.max()),
        end_energy_j_per_m2=float(relaxed[-1]),
        structures=_structures(found, slid),
    )


def _block(rest: Atoms, plane: Indices, thickness: float, cut: int) -> Atoms:
    """Whole layers of the crystal, its bottom and top in the middle of the gap where the fault will be."""
    primitive = primitive_cell(rest)
    across = np.array(plane) @ np.linalg.inv(conventional_cell(rest)).T
    normal = np.asarray(across / np.linalg.norm(across), dtype=np.float64)
    vectors = plane_cell(primitive.cell.array, normal, plane)
    height = float(vectors[2] @ normal)
    layer = layer_of(primitive, vectors)
    starts = cuts_of(layer, normal, height)
    if not 0 <= cut < len(starts):
        raise StructureError(
            f"cut {cut}", place=f"fault {as_text(plane)}", rule=f"cuts are 0 to {len(starts) - 1}", mend="take 0"
        )
    over = (layer.positions @ normal - starts[cut]) // height
    layer.positions -= over[:, None] * vectors[2] + starts[cut] * normal
    return layer.repeat((1, 1, max(2, int(np.ceil(thickness / height - 1e-9)))))


def _slid(block: Atoms, vector: FloatArray) -> Atoms:
    """Periodic images above are slid: the fault lies between a block and its image."""
    slid, cell = block.copy(), block.cell.array.copy()
    cell[2] += vector
    slid.set_cell(cell)
    return slid


def _space(slid: Sequence[Atoms]) -> Coordinates:
    batch = Batch.from_atoms(slid)
    return Coordinates.of(batch, cell="height", moves=torch.ones(batch.n_atoms, dtype=torch.bool), pressure=0.0)


def _along(block: Atoms) -> Projection:
    """Of a gradient what moves atoms along the normal; the rows of the cell stay."""
    normal = np.cross(block.cell.array[0], block.cell.array[1])
    axis = torch.from_numpy(normal / np.linalg.norm(normal))

    def project(space: Coordinates, _: Tensor, gradient: Tensor) -> Tensor:
        atoms = space.batch.n_atoms
        return torch.cat([(gradient[:atoms] @ axis)[:, None] * axis, gradient[atoms:]])

    return project


def _structures(found: Minimum, slid: Sequence[Atoms]) -> tuple[Atoms, ...]:
    ended = []
    for place, atoms in enumerate(slid):
        one = atoms.copy()
        one.set_cell(found.batch.cell[place].numpy())
        one.set_positions(found.batch.positions[found.batch.system == place].numpy())
        ended.append(one)
    return tuple(ended)


def _require_line(rest: Atoms, plane: Indices, direction: Indices, length: float, points: int) -> None:
    if points < 3 or not 0 < length < np.inf:
        raise ConfigurationError(
            f"{points} points on a line of {length}",
            place="stacking fault",
            rule="a line has a length, and three points or more",
            mend="take 9 points",
        )
    if not any(plane) or not any(direction) or sum(a * b for a, b in zip(plane, direction, strict=True)) != 0:
        raise StructureError(
            f"the direction {list(direction)} and the plane {as_text(plane)}",
            place=f"stacking fault of {rest.get_chemical_formula()}",
            rule="one half is slid along the plane: h u + k v + l w = 0",
            mend="(1 1 1) with [1 1 -2] or [1 -1 0] in fcc and diamond, (1 1 0) with [1 -1 1] in bcc",
        )


def fault_sentences(found: StackingFaults) -> tuple[str, ...]:
    """The cell and the line."""
    return (
        f"{as_text(found.plane)} of {found.formula}, slid along [{' '.join(map(str, found.direction))}] by up to "
        f"{found.slides_angstrom[-1]:.3f} Å: {found.atoms} atoms, {found.thickness_angstrom:.1f} Å between the fault and its image",
    )


def fault_figures(found: Measured[StackingFaults]) -> tuple[Figure, ...]:
    """The γ-line."""
    result, std = found.result, found.std("fault_energy_j_per_m2")
    return (
        Figure(
            "gamma-line",
            "Energy of the fault",
            "slide (Å)",
            "energy (J/m²)",
            (
                Line(result.slides_angstrom, result.rigid_fault_energy_j_per_m2, "rigid halves", dashed=True),
                Line(
                    result.slides_angstrom,
                    result.fault_energy_j_per_m2,
                    "at rest along the normal",
                    band=None if std is None else np.asarray(std),
                ),
            ),
            note="" if std is None else "The band is one standard deviation wide either way.",
        ),
    )
