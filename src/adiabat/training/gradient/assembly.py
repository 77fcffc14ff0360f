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
from adiabat.training.gradient.targets import HESSIAN_STEP, Target


@dataclass(frozen=True, eq=False)
class Rows:
    """Labels of one kind.

    Attributes:
        place: (m,) of which structures they are; of forces, of which atoms; of second derivatives, of which atoms that are displaced
            forwards.
        targets: (rows,) eV per atom, eV/Å, eV/Å³.
        behind: (m,) of second derivatives, the same atoms displaced backwards.
    """

    place: Tensor
    targets: Tensor
    behind: Tensor | None = None


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
        found = differentiated(
            model, self.graph, forces=bool({"forces", "hessian"} & self.rows.keys()), virial="stress" in self.rows
        )
        return {kind: self._predicted(kind, found) - rows.targets for kind, rows in self.rows.items()}

    def _predicted(self, kind: str, found: Differentiated) -> Tensor:
        batch, place = self.graph.batch, self.rows[kind].place
        if kind == "forces" and found.forces is not None:
            return found.forces[place].flatten()
        if kind == "hessian" and found.forces is not None:
            behind = self.rows[kind].behind
            return (found.forces[behind] - found.forces[place]).flatten() / (2 * HESSIAN_STEP)
        if kind == "stress" and found.virial is not None:
            return (found.virial[place] / batch.volume[place, None, None])[:, *VOIGT].flatten()
        return (batch.sum_over_atoms(found.energies) / batch.counts)[place]


def assemble(targets: Sequence[Target], *, cutoff: float, dtype: torch.dtype) -> Assembly:
    """The batch of some targets."""
    displaced = [atoms for target in targets for atoms in target.displaced()]
    structures = [*(target.structure.atoms for target in targets), *displaced]
    graph = neighbor_graph(Batch.from_atoms(structures, dtype=dtype), cutoff)
    rows = {}
    for kind in KINDS:
        having = [index for index, target in enumerate(targets) if getattr(target, kind) is not None]
        if having:
            values = np.concatenate([getattr(targets[index], kind) for index in having])
            place = torch.tensor(having)
            if kind == "forces":
                place = torch.isin(graph.batch.system, place).nonzero().squeeze(-1)
            rows[kind] = Rows(place, torch.from_numpy(values).to(dtype))
    if displaced:
        rows["hessian"] = _second_derivatives(targets, graph, dtype)
    return Assembly(graph, rows)


def _second_derivatives(targets: Sequence[Target], graph: Graph, dtype: torch.dtype) -> Rows:
    """Of the displaced structures, which stand behind the others in pairs."""
    values = np.concatenate([target.hessian for target in targets if target.hessian is not None])
    beyond = graph.batch.system - len(targets)
    places = ((beyond >= 0) & (beyond % 2 == side) for side in (0, 1))
    ahead, behind = (place.nonzero().squeeze(-1) for place in places)
    return Rows(ahead, torch.from_numpy(values).to(dtype), behind)
