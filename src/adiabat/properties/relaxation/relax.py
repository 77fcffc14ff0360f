"""relax: structures at rest, all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from ase import Atoms
from ase.constraints import FixAtoms
from torch import Tensor

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.potential.derivatives import defined_volume
from adiabat.properties.relaxation.coordinates import Coordinates
from adiabat.properties.relaxation.minimize import Minimum, Projection, minimize
from adiabat.properties.relaxation.settings import RelaxationSettings
from adiabat.properties.symmetry import Symmetry, space_group
from adiabat.results import EXACT, IN_MEMORY, Result
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import GPA_PER_EV_PER_CUBIC_ANGSTROM

DEFAULT = RelaxationSettings()


@dataclass(frozen=True)
class Relaxation(Result):
    """A structure where no force, and on a free cell no stress but the pressure, is above its tolerance; or how far it came.

    Attributes:
        formula: Of the structure.
        converged: Whether it is at rest.
        advice: What to do where it is not; None where it is.
        steps: That were made.
        energy_ev: At the end.
        energy_ev_per_atom: At the end.
        enthalpy_ev_per_atom: Energy and pressure times volume.
        volume_cubic_angstrom: None without three periodic directions.
        cell_lengths_angstrom: (3,) likewise.
        cell_angles_degree: (3,) likewise.
        pressure_gpa: That it was relaxed at.
        largest_force_ev_per_angstrom: On an atom that moves, at the end.
        largest_stress_gpa: The largest component that the pressure leaves; None where the cell is fixed.
        space_group_before: International symbol and number; None without three periodic directions.
        space_group: At the end.
        enthalpies_ev: After each step.
        atoms: The structure at the end.
    """

    formula: str
    converged: bool
    advice: str | None
    steps: int
    energy_ev: float
    energy_ev_per_atom: float
    enthalpy_ev_per_atom: float
    volume_cubic_angstrom: float | None
    cell_lengths_angstrom: FloatArray | None
    cell_angles_degree: FloatArray | None
    pressure_gpa: float = field(metadata=EXACT)
    largest_force_ev_per_angstrom: float = field(metadata=EXACT)
    largest_stress_gpa: float | None = field(metadata=EXACT)
    space_group_before: str | None
    space_group: str | None
    enthalpies_ev: FloatArray = field(metadata=EXACT)
    atoms: Atoms = field(metadata=IN_MEMORY)


def relax(
    structures: Sequence[Atoms], potential: Potential, settings: RelaxationSettings = DEFAULT
) -> list[Relaxation]:
    """Structures at rest, relaxed together: each has its own steps, and leaves the batch when it is done.

    Args:
        structures: Where to begin. Atoms held by ASE's `FixAtoms` stay; other constraints are refused.
        potential: What is followed.
        settings: What moves, and when it is enough.

    Raises:
        StructureError: A structure that cannot be evaluated, other constraints, or held atoms in a cell that moves.
        PropertyUnavailable: A cell that moves without three periodic directions.
        UnknownSpecies: An element that the potential does not know.
    """
    structures = list(structures)
    groups = [Symmetry.of(atoms) for atoms in structures] if settings.keep_symmetry else None
    begin = [g.refined(a) for g, a in zip(groups, structures, strict=True)] if groups else structures
    batch = Batch.from_atoms(begin)
    if settings.cell != "fixed":
        defined_volume(batch)
    held = [_held(atoms, settings, place=f"structure {place}") for place, atoms in enumerate(structures)]
    space = Coordinates.of(
        batch,
        cell=settings.cell,
        moves=torch.from_numpy(~np.concatenate(held)),
        pressure=settings.pressure_gpa / GPA_PER_EV_PER_CUBIC_ANGSTROM,
    )
    project = None if groups is None else _projection(groups)
    found = minimize(potential, space, settings, project=project)
    _require_begun(found, structures)
    return [_relaxation(found, place, atoms, settings) for place, atoms in enumerate(structures)]


def _held(atoms: Atoms, settings: RelaxationSettings, *, place: str) -> np.ndarray:
    """(N,) bool: atoms that stay."""
    held = np.zeros(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        if not isinstance(constraint, FixAtoms):
            raise StructureError(
                f"holds the constraint {type(constraint).__name__}",
                place=place,
                rule="atoms move, or are held by FixAtoms",
                mend="take the constraint off: atoms.set_constraint()",
            )
        held[constraint.index] = True
    if held.any() and (settings.cell != "fixed" or settings.keep_symmetry):
        raise StructureError(
            f"{int(held.sum())} of its atoms are held (FixAtoms)",
            place=place,
            rule="atoms are held in a cell that is fixed, and without a symmetry to keep",
            mend="fix the cell, or let the atoms go: atoms.set_constraint()",
        )
    return held


def _projection(groups: Sequence[Symmetry]) -> Projection:
    def project(space: Coordinates, left: Tensor, gradient: Tensor) -> Tensor:
        n_atoms, values = space.batch.n_atoms, gradient.numpy().copy()
        ends = np.concatenate([[0], space.batch.counts.cumsum(0).numpy()])
        for place, number in enumerate(left.tolist()):
            atoms = slice(ends[place], ends[place + 1])
            values[atoms] = groups[number].vectors(values[atoms])
            if len(values) > n_atoms:
                rows = slice(n_atoms + 3 * place, n_atoms + 3 * place + 3)
                values[rows] = groups[number].tensor(values[rows])
        return torch.from_numpy(values)

    return project


def _require_begun(found: Minimum, structures: Sequence[Atoms]) -> None:
    """Refuse what could not be evaluated even once: that is no matter of its relaxation."""
    for place, why in found.lost.items():
        if bool(torch.isnan(found.energy[place])):
            raise StructureError(
                f"cannot be evaluated: {why}",
                place=f"structure {place}, {structures[place].get_chemical_formula()}",
                rule="a relaxation begins where the potential has an energy",
                mend="mend the structure, or leave it out",
            )


def _relaxation(found: Minimum, place: int, given: Atoms, settings: RelaxationSettings) -> Relaxation:
    atoms = _ended(found, place, given)
    periodic = bool(atoms.pbc.all())
    stress = float(found.largest_stress[place]) * GPA_PER_EV_PER_CUBIC_ANGSTROM
    energy, steps = float(found.energy[place]), int(found.steps[place])
    enthalpies = np.array([float(each[place]) for each in found.enthalpies[: steps + 1]])
    lengths_angles = np.asarray(atoms.cell.cellpar(), dtype=np.float64)
    return Relaxation(
        formula=atoms.get_chemical_formula(),
        converged=bool(found.converged[place]),
        advice=_advice(found, place, settings),
        steps=steps,
        energy_ev=energy,
        energy_ev_per_atom=energy / len(atoms),
        enthalpy_ev_per_atom=float(found.enthalpy[place]) / len(atoms),
        volume_cubic_angstrom=float(atoms.get_volume()) if periodic else None,
        cell_lengths_angstrom=lengths_angles[:3] if periodic else None,
        cell_angles_degree=lengths_angles[3:] if periodic else None,
        pressure_gpa=settings.pressure_gpa,
        largest_force_ev_per_angstrom=float(found.largest_force[place]),
        largest_stress_gpa=None if settings.cell == "fixed" else stress,
        space_group_before=space_group(given),
        space_group=space_group(atoms),
        enthalpies_ev=enthalpies,
        atoms=atoms,
    )


def _ended(found: Minimum, place: int, given: Atoms) -> Atoms:
    atoms = given.copy()
    atoms.set_cell(found.batch.cell[place].numpy(), scale_atoms=False)
    atoms.set_positions(found.batch.positions[found.batch.system == place].numpy(), apply_constraint=False)
    return atoms


def _advice(found: Minimum, place: int, settings: RelaxationSettings) -> str | None:
    if bool(found.converged[place]):
        return None
    if place in found.lost:
        return (
            f"{found.lost[place]}: the potential does not hold this structure together; begin closer to rest, or train it on "
            "structures like this one"
        )
    force, stress = (
        float(found.largest_force[place]),
        float(found.largest_stress[place]) * GPA_PER_EV_PER_CUBIC_ANGSTROM,
    )
    left = f"a force of {force:.2g} eV/Å is left"
    if settings.cell != "fixed":
        left += f" and a stress of {stress:.2g} GPa"
    other = "begin closer to rest, or let the other method try ('fire')" if settings.method == "lbfgs" else "allow more"
    return f"{left} after {settings.steps} steps: go on from here with more steps; where these do not help, {other}"
