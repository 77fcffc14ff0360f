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

MOST_UNCERTAIN = 5.0
"""Times the typical error, up to which an energy or a force is trusted: of silicon structures of the sorts that were trained on
and left out of the training, one of 54 has an atom beyond it; of a crystal at 70 % of its volume the energy is at 80."""


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
class Criterion:
    """A structure is trusted while no standard deviation is far above the typical error; None where that is not known.

    Attributes:
        energy: eV/atom: root mean square error on structures left out of the training.
        force: eV/Å: likewise, of the force vector on an atom.
    """

    energy: float | None
    force: float | None

    @property
    def sentence(self) -> str:
        """For people."""
        known = [] if self.energy is None else [f"{1000 * self.energy:.3g} meV/atom of the energy"]
        known += [] if self.force is None else [f"{self.force:.3g} eV/Å of the force on an atom"]
        return (
            f"A structure is trusted where each standard deviation is at most {MOST_UNCERTAIN:g} times the error that is "
            f"typical of structures left out of the training: {', '.join(known)}."
        )

    def judge(self, energy_std_per_atom: float, force_std: FloatArray, symbols: Sequence[str]) -> tuple[bool, str]:
        """Whether a structure is trusted, and why.

        Args:
            energy_std_per_atom: eV.
            force_std: (n,) eV/Å, of the force vector on each atom.
            symbols: Of the n atoms.
        """
        atom = int(force_std.argmax())
        force = f"the force on atom {atom} ({symbols[atom]}) is uncertain by {force_std[atom]:.3g} eV/Å"
        energy = f"the energy is uncertain by {1000 * energy_std_per_atom:.3g} meV/atom"
        measured = ((energy, energy_std_per_atom, self.energy), (force, float(force_std[atom]), self.force))
        ratios = [(std / typical, what) for what, std, typical in measured if typical is not None]
        beyond = [f"{what}, {times:.3g} times what is typical" for times, what in ratios if times > MOST_UNCERTAIN]
        if beyond:
            return False, "; ".join(beyond)
        return True, f"nothing is more uncertain than {max(ratios)[0]:.2g} times what is typical"


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


def _criterion(potential: Potential) -> Criterion:
    typical = potential.metadata.get("training", {}).get("left_out_rmse", {})
    by_component = typical.get("forces")
    found = Criterion(typical.get("energy"), None if by_component is None else 3**0.5 * by_component)
    if found.energy is None and found.force is None:
        raise PropertyUnavailable(
            "this potential does not say how large its typical errors are",
            rule="a standard deviation is large or small beside the error that is typical of the training",
            mend="train it again with this version of adiabat, which stores them in its file",
        )
    return found


def _judged(one: Labelled, found: Predicted | PropertyUnavailable, criterion: Criterion) -> StructureTrust:
    formula = one.atoms.get_chemical_formula()
    if isinstance(found, PropertyUnavailable):
        return StructureTrust(one.place, one.config_type, formula, None, None, None, None, False, found.what, one)
    values, std = found.values, found.std
    if values.energy is None or std.energy is None or std.forces is None:
        raise TypeError("an energy and standard deviations were asked for, and did not come")
    by_atom = np.linalg.norm(std.forces, axis=1)
    trusted, reason = criterion.judge(std.energy / len(one.atoms), by_atom, one.atoms.get_chemical_symbols())
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
