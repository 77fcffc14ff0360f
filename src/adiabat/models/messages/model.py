"""Equivariant message passing: atoms tell their neighbours scalars and vectors, and their energies are read off each layer."""

from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from adiabat.models.messages.by_vectors import differentiated_by_vectors
from adiabat.models.messages.config import MessagesConfig
from adiabat.models.messages.convolution import VectorGeometry
from adiabat.models.messages.harmonics import Harmonics
from adiabat.models.messages.layer import Heard, Layer, State, Surroundings
from adiabat.models.messages.neighborhoods import (
    Neighborhoods,
    neighborhoods,
    with_lone_atoms,
)
from adiabat.models.messages.radial import RadialNetwork, bound
from adiabat.models.messages.readout_rows import readout_rows
from adiabat.system import DesignRows, Differentiated, Graph, PartState, register


@register
class MessagePassing(nn.Module):
    """E_i = Σ over layers of a network's reading of the atom's invariants, and a mean of its element; without neighbours, 0.

    Args:
        config: Its shape.
        species: Atomic numbers, ascending.
        seed: Of its weights.

    Attributes:
        is_compiled: Whether potentials evaluate it by functions compiled for this machine; no file keeps this.
    """

    kind: ClassVar[str] = "message_passing"

    def __init__(self, config: MessagesConfig, species: tuple[int, ...], *, seed: int = 0) -> None:
        super().__init__()
        self.config, self.species, self.is_compiled = config, tuple(species), False
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
        width = config.layers * config.hidden
        self.readout = nn.Parameter(torch.randn(width) * (0.1 / width**0.5))
        self.register_buffer("energy_scale", torch.ones(()))
        self.register_buffer("binding", torch.zeros(species))

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

    def differentiated(self, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
        """Energies and derivatives, by the vectors of the edges; differentiable in the parameters where gradients are on.

        Args:
            graph: Nobody differentiates by its positions and cell.
            forces: Whether they are wanted.
            virial: Likewise.
        """
        atoms = neighborhoods(graph, self.cutoff, self.species)
        trained = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.parameters())
        return differentiated_by_vectors(self.energies, atoms, graph, forces=forces, virial=virial, trained=trained)

    def energies(self, atoms: Neighborhoods) -> Tensor:
        """(N,) eV of atoms in their neighbourhoods."""
        return self.features_of(atoms) @ self.readout + self.binding_energies(atoms)

    def binding_energies(self, atoms: Neighborhoods) -> Tensor:
        """(N,) eV: the mean energy of a bound atom of its element; none without neighbours."""
        distance = atoms.vectors.square().sum(-1, keepdim=True).sqrt()
        return self.get_buffer("binding")[atoms.species] * bound(distance, self.cutoff)

    def features(self, graph: Graph) -> Tensor:
        """(N, layers · hidden) eV: what the readout weighs; zero without neighbours."""
        return self.features_of(neighborhoods(graph, self.cutoff, self.species))

    @property
    def coefficients(self) -> Tensor:
        """(1, layers · hidden): what the energy is linear in, the readout; all species share it."""
        return self.readout.detach()[None]

    def design_rows(self, graph: Graph) -> DesignRows:
        """How energy, forces and virial of a graph depend on the readout: one pass backwards for each column.

        Of several structures, features and force rows are those of each; energy and virial are of their sum.
        """
        atoms = neighborhoods(graph, self.cutoff, self.species)
        return readout_rows(self.features_of, atoms, graph, [torch.arange(len(atoms.species))])

    def with_coefficients(self, coefficients: Tensor) -> Self:
        """The model with another readout, (columns,)."""
        found = self.to()
        found.readout = nn.Parameter(coefficients.to(self.readout), requires_grad=False)
        return found

    def another_head(self) -> Self:
        """The same model with a readout of its own; all other parameters are the same objects."""
        twin = self.to()
        own = dict(self.named_parameters())
        for name, module in twin.named_modules():
            for key in list(module._parameters):
                full = f"{name}.{key}" if name else key
                if full in own and full != "readout":
                    module._parameters[key] = own[full]
        return twin

    def magnitudes(self, graph: Graph) -> Tensor:
        """(N,) eV: the sizes of the terms that an energy is the sum of."""
        atoms = neighborhoods(graph, self.cutoff, self.species)
        hidden, lone = self._hidden(atoms)
        read = (hidden.abs() + lone.abs()) @ self.readout.abs() * self.get_buffer("energy_scale")
        return read + self.binding_energies(atoms).abs()

    def features_of(self, atoms: Neighborhoods) -> Tensor:
        """`features`, of atoms in their neighbourhoods."""
        hidden, lone = self._hidden(atoms)
        return (hidden - lone) * self.get_buffer("energy_scale")

    def _hidden(self, atoms: Neighborhoods) -> tuple[Tensor, Tensor]:
        """(N, layers · hidden) of each atom, and what they would be without neighbours."""
        count, species = len(self.species), atoms.species
        atoms = with_lone_atoms(atoms, count, self.cutoff)
        around, radial = self.surroundings(atoms.vectors, atoms.species, atoms.species[atoms.neighbor])
        found: list[Tensor] = []
        state: State | None = None
        for layer, functions in zip(self.each_layer(), radial.split(self.widths, dim=-1), strict=True):
            after = layer(around, functions, Heard.of(state, atoms.neighbor))
            found.append(after.hidden)
            state = after
        hidden = torch.cat(found, dim=-1)
        return hidden[:-count], hidden[-count:][species]

    def each_layer(self) -> list[Layer]:
        """The layers, in their order."""
        return [cast(Layer, layer) for layer in self.layers]

    def surroundings(
        self, vectors: Tensor, species: Tensor, of_neighbor: Tensor, *, layer: int | None = None
    ) -> tuple[Surroundings, Tensor]:
        """What all layers meet, and the radial functions of all of them (N, J, sum of their widths).

        Args:
            vectors: (N, J, 3) Å.
            species: (N,), places of the elements among the model's.
            of_neighbor: (N, J), likewise.
            layer: What this one alone needs.
        """
        start = sum(self.widths[:layer]) if layer else 0
        columns = slice(start, None if layer is None else start + self.widths[layer])
        distance = vectors.square().sum(-1, keepdim=True).sqrt()
        harmonics = self.harmonics(vectors / distance)
        geometry = self.vector_geometry(harmonics) if self.vector_geometry is not None and layer != 0 else None
        pair = species[:, None] * len(self.species) + of_neighbor
        return Surroundings(harmonics, geometry, species), self.radial(distance, pair, columns)

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same model in another floating-point type or on another device; this one stays as it is."""
        model = type(self)(self.config, self.species)  # its tables are exact; those of this one may have been rounded
        model.is_compiled = self.is_compiled
        model.load_state_dict(self.state_dict())
        for copied, own in zip(model.parameters(), self.parameters(), strict=True):
            copied.requires_grad_(own.requires_grad)
        dtype, device = dtype or self.readout.dtype, device or self.readout.device
        return cast(Self, nn.Module.to(model, dtype=dtype, device=device))

    def compiled(self) -> Self:
        """The same model, which potentials evaluate by functions compiled for this machine (`compiled.CompiledFunctions`)."""
        model = self.to()
        model.is_compiled = True
        return model

    def to_state(self) -> PartState:
        """Shape and species; parameters and scales."""
        values = {"config": self.config.model_dump(mode="json"), "species": list(self.species)}
        tensors = {name: tensor.detach().double() for name, tensor in self.state_dict().items()}
        return PartState(self.kind, values, tensors)

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`; its parameters require no gradient."""
        values: dict[str, Any] = state.values
        model = cls(MessagesConfig.restore(values["config"]), tuple(values["species"]))
        model.load_state_dict(state.tensors)
        return model.requires_grad_(False)
