"""The contract of an integrator."""

from collections.abc import Callable
from dataclasses import fields
from math import sqrt
from typing import TypeAlias

import torch
from torch import Tensor

from adiabat.simulate import Evaluator, Integrator, State, Streams, maxwell_boltzmann
from adiabat.simulate.state import kinetic_energy_ev
from adiabat.system import Batch
from adiabat.testing.breathing import BreathingCrystals
from adiabat.testing.ensemble import MASS, check_ensemble, conserves_momentum, require_mean
from adiabat.testing.oscillators import AnharmonicChains, HarmonicWells, open_batch
from adiabat.testing.violation import ContractViolation
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU

Build: TypeAlias = Callable[[float], Integrator]
Subject: TypeAlias = AnharmonicChains | BreathingCrystals

SPRING = 5.0
FREQUENCY = sqrt(SPRING * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / MASS)
"""rad/fs of an atom in its well: 0.063, a period of 99 fs."""
CHAINS = (7, 4)
START_K, COLD_K = 600.0, 10.0


def check_integrator(
    build: Build,
    *,
    thermostat_k: float | None = None,
    pressure_gpa: float | None = None,
    flexible: bool = False,
    deterministic: bool = False,
    exact_phase: float = 0.1,
) -> None:
    """Everything that the run loop and whoever averages over a trajectory rely on.

    All: a step leaves the state that it is given as it is; a run goes on from a state as if it had never stopped, whatever
    integrator object goes on with it; structures in a batch do not feel each other. Constant energy: time-reversible, an
    energy error that does not grow and falls with the square of the time step, momentum conserved, 3n - 3 thermal degrees
    of freedom. Thermostats: positions and kinetic energies of harmonic oscillators have their canonical means, kinetic energies
    their variance (with the degrees of freedom that the integrator states), and the conserved energy accounts for the heat.
    Barostats: volumes, and shapes where they change, likewise. What is random differs from seed to seed, what is not is reversible.

    Args:
        build: Makes the integrator for a time step in fs; with time constants of some tens of fs, so that it has its way
            within 50 steps of 1.6 fs.
        thermostat_k: The temperature that it keeps; None for constant energy.
        pressure_gpa: The pressure that it keeps, about 1 GPa; None for constant volume.
        flexible: Whether it changes the shapes of cells.
        deterministic: Whether it keeps its temperature without random numbers.
        exact_phase: ω times the time step up to which the averages of a harmonic oscillator are exact, as the integrator
            claims: 0.1 is what any second-order scheme reaches within the statistical error here.

    Raises:
        ContractViolation: With the value and the rule.
    """
    subject = subject_of(build(1.0), pressure_gpa)
    check_states(build(1.0), subject)
    check_resume(build, subject)
    check_batching(build(1.0), subject)
    if thermostat_k is None or deterministic:
        check_reversibility(build(1.0), subject)
    if thermostat_k is None:
        check_energy_error(build)
        check_momentum(build(1.0))
        check_temperature_of_rest(build(1.0))
        return
    check_ensemble(build(exact_phase / FREQUENCY), thermostat_k, pressure_gpa=pressure_gpa, flexible=flexible)
    if not deterministic:
        check_seeds(build(1.0), subject)
    check_heat(build(0.5), subject)


def subject_of(integrator: Integrator, pressure_gpa: float | None) -> Subject:
    """What an integrator is tried on: chains, or crystals where it changes cells."""
    return AnharmonicChains() if pressure_gpa is None else BreathingCrystals(free=conserves_momentum(integrator))


def check_states(integrator: Integrator, subject: Subject) -> None:
    """A step makes a new state, one step on, with the same atoms; the old one is not touched."""
    state = _start(integrator, subject, CHAINS)
    tensors = {name: value.clone() for name, value in _tensors(state).items()}
    after = integrator.step(state, subject)
    for name, value in _tensors(state).items():
        if not torch.equal(value, tensors[name]):
            raise ContractViolation("step", value=f"{name} of the state was changed", rule="a state is left as it is")
    if (state.step, after.step) != (0, 1):
        raise ContractViolation("step", value=f"{state.step}, then {after.step}", rule="steps are counted, from 0")
    cells = () if isinstance(subject, BreathingCrystals) else ("cell",)
    for name in ("masses", "numbers", "system", "pbc", *cells):
        if not torch.equal(_tensors(after)[name], tensors[name]):
            raise ContractViolation("step", value=f"{name} changed", rule="a step moves atoms, and nothing else")
    found = subject(after.batch, want=("energy", "forces"))
    if not (torch.equal(after.forces, _present(found.forces)) and torch.equal(after.energy, _present(found.energy))):
        raise ContractViolation("step", value="other forces", rule="energy and forces are those of the positions")


def check_resume(build: Build, subject: Subject) -> None:
    """A run that is handed to a new integrator object half-way ends on the same bits."""
    through = _advanced(build(1.0), _start(build(1.0), subject, CHAINS), subject, 20)
    half = _advanced(build(1.0), _start(build(1.0), subject, CHAINS), subject, 10)
    resumed = _advanced(build(1.0), half, subject, 10)
    for name, value in _tensors(through).items():
        if not torch.equal(value, _tensors(resumed)[name]):
            raise ContractViolation(
                f"{name} after 20 steps",
                value=f"differs by {float((value - _tensors(resumed)[name]).abs().max()):.1e} when resumed after 10",
                rule="all that changes from step to step is in the state",
            )


def check_batching(integrator: Integrator, subject: Subject) -> None:
    """A structure moves in a batch as it does alone."""
    together = _advanced(integrator, _start(integrator, subject, CHAINS), subject, 20)
    for replica, atoms in enumerate(CHAINS):
        alone = _advanced(integrator, _start(integrator, subject, (atoms,), replicas=(replica,)), subject, 20)
        difference = float(
            (alone.batch.positions - together.batch.positions[together.batch.system == replica]).abs().max()
        )
        if not difference < 1e-10:
            raise ContractViolation(
                f"structure {replica} of a batch",
                value=f"is {difference:.1e} Å away from where it is alone after 20 steps",
                rule="structures in a batch do not feel each other",
            )


def check_reversibility(integrator: Integrator, subject: Subject) -> None:
    """With its velocities turned round, those of chains and cells among them, a trajectory goes back where it came from."""
    start = _start(integrator, subject, CHAINS)
    there = _advanced(integrator, start, subject, 200)
    back = _advanced(integrator, _reversed(there), subject, 200)
    difference = float((back.batch.positions - start.batch.positions).abs().max())
    if not difference < 1e-8:
        raise ContractViolation(
            "200 steps there and back",
            value=f"end {difference:.1e} Å off",
            rule="what is not random is time-reversible",
        )


def check_energy_error(build: Build) -> None:
    """Half the time step, a quarter of the energy error; and no more of it after a longer time."""
    error, longer, halved = (_energy_error(build(step), fs) for step, fs in ((1.0, 400.0), (1.0, 1600.0), (0.5, 400.0)))
    if not 3.4 < error / halved < 4.6:
        raise ContractViolation(
            "energy error at 1 fs over that at 0.5 fs", value=f"{error / halved:.2f}", rule="about 4: it goes as h²"
        )
    if not longer < 1.5 * error:
        raise ContractViolation(
            "energy error within 1600 fs over that within 400 fs",
            value=f"{longer / error:.2f}",
            rule="it does not grow",
        )


def check_momentum(integrator: Integrator) -> None:
    """The momentum of each structure stays, to rounding."""
    chains = AnharmonicChains()
    start = _start(integrator, chains, CHAINS)
    drift = start.velocities.new_tensor([3e-3, 0, -1e-3])
    state = _advanced(integrator, start.replace(velocities=start.velocities + drift), chains, 100)
    momentum, expected = (
        s.batch.sum_over_atoms(s.masses[:, None] * v)
        for s, v in ((state, state.velocities), (start, start.velocities + drift))
    )
    difference = float((momentum - expected).abs().max())
    if not difference < 1e-10:
        raise ContractViolation(
            "momentum", value=f"changes by {difference:.1e} amu Å/fs", rule="without a thermostat it is conserved"
        )


def check_temperature_of_rest(integrator: Integrator) -> None:
    """Of velocities drawn at a temperature without net momentum, the mean temperature is that; a drift does not heat."""
    wells, batch = _wells(systems=1000, atoms=2)
    state = _state(integrator, wells, batch, temperature_k=START_K, at_rest=True, streams=Streams.of(batch, 3))
    require_mean(integrator.measured_temperature_k(state), START_K, what="temperature of two atoms at rest as a whole")
    drifting = state.replace(velocities=state.velocities + 0.01)
    difference = integrator.measured_temperature_k(drifting) - integrator.measured_temperature_k(state)
    if not float(difference.abs().max()) < 1e-6 * START_K:
        raise ContractViolation(
            "temperature", value="rises when all atoms drift together", rule="the drift of the whole is no heat"
        )


def check_seeds(integrator: Integrator, subject: Subject) -> None:
    """Another seed, another trajectory; other structures of a batch, other random numbers."""
    batch = subject.batch((4, 4))
    state = _state(integrator, subject, batch, temperature_k=COLD_K, at_rest=False, streams=Streams.of(batch, 0))
    state = state.replace(velocities=state.velocities[:4].repeat(2, 1))
    one, other = (_advanced(integrator, state.replace(streams=Streams.of(batch, seed)), subject, 10) for seed in (0, 1))
    same_seed = torch.equal(one.velocities, other.velocities)
    if same_seed or torch.equal(one.velocities[:4], one.velocities[4:]):
        what = "another seed" if same_seed else "another structure of the batch"
        raise ContractViolation("trajectory", value=f"is the same with {what}", rule="random numbers are independent")


def check_heat(integrator: Integrator, subject: Subject) -> None:
    """Atoms that start cold are warmed, and the conserved energy does not change by it."""
    batch = subject.batch((8,) * 6)
    state = _state(integrator, subject, batch, temperature_k=COLD_K, at_rest=False, streams=Streams.of(batch, 1))
    after = _advanced(integrator, state, subject, 400)
    energy, conserved = (
        float(_energy(after) - _energy(state)),
        float((integrator.conserved_energy_ev(after) - integrator.conserved_energy_ev(state)).sum()),
    )
    if not abs(conserved) < 0.01 * abs(energy):
        raise ContractViolation(
            "conserved energy",
            value=f"changes by {conserved:.3g} eV while the atoms take up {energy:.3g} eV",
            rule="the heat that a thermostat gives is accounted for, to 1 %",
        )


def _energy_error(integrator: Integrator, fs: float) -> float:
    chains = AnharmonicChains()
    state = _start(integrator, chains, CHAINS[:1])
    start, largest = integrator.conserved_energy_ev(state), 0.0
    for _ in range(round(fs / integrator.timestep_fs)):
        state = integrator.step(state, chains)
        largest = max(largest, float((integrator.conserved_energy_ev(state) - start).abs().max()))
    return largest


def _advanced(integrator: Integrator, state: State, potential: Evaluator, steps: int) -> State:
    for _ in range(steps):
        state = integrator.step(state, potential)
    return state


def _energy(state: State) -> Tensor:
    """() eV, of all structures."""
    return (state.energy + kinetic_energy_ev(state.batch, state.masses, state.velocities)).sum()


def _reversed(state: State) -> State:
    variables = {name: -value for name, value in state.variables.items()}
    return state.replace(velocities=-state.velocities, variables=variables)


def _start(
    integrator: Integrator, subject: Subject, counts: tuple[int, ...], *, replicas: tuple[int, ...] | None = None
) -> State:
    batch = subject.batch(counts)
    streams = Streams.of(batch, 0, replicas)
    return _state(integrator, subject, batch, temperature_k=START_K, at_rest=True, streams=streams)


def _wells(*, systems: int, atoms: int) -> tuple[HarmonicWells, Batch]:
    batch = open_batch(torch.zeros(systems * atoms, 3, dtype=torch.float64), torch.full((systems,), atoms))
    return HarmonicWells(SPRING, batch.positions), batch


def _state(
    integrator: Integrator,
    potential: Evaluator,
    batch: Batch,
    *,
    temperature_k: float,
    at_rest: bool,
    streams: Streams,
) -> State:
    masses = torch.full_like(batch.positions[:, 0], MASS)
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=temperature_k, at_rest=at_rest)
    return integrator.init(batch, potential, velocities=velocities, masses=masses, streams=streams)


def _tensors(state: State) -> dict[str, Tensor]:
    both = [(owner, field.name) for owner in (state, state.bodies, state.batch) for field in fields(owner)]
    found = {name: value for owner, name in both if isinstance(value := getattr(owner, name), Tensor)}
    return found | dict(state.variables)


def _present(value: Tensor | None) -> Tensor:
    if value is None:
        raise ContractViolation("potential", value="None", rule="energy and forces were asked for")
    return value
