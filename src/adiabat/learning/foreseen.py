"""What a potential had said of structures before it was trained on them, and how wrong that was: the honest test of learning."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from adiabat.potential import Potential
from adiabat.runs import atomic_write_text
from adiabat.system import Labelled
from adiabat.typing import FloatArray

T = TypeVar("T")


@dataclass(frozen=True)
class ForeseenStructure:
    """One structure.

    Attributes:
        place: Its name.
        config_type: Of it.
        energy_error_ev_per_atom: Prediction less label.
        energy_std_ev_per_atom: What the potential had said of that.
        force_errors: (N, 3) eV/Å.
        force_stds: (N, 3) eV/Å.
    """

    place: str
    config_type: str
    energy_error_ev_per_atom: float
    energy_std_ev_per_atom: float
    force_errors: list[list[float]]
    force_stds: list[list[float]]

    @property
    def errors_of_atoms(self) -> FloatArray:
        """(N,) norms, eV/Å."""
        return np.linalg.norm(self.force_errors, axis=1)


@dataclass(frozen=True)
class Foreseen:
    """New labels of a generation, by the potential that had asked for them.

    Attributes:
        structures: One by one; none where nothing was asked for.
    """

    structures: tuple[ForeseenStructure, ...]

    @property
    def force_rmse_ev_per_angstrom(self) -> float | None:
        """Of all components together."""
        return _root_mean_square([one.force_errors for one in self.structures])

    @property
    def force_std_ev_per_angstrom(self) -> float | None:
        """What the potential had said of it."""
        return _root_mean_square([one.force_stds for one in self.structures])

    def save(self, file: Path) -> None:
        """As JSON, whole or not at all."""
        atomic_write_text(file, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, file: Path) -> Self:
        """The inverse."""
        return cls(tuple(ForeseenStructure(**one) for one in json.loads(file.read_text())["structures"]))


def foresee(potential: Potential, new: Sequence[Labelled]) -> Foreseen:
    """Hold a potential against labels that it has not seen.

    Args:
        potential: With error bars.
        new: Labelled structures.
    """
    return Foreseen(tuple(_one(potential, structure) for structure in new))


def _one(potential: Potential, structure: Labelled) -> ForeseenStructure:
    labels, atoms = structure.labels, len(structure.atoms)
    found = potential(structure.atoms, want=("energy", "forces", "energy_std", "forces_std"))
    assert found.energy is not None
    assert found.energy_std is not None
    assert found.forces is not None
    assert found.forces_std is not None
    return ForeseenStructure(
        place=structure.place,
        config_type=structure.config_type,
        energy_error_ev_per_atom=(float(found.energy) - _given(labels.energy)) / atoms,
        energy_std_ev_per_atom=float(found.energy_std) / atoms,
        force_errors=(found.forces.numpy() - _given(labels.forces)).tolist(),
        force_stds=found.forces_std.tolist(),
    )


def _given(value: T | None) -> T:
    """Of a label that the gate let pass: it has an energy and forces."""
    assert value is not None
    return value


def _root_mean_square(values: Sequence[list[list[float]]]) -> float | None:
    if not values:
        return None
    return float(np.sqrt(np.square(np.concatenate([np.ravel(one) for one in values])).mean()))
