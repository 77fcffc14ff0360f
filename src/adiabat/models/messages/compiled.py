"""Blocks evaluated by functions that PyTorch's compiler made for this machine: energies and slopes of a layer in one graph."""

import os
import shutil
from collections.abc import Callable

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from adiabat.errors import ConfigurationError
from adiabat.models.messages.blocks import Block, LayerFunctions, Slopes
from adiabat.models.messages.layer import Heard, State
from adiabat.models.messages.model import MessagePassing
from adiabat.models.messages.neighborhoods import lone_vectors

Function = Callable[..., tuple[Tensor, ...]]

COMPILED_BLOCK = 256
"""Atoms. Smaller blocks leave more of the time to the calls, larger ones leave the cache."""
EXAMPLE = (5, 7)
"""Atoms and places of the block that a function is traced with: any two numbers above 1 would do."""
LEAST = 2
"""Atoms and places of a block: the compiler takes a length of one for a constant."""


class CompiledFunctions:
    """As `LayerFunctions`, to rounding, for blocks of any size.

    Each layer's forward function, and its forward and backward function together, are traced once with symbolic sizes and compiled at
    their first use, which takes up to a minute; PyTorch keeps the machine code on disk for the next time.

    Args:
        model: Its parameters do not change.

    Raises:
        ConfigurationError: There is no C++ compiler.
    """

    def __init__(self, model: MessagePassing) -> None:
        if model.readout.device.type == "cpu":
            _require_compiler()
        self._model, self._layers, self._reference = model, model.each_layer(), LayerFunctions(model)
        self._functions: dict[tuple[str, int], Function] = {}

    def forward(self, t: int, block: Block) -> State:
        """What a layer leaves of a block."""
        atoms = len(block.species)
        inputs = _inputs(_enlarged(block, self._model.cutoff))
        hidden, *told = self._function("forward", t, self._flat_forward)(*inputs)
        return State(hidden[:atoms], told[0][:atoms] if told else None)

    def backward(self, t: int, block: Block, by: State) -> tuple[Tensor, Slopes]:
        """What the atoms know after a layer, and derivatives of the energy by what it was computed of."""
        atoms, places = block.of_neighbor.shape
        larger = _enlarged(block, self._model.cutoff)
        weights = [_more_rows(w, len(larger.species)) for w in (by.hidden, by.told) if w is not None]
        found = self._function("backward", t, self._flat_backward)(*_inputs(larger), *weights)
        hidden, vectors, *heard = (one[:atoms] for one in found)
        return hidden, Slopes(vectors[:, :places], *((heard[0], heard[1][:, :places]) if heard else (None, None)))

    def _function(self, name: str, t: int, flat: Callable[[int], Function]) -> Function:
        key = (name, t)
        if key not in self._functions:
            examples = self._examples(t, with_weights=name == "backward")
            graph = make_fx(flat(t), tracing_mode="symbolic", _allow_non_fake_inputs=True)(*examples)
            self._functions[key] = torch.compile(graph, dynamic=True)
        return self._functions[key]

    def _flat_forward(self, t: int) -> Function:
        def function(*inputs: Tensor) -> tuple[Tensor, ...]:
            state = self._reference.forward(t, _block(inputs))
            return (state.hidden,) if state.told is None else (state.hidden, state.told)

        return function

    def _flat_backward(self, t: int) -> Function:
        count = 3 if t == 0 else 5

        def function(*inputs: Tensor) -> tuple[Tensor, ...]:
            weights = inputs[count:]
            by = State(weights[0], weights[1] if len(weights) > 1 else None)
            hidden, slopes = self._reference.backward(t, _block(inputs[:count]), by)
            if slopes.hidden is None or slopes.told is None:
                return hidden, slopes.vectors
            return hidden, slopes.vectors, slopes.hidden, slopes.told

        return function

    def _examples(self, t: int, *, with_weights: bool) -> list[Tensor]:
        atoms, places = EXAMPLE
        like, layers = self._model.readout, self._layers
        none = torch.zeros(atoms, places, dtype=torch.int64, device=like.device)
        found = [torch.rand(atoms, places, 3).to(like) + 1, none[:, 0], none]
        if t > 0:
            found += [like.new_zeros(atoms, layers[t - 1].hidden), like.new_zeros(atoms, places, layers[t - 1].tells)]
        if with_weights:
            found.append(like.new_zeros(atoms, layers[t].hidden))
            found += [like.new_zeros(atoms, layers[t].tells)] if t < len(layers) - 1 else []
        return found


def _inputs(block: Block) -> list[Tensor]:
    heard = [] if block.heard is None else [block.heard.hidden, block.heard.told]
    return [block.vectors, block.species, block.of_neighbor, *heard]


def _block(inputs: tuple[Tensor, ...]) -> Block:
    vectors, species, of_neighbor, *heard = inputs
    return Block(vectors, species, of_neighbor, Heard(*heard) if heard else None)


def _enlarged(block: Block, cutoff: float) -> Block:
    """With `LEAST` atoms and places or more: atoms without neighbours, places without."""
    atoms, places = block.of_neighbor.shape
    rows, columns = max(atoms, LEAST) - atoms, max(places, LEAST) - places
    if rows == 0 and columns == 0:
        return block
    vectors = lone_vectors(block.vectors, atoms + rows, places + columns, cutoff).clone()
    vectors[:atoms, :places] = block.vectors
    of_neighbor = torch.nn.functional.pad(block.of_neighbor, (0, columns, 0, rows))
    heard = block.heard
    if heard is not None:
        told = torch.nn.functional.pad(heard.told, (0, 0, 0, columns, 0, rows))
        heard = Heard(_more_rows(heard.hidden, atoms + rows), told)
    return Block(vectors, torch.nn.functional.pad(block.species, (0, rows)), of_neighbor, heard)


def _more_rows(tensor: Tensor, rows: int) -> Tensor:
    return torch.nn.functional.pad(tensor, (0, 0, 0, rows - len(tensor)))


def _require_compiler() -> None:
    known = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "clang++", "c++"]
    if not any(shutil.which(name) for name in known):
        raise ConfigurationError(
            f"there is no C++ compiler here ({', '.join(known)})",
            place="compiled evaluation",
            rule="PyTorch's compiler makes C++ of a model and needs a compiler for that",
            mend="install g++ or clang++; or use the potential as it is, which gives the same numbers",
        )
