"""A sum of parts that the compiled kernel knows: it evaluates what the parts' own reference code defines, many times faster."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import StructureError
from adiabat.kernels.ace import Evaluation, Evaluator, Execution, Plan, Want
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.models.ace.plan import Layout, made_edge_list, species_programs, switches
from adiabat.physics import ZBL
from adiabat.potential.derivatives import require_stress_defined
from adiabat.potential.prediction import Prediction
from adiabat.runs import allowed_threads
from adiabat.system import Batch, EnergyModel, Graph
from adiabat.typing import FloatArray, Quantity

NO_REPULSION = (0.0,) * 7


@dataclass(frozen=True, eq=False)
class CompiledSum:
    """Energies, forces and stress of a sum of expansions, a repulsion, and energies of isolated atoms.

    Attributes:
        evaluators: One for each expansion; the repulsion is in the walk of the first.
        places: For each, (Z,): the place of an atomic number among its species.
        constants: Energies of isolated atoms.
    """

    evaluators: tuple[Evaluator, ...]
    places: tuple[np.ndarray, ...]
    constants: tuple[IsolatedAtoms, ...]

    @classmethod
    def of(cls, parts: Sequence[EnergyModel]) -> Self | None:
        """The sum of the parts; None where the kernel does not know one, or there is no expansion among them."""
        expansions = [part for part in parts if type(part) is LinearACE]
        repulsions = [part for part in parts if type(part) is ZBL]
        constants = [part for part in parts if type(part) is IsolatedAtoms]
        known = len(expansions) + len(repulsions) + len(constants) == len(parts)
        if not known or not expansions or len(repulsions) > 1:
            return None
        plans = [_plan(model, repulsions[0] if k == 0 and repulsions else None) for k, model in enumerate(expansions)]
        places = [_places(model.species) for model in expansions]
        return cls(tuple(Evaluator(plan) for plan in plans), tuple(places), tuple(constants))

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are."""
        positions = graph.batch.positions
        return positions.device.type == "cpu" and positions.dtype in (torch.float64, torch.float32)

    def predict(self, graph: Graph, want: Collection[Quantity]) -> Prediction:
        """As `derivatives.predict` of the parts' own energies.

        Raises:
            PropertyUnavailable: A stress was asked for of a structure that is not periodic in three directions; an atom
                without neighbours has no energy.
            StructureError: A position that is not finite.
        """
        batch = graph.batch
        if "stress" in want:
            require_stress_defined(batch)
        _refuse_lost(batch)
        found = self.evaluate(graph, Want(forces="forces" in want, virials="stress" in want))
        dtype = batch.positions.dtype
        energies = self._constants(batch, found[0].nearest_squared) + sum(
            torch.from_numpy(one.energies) for one in found
        )
        forces = sum(torch.from_numpy(one.forces) for one in found) if "forces" in want else None
        return Prediction(
            energy=batch.sum_over_atoms(energies).to(dtype) if "energy" in want else None,
            energies=energies.to(dtype) if "energies" in want else None,
            forces=forces.to(dtype) if isinstance(forces, Tensor) else None,
            stress=_stress(batch, found).to(dtype) if "stress" in want else None,
        )

    def evaluate(self, graph: Graph, want: Want, *, instruction_set: str | None = None) -> list[Evaluation]:
        """What the kernel says of each expansion; torch's number of threads is its own."""
        batch = graph.batch
        edges = made_edge_list(graph)
        positions, cells = _array(batch.positions), _array(batch.cell)
        execution = Execution(
            single=batch.positions.dtype == torch.float32,
            threads=allowed_threads(),
            instruction_set=instruction_set,
        )
        numbers = batch.numbers.numpy()
        return [
            evaluator(edges, positions, cells, places[numbers], want=want, execution=execution)
            for evaluator, places in zip(self.evaluators, self.places, strict=True)
        ]

    def _constants(self, batch: Batch, nearest_squared: FloatArray) -> Tensor:
        """(N,) eV, float64."""
        exact = batch.replace(positions=batch.positions.double())
        found = torch.zeros(batch.n_atoms, dtype=torch.float64)
        for part in self.constants:
            found = found + part.energies(exact, has_neighbor=torch.from_numpy(nearest_squared < part.cutoff**2))
        return found


def _plan(model: LinearACE, repulsion: ZBL | None) -> Plan:
    layout = Layout.of(model.basis)
    repelled = [_repulsion(repulsion, a, b) for a in model.species for b in model.species]
    return Plan(
        cutoff=model.cutoff,
        reach=max(model.cutoff, repulsion.cutoff if repulsion else 0.0),
        l_max=layout.l_max,
        segments=layout.segments,
        pairs=np.concatenate([switches(model.basis), repelled], axis=1),
        programs=species_programs(model.basis, model.coefficients, layout),
    )


def _repulsion(repulsion: ZBL | None, center: int, neighbor: int) -> tuple[float, ...]:
    """The last columns of `Plan.pairs`."""
    pair = (min(center, neighbor), max(center, neighbor))
    if repulsion is None or pair not in repulsion.pairs:
        return NO_REPULSION
    p = repulsion.pairs[pair]
    return (p.outer, p.inner, p.charge, p.inverse_length, p.A / 3, p.B / 4, p.C)


def _places(species: Sequence[int]) -> np.ndarray:
    places = np.full(len(chemical_symbols), -1, dtype=np.int32)
    places[list(species)] = np.arange(len(species), dtype=np.int32)
    return places


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.detach().double().numpy())


def _stress(batch: Batch, found: Sequence[Evaluation]) -> Tensor:
    """(S, 3, 3) eV/Å³, float64."""
    virials = sum(torch.from_numpy(one.virials) for one in found)
    assert isinstance(virials, Tensor)
    total = virials.new_zeros(batch.n_systems, 6).index_add(0, batch.system, virials)
    full = total[:, torch.tensor([[0, 5, 4], [5, 1, 3], [4, 3, 2]])]
    return full / batch.volume.double()[:, None, None]


def _refuse_lost(batch: Batch) -> None:
    finite = torch.isfinite(batch.positions).all(-1)
    if not bool(finite.all()):
        atom = int((~finite).nonzero()[0])
        raise StructureError(
            f"atom {atom} of the batch is at {batch.positions[atom].tolist()} Å",
            rule="a position is finite",
            mend="see what moved the atom there: a time step that is too long, or a damaged file",
        )
