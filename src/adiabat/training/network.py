"""The way of networks on invariants: a linear fit first, then the descent of what is nonlinear."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from adiabat.basis.presets import Environment, choose_basis
from adiabat.basis.specification import BasisSpecification
from adiabat.models.ace.compiled_invariants import CompiledInvariants
from adiabat.models.messages.neighborhoods import neighborhoods
from adiabat.models.network import ElementNetworks, Inputs, InvariantNetwork, NetworkConfig, Perceptron
from adiabat.models.symmetry import SymmetryFunctions, SymmetryNetwork
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Batch, EnergyModel, Graph, Labelled
from adiabat.training.fitting import Fitted, Problem
from adiabat.training.gradient.batches import by_atoms
from adiabat.training.gradient.descend import DescentData
from adiabat.training.gradient.members import descend_members
from adiabat.training.known import Learned, what_is_known_of
from adiabat.training.linear import solve_linear
from adiabat.training.mending import holes_left

LEARNING_RATES = {"linear": 1e-3, "random": 5e-3}
"""Tried on silicon (mlearn): where there is a linear fit, a faster descent unlearns it first."""
SCALE_EV = 0.3
"""Of what perceptrons give: energies of atoms differ by about as much."""
ATOMS_AT_ONCE = 1000
FLOOR = 1e-3
"""Of the largest variance of a combination: those that vary less are not blown up to one, for what the data hardly show would
then be what the network changes with fastest, far from the data above all."""


def fit_network(problem: Problem) -> Fitted:
    """A network on few invariants, beside a linear expansion in many or alone."""
    data, start = DescentData.of(problem), problem.config.network.start
    parts: tuple[EnergyModel, ...] = ()
    notes: tuple[str, ...] = ()
    if start == "linear":
        solution = solve_linear(problem.on([target.structure for target in data.own]))
        parts, notes = (problem.prepared.fitted_model(solution.best.solution.mean),), solution.notes
        data = data.after(Potential(parts), quiet=problem.quiet)
    seen, structures = descriptors_of(problem), [target.structure for target in data.training]
    inputs = inputs_of(seen, structures, problem.config.network.inputs, quiet=problem.quiet)
    made = partial(_network, problem.config.network, seen, inputs)
    found = descend_members(made, data, problem, learning_rate=LEARNING_RATES[start])
    parts = (*parts, found.part)
    known = what_is_known_of(Learned(parts, data.own, data.validation), problem)
    notes = (*notes, *found.notes, *known.notes)
    if problem.config.repulsion.enabled:
        whole = Potential([*problem.prepared.baseline.parts, *parts])
        packings = problem.config.repulsion.packings
        notes = (*notes, *holes_left(whole, problem.prepared.fitted, packings=packings, quiet=problem.quiet))
    summary = {"functions": seen.n_functions, **found.summary, **known.errors}
    return Fitted(parts, summary, notes, known.attachments)


@dataclass(frozen=True)
class Descriptors:
    """What a network is made on.

    Attributes:
        species: Atomic numbers, ascending.
        cutoff: Å.
        n_functions: How many there are of an atom.
        values: (N, functions) of a graph.
        network: Of inputs and perceptrons.
    """

    species: tuple[int, ...]
    cutoff: float
    n_functions: int
    values: Callable[[Graph], Tensor]
    network: Callable[[Inputs, Sequence[Perceptron]], ElementNetworks]


def descriptors_of(problem: Problem) -> Descriptors:
    """Those that are configured, with the cutoff, and the inner radii, of the prepared basis."""
    basis = problem.prepared.model.basis
    if problem.config.network.descriptor == "symmetry":
        return on_symmetry_functions(SymmetryFunctions.covering(basis.species, basis.cutoff))
    return on_basis(network_basis(problem))


def on_basis(basis: BasisSpecification) -> Descriptors:
    """The invariants of a basis."""
    values = CompiledInvariants(basis).values
    network = partial(InvariantNetwork, basis, scale_ev=SCALE_EV)
    return Descriptors(basis.species, basis.cutoff, basis.n_functions, values, network)


def on_symmetry_functions(functions: SymmetryFunctions) -> Descriptors:
    """Atom-centred symmetry functions."""

    def values(graph: Graph) -> Tensor:
        return functions.values(neighborhoods(graph, functions.cutoff, functions.species))

    network = partial(SymmetryNetwork, functions, scale_ev=SCALE_EV)
    return Descriptors(functions.species, functions.cutoff, functions.n_functions, values, network)


def network_basis(problem: Problem) -> BasisSpecification:
    """The preset of the network, with the cutoff and the inner radii of the prepared basis."""
    config, basis = problem.config, problem.prepared.model.basis
    preset = config.basis.model_copy(update={"size": config.network.size, "cutoff_angstrom": basis.cutoff})
    return choose_basis(preset, Environment(basis.species, math.nan, {}), basis.inner)


def _network(config: NetworkConfig, seen: Descriptors, inputs: Inputs, seed: int) -> ElementNetworks:
    """With first weights."""
    generator = torch.Generator().manual_seed(seed)
    width, silent = inputs.transform.shape[1], config.start == "linear"
    perceptrons = [Perceptron(width, config.hidden, silent=silent, generator=generator) for _ in seen.species]
    return seen.network(inputs, perceptrons)


def inputs_of(seen: Descriptors, structures: Sequence[Labelled], count: int, *, quiet: bool = False) -> Inputs:
    """The combinations of invariants that vary most over the atoms of each species, uncorrelated, with mean 0 and variance 1 (see `FLOOR`).

    They are principal components of the invariants, each first scaled to a variance of one.

    Args:
        seen: What the invariants are.
        structures: Whose atoms count.
        count: How many combinations, at most.
        quiet: Show no progress.
    """
    n_species, n_functions = len(seen.species), seen.n_functions
    count = min(count, n_functions)
    sums = torch.zeros(n_species, n_functions, dtype=torch.float64)
    squares = torch.zeros(n_species, n_functions, n_functions, dtype=torch.float64)
    atoms = torch.zeros(n_species, dtype=torch.float64)
    parts = list(by_atoms(range(len(structures)), [len(s.atoms) for s in structures], ATOMS_AT_ONCE))
    for part in track(parts, "statistics of the invariants", quiet=quiet):
        batch = Batch.from_atoms([structures[index].atoms for index in part])
        features = seen.values(neighbor_graph(batch, seen.cutoff))
        for place, number in enumerate(seen.species):
            own = features[batch.numbers == number]
            atoms[place] += len(own)
            sums[place] += own.sum(0)
            squares[place] += own.T @ own
    atoms = atoms.clamp(min=1)
    mean = sums / atoms[:, None]
    covariance = squares / atoms[:, None, None] - mean[:, :, None] * mean[:, None, :]
    return Inputs(mean, torch.stack([components_of(of_species, count) for of_species in covariance]))


def components_of(covariance: Tensor, count: int) -> Tensor:
    """(count, functions): principal components, with variance one unless they hardly vary; zeros where nothing does.

    Args:
        covariance: (functions, functions).
        count: How many.
    """
    variance = covariance.diagonal().clamp(min=0)
    scale = torch.where(variance > 0, variance.rsqrt(), 0.0)
    sizes, vectors = torch.linalg.eigh(scale[:, None] * covariance * scale)
    sizes, vectors = sizes.flip(0)[:count], vectors.flip(1)[:, :count]
    length = torch.where(sizes[0] > 0, sizes.clamp(min=FLOOR * float(sizes[0])).rsqrt(), 0.0)
    return (vectors * length).T * scale
