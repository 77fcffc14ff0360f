"""The way of message passing: scales from the data, then the descent."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from ase import Atoms

from adiabat.models import MessagePassing
from adiabat.models.messages.standardize import standardized
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled
from adiabat.training.examples import value
from adiabat.training.fitting import Fitted, Problem
from adiabat.training.gradient.descend import DescentData, descend
from adiabat.typing import FloatArray

LEARNING_RATE = 5e-3
SAMPLED_ATOMS = 1000
"""Of the structures by which a fresh model is scaled."""
SMALLEST_FORCE = 1e-3
"""eV/Å."""
SMALLEST_STRESS = 1e-6
"""eV/Å³."""
ENERGY_SCALE_ANGSTROM, FORCE_SCALE, STRESS_SCALE = 0.003, 0.1, 0.1
"""Of energies per atom and forces, in typical forces; of stresses, in their spread."""


def fit_messages(problem: Problem) -> Fitted:
    """A message-passing model, from random weights."""
    config = problem.config
    sample = _sample(problem.prepared.fitted, seed=config.gradient.seed)
    model = MessagePassing(config.messages, problem.prepared.model.species, seed=config.gradient.seed)
    graph = neighbor_graph(Batch.from_atoms([structure.atoms for structure in sample]), model.cutoff)
    left = _left_energies(sample, problem.prepared.baseline)
    binding = mean_energies([structure.atoms for structure in sample], left, model.species)
    model = standardized(model, graph, energy_scale_ev=_typical_force(sample), binding_ev=torch.from_numpy(binding))
    data, scales = DescentData.of(problem), loss_scales(problem.prepared.fitted)
    if scales is not None:
        data = replace(data, scales=scales)
    found = descend(model, data, problem, learning_rate=LEARNING_RATE)
    return Fitted((found.model,), found.summary, found.notes)


def loss_scales(structures: Sequence[Labelled]) -> dict[str, float] | None:
    """What errors are counted in, by kind of label; None without forces: then as any model's.

    Energies are counted in forces times a length, not in their own spread: that of molecules is small, and energies that count too
    much keep a descent from learning forces.
    """
    if all(structure.labels.forces is None for structure in structures):
        return None
    typical = _typical_force(structures)
    found = {"energy": ENERGY_SCALE_ANGSTROM * typical, "forces": FORCE_SCALE * typical}
    stresses = [structure.labels.stress for structure in structures if structure.labels.stress is not None]
    return found | ({"stress": STRESS_SCALE * max(float(np.std(stresses)), SMALLEST_STRESS)} if stresses else {})


def _sample(structures: Sequence[Labelled], *, seed: int) -> list[Labelled]:
    """Structures with neighbours, drawn until there are enough atoms."""
    joined = [structure for structure in structures if not structure.is_isolated_atom]
    order = np.random.default_rng(seed).permutation(len(joined))
    sizes = np.cumsum([len(joined[index].atoms) for index in order])
    return [joined[index] for index in order[: int(np.searchsorted(sizes, SAMPLED_ATOMS)) + 1]]


def _left_energies(structures: Sequence[Labelled], baseline: Potential) -> FloatArray:
    """(S,) eV that the baseline leaves; NaN without a label."""
    known = value(baseline([structure.atoms for structure in structures], want=("energy",)).energy)
    return np.array([np.nan if s.labels.energy is None else s.labels.energy for s in structures]) - known


def mean_energies(structures: Sequence[Atoms], energies: FloatArray, species: Sequence[int]) -> FloatArray:
    """(species,) eV of an atom of each element, by least squares; of those that only occur in fixed proportions, the smallest.

    Args:
        structures: With neighbours.
        energies: (S,) eV; NaN: not known.
        species: Atomic numbers.
    """
    known = np.isfinite(energies)
    counts = np.array([[np.count_nonzero(atoms.numbers == number) for number in species] for atoms in structures])
    sizes = counts[known].sum(1)
    return np.linalg.lstsq(counts[known] / sizes[:, None], energies[known] / sizes, rcond=1e-6)[0]


def _typical_force(structures: Sequence[Labelled]) -> float:
    """eV/Å, their root mean square: over an Ångström, an energy of the right size. 1 where there are no forces."""
    rows = [structure.labels.forces.ravel() for structure in structures if structure.labels.forces is not None]
    return max(float(np.sqrt(np.square(np.concatenate(rows)).mean())), SMALLEST_FORCE) if rows else 1.0
