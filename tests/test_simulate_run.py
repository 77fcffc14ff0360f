"""The run loop: what it writes, that it resumes to the bit, and when it refuses to go on."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from analytic_models import PairModel, argon_and_krypton, rare_gas_potential
from ase import Atoms, units
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import write
from narrowing import present, read_one

from adiabat.errors import (
    AdiabatError,
    CheckpointError,
    ConfigurationError,
    DataError,
    OutputError,
    SimulationError,
    StructureError,
    UnknownSpecies,
)
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.simulate import (
    Follower,
    LangevinBAOAB,
    SimulationConfig,
    SimulationSummary,
    VelocityVerlet,
    read_log,
    read_start,
    read_trajectory,
    simulate,
)
from adiabat.simulate.checkpoint import Checkpoint
from adiabat.simulate.observe import COLUMNS
from adiabat.system import Batch

EVERY = {"trajectory_every": 3, "log_every": 2, "checkpoint_every": 10, "forces": True}


def argon() -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.numbers[1] = 36
    return atoms


def config(ensemble: str = "nvt", **changes: Any) -> SimulationConfig:
    values = {"ensemble": ensemble, "steps": 40, "timestep_fs": 4.0, "temperature_k": 60.0, "output": EVERY}
    return SimulationConfig.parse(values | changes)


def run(
    folder: Path,
    atoms: Atoms | None = None,
    *,
    potential: Potential | None = None,
    resume: bool = False,
    **changes: Any,
) -> SimulationSummary:
    return simulate(
        argon() if atoms is None else atoms,
        potential or rare_gas_potential(),
        config(**changes),
        folder=folder,
        resume=resume,
        quiet=True,
        place="start.xyz",
    )


def require_same_run(one: Path, other: Path) -> None:
    assert (one / "thermo.csv").read_bytes() == (other / "thermo.csv").read_bytes()
    assert (one / "last_frame.xyz").read_bytes() == (other / "last_frame.xyz").read_bytes()
    frames, others = read_trajectory(one / "trajectory.h5"), read_trajectory(other / "trajectory.h5")
    assert [frame.info["step"] for frame in frames] == [frame.info["step"] for frame in others]
    for frame, twin in zip(frames, others, strict=True):
        for name in ("positions", "momenta", "numbers"):
            assert np.array_equal(frame.arrays[name], twin.arrays[name])
        assert np.array_equal(frame.get_forces(), twin.get_forces())
        assert frame.get_potential_energy() == twin.get_potential_energy()


class Killed(BaseException):
    """What no handler of the engine may catch, as a kill."""


def killed_at(step: int, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    def dying(integrator: type) -> Callable:
        sound = integrator.step

        def call(self, state, potential):
            if state.step == step:
                raise Killed
            return sound(self, state, potential)

        return call

    with monkeypatch.context() as patch:
        for integrator in (VelocityVerlet, LangevinBAOAB):
            patch.setattr(integrator, "step", dying(integrator))
        with pytest.raises(Killed):
            run(folder, **changes)


def test_a_run_writes_what_it_says(tmp_path: Path) -> None:
    summary = run(tmp_path / "run")
    log, frames = read_log(tmp_path / "run/thermo.csv"), read_trajectory(tmp_path / "run/trajectory.h5")

    assert summary.finished
    assert tuple(log) == COLUMNS
    np.testing.assert_array_equal(log["step"], np.arange(0, 41, 2))
    np.testing.assert_array_equal(log["time_fs"], 4.0 * log["step"])
    assert [frame.info["step"] for frame in frames] == list(range(0, 40, 3))
    last = read_one(tmp_path / "run/last_frame.xyz")
    assert last.info["step"] == 40
    assert last.has("momenta")
    described = json.loads((tmp_path / "run/run.json").read_text())
    assert described["configuration"]["timestep_fs"] == 4.0
    assert json.loads((tmp_path / "run/summary.json").read_text())["steps"] == 40


def test_frames_and_log_say_the_same_as_the_potential_and_ase(tmp_path: Path) -> None:
    run(tmp_path / "run", ensemble="nve", steps=12)
    log, potential = read_log(tmp_path / "run/thermo.csv"), rare_gas_potential()
    for frame in read_trajectory(tmp_path / "run/trajectory.h5"):
        found = potential(frame, want=("energy", "forces", "stress"))
        np.testing.assert_allclose(frame.get_forces(), present(found.forces).numpy(), atol=1e-13)
        assert frame.get_potential_energy() == pytest.approx(float(present(found.energy)[0]), rel=1e-13)
        row = np.flatnonzero(log["step"] == frame.info["step"])
        if len(row) == 0:
            continue
        kinetic, stress = frame.get_kinetic_energy(), present(found.stress)[0].numpy()
        assert log["kinetic_energy_ev"][row[0]] == pytest.approx(kinetic, rel=1e-7)
        assert log["temperature_k"][row[0]] == pytest.approx(
            kinetic / (1.5 * units.kB * 3), rel=1e-6
        )  # 4 atoms: 9 of 12
        pressure = (2 / 3 * kinetic / frame.get_volume() - np.trace(stress) / 3) / units.GPa
        assert log["pressure_gpa"][row[0]] == pytest.approx(pressure, rel=1e-6)
        total = log["potential_energy_ev"][row[0]] + log["kinetic_energy_ev"][row[0]]
        assert log["total_energy_ev"][row[0]] == total == log["conserved_energy_ev"][row[0]]


def test_without_a_cell_there_is_no_pressure(tmp_path: Path) -> None:
    atoms = Atoms("Ar3", positions=[[0, 0, 0], [3.9, 0, 0], [0, 3.9, 0]])
    run(tmp_path / "run", atoms, temperature_k=20.0)
    assert np.isnan(read_log(tmp_path / "run/thermo.csv")["pressure_gpa"]).all()
    assert (tmp_path / "run/thermo.csv").read_text().splitlines()[1].endswith(",")


def test_a_single_atom_without_a_cell_flies_on(tmp_path: Path) -> None:
    run(tmp_path / "run", Atoms("Ar"), ensemble="nve")
    first, *_, last = read_trajectory(tmp_path / "run/trajectory.h5")
    distance = first.get_velocities() * units.fs * 4.0 * last.info["step"]
    np.testing.assert_allclose(last.positions - first.positions, distance, rtol=1e-12)
    assert np.abs(distance).max() > 0


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
@pytest.mark.parametrize("step", [0, 7, 10, 23, 39])
def test_a_killed_run_resumes_to_the_bit(
    ensemble: str, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "whole", ensemble=ensemble, temperature_k=200.0)
    killed_at(step, tmp_path / "killed", monkeypatch, ensemble=ensemble, temperature_k=200.0)

    summary = run(tmp_path / "killed", ensemble=ensemble, temperature_k=200.0, resume=True)

    assert summary.finished
    require_same_run(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.parametrize(("seconds", "steps_saved"), [(1e9, [0, 6]), (0.0, [0, 1, 2, 3, 4, 5, 6, 6])])
def test_without_a_number_of_steps_checkpoints_are_written_by_the_clock(
    seconds: float, steps_saved: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    monkeypatch.setattr("adiabat.simulate.run.SECONDS_BETWEEN_CHECKPOINTS", seconds)
    monkeypatch.setattr(Checkpoint, "save", lambda checkpoint, file: saved.append(checkpoint.state.step))

    run(tmp_path / "run", steps=6, output={})

    assert saved == steps_saved


def test_a_run_killed_again_and_again_resumes_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "whole")
    killed_at(5, tmp_path / "killed", monkeypatch)
    for step in (12, 14, 29):
        killed_at(step, tmp_path / "killed", monkeypatch, resume=True)
    assert run(tmp_path / "killed", resume=True).finished
    require_same_run(tmp_path / "whole", tmp_path / "killed")


def test_the_neighbour_list_of_a_resumed_run_is_the_one_that_was_in_force(tmp_path: Path) -> None:
    """At 500 K atoms leave the skin within the run, so that the list at the checkpoint is not that of its positions."""
    hot: dict[str, Any] = {"temperature_k": 500.0, "ensemble": "nve"}
    run(tmp_path / "whole", steps=150, **hot)
    run(tmp_path / "two", steps=75, **hot)
    checkpoint = Checkpoint.load(tmp_path / "two/checkpoint.safetensors")
    moved = (checkpoint.state.batch.positions - checkpoint.reference.positions).abs().max()
    start = (checkpoint.reference.positions - Batch.from_atoms(argon()).positions).abs().max()
    assert moved > 0.05
    assert start > 0.3
    run(tmp_path / "two", steps=150, resume=True, **hot)
    require_same_run(tmp_path / "whole", tmp_path / "two")


def test_a_resumed_run_may_be_longer_and_a_finished_one_is_left_as_it_is(tmp_path: Path) -> None:
    run(tmp_path / "whole", steps=55)
    run(tmp_path / "longer", steps=33)
    run(tmp_path / "longer", steps=55, resume=True)
    require_same_run(tmp_path / "whole", tmp_path / "longer")
    assert run(tmp_path / "longer", steps=55, resume=True).us_per_atom_per_step is None
    require_same_run(tmp_path / "whole", tmp_path / "longer")


def test_resuming_where_nothing_began_begins(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    assert run(tmp_path / "resumed", resume=True).finished
    require_same_run(tmp_path / "whole", tmp_path / "resumed")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ensemble": "nve"}, "ensemble was nvt, is now nve"),
        ({"timestep_fs": 2.0}, "timestep_fs was 4.0, is now 2.0"),
        ({"temperature_k": 61.0}, "temperature_k was 60.0, is now 61.0"),
        ({"friction_per_fs": 0.02}, "friction_per_fs was 0.01, is now 0.02"),
        ({"seed": 4}, "seed was 0, is now 4"),
        ({"potential": Potential([PairModel({18: 0.01, 36: 0.02}, {18: 3.4, 36: 3.6}, 7.0)])}, "potential was"),
        ({"atoms": argon() * (2, 1, 1)}, "start structure was"),
        ({"output": EVERY | {"log_every": 5}}, "output.log_every was 2, is now 5"),
    ],
)
def test_another_runs_checkpoint_is_refused_and_left_alone(changes: dict, named: str, tmp_path: Path) -> None:
    run(tmp_path / "run")
    before = {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()}
    with pytest.raises(CheckpointError, match=named):
        run(tmp_path / "run", **changes, resume=True)
    assert before == {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()}


def test_resuming_for_fewer_steps_than_are_done_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "run")
    with pytest.raises(ConfigurationError, match="40 are done already"):
        run(tmp_path / "run", steps=30, resume=True)


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    run(tmp_path / "run")
    with pytest.raises(OutputError, match="--resume"):
        run(tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        run(tmp_path / "file")


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda run: (run / "checkpoint.safetensors").write_bytes(b"nothing of the kind"), "damaged"),
        (lambda run: (run / "checkpoint.safetensors").write_bytes(b""), "damaged"),
        (lambda run: (run / "checkpoint.safetensors").unlink(), "the trajectory holds 14 frames"),
        (lambda run: (run / "trajectory.h5").unlink(), "is no trajectory"),
        (lambda run: (run / "trajectory.h5").write_bytes(b"x" * 5000), "is no trajectory"),
        (lambda run: (run / "thermo.csv").unlink(), "has 0 bytes"),
        (lambda run: (run / "thermo.csv").write_text("step\n"), "has 5 bytes"),
    ],
)
def test_a_run_with_a_damaged_or_missing_file_is_not_resumed(
    damage: Callable[[Path], object], named: str, tmp_path: Path
) -> None:
    run(tmp_path / "run")
    damage(tmp_path / "run")
    with pytest.raises(CheckpointError, match=named):
        run(tmp_path / "run", resume=True, steps=60)


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "run")
    import fcntl

    with (tmp_path / "run/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="in use by another process"):
            run(tmp_path / "run", resume=True, steps=60)
    assert run(tmp_path / "run", resume=True, steps=60).finished


@pytest.mark.parametrize(
    ("ensemble", "changes", "rule"),
    [
        ("nve", {"timestep_fs": 150.0, "temperature_k": 300.0}, "moved by"),
        ("nvt", {"timestep_fs": 150.0, "temperature_k": 300.0}, "moved by"),
    ],
)
def test_a_time_step_that_blows_up_is_stopped_with_the_last_good_frame_saved(
    ensemble: str, changes: dict, rule: str, tmp_path: Path
) -> None:
    with pytest.raises(SimulationError, match=rule) as caught:
        run(tmp_path / "run", argon() * (2, 1, 1), ensemble=ensemble, **changes)

    assert "a shorter time step" in str(caught.value)
    last, frames = read_one(tmp_path / "run/last_frame.xyz"), read_trajectory(tmp_path / "run/trajectory.h5")
    assert f"step {last.info['step'] + 1}" in str(caught.value)
    assert frames[-1].info["step"] == last.info["step"]
    np.testing.assert_allclose(frames[-1].positions, last.positions, atol=1e-7)
    for frame in frames:
        assert np.isfinite(frame.positions).all()
        assert np.isfinite(frame.get_forces()).all()


class Faulty(PairModel):
    """Right until the first atom has moved by 0.02 Å."""

    fault = "energy"

    def atomic_energies(self, graph):
        energies = super().atomic_energies(graph)
        if float(graph.batch.positions[0].detach().norm()) < 0.02:
            return energies
        if self.fault == "energy":
            return energies * torch.nan
        distance = (graph.batch.positions - graph.batch.positions[0].detach()).norm(dim=-1)  # no derivative at zero
        return energies + (torch.sqrt(distance - distance.detach()) if self.fault == "force" else 0.05 * torch.randn(1))


@pytest.mark.parametrize(("fault", "said"), [("energy", "has the force|the energy is"), ("force", "has the force")])
def test_values_that_are_not_finite_stop_the_run(fault: str, said: str, tmp_path: Path) -> None:
    sound = argon_and_krypton()
    model = Faulty(sound.epsilon_ev, sound.sigma, sound.cutoff)
    object.__setattr__(model, "fault", fault)
    with pytest.raises(SimulationError, match=said):
        run(tmp_path / "run", potential=Potential([model]))
    assert read_one(tmp_path / "run/last_frame.xyz").info["step"] < 40


def test_a_start_without_a_finite_energy_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    sound, atoms = argon_and_krypton(), argon()
    atoms.positions += 0.1
    with pytest.raises(SimulationError, match=r"start\.xyz: atom 0 .* has the force"):
        run(tmp_path / "run", atoms, potential=Potential([Faulty(sound.epsilon_ev, sound.sigma, sound.cutoff)]))
    assert not (tmp_path / "run").exists()


def test_an_energy_that_is_not_conserved_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = VelocityVerlet.step
    heated = lambda self, state, potential: (  # noqa: E731
        (after := sound(self, state, potential)).replace(velocities=1.15 * after.velocities)
    )
    monkeypatch.setattr(VelocityVerlet, "step", heated)
    with pytest.raises(SimulationError, match="the total energy has changed by"):
        run(tmp_path / "run", ensemble="nve", timestep_fs=1.0, steps=200)


def test_a_thermostat_that_is_overrun_stops_the_run(tmp_path: Path) -> None:
    atoms = argon()
    atoms.set_velocities(np.random.default_rng(0).normal(0, 0.03, (4, 3)) / units.fs)
    with pytest.raises(SimulationError, match="the thermostat's 60 K"):
        run(tmp_path / "run", atoms, timestep_fs=0.5)


def test_an_atom_that_leaves_all_others_stops_the_run_where_it_has_no_energy(tmp_path: Path) -> None:
    fitted = IsolatedAtoms({18: -1.0, 36: -2.0}, source="fitted", cutoff=7.0)
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [6.9, 0, 0]])
    atoms.set_velocities([[0, 0, 0], [0.02 / units.fs, 0, 0]])
    with pytest.raises(SimulationError, match="has no neighbour") as caught:
        run(
            tmp_path / "run",
            atoms,
            ensemble="nve",
            temperature_k=None,
            potential=rare_gas_potential() + Potential([fitted]),
        )
    assert "isolated_atoms_ev" in str(caught.value)
    assert "last_frame.xyz" in str(caught.value)


@pytest.mark.parametrize(
    ("atoms", "error", "said"),
    [
        (Atoms("SiAr", positions=[[0, 0, 0], [3, 0, 0]]), UnknownSpecies, "Si"),
        (Atoms("Ar2", positions=[[0, 0, 0], [0.2, 0, 0]]), StructureError, "0.200 Å apart"),
        (Atoms("Ar", cell=[0.25, 9, 9], pbc=True), StructureError, "0.250 Å apart"),
        (Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 0]]), StructureError, "0.000 Å apart"),
        (Atoms("Ar", cell=[5, 5, 0], pbc=True), StructureError, "linearly independent"),
        (Atoms("Ar", positions=[[0, np.nan, 0]]), StructureError, "finite"),
        (Atoms("Ar", masses=[0.0]), StructureError, "mass"),
        (Atoms("Ar", masses=[np.inf]), StructureError, "mass"),
        (Atoms("Ar", momenta=[[np.nan, 0, 0]]), StructureError, "momentum"),
        (Atoms("Ar", constraint=FixAtoms([0])), StructureError, "FixAtoms"),
        (Atoms(), StructureError, "holds no atom"),
    ],
)
def test_a_start_that_cannot_be_simulated_is_refused_by_name_and_nothing_is_written(
    atoms: Atoms, error: type[AdiabatError], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said) as caught:
        run(tmp_path / "run", atoms)
    assert str(caught.value).startswith("start.xyz")
    assert not (tmp_path / "run").exists()


def test_velocities_come_from_the_start_structure_or_are_drawn(tmp_path: Path) -> None:
    resting, moving = argon(), argon()
    moving.set_velocities(np.full((4, 3), 1e-3) * [[1], [-1], [1], [-1]] / units.fs)
    cases = {
        "drawn": (resting, {"ensemble": "nve"}, "drawn at 60 K"),
        "kept": (moving, {"ensemble": "nve", "temperature_k": None}, "are those of the start structure"),
        "redrawn": (moving, {"ensemble": "nve"}, "are not used"),
        "thermostat": (moving, {"ensemble": "nvt"}, "are those of the start structure"),
    }
    for name, (atoms, changes, said) in cases.items():
        run(tmp_path / name, atoms, **changes)
        first = read_trajectory(tmp_path / name / "trajectory.h5")[0]
        assert said in json.loads((tmp_path / name / "run.json").read_text())["velocities"]
        kept = np.allclose(first.get_velocities(), moving.get_velocities(), rtol=1e-12)
        assert kept == (name in ("kept", "thermostat"))


def test_a_drift_of_the_whole_neither_heats_nor_presses_in_nve(tmp_path: Path) -> None:
    resting, drifting = argon(), argon()
    velocities = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]) * 1e-3
    for atoms, drift in ((resting, 0.0), (drifting, 0.01)):
        atoms.arrays["masses"] = np.full(4, 40.0)
        atoms.set_velocities((velocities + drift) / units.fs)
        run(tmp_path / f"{drift}", atoms, ensemble="nve", temperature_k=None)
    one, other = (read_log(tmp_path / name / "thermo.csv") for name in ("0.0", "0.01"))
    for name in ("temperature_k", "pressure_gpa", "potential_energy_ev"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-7, atol=1e-9)
    assert other["kinetic_energy_ev"][0] > 10 * one["kinetic_energy_ev"][0]


def test_options_without_effect_are_refused(tmp_path: Path) -> None:
    moving = argon()
    moving.set_velocities(np.full((4, 3), 1e-3))
    with pytest.raises(ConfigurationError, match="no temperature"):
        run(tmp_path / "run", ensemble="nve", temperature_k=None)
    with pytest.raises(ConfigurationError, match=r"seed.*has no effect"):
        run(tmp_path / "run", moving, ensemble="nve", temperature_k=None, seed=3)
    with pytest.raises(ConfigurationError, match=r"(?s)friction_per_fs.*no effect in nve"):
        config("nve", friction_per_fs=0.1)
    with pytest.raises(ConfigurationError, match=r"(?s)temperature_k.*nvt needs"):
        config("nvt", temperature_k=None)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ensemble": "nph"},
        {"steps": 0},
        {"timestep_fs": 0.0},
        {"timestep_fs": float("inf")},
        {"temperature_k": -1.0},
        {"friction_per_fs": 0.0},
        {"seed": -1},
        {"stepps": 3},
        {"output": {"log_every": 0}},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigurationError):
        config(**wrong)


def test_masses_of_the_start_structure_are_used_and_kept(tmp_path: Path) -> None:
    heavy = argon()
    heavy.arrays["masses"] = np.array([400.0, 500.0, 400.0, 400.0])
    run(tmp_path / "run", heavy, ensemble="nve")
    frames = read_trajectory(tmp_path / "run/trajectory.h5")
    np.testing.assert_array_equal(frames[-1].get_masses(), heavy.get_masses())
    speed = np.abs(frames[0].get_velocities() * np.sqrt(heavy.get_masses())[:, None])
    assert 0.2 < speed.mean() / np.sqrt(units.kB * 60) < 2


def test_an_ase_run_from_the_same_start_gives_the_same_trajectory(tmp_path: Path) -> None:
    from ase.md.verlet import VelocityVerlet as TheirVerlet

    from adiabat.potential.ase import AdiabatCalculator

    run(tmp_path / "run", ensemble="nve", steps=30)
    frames = read_trajectory(tmp_path / "run/trajectory.h5")
    theirs = frames[0].copy()
    theirs.calc = AdiabatCalculator(rare_gas_potential())
    TheirVerlet(theirs, 4.0 * units.fs).run(30)
    np.testing.assert_allclose(frames[-1].positions, theirs.positions, atol=2e-7)  # units of CODATA 2014 there


def test_the_full_disk_is_named_and_the_run_resumes_when_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atoms = argon() * (3, 3, 3)
    heavy = {"output": EVERY | {"trajectory_every": 1}, "steps": 30}
    run(tmp_path / "whole", atoms, **heavy)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises(OutputError, match="cannot be written"):
            run(tmp_path / "run", atoms, **heavy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    run(tmp_path / "run", atoms, **heavy, resume=True)
    require_same_run(tmp_path / "whole", tmp_path / "run")


PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_simulate_run import long_run
sys.exit(0 if long_run(Path({folder!r}), resume=True).finished else 1)
"""


def long_run(folder: Path, *, resume: bool = False) -> SimulationSummary:
    return run(folder, steps=900, output=EVERY | {"checkpoint_every": 50}, resume=resume)


def test_kill_9_and_sigterm_and_then_resume_give_the_undisturbed_run(tmp_path: Path) -> None:
    killed, checkpoint = tmp_path / "killed", tmp_path / "killed/checkpoint.safetensors"
    program = PROGRAM.format(tests=str(Path(__file__).parent), folder=str(killed))
    for stop, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 1)):
        process = subprocess.Popen([sys.executable, "-c", program])
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        writes = 0
        while writes < 3 and process.poll() is None:  # three checkpoints further, somewhere between two
            time.sleep(1e-3)
            now = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            writes, before = writes + (now != before), now
        assert process.poll() is None, "it finished before it could be killed"
        process.send_signal(stop)
        assert process.wait(30) == status
        assert len(read_trajectory(killed / "trajectory.h5")) > 30
    assert long_run(killed, resume=True).finished
    assert long_run(tmp_path / "whole").finished
    require_same_run(tmp_path / "whole", killed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nvt langevin", "npt nhc flexible"])
def test_killed_at_twenty_random_moments_a_run_is_the_undisturbed_one(tmp_path: Path, kind: str) -> None:
    """Real SIGKILLs, from before the first checkpoint to the middle of a write; about two minutes each."""
    killed, random = tmp_path / "killed", np.random.default_rng(20)
    program = KILLED_PROGRAM.format(tests=str(Path(__file__).parent), folder=str(killed), kind=kind)
    kills = 0
    while kills < 20:
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(float(random.uniform(0.0, 1.0)))
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        assert process.wait(60) == -signal.SIGKILL, "it finished before it could be killed"
        kills += 1
    # Twenty kills, each at most twenty steps after a checkpoint, leave the end to be run; a run of the same length without any is beside it.
    done = Checkpoint.load(killed / "checkpoint.safetensors").state.step
    assert done > 100
    assert endless_run(killed, kind, steps=done + 50).finished
    assert endless_run(tmp_path / "whole", kind, steps=done + 50).finished
    require_same_run(tmp_path / "whole", killed)


KILLED_PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_simulate_run import endless_run
print("ready", flush=True)
endless_run(Path({folder!r}), {kind!r}, steps=10**6)
"""


def endless_run(folder: Path, kind: str, *, steps: int) -> SimulationSummary:
    """Resumed where there is one; it is killed long before a million steps."""
    kinds: dict[str, dict[str, Any]] = {
        "nvt langevin": {"ensemble": "nvt"},
        "npt nhc flexible": {"ensemble": "npt", "thermostat": "nhc", "cell": "flexible", "pressure_gpa": 0.0},
    }
    values = {"steps": steps, "output": EVERY | {"checkpoint_every": 20}} | kinds[kind]
    return run(folder, resume=True, **values)


def test_a_start_file_with_several_structures_asks_which(tmp_path: Path) -> None:
    file = tmp_path / "many.xyz"
    write(file, [argon(), argon() * (2, 1, 1)])
    with pytest.raises(DataError, match="holds 2 structures") as caught:
        read_start(file)
    assert "many.xyz@-1" in str(caught.value)
    assert len(read_start(f"{file}@0")) == 4
    assert len(read_start(f"{file}@-1")) == 8
    with pytest.raises(DataError, match="no such structure"):
        read_start(f"{file}@7")
    with pytest.raises(DataError, match="does not exist"):
        read_start(tmp_path / "absent.xyz")


def test_the_follower_refuses_a_leap_and_names_the_atom() -> None:
    follower, batch = Follower(rare_gas_potential()), Batch.from_atoms(argon())
    follower(batch, want=("forces",))
    for leap in (0.51, torch.nan, torch.inf):
        positions = batch.positions.clone()
        positions[1, 2] += leap
        with pytest.raises(SimulationError, match=r"atom 1 \(Kr\)"):
            follower(batch.replace(positions=positions), want=("forces",))
    follower(batch.replace(positions=batch.positions + 0.28), want=("forces",))
