"""Survey: what describing and checking a data set both need, computed once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.data.distances import Distances, measure_distances
from adiabat.data.isolated import AtomicReference, atomic_reference
from adiabat.errors import DataError
from adiabat.system import Labelled
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class Survey:
    """A data set with its distances and the reference of its energies.

    Attributes:
        structures: The data.
        distances: Within 6 Å.
        reference: Energies of isolated atoms; None where no structure has an energy.
        relative_energy: (S,) eV per atom, less the isolated atoms; NaN without an energy.
    """

    structures: tuple[Labelled, ...]
    distances: Distances
    reference: AtomicReference | None
    relative_energy: FloatArray

    def places(self, indices: Iterable[int]) -> tuple[str, ...]:
        """The places of these structures."""
        return tuple(self.structures[index].place for index in indices)

    @property
    def not_isolated(self) -> np.ndarray:
        """(S,) False for isolated atoms, whose labels follow rules of their own."""
        return np.array([not structure.is_isolated_atom for structure in self.structures])

    def largest_force(self) -> FloatArray:
        """(S,) eV/Å, the largest force on an atom; NaN without forces."""
        forces = (structure.labels.forces for structure in self.structures)
        return np.array([np.nan if f is None else np.linalg.norm(f, axis=1).max() for f in forces])


def take_survey(
    structures: Sequence[Labelled], isolated_atoms_ev: Mapping[str, float] | None = None, *, quiet: bool = False
) -> Survey:
    """Measure a data set.

    Args:
        structures: The data.
        isolated_atoms_ev: eV by chemical symbol, for species of which the data hold no isolated atom.
        quiet: Show no progress.

    Raises:
        DataError: No structure, or no energy for one of the species.
        StructureError: Positions or a cell that are not finite, or a periodic cell without volume.
        ConfigurationError: `isolated_atoms_ev` does not fit the data.
    """
    if not structures:
        raise DataError(
            "holds no structures", place="data", rule="a data set has one structure or more", mend="give some"
        )
    has_energy = any(structure.labels.energy is not None for structure in structures)
    reference = atomic_reference(structures, isolated_atoms_ev) if has_energy else None
    distances = measure_distances(structures, quiet=quiet)
    return Survey(tuple(structures), distances, reference, _relative(structures, reference))


def _relative(structures: Sequence[Labelled], reference: AtomicReference | None) -> FloatArray:
    relative = np.full(len(structures), np.nan)
    for index, structure in enumerate(structures):
        if structure.labels.energy is not None and reference is not None:
            numbers = structure.atoms.numbers
            relative[index] = (structure.labels.energy - reference.sum_over(numbers)) / len(numbers)
    return relative
