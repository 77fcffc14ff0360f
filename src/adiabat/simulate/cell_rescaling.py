"""Constant pressure: stochastic cell rescaling, of the volume or of the whole cell."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.kernels.cells import Inside, exponential, rescaling_strains, strain_heat
from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import Evaluator, carried, counted, dragged, kicked, moved
from adiabat.simulate.langevin import LangevinBAOAB
from adiabat.simulate.per_system import deformed_cell
from adiabat.simulate.pressure import CellShape, first_state_in_a_cell, inside, require_small_strain
from adiabat.simulate.schedule import Target, at_time, require_target
from adiabat.simulate.series import ErrorFromSeries
from adiabat.simulate.state import State
from adiabat.simulate.velocity_rescaling import VelocityRescaling
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

MEND = "take a longer time constant of the barostat, a smaller compressibility, or a start nearer to equilibrium"


@dataclass(frozen=True)
class CellRescaling(ErrorFromSeries):
    """Stochastic cell rescaling, with a thermostat.

    M. Bernetti and G. Bussi, J. Chem. Phys. 153, 114107 (2020), doi:10.1063/5.0020514; of the whole cell: V. Del Tatto, P. Raiteri,
    M. Bernetti and G. Bussi, Appl. Sci. 12, 1139 (2022), doi:10.3390/app12031139.

    The volume moves by λ = sqrt(V), in which its noise does not depend on where it is:

        dλ = (β λ / 2τ) (P - P₀ + k_B T / 2V) dt + sqrt(k_B T β / 2τ) dW

    and, with a flexible cell, its shape by the symmetric and traceless part of

        dε = (β / 3τ) (P - P₀) dt + sqrt(2 k_B T β / 3Vτ) dW,   cell <- cell · exp(dε)

    where P is the internal pressure tensor with the kinetic part of this instant. Atoms go with the cell, velocities against it.
    Symmetric strains do not turn the cell; in the exponential form the drifts that noise brings about cancel. Noise is the mean of
    that of this step and the next, which takes the error of first order in the step off the averages (Leimkuhler and Matthews,
    Appl. Math. Res. Express 2013, 34).

    The cell is deformed at the end of the drifts of the middle scheme, before the forces are evaluated; what atoms gain by it is
    taken from the stresses before and after.

    Volumes have the weight exp(-(U + P₀V) / k_B T) V^N dV of N atoms under a thermostat that moves the centre of mass, V^(N-1)
    dV under one that does not: an ideal gas has P₀<V> = (N + 1) k_B T or N k_B T. Flexible cells have the usual V⁻² d⁹h.

    Attributes:
        thermostat: With it the time step and the temperature.
        pressure_gpa: P₀.
        time_constant_fs: τ, in which the volume relaxes, if β is right.
        compressibility_per_gpa: β. An estimate is enough: averages do not depend on it.
        cell: What changes.
    """

    thermostat: LangevinBAOAB | VelocityRescaling
    pressure_gpa: Target
    time_constant_fs: float
    compressibility_per_gpa: float
    cell: CellShape = "isotropic"

    def __post_init__(self) -> None:
        require_target("pressure_gpa", self.pressure_gpa)
        require_target("temperature_k", self.thermostat.temperature_k, above=0.0)
        require_positive("time_constant_fs", self.time_constant_fs)
        require_positive("compressibility_per_gpa", self.compressibility_per_gpa)

    @property
    def timestep_fs(self) -> float:
        """The thermostat's."""
        return self.thermostat.timestep_fs

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another time step."""
        return replace(self, thermostat=self.thermostat.with_timestep(timestep_fs))

    init = staticmethod(first_state_in_a_cell)

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one time step later; raises SimulationError where the cell would change by more than 5 % in it."""
        half, start = 0.5 * self.timestep_fs, state.bodies.start
        before = kicked(state.velocities, state, by_fs=half)
        thermal = self.thermostat.thermalised(state, before)
        kinetic, drift = state.bodies.kinetic_tensor_ev(
            thermal.velocities, full=self.cell == "flexible", internal=self.thermostat.conserves_momentum
        )
        pressed = inside(state, kinetic)
        strain = self._strain(state, pressed)
        require_small_strain(strain, mend=MEND)
        stretch, shrink = exponential(strain), exponential(-strain)
        positions = carried(
            state.batch.positions, before, thermal.velocities, start=start, by_fs=half, cell=stretch, way=stretch
        )
        arrived = moved(thermal, positions, potential, cell=deformed_cell(state.batch.cell, stretch))
        velocities = dragged(thermal.velocities, arrived, by_fs=half, about=drift, cell=shrink, way=_unit(state))
        heat = strain_heat(strain, shrink, pressed, inside(arrived, kinetic))
        return arrived.replace(
            velocities=velocities,
            heat_ev=thermal.heat_ev + torch.from_numpy(heat),
            **counted(state, self.timestep_fs),
        )

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) the thermostat's."""
        return self.thermostat.degrees_of_freedom(state)

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV, as the thermostat estimates it."""
        return self.thermostat.kinetic_energy_ev(state)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K, likewise."""
        return self.thermostat.measured_temperature_k(state)

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: potential and kinetic energy less what thermostat and barostat gave."""
        return self.thermostat.conserved_energy_ev(state)

    def _strain(self, state: State, pressed: Inside) -> FloatArray:
        """(S, 3, 3) or (S, 1, 1): the logarithm of the deformation in this step."""
        time_fs = state.time_fs + 0.5 * self.timestep_fs
        return rescaling_strains(
            pressed,
            pressure=at_time(self.pressure_gpa, time_fs) / GPA_PER_EV_PER_CUBIC_ANGSTROM,
            thermal=BOLTZMANN_EV_PER_K * at_time(self.thermostat.temperature_k, time_fs),
            compressibility=self.compressibility_per_gpa * GPA_PER_EV_PER_CUBIC_ANGSTROM,
            rate=self.timestep_fs / self.time_constant_fs,
            noise=self._noise(state),
        )

    def _noise(self, state: State) -> FloatArray:
        """(S, 1 or 7) means of this step's and the next one's; variances add up to one for each step."""
        columns = 1 if self.cell == "isotropic" else 7
        this, following = (
            state.streams.normal_per_system(columns, "barostat", step=step) for step in (state.step, state.step + 1)
        )
        return 0.5 * (this + following)


def _unit(state: State) -> FloatArray:
    """(S, 1, 1)."""
    return np.ones((state.bodies.systems, 1, 1))
