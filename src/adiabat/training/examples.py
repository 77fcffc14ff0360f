"""Examples: structures with what is left of their labels for the linear model to learn, as rows of a regression."""

from dataclasses import dataclass

import numpy as np

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.typing import FloatArray

KINDS = ("energy", "forces", "stress")
VOIGT = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))


@dataclass(frozen=True)
class Block:
    """Rows of one kind of label.

    Attributes:
        rows: (n, columns).
        targets: (n,) in eV per atom, eV/Å or eV/Å³.
    """

    rows: FloatArray
    targets: FloatArray


@dataclass(frozen=True)
class Example:
    """The rows of one structure.

    Attributes:
        blocks: By kind of label; only those that the structure has.
        features: (n, functions).
        species: (n,) the place of each atom's species.
    """

    blocks: dict[str, Block]
    features: FloatArray
    species: np.ndarray


@dataclass(frozen=True)
class ExampleMaker:
    """Turns labelled structures into rows, what the baseline explains taken off.

    Attributes:
        model: The linear model; its coefficients play no part.
        baseline: Isolated atoms and repulsion.
    """

    model: LinearACE
    baseline: Potential

    def __call__(self, structure: Labelled) -> Example:
        """The rows of one structure."""
        batch = Batch.from_atoms(structure.atoms)
        graph = neighbor_graph(batch, max(self.model.cutoff, self.baseline.cutoff))
        rows = self.model.design_rows(graph)
        labels = structure.labels
        wanted = ["energy", "forces"] + (["stress"] if labels.stress is not None else [])
        known = self.baseline(graph, want=wanted)  # pyright: ignore[reportArgumentType]
        n_atoms, blocks = batch.n_atoms, {}
        if labels.energy is not None:
            target = np.array([(labels.energy - float(known.energy[0])) / n_atoms])
            blocks["energy"] = Block(rows.energy.numpy()[None] / n_atoms, target)
        if labels.forces is not None:
            blocks["forces"] = Block(rows.forces.numpy(), (labels.forces - known.forces.numpy()).ravel())
        if labels.stress is not None:
            volume = float(batch.volume[0])
            target = (labels.stress - known.stress[0].numpy())[VOIGT]
            blocks["stress"] = Block((rows.virial.numpy() / volume)[VOIGT], target)
        species = np.searchsorted(self.model.species, structure.atoms.numbers)
        return Example(blocks, rows.features.numpy(), species)


def count_rows(structures: list[Labelled]) -> int:
    """Rows that the labels of these structures make."""
    return sum(
        (s.labels.energy is not None)
        + 3 * len(s.atoms) * (s.labels.forces is not None)
        + 6 * (s.labels.stress is not None)
        for s in structures
    )
