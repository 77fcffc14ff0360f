"""Constant pressure: stochastic cell rescaling, of the volume or of the whole cell."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import Evaluator, counted, drifted, kicked, moved
from adiabat.simulate.langevin import LangevinBAOAB
from adiabat.simulate.per_system import deformed_cell, transformed
from adiabat.simulate.pressure import (
    CellShape,
    first_state_in_a_cell,
    require_small_strain,
    spectral,
    trace_part,
    virial_part,
    volumes,
)
from adiabat.simulate.schedule import Target, at_time, require_target
from adiabat.simulate.series import ErrorFromSeries
from adiabat.simulate.state import State
from adiabat.simulate.velocity_rescaling import VelocityRescaling
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

MEND = "take a longer time constant of the barostat, a smaller compressibility, or a start nearer to equilibrium"
OFF_DIAGONAL = 0.5**0.5


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
        half = 0.5 * self.timestep_fs
        before = kicked(state.velocities, state, by_fs=half)
        thermal = self.thermostat.thermalised(state, before)
        positions = drifted(state.batch.positions, before, thermal.velocities, by_fs=half)
        start, drift = state.bodies.start, self._drift(thermal)
        kinetic = state.bodies.kinetic_tensor_ev(thermal.velocities, drift)
        strain = self._strain(thermal, kinetic)
        require_small_strain(strain, mend=MEND)
        stretch, shrink = spectral(strain, np.exp, _exp_of_minus)
        velocities = transformed(start, thermal.velocities, shrink, drift)
        cell = deformed_cell(state.batch.cell, stretch)
        arrived = moved(thermal, transformed(start, positions, stretch), potential, cell=cell)
        gained = 0.5 * np.trace(_both_sides(shrink, kinetic) - kinetic, axis1=1, axis2=2)
        work = -0.5 * (strain * trace_part(virial_part(state) + virial_part(arrived), self.cell)).sum((1, 2))
        if self.cell == "isotropic":
            work *= 3
        return arrived.replace(
            velocities=kicked(velocities, arrived, by_fs=half),
            heat_ev=thermal.heat_ev + torch.from_numpy(gained + work),
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

    def _strain(self, state: State, kinetic_ev: FloatArray) -> FloatArray:
        """(S, 3, 3) or (S, 1, 1): the logarithm of the deformation in this step."""
        time_fs, step_fs = state.time_fs + 0.5 * self.timestep_fs, self.timestep_fs
        thermal = BOLTZMANN_EV_PER_K * at_time(self.thermostat.temperature_k, time_fs)
        target = at_time(self.pressure_gpa, time_fs) / GPA_PER_EV_PER_CUBIC_ANGSTROM
        beta = self.compressibility_per_gpa * GPA_PER_EV_PER_CUBIC_ANGSTROM
        volume, internal = volumes(state), kinetic_ev + virial_part(state)
        excess = np.trace(internal, axis1=1, axis2=2) / (3 * volume) - target
        noise = self._noise(state)
        root = np.sqrt(volume)
        drift = beta * root / (2 * self.time_constant_fs) * (excess + thermal / (2 * volume)) * step_fs
        width = np.sqrt(thermal * beta / (2 * self.time_constant_fs) * step_fs)
        size = (2 / 3 * np.log(np.maximum((root + drift + width * noise[:, 0]) / root, 1e-3)))[:, None, None]
        if self.cell == "isotropic":
            return size
        pulled = beta / (3 * self.time_constant_fs) * step_fs * internal / volume[:, None, None]
        width = np.sqrt(2 * thermal * beta * step_fs / (3 * volume * self.time_constant_fs))
        return size * np.eye(3) + _deviator(
            0.5 * (pulled + pulled.transpose(0, 2, 1)) + width[:, None, None] * _symmetric(noise)
        )

    def _drift(self, state: State) -> FloatArray:
        """(S, 3) Å/fs: motion of the centre of mass that is not thermal."""
        if not self.thermostat.conserves_momentum:
            return np.zeros((state.bodies.systems, 3))
        return state.bodies.internal_motion(state.velocities)[1]

    def _noise(self, state: State) -> FloatArray:
        """(S, 1 or 7) means of this step's and the next one's; variances add up to one for each step."""
        columns = 1 if self.cell == "isotropic" else 7
        this, following = (
            state.streams.normal_per_system(columns, "barostat", step=step) for step in (state.step, state.step + 1)
        )
        return 0.5 * (this + following)


def _symmetric(noise: FloatArray) -> FloatArray:
    """(S, 3, 3) the symmetric part of a matrix of independent numbers, made of the last six columns."""
    diagonal, others = noise[:, 1:4], OFF_DIAGONAL * noise[:, 4:7]
    found = np.empty((len(noise), 3, 3))
    found[:, [0, 1, 2], [0, 1, 2]] = diagonal
    found[:, [0, 0, 1], [1, 2, 2]] = found[:, [1, 2, 2], [0, 0, 1]] = others
    return found


def _deviator(matrices: FloatArray) -> FloatArray:
    return matrices - np.trace(matrices, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)


def _both_sides(matrices: FloatArray, tensors: FloatArray) -> FloatArray:
    """(S, 3, 3) F·T·F, with F symmetric or (S, 1, 1)."""
    return matrices**2 * tensors if matrices.shape[-1] == 1 else matrices @ tensors @ matrices


def _exp_of_minus(values: FloatArray) -> FloatArray:
    return np.exp(-values)
