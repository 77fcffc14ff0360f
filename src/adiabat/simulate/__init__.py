"""Molecular dynamics: state, integrators, the run loop, trajectories."""

from adiabat.simulate.cell_rescaling import CellRescaling
from adiabat.simulate.config import Outputs, SimulationConfig
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Evaluator, Integrator
from adiabat.simulate.langevin import LangevinBAOAB
from adiabat.simulate.mtk import MartynaTobiasKlein
from adiabat.simulate.nose_hoover import NoseHooverChains
from adiabat.simulate.nve import VelocityVerlet
from adiabat.simulate.run import simulate, simulate_batch
from adiabat.simulate.schedule import Ramp
from adiabat.simulate.stability import StabilityAnalysis, analyse_stability
from adiabat.simulate.start import read_start, read_starts
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.simulate.summary import SimulationSummary
from adiabat.simulate.thermolog import read_log
from adiabat.simulate.trajectory import iterate_trajectory, read_trajectory, trajectory_to_xyz
from adiabat.simulate.variable import VariableTimestep
from adiabat.simulate.velocities import maxwell_boltzmann
from adiabat.simulate.velocity_rescaling import VelocityRescaling

__all__ = [
    "CellRescaling",
    "Evaluator",
    "Follower",
    "Integrator",
    "LangevinBAOAB",
    "MartynaTobiasKlein",
    "NoseHooverChains",
    "Outputs",
    "Ramp",
    "SimulationConfig",
    "SimulationSummary",
    "StabilityAnalysis",
    "State",
    "Streams",
    "VariableTimestep",
    "VelocityRescaling",
    "VelocityVerlet",
    "analyse_stability",
    "iterate_trajectory",
    "maxwell_boltzmann",
    "read_log",
    "read_start",
    "read_starts",
    "read_trajectory",
    "simulate",
    "simulate_batch",
    "trajectory_to_xyz",
]
