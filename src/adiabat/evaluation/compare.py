"""A potential beside its reference, structure by structure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase.data import chemical_symbols
from ase.stress import full_3x3_to_voigt_6_stress
from torch import Tensor

from adiabat.errors import AdiabatError, DataError, PropertyUnavailable, StructureError, UnknownSpecies
from adiabat.evaluation.distance import Distance
from adiabat.models import IsolatedAtoms
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Batch, Labelled, Labels
from adiabat.typing import FloatArray, IntArray, Quantity

ATOMS_PER_BATCH = 512
"""Enough to keep the processor busy; the readable reference of a large basis then stays below about 1 GB."""

LABELLED_QUANTITIES: tuple[Quantity, ...] = ("energy", "forces", "stress")


@dataclass(frozen=True)
class Compared:
    """One structure with its reference labels and what the potential says in their place.

    Attributes:
        structure: The structure and its labels.
        predicted: The same quantities as there are labels, by the potential.
        distance: (n,) how far each atom's environment is from the training data, where that was asked for.
    """

    structure: Labelled
    predicted: Labels
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
    potential: Potential, structures: Sequence[Labelled], *, distance: Distance | None = None, quiet: bool = False
) -> Comparison:
    """Evaluate a potential on labelled structures: of each structure the quantities that it has labels of.

    A structure without labels, or for which the potential has no answer (an isolated atom where the atomic energies are
    a fitted shift), is left out, with the reason.

    Args:
        potential: What is looked at.
        structures: With their labels.
        distance: How far an atom's environment is from the training data.
        quiet: Show no progress.

    Raises:
        UnknownSpecies: An element that the potential does not know, in the first place where it stands.
        DataError: A label of the wrong shape or not finite; nothing that can be compared.
        StructureError: A structure that cannot be evaluated.
    """
    for structure in structures:
        _require_known(potential, structure)
        _require_usable(structure)
    outcomes = track(
        _outcomes(potential, structures, distance), "evaluating structures", total=len(structures), quiet=quiet
    )
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


def _require_known(potential: Potential, structure: Labelled) -> None:
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


def _outcomes(
    potential: Potential, structures: Sequence[Labelled], distance: Distance | None
) -> Iterator[tuple[int, Compared | LeftOut]]:
    for indices in _batches(structures):
        members = [structures[index] for index in indices]
        yield from zip(indices, _evaluated(potential, members, distance), strict=True)


def _batches(structures: Sequence[Labelled]) -> Iterator[list[int]]:
    """Indices of structures with the same kinds of labels, with at most ATOMS_PER_BATCH atoms (or one structure)."""
    by_labels: dict[tuple[Quantity, ...], list[int]] = {}
    for index, structure in enumerate(structures):
        by_labels.setdefault(_wanted(structure), []).append(index)
    for indices in by_labels.values():
        batch, n_atoms = list[int](), 0
        for index in indices:
            size = len(structures[index].atoms)
            if batch and n_atoms + size > ATOMS_PER_BATCH:
                yield batch
                batch, n_atoms = [], 0
            batch.append(index)
            n_atoms += size
        yield batch


def _evaluated(
    potential: Potential, members: Sequence[Labelled], distance: Distance | None
) -> list[Compared | LeftOut]:
    """Together where that works; one by one to find whose fault it is where it does not."""
    want = _wanted(members[0])
    if not want:
        return [LeftOut(member.place, member.config_type, "it has no label") for member in members]
    try:
        return list(_evaluated_together(potential, members, want, distance))
    except AdiabatError as error:
        if len(members) > 1:
            return [outcome for member in members for outcome in _evaluated(potential, [member], distance)]
        [member] = members
        if isinstance(error, PropertyUnavailable):
            return [LeftOut(member.place, member.config_type, error.what)]
        raise type(error)(error.what, place=member.place, rule=error.rule, mend=error.mend) from error


def _evaluated_together(
    potential: Potential, members: Sequence[Labelled], want: tuple[Quantity, ...], distance: Distance | None
) -> Iterator[Compared]:
    structures = [member.atoms for member in members]
    batch = Batch.from_atoms(structures, dtype=potential.dtype, device=potential.device)
    graph = neighbor_graph(batch, potential.cutoff)
    prediction = potential(graph, want=want)
    starts = np.cumsum([len(member.atoms) for member in members])[:-1]
    energies, stresses = _array(prediction.energy), _array(prediction.stress)
    forces = _split(_array(prediction.forces), starts)
    distances = _split(_array(distance(graph)) if distance is not None else None, starts)
    for index, member in enumerate(members):
        predicted = Labels(
            energy=None if energies is None else float(energies[index]),
            forces=None if forces is None else forces[index],
            stress=None if stresses is None else stresses[index],
        )
        _require_finite(predicted, want, place=member.place)
        yield Compared(member, predicted, distance=None if distances is None else distances[index])


def _array(tensor: Tensor | None) -> FloatArray | None:
    return None if tensor is None else tensor.detach().cpu().double().numpy()


def _split(array: FloatArray | None, starts: IntArray) -> list[FloatArray] | None:
    return None if array is None else np.split(array, starts)


def _require_finite(predicted: Labels, want: tuple[Quantity, ...], *, place: str) -> None:
    for name in want:
        values = np.asarray(getattr(predicted, name))
        if not np.isfinite(values).all():
            raise StructureError(
                f"the potential's {name} is not finite",
                place=place,
                rule="what is compared is finite",
                mend="look at its shortest distances, or take the structure out",
            )
