"""trust: which structures a potential should not be trusted on, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from adiabat.errors import PropertyUnavailable
from adiabat.evaluation.compare import require_known
from adiabat.evaluation.criterion import Criterion, Judgement
from adiabat.evaluation.distance import extrapolation_of, training_distance
from adiabat.evaluation.predicted import Asked, Predicted, predict_each, require_uncertainty
from adiabat.potential import Potential
from adiabat.results import IN_MEMORY, Result
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.typing import FloatArray
from adiabat.uncertainty.extrapolation import Extrapolation, Verdict

NEAR = "And where none of its atoms is farther from the training than those of nearly all structures left out of it."


@dataclass(frozen=True)
class StructureTrust:
    """How sure the potential is of one structure, and whether that will do; None where it has no answer, or does not know.

    Attributes:
        place: File and index.
        config_type: The kind of structure.
        formula: What it is made of.
        trusted: The verdict.
        reason: Why, in a sentence.
        structure: What was judged; not in the JSON.
        energy_ev_per_atom: By the potential.
        energy_std_ev_per_atom: Its standard deviation.
        largest_force_std_ev_per_angstrom: Of the force vector on the least known atom: the root of the summed variances of its
            three components.
        least_known_atom: Its number, from 0.
        extrapolation_grade: How far the farthest of its atoms is from the training; None also of a potential that cannot tell,
            and where it is infinite, for a species of which the training held no atom.
        extrapolation_threshold: From which grade on it is far, in a structure with so many different atoms.
        force_std: (n,) eV/Å, of the force vector on each atom; not in the JSON.
    """

    place: str
    config_type: str
    formula: str
    trusted: bool
    reason: str
    structure: Labelled = field(metadata=IN_MEMORY, repr=False)
    energy_ev_per_atom: float | None = None
    energy_std_ev_per_atom: float | None = None
    largest_force_std_ev_per_angstrom: float | None = None
    least_known_atom: int | None = None
    extrapolation_grade: float | None = None
    extrapolation_threshold: float | None = None
    force_std: FloatArray | None = field(default=None, metadata=IN_MEMORY, repr=False)


@dataclass(frozen=True)
class Trust:
    """The verdicts on some structures.

    Attributes:
        criterion: By which they were made, in a sentence.
        trusted: How many structures are.
        not_trusted: How many are not.
        structures: In their order.
    """

    criterion: str
    trusted: int
    not_trusted: int
    structures: tuple[StructureTrust, ...]


@dataclass(frozen=True)
class Unlabelled(Result):
    """What there is to say of structures without labels.

    Attributes:
        uncertainty: Which of them to trust the potential on.
    """

    uncertainty: Trust


def trust(potential: Potential, structures: Sequence[Labelled], *, quiet: bool = False) -> Trust:
    """Energies and forces with their standard deviations, and a verdict on each structure; labels are not needed.

    Args:
        potential: One that has uncertainties.
        structures: What it is asked of.
        quiet: Show no progress.

    Raises:
        PropertyUnavailable: The potential has no uncertainties, or nothing to measure them by.
        UnknownSpecies: An element that it does not know.
        StructureError: A structure that cannot be evaluated.
    """
    require_uncertainty(potential)
    criterion, detector = Criterion.of(potential), extrapolation_of(potential)
    for structure in structures:
        require_known(potential, structure)
    grades = training_distance(potential) if detector is not None else None
    asked = Asked(potential, ("energy", "forces"), uncertainty=True, distance=grades)
    predictions = track(predict_each(asked, structures), "judging structures", total=len(structures), quiet=quiet)
    judged = tuple(
        _unanswered(one, found.what)
        if isinstance(found, PropertyUnavailable)
        else _judged(one, found, criterion, _verdict(one, found, detector))
        for one, found in zip(structures, predictions, strict=True)
    )
    trusted = sum(one.trusted for one in judged)
    rule = criterion.sentence if grades is None else f"{criterion.sentence} {NEAR}"
    return Trust(rule, trusted, len(judged) - trusted, judged)


def _verdict(one: Labelled, found: Predicted, detector: Extrapolation | None) -> Verdict | None:
    """By how far its atoms are from the training, where the potential can tell."""
    if detector is None or found.distance is None:
        return None
    grades, numbers = torch.from_numpy(found.distance), torch.from_numpy(one.atoms.numbers)
    return detector.verdicts(grades, numbers, [len(one.atoms)])[0]


def _judged(one: Labelled, found: Predicted, criterion: Criterion, verdict: Verdict | None) -> StructureTrust:
    values, n_atoms = found.values, len(one.atoms)
    if values.energy is None:
        raise TypeError("an energy was asked for, and did not come")
    energy_std = None if found.std.energy is None else found.std.energy / n_atoms
    by_atom = None if found.std.forces is None else np.linalg.norm(found.std.forces, axis=1)
    judgements = [criterion.judge(energy_std, by_atom, one.atoms.get_chemical_symbols())]
    if verdict is not None:
        judgements.append(Judgement(not verdict.flagged, verdict.why))
    doubts = [judgement.why for judgement in judgements if not judgement.trusted]
    return StructureTrust(
        place=one.place,
        config_type=one.config_type,
        formula=one.atoms.get_chemical_formula(),
        trusted=not doubts,
        reason="; ".join(doubts or [judgement.why for judgement in judgements]),
        structure=one,
        energy_ev_per_atom=values.energy / n_atoms,
        energy_std_ev_per_atom=energy_std,
        largest_force_std_ev_per_angstrom=None if by_atom is None else float(by_atom.max()),
        least_known_atom=None if by_atom is None else int(by_atom.argmax()),
        extrapolation_grade=None if verdict is None else verdict.grade,
        extrapolation_threshold=None if verdict is None else verdict.threshold,
        force_std=by_atom,
    )


def _unanswered(one: Labelled, why: str) -> StructureTrust:
    """Of a structure for which the potential has no energy."""
    formula = one.atoms.get_chemical_formula()
    return StructureTrust(one.place, one.config_type, formula, trusted=False, reason=why, structure=one)
