"""What the phonons of a crystal are computed in: its primitive cell, a supercell, displacements, and a path through reciprocal space."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from ase import Atoms

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties.phonons.charges import EffectiveCharges
from adiabat.properties.phonons.primitive import phonopy_cell, primitive_cell
from adiabat.typing import FloatArray

DISPLACEMENT_ANGSTROM = 0.01
"""Either way, where symmetry does not make one the other; the error is of the second order in it."""

WITHOUT_RANGE_ANGSTROM = 12.0
"""Height of the supercell where a potential does not say how far it reaches."""

SYMPREC_ANGSTROM = 1e-4
"""Phonopy's tolerance for symmetry."""

POINTS_PER_RECIPROCAL_ANGSTROM = 100.0
"""Along the path, q without 2π."""

OFF_CENTRE_PER_ANGSTROM = 0.002
"""q, without 2π, in place of the zone's centre where only the limit along a direction is known."""

GREEK = {"GAMMA": "Γ", "DELTA": "Δ", "LAMBDA": "Λ", "SIGMA": "Σ"}


@dataclass(frozen=True)
class BandPath:
    """Straight lines between points of high symmetry.

    Attributes:
        labels: (lines) of both ends.
        points: (lines) each (n, 3), in reciprocal vectors of the primitive cell.
        lengths: (lines) each (n,) 1/Å, from the path's start; where it jumps, two lines share a length.
        special: By label, the points of high symmetry on it.
    """

    labels: tuple[tuple[str, str], ...]
    points: tuple[FloatArray, ...]
    lengths: tuple[FloatArray, ...]
    special: dict[str, FloatArray]

    def off_centre(self, primitive: Atoms) -> tuple[FloatArray, FloatArray]:
        """The path (q, 3), and its special points in their order, the zone's centre moved a little along the line that it ends.

        Args:
            primitive: In whose reciprocal vectors points are.
        """
        lines = [_off_centre(line, primitive) for line in self.points]
        special = dict(self.special)
        for ends, line in reversed(list(zip(self.labels, lines, strict=True))):
            special[ends[1]], special[ends[0]] = line[-1], line[0]
        return np.concatenate(lines), np.array([special[label] for label in self.special])


@dataclass(frozen=True)
class PhononSetup:
    """Made once for a crystal; force constants of any potential go through it.

    Attributes:
        primitive: The cell whose phonons they are; not turned.
        repeats: (3,) of it along its vectors.
        images: (3,) Å, how far images are apart.
        reach: Å, of the potential; infinite where it is not known.
        path: Through reciprocal space.
        charges: Whose long-ranged field is added; None where there is none.
        phonopy: What does the symmetry: its force constants are those of the last potential.
    """

    primitive: Atoms
    repeats: tuple[int, int, int]
    images: FloatArray
    reach: float
    path: BandPath
    charges: EffectiveCharges | None
    phonopy: Any

    @classmethod
    def of(
        cls,
        rest: Atoms,
        potential: Potential,
        *,
        repeats: Sequence[int] | None = None,
        charges: EffectiveCharges | None = None,
    ) -> Self:
        """For a crystal, primitive or not.

        Args:
            rest: At rest.
            potential: By whose reach the supercell is chosen, or judged.
            repeats: Of the primitive cell; by default so many that an atom and its image have no neighbour in common.
            charges: Of the primitive cell's atoms, for the long-ranged field that a short-ranged potential lacks.

        Raises:
            StructureError: Not periodic in three directions; or the supercell is so small that an atom and its own image have
                neighbours in common.
        """
        primitive, reach = primitive_cell(rest), potential.interaction_range
        needed = 2 * reach if math.isfinite(reach) else WITHOUT_RANGE_ANGSTROM
        heights = 1 / np.linalg.norm(np.linalg.inv(primitive.cell.array), axis=0)
        chosen = np.ceil(needed / heights - 1e-9).astype(int) if repeats is None else np.asarray(repeats, dtype=int)
        if chosen.shape != (3,) or (chosen < 1).any():
            raise StructureError(
                f"a supercell of {chosen.tolist()} cells",
                place="phonons",
                rule="it has one cell or more along each of three vectors",
                mend="give three numbers",
            )
        images = heights * chosen
        if math.isfinite(reach) and images.min() < needed - 1e-6:
            least = np.ceil(needed / heights - 1e-9).astype(int).tolist()
            raise StructureError(
                f"images of an atom are {images.min():.2f} Å apart in {' x '.join(map(str, chosen.tolist()))} primitive cells",
                place=f"phonons of {rest.get_chemical_formula()}",
                rule=f"the potential reaches {reach:g} Å: an atom and its image have neighbours in common below {needed:g} Å",
                mend=f"take {' x '.join(map(str, least))} or more",
            )
        made = tuple(int(n) for n in chosen)
        phonopy = _phonopy(primitive, made, charges)
        return cls(primitive, (made[0], made[1], made[2]), images, reach, band_path(primitive), charges, phonopy)

    def at(self, rest: Atoms) -> Self:
        """For the same crystal strained and relaxed: another one only where there is a field, which depends on the volume.

        Force constants in reduced coordinates do not ask how large the cell is, and finding the symmetry of a supercell takes time.
        """
        if self.charges is None:
            return self
        primitive = primitive_cell(rest)
        return replace(self, primitive=primitive, phonopy=_phonopy(primitive, self.repeats, self.charges))

    @property
    def exact(self) -> bool:
        """Whether force constants of all pairs fit: those of a many-body potential reach twice as far as its atoms do."""
        return bool(self.images.min() >= 4 * self.reach)

    def displaced(self, rest: Atoms) -> list[Atoms]:
        """Supercells of a crystal, each with an atom displaced.

        Args:
            rest: The crystal that the setup was made of, or one that is strained from it.
        """
        return self.moved(rest, self.phonopy.supercell, self.phonopy.supercells_with_displacements)

    def moved(self, rest: Atoms, perfect: Any, displaced: Sequence[Any]) -> list[Atoms]:
        """Phonopy's displaced supercells of the primitive cell as structures, strained with it, by displacements that stay.

        Args:
            rest: As of `displaced`.
            perfect: The supercell.
            displaced: The same with atoms displaced.
        """
        scale = np.linalg.solve(self.primitive.cell.array, primitive_cell(rest).cell.array)
        return [
            Atoms(
                cell.symbols,
                positions=perfect.positions @ scale + (cell.positions - perfect.positions),
                cell=cell.cell @ scale,
                pbc=True,
            )
            for cell in displaced
        ]


def band_path(primitive: Atoms) -> BandPath:
    """Seekpath's path (Y. Hinuma et al., Comput. Mater. Sci. 128, 140 (2017)), in the vectors of this cell."""
    import seekpath

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib's, of what seekpath calls
        found = seekpath.get_path_orig_cell((primitive.cell.array, primitive.get_scaled_positions(), primitive.numbers))
    special = {_greek(name): np.asarray(point, dtype=np.float64) for name, point in found["point_coords"].items()}
    reciprocal = np.linalg.inv(primitive.cell.array).T
    labels, points, lengths, far = [], [], [], 0.0
    for ends in found["path"]:
        first, last = (_greek(end) for end in ends)
        length = float(np.linalg.norm((special[last] - special[first]) @ reciprocal))
        n = max(2, int(length * POINTS_PER_RECIPROCAL_ANGSTROM) + 1)
        labels.append((first, last))
        points.append(np.linspace(special[first], special[last], n))
        lengths.append(far + np.linspace(0, length, n))
        far += length
    used = {label: special[label] for ends in labels for label in ends}
    return BandPath(tuple(labels), tuple(points), tuple(lengths), used)


def _off_centre(line: FloatArray, primitive: Atoms) -> FloatArray:
    """A line (n, 3) whose ends are not at the zone's centre."""
    length = np.linalg.norm((line[-1] - line[0]) @ np.linalg.inv(primitive.cell.array).T)
    step, moved = (line[-1] - line[0]) * OFF_CENTRE_PER_ANGSTROM / length, line.copy()
    for end, sign in ((0, 1.0), (-1, -1.0)):
        if not line[end].any():
            moved[end] = sign * step
    return moved


def _phonopy(primitive: Atoms, repeats: Sequence[int], charges: EffectiveCharges | None) -> Any:
    from phonopy import Phonopy

    made = Phonopy(
        phonopy_cell(primitive), np.diag(np.asarray(repeats)), primitive_matrix="P", symprec=SYMPREC_ANGSTROM
    )
    made.generate_displacements(distance=DISPLACEMENT_ANGSTROM)
    if charges is not None:
        made.nac_params = charges.for_phonopy()
    return made


def _greek(name: str) -> str:
    """``GAMMA`` as Γ, ``W_2`` as W₂."""
    base, _, number = name.partition("_")
    return GREEK.get(base, base) + "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in number)
