"""Equivariant message passing: atoms tell their neighbours scalars and vectors, and their energies are read off each layer."""

import copy
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from adiabat.models.messages.config import MessagesConfig
from adiabat.models.messages.convolution import VectorGeometry
from adiabat.models.messages.harmonics import Harmonics
from adiabat.models.messages.layer import Layer, State, Surroundings
from adiabat.models.messages.neighborhoods import Neighborhoods, neighborhoods, with_lone_atoms
from adiabat.models.messages.radial import RadialNetwork
from adiabat.system import Graph, PartState, register


@register
class MessagePassing(nn.Module):
    """E_i = Σ over layers of a network's reading of the atom's invariants; without neighbours, 0.

    Args:
        config: Its shape.
        species: Atomic numbers, ascending.
        seed: Of its weights.
    """

    kind: ClassVar[str] = "message_passing"

    def __init__(self, config: MessagesConfig, species: tuple[int, ...], *, seed: int = 0) -> None:
        super().__init__()
        self.config, self.species = config, tuple(species)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._build()
        self.double()

    def _build(self) -> None:
        config, species = self.config, len(self.species)
        self.harmonics = Harmonics(config.l_max)
        self.has_vectors = config.vector_channels > 0 and config.layers > 1
        self.vector_geometry = VectorGeometry(config.l_max) if self.has_vectors else None
        told = config.vector_channels if self.has_vectors else 0
        self.widths = [config.edge_channels + (told if index else 0) for index in range(config.layers)]
        self.radial = RadialNetwork(
            config.cutoff_angstrom,
            bessels=config.radial_functions,
            hidden=config.radial_hidden,
            functions=sum(self.widths),
            species=species,
        )
        self.layers = nn.ModuleList(
            Layer(config, species=species, first=index == 0, last=index == config.layers - 1)
            for index in range(config.layers)
        )
        self.register_buffer("energy_scale", torch.ones(()))

    @property
    def cutoff(self) -> float:
        """Å."""
        return self.config.cutoff_angstrom

    @property
    def interaction_range(self) -> float:
        """Å: an edge for each layer."""
        return self.config.layers * self.config.cutoff_angstrom

    def atomic_energies(self, graph: Graph) -> Tensor:
        """(N,) eV, counted from atoms without neighbours."""
        return self.energies(neighborhoods(graph, self.cutoff, self.species))

    def energies(self, atoms: Neighborhoods) -> Tensor:
        """(N,) eV of atoms in their neighbourhoods."""
        terms = self._terms(with_lone_atoms(atoms, len(self.species), self.cutoff)).sum(-1)
        return self._counted(terms, atoms.species, -1.0)

    def magnitudes(self, graph: Graph) -> Tensor:
        """(N,) eV: the sizes of the terms that an energy is the sum of."""
        atoms = neighborhoods(graph, self.cutoff, self.species)
        terms = self._terms(with_lone_atoms(atoms, len(self.species), self.cutoff)).abs().sum(-1)
        return self._counted(terms, atoms.species, 1.0)

    def _counted(self, readings: Tensor, species: Tensor, sign: float) -> Tensor:
        """The atoms' own, and those of the lone atoms at the end."""
        count = len(self.species)
        return self.get_buffer("energy_scale") * (readings[:-count] + sign * readings[-count:][species])

    def _terms(self, atoms: Neighborhoods) -> Tensor:
        """(N, layers · hidden): what the energies are sums of."""
        around, radial = self.surroundings(atoms)
        terms: list[Tensor] = []
        state: State | None = None
        for layer, functions in zip(self.each_layer(), radial.split(self.widths, dim=-1), strict=True):
            found = layer(around, functions, state)
            terms.append(found.hidden * layer.readout)
            state = found
        return torch.cat(terms, dim=-1)

    def each_layer(self) -> list[Layer]:
        """The layers, in their order."""
        return [cast(Layer, layer) for layer in self.layers]

    def surroundings(self, atoms: Neighborhoods) -> tuple[Surroundings, Tensor]:
        """What all layers meet, and the radial functions of all of them (N, J, sum of their widths)."""
        distance = atoms.vectors.square().sum(-1, keepdim=True).sqrt()
        harmonics = self.harmonics(atoms.vectors / distance)
        geometry = None if self.vector_geometry is None else self.vector_geometry(harmonics)
        pair = atoms.species[:, None] * len(self.species) + atoms.species[atoms.neighbor]
        return Surroundings(harmonics, geometry, atoms.neighbor, atoms.species), self.radial(distance, pair)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device; this one stays as it is."""
        return cast(Self, nn.Module.to(copy.deepcopy(self), dtype=dtype, device=device))

    def to_state(self) -> PartState:
        """Shape and species; parameters and scales."""
        values = {"config": self.config.model_dump(mode="json"), "species": list(self.species)}
        tensors = {name: tensor.detach().double() for name, tensor in self.state_dict().items()}
        return PartState(self.kind, values, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        values: dict[str, Any] = state.values
        model = cls(MessagesConfig.restore(values["config"]), tuple(values["species"]))
        model.load_state_dict(state.tensors)
        return model
