"""The mean of several sums of models: what a committee says."""

from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.system import EnergyModel, Graph, PartState, register, restore


@register
@dataclass(frozen=True, eq=False)
class Mean:
    """E_i = 1/M Σ_members Σ_parts E_i.

    Attributes:
        members: The parts of each.

    Raises:
        ConfigurationError: Fewer than two members.
    """

    members: tuple[tuple[EnergyModel, ...], ...]
    kind: ClassVar[str] = "mean"

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise ConfigurationError(
                f"a committee of {len(self.members)}",
                place="committee",
                rule="members differ where they do not know: there are two or more",
                mend="give it several potentials, trained on other data, from other seeds or of other kinds",
            )

    @property
    def cutoff(self) -> float:
        """Å, the longest edge that a part of a member needs."""
        return max(part.cutoff for part in self._parts)

    @property
    def interaction_range(self) -> float:
        """Å."""
        return max(part.interaction_range for part in self._parts)

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that all know, ascending."""
        first, *others = self._parts
        return tuple(sorted(set(first.species).intersection(*(part.species for part in others))))

    @property
    def _parts(self) -> tuple[EnergyModel, ...]:
        return tuple(chain(*self.members))

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV."""
        return torch.stack([part.atomic_energies(graph) for part in self._parts]).sum(0) / len(self.members)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device."""
        return type(self)(tuple(tuple(part.to(dtype=dtype, device=device) for part in parts) for parts in self.members))

    def to_state(self) -> PartState:
        """The states of all parts, their tensors named by member and part."""
        tensors: dict[str, Tensor] = {}
        values = [
            [_stored(part, f"{place}.{number}", tensors) for number, part in enumerate(parts)]
            for place, parts in enumerate(self.members)
        ]
        return PartState(self.kind, {"members": values}, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        return cls(
            tuple(
                tuple(_restored(stored, f"{place}.{number}", state.tensors) for number, stored in enumerate(parts))
                for place, parts in enumerate(state.values["members"])
            )
        )


def _stored(part: EnergyModel, prefix: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    state = part.to_state()
    tensors.update({f"{prefix}.{name}": tensor for name, tensor in state.tensors.items()})
    return {"kind": state.kind, "values": state.values, "tensors": sorted(state.tensors)}


def _restored(stored: dict[str, Any], prefix: str, tensors: dict[str, Tensor]) -> EnergyModel:
    named = {name: tensors[f"{prefix}.{name}"] for name in stored["tensors"]}
    return restore(PartState(stored["kind"], stored["values"], named))
