"""From an ensemble by name to the integrator that samples it."""

from adiabat.errors import ConfigurationError
from adiabat.simulate.cell_rescaling import CellRescaling
from adiabat.simulate.config import (
    DEFAULT_BAROSTAT_TIME_FS,
    DEFAULT_FRICTION_PER_FS,
    DEFAULT_THERMOSTAT_TIME_FS,
    SimulationConfig,
)
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.langevin import LangevinBAOAB
from adiabat.simulate.mtk import MartynaTobiasKlein
from adiabat.simulate.nose_hoover import NoseHooverChains
from adiabat.simulate.nve import VelocityVerlet
from adiabat.simulate.schedule import Target, target_of
from adiabat.simulate.variable import VariableTimestep
from adiabat.simulate.velocity_rescaling import VelocityRescaling


def make_integrator(config: SimulationConfig) -> Integrator:
    """The integrator of a configuration in which nothing is left to be found out.

    Raises:
        ConfigurationError: Time step or compressibility are not known yet, or a value is out of range.
    """
    steady, adaptive = _steady(config, known_timestep(config)), config.adaptive
    if adaptive is not None:
        return VariableTimestep(steady, adaptive.largest_displacement_angstrom, adaptive.energy_error_ev_per_atom)
    return VariableTimestep(steady) if config.on_uncertain == "shrink" else steady


def _steady(config: SimulationConfig, timestep_fs: float) -> Integrator:
    if config.ensemble == "nve":
        return VelocityVerlet(timestep_fs)
    length_fs = config.steps * timestep_fs
    temperature_k = target_of(config.temperatures, time_fs=length_fs)
    if config.thermostat_kind == "nhc":
        return _deterministic(config, timestep_fs, temperature_k)
    thermostat = _stochastic(config, timestep_fs, temperature_k)
    if config.ensemble == "nvt":
        return thermostat
    if config.compressibility_per_gpa is None:
        raise ConfigurationError(
            "is not known", place="compressibility_per_gpa", rule="a barostat needs one", mend="give an estimate"
        )
    return CellRescaling(
        thermostat,
        pressure_gpa=target_of(config.pressures, time_fs=length_fs),
        time_constant_fs=config.barostat_time_fs or DEFAULT_BAROSTAT_TIME_FS,
        compressibility_per_gpa=config.compressibility_per_gpa,
        cell=config.cell or "isotropic",
    )


def known_timestep(config: SimulationConfig) -> float:
    """fs; raises ConfigurationError while it is to be found out."""
    if isinstance(config.timestep_fs, str):
        raise ConfigurationError("is auto", place="timestep_fs", rule="it is known by now", mend="give a number")
    return config.timestep_fs


def _stochastic(
    config: SimulationConfig, timestep_fs: float, temperature_k: Target
) -> LangevinBAOAB | VelocityRescaling:
    if config.thermostat_kind == "langevin":
        return LangevinBAOAB(timestep_fs, temperature_k, config.friction_per_fs or DEFAULT_FRICTION_PER_FS)
    return VelocityRescaling(timestep_fs, temperature_k, config.thermostat_time_fs or DEFAULT_THERMOSTAT_TIME_FS)


def _deterministic(
    config: SimulationConfig, timestep_fs: float, temperature_k: Target
) -> NoseHooverChains | MartynaTobiasKlein:
    time_fs = config.thermostat_time_fs or DEFAULT_THERMOSTAT_TIME_FS
    if config.ensemble == "nvt":
        return NoseHooverChains(timestep_fs, temperature_k, time_fs)
    return MartynaTobiasKlein(
        timestep_fs,
        temperature_k,
        pressure_gpa=target_of(config.pressures, time_fs=config.steps * timestep_fs),
        thermostat_time_fs=time_fs,
        barostat_time_fs=config.barostat_time_fs or DEFAULT_BAROSTAT_TIME_FS,
        cell=config.cell or "isotropic",
    )
