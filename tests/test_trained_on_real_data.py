"""Potentials trained with the defaults on published data: how good, how sound, how stable. Takes minutes."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import adiabat
from adiabat.evaluation import Evaluation, evaluate
from adiabat.potential import Potential
from adiabat.simulate import SimulationConfig, SimulationSummary, read_trajectory, simulate
from adiabat.system import Labelled
from adiabat.testing import check_no_holes, check_potential
from adiabat.testing.data import reference_data

pytestmark = pytest.mark.slow

LATTICE_CONSTANT = 5.469
"""Å, PBE."""


TRAINING_DATA = {
    "Si": "mlearn/Si_train.xyz",
    "Mo": "mlearn/Mo_train.xyz",
    "acetylacetone": "botnet/acac_train_300K.xyz",
}


@cache
def training_data(name: str) -> list[Labelled]:
    return adiabat.read(reference_data(TRAINING_DATA[name]), quiet=True)


@cache
def trained(name: str) -> Potential:
    return adiabat.train(training_data(name), quiet=True)


@cache
def errors(element: str) -> Evaluation:
    return evaluate(
        trained(element), adiabat.read(reference_data(f"mlearn/{element}_test.xyz"), quiet=True), quiet=True
    )


def test_silicon_is_as_good_as_published_potentials() -> None:
    assert np.float64(errors("Si").energy_mae_mev_per_atom) <= 2.6
    assert np.float64(errors("Si").force_mae_ev_per_angstrom) <= 0.065


def test_forces_of_molybdenum_are_as_good_as_published_potentials() -> None:
    assert np.float64(errors("Mo").force_mae_ev_per_angstrom) <= 0.105


@pytest.mark.parametrize("name", TRAINING_DATA)
def test_a_trained_potential_keeps_the_contract(name: str) -> None:
    check_potential(trained(name))


@pytest.mark.parametrize("name", TRAINING_DATA)
def test_a_trained_potential_has_no_holes(name: str) -> None:
    check_no_holes(trained(name), training_data(name), packings=1000, quiet=True)


def silicon() -> Atoms:
    """216 atoms."""
    return bulk("Si", "diamond", a=LATTICE_CONSTANT, cubic=True) * (3, 3, 3)


def run(folder: Path, **changes: object) -> SimulationSummary:
    config = SimulationConfig.model_validate({"steps": 2000, "timestep_fs": 1.0, **changes})
    return simulate(silicon(), trained("Si"), config, folder=folder, quiet=True, place="silicon")


@pytest.mark.parametrize(("steps", "most"), [(2_000, 0.05), (20_000, 0.02)])
def test_the_energy_of_silicon_does_not_drift(tmp_path: Path, steps: int, most: float) -> None:
    # Half of the kinetic energy of a perfect crystal becomes potential: 600 K settle at 300 K.
    summary = run(tmp_path / "nve", ensemble="nve", temperature_k=600.0, steps=steps)
    assert summary.mean_temperature_k == pytest.approx(300, rel=0.15)
    assert summary.drift_mev_per_atom_per_ps is not None
    assert abs(summary.drift_mev_per_atom_per_ps) < most
    assert summary.drift_mev_per_atom_per_ps_std is not None
    assert summary.drift_mev_per_atom_per_ps_std < most


@pytest.mark.parametrize("steps", [2_000, 20_000])
def test_hot_silicon_stays_whole_at_the_temperature_that_was_set(tmp_path: Path, steps: int) -> None:
    summary = run(tmp_path / "nvt", ensemble="nvt", temperature_k=1500.0, steps=steps)
    assert summary.mean_temperature_k_std is not None
    assert abs(summary.mean_temperature_k - 1500) < 3 * summary.mean_temperature_k_std
    last = read_trajectory(tmp_path / "nvt/trajectory.h5")[-1]
    distances = last.get_all_distances(mic=True)
    np.fill_diagonal(distances, np.inf)
    assert distances.min() > 1.8
    assert distances.min(axis=1).max() < 3.0
