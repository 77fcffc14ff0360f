"""Compression and expansion: one minimum, and no other."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms

from adiabat.results import Figure, Line
from adiabat.typing import FloatArray
from adiabat.validation.check import Case, CheckResult

FRACTIONS = np.linspace(0.5, 2.0, 61)
"""Of the volume, that are shown."""
JUDGED = (0.6, 1.5)
"""Of the volume: compression by some hundred GPa, and an expansion beyond that of any liquid."""
NEAR = (0.7, 1.4)
"""Where the minimum of a structure near equilibrium lies."""


class VolumeCheck:
    """The start with its cell and positions scaled alike."""

    name: ClassVar[str] = "volume"

    def evaluations(self, case: Case) -> int:
        """One for each volume."""
        return len(FRACTIONS) if case.start.pbc.all() else 0

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Where the deepest minimum is, and how deep the deepest other one."""
        name = "compression and expansion"
        if not case.start.pbc.all():
            why = f"not made: the start is periodic along {case.start.pbc.tolist()}, and has no volume"
            return [CheckResult(name, None, None, None, "", why)]
        energies = np.array([_energy(case, fraction) for fraction in FRACTIONS])
        per_atom = 1e3 * (energies - energies.min()) / len(case.start)
        judged = (JUDGED[0] - 1e-9 < FRACTIONS) & (JUDGED[1] + 1e-9 > FRACTIONS)
        depth, where = deepest_other_minimum(per_atom[judged])
        lowest = float(FRACTIONS[judged][int(energies[judged].argmin())])
        limit = case.config.limits.spurious_depth_mev_per_atom
        shown = per_atom < 5e3
        figure = Figure(
            name="validate-volume",
            title="Compression and expansion of the start",
            x_label="volume, of that of the start",
            y_label="energy (meV/atom)",
            marks=(Line(FRACTIONS[shown], per_atom[shown], "energy"),),
        )
        found = "no other minimum"
        if where is not None:
            found = f"another minimum at {FRACTIONS[judged][where]:.3g} of the volume, {depth:.2g} meV/atom deep"
        near = NEAR[0] <= lowest <= NEAR[1]
        reason = (
            f"the energy is lowest at {lowest:.3g} of the volume; {found} from {JUDGED[0]:g} to {JUDGED[1]:g} of it."
        )
        if not near:
            reason += (
                " That is far from where the start is: it is not near equilibrium, or the potential does not hold it."
            )
        return [CheckResult(name, near and depth <= limit, depth, limit, "meV/atom", reason, (figure,))]


def deepest_other_minimum(energies: FloatArray) -> tuple[float, int | None]:
    """How far one has to climb from the deepest local minimum but the lowest to get out of it, and where it is; 0 and None without one."""
    lowest, found = int(energies.argmin()), (0.0, None)
    for end in (0, len(energies) - 1):
        side = energies[lowest:] if end else energies[: lowest + 1][::-1]
        highest = np.maximum.accumulate(side)
        fall = highest - side
        worst = int(fall.argmax())
        if fall[worst] > found[0]:
            found = float(fall[worst]), lowest + worst if end else lowest - worst
    return found


def _energy(case: Case, fraction: float) -> float:
    energy = float(case.subject.energies_ev([_scaled(case.start, fraction)])[0])
    case.clock.tick()
    return energy


def _scaled(atoms: Atoms, fraction: float) -> Atoms:
    scaled = atoms.copy()
    scaled.set_cell(atoms.cell.array * fraction ** (1 / 3), scale_atoms=True)
    return scaled
