"""Whether the labels of a data set fit together: forces alone predict the energies' differences and the stresses.

A file with energies in Hartree beside forces in eV/Å, or with a stress of the opposite sign, trains without a word
elsewhere. Here a small model, fitted to forces only, predicts energies and stresses; the labels' slope on these
predictions is one where units and signs agree, and names the factor where they do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.data import chemical_symbols

from adiabat.basis.presets import BasisConfig, Environment, choose_basis
from adiabat.data import Finding, measure_distances
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.training.examples import Block, Example, ExampleMaker
from adiabat.training.leave_one_out import leave_one_structure_out
from adiabat.training.normal_equations import NormalEquations
from adiabat.training.regression import Hyperparameters, Solution, solve
from adiabat.training.repulsion import RepulsionConfig, repulsion_radii
from adiabat.typing import FloatArray
from adiabat.units import (
    BOHR_ANGSTROM,
    GPA_PER_EV_PER_CUBIC_ANGSTROM,
    HARTREE_EV,
    KCAL_PER_MOL_PER_EV,
    KJ_PER_MOL_PER_EV,
)

ENERGY_NAME, STRESS_NAME = COHERENCE_FINDINGS = "energy-force-mismatch", "stress-force-mismatch"
TOLERANCE = 0.1
"""Of the slope around one, beyond three of its standard errors; on sound data slopes from 0.88 to 1.08 were measured."""
UNIT_APART = 1.4
GLARING = 5.0
"""A slope that is farther off, or of the opposite sign, need not be known closely to be wrong where labels and forces go
together."""
NAMED, AS_NEAR = np.log(1.25), np.log(1.05)
"""Logarithms of factors: a unit is named for a slope this near to its factor, and others that are as near but for this."""
LEAST_CORRELATION = 0.6
"""Below this the forces say too little of energies or stresses for a slope to mean anything."""
ATOMS, STRUCTURES, LEAST_STRUCTURES = 2500, 40, 8
PRIOR_STRENGTHS = (1e-9, 1e-7, 1e-5, 1e-3)

# label / truth, for a label in the unit that is named, where eV, eV/Å, eV/Å³ are expected.
ENERGY_FACTORS = {
    "energies in Hartree": 1 / HARTREE_EV,
    "energies in Rydberg": 2 / HARTREE_EV,
    "energies in kcal/mol": KCAL_PER_MOL_PER_EV,
    "energies in kJ/mol": KJ_PER_MOL_PER_EV,
    "energies in meV": 1e3,
    "energies and forces in atomic units (Hartree or Rydberg, with Bohr)": 1 / BOHR_ANGSTROM,
}
FORCE_FACTORS = {
    "forces in Hartree/Bohr": BOHR_ANGSTROM / HARTREE_EV,
    "forces in Rydberg/Bohr": 2 * BOHR_ANGSTROM / HARTREE_EV,
    "forces in eV/Bohr": BOHR_ANGSTROM,
    "forces in Hartree/Å": 1 / HARTREE_EV,
    "forces in kcal/mol/Å": KCAL_PER_MOL_PER_EV,
    "forces in kJ/mol/Å": KJ_PER_MOL_PER_EV,
    "forces in meV/Å": 1e3,
}
STRESS_FACTORS = {
    "stresses in GPa": GPA_PER_EV_PER_CUBIC_ANGSTROM,
    "stresses in kbar": 10 * GPA_PER_EV_PER_CUBIC_ANGSTROM,
    "stresses in Hartree/Bohr³": BOHR_ANGSTROM**3 / HARTREE_EV,
    "stresses in meV/Å³": 1e3,
    "stresses and forces in atomic units (Hartree or Rydberg, with Bohr)": BOHR_ANGSTROM**2,
}


@dataclass(frozen=True)
class Slope:
    """Labels against what the forces predict.

    Attributes:
        value: Label / prediction, by weighted least squares.
        std: Of the value.
        correlation: Between the two, weighted.
        count: Labels.
    """

    value: float
    std: float
    correlation: float
    count: int

    @property
    def tells(self) -> bool:
        """Whether the forces say enough of these labels for the slope to mean anything."""
        glaring = not 1 / GLARING < self.value < GLARING
        least_correlation, relative_std = (0.85, 0.2) if glaring else (LEAST_CORRELATION, 0.5 * TOLERANCE)
        return abs(self.correlation) > least_correlation and self.std < relative_std * abs(self.value)

    @property
    def fits(self) -> bool:
        """Whether it is one, within the tolerance and what the slope itself is uncertain by."""
        return abs(self.value - 1) <= TOLERANCE + 3 * self.std

    @property
    def is_of_another_unit(self) -> bool:
        """Whether it is so far off that no misfit explains it: no two units that are mixed up differ by less."""
        return not 1 / UNIT_APART < self.value < UNIT_APART


def check_coherence(structures: Sequence[Labelled], *, quiet: bool = False) -> list[Finding]:
    """Findings where energies or stresses do not fit the forces; none where there are too few labels to tell.

    Args:
        structures: The data.
        quiet: Show no progress.
    """
    sample = _sample(structures)
    if len(sample) < LEAST_STRUCTURES:
        return []
    slopes = force_slopes(sample, quiet=quiet)
    findings = []
    for kind, name in (("energy", ENERGY_NAME), ("stress", STRESS_NAME)):
        slope = slopes.get(kind)
        if slope is not None and slope.tells and not slope.fits:
            findings.append(_finding(kind, name, slope, sample))
    return findings


def force_slopes(sample: Sequence[Labelled], *, quiet: bool = False) -> dict[str, Slope]:
    """Slopes of energies and stresses on the predictions of a fit to the forces of the same structures.

    Forces leave some directions open (how the energy of a perfect crystal changes with its volume, say): a label counts
    by how well the forces determine it, the inverse of its posterior variance plus the misfit's.
    """
    make = _example_maker(sample, quiet=quiet)
    if make is None:
        return {}
    equations = NormalEquations(len(make.model.species), make.model.basis.n_functions)
    examples = []
    for structure in track(sample, "comparing energies and stresses with forces", quiet=quiet):
        example = make(structure)
        examples.append(example)
        equations.add(Example({"forces": example.blocks["forces"]}, example.features, example.species))
    degrees = np.tile(make.model.basis.degrees.numpy(), len(make.model.species))
    solution = _fit_to_forces(equations, examples, degrees)
    if solution is None:
        return {}
    found = {"energy": _energy_slope(examples, solution), "stress": _stress_slope(examples, solution)}
    return {kind: slope for kind, slope in found.items() if slope is not None}


def _fit_to_forces(equations: NormalEquations, examples: Sequence[Example], degrees: FloatArray) -> Solution | None:
    """The fit whose prior predicts forces of left-out structures best; None where no prior is strong enough."""
    only_forces = [Example({"forces": e.blocks["forces"]}, e.features, e.species) for e in examples]
    fits = []
    for strength in PRIOR_STRENGTHS:
        parameters = Hyperparameters({"forces": 1.0}, strength, 1.0)
        try:
            solution = solve(equations, parameters, degrees)
            left_out = leave_one_structure_out(only_forces, solution, parameters)
        except np.linalg.LinAlgError:  # too weak a prior for rounding
            continue
        fits.append((left_out.mean_absolute("forces"), strength, solution))
    return min(fits, key=lambda fit: fit[:2])[2] if fits else None


def _sample(structures: Sequence[Labelled]) -> list[Labelled]:
    """Structures with forces and something to compare them with, spread evenly over the data, few enough to be quick."""
    usable = [
        s
        for s in structures
        if s.labels.forces is not None
        and len(s.atoms) > 1
        and (s.labels.energy is not None or s.labels.stress is not None)
    ]
    if not usable:
        return []
    affordable = int(ATOMS / np.mean([len(s.atoms) for s in usable]))
    wanted = min(len(usable), max(affordable, STRUCTURES))
    places = np.unique(np.linspace(0, len(usable) - 1, wanted).round().astype(int))
    return [usable[place] for place in places]


def _example_maker(sample: Sequence[Labelled], *, quiet: bool) -> ExampleMaker | None:
    """For the sample's species and distances; None where no two atoms are near each other."""
    species = tuple(sorted({int(number) for s in sample for number in s.atoms.numbers}))
    distances = measure_distances(sample, quiet=quiet)
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


def _energy_slope(examples: Sequence[Example], solution: Solution) -> Slope | None:
    """Of energies per atom; a constant for each species is free, so that only differences between structures count."""
    labelled = [e for e in examples if "energy" in e.blocks]
    n_species = 1 + max((int(e.species.max()) for e in labelled), default=0)
    if len(labelled) < LEAST_STRUCTURES + n_species:
        return None
    composition = np.array([np.bincount(e.species, minlength=n_species) / len(e.species) for e in labelled])
    return _slope([e.blocks["energy"] for e in labelled], composition, solution)


def _stress_slope(examples: Sequence[Example], solution: Solution) -> Slope | None:
    """Of stress components; a pressure is free, for forces in cells of one volume say nothing of its mean."""
    blocks = [e.blocks["stress"] for e in examples if "stress" in e.blocks]
    if len(blocks) < LEAST_STRUCTURES:
        return None
    pressure = np.tile([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], len(blocks))[:, None]
    return _slope(blocks, pressure, solution)


def _slope(blocks: Sequence[Block], free: FloatArray, solution: Solution) -> Slope:
    """Weighted least squares of labels on predictions and the columns of `free`."""
    rows, label = np.concatenate([b.rows for b in blocks]), np.concatenate([b.targets for b in blocks])
    variance = np.square(solution.whiten(rows)).sum(axis=0)  # in units of the misfit, which cancels
    weight = 1 / np.sqrt(variance + np.median(variance))
    prediction, label, free = weight * (rows @ solution.mean), weight * label, weight[:, None] * free
    if free.shape[1]:
        projector = np.eye(len(label)) - free @ np.linalg.pinv(free)
        prediction, label = projector @ prediction, projector @ label
    square, spread = float(prediction @ prediction), float(np.sqrt((prediction @ prediction) * (label @ label)))
    if spread == 0:
        return Slope(1.0, np.inf, 0.0, len(label))
    value = float(prediction @ label) / square
    residual = label - value * prediction
    std = float(np.sqrt(residual @ residual / max(len(label) - 1 - free.shape[1], 1) / square))
    return Slope(value, std, float(prediction @ label) / spread, len(label))


def _finding(kind: str, name: str, slope: Slope, sample: Sequence[Labelled]) -> Finding:
    symbols = sorted({chemical_symbols[int(n)] for s in sample for n in s.atoms.numbers})
    cause = _cause(kind, slope.value)
    return Finding(
        name=name,
        severity="error" if slope.is_of_another_unit else "warning",
        what=f"the {kind} labels are {slope.value:.4g} times what the forces say ({slope.count} labels, {', '.join(symbols)})",
        places=(f"{len(sample)} structures from {sample[0].place} on",),
        rule=f"energies, forces and stresses are of one surface, in eV, eV/Å, eV/Å³: the slope is 1 ± {TOLERANCE}",
        mend=cause or "check units and signs of energies, forces and stresses against the code that made them",
    )


def _cause(kind: str, slope: float) -> str | None:
    """What would explain the slope: a label of this kind, or the forces, in another unit or of the opposite sign."""
    own = ENERGY_FACTORS if kind == "energy" else STRESS_FACTORS
    causes = {text: factor for text, factor in own.items()}
    causes |= {text: 1 / factor for text, factor in FORCE_FACTORS.items()}
    sign = ""
    if slope < 0:
        sign = "the sign is opposite" if kind == "stress" else "the sign of the forces is opposite (gradients?)"
        slope = -slope
    off = {text: float(abs(np.log(slope / factor))) for text, factor in causes.items()}
    limit = min(NAMED, min(off.values()) + AS_NEAR, abs(np.log(slope)))  # the sign alone explains a slope near -1
    near = [text for text, distance in off.items() if distance < limit]
    told = [text for text in [sign, " or ".join(near)] if text]
    if not told:
        return None
    return f"{'; '.join(told)}: convert to eV, eV/Å, eV/Å³ (positive under tension) and try again"
