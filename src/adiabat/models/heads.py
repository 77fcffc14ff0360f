"""One trunk, several heads: copies of a network that share all parameters but those of the last layer."""

from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from adiabat.system import Graph, PartState, TrainableModel


@runtime_checkable
class Branching(TrainableModel, Protocol):
    """A module that can be given another last layer."""

    def another_head(self) -> "Branching":
        """The same module with a last layer of its own, which begins as this one's; all other parameters are the same objects."""
        ...

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> "Branching":
        """The same model in another floating-point type or on another device."""
        ...


class Heads(nn.Module):
    """A network for each of several levels of theory. It acts as the first one; while it is trained, `of_level` gives the others.

    Args:
        main: Of the level that is wanted.
        levels: Names of the others.
    """

    kind: ClassVar[str] = "heads"

    def __init__(self, main: Branching, levels: tuple[str, ...]) -> None:
        super().__init__()
        self.main = main
        self.levels = levels
        self.others = nn.ModuleList(main.another_head() for _ in levels)  # pyright: ignore[reportArgumentType]

    @property
    def cutoff(self) -> float:
        """Å."""
        return self.main.cutoff

    @property
    def interaction_range(self) -> float:
        """Å."""
        return self.main.interaction_range

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers."""
        return self.main.species

    def of_level(self, level: str | None) -> Any:
        """The network of another level; None: of the one that is wanted."""
        return self.main if level is None else self.others[self.levels.index(level)]

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV, of the level that is wanted."""
        return self.main.atomic_energies(graph)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same networks in another floating-point type or on another device; this one stays as it is."""
        found = type(self)(self.main.to(dtype=dtype, device=device), self.levels)
        with torch.no_grad():
            for copied, own in zip(found.parameters(), self.parameters(), strict=True):
                copied.copy_(own)
        return found

    def to_state(self) -> PartState:
        """That of the network that is wanted: the others have served their turn."""
        return self.main.to_state()
