"""From data and configuration to the model that is going to be fitted, and what is known before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols

from adiabat.basis.presets import SIZES, BasisConfig, Environment, Size, choose_basis
from adiabat.basis.radial import InnerCutoff
from adiabat.basis.specification import BasisSpecification, Pair
from adiabat.data import AtomicReference, Distances, atomic_reference, measure_distances
from adiabat.errors import ConfigurationError, DataError
from adiabat.holes import PackingRule, random_packing
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.potential import Potential
from adiabat.system import EnergyModel, Labelled
from adiabat.training.config import TrainConfig
from adiabat.training.examples import count_rows
from adiabat.training.lone_atoms import without_lone_atoms
from adiabat.training.repulsion import repulsion_radii
from adiabat.typing import FloatArray

LEAST_PACKED_ATOMS = 300
PACKED_TOGETHER = (6, 14)
"""Atoms of a packing: from, to (not reached)."""
PACKED_VOLUME = (0.4, 4.0)
"""Of an atom in packings, in cubes of the nearest-neighbour distance: from far denser than any solid to a torn liquid."""
PACKED_SOUPS = 0.5
MOST_UNASKED = 5_000
"""Coefficients. Memory grows with their square and time with their cube: with 9,300, 2.8 GB and a quarter of an hour on one core."""
DISTANCES_ALIKE = 1.1
"""Factor between the inner radius of a given basis and that which the data would have, up to which nothing is said."""


@dataclass(frozen=True)
class Preparation:
    """What is fixed before the fit.

    Attributes:
        model: The linear model, its coefficients zero.
        baseline: Isolated atoms and repulsion: what the fit does not have to explain.
        fitted: The structures that the fit sees: isolated atoms say nothing more and are left out, and so are atoms that
            stand alone where the energy of an isolated one is not known.
        packings: Random structures of the same species, where the prior keeps the model from wildness.
        notes: What the user should know.
        molecules: Whether no structure is periodic.
    """

    model: LinearACE
    baseline: Potential
    fitted: list[Labelled]
    packings: list[Atoms]
    notes: tuple[str, ...]
    molecules: bool

    def fitted_model(self, mean: FloatArray) -> LinearACE:
        """The model with coefficients (columns,)."""
        coefficients = torch.from_numpy(mean).reshape(len(self.model.species), -1).contiguous()
        return LinearACE(self.model.basis, coefficients)


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
        DataError: No structure has a label to fit, no two atoms are near each other, or the energies of isolated atoms are
            neither known nor to be found by a fit.
        ConfigurationError: The basis is for other species than the data's.
    """
    fitted = [s for s in structures if not s.is_isolated_atom and s.labels.any]
    if not fitted:
        raise DataError(
            "no structure with a label and more than one atom",
            place="training data",
            rule="a fit needs labelled structures",
            mend="add structures with energies, forces or stresses",
        )
    species = tuple(sorted({int(number) for s in fitted for number in s.atoms.numbers}))
    reference = atomic_reference(structures, config.data.isolated_atoms_ev)
    distances = measure_distances(fitted, quiet=quiet)
    _require_neighbors(distances)
    molecules = not any(structure.atoms.pbc.any() for structure in fitted)
    radii = repulsion_radii(species, distances.shortest, config.repulsion, molecules=molecules)
    notes = [*reference.notes, *_unbound(reference, species), *radii.notes]
    reference = _of_species(reference, species)
    rows = count_rows(fitted)
    if basis is None:
        environment = Environment(species, _spacing(distances), distances.shortest, molecules)
        basis, said = _preset(config.basis, environment, radii.inner, rows)
        notes += said
    else:
        notes += _of_other_distances(basis, radii.inner, distances)
    _require_same_species(basis, species)
    coefficients = basis.n_functions * len(species)
    if coefficients >= rows:
        notes.append(
            f"{rows} labels do not fix {coefficients} coefficients: what they leave open is fixed by the prior"
        )
    fitted, said = without_lone_atoms(fitted, reference.shifts, basis.cutoff)
    notes += said
    parts: list[EnergyModel] = [IsolatedAtoms(reference.energies_ev, reference.sources, basis.cutoff)]
    if config.repulsion.enabled:
        parts.append(radii.zbl)
    zeros = torch.zeros(len(species), basis.n_functions, dtype=torch.float64)
    packings = _packings(basis, fitted, distances)
    return Preparation(LinearACE(basis, zeros), Potential(parts), fitted, packings, tuple(notes), molecules)


def _packings(basis: BasisSpecification, fitted: list[Labelled], distances: Distances) -> list[Atoms]:
    """As near to each other as the learned functions reach, with three force rows for each coefficient."""
    reach = {pair: inner.radius - inner.width for pair, inner in basis.inner.items()}
    cube = _spacing(distances) ** 3
    volumes = (PACKED_VOLUME[0] * cube, PACKED_VOLUME[1] * cube)
    rule = PackingRule([s.atoms.numbers for s in fitted], PACKED_SOUPS, PACKED_TOGETHER, volumes, reach)
    rng, found = np.random.default_rng(0), list[Atoms]()
    while sum(len(packing) for packing in found) < max(LEAST_PACKED_ATOMS, basis.n_functions * len(basis.species)):
        packing = random_packing(rule, rng)
        if len(packing) > 1:
            found.append(packing)
    return found


def _spacing(distances: Distances) -> float:
    """Å, the median distance of nearest neighbours."""
    nearest = np.concatenate(distances.nearest)
    return float(np.median(nearest[np.isfinite(nearest)]))


def _preset(
    config: BasisConfig, environment: Environment, inner: Mapping[Pair, InnerCutoff], rows: int
) -> tuple[BasisSpecification, list[str]]:
    """The configured preset or a smaller one, and what there is to say of it."""
    size, note = affordable_size(config, environment, rows)
    return choose_basis(config.model_copy(update={"size": size}), environment, inner), [note] if note else []


def _of_other_distances(
    basis: BasisSpecification, chosen: Mapping[Pair, InnerCutoff], distances: Distances
) -> list[str]:
    """What to say of a given basis whose functions reach closer than the data, or not as close."""
    notes = []
    for pair, inner in sorted(basis.inner.items()):
        shortest = distances.shortest.get(pair)
        if shortest is not None and not 1 / DISTANCES_ALIKE < chosen[pair].radius / inner.radius < DISTANCES_ALIKE:
            symbols = "-".join(chemical_symbols[number] for number in pair)
            notes.append(
                f"the given basis is whole from {inner.radius:.2f} Å on for {symbols}, and the data begin at "
                f"{shortest:.2f} Å: between the two nothing is learned"
            )
    return notes


def _require_neighbors(distances: Distances) -> None:
    if not distances.shortest:
        raise DataError(
            "no two atoms come within 6 Å of each other",
            place="training data",
            rule="a potential is learned from atoms that interact",
            mend="see whether positions and cells are in Å",
        )


def _unbound(reference: AtomicReference, species: tuple[int, ...]) -> list[str]:
    unbound = [chemical_symbols[number] for number in reference.energies_ev if number not in species]
    return [f"no labelled structure but an isolated atom holds {', '.join(unbound)}: left out"] if unbound else []


def _of_species(reference: AtomicReference, species: tuple[int, ...]) -> AtomicReference:
    energies_ev = {number: reference.energies_ev[number] for number in species}
    return replace(reference, energies_ev=energies_ev, sources={z: reference.sources[z] for z in species})


def _require_same_species(basis: BasisSpecification, species: tuple[int, ...]) -> None:
    if basis.species != species:
        theirs, ours = (", ".join(chemical_symbols[z] for z in numbers) for numbers in (basis.species, species))
        raise ConfigurationError(
            f"the basis is for {theirs}, the data hold {ours}",
            place="basis",
            rule="a basis serves the species that it was made for",
            mend="take the basis of a potential for the same species, or leave it to the data",
        )


def affordable_size(config: BasisConfig, environment: Environment, rows: int) -> tuple[Size, str | None]:
    """The largest preset up to the meant one that is within its means, and what there is to say of it; the smallest at least.

    Every preset has fewer coefficients than there are labels; `molecule`, where nobody asked for it, at most `MOST_UNASKED`.
    """
    all_sizes: tuple[Size, ...] = (*SIZES, "molecule")
    meant, why = environment.size(config), None
    for size in reversed(all_sizes[: all_sizes.index(meant) + 1]):
        basis = choose_basis(config.model_copy(update={"size": size}), environment, {})
        coefficients = basis.n_functions * len(environment.species)
        if coefficients >= rows:
            why = f"{rows} labels are too few for the basis '{meant}'"
        elif size == "molecule" and config.size is None and coefficients > MOST_UNASKED:
            why = f"the basis 'molecule' would have {coefficients} coefficients, which is taken if asked for"
        else:
            return size, why and f"{why}: '{size}' is taken"
    return SIZES[0], why and f"{why}: '{SIZES[0]}' is taken"
