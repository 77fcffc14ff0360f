"""Constant pressure: the extended system of Martyna, Tobias and Klein, of the volume or of the whole cell."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from torch import Tensor

from adiabat.kernels.cells import cell_forces, exponentials
from adiabat.simulate.bodies import Bodies
from adiabat.simulate.chains import LENGTH, Chain, drawn_chain, thermal_energy_ev
from adiabat.simulate.checks import require_positive
from adiabat.simulate.integrator import Evaluator, carried, counted, dragged, moved
from adiabat.simulate.per_system import deformed_cell, transformed
from adiabat.simulate.pressure import CellShape, first_state_in_a_cell, inside, require_small_strain, volumes_of
from adiabat.simulate.schedule import Target, at_time, require_target
from adiabat.simulate.series import ErrorFromSeries
from adiabat.simulate.state import (
    State,
    internal_degrees_of_freedom,
    internal_temperature_k,
    kinetic_energy_of,
)
from adiabat.simulate.streams import Streams
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM

CHAIN, CELL_CHAIN, CELL_VELOCITY = "chain", "cell_chain", "cell_velocity"
UNIT = {size: np.eye(size) for size in (1, 3)}
MEND = "take a longer time constant of the barostat, or a start nearer to equilibrium"


@dataclass(frozen=True)
class MartynaTobiasKlein(ErrorFromSeries):
    """Constant temperature and pressure by dynamics of the cell, with chains on the atoms and on the cell.

    G. J. Martyna, D. J. Tobias and M. L. Klein, J. Chem. Phys. 101, 4177 (1994), doi:10.1063/1.467468, integrated as M. E. Tuckerman,
    J. Alejandre, R. López-Rendón, A. L. Jochim and G. J. Martyna, J. Phys. A 39, 5629 (2006), doi:10.1088/0305-4470/39/19/S18, and
    T.-Q. Yu et al., Chem. Phys. 370, 294 (2010), doi:10.1016/j.chemphys.2010.02.014, for the whole cell, do:

        dr/dt = v + r g,   dv/dt = F/m - v (g + tr g / f),   dh/dt = h g
        W dg/dt = V (P - P₀) + 2 K / f - (chain),   W = (f + 3) k_B T₀ τ² / 3

    with g symmetric, so that the cell does not turn; isotropic: a multiple of the unit matrix. Chains outermost, then the kick of
    the cell, the kick of the atoms, the drift of both: time-reversible. Velocities at the end of a step are the canonical ones, and
    positions in a harmonic well have the variance k_B T / (m ω² (1 - ω²h²/4)) of velocity Verlet.

    Volumes have the weight exp(-(U + P₀V) / k_B T) V^(N-1) dV: an ideal gas has P₀<V> = N k_B T. Flexible cells have V⁻² d⁹h.

    Attributes:
        timestep_fs: h.
        temperature_k: T; T₀ is that of the start.
        pressure_gpa: P₀.
        thermostat_time_fs: τ of the chains.
        barostat_time_fs: τ of the cell and of its chain.
        cell: What changes.
    """

    timestep_fs: float
    temperature_k: Target
    pressure_gpa: Target
    thermostat_time_fs: float
    barostat_time_fs: float
    cell: CellShape = "isotropic"

    def __post_init__(self) -> None:
        for name in ("timestep_fs", "thermostat_time_fs", "barostat_time_fs"):
            require_positive(name, getattr(self, name))
        require_target("temperature_k", self.temperature_k, above=0.0)
        require_target("pressure_gpa", self.pressure_gpa)

    def with_timestep(self, timestep_fs: float) -> Self:
        """The same with another time step."""
        return replace(self, timestep_fs=timestep_fs)

    def init(
        self,
        batch: Batch,
        potential: Evaluator,
        *,
        velocities: Tensor,
        masses: Tensor,
        streams: Streams,
        fixed: Tensor | None = None,
    ) -> State:
        """The state before the first step; raises StructureError without a cell, or where atoms are fixed."""
        state = first_state_in_a_cell(
            batch, potential, velocities=velocities, masses=masses, streams=streams, fixed=fixed
        )
        constants = self._constants(state)
        chain, cell_chain = constants.chain, constants.cell_chain
        normal = streams.normal_per_system(2 * LENGTH + 6, "chains", step=0)
        links = drawn_chain(chain.masses, chain.mass_ev, normal[:, :LENGTH])
        cell_links = drawn_chain(cell_chain.masses, cell_chain.mass_ev, normal[:, LENGTH : 2 * LENGTH])
        width = np.sqrt(chain.mass_ev / self._constants(state).cell_mass)[:, None]
        variables = {CHAIN: links, CELL_CHAIN: cell_links, CELL_VELOCITY: self._drawn(width * normal[:, 2 * LENGTH :])}
        return state.replace(variables=_as_tensors(variables))

    def step(self, state: State, potential: Evaluator) -> State:
        """The state one time step later; raises SimulationError where the cell would change by more than 5 % in it."""
        half, start = 0.5 * self.timestep_fs, state.bodies.start
        kinetic, drift = self._kinetic(state.velocities, state)
        begun, factor = self._thermalised(state, kinetic, half)
        begun = self._cell_kicked(begun, (factor**2)[:, None, None] * kinetic, half)
        begun = begun.replace(velocities=self._dragged(begun, drift, half, factor=factor))
        arrived = self._drifted(begun, potential)
        velocities = self._dragged(arrived, drift, half)
        kinetic, drift = self._kinetic(velocities, state)
        arrived, factor = self._thermalised(self._cell_kicked(arrived, kinetic, half), kinetic, half)
        return arrived.replace(
            velocities=transformed(start, velocities, factor, drift), **counted(state, self.timestep_fs)
        )

    def degrees_of_freedom(self, state: State) -> Tensor:
        """(S,) 3n - 3."""
        return internal_degrees_of_freedom(state)

    def kinetic_energy_ev(self, state: State) -> Tensor:
        """(S,) eV, of all motion of atoms, that of the centre of mass among it."""
        return kinetic_energy_of(state, state.velocities)

    def measured_temperature_k(self, state: State) -> Tensor:
        """(S,) K, of the motion about the centre of mass."""
        return internal_temperature_k(state, state.velocities)

    def conserved_energy_ev(self, state: State) -> Tensor:
        """(S,) eV: energies of atoms, cell and chains, P₀V, and what is stored in the chains' positions.

        With a ramp of the pressure it changes by V dP₀.
        """
        velocity = state.variables[CELL_VELOCITY].numpy()
        others = (
            self._pressure(state) * volumes_of(state)
            + 0.5 * self._constants(state).cell_mass * _square(velocity)
            + self._constants(state).chain.energy_ev(state.variables[CHAIN].numpy())
            + self._constants(state).cell_chain.energy_ev(state.variables[CELL_CHAIN].numpy())
        )
        return state.energy + self.kinetic_energy_ev(state) - state.heat_ev + torch.from_numpy(others)

    def _kinetic(self, velocities: Tensor, state: State) -> tuple[FloatArray, FloatArray]:
        """As of `Bodies.kinetic_tensor_ev`: what the cell sees of these velocities."""
        return state.bodies.kinetic_tensor_ev(velocities, full=self.cell == "flexible")

    def _thermalised(self, state: State, kinetic_ev: FloatArray, by_fs: float) -> tuple[State, FloatArray]:
        """Both chains, and what the one does to the cell; (S,) by what the other scales velocities."""
        constants = self._constants(state)
        thermal = BOLTZMANN_EV_PER_K * at_time(self.temperature_k, state.time_fs)
        links, factor, stored = constants.chain.propagated(
            state.variables[CHAIN].numpy(), _trace(kinetic_ev), thermal, by_fs=by_fs
        )
        velocity = state.variables[CELL_VELOCITY].numpy()
        of_cell = constants.cell_mass * _square(velocity)
        cell_links, cell_factor, cell_stored = constants.cell_chain.propagated(
            state.variables[CELL_CHAIN].numpy(), of_cell, thermal, by_fs=by_fs
        )
        variables = {CHAIN: links, CELL_CHAIN: cell_links, CELL_VELOCITY: velocity * cell_factor[:, None, None]}
        heat = torch.from_numpy(state.heat_ev.numpy() - stored - cell_stored)
        return state.replace(heat_ev=heat, variables={**state.variables, **_as_tensors(variables)}), factor

    def _cell_kicked(self, state: State, kinetic_ev: FloatArray, by_fs: float) -> State:
        force = cell_forces(
            inside(state, kinetic_ev), pressure=self._pressure(state), degrees=state.bodies.thermal_degrees
        )
        velocity = (
            state.variables[CELL_VELOCITY].numpy() + (by_fs / self._constants(state).cell_mass)[:, None, None] * force
        )
        return state.replace(variables={**state.variables, CELL_VELOCITY: torch.from_numpy(velocity)})

    def _dragged(self, state: State, drift: FloatArray, by_fs: float, *, factor: FloatArray | None = None) -> Tensor:
        """(N, 3) Å/fs: velocities, scaled by a factor, after their forces and the drag of the cell, exactly for both together."""
        velocity = state.variables[CELL_VELOCITY].numpy()
        drag = _trace(velocity) / state.bodies.thermal_degrees
        slowed, mean = exponentials(-by_fs * (velocity + drag[:, None, None] * UNIT[velocity.shape[-1]]))
        if factor is not None:
            slowed *= factor[:, None, None]
        return dragged(state.velocities, state, by_fs=by_fs, about=drift, cell=slowed, way=mean)

    def _drifted(self, state: State, potential: Evaluator) -> State:
        strain = self.timestep_fs * state.variables[CELL_VELOCITY].numpy()
        require_small_strain(strain, mend=MEND)
        stretch, mean = exponentials(strain)
        positions = carried(
            state.batch.positions,
            state.velocities,
            state.velocities,
            start=state.bodies.start,
            by_fs=0.5 * self.timestep_fs,
            cell=stretch,
            way=mean,
        )
        return moved(state, positions, potential, cell=deformed_cell(state.batch.cell, stretch))

    def _pressure(self, state: State) -> FloatArray:
        """(S,) or (1,) eV/Å³."""
        return at_time(self.pressure_gpa, state.time_fs) / GPA_PER_EV_PER_CUBIC_ANGSTROM

    def _constants(self, state: State) -> "_Constants":
        return _made_constants(self, state.bodies)

    def _drawn(self, normal: FloatArray) -> FloatArray:
        """(S, 1, 1) or (S, 3, 3) of six numbers each, of the variance k_B T / W for each degree of freedom."""
        if self.cell == "isotropic":
            return normal[:, 0][:, None, None] / 3**0.5
        found = np.empty((len(normal), 3, 3))
        found[:, [0, 1, 2], [0, 1, 2]] = normal[:, :3]
        found[:, [0, 0, 1], [1, 2, 2]] = found[:, [1, 2, 2], [0, 0, 1]] = normal[:, 3:] / 2**0.5
        return found


@dataclass(frozen=True, eq=False)
class _Constants:
    """What is the same at every step.

    Attributes:
        chain: Of the atoms.
        cell_chain: Of the cell.
        cell_mass: (S,) W, eV fs².
    """

    chain: Chain
    cell_chain: Chain
    cell_mass: FloatArray


@lru_cache(maxsize=8)
def _made_constants(integrator: MartynaTobiasKlein, bodies: Bodies) -> _Constants:
    start = thermal_energy_ev(at_time(integrator.temperature_k, 0.0), bodies.systems)
    of_cell = np.full(bodies.systems, 1.0 if integrator.cell == "isotropic" else 6.0)
    return _Constants(
        Chain(bodies.thermal_degrees, start, integrator.thermostat_time_fs),
        Chain(of_cell, start, integrator.barostat_time_fs),
        (bodies.thermal_degrees + 3) * start * integrator.barostat_time_fs**2 / 3,
    )


def _as_tensors(variables: dict[str, FloatArray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in variables.items()}


def _square(velocity: FloatArray) -> FloatArray:
    """(S,) Σ g², of a multiple of the unit matrix three times its square."""
    return 3 * velocity[:, 0, 0] ** 2 if velocity.shape[-1] == 1 else (velocity**2).sum((1, 2))


def _trace(matrices: FloatArray) -> FloatArray:
    """(S,), of a multiple of the unit matrix three times its number."""
    return 3 * matrices[:, 0, 0] if matrices.shape[-1] == 1 else np.trace(matrices, axis1=1, axis2=2)
