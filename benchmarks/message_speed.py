"""What an atom costs by message passing on one core: all atoms together, block by block, and compiled.

python benchmarks/message_speed.py [--potential messages.adiabat] [--compiled] [--repeats 2 5]

Without a potential: the default shape with drawn weights, which costs the same.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from ase.build import bulk
from timing import machine

from adiabat.models import MessagePassing, MessagesConfig
from adiabat.models.messages.blocks import BlockEvaluator
from adiabat.models.messages.compiled import COMPILED_BLOCK, CompiledFunctions
from adiabat.models.messages.standardize import standardized
from adiabat.neighbors import neighbor_graph
from adiabat.potential import load_potential
from adiabat.system import Batch, Graph

RUNS = 7
BLOCK = 256
"""Small enough for blocks to be seen at a thousand atoms."""


def silicon(repeats: int, cutoff: float, dtype: torch.dtype) -> Graph:
    """Diamond silicon, rattled by 0.1 Å, with its edges."""
    atoms = bulk("Si", "diamond", a=5.43, cubic=True) * (repeats, repeats, repeats)
    atoms.positions += np.random.default_rng(0).normal(scale=0.1, size=atoms.positions.shape)
    return neighbor_graph(Batch.from_atoms(atoms, dtype=dtype), cutoff)


def model_of(file: Path | None) -> MessagePassing:
    if file is None:
        model = MessagePassing(MessagesConfig(), (14,))
        return standardized(model, silicon(2, model.cutoff, torch.float64))
    parts = [part for part in load_potential(file).parts if isinstance(part, MessagePassing)]
    if not parts:
        raise SystemExit(f"{file} holds no message passing")
    return parts[0]


def ways(model: MessagePassing, *, compiled: bool) -> dict[str, Callable[[Graph], object]]:
    """Energies and forces of a graph, by name."""

    def made(evaluator: BlockEvaluator) -> Callable[[Graph], object]:
        return lambda graph: evaluator(graph, forces=True, virial=False)

    def together(graph: Graph) -> object:
        with torch.no_grad():
            return model.differentiated(graph, forces=True, virial=False)

    found = {"together": together, "in blocks": made(BlockEvaluator(model, block=BLOCK))}
    return found | (
        {"compiled": made(BlockEvaluator(model, made=CompiledFunctions, block=COMPILED_BLOCK))} if compiled else {}
    )


def cpu_seconds(works: Sequence[Callable[[], object]]) -> np.ndarray:
    """The least of several runs of each, in turn: others that share the machine and its cache only add to it."""
    for work in works:
        work()
    seconds = np.empty((RUNS, len(works)))
    for run in seconds:
        for k, work in enumerate(works):
            start = time.process_time()
            work()
            run[k] = time.process_time() - start
    return seconds.min(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--potential", type=Path)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--repeats", type=int, nargs="+", default=[2, 5])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    reference = model_of(chosen.potential)
    for dtype in (torch.float32, torch.float64):
        model = reference.to(dtype=dtype)
        made = ways(model, compiled=chosen.compiled)
        for repeats in chosen.repeats:
            graph = silicon(repeats, model.cutoff, dtype)
            each = 1e6 * cpu_seconds([partial(way, graph) for way in made.values()]) / graph.batch.n_atoms
            words = ", ".join(f"{name} {value:.0f}" for name, value in zip(made, each, strict=True))
            print(
                f"{dtype}, {graph.batch.n_atoms} atoms, {graph.n_edges / graph.batch.n_atoms:.0f} edges each: {words} µs/atom"
            )


if __name__ == "__main__":
    main()
