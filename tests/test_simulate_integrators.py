"""Integrators: against their contract, closed forms and ASE; and broken ones, which the contract must catch."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import cos, sqrt
from typing import Literal, cast

import numpy as np
import pytest
import torch
from ase import Atoms, units
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import present
from scipy import stats

from adiabat.errors import ConfigurationError
from adiabat.potential import Prediction
from adiabat.simulate import (
    CellRescaling,
    Integrator,
    LangevinBAOAB,
    MartynaTobiasKlein,
    NoseHooverChains,
    State,
    Streams,
    VelocityRescaling,
    VelocityVerlet,
    maxwell_boltzmann,
)
from adiabat.simulate.bodies import EV_PER_AMU_ANGSTROM_PER_FS_SQUARED
from adiabat.simulate.integrator import moved
from adiabat.simulate.state import (
    all_degrees_of_freedom,
    drift_velocity,
    internal_degrees_of_freedom,
    kinetic_energy_ev,
    kinetic_energy_of,
    temperature_k,
)
from adiabat.system import Batch
from adiabat.testing import ContractViolation
from adiabat.testing.ensemble import check_ensemble
from adiabat.testing.integrator import FREQUENCY, MASS, SPRING, check_integrator, check_momentum
from adiabat.testing.oscillators import AnharmonicChains, HarmonicWells
from adiabat.typing import Quantity
from adiabat.units import BOLTZMANN_EV_PER_K, GPA_PER_EV_PER_CUBIC_ANGSTROM


def langevin(timestep_fs: float) -> LangevinBAOAB:
    return LangevinBAOAB(timestep_fs, temperature_k=300.0, friction_per_fs=0.02)


def test_velocity_verlet_keeps_the_contract() -> None:
    check_integrator(VelocityVerlet)


@pytest.mark.parametrize("phase", [0.1, 1.0, 1.5])
def test_baoab_keeps_the_contract_with_exact_averages_at_any_stable_step(phase: float) -> None:
    check_integrator(langevin, thermostat_k=300.0, exact_phase=phase)


TAU_FS = 40.0
BAROSTATS: dict[str, Callable[[float], Integrator]] = {
    "csvr, isotropic": lambda h: CellRescaling(rescaling(h), 1.0, 2 * TAU_FS, 0.1, "isotropic"),
    "csvr, flexible": lambda h: CellRescaling(rescaling(h), 1.0, 2 * TAU_FS, 0.1, "flexible"),
    "langevin, isotropic": lambda h: CellRescaling(langevin(h), 1.0, 2 * TAU_FS, 0.1, "isotropic"),
    "langevin, flexible": lambda h: CellRescaling(langevin(h), 1.0, 2 * TAU_FS, 0.1, "flexible"),
    "mtk, isotropic": lambda h: MartynaTobiasKlein(h, 300.0, 1.0, TAU_FS, 2 * TAU_FS, "isotropic"),
    "mtk, flexible": lambda h: MartynaTobiasKlein(h, 300.0, 1.0, TAU_FS, 4 * TAU_FS, "flexible"),
}


def rescaling(timestep_fs: float) -> VelocityRescaling:
    return VelocityRescaling(timestep_fs, temperature_k=300.0, time_constant_fs=TAU_FS)


@pytest.mark.parametrize("phase", [0.1, 1.0])
def test_velocity_rescaling_keeps_the_contract_with_exact_averages_at_any_stable_step(phase: float) -> None:
    check_integrator(rescaling, thermostat_k=300.0, exact_phase=phase)


@pytest.mark.parametrize("phase", [0.1, 0.5])
def test_nose_hoover_chains_keep_the_contract(phase: float) -> None:
    check_integrator(
        lambda h: NoseHooverChains(h, 300.0, TAU_FS), thermostat_k=300.0, exact_phase=phase, deterministic=True
    )


@pytest.mark.parametrize("name", BAROSTATS)
def test_barostats_keep_the_contract(name: str) -> None:
    check_integrator(
        BAROSTATS[name],
        thermostat_k=300.0,
        pressure_gpa=1.0,
        flexible="flexible" in name,
        deterministic="mtk" in name,
    )


class Gas:
    """Atoms that do not feel each other."""

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        zeros = torch.zeros_like(batch.cell)
        return Prediction(energy=zeros[:, 0, 0], forces=torch.zeros_like(batch.positions), stress=zeros)


GAS_GPA, GAS_K, GAS_ATOMS = 0.01, 300.0, 8
GASES: dict[str, tuple[Integrator, int]] = {
    "csvr": (CellRescaling(VelocityRescaling(10.0, GAS_K, 100.0), GAS_GPA, 4000.0, 1 / GAS_GPA), GAS_ATOMS),
    "langevin": (CellRescaling(LangevinBAOAB(10.0, GAS_K, 0.01), GAS_GPA, 4000.0, 1 / GAS_GPA), GAS_ATOMS + 1),
    "mtk": (MartynaTobiasKlein(10.0, GAS_K, GAS_GPA, 100.0, 500.0), GAS_ATOMS),
}


def gas_volumes(integrator: Integrator, *, pressure_gpa: float = GAS_GPA, temperature_k: float = GAS_K) -> np.ndarray:
    """(200,) in units of k_B T / P: one of each structure, three relaxation times after the start."""
    scale = BOLTZMANN_EV_PER_K * temperature_k / pressure_gpa * GPA_PER_EV_PER_CUBIC_ANGSTROM
    side = (GAS_ATOMS * scale) ** (1 / 3)
    atoms = Atoms(
        f"Ar{GAS_ATOMS}", np.random.default_rng(0).uniform(0, side, (GAS_ATOMS, 3)), cell=3 * [side], pbc=True
    )
    batch = Batch.from_atoms([atoms] * 200)
    masses, streams = torch.full((batch.n_atoms,), 40.0, dtype=torch.float64), Streams.of(batch, 3)
    at_rest = int(integrator.degrees_of_freedom(still(integrator, batch, masses, streams))[0]) < 3 * GAS_ATOMS
    velocities = maxwell_boltzmann(batch, masses, streams, temperature_k=temperature_k, at_rest=at_rest)
    state = integrator.init(batch, Gas(), velocities=velocities, masses=masses, streams=streams)
    for _ in range(1200):
        state = integrator.step(state, Gas())
    return state.batch.volume.numpy() / scale


def still(integrator: Integrator, batch: Batch, masses: torch.Tensor, streams: Streams) -> State:
    return integrator.init(batch, Gas(), velocities=torch.zeros_like(batch.positions), masses=masses, streams=streams)


@pytest.mark.parametrize("name", GASES)
def test_the_volume_of_an_ideal_gas_has_the_distribution_of_gamma(name: str) -> None:
    """Weight V^N exp(-P V / k_B T) dV, or V^(N-1) where the centre of mass does not move; Kolmogorov and Smirnov at 0.1 %."""
    integrator, shape = GASES[name]
    assert stats.kstest(gas_volumes(integrator), stats.gamma(shape).cdf).pvalue > 1e-3


def test_a_barostat_without_its_noise_fails_the_distribution_of_the_gas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CellRescaling, "_noise", lambda self, state: np.zeros((state.batch.n_systems, 1)))
    integrator, shape = GASES["csvr"]
    assert stats.kstest(gas_volumes(integrator), stats.gamma(shape).cdf).pvalue < 1e-12


CARRYING: dict[str, Integrator] = {
    "nve": VelocityVerlet(1.0),
    "langevin": langevin(1.0),
    "nhc": NoseHooverChains(1.0, 300.0, TAU_FS),
    **{name: made(1.0) for name, made in BAROSTATS.items()},
}


@pytest.mark.parametrize("name", CARRYING)
def test_what_others_keep_in_a_state_is_carried_on(name: str) -> None:
    """The time step's limit, an oracle's correction."""
    batch = Batch.from_atoms([Atoms("Ar2", [[0, 0, 0], [3, 3, 3]], cell=[9, 9, 9], pbc=True)])
    masses, streams = torch.full((2,), 40.0, dtype=torch.float64), Streams.of(batch, 3)
    state = still(CARRYING[name], batch, masses, streams)
    kept = torch.ones(1)
    later = CARRYING[name].step(state.replace(variables={**state.variables, "kept": kept}), Gas())
    assert later.variables["kept"] is kept
    assert later.variables.keys() == {*state.variables, "kept"}


class Berendsen(VelocityRescaling):
    """Berendsen et al. 1984: the mean is right, the fluctuations are not."""

    def _factor(self, state: State, kinetic_ev: np.ndarray) -> np.ndarray:
        degrees = self.degrees_of_freedom(state).numpy()
        target = 0.5 * degrees * BOLTZMANN_EV_PER_K * cast(float, self.temperature_k)
        return np.sqrt(1 + self.timestep_fs / self.time_constant_fs * (target / kinetic_ev - 1))


class OneMore(VelocityRescaling):
    """Counts the centre of mass as thermal."""

    def degrees_of_freedom(self, state: State) -> torch.Tensor:
        return all_degrees_of_freedom(state)


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (lambda h: Berendsen(h, 300.0, 10.0), "variance of the kinetic energy"),
        (lambda h: VelocityRescaling(h, 306.0, 10.0), "kinetic energy|temperature|<u²>"),
        (lambda h: NoseHooverChains(h, 306.0, 10.0), "kinetic energy|temperature|<u²>"),
        (lambda h: OneMore(h, 300.0, 10.0), "<u²>|kinetic energy"),
    ],
    ids=["Berendsen's thermostat", "2 % too hot", "chains 2 % too hot", "a degree of freedom too many"],
)
def test_a_thermostat_that_samples_another_ensemble_is_found(broken: Callable, found: str) -> None:
    """With 1,200 systems; the shipped contract, with 60, sees what is off by some per cent."""
    with pytest.raises(ContractViolation, match=found):
        check_ensemble(broken(1.6), 300.0, settling=60, samples=60, systems=1200)


class Euler(VelocityVerlet):
    def step(self, state: State, potential: Callable) -> State:
        velocities = state.velocities + self.timestep_fs * state.accelerations
        positions = state.batch.positions + self.timestep_fs * state.velocities
        return moved(state, positions, potential).replace(velocities=velocities, step=state.step + 1)


class SemiImplicitEuler(VelocityVerlet):
    """Symplectic, but of first order and not reversible."""

    def step(self, state: State, potential: Callable) -> State:
        velocities = state.velocities + self.timestep_fs * state.accelerations
        positions = state.batch.positions + self.timestep_fs * velocities
        return moved(state, positions, potential).replace(velocities=velocities, step=state.step + 1)


class Careless(VelocityVerlet):
    """Moves the atoms of the state that it was given."""

    def step(self, state: State, potential: Callable) -> State:
        state.batch.positions.add_(1e-6)
        return super().step(state, potential)


class HotCentre(VelocityVerlet):
    """Counts all degrees of freedom as thermal."""

    def measured_temperature_k(self, state: State) -> torch.Tensor:
        return temperature_k(self.kinetic_energy_ev(state), all_degrees_of_freedom(state))


class Leaky(VelocityVerlet):
    """Pushes all atoms one way."""

    def step(self, state: State, potential: Callable) -> State:
        after = super().step(state, potential)
        return after.replace(velocities=after.velocities + 1e-9)


@dataclass(frozen=True)
class OBABO(LangevinBAOAB):
    """Bussi and Parrinello 2007: exact velocities, positions with a variance of k_B T / (k (1 - ω²h²/4))."""

    def step(self, state: State, potential: Callable) -> State:
        half = LangevinBAOAB(0.5 * self.timestep_fs, self.temperature_k, self.friction_per_fs)
        twice = state.replace(step=2 * state.step)
        thermal = half.thermalised(twice, state.velocities).velocities
        kicked = thermal + 0.5 * self.timestep_fs * state.accelerations
        after = moved(state, state.batch.positions + self.timestep_fs * kicked, potential)
        kicked = kicked + 0.5 * self.timestep_fs * after.accelerations
        velocities = half.thermalised(state.replace(step=2 * state.step + 1), kicked).velocities
        energy = kinetic_energy_of
        heat = energy(state, thermal) - energy(state, state.velocities) + energy(state, velocities)
        heat = heat - energy(state, kicked)
        return after.replace(velocities=velocities, heat_ev=state.heat_ev + heat, step=state.step + 1)

    def kinetic_energy_ev(self, state: State) -> torch.Tensor:
        return kinetic_energy_of(state, state.velocities)


class OneGenerator(LangevinBAOAB):
    """Draws its random numbers in turn."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "generator", torch.Generator().manual_seed(0))

    def thermalised(self, state: State, velocities: torch.Tensor) -> State:
        drawn = int(torch.randint(2**40, (1,), generator=self.generator))  # type: ignore[attr-defined]
        return super().thermalised(state.replace(step=drawn), velocities)


class SameNoise(LangevinBAOAB):
    """One seed, whatever the user's."""

    def thermalised(self, state: State, velocities: torch.Tensor) -> State:
        return super().thermalised(state.replace(streams=Streams(0, state.streams.replicas)), velocities)


class FullStep(LangevinBAOAB):
    """Takes the kinetic energy at the end of the step."""

    def kinetic_energy_ev(self, state: State) -> torch.Tensor:
        return kinetic_energy_of(state, state.velocities)


class FewerDegrees(LangevinBAOAB):
    def degrees_of_freedom(self, state: State) -> torch.Tensor:
        return internal_degrees_of_freedom(state)


class NoBook(LangevinBAOAB):
    def conserved_energy_ev(self, state: State) -> torch.Tensor:
        return super().conserved_energy_ev(state) + state.heat_ev


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (Euler, "there and back"),
        (SemiImplicitEuler, "there and back"),
        (Careless, "was changed"),
        (HotCentre, "temperature of two atoms"),
    ],
)
def test_a_broken_integrator_of_constant_energy_is_found(broken: type[VelocityVerlet], found: str) -> None:
    with pytest.raises(ContractViolation, match=found):
        check_integrator(broken)


def test_an_integrator_that_does_not_conserve_momentum_is_found() -> None:
    check_momentum(VelocityVerlet(1.0))
    with pytest.raises(ContractViolation, match="momentum"):
        check_momentum(Leaky(1.0))


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (OBABO, "<u²>"),
        (OneGenerator, "resumed after 10"),
        (SameNoise, "is the same with another seed"),
        (FullStep, "kinetic energy"),
        (FewerDegrees, "kinetic energy"),
        (NoBook, "conserved energy"),
    ],
)
def test_a_broken_thermostat_is_found(broken: type[LangevinBAOAB], found: str) -> None:
    with pytest.raises(ContractViolation, match=found):
        check_integrator(lambda h: broken(h, 300.0, 0.02), thermostat_k=300.0, exact_phase=1.0)


def test_a_second_order_scheme_passes_where_it_claims_no_more() -> None:
    check_integrator(lambda h: OBABO(h, 300.0, 0.02), thermostat_k=300.0, exact_phase=0.05)


def one_atom(position: float = 0.0, velocity: float = 0.0) -> tuple[HarmonicWells, State, VelocityVerlet]:
    batch = Batch.from_atoms(Atoms("C", positions=[[position, 0, 0]]))
    wells = HarmonicWells(SPRING, torch.zeros(1, 3, dtype=torch.float64))
    integrator = VelocityVerlet(0.7 / FREQUENCY)
    velocities = torch.tensor([[velocity, 0, 0]], dtype=torch.float64)
    masses = torch.tensor([MASS], dtype=torch.float64)
    state = integrator.init(batch, wells, velocities=velocities, masses=masses, streams=Streams.of(batch, 0))
    return wells, state, integrator


def test_a_harmonic_oscillator_by_verlet_has_its_closed_form() -> None:
    """x_n = A cos(n θ) with cos θ = 1 - ω²h²/2 when it starts at rest."""
    wells, state, integrator = one_atom(position=0.3)
    theta = np.arccos(1 - 0.7**2 / 2)
    for n in range(1, 50):
        state = integrator.step(state, wells)
        assert float(state.batch.positions[0, 0]) == pytest.approx(0.3 * cos(n * theta), abs=1e-12)


def test_baoab_without_friction_to_speak_of_is_velocity_verlet() -> None:
    wells, state, integrator = one_atom(position=0.3, velocity=0.01)
    thermostat = LangevinBAOAB(integrator.timestep_fs, temperature_k=300.0, friction_per_fs=1e-300)
    other = state
    for _ in range(20):
        state, other = integrator.step(state, wells), thermostat.step(other, wells)
    torch.testing.assert_close(other.batch.positions, state.batch.positions, rtol=0, atol=1e-13)


def test_a_free_atom_loses_its_velocity_at_the_rate_of_the_friction() -> None:
    """At 0 K: v_n = v_0 exp(-γ n h), x_∞ = v_0 (h/2) (1 + c) / (1 - c)."""
    batch = Batch.from_atoms(Atoms("C"))
    free = HarmonicWells(0.0, batch.positions)
    integrator = LangevinBAOAB(2.0, temperature_k=0.0, friction_per_fs=0.05)
    velocities = torch.tensor([[0.02, 0, 0]], dtype=torch.float64)
    masses = torch.tensor([MASS], dtype=torch.float64)
    state = integrator.init(batch, free, velocities=velocities, masses=masses, streams=Streams.of(batch, 0))
    for _ in range(400):
        state = integrator.step(state, free)
    decay = np.exp(-0.1)
    assert float(state.velocities[0, 0]) == pytest.approx(0.02 * np.exp(-0.05 * 800), rel=1e-12)
    assert float(state.batch.positions[0, 0]) == pytest.approx(0.02 * 1.0 * (1 + decay) / (1 - decay), rel=1e-12)


def test_kinetic_energy_and_temperature_are_those_of_ase() -> None:
    rng = np.random.default_rng(2)
    atoms = Atoms("SiOHAr", positions=rng.normal(size=(4, 3)) * 5)
    velocities = rng.normal(size=(4, 3)) * 0.01
    atoms.set_velocities(velocities / units.fs)
    batch, masses = Batch.from_atoms(atoms), torch.from_numpy(atoms.get_masses())
    kinetic = kinetic_energy_ev(batch, masses, torch.from_numpy(velocities))

    # ASE's units are CODATA 2014's, ours 2018's: they differ by up to 4e-7 (k_B)
    assert float(kinetic[0]) == pytest.approx(atoms.get_kinetic_energy(), rel=5e-8)
    assert float(temperature_k(kinetic, 3 * batch.counts)[0]) == pytest.approx(atoms.get_temperature(), rel=5e-7)


def test_the_unit_of_kinetic_energy_follows_from_the_constants_of_nature() -> None:
    """CODATA 2018: 1 amu = 1.66053906660e-27 kg, 1 eV = 1.602176634e-19 J, 1 Å/fs = 1e5 m/s."""
    assert pytest.approx(1.66053906660e-27 * 1e10 / 1.602176634e-19, rel=1e-9) == EV_PER_AMU_ANGSTROM_PER_FS_SQUARED


@settings(deadline=None, max_examples=25, derandomize=True)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=4), seed=st.integers(0, 2**64 - 1))
def test_drawn_velocities_are_those_of_each_replica_alone_and_at_rest_where_asked(counts: list[int], seed: int) -> None:
    batch = Batch.from_atoms([Atoms("Si" * n, positions=np.arange(3 * n).reshape(n, 3)) for n in counts])
    masses = torch.linspace(1, 50, batch.n_atoms, dtype=torch.float64)
    free = maxwell_boltzmann(batch, masses, Streams.of(batch, seed), temperature_k=500, at_rest=False)
    rest = maxwell_boltzmann(batch, masses, Streams.of(batch, seed), temperature_k=500, at_rest=True)

    assert float(drift_velocity(batch, masses, rest).abs().max()) < 1e-16
    for s in range(batch.n_systems):
        mine = batch.system == s
        alone = Batch.from_atoms(Atoms("Si" * counts[s]))
        drawn = maxwell_boltzmann(alone, masses[mine], Streams(seed, (s,)), temperature_k=500, at_rest=False)
        assert torch.equal(drawn, free[mine])
        if counts[s] == 1:
            assert torch.equal(rest[mine], free[mine])


def test_drawn_velocities_have_the_distribution_of_maxwell_and_boltzmann() -> None:
    """Component by component: mean 0, variance k_B T / m, kurtosis 3; by mass."""
    batch = Batch.from_atoms(Atoms("H" * 20000 + "Si" * 20000))
    masses = torch.tensor([1.008] * 20000 + [28.085] * 20000, dtype=torch.float64)
    drawn = maxwell_boltzmann(batch, masses, Streams.of(batch, 11), temperature_k=800, at_rest=False)
    for chosen in (slice(0, 20000), slice(20000, 40000)):
        v, n = drawn[chosen].flatten(), 60000
        variance = BOLTZMANN_EV_PER_K * 800 / (float(masses[chosen][0]) * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED)
        scaled = v / sqrt(variance)
        assert abs(float(scaled.mean())) < 4 / sqrt(n)
        assert abs(float(scaled.square().mean()) - 1) < 4 * sqrt(2 / n)
        assert abs(float(scaled.pow(4).mean()) - 3) < 4 * sqrt(96 / n)


def test_random_numbers_of_other_seeds_replicas_steps_and_purposes_are_others() -> None:
    batch = Batch.from_atoms(Atoms("Si2", positions=[[0, 0, 0], [2, 0, 0]]))
    cases: list[tuple[int, int, Literal["velocities", "thermostat"], int]] = [
        (0, 0, "thermostat", 0),
        (1, 0, "thermostat", 0),
        (0, 1, "thermostat", 0),
        (0, 0, "velocities", 0),
        (0, 0, "thermostat", 1),
        (0, 0, "thermostat", 2**40),
    ]
    drawn = [
        Streams(seed, (replica,)).normal(batch.start, purpose, step=step) for seed, replica, purpose, step in cases
    ]
    numbers = np.concatenate(drawn).flatten().tolist()
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ConfigurationError, match="2\\^64"):
        Streams(seed, (0,))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_parameters_that_make_no_sense_are_refused(value: float) -> None:
    makers: dict[str, Callable[[], object]] = {
        "timestep_fs": lambda: VelocityVerlet(value),
        "friction_per_fs": lambda: LangevinBAOAB(1.0, 300.0, value),
        "temperature_k": lambda: LangevinBAOAB(1.0, value or -1.0, 0.01),
    }
    for name, make in makers.items():
        with pytest.raises(ConfigurationError, match=name):
            make()


def test_the_temperature_of_a_single_atom_counts_its_three_degrees_of_freedom() -> None:
    _, state, integrator = one_atom(velocity=0.01)
    expected = 2 * 0.5 * MASS * 1e-4 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED / (3 * BOLTZMANN_EV_PER_K)
    assert float(integrator.measured_temperature_k(state)[0]) == pytest.approx(expected, rel=1e-12)


def test_the_forces_of_the_chains_are_the_gradient_of_their_energy() -> None:
    chains = AnharmonicChains()
    positions = chains.start(5) + 0.2 * torch.from_numpy(np.random.default_rng(1).normal(size=(5, 3)))
    positions.requires_grad_()
    batch = Batch.from_atoms([Atoms("C3"), Atoms("C2")]).replace(positions=positions)
    found = chains(batch, want=("energy", "forces"))
    (gradient,) = torch.autograd.grad(present(found.energy).sum(), positions)
    torch.testing.assert_close(found.forces, -gradient, rtol=1e-12, atol=1e-12)
