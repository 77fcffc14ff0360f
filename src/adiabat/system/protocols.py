"""What the layers ask of each other: models, potentials' parts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from adiabat.system.graph import Graph


@dataclass(frozen=True)
class PartState:
    """A part of a potential as it is stored: JSON values and tensors, never code.

    Attributes:
        kind: The registered name of the part's class.
        values: What JSON can hold.
        tensors: Named tensors.
    """

    kind: str
    values: dict[str, Any]
    tensors: dict[str, Tensor]


@runtime_checkable
class EnergyModel(Protocol):
    """Energies per atom of a graph. It knows nothing of forces.

    Attributes:
        kind: The registered name of the class.
        cutoff: Å, the longest edge that it needs.
        interaction_range: Å, how far one atom's displacement can change another's energy.
        species: Atomic numbers that it knows, ascending.
    """

    kind: ClassVar[str]

    @property
    def cutoff(self) -> float: ...
    @property
    def interaction_range(self) -> float: ...
    @property
    def species(self) -> tuple[int, ...]: ...

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV, differentiable in the graph's positions and cell."""
        ...

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "EnergyModel":
        """The same model in another floating-point type or on another device."""
        ...

    def to_state(self) -> PartState:
        """What the file stores."""
        ...


def is_exact(part: EnergyModel) -> bool:
    """Whether a part declares itself (``exact = True``) to have no error of its own: what others are fitted on top of."""
    return bool(getattr(part, "exact", False))


@runtime_checkable
class FeatureModel(EnergyModel, Protocol):
    """A model whose energy is a function of features of each atom's environment."""

    def features(self, graph: Graph) -> Tensor:
        """(N, K)."""
        ...


@dataclass(frozen=True)
class DesignRows:
    """Rows of one structure; the columns are (species, functions), flattened.

    Attributes:
        features: (N, functions), the invariants of each atom.
        energy: (columns,) the energy's.
        forces: (3 N, columns), atom by atom, xyz within.
        virial: (3, 3, columns), Σ_edges r ⊗ ∂E/∂r = V σ; symmetric but for rounding.
    """

    features: Tensor
    energy: Tensor
    forces: Tensor
    virial: Tensor


@runtime_checkable
class LinearModel(FeatureModel, Protocol):
    """A model whose energy is linear in coefficients: of all that it has, or of its last layer, the others fixed.

    E_i = features_i · coefficients + what does not depend on them.

    Attributes:
        coefficients: (species, functions) eV, or (1, functions) where all species share them.
    """

    @property
    def coefficients(self) -> Tensor: ...

    def design_rows(self, graph: Graph) -> DesignRows:
        """How energy, forces and virial of a graph depend on the (flattened) coefficients."""
        ...

    def with_coefficients(self, coefficients: Tensor) -> "LinearModel":
        """The model with others (columns,), flattened."""
        ...

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "LinearModel":
        """The same model in another floating-point type or on another device."""
        ...


@runtime_checkable
class TrainableModel(EnergyModel, Protocol):
    """An energy model whose parameters are trained by gradients: a `torch.nn.Module` that keeps these rules.

    `atomic_energies` is differentiable in the parameters too, and once more after forces were taken of it. Only parameters
    that require a gradient are trained; what else the model holds (species, scales taken from the data) are buffers, or
    nothing that changes. A call changes nothing, in training as in evaluation: no dropout, no running averages. `to` gives
    another model and leaves this one as it is, unlike a module's own.
    """

    def named_parameters(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """Names and parameters, in an order that is always the same."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All tensors by name."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """The inverse of `state_dict`."""
        ...

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "TrainableModel":
        """The same model in another floating-point type or on another device."""
        ...


@dataclass(frozen=True)
class Differentiated:
    """Atomic energies and their derivatives, differentiable in the parameters of the model that gave them.

    Attributes:
        energies: (N,) eV.
        forces: (N, 3) eV/Å; None where not asked for.
        virial: (S, 3, 3) eV, ∂E/∂ε = V σ, symmetric; None where not asked for.
    """

    energies: Tensor
    forces: Tensor | None = None
    virial: Tensor | None = None


@runtime_checkable
class DifferentiatingModel(TrainableModel, Protocol):
    """A model that knows a faster way to what losses are made of than to differentiate its atomic energies twice."""

    def differentiated(self, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
        """Of a graph whose positions and cell nobody differentiates by."""
        ...
