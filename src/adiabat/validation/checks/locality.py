"""Locality: an atom's energy does not change when an atom beyond the reach moves."""

from collections.abc import Sequence
from typing import ClassVar, cast

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult

MOVED = 0.3
"""Å."""
ROUNDING = 1e-9
"""Of an atom's energy + 1 eV, in double precision."""
MOST_ATOMS = 5000


class LocalityCheck:
    """One atom moves, in a structure that is wider than the reach."""

    name: ClassVar[str] = "locality"

    def evaluations(self, case: Case) -> int:
        """Before and after."""
        return 2 if case.subject.potential is not None else 0

    def run(self, case: Case) -> Sequence[CheckResult]:
        """The largest change of an energy further away than the reach."""
        potential, name = case.subject.potential, "locality"
        if potential is None:
            why = "not made: a calculator does not say how far it reaches"
            return [CheckResult(name, None, None, None, "", why)]
        reach = potential.interaction_range
        wide = widened(case.start, reach + MOVED) if np.isfinite(reach) else None
        if wide is None or len(wide) > MOST_ATOMS:
            why = (
                f"not made: the potential reaches {reach:g} Å, which takes a structure of more than {MOST_ATOMS} atoms"
            )
            return [CheckResult(name, None, None, None, "", why)]
        moved = wide.copy()
        moved.positions[0] += MOVED / np.sqrt(3)
        before, after = (_energies(potential, atoms) for atoms in (wide, moved))
        case.clock.tick(2)
        distance = np.minimum(*(atoms.get_distances(0, range(len(atoms)), mic=True) for atoms in (wide, moved)))
        outside = distance > reach
        change = np.abs(after - before)
        limit = ROUNDING if potential.dtype == torch.float64 else 1e-3
        value = float((change / (np.abs(before) + 1))[outside].max(initial=0.0))
        inside = float(change[~outside].max())
        reason = (
            f"one atom moved by {MOVED:g} Å: energies of the {int(outside.sum())} atoms more than {reach:g} Å away change by up to "
            f"{value:.1g} of themselves + 1 eV, nearer ones by up to {inside:.2g} eV."
        )
        return [CheckResult(name, value <= limit, value, limit, "", reason)]


def widened(atoms: Atoms, reach: float) -> Atoms | None:
    """Repeated until some atom is further than `reach` from the first and all of its images; an open structure as it is."""
    if not atoms.pbc.any():
        return atoms.copy()
    heights = 1 / np.linalg.norm(np.linalg.inv(atoms.cell.complete().array), axis=0)
    repeats = np.where(atoms.pbc, np.ceil((2 * reach + 0.1) / heights), 1).astype(int)
    return atoms.repeat(repeats) if len(atoms) * repeats.prod() <= MOST_ATOMS else None


def _energies(potential: Potential, atoms: Atoms) -> FloatArray:
    batch = Batch.from_atoms(atoms, dtype=potential.dtype, device=potential.device)
    return cast(Tensor, potential(batch, want=("energies",)).energies).cpu().double().numpy()
