"""Observation: what the log says of one instant."""

import dataclasses
from dataclasses import dataclass

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
        conserved_energy_ev: What an infinitely short time step would conserve: in NVE the total energy, under a thermostat
            the energy less the heat that it gave.
        pressure_gpa: f k_B T / (3 V) - tr σ / 3 with f degrees of freedom; None where there is no stress.
    """

    step: int
    time_fs: float
    temperature_k: float
    potential_energy_ev: float
    kinetic_energy_ev: float
    total_energy_ev: float
    conserved_energy_ev: float
    pressure_gpa: float | None


COLUMNS = tuple(field.name for field in dataclasses.fields(Observation))


def observe(state: State, integrator: Integrator, *, system: int = 0) -> Observation:
    """What there is to say of one structure of the batch."""
    potential, kinetic = float(state.energy[system]), float(integrator.kinetic_energy_ev(state)[system])
    temperature_k = float(integrator.measured_temperature_k(state)[system])
    thermal_ev = float(integrator.degrees_of_freedom(state.batch)[system]) * BOLTZMANN_EV_PER_K * temperature_k
    return Observation(
        step=state.step,
        time_fs=state.step * integrator.timestep_fs,
        temperature_k=temperature_k,
        potential_energy_ev=potential,
        kinetic_energy_ev=kinetic,
        total_energy_ev=potential + kinetic,
        conserved_energy_ev=float(integrator.conserved_energy_ev(state)[system]),
        pressure_gpa=_pressure_gpa(state, thermal_ev, system),
    )


def _pressure_gpa(state: State, thermal_ev: float, system: int) -> float | None:
    if state.stress is None:
        return None
    kinetic = thermal_ev / (3 * float(state.batch.volume[system]))
    return (kinetic - float(state.stress[system].diagonal().mean())) * GPA_PER_EV_PER_CUBIC_ANGSTROM
