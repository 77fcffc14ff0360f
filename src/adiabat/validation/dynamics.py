"""Atoms of a case in motion."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from ase import Atoms, units

from adiabat.simulate import Integrator, LangevinBAOAB, State, Streams, maxwell_boltzmann
from adiabat.simulate.integrator import Evaluator
from adiabat.simulate.watch import require_finite
from adiabat.system import Batch
from adiabat.validation.check import Case

FRICTION_PER_FS = 0.01
"""A relaxation time of 100 fs."""
LIGHT_AMU, LONGEST_FS = 12.0, 2.0
"""1 fs for carbon, by the square root of the mass for others: a C-H bond then has some twenty steps in a vibration."""


def timestep_fs(case: Case) -> float:
    """As asked for, or by the lightest atom."""
    lightest = float(case.start.get_masses().min())
    return case.config.timestep_fs or min(LONGEST_FS, 0.1 * max(1, round(10 * math.sqrt(lightest / LIGHT_AMU))))


def steps_of(picoseconds: float, case: Case) -> int:
    """How many steps they take."""
    return max(1, round(1000 * picoseconds / timestep_fs(case)))


def langevin(case: Case, temperature_k: float) -> LangevinBAOAB:
    """The thermostat of the checks."""
    return LangevinBAOAB(timestep_fs(case), temperature_k, FRICTION_PER_FS)


@dataclass
class Motion:
    """A batch that moves.

    Attributes:
        case: What it belongs to; its clock counts.
        integrator: By which it moves.
        evaluator: Under which.
        state: At present.
    """

    case: Case
    integrator: Integrator
    evaluator: Evaluator
    state: State

    @classmethod
    def begun(cls, case: Case, integrator: Integrator, *, replicas: int, temperature_k: float, seed: int) -> "Motion":
        """From the start structure, with velocities of a temperature."""
        batch = Batch.from_atoms([case.start] * replicas)
        masses = torch.from_numpy(case.start.get_masses()).repeat(replicas)
        streams = Streams.of(batch, case.config.seed + seed)
        velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=temperature_k, at_rest=False)
        evaluator = case.subject.follow()
        state = integrator.init(batch, evaluator, velocities=velocities, masses=masses, streams=streams)
        return cls(case, integrator, evaluator, state)

    @classmethod
    def from_atoms(cls, case: Case, integrator: Integrator, structures: list[Atoms]) -> "Motion":
        """From structures with velocities."""
        batch = Batch.from_atoms(structures)
        masses = torch.cat([torch.from_numpy(atoms.get_masses()) for atoms in structures])
        velocities = torch.cat([torch.from_numpy(atoms.get_velocities() * units.fs) for atoms in structures])
        evaluator, streams = case.subject.follow(), Streams.of(batch, case.config.seed)
        state = integrator.init(batch, evaluator, velocities=velocities, masses=masses, streams=streams)
        return cls(case, integrator, evaluator, state)

    def advance(self, steps: int) -> None:
        """So many steps; raises AdiabatError where the subject or the motion breaks down."""
        for _ in range(steps):
            self.state = self.integrator.step(self.state, self.evaluator)
            require_finite(self.state)
            self.case.clock.tick(self.state.batch.n_systems)

    def every(self, steps: int, times: int) -> Iterator[State]:
        """The states after each so many steps."""
        for _ in range(times):
            self.advance(steps)
            yield self.state

    def structures(self) -> list[Atoms]:
        """At present, with velocities."""
        structures = self.state.batch.to_atoms()
        counts = self.state.batch.counts.tolist()
        parts = zip(structures, self.state.velocities.split(counts), self.state.masses.split(counts), strict=True)
        for atoms, velocities, masses in parts:
            atoms.set_array("masses", masses.numpy())
            atoms.set_velocities(velocities.numpy() / units.fs)
        return structures
