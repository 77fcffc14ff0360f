"""Velocities to start with."""

import torch
from torch import Tensor

from adiabat.simulate.bodies import EV_PER_AMU_ANGSTROM_PER_FS_SQUARED
from adiabat.simulate.per_system import per_atom
from adiabat.simulate.schedule import Target, at_time, require_target
from adiabat.simulate.state import drift_velocity
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.units import BOLTZMANN_EV_PER_K


def maxwell_boltzmann(
    batch: Batch,
    masses: Tensor,
    streams: Streams,
    *,
    temperature_k: Target,
    at_rest: bool,
    fixed: Tensor | None = None,
) -> Tensor:
    """Velocities of the Maxwell-Boltzmann distribution, unscaled: a finite system's temperature differs from draw to draw.

    Args:
        batch: The structures.
        masses: (N,) amu.
        streams: Where the random numbers come from.
        temperature_k: K, for all structures or for each.
        at_rest: Take off the motion of each structure's centre of mass, which leaves 3n - 3 degrees of freedom at this
            temperature (a single atom keeps its three). For dynamics that conserve momentum; under a Langevin
            thermostat all 3n are thermal, and it is False.
        fixed: (N,) bool, atoms that never move; where there are some, no centre of mass is taken off.

    Returns:
        (N, 3) Å/fs.
    """
    require_target("temperature_k", temperature_k, least=0.0)
    kelvin = per_atom(batch, at_time(temperature_k, 0.0))
    spread = torch.sqrt(BOLTZMANN_EV_PER_K * kelvin / (EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * masses))
    velocities = spread[:, None] * torch.from_numpy(streams.normal(batch.start, "velocities", step=0))
    if fixed is not None:
        velocities = velocities.masked_fill(fixed[:, None], 0.0)
    return velocities - drift_velocity(batch, masses, velocities, fixed)[batch.system] if at_rest else velocities
