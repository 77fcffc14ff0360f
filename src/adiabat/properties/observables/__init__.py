"""What is read off trajectories, each with its error bar: structure, diffusion, spectra, thermodynamics, transport."""

from adiabat.properties.observables.analysis import ANALYSES, Analysis, analyse, require_known
from adiabat.properties.observables.angular_distribution import AngularDistribution, angular_distribution
from adiabat.properties.observables.config import AnalyseConfig, FramesConfig
from adiabat.properties.observables.diffusion import Diffusion, mean_squared_displacement
from adiabat.properties.observables.ensemble import Ensemble
from adiabat.properties.observables.heat_capacity import HeatCapacity, heat_capacity
from adiabat.properties.observables.observable import Observable
from adiabat.properties.observables.pooled import PooledAnalysis, pooled
from adiabat.properties.observables.radial_distribution import RadialDistribution, radial_distribution
from adiabat.properties.observables.structure_factor import StructureFactor, structure_factor
from adiabat.properties.observables.thermal_expansion import ThermalExpansion, thermal_expansion
from adiabat.properties.observables.thermodynamics import Averages, averages
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.properties.observables.transport import (
    IonicConductivity,
    ThermalConductivity,
    Viscosity,
    ionic_conductivity,
    thermal_conductivity,
    viscosity,
)
from adiabat.properties.observables.vibrations import Vibrations, vibrations

__all__ = [
    "ANALYSES",
    "AnalyseConfig",
    "Analysis",
    "AngularDistribution",
    "Averages",
    "Diffusion",
    "Ensemble",
    "FramesConfig",
    "HeatCapacity",
    "IonicConductivity",
    "Observable",
    "PooledAnalysis",
    "RadialDistribution",
    "StructureFactor",
    "ThermalConductivity",
    "ThermalExpansion",
    "Trajectory",
    "Vibrations",
    "Viscosity",
    "analyse",
    "angular_distribution",
    "averages",
    "heat_capacity",
    "ionic_conductivity",
    "mean_squared_displacement",
    "pooled",
    "radial_distribution",
    "require_known",
    "structure_factor",
    "thermal_conductivity",
    "thermal_expansion",
    "vibrations",
    "viscosity",
]
