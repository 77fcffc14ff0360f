"""Transport coefficients against closed forms, and the heat flux against the flow of energy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from ase import Atoms
from made_potentials import made_potential
from made_trajectories import made, ornstein_uhlenbeck
from scipy.signal import lfilter

from adiabat.errors import ConfigurationError, DataError, PropertyUnavailable, UnknownSpecies
from adiabat.potential import Potential
from adiabat.properties.observables import Ensemble, Trajectory, ionic_conductivity, thermal_conductivity, viscosity
from adiabat.properties.observables.fluxes import Motion, charge_current, heat_flux, mass_currents, pressure_tensors
from adiabat.properties.observables.transport import traceless
from adiabat.properties.observables.zero_frequency import zero_frequency
from adiabat.simulate import Streams, VelocityVerlet
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


def exponential(times: float, count: int, components: int, *, seed: int) -> tuple[FloatArray, float]:
    """(T, L) of variance 1 and correlation exp(-k / times), and the sum of that over all k."""
    decay, rng = np.exp(-1 / times), np.random.default_rng(seed)
    noise = rng.normal(size=(count, components))
    noise[1:] *= np.sqrt(1 - decay**2)
    return np.asarray(lfilter([1.0], [1.0, -decay], noise, axis=0)), (1 + decay) / (1 - decay)


@pytest.mark.parametrize(("times", "count"), [(5.0, 2000), (5.0, 20000), (50.0, 20000)])
def test_the_spectral_density_of_exponential_correlations_has_honest_error_bars(times: float, count: int) -> None:
    scaled = []
    for seed in range(60):
        series, expected = exponential(times, count, 3, seed=seed)
        found = zero_frequency(series, 2.0)
        scaled.append(np.log(found.density / (2.0 * expected)) / found.relative_std)
        assert found.sure
    assert abs(np.mean(scaled)) < 0.6
    assert 0.6 < np.std(scaled) < 1.2
    assert np.mean(np.abs(scaled) > 3) <= 0.02


def test_a_resonance_at_high_frequency_does_not_reach_down_to_zero() -> None:
    """A vibration of ten steps, ten times as strong as a slow part."""
    rng, decay = np.random.default_rng(0), np.exp(-1 / 40)
    recursion = [1.0, -2 * decay * np.cos(0.2 * np.pi), decay**2]
    vibrating = np.asarray(lfilter([1.0], recursion, rng.normal(size=(20000, 3)), axis=0))
    slow, expected = exponential(20.0, 20000, 3, seed=1)
    found = zero_frequency(vibrating / vibrating.std() + np.sqrt(0.1) * slow, 1.0)
    gain = 1 / (1 - 2 * decay * np.cos(0.2 * np.pi) + decay**2)
    total = 0.1 * expected + (gain / vibrating.std()) ** 2
    assert found.density == pytest.approx(total, rel=3 * found.relative_std)
    assert found.relative_std < 0.15


def test_too_short_a_run_is_called_so() -> None:
    assert not zero_frequency(exponential(50.0, 1000, 3, seed=0)[0], 1.0).sure


def test_what_a_flux_has_in_common_with_mass_currents_is_taken_off() -> None:
    scaled = []
    for seed in range(40):
        own, expected = exponential(5.0, 4000, 3, seed=seed)
        current, _ = exponential(20.0, 4000, 3, seed=1000 + seed)
        found = zero_frequency(own + 3 * current, 1.0, others=current[None])
        scaled.append(np.log(found.density / expected) / found.relative_std)
    assert abs(np.mean(scaled)) < 0.7
    assert 0.5 < np.std(scaled) < 1.3


def test_frames_too_far_apart_for_the_motion_are_refused() -> None:
    beating = np.cos(np.pi * 0.95 * np.arange(2000.0))[:, None] * np.ones(3)
    with pytest.raises(PropertyUnavailable, match="uppermost tenth"):
        zero_frequency(beating, 1.0)


def test_too_few_frames_and_too_many_species_are_refused() -> None:
    with pytest.raises(DataError, match="100 frames"):
        zero_frequency(np.zeros((100, 3)), 1.0)
    with pytest.raises(PropertyUnavailable, match="fewer species"):
        zero_frequency(np.zeros((1000, 3)), 1.0, others=np.zeros((3, 1000, 3)))


def ions(*, paired: bool, seed: int = 0) -> Trajectory:
    """Of 20 cations and 20 anions; paired: half of the cations have an anion that moves as they do."""
    velocities, _ = ornstein_uhlenbeck(8000, 40, variance=1e-4, time_fs=10.0, seed=seed)
    if paired:
        velocities[:, 20:30] = velocities[:, :10]
    return made(np.zeros_like(velocities), velocities=velocities, numbers=[11] * 20 + [17] * 20)


def test_ions_that_know_nothing_of_each_other_have_a_haven_ratio_of_one() -> None:
    found = ionic_conductivity(ions(paired=False), {"Na": 1.0, "Cl": -1.0})
    assert found.haven_ratio == pytest.approx(1.0, abs=3 * found.haven_ratio_std)
    assert found.haven_ratio_std < 0.2
    kelvin = 40.0 * 1e-4 / (9.648533212331e-3 * BOLTZMANN_EV_PER_K) / (39 / 40)
    diffusion = 1e-4 * (0.5 + 1 / (np.exp(0.1) - 1)) * 39 / 40
    expected = 40 * diffusion / (8000 * BOLTZMANN_EV_PER_K * kelvin * 39 / 40) * 1.602176634e6
    assert found.nernst_einstein_s_per_m == pytest.approx(expected, rel=0.1)


def test_neutral_pairs_carry_no_current() -> None:
    found = ionic_conductivity(ions(paired=True), {"Na": 1.0, "Cl": -1.0})
    assert found.haven_ratio == pytest.approx(2.0, abs=3 * found.haven_ratio_std)


def test_charges_are_of_all_species_and_add_up_to_nothing() -> None:
    with pytest.raises(UnknownSpecies, match="no charge of Na"):
        ionic_conductivity(ions(paired=False), {"Cl": -1.0})
    with pytest.raises(ConfigurationError, match="add up to 20"):
        ionic_conductivity(ions(paired=False), {"Cl": -1.0, "Na": 2.0})


def test_the_components_of_an_isotropic_tensor_have_one_variance_and_know_nothing_of_each_other() -> None:
    """Of an isotropic Gaussian tensor: diagonal deviations have twice the variance of off-diagonal components."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(200000, 3, 3))
    symmetric = (raw + raw.transpose(0, 2, 1)) / np.sqrt(2)  # variance 1 off the diagonal, 2 on it
    covariance = np.cov(traceless(symmetric).T)
    assert covariance == pytest.approx(np.eye(5), abs=0.02)


def cluster() -> tuple[Potential, Atoms, FloatArray]:
    atoms = Atoms("SiO2Si", positions=[[0, 0, 0], [1.7, 0.2, 0], [0.1, 1.8, 0.3], [1.6, 1.7, 1.1]])
    return made_potential(), atoms, np.random.default_rng(0).normal(0, 0.01, (4, 3))


def test_the_heat_flux_is_the_rate_at_which_energy_moves() -> None:
    """d/dt Σ r_i ε_i of a cluster, by finite differences along its motion under an expansion of three-body and higher terms."""
    potential, atoms, velocities = cluster()
    velocities -= (atoms.get_masses() @ velocities) / atoms.get_masses().sum()
    masses = torch.from_numpy(atoms.get_masses())

    def energies(positions: FloatArray, speeds: FloatArray) -> FloatArray:
        found = potential(Atoms(atoms.numbers, positions=positions), want=("energies",)).energies
        assert found is not None
        return found.numpy() + 0.5 / 9.648533212331e-3 * atoms.get_masses() * (speeds**2).sum(1)

    first = energies(atoms.positions, velocities)
    mean = np.array([first[atoms.numbers == number].mean() for number in atoms.numbers])

    def moment(by_fs: float) -> FloatArray:
        integrator, batch, sign = VelocityVerlet(0.01), Batch.from_atoms(atoms), np.sign(by_fs)
        speeds, streams = torch.from_numpy(sign * velocities), Streams.of(batch, 0)
        state = integrator.init(batch, potential, velocities=speeds, masses=masses, streams=streams)
        for _ in range(round(abs(by_fs) / 0.01)):
            state = integrator.step(state, potential)
        positions = state.batch.positions.numpy()
        return (energies(positions, state.velocities.numpy()) - mean) @ positions

    frames = Trajectory.from_atoms([atoms, atoms], interval_fs=1.0, ensemble=Ensemble("nve"))
    motion = Motion(np.stack([velocities, velocities]), 300.0, 1.0)
    flux = heat_flux(frames, motion, potential, quiet=True)[0]
    numerical = (8 * (moment(0.1) - moment(-0.1)) - (moment(0.2) - moment(-0.2))) / (12 * 0.1)
    assert np.abs(numerical).max() > 1e-3
    assert flux == pytest.approx(numerical, abs=1e-5 * np.abs(numerical).max())


def test_the_pressure_is_that_of_the_moving_atoms_and_of_the_potential() -> None:
    potential, atoms, velocities = cluster()
    atoms.set_cell([9.0, 9.0, 9.0])
    atoms.pbc = True
    frames = Trajectory.from_atoms([atoms, atoms], interval_fs=1.0, ensemble=Ensemble("nve"))
    motion = Motion(np.stack([velocities, velocities]), 300.0, 729.0)
    stress = potential(atoms, want=("stress",)).stress
    assert stress is not None
    kinetic = np.einsum("n,na,nb->ab", atoms.get_masses(), velocities, velocities) / 9.648533212331e-3 / 729
    assert pressure_tensors(frames, motion, potential, quiet=True)[1] == pytest.approx(kinetic - stress[0].numpy())


def test_a_conductivity_and_a_viscosity_come_out_of_a_trajectory() -> None:
    potential, atoms, _ = cluster()
    atoms.set_cell([9.0, 9.0, 9.0])
    atoms.pbc = True
    velocities = 0.01 * exponential(5.0, 300, 12, seed=1)[0].reshape(300, 4, 3)
    frames = Trajectory(
        place="made",
        numbers=atoms.numbers.astype(np.int64),
        masses=atoms.get_masses(),
        pbc=np.array([True] * 3),
        times_fs=np.arange(300.0),
        positions=np.tile(atoms.positions, (300, 1, 1)),
        cells=np.tile(atoms.cell.array, (300, 1, 1)),
        ensemble=Ensemble("nve"),
        velocities=velocities,
    )
    currents = mass_currents(frames, Motion.of(frames, "a test"))
    assert currents is not None
    assert currents.shape == (1, 300, 3)
    for found in (viscosity(frames, potential, quiet=True), thermal_conductivity(frames, potential, quiet=True)):
        assert found.figures()[0].marks
        assert "±" in found.sentences()[0]
    langevin = replace(frames, ensemble=Ensemble("nvt", thermostat="langevin"))
    with pytest.raises(PropertyUnavailable, match="pushed each atom"):
        viscosity(langevin, potential)
    assert charge_current(frames, Motion.of(frames, "a test"), {"Si": 1.0, "O": -1.0}).shape == (300, 3)
