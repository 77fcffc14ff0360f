"""The gate between an oracle and the labels: what is held back, and why."""

from collections.abc import Sequence

import numpy as np

from adiabat.data import measure_distances
from adiabat.data.checks.forces import net_force_of
from adiabat.data.checks.geometry import CLOSEST
from adiabat.data.checks.outliers import FEWEST, GAP_EV, energy_outliers
from adiabat.data.same import same_structures
from adiabat.data.survey import Survey
from adiabat.learning.answer import Answer
from adiabat.system import Labelled
from adiabat.typing import FloatArray

NONSENSE_EV = 100.0
"""Per atom. Bonds are worth up to ten, the strongest compression in data some thirty."""


def structures_held_back(structures: Sequence[Labelled]) -> dict[int, str]:
    """Which structures are not worth asking about, by their place, and why: atoms on top of each other, the same one again."""
    distances = measure_distances(structures, quiet=True)
    found = {
        index: f"two atoms are {least:.3f} Å apart; a label is asked for from {CLOSEST} Å on"
        for index, least in enumerate(distances.least())
        if least < CLOSEST
    }
    for group in same_structures(structures, distances):
        members = sorted(index for index, _ in group)
        for index in members[1:]:
            found.setdefault(index, f"it is {structures[members[0]].place} again, moved, wrapped or in another order")
    return found


def answer_held_back(structure: Labelled, answer: Answer, others: Sequence[Labelled]) -> str | None:
    """Why an answer is no label; None where it is one.

    Args:
        structure: That it is of.
        answer: What the oracle said.
        others: Labelled structures that passed.
    """
    labels = answer.labels
    if answer.converged is False:
        return "the calculation did not converge"
    values = [value for value in (labels.energy, labels.forces, labels.stress) if value is not None]
    if not all(np.isfinite(value).all() for value in values):
        return "energy, forces or stress are not finite"
    if labels.forces is None or labels.forces.shape != structure.atoms.positions.shape:
        return "there is not one force for each atom"
    if labels.stress is not None and labels.stress.shape != (3, 3):
        return f"the stress has the shape {labels.stress.shape}"
    labelled = Labelled(structure.atoms, labels, structure.config_type, structure.group, structure.place)
    net = net_force_of(labelled)
    if net is not None:
        return f"the forces do not sum to zero: {net:.3g} eV/Å per atom"
    return _energy_out_of_line(labelled, others)


def _energy_out_of_line(labelled: Labelled, others: Sequence[Labelled]) -> str | None:
    """By the rule of `adiabat check`, once there are enough labels to compare with; before, beside those of the same composition."""
    together = [*others, labelled]
    if len(together) < FEWEST:
        return _unlike_the_same_composition(labelled, others)
    energy = _relative_energies(together)
    rest, own = energy[:-1], energy[-1]
    if rest.min() - GAP_EV <= own <= rest.max() + GAP_EV:
        return None
    survey = Survey(tuple(together), measure_distances(together, quiet=True), None, energy)
    if not any(labelled.place in where for finding in energy_outliers(survey) for where in finding.places):
        return None
    return (
        f"the energy is out of line: {own:.3g} eV/atom, where those of all others are within {rest.min():.3g} and "
        f"{rest.max():.3g}, and nothing in the geometry explains it"
    )


def _unlike_the_same_composition(labelled: Labelled, others: Sequence[Labelled]) -> str | None:
    """However atoms are put together, it changes their energy by less than `NONSENSE_EV` each."""
    own = labelled.labels.energy
    alike = [
        o.labels.energy / len(o.atoms) for o in others if o.labels.energy is not None and _ratio(o) == _ratio(labelled)
    ]
    if own is None or not alike:
        return None
    off = own / len(labelled.atoms) - float(np.median(alike))
    if abs(off) <= NONSENSE_EV:
        return None
    return f"the energy is out of line: {off:.3g} eV/atom from the {len(alike)} labels of the same composition"


def _ratio(structure: Labelled) -> str:
    return str(structure.atoms.symbols.formula.reduce()[0])


def _relative_energies(structures: Sequence[Labelled]) -> FloatArray:
    """(S,) eV per atom, less what the composition says."""
    species = sorted({int(number) for s in structures for number in s.atoms.numbers})
    fractions = np.array([[np.mean(s.atoms.numbers == number) for number in species] for s in structures])
    energy = np.array([np.nan if s.labels.energy is None else s.labels.energy / len(s.atoms) for s in structures])
    return energy - fractions @ np.linalg.lstsq(fractions, energy, rcond=None)[0]
