"""Energies and stresses beside what forces say of them: of all structures, of each config_type, of all but one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np

from adiabat.runs import side_by_side
from adiabat.system import Labelled
from adiabat.training.coherence.component_order import ShearOrder, shear_order
from adiabat.training.coherence.force_fit import PRIOR_STRENGTHS, ForceFit, ForceRows, force_rows
from adiabat.training.coherence.slopes import Slope, label_slope
from adiabat.training.examples import VOIGT
from adiabat.typing import FloatArray, IntArray

Kind = Literal["energy", "stress"]
KINDS: tuple[Kind, ...] = ("energy", "stress")
LEAST_STRUCTURES = 8
DISTURBED = 5.0
"""Factor between standard errors with and without a config_type; on sound data it was two at most."""
MISFIT = 0.5
"""Relative standard error of a slope, times the part of the forces that a fit does not explain: it may not explain as much of
what they do to energies. On sound data that are hard to fit slopes were off by one to two times that part."""
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
    def type_that_disturbs(self) -> tuple[str, Slope] | None:
        """The config_type without which the rest fits, and its slope: the whole is off, or known far less closely than that.

        Where several can be spared so, it is none of them: forces hardly say anything of the whole, and a little less of
        anything tips the scales.
        """
        limit = np.inf if self.is_off else self.whole.std / DISTURBED
        found = [
            (name, slope) for name, slope in self.without.items() if slope.tells and slope.fits and slope.std < limit
        ]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class ForceComparison:
    """Labels beside what forces say of them.

    Attributes:
        slopes: By kind of label.
        orders: Of shear stresses, by config_type.
    """

    slopes: Mapping[Kind, ForceSlopes] = field(default_factory=dict)
    orders: Mapping[str, ShearOrder] = field(default_factory=dict)


def compare_with_forces(sample: Sequence[Labelled], *, quiet: bool = False) -> ForceComparison:
    """Energies and stresses beside what fits to the forces of the same structures predict.

    A config_type's slope is by a fit of its own, so that wrong forces of another do not reach it.

    Args:
        sample: All with forces.
        quiet: Show no progress.

    Returns:
        Empty where forces say nothing.
    """
    rows = force_rows(sample, quiet=quiet)
    everything = None if rows is None else rows.fit(np.arange(len(sample)))
    if rows is None or everything is None:
        return ForceComparison()
    compare = _Comparison(sample, rows)
    types = np.array([structure.config_type for structure in sample])
    members = {str(name): np.flatnonzero(types == name) for name in np.unique(types)}
    orders = {name: compare.order(everything, indices) for name, indices in members.items()}
    known = {name: order for name, order in orders.items() if order is not None}
    compare = replace(compare, wrong={name: order for name, order in known.items() if order.is_wrong})
    return ForceComparison(_slopes(compare, everything, members), known)


def _slopes(compare: "_Comparison", everything: ForceFit, members: Mapping[str, IntArray]) -> dict[Kind, ForceSlopes]:
    all_indices = np.arange(len(compare.sample))
    whole = compare.slopes(everything, all_indices)
    own = compare.fitted_each(members) if len(members) > 1 else {}
    slopes: dict[Kind, ForceSlopes] = {kind: ForceSlopes(slope, _of_kind(own, kind)) for kind, slope in whole.items()}
    if len(members) == 1 or not any(found.is_doubtful for found in slopes.values()):
        return slopes
    others = {name: np.setdiff1d(all_indices, indices) for name, indices in members.items()}
    rest = compare.fitted_each(others, (everything.strength,))
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
        wrong: By config_type, orders of shear stresses that are not as they were read: a finding of their own, so that slopes are
            of stresses in the right one.
    """

    sample: Sequence[Labelled]
    rows: ForceRows
    wrong: Mapping[str, ShearOrder] = field(default_factory=dict)

    def fitted(self, indices: IntArray, strengths: Sequence[float] = PRIOR_STRENGTHS) -> dict[Kind, Slope]:
        """Slopes of some structures by a fit to their forces, with one of these priors."""
        fit = self.rows.fit(indices, strengths) if len(indices) >= LEAST_STRUCTURES else None
        return {} if fit is None else self.slopes(fit, indices)

    def fitted_each(
        self, parts: Mapping[str, IntArray], strengths: Sequence[float] = PRIOR_STRENGTHS
    ) -> dict[str, dict[Kind, Slope]]:
        """Of several parts of the structures, by name."""
        found = side_by_side([partial(self.fitted, indices, strengths) for indices in parts.values()])
        return dict(zip(parts, found, strict=True))

    def slopes(self, fit: ForceFit, indices: IntArray) -> dict[Kind, Slope]:
        """Slopes of some structures, where there are any."""
        found: dict[Kind, Slope] = {}
        for kind in KINDS:
            slope = self._slope(kind, fit, indices)
            if slope is not None:
                found[kind] = slope.widened(MISFIT * fit.unexplained)
        if "stress" in found and _cells_are_alike([self.sample[int(index)] for index in indices]):
            found["stress"] = found["stress"].widened(LOCALITY)
        return found

    def order(self, fit: ForceFit, indices: IntArray) -> ShearOrder | None:
        """Of the shear stresses of some structures."""
        blocks = [self._block("stress", int(i)) for i in indices if "stress" in self.rows.examples[int(i)].blocks]
        if not blocks:
            return None
        rows, labels, _ = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return shear_order(labels.reshape(-1, 6)[:, 3:], fit.predict(rows).reshape(-1, 6)[:, 3:])

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
        block, order = example.blocks[kind], self.wrong.get(self.sample[index].config_type)
        targets = block.targets if kind == "energy" or order is None else order.mended(block.targets)
        if kind == "energy":
            size = np.sqrt(len(atoms))
            free = np.bincount(example.species, minlength=self.rows.n_species)[None] / len(atoms)
        else:
            size = abs(atoms.cell.volume) / np.sqrt(len(atoms))
            free = np.eye(3)[VOIGT][:, None]
        rows = example.all_columns(block.rows, self.rows.n_species)
        return size * rows, size * targets, size * free


def _cells_are_alike(sample: Sequence[Labelled]) -> bool:
    """Whether the volumes of structures with stresses are what the composition says."""
    numbers = sorted({int(number) for s in sample for number in s.atoms.numbers})
    periodic = [s.atoms for s in sample if s.labels.stress is not None]
    composition = np.array([[np.mean(atoms.numbers == number) for number in numbers] for atoms in periodic])
    volume = np.array([abs(atoms.cell.volume) / len(atoms) for atoms in periodic])
    residual = volume - composition @ np.linalg.lstsq(composition, volume, rcond=None)[0]
    return bool(residual.std() < CELLS_ALIKE * volume.mean())
