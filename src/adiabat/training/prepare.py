"""From data and configuration to the model that is going to be fitted, and what is known before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from adiabat.basis.presets import SIZES, BasisConfig, Environment, choose_basis
from adiabat.basis.specification import BasisSpecification
from adiabat.data import atomic_reference, measure_distances
from adiabat.errors import DataError
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.physics import ZBL
from adiabat.potential import Potential
from adiabat.system import EnergyModel, Labelled
from adiabat.training.config import TrainConfig
from adiabat.training.examples import count_rows
from adiabat.training.repulsion import repulsion_radii


@dataclass(frozen=True)
class Preparation:
    """What is fixed before the fit.

    Attributes:
        model: The linear model, its coefficients zero.
        baseline: Isolated atoms and repulsion: what the fit does not have to explain.
        fitted: The structures that the fit sees: isolated atoms say nothing more and are left out.
        notes: What the user should know.
    """

    model: LinearACE
    baseline: Potential
    fitted: list[Labelled]
    notes: tuple[str, ...]


def prepare(
    structures: Sequence[Labelled], config: TrainConfig, *, basis: BasisSpecification | None = None, quiet: bool = False
) -> Preparation:
    """Choose reference energies, repulsion radii and basis.

    Args:
        structures: The training data.
        config: What the user set.
        basis: One to use instead of a preset.
        quiet: Show no progress.

    Raises:
        DataError: No structure has a label to fit.
    """
    fitted = [s for s in structures if not s.is_isolated_atom and s.labels.any]
    if not fitted:
        raise DataError("no structure with a label and more than one atom", rule="a fit needs labelled structures")
    reference = atomic_reference(structures, config.data.isolated_atoms_ev)
    species = tuple(sorted(reference.energies_ev))
    distances = measure_distances(fitted, quiet=quiet)
    radii = repulsion_radii(species, distances.shortest, config.repulsion)
    notes = [*reference.notes, *radii.notes]
    if basis is None:
        nearest = np.concatenate(distances.nearest)
        environment = Environment(species, float(np.median(nearest[np.isfinite(nearest)])), distances.shortest)
        size = affordable_size(config.basis, environment, count_rows(fitted))
        if size != config.basis.size:
            notes.append(
                f"{count_rows(fitted)} labels are too few for the basis '{config.basis.size}': '{size}' is taken"
            )
        basis = choose_basis(config.basis.model_copy(update={"size": size}), environment, radii.inner)
    parts: list[EnergyModel] = [IsolatedAtoms(reference.energies_ev, reference.source, basis.cutoff)]
    if config.repulsion.enabled:
        parts.append(ZBL(radii.zbl))
    zeros = torch.zeros(len(species), basis.n_functions, dtype=torch.float64)
    return Preparation(LinearACE(basis, zeros), Potential(parts), fitted, tuple(notes))


def affordable_size(config: BasisConfig, environment: Environment, rows: int) -> str:
    """The largest preset up to the configured one that has fewer coefficients than there are labels; the smallest at least."""
    sizes = SIZES[: SIZES.index(config.size) + 1]
    for size in reversed(sizes):
        basis = choose_basis(config.model_copy(update={"size": size}), environment, {})
        if basis.n_functions * len(environment.species) < rows:
            return size
    return sizes[0]
