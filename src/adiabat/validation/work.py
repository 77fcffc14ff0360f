"""Energy against the work of the forces along a path: what jumps, and what is no gradient, shows."""

import numpy as np

from adiabat.typing import FloatArray
from adiabat.validation.check import CheckResult

JUMP_EV = 1e-4
"""What the work may miss of the energy between two points."""


def smoothness(name: str, offsets: FloatArray, energies_ev: FloatArray, forces: FloatArray) -> CheckResult:
    """Whether energies change by the work of the forces, by Simpson's rule over two steps.

    Args:
        name: Of the check.
        offsets: (P,) Å, equally spaced along the path, in either direction.
        energies_ev: (P,).
        forces: (P,) eV/Å, along growing offsets.
    """
    width = offsets[2:] - offsets[:-2]
    work = width / 6 * (forces[:-2] + 4 * forces[1:-1] + forces[2:])
    missed = np.abs(energies_ev[2:] - energies_ev[:-2] + work)
    worst = int(missed.argmax())
    value, where = float(missed[worst]), float(offsets[worst + 1])
    found = f"energy and work differ by up to {value:.2g} eV, at {where:.3g} Å; {JUMP_EV:g} would be seen"
    passed = value <= JUMP_EV
    reason = f"{found}." if passed else f"{found}: one of them jumps, or forces are not the gradient of the energy."
    return CheckResult(name, passed, value, JUMP_EV, "eV", reason)
