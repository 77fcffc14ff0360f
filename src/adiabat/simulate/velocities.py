"""Velocities to start with."""

import torch
from torch import Tensor

from adiabat.simulate.checks import require_not_negative
from adiabat.simulate.state import EV_PER_AMU_ANGSTROM_PER_FS_SQUARED, drift_velocity
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.units import BOLTZMANN_EV_PER_K


def maxwell_boltzmann(batch: Batch, masses: Tensor, streams: Streams, *, temperature_k: float, at_rest: bool) -> Tensor:
    """Velocities of the Maxwell-Boltzmann distribution, unscaled: a finite system's temperature differs from draw to draw.

    Args:
        batch: The structures.
        masses: (N,) amu.
        streams: Where the random numbers come from.
        temperature_k: K.
        at_rest: Take off the motion of each structure's centre of mass, which leaves 3n - 3 degrees of freedom at this
            temperature (a single atom keeps its three). For dynamics that conserve momentum; under a Langevin
            thermostat all 3n are thermal, and it is False.

    Returns:
        (N, 3) Å/fs.
    """
    require_not_negative("temperature_k", temperature_k)
    spread = torch.sqrt(BOLTZMANN_EV_PER_K * temperature_k / (EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * masses))
    velocities = spread[:, None] * streams.normal(batch, "velocities", step=0)
    return velocities - drift_velocity(batch, masses, velocities)[batch.system] if at_rest else velocities
