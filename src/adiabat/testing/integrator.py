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
from adiabat.testing.oscillators import AnharmonicChains, HarmonicWells
from adiabat.testing.violation import ContractViolation
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU, BOLTZMANN_EV_PER_K

Build: TypeAlias = Callable[[float], Integrator]

SPRING, MASS = 5.0, 12.0
FREQUENCY = sqrt(SPRING * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / MASS)
"""rad/fs of an atom in its well: 0.063, a period of 99 fs."""
CHAINS = (7, 4)
START_K = 600.0
STANDARD_ERRORS = 4.0
"""What a mean may be off by; seeds are fixed, so a sound integrator never fails by chance after it has passed once."""


def check_integrator(build: Build, *, thermostat_k: float | None = None, exact_phase: float = 0.1) -> None:
    """Everything that the run loop and whoever averages over a trajectory rely on.

    All: a step leaves the state that it is given as it is; a run goes on from a state as if it had never stopped, whatever
    integrator object goes on with it; structures in a batch do not feel each other. Constant energy: time-reversible, an
    energy error that does not grow and falls with the square of the time step, momentum conserved, 3n - 3 thermal degrees
    of freedom. Thermostats: positions and kinetic energies of harmonic oscillators have their canonical averages (with
    the degrees of freedom that the integrator states), other seeds give other trajectories, and the conserved energy
    accounts for the heat.

    Args:
        build: Makes the integrator for a time step in fs.
        thermostat_k: The temperature that it keeps; None for constant energy.
        exact_phase: ω times the time step up to which the averages of a harmonic oscillator are exact, as the integrator
            claims: 0.1 is what any second-order scheme reaches within the statistical error here.

    Raises:
        ContractViolation: With the value and the rule.
    """
    check_states(build(1.0))
    check_resume(build)
    check_batching(build(1.0))
    if thermostat_k is None:
        check_reversibility(build(1.0))
        check_energy_error(build)
        check_momentum(build(1.0))
        check_temperature_of_rest(build(1.0))
    else:
        check_canonical_averages(build(exact_phase / FREQUENCY), thermostat_k)
        check_seeds(build(1.0))
        check_heat(build(0.5))


def check_states(integrator: Integrator) -> None:
    """A step makes a new state, one step on, with the same atoms; the old one is not touched."""
    chains = AnharmonicChains()
    state = _chain_state(integrator, chains, CHAINS)
    tensors = {name: value.clone() for name, value in _tensors(state).items()}
    after = integrator.step(state, chains)
    for name, value in _tensors(state).items():
        if not torch.equal(value, tensors[name]):
            raise ContractViolation("step", value=f"{name} of the state was changed", rule="a state is left as it is")
    if (state.step, after.step) != (0, 1):
        raise ContractViolation("step", value=f"{state.step}, then {after.step}", rule="steps are counted, from 0")
    for name in ("masses", "numbers", "system", "cell", "pbc"):
        if not torch.equal(_tensors(after)[name], tensors[name]):
            raise ContractViolation("step", value=f"{name} changed", rule="a step moves atoms, and nothing else")
    found = chains(after.batch, want=("energy", "forces"))
    if not (torch.equal(after.forces, _present(found.forces)) and torch.equal(after.energy, _present(found.energy))):
        raise ContractViolation("step", value="other forces", rule="energy and forces are those of the positions")


def check_resume(build: Build) -> None:
    """A run that is handed to a new integrator object half-way ends on the same bits."""
    chains = AnharmonicChains()
    through = _advanced(build(1.0), _chain_state(build(1.0), chains, CHAINS), chains, 20)
    half = _advanced(build(1.0), _chain_state(build(1.0), chains, CHAINS), chains, 10)
    resumed = _advanced(build(1.0), half, chains, 10)
    for name, value in _tensors(through).items():
        if not torch.equal(value, _tensors(resumed)[name]):
            raise ContractViolation(
                f"{name} after 20 steps",
                value=f"differs by {float((value - _tensors(resumed)[name]).abs().max()):.1e} when resumed after 10",
                rule="all that changes from step to step is in the state",
            )


def check_batching(integrator: Integrator) -> None:
    """A structure moves in a batch as it does alone."""
    chains = AnharmonicChains()
    together = _advanced(integrator, _chain_state(integrator, chains, CHAINS), chains, 20)
    for replica, atoms in enumerate(CHAINS):
        alone = _advanced(integrator, _chain_state(integrator, chains, (atoms,), replicas=(replica,)), chains, 20)
        difference = float(
            (alone.batch.positions - together.batch.positions[together.batch.system == replica]).abs().max()
        )
        if not difference < 1e-10:
            raise ContractViolation(
                f"structure {replica} of a batch",
                value=f"is {difference:.1e} Å away from where it is alone after 20 steps",
                rule="structures in a batch do not feel each other",
            )


def check_reversibility(integrator: Integrator) -> None:
    """With its velocities turned round, a trajectory goes back where it came from."""
    chains = AnharmonicChains()
    start = _chain_state(integrator, chains, CHAINS)
    there = _advanced(integrator, start, chains, 200)
    back = _advanced(integrator, there.replace(velocities=-there.velocities), chains, 200)
    difference = float((back.batch.positions - start.batch.positions).abs().max())
    if not difference < 1e-8:
        raise ContractViolation(
            "200 steps there and back", value=f"end {difference:.1e} Å off", rule="constant energy is time-reversible"
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
    start = _chain_state(integrator, chains, CHAINS)
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
    _require_mean(integrator.measured_temperature_k(state), START_K, what="temperature of two atoms at rest as a whole")
    drifting = state.replace(velocities=state.velocities + 0.01)
    difference = integrator.measured_temperature_k(drifting) - integrator.measured_temperature_k(state)
    if not float(difference.abs().max()) < 1e-6 * START_K:
        raise ContractViolation(
            "temperature", value="rises when all atoms drift together", rule="the drift of the whole is no heat"
        )


def check_canonical_averages(integrator: Integrator, temperature_k: float) -> None:
    """Of 1,440 harmonic oscillators in 60 systems: <x²> = k_B T / k, kinetic energy f k_B T / 2, temperature T."""
    wells, batch = _wells(systems=60, atoms=8)
    streams = Streams.of(batch, 7)
    width = sqrt(BOLTZMANN_EV_PER_K * temperature_k / SPRING)
    displaced = batch.replace(positions=batch.positions + width * streams.normal(batch, "velocities", step=1))
    state = _state(integrator, wells, displaced, temperature_k=temperature_k, at_rest=False, streams=streams)
    state = _advanced(integrator, state, wells, 50)
    seen = []
    for _ in range(150):
        state = integrator.step(state, wells)
        squares = (state.batch.positions - wells.centers).square().mean(-1)
        x2 = batch.sum_over_atoms(squares) / batch.counts
        seen.append(torch.stack([x2, integrator.kinetic_energy_ev(state), integrator.measured_temperature_k(state)]))
    x2, kinetic, temperature = torch.stack(seen).mean(0)
    thermal = BOLTZMANN_EV_PER_K * temperature_k
    place = f"at ω h = {FREQUENCY * integrator.timestep_fs:.2g}"
    _require_mean(x2, thermal / SPRING, what=f"<x²> {place}")
    expected = 0.5 * thermal * float(integrator.degrees_of_freedom(state)[0])
    _require_mean(kinetic, expected, what=f"kinetic energy {place}")
    _require_mean(temperature, temperature_k, what=f"temperature {place}")


def check_seeds(integrator: Integrator) -> None:
    """Another seed, another trajectory; other structures of a batch, other random numbers."""
    chains = AnharmonicChains()
    batch = _chain_batch(chains, (4, 4))
    state = _state(integrator, chains, batch, temperature_k=0.0, at_rest=False, streams=Streams.of(batch, 0))
    one, other = (_advanced(integrator, state.replace(streams=Streams.of(batch, seed)), chains, 10) for seed in (0, 1))
    same_seed = torch.equal(one.velocities, other.velocities)
    if same_seed or torch.equal(one.velocities[:4], one.velocities[4:]):
        what = "another seed" if same_seed else "another structure of the batch"
        raise ContractViolation("trajectory", value=f"is the same with {what}", rule="random numbers are independent")


def check_heat(integrator: Integrator) -> None:
    """Atoms that start cold are warmed, and the conserved energy does not change by it."""
    chains = AnharmonicChains()
    batch = _chain_batch(chains, (50,))
    state = _state(integrator, chains, batch, temperature_k=0.0, at_rest=False, streams=Streams.of(batch, 1))
    after = _advanced(integrator, state, chains, 400)
    energy, conserved = (
        float(after.energy + kinetic_energy_ev(batch, after.masses, after.velocities) - state.energy),
        float(integrator.conserved_energy_ev(after) - integrator.conserved_energy_ev(state)),
    )
    if not abs(conserved) < 0.01 * abs(energy):
        raise ContractViolation(
            "conserved energy",
            value=f"changes by {conserved:.3g} eV while the atoms take up {energy:.3g} eV",
            rule="the heat that a thermostat gives is accounted for, to 1 %",
        )


def _require_mean(values: Tensor, expected: float, *, what: str) -> None:
    """The mean of independent values, within its standard errors."""
    mean, error = float(values.mean()), float(values.std()) / sqrt(len(values))
    if not abs(mean - expected) <= STANDARD_ERRORS * error:
        raise ContractViolation(
            what,
            value=f"{mean:.6g} ± {error:.1g} instead of {expected:.6g}",
            rule=f"a mean is right to {STANDARD_ERRORS:g} standard errors",
        )


def _energy_error(integrator: Integrator, fs: float) -> float:
    chains = AnharmonicChains()
    state = _chain_state(integrator, chains, CHAINS[:1])
    start, largest = integrator.conserved_energy_ev(state), 0.0
    for _ in range(round(fs / integrator.timestep_fs)):
        state = integrator.step(state, chains)
        largest = max(largest, float((integrator.conserved_energy_ev(state) - start).abs().max()))
    return largest


def _advanced(integrator: Integrator, state: State, potential: Evaluator, steps: int) -> State:
    for _ in range(steps):
        state = integrator.step(state, potential)
    return state


def _chain_batch(chains: AnharmonicChains, counts: tuple[int, ...]) -> Batch:
    return _batch(torch.cat([chains.start(count) for count in counts]), torch.tensor(counts))


def _chain_state(
    integrator: Integrator,
    chains: AnharmonicChains,
    counts: tuple[int, ...],
    *,
    replicas: tuple[int, ...] | None = None,
) -> State:
    batch = _chain_batch(chains, counts)
    streams = Streams.of(batch, 0, replicas)
    return _state(integrator, chains, batch, temperature_k=START_K, at_rest=True, streams=streams)


def _wells(*, systems: int, atoms: int) -> tuple[HarmonicWells, Batch]:
    batch = _batch(torch.zeros(systems * atoms, 3, dtype=torch.float64), torch.full((systems,), atoms))
    return HarmonicWells(SPRING, batch.positions), batch


def _batch(positions: Tensor, counts: Tensor) -> Batch:
    return Batch(
        positions=positions,
        cell=positions.new_zeros(len(counts), 3, 3),
        pbc=torch.zeros(len(counts), 3, dtype=torch.bool),
        numbers=torch.full((len(positions),), 6),
        system=torch.repeat_interleave(torch.arange(len(counts)), counts),
    )


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
    both = [(state, field.name) for field in fields(state)] + [
        (state.batch, field.name) for field in fields(state.batch)
    ]
    return {name: value for owner, name in both if isinstance(value := getattr(owner, name), Tensor)}


def _present(value: Tensor | None) -> Tensor:
    if value is None:
        raise ContractViolation("potential", value="None", rule="energy and forces were asked for")
    return value
