"""Observation: what the log says of one instant."""

import dataclasses
from dataclasses import dataclass

from torch import Tensor

from adiabat.simulate.integrator import Integrator
from adiabat.simulate.state import State
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM


@dataclass(frozen=True)
class Observation:
    """One structure at one instant; the fields are the columns of the thermodynamic log.

    Attributes:
        step: Steps done.
        time_fs: Since step 0.
        temperature_k: 2 × thermal kinetic energy / (degrees of freedom × k_B).
        potential_energy_ev: Of the whole structure.
        kinetic_energy_ev: As the integrator estimates it.
        total_energy_ev: Their sum.
        conserved_energy_ev: What an infinitely short time step would conserve: in NVE the total energy, with a thermostat or a
            barostat the energy less what they gave.
        pressure_gpa: f k_B T / (3 V) - tr σ / 3 with f degrees of freedom; None where there is no stress.
        volume_cubic_angstrom: V; None where there is no stress.
        extrapolation: The largest extrapolation grade of an atom over the one that a structure of the training's kinds seldom
            exceeds; above 1 it is far from the training. None where nobody looked.
        energy_std_ev: Estimated standard deviation of the potential energy; None where nobody looked.
        largest_energy_std_ev: The largest of those of single atoms' energies, likewise.
    """

    step: int
    time_fs: float
    temperature_k: float
    potential_energy_ev: float
    kinetic_energy_ev: float
    total_energy_ev: float
    conserved_energy_ev: float
    pressure_gpa: float | None = None
    volume_cubic_angstrom: float | None = None
    extrapolation: float | None = None
    energy_std_ev: float | None = None
    largest_energy_std_ev: float | None = None


COLUMNS = tuple(field.name for field in dataclasses.fields(Observation))


def observe(state: State, integrator: Integrator, *, system: int = 0) -> Observation:
    """What there is to say of one structure of the batch."""
    return observe_each(state, integrator)[system]


def observe_each(state: State, integrator: Integrator) -> tuple[Observation, ...]:
    """What there is to say of each structure of the batch."""
    potential, kinetic = state.energy.tolist(), integrator.kinetic_energy_ev(state).tolist()
    temperature_k = integrator.measured_temperature_k(state)
    conserved = integrator.conserved_energy_ev(state).tolist()
    volume, pressure = _volume_and_pressure(state, integrator.degrees_of_freedom(state) * temperature_k)
    return tuple(
        Observation(
            step=state.step,
            time_fs=state.time_fs,
            temperature_k=kelvin,
            potential_energy_ev=potential[system],
            kinetic_energy_ev=kinetic[system],
            total_energy_ev=potential[system] + kinetic[system],
            conserved_energy_ev=conserved[system],
            pressure_gpa=pressure[system],
            volume_cubic_angstrom=volume[system],
        )
        for system, kelvin in enumerate(temperature_k.tolist())
    )


def _volume_and_pressure(state: State, degrees_times_k: Tensor) -> tuple[list[float | None], list[float | None]]:
    if state.stress is None:
        return [None] * state.batch.n_systems, [None] * state.batch.n_systems
    volume = state.batch.volume
    kinetic = degrees_times_k * BOLTZMANN_EV_PER_K / (3 * volume)
    pressure = kinetic - state.stress.diagonal(dim1=1, dim2=2).mean(1)
    return volume.tolist(), (pressure * GPA_PER_EV_PER_CUBIC_ANGSTROM).tolist()
