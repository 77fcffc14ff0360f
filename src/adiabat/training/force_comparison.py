"""Energies and stresses beside what forces say of them: all structures, each config_type, all but one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from adiabat.system import Labelled
from adiabat.training.examples import VOIGT
from adiabat.training.force_fit import PRIOR_STRENGTHS, ForceFit, ForceRows, force_rows
from adiabat.training.slopes import Slope, label_slope
from adiabat.typing import FloatArray, IntArray

Kind = Literal["energy", "stress"]
LEAST_STRUCTURES = 8
DISTURBED = 5.0
"""Factor between standard errors with and without a config_type; on sound data it was at most two."""
CELLS_ALIKE, LOCALITY = 0.005, 0.15
"""In cells that differ by less in volume per atom, forces say of stresses what the reach of the model lets them say: the
slope of sound stresses of displaced silicon was 0.70 to 0.99, by basis and prior."""


@dataclass(frozen=True)
class ForceSlopes:
    """Slopes of one kind of label on what forces say.

    Attributes:
        whole: Of all structures.
        by_type: Of each config_type by itself, where there are several.
        without: Of all but one config_type, where there are several and the whole is doubtful.
    """

    whole: Slope
    by_type: Mapping[str, Slope] = field(default_factory=dict)
    without: Mapping[str, Slope] = field(default_factory=dict)

    @property
    def is_doubtful(self) -> bool:
        """Whether the whole does not tell or does not fit."""
        return not (self.whole.tells and self.whole.fits)

    @property
    def is_off(self) -> bool:
        """Whether the whole surely does not fit."""
        return self.whole.tells and not self.whole.fits

    @property
    def types_apart(self) -> dict[str, Slope]:
        """Config_types whose own slopes are those of another unit; none where the whole is off and no type fits."""
        apart = {name: slope for name, slope in self.by_type.items() if slope.is_of_another_unit}
        others_fit = any(slope.tells and slope.fits for slope in self.by_type.values())
        return apart if others_fit or not self.is_off else {}

    @property
    def types_that_disturb(self) -> dict[str, Slope]:
        """Config_types without which the rest fits, and its slope: the whole is off, or known far less closely than that."""
        limit = np.inf if self.is_off else self.whole.std / DISTURBED
        return {name: slope for name, slope in self.without.items() if slope.tells and slope.fits and slope.std < limit}


def compare_with_forces(sample: Sequence[Labelled], *, quiet: bool = False) -> dict[Kind, ForceSlopes]:
    """Slopes of energies and stresses on what fits to the forces of the same structures predict.

    A config_type is compared by a fit of its own, so that wrong forces of another do not reach it.

    Args:
        sample: All with forces.
        quiet: Show no progress.

    Returns:
        By kind of label; empty where forces say nothing.
    """
    rows = force_rows(sample, quiet=quiet)
    if rows is None:
        return {}
    types = np.array([structure.config_type for structure in sample])
    names = [str(name) for name in np.unique(types)] if len(set(types)) > 1 else []
    compare = _Comparison(sample, rows)
    everything = rows.fit(np.arange(len(sample)))
    if everything is None:
        return {}
    whole = compare.slopes(everything, np.arange(len(sample)))
    own = {name: compare.fitted(np.flatnonzero(types == name)) for name in names}
    slopes: dict[Kind, ForceSlopes] = {kind: ForceSlopes(slope, _of_kind(own, kind)) for kind, slope in whole.items()}
    if not any(found.is_doubtful for found in slopes.values()):
        return slopes
    strengths = (everything.strength,)
    rest = {name: compare.fitted(np.flatnonzero(types != name), strengths) for name in names}
    return {
        kind: replace(found, without=_of_kind(rest, kind)) if found.is_doubtful else found
        for kind, found in slopes.items()
    }


def _of_kind(slopes: Mapping[str, Mapping[Kind, Slope]], kind: Kind) -> dict[str, Slope]:
    return {name: found[kind] for name, found in slopes.items() if kind in found}


@dataclass(frozen=True)
class _Comparison:
    """What slopes are made from.

    Attributes:
        sample: The structures.
        rows: Theirs.
    """

    sample: Sequence[Labelled]
    rows: ForceRows

    def fitted(self, indices: IntArray, strengths: Sequence[float] = PRIOR_STRENGTHS) -> dict[Kind, Slope]:
        """Slopes of some structures by a fit to their forces, with one of these priors."""
        fit = self.rows.fit(indices, strengths) if len(indices) >= LEAST_STRUCTURES else None
        return {} if fit is None else self.slopes(fit, indices)

    def slopes(self, fit: ForceFit, indices: IntArray) -> dict[Kind, Slope]:
        """Slopes of some structures, where there are any."""
        energy, stress = self._slope("energy", fit, indices), self._slope("stress", fit, indices)
        found: dict[Kind, Slope] = {}
        if energy is not None:
            found["energy"] = energy
        if stress is not None:
            is_local = _cells_are_alike([self.sample[int(index)] for index in indices])
            found["stress"] = stress.widened(LOCALITY) if is_local else stress
        return found

    def _slope(self, kind: Kind, fit: ForceFit, indices: IntArray) -> Slope | None:
        labelled = [int(index) for index in indices if kind in self.rows.examples[int(index)].blocks]
        if len(labelled) < LEAST_STRUCTURES:
            return None
        blocks = [self._block(kind, index) for index in labelled]
        rows, labels, free = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return label_slope(labels, fit.predict(rows), fit.covariance(rows), free)

    def _block(self, kind: Kind, index: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rows, labels and free directions of a structure.

        They are of the whole structure, divided by the square root of its size: what the model does not see of an atom
        adds up like independent errors. Free are a constant energy for each species, so that only differences between
        structures count, and a pressure, for forces in cells of one volume say nothing of its mean.
        """
        example, atoms = self.rows.examples[index], self.sample[index].atoms
        block = example.blocks[kind]
        if kind == "energy":
            size = np.sqrt(len(atoms))
            n_species = block.rows.shape[1] // example.features.shape[1]
            free = np.bincount(example.species, minlength=n_species)[None] / len(atoms)
        else:
            size = abs(atoms.cell.volume) / np.sqrt(len(atoms))
            free = np.eye(3)[VOIGT][:, None]
        return size * block.rows, size * block.targets, size * free


def _cells_are_alike(sample: Sequence[Labelled]) -> bool:
    """Whether the volumes of structures with stresses are what the composition says."""
    numbers = sorted({int(number) for s in sample for number in s.atoms.numbers})
    periodic = [s.atoms for s in sample if s.labels.stress is not None]
    composition = np.array([[np.mean(atoms.numbers == number) for number in numbers] for atoms in periodic])
    volume = np.array([abs(atoms.cell.volume) / len(atoms) for atoms in periodic])
    residual = volume - composition @ np.linalg.lstsq(composition, volume, rcond=None)[0]
    return bool(residual.std() < CELLS_ALIKE * volume.mean())
