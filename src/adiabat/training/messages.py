"""The way of message passing: scales from the data, then the descent."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from ase import Atoms

from adiabat.models import MessagePassing
from adiabat.models.messages.standardize import standardized
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch, EnergyModel
from adiabat.training.fitting import Fitted, Problem
from adiabat.training.gradient.descend import DescentData
from adiabat.training.gradient.members import descend_members
from adiabat.training.gradient.targets import Target
from adiabat.training.known import Learned, what_is_known_of
from adiabat.training.linear import solve_linear
from adiabat.typing import FloatArray

LEARNING_RATES = {"linear": 1e-3, "random": 5e-3}
POSTERIOR_ATOMS = 1500
"""Of the training, by which error bars are made: rows of a readout cost a hundred times what forces do."""
SAMPLED_ATOMS = 1000
"""Of the structures by which a fresh model is scaled."""
SMALLEST_FORCE = 1e-3
"""eV/Å."""
ENERGY_SCALE_ANGSTROM, FORCE_SCALE = 0.003, 0.1
"""Of energies per atom and of forces, in typical forces."""


def fit_messages(problem: Problem) -> Fitted:
    """A message-passing model, beside a linear expansion or alone."""
    config, data = problem.config, DescentData.of(problem)
    data = replace(data, scales={**data.scales, **loss_scales(data.own)})
    parts: tuple[EnergyModel, ...] = ()
    notes: tuple[str, ...] = ()
    if config.messages.start == "linear":
        solution = solve_linear(problem.on([target.structure for target in data.own]))
        parts, notes = (problem.prepared.fitted_model(solution.best.solution.mean),), solution.notes
        data = data.after(Potential(parts), quiet=problem.quiet)
    made = partial(_scaled, problem, data)
    found = descend_members(made, data, problem, learning_rate=LEARNING_RATES[config.messages.start])
    parts = (*parts, found.part)
    known = what_is_known_of(Learned(parts, data.own, data.validation, most_atoms=POSTERIOR_ATOMS), problem)
    return Fitted(parts, {**found.summary, **known.errors}, (*notes, *found.notes, *known.notes), known.attachments)


def _scaled(problem: Problem, data: DescentData, seed: int) -> MessagePassing:
    """With drawn weights, and scales of what is to be learned."""
    config = problem.config.messages
    model = MessagePassing(config.shape, problem.prepared.model.species, seed=seed)
    sample = _sample(data.own, seed=seed)
    structures = [target.structure.atoms for target in sample]
    energies = np.array([np.nan if t.energy is None else t.energy[0] * t.atoms for t in sample])
    scaled = standardized(
        model,
        neighbor_graph(Batch.from_atoms(structures), model.cutoff),
        energy_scale_ev=_typical_force(sample),
        binding_ev=torch.from_numpy(mean_energies(structures, energies, model.species)),
    )
    if config.start == "linear":
        torch.nn.init.zeros_(scaled.readout)  # the descent begins at the linear fit itself
    return scaled


def loss_scales(targets: Sequence[Target]) -> dict[str, float]:
    """What errors of energies and forces are counted in; nothing without forces.

    Energies are counted in forces times a length, not in their own spread: that of molecules is small, and energies that count too
    much keep a descent from learning forces.
    """
    if all(target.forces is None for target in targets):
        return {}
    typical = _typical_force(targets)
    return {"energy": ENERGY_SCALE_ANGSTROM * typical, "forces": FORCE_SCALE * typical}


def _sample(targets: Sequence[Target], *, seed: int) -> list[Target]:
    """Some, drawn until there are enough atoms."""
    order = np.random.default_rng(seed).permutation(len(targets))
    sizes = np.cumsum([targets[index].atoms for index in order])
    return [targets[index] for index in order[: int(np.searchsorted(sizes, SAMPLED_ATOMS)) + 1]]


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


def _typical_force(targets: Sequence[Target]) -> float:
    """eV/Å, their root mean square: over an Ångström, an energy of the right size. 1 where there are no forces."""
    rows = [target.forces for target in targets if target.forces is not None]
    return max(float(np.sqrt(np.square(np.concatenate(rows)).mean())), SMALLEST_FORCE) if rows else 1.0
