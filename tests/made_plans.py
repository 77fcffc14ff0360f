"""Plans small enough to be written by hand, for what the compiled classes refuse."""

import numpy as np

from adiabat.kernels import _core


def smallest_plan() -> _core.PlanBuilder:
    """One species, one radial function, one harmonic, no energy."""
    builder = _core.PlanBuilder(4.0, 4.0, 0, 1, np.array([[1, 0, 1, 0]], dtype=np.int32), np.zeros((1, 9)))
    nothing, start, zeros = np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int32), np.zeros(0)
    builder.add_program(start, nothing, zeros, nothing, nothing, nothing, nothing, zeros, 0, start, nothing, zeros, 0.0)
    return builder
