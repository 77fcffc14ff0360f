"""A model of two parameters that gradients train by double differentiation, and data that it can learn exactly."""

from typing import Any, ClassVar, Self

import torch
from ase import Atoms
from torch import Tensor, nn
from training_structures import cells

from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.system import Graph, Labelled, Labels, PartState, register
from adiabat.training.gradient.config import GradientConfig
from adiabat.training.gradient.descent import Task
from adiabat.training.gradient.targets import make_targets

TRUTH = (-0.6, 0.8)
SHIFT = Potential([IsolatedAtoms({14: -1.5}, "data", 3.4)])
"""What the labels hold beside the bumps."""


@register
class Bumps(nn.Module):
    """E_i = a Σ_j exp(-b r²) (1 - r²/r_c²)³: smooth, with the parameters a (eV) and b (1/Å²)."""

    kind: ClassVar[str] = "bumps"
    cutoff = interaction_range = 3.4
    species = (14,)

    def __init__(self, height: float = -0.3, decay: float = 0.5) -> None:
        super().__init__()
        self.height = nn.Parameter(torch.tensor(height, dtype=torch.float64))
        self.decay = nn.Parameter(torch.tensor(decay, dtype=torch.float64))

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        squared = graph.vectors().square().sum(-1)
        bumps = self.height * torch.exp(-self.decay * squared) * (1 - squared / self.cutoff**2) ** 3
        return squared.new_zeros(graph.batch.n_atoms).index_add(0, graph.center, bumps)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        other = type(self)(float(self.height.detach()), float(self.decay.detach()))
        nn.Module.to(other, dtype=dtype, device=device)
        return other

    def to_state(self) -> PartState:
        return PartState(self.kind, {}, {name: tensor.detach() for name, tensor in self.state_dict().items()})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        return cls(float(state.tensors["height"]), float(state.tensors["decay"]))


def bumpy(atoms: Atoms, number: int, *, kinds: tuple[str, ...] = ("energy", "forces", "stress")) -> Labelled:
    """The structure with labels of the true bumps, of some kinds only."""
    found = Potential([*SHIFT.parts, Bumps(*TRUTH)])(atoms, want=("energy", "forces", "stress"))
    labels: dict[str, Any] = {
        "energy": float(found.energy[0]) if found.energy is not None else None,
        "forces": found.forces.numpy() if found.forces is not None else None,
        "stress": found.stress[0].numpy() if found.stress is not None else None,
    }
    return Labelled(atoms, Labels(**{kind: labels[kind] for kind in kinds}), place=f"structure {number}")


def bumpy_cells(count: int = 8) -> list[Labelled]:
    """Some without energies, some without forces, some without stresses."""
    kinds = [("energy", "forces", "stress"), ("forces",), ("energy",), ("energy", "stress")]
    return [bumpy(atoms, number, kinds=kinds[number % 4]) for number, atoms in enumerate(cells(count))]


def task(structures: list[Labelled] | None = None, *, model: Bumps | None = None, epochs: int = 6) -> Task:
    """On all structures but the last two, which validate."""
    targets = make_targets(structures or bumpy_cells(), SHIFT, quiet=True)
    scales = {"energy": 0.02, "forces": 0.1, "stress": 0.002}
    return Task(model or Bumps(), targets[:-2], targets[-2:], scales, 0.03, epochs)


CONFIG = GradientConfig(batch_atoms=20, average=0.9)
