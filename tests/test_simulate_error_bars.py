"""Estimated standard deviations along a run: in the log, in frames, and as a reason to act."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from narrowing import read_all
from training_structures import CONFIG, cells, isolated_silicon, labelled_cells, noisy

from adiabat.errors import ConfigurationError, PropertyUnavailable
from adiabat.potential import Potential
from adiabat.simulate import SimulationConfig, SimulationSummary, read_log, read_trajectory, simulate
from adiabat.training.train import fit


@cache
def calibrated() -> Potential:
    """Trained on enough structures for error bars."""
    return fit([*noisy(labelled_cells(12)), isolated_silicon()], CONFIG, quiet=True)


def start() -> Atoms:
    return cells(1, first_seed=50)[0]


def run(folder: Path, potential: Potential | None = None, *, resume: bool = False, **values: Any) -> SimulationSummary:
    every = {"trajectory_every": 5, "log_every": 5, "checkpoint_every": 7}
    known = {
        "ensemble": "nve",
        "steps": 20,
        "timestep_fs": 1.0,
        "temperature_k": 300.0,
        "output": every,
        "error_every": 10,
    }
    config = SimulationConfig.parse(known | values)
    return simulate(start(), potential or calibrated(), config, folder=folder, quiet=True, resume=resume)


def test_log_and_frames_hold_what_the_potential_says_of_the_same_positions(tmp_path: Path) -> None:
    run(tmp_path / "run")
    log, frames = read_log(tmp_path / "run/thermo.csv"), read_trajectory(tmp_path / "run/trajectory.h5")
    assert [frame.info["step"] for frame in frames] == [0, 5, 10, 15, 20]
    for row, frame in enumerate(frames):
        if frame.info["step"] % 10:
            assert np.isnan(log["energy_std_ev"][row])
            assert np.isnan(frame.info["energy_std"])
            assert np.isnan(frame.arrays["energies_std"]).all()
            continue
        found = calibrated()(frame, want=("energy_std_estimate", "energies_std_estimate"))
        assert found.energy_std_estimate is not None
        assert found.energies_std_estimate is not None
        assert log["energy_std_ev"][row] == pytest.approx(float(found.energy_std_estimate[0]), rel=1e-9)
        assert frame.info["energy_std"] == log["energy_std_ev"][row]
        np.testing.assert_allclose(frame.arrays["energies_std"], found.energies_std_estimate.numpy(), rtol=1e-9)
        assert log["largest_energy_std_ev"][row] == frame.arrays["energies_std"].max()
    assert np.isnan(log["extrapolation"]).all()


def test_an_atom_of_which_the_potential_is_not_sure_stops_the_run(tmp_path: Path) -> None:
    run(tmp_path / "free")
    largest = 1e3 * read_log(tmp_path / "free/thermo.csv")["largest_energy_std_ev"][0]
    # without grades of extrapolation, which this potential does not have
    summary = run(tmp_path / "stopped", error_above_mev=0.9 * largest, on_uncertain="stop")
    assert (summary.steps, summary.finished) == (0, False)
    [dumped] = read_all(tmp_path / "stopped/uncertain.xyz")
    assert "estimated standard deviation" in dumped.info["why"]
    assert run(tmp_path / "sure", error_above_mev=1e3 * largest, on_uncertain="stop").finished


def test_a_run_with_error_bars_resumes_to_the_bit(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    for steps in (12, 20):
        run(tmp_path / "parts", steps=steps, resume=True)
    for name in ("thermo.csv", "last_frame.xyz"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_a_potential_without_estimates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PropertyUnavailable, match="does not estimate how sure its energies are"):
        run(tmp_path / "run", rare_gas_potential())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("values", [{}, {"on_uncertain": "warn"}, {"error_every": 5}])
def test_a_limit_that_nobody_would_look_at_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="has no effect without on_uncertain and error_every"):
        SimulationConfig.parse(
            {"ensemble": "nve", "steps": 1, "timestep_fs": 1.0, "temperature_k": 1.0, "error_above_mev": 5.0} | values
        )
