"""trust: which structures a potential should not be trusted on, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from adiabat.errors import PropertyUnavailable
from adiabat.evaluation.compare import require_known
from adiabat.evaluation.predicted import Asked, Predicted, predict_each, require_uncertainty
from adiabat.potential import Potential
from adiabat.results import IN_MEMORY, Result
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.typing import FloatArray

MOST_UNCERTAIN = 3.0
"""Times the typical error, up to which an atom's force is trusted."""


@dataclass(frozen=True)
class StructureTrust:
    """How sure the potential is of one structure, and whether that will do; None where it has no answer.

    Attributes:
        place: File and index.
        config_type: The kind of structure.
        formula: What it is made of.
        energy_ev_per_atom: By the potential.
        energy_std_ev_per_atom: Its standard deviation.
        largest_force_std_ev_per_angstrom: Of the force vector on the least known atom: the root of the summed variances of its
            three components.
        least_known_atom: Its number, from 0.
        trusted: The verdict.
        reason: Why, in a sentence.
        structure: What was judged; not in the JSON.
        force_std: (n,) eV/Å, of the force vector on each atom; not in the JSON.
    """

    place: str
    config_type: str
    formula: str
    energy_ev_per_atom: float | None
    energy_std_ev_per_atom: float | None
    largest_force_std_ev_per_angstrom: float | None
    least_known_atom: int | None
    trusted: bool
    reason: str
    structure: Labelled = field(metadata=IN_MEMORY, repr=False)
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


@dataclass(frozen=True)
class ForceCriterion:
    """An atom's force is trusted while its standard deviation stays near the typical error.

    Attributes:
        typical: eV/Å: root mean square error of force components on structures left out of the training.
    """

    typical: float

    @property
    def sentence(self) -> str:
        """For people."""
        return (
            f"A structure is trusted where the standard deviation of each atom's force, per component, is at most "
            f"{MOST_UNCERTAIN:g} times the error that is typical of structures left out of the training "
            f"({self.typical:.3g} eV/Å)."
        )

    def judge(self, force_std: FloatArray, symbols: Sequence[str]) -> tuple[bool, str]:
        """Whether a structure is trusted, and why, by the (n, 3) standard deviations in eV/Å."""
        by_atom = np.sqrt(np.mean(force_std**2, axis=1))
        atom, times = int(by_atom.argmax()), float(by_atom.max()) / self.typical
        which = f"the force on atom {atom} ({symbols[atom]}) is uncertain by {by_atom.max():.2g} eV/Å per component"
        if times > MOST_UNCERTAIN:
            return False, f"{which}, {times:.1f} times what is typical"
        return True, f"no force is more uncertain than {times:.1f} times what is typical"


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
    criterion = _criterion(potential)
    for structure in structures:
        require_known(potential, structure)
    asked = Asked(potential, ("energy", "forces"), uncertainty=True)
    predictions = track(predict_each(asked, structures), "judging structures", total=len(structures), quiet=quiet)
    judged = tuple(_judged(one, found, criterion) for one, found in zip(structures, predictions, strict=True))
    trusted = sum(one.trusted for one in judged)
    return Trust(criterion.sentence, trusted, len(judged) - trusted, judged)


def _criterion(potential: Potential) -> ForceCriterion:
    typical = potential.metadata.get("training", {}).get("left_out_rmse", {}).get("forces")
    if typical is None:
        raise PropertyUnavailable(
            "this potential does not say how large its typical force error is",
            rule="a standard deviation is large or small beside the error that is typical of the training",
            mend="train it again, on data with forces",
        )
    return ForceCriterion(typical)


def _judged(one: Labelled, found: Predicted | PropertyUnavailable, criterion: ForceCriterion) -> StructureTrust:
    formula = one.atoms.get_chemical_formula()
    if isinstance(found, PropertyUnavailable):
        return StructureTrust(one.place, one.config_type, formula, None, None, None, None, False, found.what, one)
    values, std = found.values, found.std
    if values.energy is None or std.energy is None or std.forces is None:
        raise TypeError("an energy and standard deviations were asked for, and did not come")
    by_atom = np.linalg.norm(std.forces, axis=1)
    trusted, reason = criterion.judge(std.forces, one.atoms.get_chemical_symbols())
    return StructureTrust(
        place=one.place,
        config_type=one.config_type,
        formula=formula,
        energy_ev_per_atom=values.energy / len(one.atoms),
        energy_std_ev_per_atom=std.energy / len(one.atoms),
        largest_force_std_ev_per_angstrom=float(by_atom.max()),
        least_known_atom=int(by_atom.argmax()),
        trusted=trusted,
        reason=reason,
        structure=one,
        force_std=by_atom,
    )
