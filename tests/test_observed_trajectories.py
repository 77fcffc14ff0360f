"""Trajectories as analyses read them: ensembles, times, wrapped positions, runs that were cut short."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms, units
from ase.build import bulk
from made_trajectories import made, random_walk

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.properties.observables import Ensemble, Trajectory
from adiabat.simulate import SimulationConfig, simulate


def frames(times: list[float]) -> list[Atoms]:
    return [Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 4.0 + at]], info={"time_fs": at}) for at in times]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"ensemble": "nve", "temperature_k": 300.0}, Ensemble("nve")),
        ({"ensemble": "nvt", "temperature_k": 300.0}, Ensemble("nvt", "langevin", 300.0)),
        ({"ensemble": "nvt", "temperature_k": "300:600"}, Ensemble("nvt", "langevin", None)),
        (
            {"ensemble": "nvt", "temperature_k": 300.0, "thermostat": "csvr", "thermostat_time_fs": 2000.0},
            Ensemble("nvt", "csvr", 300.0, coupling_fs=2000.0),
        ),
        (
            {"ensemble": "npt", "temperature_k": 300.0, "pressure_gpa": 0.5},
            Ensemble("npt", "csvr", 300.0, pressure_gpa=0.5, coupling_fs=100.0),
        ),
    ],
)
def test_an_ensemble_is_what_the_run_was_told(said: dict[str, object], expected: Ensemble, tmp_path: Path) -> None:
    config = SimulationConfig.parse({"timestep_fs": 1.0, "steps": 10} | said)
    (tmp_path / "run.json").write_text(json.dumps({"configuration": config.model_dump()}))
    assert Ensemble.of_run(tmp_path / "run.json") == expected


def test_a_replica_has_its_own_temperature(tmp_path: Path) -> None:
    values = {"ensemble": "nvt", "timestep_fs": 1.0, "steps": 10, "temperature_k": "300,600", "thermostat": "nhc"}
    text = json.dumps({"configuration": SimulationConfig.parse(values).model_dump()})
    for name, expected in (("replica-0", 300.0), ("replica-1", 600.0), ("elsewhere", None)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
        assert Ensemble.of_run(tmp_path / name / "run.json").temperature_k == expected


def test_of_several_replicas_one_is_to_be_named(tmp_path: Path) -> None:
    for name in ("replica-0", "replica-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trajectory.h5").touch()
    with pytest.raises(DataError, match="holds 2 trajectories: replica-0, replica-1"):
        Trajectory.read(tmp_path)


def test_a_broken_description_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(DataError, match="no description of a run"):
        Ensemble.of_run(tmp_path / "run.json")


def test_a_run_is_read_with_its_velocities_energies_and_log(tmp_path: Path) -> None:
    atoms = bulk("Ar", cubic=True, a=5.3)
    config = SimulationConfig.parse({"ensemble": "nve", "temperature_k": 20.0, "timestep_fs": 4.0, "steps": 20})
    simulate(atoms, rare_gas_potential(), config, folder=tmp_path / "run", quiet=True)
    found = Trajectory.read(tmp_path / "run")
    assert found.n_frames == 3
    assert found.interval_fs == 40.0
    assert found.velocities is not None
    kinetic = 0.5 * 39.95 / 9.648533212331e-3 * (found.velocities[0] ** 2).sum()
    assert kinetic == pytest.approx(found.logged("kinetic_energy_ev", "a test")[0], rel=1e-4)
    assert found.energies_ev == pytest.approx(found.logged("potential_energy_ev", "a test"))
    assert len(found.since(0.04).logged("temperature_k", "a test")) == 2
    assert found.frame(2).positions == pytest.approx(found.positions[2])
    assert found.frame(2).get_velocities() * units.fs == pytest.approx(found.velocities[2])


def test_the_last_frame_of_a_run_that_went_wrong_comes_early_and_is_left_out() -> None:
    assert Trajectory.from_atoms(frames([0.0, 10.0, 20.0, 23.0])).n_frames == 3
    assert Trajectory.from_atoms(frames([0.0, 10.0, 20.0, 30.0])).n_frames == 4


def test_frames_that_are_not_equally_spaced_are_refused() -> None:
    with pytest.raises(DataError, match="frames 1 and 2 are 5 fs apart"):
        Trajectory.from_atoms(frames([0.0, 10.0, 15.0, 25.0]))


def test_frames_without_a_time_or_of_other_atoms_are_refused() -> None:
    timeless = frames([0.0, 1.0])
    timeless[1].info.clear()
    with pytest.raises(DataError, match="frame 1 has no time"):
        Trajectory.from_atoms(timeless)
    with pytest.raises(DataError, match="frame 1 has other atoms"):
        Trajectory.from_atoms([Atoms("Ar"), Atoms("Kr")], interval_fs=1.0)
    with pytest.raises(DataError, match="holds no frame"):
        Trajectory.from_atoms([])
    with pytest.raises(DataError, match="holds 1 frames"):
        Trajectory.from_atoms([Atoms("Ar")], interval_fs=1.0)


def test_wrapped_positions_are_unwrapped() -> None:
    walk = random_walk(200, 5, diffusion=0.05)
    cell = np.array([[9.0, 0, 0], [2.0, 8.0, 0], [0, 1.0, 10.0]])
    wrapped = [Atoms("Ar5", positions=one, cell=cell, pbc=True) for one in walk.positions]
    for atoms in wrapped:
        atoms.wrap()
    found = Trajectory.from_atoms(wrapped, interval_fs=1.0, wrapped=True)
    assert found.positions - found.positions[0] == pytest.approx(walk.positions - walk.positions[0])
    with pytest.raises(DataError, match="three periodic directions"):
        Trajectory.from_atoms(frames([0.0, 1.0]), wrapped=True)


def test_a_cell_that_changes_is_refused_where_it_must_not() -> None:
    still = made(np.zeros((3, 2, 3)))
    assert still.require_constant_cell("a test").shape == (3, 3)
    breathing = replace(still, cells=still.cells * np.array([1.0, 1.1, 1.0])[:, None, None])
    with pytest.raises(PropertyUnavailable, match="the cell changes"):
        breathing.require_constant_cell("a test")
