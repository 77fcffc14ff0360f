"""The way of networks on invariants: a linear fit first, then the descent of what is nonlinear."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from adiabat.models import LinearACE
from adiabat.models.network import Inputs, InvariantNetwork, Perceptron
from adiabat.neighbors import neighbor_graph
from adiabat.runs import track
from adiabat.system import Batch, Labelled
from adiabat.training.fitting import Fitted, Problem
from adiabat.training.gradient.batches import by_atoms
from adiabat.training.gradient.descend import descend
from adiabat.training.linear import solve_linear

LEARNING_RATE = 3e-3
SCALE_EV = 0.3
"""Of what perceptrons give: energies of atoms differ by about as much."""
ATOMS_AT_ONCE = 1000
NEGLIGIBLE = 1e-8
"""Of the largest variance: directions with less are rounding, and are not blown up to one."""


def fit_network(problem: Problem) -> Fitted:
    """A network on the invariants of the prepared basis."""
    coefficients = torch.zeros_like(problem.prepared.model.coefficients)
    scales, notes = None, ()
    if problem.config.network.start == "linear":
        solution = solve_linear(problem)
        coefficients = problem.prepared.fitted_model(solution.best.solution.mean).coefficients
        scales, notes = solution.best.parameters.noise, solution.notes
    found = descend(_network(problem, coefficients), problem, learning_rate=LEARNING_RATE, scales=scales)
    summary = {"functions": problem.prepared.model.basis.n_functions, **found.summary}
    return Fitted(found.model, summary, (*notes, *found.notes))


def _network(problem: Problem, coefficients: Tensor) -> InvariantNetwork:
    """With first weights."""
    model, config = problem.prepared.model, problem.config.network
    inputs = inputs_of(model, problem.prepared.fitted, config.inputs, quiet=problem.quiet)
    drawn = partial(
        Perceptron,
        inputs.transform.shape[1],
        config.hidden,
        silent=config.start == "linear",
        generator=torch.Generator().manual_seed(problem.config.gradient.seed),
    )
    return InvariantNetwork(model.basis, coefficients, inputs, [drawn() for _ in model.species], scale_ev=SCALE_EV)


def inputs_of(model: LinearACE, structures: Sequence[Labelled], count: int, *, quiet: bool = False) -> Inputs:
    """The combinations of invariants that vary most over the atoms of each species, uncorrelated, with mean 0 and variance 1.

    They are principal components of the invariants, each first scaled to a variance of one.

    Args:
        model: With the basis.
        structures: Whose atoms count.
        count: How many combinations, at most.
        quiet: Show no progress.
    """
    n_species, count = len(model.species), min(count, model.basis.n_functions)
    sums = torch.zeros(n_species, model.basis.n_functions, dtype=torch.float64)
    squares = torch.zeros(n_species, *(model.basis.n_functions,) * 2, dtype=torch.float64)
    atoms = torch.zeros(n_species, dtype=torch.float64)
    parts = list(by_atoms(range(len(structures)), [len(s.atoms) for s in structures], ATOMS_AT_ONCE))
    for part in track(parts, "statistics of the invariants", quiet=quiet):
        batch = Batch.from_atoms([structures[index].atoms for index in part])
        features = model.features(neighbor_graph(batch, model.cutoff))
        for place, number in enumerate(model.species):
            own = features[batch.numbers == number]
            atoms[place] += len(own)
            sums[place] += own.sum(0)
            squares[place] += own.T @ own
    mean = sums / atoms[:, None]
    covariance = squares / atoms[:, None, None] - mean[:, :, None] * mean[:, None, :]
    return Inputs(mean, torch.stack([_components(of_species, count) for of_species in covariance]))


def _components(covariance: Tensor, count: int) -> Tensor:
    """(count, functions); zeros where there are fewer that vary."""
    variance = covariance.diagonal().clamp(min=0)
    scale = torch.where(variance > NEGLIGIBLE * variance.max(), variance.rsqrt(), 0.0)
    sizes, vectors = torch.linalg.eigh(scale[:, None] * covariance * scale)
    sizes, vectors = sizes.flip(0)[:count], vectors.flip(1)[:, :count]
    length = torch.where(sizes > NEGLIGIBLE * sizes[0], sizes.clamp(min=0).rsqrt(), 0.0)
    return (vectors * length).T * scale
