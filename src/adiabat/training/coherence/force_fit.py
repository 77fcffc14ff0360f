"""A quick fit to forces alone: what they say of energies and stresses, and how surely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from adiabat.basis.presets import BasisConfig, Environment, choose_basis
from adiabat.data import measure_distances
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.training.block_matrix import BlockMatrix
from adiabat.training.examples import Example, ExampleMaker
from adiabat.training.leave_one_out import leave_one_structure_out
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.regression import PriorPrecision, Solution, solve
from adiabat.training.repulsion import RepulsionConfig, repulsion_radii
from adiabat.typing import FloatArray, IntArray

NOISE = {"forces": 1.0}
PRIOR_STRENGTHS = (1e-9, 3e-8, 1e-6, 3e-5, 1e-3)
LEFT_OUT = 20
"""Structures whose forces choose the prior."""
LENGTH = 1.0
"""Å. What turns the size of a function into the size of its slope, where both count in the prior."""


@dataclass(frozen=True)
class ForceFit:
    """The posterior of a linear model whose only labels were forces.

    Attributes:
        solution: For forces with a standard deviation of one.
        strength: Of the prior.
        force_error: eV/Å, root mean square error of forces that were left out.
        unexplained: Of the mean square of those forces, the part that is error.
    """

    solution: Solution
    strength: float
    force_error: float
    unexplained: float

    def predict(self, rows: FloatArray) -> FloatArray:
        """(n,) the posterior mean."""
        return rows @ self.solution.mean

    def covariance(self, rows: FloatArray) -> FloatArray:
        """(n, n) of the predictions, if forces were met to within independent errors."""
        whitened = self.force_error * self.solution.covariance.whiten(torch.from_numpy(rows))
        return (whitened.T @ whitened).numpy()


@dataclass(frozen=True)
class ForceRows:
    """What fits to forces are made from.

    Attributes:
        examples: Rows of all labels of the structures, in their order.
        prior: (columns,) the diagonal of the precision, to be multiplied by a strength.
        n_species: That the rows are of.
    """

    examples: tuple[Example, ...]
    prior: FloatArray
    n_species: int

    def fit(self, indices: IntArray, strengths: Sequence[float] = PRIOR_STRENGTHS) -> ForceFit | None:
        """To some structures, with the prior that predicts forces of left-out ones best.

        Args:
            indices: Which structures.
            strengths: Of priors to choose from.

        Returns:
            None where forces are zero or no prior is strong enough for rounding.
        """
        examples = [_only_forces(self.examples[int(index)]) for index in indices]
        equations = _equations(examples, self.n_species)
        places = np.unique(np.linspace(0, len(examples) - 1, LEFT_OUT).round().astype(int))
        judged = [examples[place] for place in places]
        square = float(np.mean(np.concatenate([example.blocks["forces"].targets for example in judged]) ** 2))
        if square == 0:
            return None
        fits: list[tuple[float, ForceFit]] = []
        for strength in strengths:
            try:
                solution = solve(equations, NOISE, self._precision(strength))
                left_out = leave_one_structure_out(judged, solution, NOISE)
            except np.linalg.LinAlgError:  # too weak a prior for rounding
                continue
            error = left_out.root_mean_square("forces")
            fits.append((left_out.mean_absolute("forces"), ForceFit(solution, strength, error, error**2 / square)))
        return min(fits, key=lambda fit: fit[0])[1] if fits else None

    def _precision(self, strength: float) -> PriorPrecision:
        nothing = BlockMatrix(len(self.prior) // self.n_species)
        return PriorPrecision(nothing, 0.0, strength * self.prior)


def force_rows(structures: Sequence[Labelled], *, quiet: bool = False) -> ForceRows | None:
    """Rows of a small basis for these structures.

    Args:
        structures: All with forces.
        quiet: Show no progress.

    Returns:
        None where no two atoms are near each other, or no function has a slope.
    """
    make = _example_maker(structures, quiet=quiet)
    if make is None:
        return None
    examples = [make(s) for s in track(structures, "comparing energies and stresses with forces", quiet=quiet)]
    n_species = len(make.model.species)
    sizes = _sizes(_equations([_only_forces(example) for example in examples], n_species))
    if not sizes.any():
        return None
    degrees = np.tile(make.model.basis.degrees.numpy(), n_species)
    return ForceRows(tuple(examples), ((1 + degrees) * sizes) ** 2, n_species)


def _equations(examples: Sequence[Example], n_species: int) -> NormalEquations:
    equations = NormalEquations(n_species, examples[0].features.shape[1])
    equations.add(examples)
    return equations


def _sizes(equations: NormalEquations) -> FloatArray:
    """(columns,) of each function: root mean square of its slopes (the force rows) and of its values over atoms.

    It makes the prior speak of contributions to forces and energies, whatever the functions are multiplied by. Both
    count: in symmetric crystals a function can be large and have no slope. A function that the data never show gets the
    mean of the others, so that the prior holds it at zero.
    """
    slopes = equations.kinds["forces"]
    n_species = len(equations.atoms)
    scatter = equations.feature_scatter.diagonal(n_species).numpy().reshape(n_species, -1)
    values = (scatter / equations.atoms[:, None] + equations.feature_mean**2).ravel()
    sizes = np.sqrt(slopes.gram.diagonal(n_species).numpy() / slopes.count + values / LENGTH**2)
    seen = sizes > 1e-12 * sizes.max()
    return np.where(seen, sizes, sizes[seen].mean())


def _only_forces(example: Example) -> Example:
    return Example({"forces": example.blocks["forces"]}, example.features, example.species)


def _example_maker(structures: Sequence[Labelled], *, quiet: bool) -> ExampleMaker | None:
    """For the structures' species and distances."""
    species = tuple(sorted({int(number) for s in structures for number in s.atoms.numbers}))
    distances = measure_distances(structures, quiet=quiet)
    if not distances.shortest:
        return None
    nearest = np.concatenate(distances.nearest)
    environment = Environment(species, float(np.median(nearest[np.isfinite(nearest)])), distances.shortest)
    radii = repulsion_radii(species, distances.shortest, RepulsionConfig())
    size = "medium" if len(species) == 1 else "small"  # with several species, a medium one would take minutes
    basis = choose_basis(BasisConfig(size=size), environment, radii.inner)
    model = LinearACE(basis, torch.zeros(len(species), basis.n_functions, dtype=torch.float64))
    # No repulsion and no isolated atoms here: the slope is of the whole label.
    return ExampleMaker(model, Potential([IsolatedAtoms(dict.fromkeys(species, 0.0), "configuration", basis.cutoff)]))
