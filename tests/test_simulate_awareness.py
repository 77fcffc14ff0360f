"""A run that leaves what its potential was trained on: it is said, dumped, stopped, slowed; and steps that follow the state."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from analytic_models import PairModel, argon_and_krypton, rare_gas_potential
from ase import Atoms, units
from ase.build import bulk
from narrowing import read_all
from torch import Tensor

from adiabat.errors import ConfigurationError, PropertyUnavailable, SimulationError
from adiabat.potential import Potential
from adiabat.simulate import SimulationConfig, SimulationSummary, read_log, read_trajectory, simulate
from adiabat.system import Graph
from adiabat.uncertainty import FeatureStatistics
from adiabat.uncertainty.extrapolation import Extrapolation
from adiabat.uncertainty.mahalanobis import MahalanobisDetector
from adiabat.uncertainty.thresholds import Thresholds

UP = 0.01
"""Å/fs: the crystal rises by 0.4 Å in ten steps."""
BOTTOM = 2.0


class Placed(PairModel):
    """Whose feature of an atom is its height."""

    def features(self, graph: Graph) -> Tensor:
        return graph.batch.positions[:, 2:]


def detecting(highest: float) -> Potential:
    """The training was between 0 and 6 Å high, of a standard deviation of 1 Å; left out, nothing was above `highest` (Å)."""
    one = torch.ones(2, 1, dtype=torch.float64)
    statistics = FeatureStatistics((18, 36), count=one[:, 0], mean=3 * one, covariance=one[:, :, None])
    detector = Extrapolation((18, 36), MahalanobisDetector.of(statistics), Thresholds(0.05, (1, 4), (highest - 3,) * 2))
    pair = argon_and_krypton()
    return Potential([Placed(pair.epsilon_ev, pair.sigma, pair.cutoff)], attachments={"extrapolation": detector})


def rising() -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.positions[:, 2] += BOTTOM
    atoms.set_velocities(np.tile([0, 0, UP / units.fs], (4, 1)))
    return atoms


def run(folder: Path, potential: Potential | None = None, *, resume: bool = False, **values: Any) -> SimulationSummary:
    every = {"trajectory_every": 5, "log_every": 5, "checkpoint_every": 7}
    known = {"ensemble": "nve", "steps": 100, "timestep_fs": 4.0, "output": every, "uncertain_every": 10}
    config = SimulationConfig.parse(known | values)
    return simulate(rising(), potential or detecting(7.0), config, folder=folder, quiet=True, resume=resume)


def height(step: int) -> float:
    return BOTTOM + 2.65 + UP * 4.0 * step


def test_what_is_far_from_the_training_is_logged_and_dumped(tmp_path: Path) -> None:
    """The upper atoms begin at 4.65 Å and rise by 0.4 Å from look to look; beyond 7 Å they are 4 Å from the training's mean."""
    assert run(tmp_path / "run", on_uncertain="warn").finished
    log, frames = read_log(tmp_path / "run/thermo.csv"), read_trajectory(tmp_path / "run/trajectory.h5")
    looked = log["step"] % 10 == 0
    expected = np.array([height(step) - 3 for step in log["step"]])
    np.testing.assert_allclose(log["extrapolation"][looked], expected[looked] / 4, rtol=1e-3)
    assert np.isnan(log["extrapolation"][~looked]).all()
    assert [np.isnan(frame.info["extrapolation"]) for frame in frames] == [
        frame.info["step"] % 10 != 0 for frame in frames
    ]
    dumped = read_all(tmp_path / "run/uncertain.xyz")
    assert [one.info["step"] for one in dumped] == [step for step in range(0, 101, 10) if height(step) > 7]
    assert "times as far from the training" in dumped[0].info["why"]


def test_a_run_stops_where_it_is_asked_to_and_says_that_it_did_not_finish(tmp_path: Path) -> None:
    summary = run(tmp_path / "run", on_uncertain="stop")
    assert not summary.finished
    assert summary.steps == next(step for step in range(0, 101, 10) if height(step) > 7)


def test_the_time_step_shrinks_to_an_eighth_and_no_further(tmp_path: Path) -> None:
    run(tmp_path / "run", on_uncertain="shrink", uncertain_above=0.7, steps=200)
    times = read_log(tmp_path / "run/thermo.csv")["time_fs"]
    steps = np.diff(times) / 5
    assert steps[0] == 4.0
    np.testing.assert_allclose(np.unique(steps.round(9)), [0.5, 1.0, 2.0, 4.0])
    assert (np.diff(steps) <= 1e-12).all()


def test_a_run_that_dumps_resumes_to_the_bit(tmp_path: Path) -> None:
    run(tmp_path / "whole", on_uncertain="shrink")
    for steps in (68, 93, 100):
        run(tmp_path / "parts", on_uncertain="shrink", steps=steps, resume=True)
    for name in ("uncertain.xyz", "thermo.csv", "last_frame.xyz"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_a_potential_that_cannot_tell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PropertyUnavailable, match="does not say where it was trained"):
        run(tmp_path / "run", rare_gas_potential(), on_uncertain="warn")
    assert not (tmp_path / "run").exists()


def colliding(speed: float) -> Atoms:
    """Å/fs."""
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [6, 0, 0]])
    atoms.set_velocities(np.array([[speed, 0, 0], [-speed, 0, 0]]) / units.fs)
    return atoms


def collision(folder: Path, **values: Any) -> dict[str, np.ndarray]:
    known = {"ensemble": "nve", "steps": 400, "timestep_fs": 8.0, "output": {"log_every": 1, "trajectory_every": 1}}
    config = SimulationConfig.parse(known | values)
    simulate(colliding(0.03), rare_gas_potential(), config, folder=folder, quiet=True)
    return read_log(folder / "thermo.csv")


def test_no_atom_goes_further_and_no_energy_errs_more_in_a_step_than_is_allowed(tmp_path: Path) -> None:
    """Two argon atoms meet with 40 eV: with steps of 8 fs they would jump by 0.24 Å each."""
    adaptive = {"largest_displacement_angstrom": 0.05, "energy_error_ev_per_atom": 1e-3}
    log = collision(tmp_path / "run", adaptive=adaptive)
    frames = np.stack([frame.positions for frame in read_trajectory(tmp_path / "run/trajectory.h5")])
    assert np.linalg.norm(np.diff(frames, axis=0), axis=2).max() <= 0.05 * (1 + 1e-9)
    assert np.abs(np.diff(log["conserved_energy_ev"])).max() / 2 <= 1e-3
    distance = np.linalg.norm(frames[:, 1] - frames[:, 0], axis=1)
    assert distance.min() < 2.6  # they met
    assert distance[-1] > 6.0  # and parted
    assert abs(log["conserved_energy_ev"][-1] - log["conserved_energy_ev"][0]) < 0.01


def test_a_step_that_nothing_shortens_is_the_steady_one_to_the_bit(tmp_path: Path) -> None:
    loose = {"largest_displacement_angstrom": 0.49, "energy_error_ev_per_atom": 10.0}
    values: dict[str, Any] = {"steps": 20, "timestep_fs": 1.0}
    steady, adaptive = collision(tmp_path / "one", **values), collision(tmp_path / "two", adaptive=loose, **values)
    for name, column in steady.items():
        np.testing.assert_array_equal(column, adaptive[name])


def test_where_no_step_is_short_enough_the_run_stops(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="the time step would have to be"):
        collision(tmp_path / "run", adaptive={"largest_displacement_angstrom": 1e-5})


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_limits_of_a_step_are_positive(value: float) -> None:
    with pytest.raises(ConfigurationError, match="largest_displacement_angstrom"):
        SimulationConfig.parse(
            {"ensemble": "nve", "steps": 1, "timestep_fs": 1.0, "adaptive": {"largest_displacement_angstrom": value}}
        )
