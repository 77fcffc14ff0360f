"""A batch of targets as tensors, and a model's errors on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adiabat.neighbors import neighbor_graph
from adiabat.system import Batch, Differentiated, Graph, TrainableModel
from adiabat.training.examples import KINDS, VOIGT
from adiabat.training.gradient.outputs import differentiated
from adiabat.training.gradient.targets import Target


@dataclass(frozen=True, eq=False)
class Rows:
    """Labels of one kind.

    Attributes:
        place: (m,) of which structures they are; of forces, of which atoms.
        targets: (rows,) eV per atom, eV/Å, eV/Å³.
    """

    place: Tensor
    targets: Tensor


@dataclass(frozen=True, eq=False)
class Assembly:
    """Structures with edges, and the labels that they have.

    Attributes:
        graph: The structures.
        rows: By kind of label; kinds that none of the structures has are not there.
    """

    graph: Graph
    rows: dict[str, Rows]

    def errors(self, model: TrainableModel) -> dict[str, Tensor]:
        """(rows,) prediction - label by kind, differentiable in the model's parameters where gradients are."""
        found = differentiated(model, self.graph, forces="forces" in self.rows, virial="stress" in self.rows)
        return {kind: self._predicted(kind, found) - rows.targets for kind, rows in self.rows.items()}

    def _predicted(self, kind: str, found: Differentiated) -> Tensor:
        batch, place = self.graph.batch, self.rows[kind].place
        if kind == "forces" and found.forces is not None:
            return found.forces[place].flatten()
        if kind == "stress" and found.virial is not None:
            return (found.virial[place] / batch.volume[place, None, None])[:, *VOIGT].flatten()
        return (batch.sum_over_atoms(found.energies) / batch.counts)[place]


def assemble(targets: Sequence[Target], *, cutoff: float, dtype: torch.dtype) -> Assembly:
    """The batch of some targets."""
    graph = neighbor_graph(Batch.from_atoms([target.structure.atoms for target in targets], dtype=dtype), cutoff)
    rows = {}
    for kind in KINDS:
        having = [index for index, target in enumerate(targets) if getattr(target, kind) is not None]
        if having:
            values = np.concatenate([getattr(targets[index], kind) for index in having])
            place = torch.tensor(having)
            if kind == "forces":
                place = torch.isin(graph.batch.system, place).nonzero().squeeze(-1)
            rows[kind] = Rows(place, torch.from_numpy(values).to(dtype))
    return Assembly(graph, rows)
