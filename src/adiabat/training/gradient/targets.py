"""Targets: what of the labels the baseline leaves to learn, as small arrays; graphs are made when they are needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.system import Labelled
from adiabat.training.examples import KINDS, VOIGT, value
from adiabat.training.gradient.batches import by_atoms
from adiabat.typing import FloatArray

ATOMS_AT_ONCE = 2000


@dataclass(frozen=True)
class Target:
    """A structure and what of its labels is to be learned; None where it has none.

    Attributes:
        structure: With its labels.
        energy: (1,) eV per atom.
        forces: (3 n,) eV/Å.
        stress: (6,) eV/Å³, Voigt.
    """

    structure: Labelled
    energy: FloatArray | None
    forces: FloatArray | None
    stress: FloatArray | None

    @property
    def atoms(self) -> int:
        """How many there are."""
        return len(self.structure.atoms)


def make_targets(structures: Sequence[Labelled], baseline: Potential, *, quiet: bool = False) -> list[Target]:
    """The labels without what the baseline gives."""
    return rest_of([_whole(structure) for structure in structures], baseline, quiet=quiet)


def rest_of(targets: Sequence[Target], known: Potential, *, quiet: bool = False) -> list[Target]:
    """The targets without what a potential gives."""

    def one_by_one() -> Iterator[Target]:
        counts = [target.atoms for target in targets]
        for chosen in by_atoms(range(len(targets)), counts, ATOMS_AT_ONCE):
            yield from _rest([targets[index] for index in chosen], known)

    return list(track(one_by_one(), "taking off the labels what is known", total=len(targets), quiet=quiet))


def _whole(structure: Labelled) -> Target:
    labels, count = structure.labels, len(structure.atoms)
    return Target(
        structure,
        None if labels.energy is None else np.array([labels.energy / count]),
        None if labels.forces is None else labels.forces.ravel(),
        None if labels.stress is None else labels.stress[VOIGT],
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
        )


def count_of_kind(targets: Sequence[Target]) -> dict[str, int]:
    """Rows by kind of label; only kinds that there are."""
    counts = {kind: sum(len(rows) for t in targets if (rows := getattr(t, kind)) is not None) for kind in KINDS}
    return {kind: count for kind, count in counts.items() if count}


def spreads(targets: Sequence[Target]) -> dict[str, float]:
    """Root mean square around the mean, by kind of label; of all zeros, one of rounding."""
    found = {}
    for kind in count_of_kind(targets):
        rows = np.concatenate([rows for target in targets if (rows := getattr(target, kind)) is not None])
        found[kind] = max(float(np.std(rows)), 1e-3 * float(np.abs(rows).max()), 1e-12)
    return found
