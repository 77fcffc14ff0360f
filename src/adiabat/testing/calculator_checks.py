"""The checks of an ASE calculator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from ase import Atoms
from ase.calculators.abc import GetPropertiesMixin

from adiabat.testing.calculator_subject import NotApplicable, Subject
from adiabat.testing.structures import random_rotation
from adiabat.testing.violation import ContractViolation
from adiabat.typing import FloatArray

STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
"""Five points for a first derivative, the middle one without weight: the error is step⁴/30 times the fifth derivative."""

PIECES = 200
"""Of a path of 1 Å: a smooth potential leaves less than 1e-9 eV unexplained in each."""
CLOSE_LOOKS = 3
"""Pieces that are looked at closer: more than one, for the work may be explained worst where the potential is steepest."""
ZOOM, ZOOMS = 10, 4
"""Each close look is ten times closer than the one before; the last is over 5e-7 Å, where only a jump is not a straight line."""


def _check_forces(subject: Subject) -> None:
    atoms, step = subject.atoms, subject.tolerances.step
    found = subject.forces(atoms)
    chosen = np.sort(subject.rng.permutation(len(atoms))[: subject.probed])
    expected = np.zeros((len(chosen), 3))
    for row, atom in enumerate(chosen):
        for axis in range(3):
            for offset, weight in STENCIL:
                moved = atoms.copy()
                moved.positions[atom, axis] += offset * step
                expected[row, axis] -= weight * subject.energy(moved) / step
    rule = "forces are minus the derivative of the energy with the positions"
    place, tolerance = f"finite differences, atoms {chosen.tolist()}", subject.tolerances.derivatives
    subject.require_forces(found[chosen], expected, place=place, rule=rule, tolerance=tolerance)


def _check_stress(subject: Subject) -> None:
    atoms, step = subject.atoms, subject.tolerances.step
    found = subject.stress(atoms)
    expected = np.zeros((3, 3))
    for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        strain = np.zeros((3, 3))
        strain[i, j] = strain[j, i] = 1.0 if i == j else 0.5
        for offset, weight in STENCIL:
            energy = subject.energy(_deformed(atoms, np.eye(3) + offset * step * strain))
            expected[i, j] += weight * energy / step / atoms.get_volume()
        expected[j, i] = expected[i, j]
    rule = (
        "stress is the derivative of the energy with the strain over the volume, positive under tension, in Voigt order"
    )
    tolerance = subject.tolerances.derivatives
    subject.require_stress(found, expected, place="finite strains", rule=rule, tolerance=tolerance)


def _check_translation(subject: Subject) -> None:
    moved = subject.atoms.copy()
    moved.positions += subject.rng.uniform(-3, 3, 3)
    _require_unchanged(subject, moved, np.eye(3), place="translated")


def _check_rotation(subject: Subject) -> None:
    rotation = random_rotation(subject.rng)
    _require_unchanged(subject, _deformed(subject.atoms, rotation), rotation, place="rotated")


def _check_images(subject: Subject) -> None:
    atoms = subject.atoms
    if not atoms.pbc.any():
        raise NotApplicable("the structure has no periodic images")
    shifts = np.where(atoms.pbc, subject.rng.integers(-2, 3, (len(atoms), 3)), 0)
    moved = atoms.copy()
    moved.positions += shifts @ atoms.cell.array
    _require_unchanged(subject, moved, np.eye(3), place="with other periodic images")


def _check_permutation(subject: Subject) -> None:
    order = subject.rng.permutation(len(subject.atoms))
    permuted = cast(Atoms, subject.atoms[order])
    rule = "the energy and the force on each atom do not depend on the order of the atoms"
    expected = subject.energy(subject.atoms), subject.forces(subject.atoms)[order]
    subject.require_energy(subject.energy(permuted), expected[0], place="permuted", rule=rule)
    subject.require_forces(subject.forces(permuted), expected[1], place="permuted", rule=rule)


def _check_supercell(subject: Subject) -> None:
    atoms = subject.atoms
    if not atoms.pbc.any():
        raise NotApplicable("the structure has no cell to double")
    repeats = np.where(atoms.pbc, 2, 1)
    doubled, times = atoms.repeat(repeats), int(repeats.prod())
    place, rule = (
        f"repeated {repeats.tolist()}",
        "a repeated cell has as many times the energy, the same forces and stress",
    )
    subject.require_energy(subject.energy(doubled) / times, subject.energy(atoms), place=place, rule=rule)
    expected = np.tile(subject.forces(atoms), (times, 1))
    subject.require_forces(subject.forces(doubled), expected, place=place, rule=rule)
    try:
        stress = subject.stress(atoms)
    except NotApplicable:
        return
    subject.require_stress(subject.stress(doubled), stress, place=place, rule=rule)


def _check_freshness(subject: Subject) -> None:
    """Each structure is evaluated after a similar one and after one with other atoms; a result that is stale differs."""
    atoms = subject.atoms
    detour = atoms.repeat(np.where(atoms.pbc, 2, 1)) if atoms.pbc.any() else atoms + _shifted(atoms, 30.0)
    for name, changed in _changes(subject).items():
        subject.forces(atoms)
        energy, forces = subject.energy(changed), subject.forces(changed)
        subject.forces(detour)
        rule = "a result does not depend on what was evaluated before"
        subject.require_energy(energy, subject.energy(changed), place=f"after {name}", rule=rule)
        subject.require_forces(forces, subject.forces(changed), place=f"after {name}", rule=rule)


def _changes(subject: Subject) -> dict[str, Atoms]:
    atoms, changes = subject.atoms, {}
    changes["moving the atoms by 0.02 Å"] = _shifted(atoms, subject.rng.normal(0, 0.02, (len(atoms), 3)))
    changes["moving one atom by 0.5 Å"] = _shifted(atoms, np.eye(len(atoms), 3) * 0.5)
    if len(atoms) > 1:
        changes["removing an atom"] = cast(Atoms, atoms[:-1])
    if len(set(atoms.numbers)) > 1:
        changes["exchanging species"] = atoms.copy()
        changes["exchanging species"].numbers = np.roll(atoms.numbers, 1)
    if atoms.pbc.any():
        changes["stretching the cell alone"] = atoms.copy()
        changes["stretching the cell alone"].set_cell(1.2 * atoms.cell.array)
        changes["straining cell and atoms by 5 %"] = _deformed(atoms, 0.95 * np.eye(3))
    return changes


def _check_path(subject: Subject) -> None:
    """One atom (with its images) along a line of 1 Å; where the energy departs most from the work, it is looked at closer."""
    direction = random_rotation(subject.rng)[0]
    path = _Path(subject, int(subject.rng.integers(len(subject.atoms))), direction)
    coarse = path.sample(-0.5, 0.5, PIECES)
    for start in np.argsort(coarse.unexplained)[-CLOSE_LOOKS:]:
        sample, piece = coarse, int(start)
        for _ in range(ZOOMS):
            sample = path.sample(*sample.around(piece), ZOOM + 2)
            piece = int(sample.unexplained.argmax())
        path.require_continuous(sample, piece)


@dataclass(frozen=True)
class _Sample:
    """Energies and forces at equal distances along a path. Pieces are counted from the second interval to the last but one."""

    offsets: FloatArray
    energies: FloatArray
    forces: FloatArray

    @property
    def unexplained(self) -> FloatArray:
        """eV: by how much the energy departs, in each piece, from the work of the forces.

        The work is that of the trapezoidal rule with its leading error, h³/12 times the second derivative of the force.
        """
        f, h = self.forces, self.offsets[1] - self.offsets[0]
        work = h / 2 * (f[1:-2] + f[2:-1]) - h / 24 * (f[3:] - f[2:-1] - f[1:-2] + f[:-3])
        return np.abs(np.diff(self.energies)[1:-1] + work)

    def force_jump(self, piece: int) -> float:
        """eV/Å: by how much the force changes in a piece beyond what it does before and after."""
        before, within, after = np.diff(self.forces)[piece : piece + 3]
        return abs(float(within - 0.5 * (before + after)))

    def around(self, piece: int) -> tuple[float, float]:
        """The piece and a tenth of it on either side."""
        low, high = self.offsets[piece + 1], self.offsets[piece + 2]
        margin = (high - low) / ZOOM
        return float(low - margin), float(high + margin)


@dataclass(frozen=True)
class _Path:
    subject: Subject
    atom: int
    direction: FloatArray

    def sample(self, low: float, high: float, pieces: int) -> _Sample:
        """The atom's energies and forces along the path."""
        offsets = np.linspace(low, high, pieces + 1)
        energies, forces = np.array([self._at(offset) for offset in offsets]).T
        return _Sample(offsets, energies, forces)

    def require_continuous(self, sample: _Sample, piece: int) -> None:
        """Refuse a jump of the energy or the force that is left in a piece too small for anything else."""
        tolerances = self.subject.tolerances
        jumps = {
            "energy": (float(sample.unexplained[piece]), tolerances.jump_ev, "eV"),
            "force along it": (sample.force_jump(piece), tolerances.jump_ev_per_angstrom, "eV/Å"),
        }
        for name, (jump, allowed, unit) in jumps.items():
            if not jump <= allowed:
                raise ContractViolation(
                    f"atom {self.atom} moved along {np.round(self.direction, 3).tolist()}",
                    value=f"the {name} jumps by {jump:.2e} {unit} at {sample.offsets[piece]:+.4f} Å, allowed are {allowed:.0e}",
                    rule="energy and forces are continuous: what is cut off goes smoothly to zero",
                )

    def _at(self, offset: float) -> tuple[float, float]:
        moved = self.subject.atoms.copy()
        moved.positions[self.atom] += offset * self.direction
        return self.subject.energy(moved), float(self.subject.forces(moved)[self.atom] @ self.direction)


def _check_untouched(subject: Subject) -> None:
    atoms = subject.atoms.copy()
    atoms.info["note"] = "as it was"
    before = atoms.copy()
    atoms.calc = cast(GetPropertiesMixin, subject.calculator)
    forces = atoms.get_forces(apply_constraint=False)
    changed = [name for name in {**before.arrays, **atoms.arrays} if not _same_array(before, atoms, name)]
    changed += [name for name in ("cell", "pbc") if not np.array_equal(getattr(before, name), getattr(atoms, name))]
    changed += ["info"] if before.info != atoms.info else []
    if changed:
        raise ContractViolation("the structure", value=f"{', '.join(changed)} changed", rule="it is left as it is")
    kept = forces.copy()
    forces += 1.0
    if not np.array_equal(atoms.get_forces(apply_constraint=False), kept):
        raise ContractViolation("forces", value="change with the array that was given out", rule="results are copies")


def _same_array(first: Atoms, second: Atoms, name: str) -> bool:
    return first.has(name) and second.has(name) and np.array_equal(first.arrays[name], second.arrays[name])


def _require_unchanged(subject: Subject, changed: Atoms, rotation: FloatArray, *, place: str) -> None:
    atoms = subject.atoms
    rule = "energy, forces and stress move with the structure"
    subject.require_energy(subject.energy(changed), subject.energy(atoms), place=place, rule=rule)
    subject.require_forces(subject.forces(changed), subject.forces(atoms) @ rotation, place=place, rule=rule)
    try:
        stress = subject.stress(atoms)
    except NotApplicable:
        return
    subject.require_stress(subject.stress(changed), rotation.T @ stress @ rotation, place=place, rule=rule)


def _deformed(atoms: Atoms, matrix: FloatArray) -> Atoms:
    deformed = atoms.copy()
    deformed.set_cell(atoms.cell.array @ matrix)
    deformed.positions = atoms.positions @ matrix
    return deformed


def _shifted(atoms: Atoms, displacement: FloatArray | float) -> Atoms:
    moved = atoms.copy()
    moved.positions += displacement
    return moved


CHECKS: dict[str, Callable[[Subject], None]] = {
    "forces": _check_forces,
    "stress": _check_stress,
    "translation": _check_translation,
    "rotation": _check_rotation,
    "periodic images": _check_images,
    "permutation": _check_permutation,
    "supercell": _check_supercell,
    "freshness": _check_freshness,
    "path": _check_path,
    "untouched": _check_untouched,
}
