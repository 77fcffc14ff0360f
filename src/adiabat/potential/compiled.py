"""A sum of parts that the compiled kernel knows: it evaluates what the parts' own reference code defines, many times faster."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import StructureError
from adiabat.kernels.ace import Evaluation, Evaluator, Plan, Want
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.models.ace.plan import Layout, Repulsion, expansion_plan, species_programs
from adiabat.models.ace.walk import made_configuration, made_execution
from adiabat.physics import ZBL
from adiabat.potential.derivatives import defined_volume
from adiabat.potential.prediction import Prediction
from adiabat.system import Batch, EnergyModel, Graph
from adiabat.typing import FloatArray, Quantity

NO_REPULSION = (0.0,) * 7


@dataclass(frozen=True, eq=False)
class CompiledSum:
    """Energies, forces and stress of a sum of expansions, a repulsion, and energies of isolated atoms.

    Attributes:
        evaluators: One for each expansion; repulsion and constants are in the walk of the first.
        species: For each, its species.
        constants: Energies of isolated atoms.
    """

    evaluators: tuple[Evaluator, ...]
    species: tuple[tuple[int, ...], ...]
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
        first, *others = expansions
        plans = [sum_plan(first, repulsions, constants), *(sum_plan(model, [], []) for model in others)]
        species = tuple(model.species for model in expansions)
        return cls(tuple(Evaluator(plan) for plan in plans), species, tuple(constants))

    def serves(self, graph: Graph) -> bool:
        """Whether the kernel can evaluate where the graph's tensors are."""
        return kernel_serves(graph)

    def predict(self, graph: Graph, want: Collection[Quantity]) -> Prediction:
        """As `derivatives.predict` of the parts' own energies.

        Raises:
            PropertyUnavailable: A stress was asked for of a structure that is not periodic in three directions; an atom
                without neighbours has no energy.
            StructureError: A position that is not finite.
        """
        batch = graph.batch
        volume = defined_volume(batch) if "stress" in want else None
        with lost_atoms_refused(batch):
            found = self.evaluate(graph, kernel_want(want))
        require_neighbors(self.constants, batch, found[0].nearest_squared)
        return made_prediction(found, want, dtype=batch.positions.dtype, volume=volume)

    def evaluate(self, graph: Graph, want: Want, *, instruction_set: str | None = None) -> list[Evaluation]:
        """What the kernel says of each expansion."""
        execution = made_execution(graph, instruction_set=instruction_set)
        return [
            evaluator(made_configuration(graph, species), want=want, execution=execution)
            for evaluator, species in zip(self.evaluators, self.species, strict=True)
        ]


def sum_plan(
    model: LinearACE, repulsions: Sequence[ZBL], constants: Sequence[IsolatedAtoms], *, with_energy: bool = True
) -> Plan:
    """The walk of an expansion that adds at most one repulsion, and the energies of isolated atoms.

    Without the energy of the expansion itself, it serves energies of several coefficients.
    """
    layout = Layout.of(model.basis)
    return expansion_plan(
        model.basis,
        layout,
        species_programs(model.basis, model.coefficients, layout) if with_energy else None,
        repulsion=_repulsion(repulsions[0], model.species) if repulsions else None,
        shifts=[sum(part.energies_ev.get(number, 0.0) for part in constants) for number in model.species],
    )


def kernel_want(want: Collection[Quantity]) -> Want:
    """What the kernel is to compute besides energies."""
    return Want(forces="forces" in want, virial="stress" in want, atomic_virials="atomic_virials" in want)


def kernel_serves(graph: Graph) -> bool:
    """Whether the kernel can evaluate where the graph's tensors are."""
    positions = graph.batch.positions
    return positions.device.type == "cpu" and positions.dtype in (torch.float64, torch.float32)


def made_prediction(
    found: Sequence[Evaluation], want: Collection[Quantity], *, dtype: torch.dtype, volume: Tensor | None
) -> Prediction:
    """The sum of what the kernel found of each expansion.

    Args:
        found: One or more.
        want: What was asked for.
        dtype: Of the prediction.
        volume: (S,) Å³, where the stress was.
    """
    return Prediction.of(
        energy=_summed([one.energy for one in found], dtype) if "energy" in want else None,
        energies=_summed([one.energies for one in found], dtype) if "energies" in want else None,
        forces=_summed([one.forces for one in found], dtype) if "forces" in want else None,
        stress=None if volume is None else _summed([_stress(one, volume) for one in found], dtype),
        atomic_virials=_summed([one.atomic_virials for one in found], dtype) if "atomic_virials" in want else None,
    )


def require_neighbors(constants: Sequence[IsolatedAtoms], batch: Batch, nearest_squared: FloatArray) -> None:
    """Refuse atoms without neighbours where they have no energy.

    Raises:
        PropertyUnavailable: Naming the first.
    """
    for part in constants:
        near = nearest_squared < part.cutoff**2
        if not near.all():
            part.require_neighbors(batch, torch.from_numpy(near))


@contextmanager
def lost_atoms_refused(batch: Batch) -> Iterator[None]:
    """Where the kernel refuses a position, say whose.

    Raises:
        StructureError: A position that is not finite.
    """
    try:
        yield
    except ValueError:
        _refuse_lost(batch)
        raise


def _repulsion(repulsion: ZBL, species: Sequence[int]) -> Repulsion:
    return Repulsion(repulsion.cutoff, np.array([_pair(repulsion, a, b) for a in species for b in species]))


def _pair(repulsion: ZBL, center: int, neighbor: int) -> tuple[float, ...]:
    pair = (min(center, neighbor), max(center, neighbor))
    if pair not in repulsion.pairs:
        return NO_REPULSION
    p = repulsion.pairs[pair]
    return (p.outer, p.inner, p.charge, p.inverse_length, p.A / 3, p.B / 4, p.C)


def _summed(arrays: Sequence[FloatArray | None], dtype: torch.dtype) -> Tensor:
    first, *others = (array for array in arrays if array is not None)
    total = torch.from_numpy(sum(others, start=first))
    return total if dtype == torch.float64 else total.to(dtype)


def _stress(found: Evaluation, volume: Tensor) -> FloatArray | None:
    """(S, 3, 3) eV/Å³."""
    return None if found.virial is None else found.virial / volume.double().numpy()[:, None, None]


def _refuse_lost(batch: Batch) -> None:
    finite = torch.isfinite(batch.positions).all(-1)
    if not bool(finite.all()):
        atom = int((~finite).nonzero()[0])
        raise StructureError(
            f"atom {atom} of the batch is at {batch.positions[atom].tolist()} Å",
            rule="a position is finite",
            mend="see what moved the atom there: a time step that is too long, or a damaged file",
        )
