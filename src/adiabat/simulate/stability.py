"""Which time steps a structure allows: its stiffest vibration, and what an integrator makes of it."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.results import Result
from adiabat.simulate.integrator import Evaluator
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU

STEPS_PER_PERIOD = 25
"""Of the stiffest vibration, where the step is chosen: ω h = 0.25, positions of velocity Verlet spread by 1.6 % too much."""
SOUND_PHASE = 0.5
"""ω h: 12.6 steps a period; positions of velocity Verlet spread by 6.7 % too much, and energy errors are 16 times those at 50 steps."""
LARGEST_PHASE = 2**0.5
"""ω h: four steps a period. Linear stability ends at 2, but an anharmonic vibration resonates with the step here (T. Schlick, M. Mandziuk,
R. D. Skeel, K. Srinivas, J. Comput. Phys. 140, 1 (1998), doi:10.1006/jcph.1998.5879), and atoms that collide are stiffer than those at rest."""
MOST_ITERATIONS = 30
CONVERGED = 0.01
"""Relative, of the square of the frequency."""
DISPLACEMENT = 5e-3
"""Å, of the atom that moves furthest, in a difference of forces."""


@dataclass(frozen=True)
class StabilityAnalysis(Result):
    """What the stiffest vibration of a structure says of a time step.

    Attributes:
        frequency_rad_per_fs: ω, from below and with the bound of its error added.
        period_fs: 2π / ω.
        recommended_timestep_fs: A 25th of the period, rounded down to two digits.
        timestep_fs: The one in question, h.
        phase: ω h.
        spectral_radius: Of the linearised step with its friction: above 1 errors grow without end.
        position_spread_error: Relative error of the variance of positions along the vibration, of velocity Verlet and what is built like
            it: 1 / (1 - ω²h²/4) - 1; the middle schemes have none. None where the step is not stable.
        frequency_error: Relative error of the frequency in the trajectory, (2 / ω h) asin(ω h / 2) - 1; None likewise.
    """

    frequency_rad_per_fs: float
    period_fs: float
    recommended_timestep_fs: float
    timestep_fs: float
    phase: float
    spectral_radius: float
    position_spread_error: float | None
    frequency_error: float | None

    def require_sound(self) -> None:
        """Refuse a step that anharmonic vibrations do not stand.

        Raises:
            ConfigurationError: With a step that is recommended.
        """
        if self.phase > LARGEST_PHASE:
            raise ConfigurationError(
                f"is {self.timestep_fs:g} fs, the period of the stiffest vibration of the start structure {self.period_fs:.3g} fs",
                place="timestep_fs",
                rule=f"a period has {2 * math.pi / LARGEST_PHASE:.1f} steps or more",
                mend=f"take {self.recommended_timestep_fs:g} fs, or auto",
            )

    @property
    def warning(self) -> str | None:
        """For a person, where the step is stable but long; None where it is sound."""
        if self.phase <= SOUND_PHASE or self.position_spread_error is None:
            return None
        return (
            f"warning: the time step of {self.timestep_fs:g} fs is long for the stiffest vibration of the start structure, of "
            f"{self.period_fs:.3g} fs: its frequency comes out {self.frequency_error:.0%} too high, its spread up to "
            f"{self.position_spread_error:.0%}; {self.recommended_timestep_fs:g} fs would be sound"
        )


def analyse_stability(
    frequency_rad_per_fs: float, *, timestep_fs: float | None, friction_per_fs: float = 0.0
) -> StabilityAnalysis:
    """What a vibration says of a time step, or of the one that is recommended for it."""
    period_fs = 2 * math.pi / frequency_rad_per_fs
    recommended = _rounded_down(period_fs / STEPS_PER_PERIOD)
    timestep_fs = recommended if timestep_fs is None else timestep_fs
    phase = frequency_rad_per_fs * timestep_fs
    stable = phase < 2
    return StabilityAnalysis(
        frequency_rad_per_fs=frequency_rad_per_fs,
        period_fs=period_fs,
        recommended_timestep_fs=recommended,
        timestep_fs=timestep_fs,
        phase=phase,
        spectral_radius=spectral_radius(phase, math.exp(-friction_per_fs * timestep_fs)),
        position_spread_error=1 / (1 - phase**2 / 4) - 1 if stable else None,
        frequency_error=2 / phase * math.asin(phase / 2) - 1 if stable else None,
    )


def spectral_radius(phase: float, decay: float) -> float:
    """Of half a kick, half a drift, velocities times `decay`, half a drift, half a kick, for a vibration with ω h = `phase`.

    In the variables (ω x, v); with a decay of 1 it is velocity Verlet.
    """
    kick = np.array([[1.0, 0.0], [-0.5 * phase, 1.0]])
    drift = np.array([[1.0, 0.5 * phase], [0.0, 1.0]])
    step = kick @ drift @ np.diag([1.0, decay]) @ drift @ kick
    return float(np.abs(np.linalg.eigvals(step)).max())


def stiffest_frequency(batch: Batch, potential: Evaluator, masses: Tensor, *, fixed: Tensor | None = None) -> float:
    """rad/fs: the highest of all harmonic frequencies of the structures at these positions.

    The largest eigenvalue of M^(-1/2) H M^(-1/2) by Lanczos' iteration (C. Lanczos, J. Res. Natl. Bur. Stand. 45, 255 (1950)), products
    with the Hessian H by central differences of forces: two evaluations each, ten to twenty of them. The Ritz value comes from below;
    the bound of its error is added.

    Args:
        batch: Structures; at rest they need not be.
        potential: Gives forces.
        masses: (N,) amu.
        fixed: (N,) bool, atoms that do not move.

    Raises:
        AdiabatError: What the potential has against the structures.
        ConfigurationError: Nothing holds the atoms: there is no vibration.
    """
    root = masses.sqrt()[:, None]
    vector = torch.from_numpy(Streams.of(batch, 0).normal(batch.start, "velocities", step=0))
    before, beta = torch.zeros_like(vector), 0.0
    diagonal: list[float] = []
    off: list[float] = []
    largest = residual = 0.0
    for _ in range(min(MOST_ITERATIONS, vector.numel())):
        if fixed is not None:
            vector = vector.masked_fill(fixed[:, None], 0.0)
        vector = vector / torch.linalg.vector_norm(vector)
        product = _curvature(batch, potential, vector / root) / root - beta * before
        diagonal.append(float((vector * product).sum()))
        product = product - diagonal[-1] * vector
        if fixed is not None:
            product = product.masked_fill(fixed[:, None], 0.0)
        beta = float(torch.linalg.vector_norm(product))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
        largest, residual = float(values[-1]), beta * abs(float(vectors[-1, -1]))
        if residual <= CONVERGED * max(largest, 0.0) or beta <= 1e-10 * abs(values).max():
            break
        off.append(beta)
        before, vector = vector, product
    square = (largest + residual) * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU
    if not largest > 0:
        raise ConfigurationError(
            f"the largest curvature of the energy at the start structure is {largest:.2g} eV/Å²/amu",
            place="timestep_fs",
            rule="a time step is judged by the stiffest vibration; here nothing holds the atoms",
            mend="give a time step in fs",
        )
    return math.sqrt(square)


def _curvature(batch: Batch, potential: Evaluator, direction: Tensor) -> Tensor:
    """(N, 3) H·direction, in eV/Å²."""
    scale = DISPLACEMENT / float(torch.linalg.vector_norm(direction, dim=-1).max())
    forces = []
    for sign in (-1, 1):
        found = potential(batch.replace(positions=batch.positions + sign * scale * direction), want=("forces",)).forces
        if found is None:
            raise RuntimeError("forces were asked for, and did not come")
        forces.append(found)
    return (forces[0] - forces[1]) / (2 * scale)


def _rounded_down(value: float) -> float:
    """To two digits."""
    unit = 10 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit) * unit:.2g}")
