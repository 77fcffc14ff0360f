"""A potential beside its reference, structure by structure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from ase.data import chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress

from adiabat.errors import DataError, PropertyUnavailable, UnknownSpecies
from adiabat.evaluation.distance import Distance
from adiabat.evaluation.predicted import Asked, predict_each, require_uncertainty
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Labelled, Labels
from adiabat.typing import FloatArray, Quantity

LABELLED_QUANTITIES: tuple[Quantity, ...] = ("energy", "forces", "stress")


@dataclass(frozen=True)
class Compared:
    """One structure with its reference labels and what the potential says in their place.

    Attributes:
        structure: The structure and its labels.
        predicted: The same quantities as there are labels, by the potential.
        std: Their standard deviations, where they were asked for.
        distance: (n,) how far each atom's environment is from the training data, where that was asked for.
    """

    structure: Labelled
    predicted: Labels
    std: Labels = field(default_factory=Labels)
    distance: FloatArray | None = None

    @property
    def n_atoms(self) -> int:
        """Atoms of the structure."""
        return len(self.structure.atoms)

    @property
    def energy_error_ev(self) -> float | None:
        """Predicted minus reference, of the whole structure."""
        reference, predicted = self.structure.labels.energy, self.predicted.energy
        return None if reference is None or predicted is None else predicted - reference

    @property
    def force_errors(self) -> FloatArray | None:
        """(n, 3) eV/Å, predicted minus reference."""
        reference, predicted = self.structure.labels.forces, self.predicted.forces
        return None if reference is None or predicted is None else predicted - reference

    @property
    def largest_force_error(self) -> float | None:
        """eV/Å, the longest error vector of an atom."""
        errors = self.force_errors
        return None if errors is None else float(np.linalg.norm(errors, axis=1).max())

    @property
    def stress_errors(self) -> FloatArray | None:
        """(6,) eV/Å³, predicted minus reference: xx yy zz yz xz xy."""
        reference, predicted = self.structure.labels.stress, self.predicted.stress
        if reference is None or predicted is None:
            return None
        return full_3x3_to_voigt_6_stress(predicted - reference)


@dataclass(frozen=True)
class LeftOut:
    """A structure that could not be compared, and why."""

    place: str
    config_type: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """All structures that could be compared, in their order, and those that could not.

    Attributes:
        compared: With reference and prediction.
        left_out: With the reason.
        atomic_energies_ev: By atomic number, what the potential counts energies from; empty where it has no such part.
    """

    compared: tuple[Compared, ...]
    left_out: tuple[LeftOut, ...] = ()
    atomic_energies_ev: Mapping[int, float] = field(default_factory=dict)


def compare(
    potential: Potential,
    structures: Sequence[Labelled],
    *,
    distance: Distance | None = None,
    uncertainty: bool = False,
    quiet: bool = False,
) -> Comparison:
    """Evaluate a potential on labelled structures: of each structure the quantities that it has labels of.

    A structure without labels, or for which the potential has no answer (an isolated atom where the atomic energies are
    a fitted shift), is left out, with the reason.

    Args:
        potential: What is looked at.
        structures: With their labels.
        distance: How far an atom's environment is from the training data.
        uncertainty: Ask for standard deviations too, of a potential that has them.
        quiet: Show no progress.

    Raises:
        UnknownSpecies: An element that the potential does not know, in the first place where it stands.
        DataError: A label of the wrong shape or not finite; nothing that can be compared.
        StructureError: A structure that cannot be evaluated.
        PropertyUnavailable: Standard deviations are asked for, and the potential has none.
    """
    if uncertainty:
        require_uncertainty(potential)
    for structure in structures:
        require_known(potential, structure)
        _require_usable(structure)
    asked = Asked(potential, (), uncertainty, distance)
    outcomes = track(_outcomes(asked, structures), "evaluating structures", total=len(structures), quiet=quiet)
    found = dict(outcomes)
    in_order = [found[index] for index in range(len(structures))]
    compared = tuple(outcome for outcome in in_order if isinstance(outcome, Compared))
    left_out = tuple(outcome for outcome in in_order if isinstance(outcome, LeftOut))
    if not compared:
        raise DataError(
            "no structure can be compared" + (f": {left_out[0].reason}" if left_out else ""),
            place=left_out[0].place if left_out else "the structures",
            rule="an evaluation needs one labelled structure or more that the potential can evaluate",
            mend="give structures with energies, forces or stresses",
        )
    return Comparison(compared, left_out, _atomic_energies(potential))


def _atomic_energies(potential: Potential) -> dict[int, float]:
    parts = [part for part in potential.parts if isinstance(part, IsolatedAtoms)]
    return {number: sum(part.energies_ev[number] for part in parts) for number in potential.species if parts}


def require_known(potential: Potential, structure: Labelled) -> None:
    """Refuse a structure with an element that the potential does not know; raises UnknownSpecies with its place."""
    unknown = sorted(set(structure.atoms.numbers.tolist()) - set(potential.species))
    if unknown:
        raise UnknownSpecies(
            f"holds {', '.join(chemical_symbols[number] for number in unknown)}",
            place=structure.place,
            rule=f"this potential knows {', '.join(chemical_symbols[number] for number in potential.species)}",
            mend="train one with data of this element, or take the structure out",
        )


def _require_usable(structure: Labelled) -> None:
    labels, atoms = structure.labels, structure.atoms
    expected = {"energy": (), "forces": (len(atoms), 3), "stress": (3, 3)}
    for name in _wanted(structure):
        label = np.asarray(getattr(labels, name))
        if label.shape != expected[name] or not np.isfinite(label).all():
            raise DataError(
                f"the {name} label has the shape {label.shape} and the largest magnitude {np.abs(label).max(initial=0):g}",
                place=structure.place,
                rule=f"{name} of {len(atoms)} atoms has the shape {expected[name]} and is finite",
                mend="mend the label, or leave it None",
            )
    if labels.stress is not None and not (atoms.pbc.all() and atoms.cell.volume > 0):
        raise DataError(
            f"has a stress label and is periodic along {atoms.pbc.tolist()}",
            place=structure.place,
            rule="stress is defined with three periodic directions and a volume",
            mend="leave the stress label None, or give the structure its cell",
        )


def _wanted(structure: Labelled) -> tuple[Quantity, ...]:
    return tuple(name for name in LABELLED_QUANTITIES if getattr(structure.labels, name) is not None)


def _outcomes(asked: Asked, structures: Sequence[Labelled]) -> Iterator[tuple[int, Compared | LeftOut]]:
    """In batches of structures with the same kinds of labels, each with its index."""
    by_labels: dict[tuple[Quantity, ...], list[int]] = {}
    for index, structure in enumerate(structures):
        by_labels.setdefault(_wanted(structure), []).append(index)
    for want, indices in by_labels.items():
        members = [structures[index] for index in indices]
        yield from zip(indices, _compared(replace(asked, want=want), members), strict=True)


def _compared(asked: Asked, members: Sequence[Labelled]) -> Iterator[Compared | LeftOut]:
    if not asked.want:
        yield from (LeftOut(member.place, member.config_type, "it has no label") for member in members)
        return
    for member, found in zip(members, predict_each(asked, members), strict=True):
        if isinstance(found, PropertyUnavailable):
            yield LeftOut(member.place, member.config_type, found.what)
        else:
            yield Compared(member, found.values, found.std, found.distance)
