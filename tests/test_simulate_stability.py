"""The stiffest vibration against closed forms, what steps it allows, and what a user is told."""

from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from analytic_models import argon_and_krypton, rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import write
from hypothesis import given, settings
from hypothesis import strategies as st
from keating_model import keating_potential, keating_silicon

from adiabat.cli.app import EXIT_FINE, EXIT_MISTAKE, run
from adiabat.errors import ConfigurationError
from adiabat.potential.file import save_potential
from adiabat.simulate import LangevinBAOAB, State, Streams, VelocityVerlet
from adiabat.simulate.stability import analyse_stability, spectral_radius, stiffest_frequency
from adiabat.simulate.start import Start
from adiabat.system import Batch
from adiabat.testing.oscillators import HarmonicWells
from adiabat.units import ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU


def test_the_stiffest_vibration_of_silicon_is_the_optical_one_at_the_zone_centre() -> None:
    """Keating's model: m ω² = 8 (α + β) (P. N. Keating, Phys. Rev. 145, 637 (1966))."""
    model, atoms = keating_silicon(), bulk("Si", a=5.431, cubic=True)
    expected = sqrt(8 * (model.alpha + model.beta) * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / atoms.get_masses()[0])
    assert Start((atoms,), ("",)).stiffest_frequency(keating_potential()) == pytest.approx(expected, rel=2e-3)


def dimer(**changes: object) -> Atoms:
    """At the minimum of the pair energy, by a scan."""
    distances = np.linspace(3.6, 4.2, 6001)
    energies = [argon_and_krypton().pair_energy(distance, 18, 36) for distance in distances]
    return Atoms("ArKr", positions=[[0, 0, 0], [distances[np.argmin(energies)], 0, 0]], **changes)


def pair_curvature(distance: float, step: float = 1e-3) -> float:
    energies = [argon_and_krypton().pair_energy(distance + k * step, 18, 36) for k in (-1, 0, 1)]
    return (energies[0] - 2 * energies[1] + energies[2]) / step**2


def test_a_dimer_has_the_frequency_of_its_reduced_mass_and_with_an_atom_fixed_that_of_the_other_atom() -> None:
    atoms = dimer()
    curvature = pair_curvature(atoms.get_distance(0, 1)) * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU
    argon, krypton = atoms.get_masses()
    found = Start((atoms,), ("",)).stiffest_frequency(rare_gas_potential())
    assert found == pytest.approx(sqrt(curvature * (1 / argon + 1 / krypton)), rel=2e-3)
    held = Start((dimer(constraint=FixAtoms([0])),), ("",)).stiffest_frequency(rare_gas_potential())
    assert held == pytest.approx(sqrt(curvature / krypton), rel=2e-3)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(springs=st.lists(st.floats(0.01, 50), min_size=1, max_size=8), seed=st.integers(0, 100))
def test_the_stiffest_of_many_wells_is_found_whatever_the_masses(springs: list[float], seed: int) -> None:
    batch = Batch.from_atoms(Atoms("C" * len(springs)))
    masses = torch.from_numpy(np.random.default_rng(seed).uniform(1, 100, len(springs)))
    wells = HarmonicWells(torch.tensor(springs, dtype=torch.float64)[:, None], batch.positions)  # type: ignore[arg-type]
    squares = torch.tensor(springs) * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / masses
    found = stiffest_frequency(batch, lambda batch, want: forces_of(wells, batch), masses)
    assert found == pytest.approx(float(squares.max().sqrt()), rel=6e-3)


def forces_of(wells: HarmonicWells, batch: Batch):
    from adiabat.potential import Prediction

    return Prediction(forces=-wells.spring * (batch.positions - wells.centers))


@pytest.mark.parametrize("phase", [0.1, 0.7, 1.4, 1.99, 2.01, 3.0])
@pytest.mark.parametrize("friction_per_fs", [0.0, 0.01, 1.0])
def test_the_linearised_step_is_that_of_the_integrator(phase: float, friction_per_fs: float) -> None:
    """The noise-free map of one step is read off two states of an atom in a well; its spectral radius is the one that is said."""
    mass, spring = 12.0, 5.0
    frequency = sqrt(spring * ACCELERATION_PER_EV_PER_ANGSTROM_PER_AMU / mass)
    step_fs = phase / frequency
    integrator = LangevinBAOAB(step_fs, 0.0, friction_per_fs) if friction_per_fs else VelocityVerlet(step_fs)
    columns = []
    for position, velocity in ((1.0, 0.0), (0.0, frequency)):
        state = integrator.step(well_state(integrator, position, velocity, spring, mass), wells(spring))
        columns.append([float(state.batch.positions[0, 0]), float(state.velocities[0, 0]) / frequency])
    expected = np.abs(np.linalg.eigvals(np.array(columns).T)).max()
    decay = np.exp(-friction_per_fs * step_fs)
    assert spectral_radius(phase, decay) == pytest.approx(expected, rel=1e-9)
    assert (expected <= 1 + 1e-9) == (phase < 2)


def wells(spring: float) -> HarmonicWells:
    return HarmonicWells(spring, torch.zeros(1, 3, dtype=torch.float64))


def well_state(
    integrator: VelocityVerlet | LangevinBAOAB, position: float, velocity: float, spring: float, mass: float
) -> State:
    batch = Batch.from_atoms(Atoms("C", positions=[[position, 0, 0]]))
    return integrator.init(
        batch,
        wells(spring),
        velocities=torch.tensor([[velocity, 0, 0]], dtype=torch.float64),
        masses=torch.tensor([mass], dtype=torch.float64),
        streams=Streams.of(batch, 0),
    )


def test_the_errors_that_are_said_are_those_of_verlets_closed_form() -> None:
    """cos(Ω h) = 1 - ω²h²/2 for the frequency Ω of the trajectory."""
    found = analyse_stability(0.1, timestep_fs=7.0)
    assert found.frequency_error == pytest.approx(np.arccos(1 - 0.7**2 / 2) / 0.7 - 1, rel=1e-9)
    assert found.position_spread_error == pytest.approx(1 / (1 - 0.7**2 / 4) - 1)
    assert analyse_stability(0.1, timestep_fs=None).timestep_fs == 2.5
    assert analyse_stability(0.1, timestep_fs=None).period_fs == pytest.approx(20 * pi)
    assert analyse_stability(0.1, timestep_fs=21.0).position_spread_error is None


def test_steps_that_are_too_long_are_refused_and_long_ones_warned_of() -> None:
    analyse_stability(0.1, timestep_fs=14.0).require_sound()
    with pytest.raises(ConfigurationError, match="take 2.5 fs, or auto"):
        analyse_stability(0.1, timestep_fs=14.3).require_sound()
    assert analyse_stability(0.1, timestep_fs=5.0).warning is None
    assert "its frequency comes out 1% too high, its spread up to 7%" in str(
        analyse_stability(0.1, timestep_fs=5.1).warning
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    atoms = bulk("Si", a=5.431, cubic=True)
    save_potential(keating_potential(), tmp_path / "si.adiabat", canaries=[atoms])
    write("si.xyz", atoms)
    return tmp_path


def silicon(*options: str) -> int:
    return run(
        [
            "md",
            "si.adiabat",
            "si.xyz",
            "--ensemble",
            "nvt",
            "--temperature-k",
            "300",
            "--steps",
            "4",
            "--out",
            "run",
            *list(options),
        ]
    )


def test_a_time_step_is_chosen_and_kept_on_resuming(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert silicon("--timestep-fs", "auto") == EXIT_FINE
    assert "time step: 2.4 fs, the period of the stiffest vibration is 60.8 fs" in capsys.readouterr().err
    assert silicon("--timestep-fs", "auto", "--resume", "--steps", "8") == EXIT_FINE
    assert "8 steps, 0.0192 ps" in capsys.readouterr().out


def test_an_unsound_time_step_is_refused_before_anything_is_written(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert silicon("--timestep-fs", "14") == EXIT_MISTAKE
    assert "timestep_fs: is 14 fs, the period of the stiffest vibration" in capsys.readouterr().err
    assert not (place / "run").exists()
    assert silicon("--timestep-fs", "6") == EXIT_FINE
    assert "warning: the time step of 6 fs is long" in capsys.readouterr().err


def test_atoms_that_nothing_holds_allow_any_step_but_choose_none(place: Path) -> None:
    free = Start((Atoms("Ar"),), ("",))
    with pytest.raises(ConfigurationError, match="nothing holds the atoms"):
        free.stiffest_frequency(rare_gas_potential())
