"""Evaluation block by block: energies and slopes of any number of atoms, in memory that is used again.

Atoms that fit into one block are evaluated together. Of more, a block goes through a layer at a time: forwards, each layer leaves
only what its atoms know and tell; backwards, a block's layer is computed once more together with its derivatives. That costs a third
more, and memory grows with the atoms alone, not with what a layer computes on the way (100 kB an atom in float32).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from adiabat.models.messages.layer import Heard, Layer, State
from adiabat.models.messages.model import MessagePassing
from adiabat.models.messages.neighborhoods import (
    Neighborhoods,
    lone_vectors,
    neighborhoods,
    summed_forces,
    summed_virials,
)
from adiabat.system import Differentiated, Graph

BLOCK = 1024
"""Atoms."""


@dataclass(frozen=True, eq=False)
class Block:
    """What a layer is computed of, for some atoms.

    Attributes:
        vectors: (B, J, 3) Å.
        species: (B,).
        of_neighbor: (B, J), species.
        heard: None in the first layer.
    """

    vectors: Tensor
    species: Tensor
    of_neighbor: Tensor
    heard: Heard | None


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the energy by what a layer was computed of.

    Attributes:
        vectors: (B, J, 3).
        hidden: (B, hidden), by what the atoms knew before; None in the first layer.
        told: (B, J, K + 3 K'), by what their neighbours told; likewise.
    """

    vectors: Tensor
    hidden: Tensor | None
    told: Tensor | None


class LayerFunctions:
    """What a model's layers make of a block.

    Args:
        model: Its parameters do not change.
    """

    def __init__(self, model: MessagePassing) -> None:
        self.model, self.layers = model, model.each_layer()

    def forward(self, t: int, block: Block) -> State:
        """What a layer leaves of a block."""
        around, radial = self.model.surroundings(block.vectors, block.species, block.of_neighbor, layer=t)
        return self.layers[t](around, radial, block.heard)

    def backward(self, t: int, block: Block, by: State) -> tuple[Tensor, Slopes]:
        """What the atoms know after a layer (B, hidden), and derivatives of the energy by what it was computed of.

        Args:
            t: Which layer.
            block: Its input.
            by: Derivatives of the energy by what the layer leaves.
        """
        heard = [] if block.heard is None else [block.heard.hidden, block.heard.told]
        with torch.enable_grad():
            leaves = [leaf.detach().requires_grad_() for leaf in (block.vectors, *heard)]
            own = Heard(leaves[1], leaves[2]) if heard else None
            state = self.forward(t, Block(leaves[0], block.species, block.of_neighbor, own))
            left = [tensor for tensor in (state.hidden, state.told) if tensor is not None]
            weights = [tensor for tensor in (by.hidden, by.told) if tensor is not None]
            found = torch.autograd.grad(left, leaves, weights)
        return state.hidden.detach(), Slopes(found[0], *(found[1:] if heard else (None, None)))


class Functions(Protocol):
    """`LayerFunctions`, or what stands in for them."""

    def forward(self, t: int, block: Block) -> State: ...
    def backward(self, t: int, block: Block, by: State) -> tuple[Tensor, Slopes]: ...


class BlockEvaluator:
    """Energies, forces and virials of a model as it is now; later changes of its parameters do not reach it.

    Args:
        model: What is evaluated.
        made: What of its layers blocks are evaluated with.
        block: Atoms at once.
    """

    def __init__(
        self, model: MessagePassing, *, made: Callable[[MessagePassing], Functions] = LayerFunctions, block: int = BLOCK
    ) -> None:
        self._model, self._block = model.to().requires_grad_(False), block
        self._functions = made(self._model)
        self._is_plain = isinstance(self._functions, LayerFunctions)
        self._layers = self._model.each_layer()
        self._readouts = (self._model.readout * self._model.get_buffer("energy_scale")).chunk(len(self._layers))
        with torch.no_grad():
            self._lone = self._lone_energies()

    def __call__(self, graph: Graph, *, forces: bool, virial: bool) -> Differentiated:
        """Of a graph with edges at least as long as the model's cutoff.

        Args:
            graph: Nobody differentiates by its positions and cell.
            forces: Whether they are wanted.
            virial: Likewise.
        """
        with torch.no_grad():
            if self._is_plain and graph.batch.n_atoms <= self._block:
                return self._model.differentiated(graph, forces=forces, virial=virial)
            atoms = neighborhoods(graph, self._model.cutoff, self._model.species)
            walk = _Walk(atoms, self._block, self._layers, self._readouts)
            walk.forwards(self._functions.forward, energies=not (forces or virial))
            if forces or virial:
                walk.backwards(self._functions.backward)
            self._add_binding(walk, atoms)
        return Differentiated(
            walk.energies - self._lone[atoms.species],
            summed_forces(walk.slopes, atoms.neighbor) if forces else None,
            summed_virials(walk.slopes, atoms.vectors, graph.batch) if virial else None,
        )

    def _add_binding(self, walk: "_Walk", atoms: Neighborhoods) -> None:
        if not bool(self._model.get_buffer("binding").any()):
            return
        with torch.enable_grad():
            vectors = atoms.vectors.detach().requires_grad_()
            energies = self._model.binding_energies(replace(atoms, vectors=vectors))
            (slopes,) = torch.autograd.grad(energies.sum(), vectors)
        walk.energies += energies.detach()
        walk.slopes += slopes

    def _lone_energies(self) -> Tensor:
        """(species,) eV, read off atoms without neighbours."""
        count = len(self._model.species)
        vectors = lone_vectors(self._model.readout, count, 1, self._model.cutoff)
        species = torch.arange(count, device=vectors.device)
        none, total, heard = torch.zeros_like(species)[:, None], vectors.new_zeros(count), None
        for t, readout in enumerate(self._readouts):
            state = self._functions.forward(t, Block(vectors, species, none, heard))
            total = total + state.hidden @ readout
            heard = Heard.of(state, none)
        return total


@dataclass(frozen=True, eq=False)
class _Table:
    """Of all atoms: what they know and tell, or derivatives by these."""

    hidden: Tensor
    told: Tensor

    @classmethod
    def of(cls, atoms: int, layer: Layer, like: Tensor) -> "_Table":
        """Zeros, for what a layer leaves."""
        return cls(like.new_zeros(atoms, layer.hidden), like.new_zeros(atoms, layer.tells))

    @property
    def state(self) -> State:
        return State(self.hidden, self.told)

    def put(self, part: slice, state: State) -> None:
        self.hidden[part] = state.hidden
        if state.told is not None:
            self.told[part] = state.told

    def add(self, part: slice, hidden: Tensor, neighbor: Tensor, told: Tensor) -> None:
        self.hidden[part] += hidden
        self.told.index_add_(0, neighbor.flatten(), told.flatten(0, 1))

    def weights(self, part: slice, readout: Tensor) -> State:
        return State(self.hidden[part] + readout, self.told[part])


class _Walk:
    """One evaluation: what is known of the atoms after each layer, and what has been summed."""

    def __init__(self, atoms: Neighborhoods, block: int, layers: list[Layer], readouts: tuple[Tensor, ...]) -> None:
        self._atoms, self._readouts = atoms, readouts
        self._of_neighbor = atoms.species[atoms.neighbor]
        self._blocks = [slice(start, start + block) for start in range(0, len(atoms.species), block)]
        n, like = len(atoms.species), atoms.vectors
        self._states = [_Table.of(n, layer, like) for layer in layers[:-1]]
        self._by = [_Table.of(n, layer, like) for layer in layers[:-1]]
        self.energies, self.slopes = like.new_zeros(n), torch.zeros_like(like)

    def forwards(self, forward: Callable[[int, Block], State], *, energies: bool) -> None:
        """Through all layers, which leaves energies; or through those before the last, for `backwards`."""
        for t in range(len(self._readouts) if energies else len(self._states)):
            for part in self._blocks:
                state = forward(t, self._input(t, part))
                if energies:
                    self._read(t, part, state.hidden)
                if t < len(self._states):
                    self._states[t].put(part, state)

    def backwards(self, backward: Callable[[int, Block, State], tuple[Tensor, Slopes]]) -> None:
        """Through all layers, from the last: leaves energies and slopes."""
        for t in reversed(range(len(self._readouts))):
            for part in self._blocks:
                hidden, slopes = backward(t, self._input(t, part), self._weights(t, part))
                self._read(t, part, hidden)
                self.slopes[part] += slopes.vectors
                if slopes.hidden is not None and slopes.told is not None:
                    self._by[t - 1].add(part, slopes.hidden, self._atoms.neighbor[part], slopes.told)

    def _input(self, t: int, part: slice) -> Block:
        atoms, heard = self._atoms, None
        if t > 0:
            heard = Heard.of(self._states[t - 1].state, atoms.neighbor[part], own=part)
        return Block(atoms.vectors[part], atoms.species[part], self._of_neighbor[part], heard)

    def _weights(self, t: int, part: slice) -> State:
        rows = self._atoms.species[part].shape[0]
        readout = self._readouts[t].expand(rows, -1)
        return State(readout) if t == len(self._by) else self._by[t].weights(part, readout)

    def _read(self, t: int, part: slice, hidden: Tensor) -> None:
        self.energies[part] += hidden @ self._readouts[t]
