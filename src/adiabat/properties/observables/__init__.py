"""What is read off trajectories, each with its error bar: structure, diffusion, spectra, thermodynamics, transport."""

from adiabat.properties.observables.analysis import ANALYSES, Analysis, analyse, require_known
from adiabat.properties.observables.config import AnalyseConfig
from adiabat.properties.observables.diffusion import Diffusion, mean_squared_displacement
from adiabat.properties.observables.ensemble import Ensemble
from adiabat.properties.observables.observable import Observable
from adiabat.properties.observables.radial_distribution import RadialDistribution, radial_distribution
from adiabat.properties.observables.trajectory import Trajectory

__all__ = [
    "ANALYSES",
    "AnalyseConfig",
    "Analysis",
    "Diffusion",
    "Ensemble",
    "Observable",
    "RadialDistribution",
    "Trajectory",
    "analyse",
    "mean_squared_displacement",
    "radial_distribution",
    "require_known",
]
