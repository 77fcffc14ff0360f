"""Energies of isolated atoms: what a potential's energies are counted from."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.system import Batch, Graph, PartState, register


@register
@dataclass(frozen=True)
class IsolatedAtoms:
    """A constant energy per atom of each species.

    Attributes:
        energies_ev: By atomic number.
        source: Where they come from. "fitted" ones are a reference shift, not energies of atoms: an atom without
            neighbours then has no energy.
        cutoff: Å, within which an atom counts as having neighbours.
    """

    energies_ev: dict[int, float]
    source: Literal["data", "configuration", "fitted"]
    cutoff: float
    kind: ClassVar[str] = "isolated_atoms"

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
            PropertyUnavailable: The energies are fitted and an atom has no neighbour.
        """
        neighbors = torch.bincount(graph.within(self.cutoff).center, minlength=graph.batch.n_atoms)
        return self.energies(graph.batch, has_neighbor=neighbors > 0)

    def energies(self, batch: Batch, *, has_neighbor: Tensor) -> Tensor:
        """As `atomic_energies`, where it is known which atoms have a neighbour within the cutoff: (N,) bool."""
        if self.source == "fitted":
            self._refuse_lone_atoms(batch, has_neighbor)
        table = batch.positions.new_zeros(max(self.species) + 1)
        for number, energy in self.energies_ev.items():
            table[number] = energy
        return table[batch.numbers]

    def _refuse_lone_atoms(self, batch: Batch, has_neighbor: Tensor) -> None:
        lone = (~has_neighbor).nonzero()
        if len(lone):
            atom = int(lone[0])
            symbol = chemical_symbols[int(batch.numbers[atom])]
            raise PropertyUnavailable(
                f"atom {atom} ({symbol}) has no neighbour within {self.cutoff:.2f} Å",
                rule="the training data held no isolated atom, so the energy of one is unknown (a fitted shift stands in)",
                mend=f"add isolated atoms to the training data, or set isolated_atoms_ev.{symbol} in the configuration",
            )

    def to(self, **kwargs: Any) -> Self:
        """The same: the energies take the type of the positions."""
        return replace(self)

    def to_state(self) -> PartState:
        """As JSON values."""
        energies = {str(number): energy for number, energy in self.energies_ev.items()}
        return PartState(self.kind, {"energies_ev": energies, "source": self.source, "cutoff": self.cutoff}, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        energies = {int(number): float(energy) for number, energy in state.values["energies_ev"].items()}
        return cls(energies, state.values["source"], state.values["cutoff"])
