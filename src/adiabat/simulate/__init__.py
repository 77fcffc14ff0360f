"""Molecular dynamics: state, integrators, the run loop, trajectories."""

from adiabat.simulate.config import Outputs, SimulationConfig
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Evaluator, Integrator
from adiabat.simulate.langevin import LangevinBAOAB
from adiabat.simulate.nve import VelocityVerlet
from adiabat.simulate.run import simulate
from adiabat.simulate.start import read_start
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.simulate.summary import SimulationSummary
from adiabat.simulate.thermolog import read_log
from adiabat.simulate.trajectory import iterate_trajectory, read_trajectory, trajectory_to_xyz
from adiabat.simulate.velocities import maxwell_boltzmann

__all__ = [
    "Evaluator",
    "Follower",
    "Integrator",
    "LangevinBAOAB",
    "Outputs",
    "SimulationConfig",
    "SimulationSummary",
    "State",
    "Streams",
    "VelocityVerlet",
    "iterate_trajectory",
    "maxwell_boltzmann",
    "read_log",
    "read_start",
    "read_trajectory",
    "simulate",
    "trajectory_to_xyz",
]
