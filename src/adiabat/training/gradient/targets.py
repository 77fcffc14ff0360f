"""Targets: what of the labels the baseline leaves to learn, as small arrays; graphs are made when they are needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.training.examples import KINDS, VOIGT, value
from adiabat.training.gradient.batches import by_atoms
from adiabat.typing import FloatArray

ATOMS_AT_ONCE = 2000
LEARNED_KINDS = (*KINDS, "hessian")
"""Of labels: second derivatives are learned by gradients alone."""
HESSIAN_STEP = 0.005
"""Å, of each component. Products with second derivatives are differences of forces at two displaced structures: wrong by a sixth of
its square times the fourth derivative, some thousandth of a bond's."""


@dataclass(frozen=True)
class Target:
    """A structure and what of its labels is to be learned; None where it has none.

    Attributes:
        structure: With its labels.
        energy: (1,) eV per atom.
        forces: (3 n,) eV/Å.
        stress: (6,) eV/Å³, Voigt.
        hessian: (directions · 3 n,) eV/Å: products of the second derivatives with directions.
        directions: (directions, n, 3) Å, the components 1 or -1.
        level: Another level of theory than the potential's, or None.
    """

    structure: Labelled
    energy: FloatArray | None
    forces: FloatArray | None
    stress: FloatArray | None
    hessian: FloatArray | None = None
    directions: FloatArray | None = None
    level: str | None = None

    @property
    def atoms(self) -> int:
        """How many there are."""
        return len(self.structure.atoms)

    @property
    def evaluated_atoms(self) -> int:
        """How many are evaluated: of each direction twice as many as there are, displaced to either side."""
        return self.atoms * (1 + 2 * (0 if self.directions is None else len(self.directions)))

    def displaced(self) -> list[Atoms]:
        """The structure displaced along each direction, forwards and back in turn."""
        moved = (
            [] if self.directions is None else [sign * HESSIAN_STEP * d for d in self.directions for sign in (1, -1)]
        )
        return [Atoms(self.structure.atoms, positions=self.structure.atoms.positions + change) for change in moved]


def make_targets(
    structures: Sequence[Labelled], baseline: Potential, *, directions: int = 4, seed: int = 0, quiet: bool = False
) -> list[Target]:
    """The labels without what the baseline gives.

    Args:
        structures: With labels.
        baseline: What is known.
        directions: Of second derivatives, drawn for each structure that has them.
        seed: Of the draw.
        quiet: Show no progress.
    """
    whole = [_whole(structure, directions, (seed, index)) for index, structure in enumerate(structures)]
    return rest_of(whole, baseline, quiet=quiet)


def rest_of(targets: Sequence[Target], known: Potential, *, quiet: bool = False) -> list[Target]:
    """The targets without what a potential gives."""

    def one_by_one() -> Iterator[Target]:
        counts = [target.atoms for target in targets]
        for chosen in by_atoms(range(len(targets)), counts, ATOMS_AT_ONCE):
            yield from _rest([targets[index] for index in chosen], known)

    return list(track(one_by_one(), "taking off the labels what is known", total=len(targets), quiet=quiet))


def _whole(structure: Labelled, count_of_directions: int, seed: tuple[int, int]) -> Target:
    labels, count = structure.labels, len(structure.atoms)
    directions = products = None
    if labels.hessian is not None and count_of_directions:
        directions = np.random.default_rng(seed).choice([-1.0, 1.0], (count_of_directions, count, 3))
        products = (directions.reshape(count_of_directions, -1) @ labels.hessian).ravel()
    return Target(
        structure,
        None if labels.energy is None else np.array([labels.energy / count]),
        None if labels.forces is None else labels.forces.ravel(),
        None if labels.stress is None else labels.stress[VOIGT],
        products,
        directions,
    )


def _rest(targets: Sequence[Target], known: Potential) -> Iterator[Target]:
    found = known([target.structure.atoms for target in targets], want=("energy", "forces"))
    energy, forces = value(found.energy), value(found.forces)
    stops = np.cumsum([target.atoms for target in targets])
    for place, (target, stop) in enumerate(zip(targets, stops, strict=True)):
        stress = target.stress
        if stress is not None:
            stress = stress - value(known(target.structure.atoms, want=("stress",)).stress)[0][VOIGT]
        yield Target(
            target.structure,
            None if target.energy is None else target.energy - energy[place] / target.atoms,
            None if target.forces is None else target.forces - forces[stop - target.atoms : stop].ravel(),
            stress,
            None if target.hessian is None else target.hessian - _products(target, known),
            target.directions,
            target.level,
        )


def _products(target: Target, known: Potential) -> FloatArray:
    """What a potential says of the second derivatives along the directions."""
    moved = target.displaced()
    found = value(known(moved, want=("forces",)).forces).reshape(len(moved), -1)
    return (found[1::2] - found[::2]).ravel() / (2 * HESSIAN_STEP)


def count_of_kind(targets: Sequence[Target]) -> dict[str, int]:
    """Rows by kind of label; only kinds that there are."""
    counts = {kind: sum(len(rows) for t in targets if (rows := getattr(t, kind)) is not None) for kind in LEARNED_KINDS}
    return {kind: count for kind, count in counts.items() if count}


def spreads(targets: Sequence[Target]) -> dict[str, float]:
    """Root mean square around the mean, by kind of label; of all zeros, one of rounding."""
    found = {}
    for kind in count_of_kind(targets):
        rows = np.concatenate([rows for target in targets if (rows := getattr(target, kind)) is not None])
        found[kind] = max(float(np.std(rows)), 1e-3 * float(np.abs(rows).max()), 1e-12)
    return found
