"""A run in which an oracle corrects the potential where it is not to be believed."""

import runpy
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from analytic_models import PairModel, argon_and_krypton, rare_gas_potential
from ase import Atoms, units
from ase.build import bulk
from ase.io import write
from torch import Tensor

from adiabat.errors import ConfigurationError
from adiabat.potential import Potential, Prediction
from adiabat.simulate import Follower, SimulationConfig, read_log, read_trajectory, simulate, simulate_batch
from adiabat.simulate.correction import Correction
from adiabat.system import Batch, Graph
from adiabat.typing import Quantity
from adiabat.uncertainty import FeatureStatistics
from adiabat.uncertainty.extrapolation import Extrapolation
from adiabat.uncertainty.mahalanobis import MahalanobisDetector
from adiabat.uncertainty.thresholds import Thresholds


class Placed(PairModel):
    """Whose feature of an atom is its height."""

    def features(self, graph: Graph) -> Tensor:
        return graph.batch.positions[:, 2:]


def wrong(*, everywhere: bool) -> Potential:
    """A quarter too weak; it knows that it was trained nowhere near, or believes that it was trained everywhere."""
    one = torch.ones(2, 1, dtype=torch.float64)
    statistics = FeatureStatistics((18, 36), count=one[:, 0], mean=0 * one, covariance=one[:, :, None])
    threshold = 1e-6 if everywhere else 1e6
    detector = Extrapolation((18, 36), MahalanobisDetector.of(statistics), Thresholds(0.05, (1, 4), (threshold,) * 2))
    pair = argon_and_krypton()
    weak = {number: 0.75 * value for number, value in pair.epsilon_ev.items()}
    return Potential([Placed(weak, pair.sigma, pair.cutoff)], attachments={"extrapolation": detector})


class Shifted:
    """The right potential, counted from elsewhere; counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, batch: Batch, /, *, want: Collection[Quantity]) -> Prediction:
        self.calls += 1
        found = rare_gas_potential()(batch, want=want)
        assert found.energy is not None
        return Prediction(energy=found.energy - 1e4, forces=found.forces)


def start() -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.rattle(0.1, seed=1)
    atoms.set_velocities(np.random.default_rng(0).normal(size=(4, 3)) * 0.002 / units.fs)
    return atoms


def run(folder: Path, potential: Potential, oracle: Any = None, *, resume: bool = False, **values: Any) -> None:
    every = {"trajectory_every": 10, "log_every": 10, "checkpoint_every": 7}
    known = {"ensemble": "nve", "steps": 100, "timestep_fs": 4.0, "output": every}
    config = SimulationConfig.parse(known | values)
    simulate(start(), potential, config, folder=folder, quiet=True, resume=resume, oracle=oracle)


def positions(folder: Path) -> np.ndarray:
    return np.array([frame.positions for frame in read_trajectory(folder / "trajectory.h5")])


def test_a_run_that_is_corrected_at_every_step_is_that_of_the_oracle(tmp_path: Path) -> None:
    oracle = Shifted()
    run(tmp_path / "right", rare_gas_potential())
    run(tmp_path / "wrong", wrong(everywhere=False))
    run(tmp_path / "mended", wrong(everywhere=True), oracle, on_uncertain="correct", uncertain_every=1)
    assert oracle.calls == 101
    right, mended = positions(tmp_path / "right"), positions(tmp_path / "mended")
    assert np.abs(positions(tmp_path / "wrong") - right).max() > 0.05
    # Each step's energy is evaluated before it is looked at: what is left is of second order in a step.
    assert np.abs(mended - right).max() < 0.01


def test_the_less_often_the_oracle_is_asked_the_further_is_the_trajectory_from_its_own(tmp_path: Path) -> None:
    run(tmp_path / "right", rare_gas_potential())
    errors = []
    for every in (2, 10, 50):
        oracle = Shifted()
        run(tmp_path / str(every), wrong(everywhere=True), oracle, on_uncertain="correct", uncertain_every=every)
        assert oracle.calls == 100 // every + 1
        errors.append(np.abs(positions(tmp_path / str(every)) - positions(tmp_path / "right")).max())
    assert errors[0] < errors[1] < errors[2]


def test_between_looks_energy_is_conserved_and_at_looks_it_does_not_jump(tmp_path: Path) -> None:
    run(tmp_path / "run", wrong(everywhere=True), Shifted(), on_uncertain="correct", uncertain_every=20)
    run(tmp_path / "free", wrong(everywhere=False))
    with_oracle, without = (read_log(tmp_path / name / "thermo.csv")["conserved_energy_ev"] for name in ("run", "free"))
    assert np.ptp(with_oracle) < 4 * np.ptp(without)


def test_where_there_is_no_alarm_nobody_is_asked(tmp_path: Path) -> None:
    oracle = Shifted()
    run(tmp_path / "run", wrong(everywhere=False), oracle, on_uncertain="correct", uncertain_every=1)
    run(tmp_path / "free", wrong(everywhere=False))
    assert oracle.calls == 0
    assert np.array_equal(positions(tmp_path / "run"), positions(tmp_path / "free"))


def test_a_corrected_run_resumes_to_the_bit(tmp_path: Path) -> None:
    asked = {"on_uncertain": "correct", "uncertain_every": 10}
    run(tmp_path / "whole", wrong(everywhere=True), Shifted(), **asked)
    for steps in (33, 68, 100):
        run(tmp_path / "parts", wrong(everywhere=True), Shifted(), steps=steps, resume=True, **asked)
    for name in ("thermo.csv", "last_frame.xyz", "uncertain.xyz"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_forces_of_a_correction_are_the_derivative_of_its_energy() -> None:
    batch, rng = Batch.from_atoms([start(), start()]), torch.Generator().manual_seed(3)
    forces = torch.randn(8, 3, generator=rng, dtype=torch.float64)
    follower = Follower(rare_gas_potential())
    follower.correction = Correction(torch.tensor([1.0, -2.0], dtype=torch.float64), forces, batch.positions)
    step = 1e-4 * torch.randn(8, 3, generator=rng, dtype=torch.float64)
    up, down = (
        follower(batch.replace(positions=batch.positions + sign * step), want=("energy",)).energy for sign in (1, -1)
    )
    found = follower(batch, want=("forces",)).forces
    assert up is not None
    assert down is not None
    assert found is not None
    torch.testing.assert_close(up - down, -2 * batch.sum_over_atoms((found * step).sum(-1)), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("reaction", "oracle"), [("correct", None), ("warn", Shifted()), (None, Shifted())])
def test_an_oracle_goes_with_being_asked(tmp_path: Path, reaction: str | None, oracle: Any) -> None:
    with pytest.raises(ConfigurationError, match="oracle"):
        run(tmp_path / "run", wrong(everywhere=True), oracle, on_uncertain=reaction)
    assert not (tmp_path / "run").exists()


def test_a_correction_has_no_stress_and_is_refused_at_constant_pressure() -> None:
    with pytest.raises(ConfigurationError, match="nve and nvt"):
        SimulationConfig.parse(
            {
                "ensemble": "npt",
                "steps": 1,
                "timestep_fs": 1.0,
                "temperature_k": 50,
                "pressure_gpa": 0,
                "on_uncertain": "correct",
            }
        )


def test_of_several_structures_those_with_an_alarm_are_asked_about(tmp_path: Path) -> None:
    """One is at the height of the training, the other far above it."""
    oracle, potential = Shifted(), wrong(everywhere=False)
    detector = potential.attachments["extrapolation"]
    assert isinstance(detector, Extrapolation)
    known = Extrapolation(detector.species, detector.detector, Thresholds(0.05, (1, 4), (10.0, 10.0)))
    risen = start()
    risen.positions[:, 2] += 20
    config = SimulationConfig.parse(
        {"ensemble": "nve", "steps": 5, "timestep_fs": 2.0, "on_uncertain": "correct", "uncertain_every": 1}
    )
    potential = Potential(potential.parts, attachments={"extrapolation": known})
    simulate_batch([start(), risen], potential, config, folder=tmp_path / "run", quiet=True, oracle=oracle)
    assert oracle.calls == 6


def test_the_example_of_a_corrected_run_is_nearer_the_oftener_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"cheap.adiabat": wrong(everywhere=True), "better.adiabat": rare_gas_potential()}
    write(tmp_path / "start.xyz", start())
    monkeypatch.setattr("adiabat.load", made.__getitem__)
    monkeypatch.setattr("sys.argv", ["corrected_run.py", *made, str(tmp_path / "start.xyz")])
    runpy.run_path(str(Path(__file__).parents[1] / "examples" / "corrected_run.py"))["main"]()

    errors = [float(line.split(":")[1].split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(errors) == 7
    assert errors[0] < errors[2] < errors[-1]
