"""The cutoff: what the potential's own decay towards it says of what lies beyond.

Beyond the cutoff R of a pair interaction C r^-s each atom misses 2π ρ C R^(3-s) / (s - 3) of energy, with ρ atoms in a volume. C and s
are read off how the forces on others answer to one atom's displacement, V''(r) = s (s + 1) C r^-(s+2) along the line to it.
What the reference data would have had beyond the cutoff no potential knows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, cast

import numpy as np
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.results import Figure, Line, Points
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult
from adiabat.validation.checks.locality import MOST_ATOMS, widened

STEP = 0.01
"""Å."""
WINDOW = (0.5, 0.95)
"""Of the cutoff, where the decay is read off."""
SHELLS = 8
FEWEST_SHELLS = 4
SCATTER = 0.25
"""Root mean square of the logarithms about their line, above which the decay is none of a power: bonds in a covalent crystal."""
SLOWEST = 3.5
"""Exponent: the sum over what is beyond the cutoff converges above 3."""


@dataclass(frozen=True)
class Tail:
    """C r^-s.

    Attributes:
        coefficient: C, eV Å^s.
        exponent: s.
    """

    coefficient: float
    exponent: float

    def missing_ev_per_atom(self, cutoff: float, density: float) -> float:
        """Energy that lies beyond the cutoff (Å) where atoms have this density (1/Å³); s is above 3."""
        return 2 * math.pi * density * self.coefficient * cutoff ** (3 - self.exponent) / (self.exponent - 3)


class CutoffCheck:
    """One atom of the start moved to either side along each direction."""

    name: ClassVar[str] = "cutoff"

    def evaluations(self, case: Case) -> int:
        """Six."""
        return 6 if case.subject.potential is not None and case.start.pbc.all() else 0

    def run(self, case: Case) -> Sequence[CheckResult]:
        """What is estimated to lie beyond the cutoff."""
        potential, name = case.subject.potential, "what lies beyond the cutoff"
        if potential is None or not case.start.pbc.all():
            why = "not made: it takes a periodic structure, and a potential that says how far it reaches"
            return [CheckResult(name, None, None, None, "meV/atom", why)]
        wide = widened(case.start, potential.cutoff)
        if wide is None:
            why = f"not made: it takes a structure of more than {MOST_ATOMS} atoms"
            return [CheckResult(name, None, None, None, "meV/atom", why)]
        distances, answers = responses(potential, wide)
        case.clock.tick(6)
        return [_judged(case, name, potential.cutoff, distances, answers)]


def responses(potential: Potential, atoms: Atoms) -> tuple[FloatArray, FloatArray]:
    """(n - 1,) Å from the first atom, and eV/Å² by which the force on each answers to its displacement, along the line between them."""
    vectors = atoms.get_distances(0, range(1, len(atoms)), mic=True, vector=True)
    distances = np.linalg.norm(vectors, axis=1)
    directions = vectors / distances[:, None]
    answers = np.zeros(len(distances))
    for axis in range(3):
        forces = []
        for side in (1, -1):
            moved = atoms.copy()
            moved.positions[0, axis] += side * STEP
            batch = Batch.from_atoms(moved, dtype=potential.dtype, device=potential.device)
            forces.append(cast(Tensor, potential(batch, want=("forces",)).forces).cpu().double().numpy()[1:])
        change = (forces[0] - forces[1]) / (2 * STEP)
        answers += directions[:, axis] * (change * directions).sum(axis=1)
    return distances, answers


def fitted_tail(distances: FloatArray, answers: FloatArray, cutoff: float) -> Tail | None:
    """By a straight line through the logarithms of the root mean squares of shells; None where too few of them answer, or not as a power of the distance."""
    edges = np.linspace(WINDOW[0] * cutoff, WINDOW[1] * cutoff, SHELLS + 1)
    places, sizes = [], []
    for low, high in pairwise(edges.tolist()):
        own = (distances >= low) & (distances < high) & (answers != 0)
        if own.any():
            places.append(float(np.log(distances[own]).mean()))
            sizes.append(0.5 * math.log(float(np.mean(answers[own] ** 2))))
    if len(places) < FEWEST_SHELLS:
        return None
    slope, level = (float(one) for one in np.polyfit(places, sizes, 1))
    exponent = -slope - 2
    scatter = np.array(sizes) - slope * np.array(places) - level
    if math.sqrt(float(np.mean(scatter**2))) > SCATTER:
        return None
    return None if exponent <= 0 else Tail(math.exp(level) / (exponent * (exponent + 1)), exponent)


def _judged(case: Case, name: str, cutoff: float, distances: FloatArray, answers: FloatArray) -> CheckResult:
    tail, limit, unit = (
        fitted_tail(distances, answers, cutoff),
        case.config.limits.beyond_cutoff_mev_per_atom,
        "meV/atom",
    )
    if tail is None:
        return CheckResult(
            name,
            None,
            None,
            limit,
            unit,
            "not made: forces do not decay as a power of the distance, or too few atoms are within the cutoff",
        )
    if tail.exponent < SLOWEST:
        reason = (
            f"forces decay as an interaction r^-{tail.exponent:.2g}: what lies beyond {cutoff:g} Å cannot be bounded."
        )
        return CheckResult(name, False, None, limit, unit, reason)
    density = len(case.start) / float(case.start.get_volume())
    value = 1e3 * tail.missing_ev_per_atom(cutoff, density)
    near = (distances > 0.3 * cutoff) & (distances < 1.1 * cutoff) & (answers != 0)
    fine = np.linspace(WINDOW[0] * cutoff, cutoff, 50)
    fit = tail.exponent * (tail.exponent + 1) * tail.coefficient * fine ** (-tail.exponent - 2)
    figure = Figure(
        name="validate-cutoff",
        title="How forces answer to one atom's displacement",
        x_label="distance (Å)",
        y_label="answer (eV/Å²)",
        marks=(Points(distances[near], np.abs(answers[near]), "atoms"), Line(fine, fit, f"r^-{tail.exponent + 2:.3g}")),
        y_scale="log",
    )
    reason = (
        f"forces decay towards {cutoff:g} Å as of an interaction r^-{tail.exponent:.2g}, of which {value:.2g} meV/atom would lie beyond; "
        f"at most {limit:g}."
    )
    return CheckResult(name, value <= limit, value, limit, unit, reason, (figure,))
