"""An atom of the start pushed onto others: repelled all the way in."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from adiabat.errors import DataError
from adiabat.holes import EnergyCurve, Hole, Pair, PushPath, deepest_hole, pair_name, push_paths
from adiabat.results import Figure, Line
from adiabat.validation.check import Case, CheckResult

DIRECTIONS = 5
"""For each pair: straight onto its nearest, then as the structure has others."""
FROM_CONTACT = 0.85
"""Of the contact distance: a start near equilibrium does not say how near atoms come when they are hot."""
REACH = 5.0
"""Å, where the potential's is not known."""
DEEPEST_EV = 1e-3
"""By which the energy may fall on the way in."""


class PushCheck:
    """For each pair of species an atom in matter, pushed onto others from where they are near to a third of their distance or so."""

    name: ClassVar[str] = "pushes"

    def evaluations(self, case: Case) -> int:
        """All points of all paths."""
        return sum(len(path.structures) for pair in case.contacts for path in _paths(case, pair))

    def run(self, case: Case) -> Sequence[CheckResult]:
        """Repulsion of each pair."""
        return [_pushed(case, pair) for pair in case.contacts]


def _paths(case: Case, pair: Pair) -> Sequence[PushPath]:
    """None where no straight ways lead from one to the other, as in a molecule of a few atoms."""
    contacts = {known: FROM_CONTACT * distance for known, distance in case.contacts.items()}
    reach = REACH if case.subject.potential is None else case.subject.potential.cutoff
    rng = np.random.default_rng(case.config.seed)
    try:
        return push_paths(reach, case.start, pair, contacts, count=DIRECTIONS, rng=rng)
    except DataError:
        return ()


def _pushed(case: Case, pair: Pair) -> CheckResult:
    name, paths = f"pushes {pair_name(pair)} are repelled", _paths(case, pair)
    if not paths:
        return CheckResult(name, None, None, None, "", "not made: no straight ways lead from one such atom to another")
    curves = []
    for path in paths:
        energies = case.subject.energies_ev(path.structures)
        case.clock.tick(len(path.structures))
        curves.append(EnergyCurve(path.place, path.distance, "Å", energies, path.structures))
    holes: list[Hole] = [hole for hole in map(deepest_hole, curves) if hole is not None]
    deepest = max(holes, key=lambda hole: hole.depth_ev, default=None)
    depth = 0.0 if deepest is None else deepest.depth_ev
    nearest = min(float(curve.coordinate.min()) for curve in curves)
    reason = f"the energy rises on {len(curves)} ways, down to {nearest:.3g} Å." if deepest is None else f"{deepest}."
    return CheckResult(name, depth <= DEEPEST_EV, depth, DEEPEST_EV, "eV", reason, (_figure(pair, curves),))


def _figure(pair: Pair, curves: Sequence[EnergyCurve]) -> Figure:
    lines = tuple(
        Line(curve.coordinate, curve.energy_ev - curve.energy_ev[0], f"way {number + 1}")
        for number, curve in enumerate(curves)
    )
    return Figure(
        name=f"validate-push-{pair_name(pair)}",
        title=f"An atom pushed onto others: {pair_name(pair)}",
        x_label="distance to the nearest atom (Å)",
        y_label="energy (eV)",
        marks=lines,
        note="It has to rise from right to left.",
    )
