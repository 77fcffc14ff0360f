"""Energies of isolated atoms: what a potential's energies are counted from."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, Self

import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.data.isolated import SHIFTS, Source
from adiabat.errors import ConfigurationError, PropertyUnavailable
from adiabat.system import Batch, Graph, PartState, register


@register
@dataclass(frozen=True)
class IsolatedAtoms:
    """A constant energy per atom of each species.

    Args:
        source: `sources`, or one for all.

    Attributes:
        energies_ev: By atomic number.
        sources: Where each comes from, by atomic number. A "fitted" one and a "shift" are counted from, and are not the
            energy of an atom: such an atom has no energy without neighbours.
        cutoff: Å, within which an atom counts as having neighbours.

    Raises:
        ConfigurationError: Sources and energies are not of the same species.
    """

    energies_ev: dict[int, float]
    source: InitVar[Source | Mapping[int, Source]]
    cutoff: float
    sources: dict[int, Source] = field(init=False)
    kind: ClassVar[str] = "isolated_atoms"
    exact: ClassVar[bool] = True

    def __post_init__(self, source: Source | Mapping[int, Source]) -> None:
        sources = dict.fromkeys(self.energies_ev, source) if isinstance(source, str) else dict(source)
        object.__setattr__(self, "sources", sources)
        unmatched = sources.keys() ^ self.energies_ev.keys()
        if unmatched:
            raise ConfigurationError(
                f"of {', '.join(chemical_symbols[number] for number in sorted(unmatched))} only one of the two is given",
                place="isolated atoms",
                rule="each energy of an isolated atom has a source",
                mend="give both for the same species",
            )

    @property
    def interaction_range(self) -> float:
        """Å: none."""
        return 0.0

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return tuple(sorted(self.energies_ev))

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV.

        Raises:
            PropertyUnavailable: An atom whose energy is a shift has no neighbour.
        """
        neighbors = torch.bincount(graph.within(self.cutoff).center, minlength=graph.batch.n_atoms)
        self.require_neighbors(graph.batch, neighbors > 0)
        table = graph.batch.positions.new_zeros(max(self.species) + 1)
        for number, energy in self.energies_ev.items():
            table[number] = energy
        return table[graph.batch.numbers]

    def require_neighbors(self, batch: Batch, has_neighbor: Tensor) -> None:
        """Refuse atoms that have no energy where it is known which have a neighbour within the cutoff, (N,) bool.

        Raises:
            PropertyUnavailable: An atom whose energy is a shift has no neighbour.
        """
        shifts = [number for number, source in self.sources.items() if source in SHIFTS]
        if not shifts or bool(has_neighbor.all()):
            return
        numbers = batch.numbers
        lone = (~has_neighbor & torch.isin(numbers, torch.tensor(shifts, device=numbers.device))).nonzero()
        if len(lone):
            atom = int(lone[0])
            symbol = chemical_symbols[int(numbers[atom])]
            raise PropertyUnavailable(
                f"atom {atom} ({symbol}) has no neighbour within {self.cutoff:.2f} Å",
                rule=f"what the energies of {symbol} are counted from is a shift, not the energy of an isolated atom",
                mend=f"train with an isolated atom (or data.isolated_atoms_ev.{symbol}) and energies of structures that "
                f"hold {symbol}",
            )

    def to(self, **kwargs: Any) -> Self:
        """The same: the energies take the type of the positions."""
        return self

    def to_state(self) -> PartState:
        """As JSON values."""
        energies = {str(number): energy for number, energy in self.energies_ev.items()}
        sources = {str(number): source for number, source in self.sources.items()}
        return PartState(self.kind, {"energies_ev": energies, "source": sources, "cutoff": self.cutoff}, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        energies = {int(number): float(energy) for number, energy in state.values["energies_ev"].items()}
        source = state.values["source"]
        if isinstance(source, dict):
            source = {int(number): of for number, of in source.items()}
        return cls(energies, source, state.values["cutoff"])
