"""The file that holds normal equations: what a training that was interrupted goes on from."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from adiabat.runs import atomic_path
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import KINDS
from adiabat.training.normal_equations import NormalEquations, Sums

BLOCK, MOMENT, SCALARS, SCATTER, OF_TYPE = ".block.", ".moment", ".scalars", "feature_scatter", " of "
"""Of the names in a file: "forces.moment", "forces of liquid.block.1.0"."""


def save_equations(equations: NormalEquations, file: Path) -> None:
    """Write, whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    tensors = {
        "atoms": torch.from_numpy(equations.atoms),
        "feature_mean": torch.from_numpy(equations.feature_mean),
        "done": torch.tensor([equations.done]),
        "per_config_type": torch.tensor([equations.config_types is not None]),
    }
    tensors |= _blocks_to_tensors(SCATTER, equations.feature_scatter)
    for kind, sums in equations.kinds.items():
        tensors |= _to_tensors(kind, sums)
    for (kind, config_type), sums in (equations.config_types or {}).items():
        tensors |= _to_tensors(f"{kind}{OF_TYPE}{config_type}", sums)
    with atomic_path(file) as temporary:
        try:
            save_file(tensors, temporary)
        except SafetensorError as error:
            raise OSError(str(error)) from error


def load_equations(file: Path) -> NormalEquations:
    """The inverse of `save_equations`."""
    # Copies stand in memory as the sums did that were saved: products may round by where their operands begin.
    tensors = {name: tensor.clone() for name, tensor in load_file(file).items()}
    n_species, n_functions = tensors["feature_mean"].shape
    found = NormalEquations(n_species, n_functions, per_config_type=bool(tensors["per_config_type"][0]))
    found.done = int(tensors["done"][0])
    found.atoms, found.feature_mean = tensors["atoms"].numpy(), tensors["feature_mean"].numpy()
    found.feature_scatter = _blocks_from_tensors(SCATTER, tensors, n_functions)
    found.kinds = {kind: _from_tensors(kind, tensors, n_functions) for kind in KINDS}
    if found.config_types is not None:
        names = [key.removesuffix(SCALARS) for key in tensors if OF_TYPE in key and key.endswith(SCALARS)]
        for name in names:
            kind, _, config_type = name.partition(OF_TYPE)
            found.config_types[kind, config_type] = _from_tensors(name, tensors, n_functions)
    return found


def _to_tensors(name: str, sums: Sums) -> dict[str, Tensor]:
    scalars = torch.tensor([sums.count, sums.total, sums.square], dtype=torch.float64)
    own = {f"{name}{MOMENT}": sums.moment, f"{name}{SCALARS}": scalars}
    return own | _blocks_to_tensors(name, sums.gram)


def _from_tensors(name: str, tensors: Mapping[str, Tensor], n_functions: int) -> Sums:
    count, total, square = tensors[f"{name}{SCALARS}"].tolist()
    gram = _blocks_from_tensors(name, tensors, n_functions)
    return Sums(int(count), gram, tensors[f"{name}{MOMENT}"], total, square)


def _blocks_to_tensors(name: str, matrix: BlockMatrix) -> dict[str, Tensor]:
    return {f"{name}{BLOCK}{a}.{b}": block for (a, b), block in matrix.blocks.items()}


def _blocks_from_tensors(name: str, tensors: Mapping[str, Tensor], width: int) -> BlockMatrix:
    found = BlockMatrix(width)
    for key, block in tensors.items():
        stem, separator, pair = key.rpartition(BLOCK)
        if separator and stem == name:
            a, b = (int(place) for place in pair.split("."))
            found.blocks[a, b] = block
    return found
