"""What a potential says of many structures, a batch at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from adiabat.errors import AdiabatError, PropertyUnavailable, StructureError
from adiabat.evaluation.distance import Distance
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential, Prediction
from adiabat.system import Batch, Labelled, Labels
from adiabat.typing import FloatArray, IntArray, Quantity

ATOMS_PER_BATCH = 512
"""Enough to keep the processor busy; the readable reference of a large basis then stays below about 1 GB."""

STD: dict[Quantity, Quantity] = {"energy": "energy_std", "forces": "forces_std", "stress": "stress_std"}


@dataclass(frozen=True)
class Asked:
    """What is asked of whom.

    Attributes:
        potential: Who is asked.
        want: Of "energy", "forces", "stress".
        uncertainty: Whether their standard deviations are asked for too, as far as the potential knows them.
        distance: How far an atom's environment is from the training data.
    """

    potential: Potential
    want: tuple[Quantity, ...]
    uncertainty: bool = False
    distance: Distance | None = None


@dataclass(frozen=True)
class Predicted:
    """Of one structure; what was not asked for is None.

    Attributes:
        values: By the potential.
        std: Their standard deviations.
        distance: (n,) how far each atom's environment is from the training data.
    """

    values: Labels
    std: Labels = field(default_factory=Labels)
    distance: FloatArray | None = None


def require_uncertainty(potential: Potential) -> None:
    """Refuse a potential without standard deviations.

    Raises:
        PropertyUnavailable: Saying what would give them.
    """
    if not potential.has_uncertainty:
        raise PropertyUnavailable(
            "this potential has no uncertainty",
            rule="standard deviations come from a posterior over its coefficients and a calibration of its misfit",
            mend="train it again with this version of adiabat, which stores both in its file",
        )


def predict_each(asked: Asked, structures: Sequence[Labelled]) -> Iterator[Predicted | PropertyUnavailable]:
    """Of each structure in turn what the potential says, or why it says nothing.

    Raises:
        AdiabatError: A structure cannot be evaluated, or what is said of it is not finite; with its place.
    """
    batch, n_atoms = list[Labelled](), 0
    for structure in structures:
        size = len(structure.atoms)
        if batch and n_atoms + size > ATOMS_PER_BATCH:
            yield from _predicted(asked, batch)
            batch, n_atoms = [], 0
        batch.append(structure)
        n_atoms += size
    if batch:
        yield from _predicted(asked, batch)


def _predicted(asked: Asked, members: Sequence[Labelled]) -> list[Predicted | PropertyUnavailable]:
    """Together where that works; one by one to find whose fault it is where it does not."""
    try:
        return list(_predicted_together(asked, members))
    except AdiabatError as error:
        if len(members) > 1:
            return [outcome for member in members for outcome in _predicted(asked, [member])]
        if isinstance(error, PropertyUnavailable):
            return [error]
        raise type(error)(error.what, place=members[0].place, rule=error.rule, mend=error.mend) from error


def _predicted_together(asked: Asked, members: Sequence[Labelled]) -> Iterator[Predicted]:
    potential = asked.potential
    batch = Batch.from_atoms([member.atoms for member in members], dtype=potential.dtype, device=potential.device)
    graph = neighbor_graph(batch, potential.cutoff)
    known = potential.known_deviations if asked.uncertainty else ()
    stds: tuple[Quantity, ...] = tuple(STD[name] for name in asked.want if STD[name] in known)
    prediction = potential(graph, want=(*asked.want, *stds))
    starts = np.cumsum([len(member.atoms) for member in members])[:-1]
    values = _by_structure(prediction, starts)
    std = _by_structure(prediction, starts, suffix="_std")
    distances = np.split(_array(asked.distance(graph)), starts) if asked.distance is not None else None
    for index, member in enumerate(members):
        _require_usable(values[index], std[index], place=member.place)
        yield Predicted(values[index], std[index], distance=None if distances is None else distances[index])


def _by_structure(prediction: Prediction, starts: IntArray, *, suffix: str = "") -> list[Labels]:
    energies, forces, stresses = (getattr(prediction, name + suffix) for name in ("energy", "forces", "stress"))
    split = None if forces is None else np.split(_array(forces), starts)
    return [
        Labels(
            energy=None if energies is None else float(energies[index]),
            forces=None if split is None else split[index],
            stress=None if stresses is None else _array(stresses[index]),
        )
        for index in range(len(starts) + 1)
    ]


def _array(tensor: Tensor) -> FloatArray:
    return tensor.detach().cpu().double().numpy()


def _require_usable(values: Labels, std: Labels, *, place: str) -> None:
    for name, std_name in STD.items():
        value, deviation = getattr(values, name), getattr(std, name)
        if value is not None and not np.isfinite(value).all():
            raise StructureError(
                f"the potential's {name} is not finite",
                place=place,
                rule="what is compared is finite",
                mend="look at its shortest distances, or take the structure out",
            )
        if deviation is not None and not (np.isfinite(deviation).all() and (np.asarray(deviation) >= 0).all()):
            raise StructureError(
                f"the potential's {std_name} is not finite, or negative",
                place=place,
                rule="a standard deviation is a finite number, zero or more",
                mend="look at its shortest distances, or take the structure out",
            )
