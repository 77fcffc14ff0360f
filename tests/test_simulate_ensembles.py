"""Ensembles by name, from configuration to files: what they sample, that they resume to the bit, and what they refuse."""

from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms, FixedLine

from adiabat.errors import AdiabatError, CheckpointError, ConfigurationError, SimulationError, StructureError
from adiabat.simulate import (
    SimulationConfig,
    SimulationSummary,
    read_log,
    read_trajectory,
    simulate,
    simulate_batch,
)
from adiabat.simulate.run import _Run

EVERY = {"trajectory_every": 3, "log_every": 2, "checkpoint_every": 10, "forces": True, "stress": True}
NVT: dict[str, Any] = {"ensemble": "nvt", "temperature_k": 200.0, "thermostat_time_fs": 60.0}
NPT: dict[str, Any] = {"ensemble": "npt", "temperature_k": 100.0, "pressure_gpa": 0.1, "barostat_time_fs": 400.0}
ENSEMBLES: dict[str, dict[str, Any]] = {
    "csvr": NVT | {"thermostat": "csvr"},
    "nhc": NVT | {"thermostat": "nhc"},
    "npt csvr": NPT,
    "npt langevin flexible": NPT | {"thermostat": "langevin", "cell": "flexible"},
    "npt csvr flexible replicas": NPT | {"cell": "flexible", "replicas": 3},
    "npt nhc": NPT | {"thermostat": "nhc"},
    "npt nhc flexible": NPT | {"thermostat": "nhc", "cell": "flexible"},
    "ramps": NPT | {"temperature_k": "50:150,150:50", "pressure_gpa": "0:0.2"},
    "adaptive": NVT | {"thermostat": "csvr", "adaptive": {"largest_displacement_angstrom": 0.01}},
}


def argon(**changes: Any) -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.numbers[1] = 36
    for name, value in changes.items():
        setattr(atoms, name, value)
    return atoms


def run(folder: Path, atoms: Atoms | None = None, *, resume: bool = False, **values: Any) -> SimulationSummary:
    config = SimulationConfig.parse({"steps": 40, "timestep_fs": 4.0, "output": EVERY} | values)
    structures = [argon() if atoms is None else atoms]
    return simulate_batch(structures, rare_gas_potential(), config, folder=folder, resume=resume, quiet=True)[0]


def same_runs(one: Path, other: Path) -> None:
    files = sorted(file.relative_to(one) for file in one.rglob("trajectory.h5"))
    assert files
    for file in files:
        assert (one / file).with_name("thermo.csv").read_bytes() == (other / file).with_name("thermo.csv").read_bytes()
        for frame, twin in zip(read_trajectory(one / file), read_trajectory(other / file), strict=True):
            assert frame.info == twin.info
            for name in ("positions", "momenta"):
                assert np.array_equal(frame.arrays[name], twin.arrays[name])
            assert np.array_equal(frame.cell.array, twin.cell.array)
            assert np.array_equal(frame.get_stress(), twin.get_stress())


class Killed(BaseException):
    """What no handler of the engine may catch, as a kill."""


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch, folder: Path, **values: Any) -> None:
    advance = _Run.advance

    def dying(run: _Run) -> None:
        if run.state.step == step:
            raise Killed
        advance(run)

    with monkeypatch.context() as patch:
        patch.setattr(_Run, "advance", dying)
        with pytest.raises(Killed):
            run(folder, **values)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_a_run_killed_at_random_moments_resumes_to_the_bit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three moments for each of nine: 27 in all."""
    run(tmp_path / "whole", **ENSEMBLES[name])
    moments = sorted(np.random.default_rng(list(ENSEMBLES).index(name)).integers(1, 40, 3).tolist())
    for number, step in enumerate(dict.fromkeys(moments)):
        kill_at(step, monkeypatch, tmp_path / "killed", resume=number > 0, **ENSEMBLES[name])
    assert run(tmp_path / "killed", resume=True, **ENSEMBLES[name]).finished
    same_runs(tmp_path / "whole", tmp_path / "killed")


def test_a_replica_moves_as_it_does_alone(tmp_path: Path) -> None:
    run(tmp_path / "three", **ENSEMBLES["npt csvr flexible replicas"])
    run(tmp_path / "one", **{**ENSEMBLES["npt csvr flexible replicas"], "replicas": 1})
    for frame, twin in zip(
        read_trajectory(tmp_path / "three/replica-0/trajectory.h5"),
        read_trajectory(tmp_path / "one/trajectory.h5"),
        strict=True,
    ):
        np.testing.assert_allclose(frame.positions, twin.positions, atol=1e-10)
        np.testing.assert_allclose(frame.cell.array, twin.cell.array, atol=1e-10)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"pressure_gpa": 0.2}, "pressure_gpa was 0.1, is now 0.2"),
        ({"barostat_time_fs": 500.0}, "barostat_time_fs was 400.0, is now 500.0"),
        ({"cell": "flexible"}, "cell was None, is now flexible"),
        ({"thermostat": "langevin"}, "thermostat was csvr, is now langevin"),
        ({"replicas": 2}, "replicas was 1, is now 2"),
    ],
)
def test_a_run_with_other_settings_is_not_resumed(values: dict, named: str, tmp_path: Path) -> None:
    run(tmp_path / "run", **NPT)
    with pytest.raises(CheckpointError, match=named):
        run(tmp_path / "run", resume=True, **(NPT | values))


def test_a_ramp_is_not_stretched_by_resuming_for_longer(tmp_path: Path) -> None:
    run(tmp_path / "run", **ENSEMBLES["ramps"])
    with pytest.raises(CheckpointError, match="steps of the ramp was 40, is now 80"):
        run(tmp_path / "run", resume=True, steps=80, **ENSEMBLES["ramps"])


def test_a_ramp_ends_at_its_end(tmp_path: Path) -> None:
    values: dict[str, Any] = {"ensemble": "nvt", "temperature_k": "20:200", "friction_per_fs": 0.05, "steps": 600}
    summary = run(tmp_path / "run", argon() * (2, 2, 2), output={"log_every": 1}, **values)
    kelvin = read_log(tmp_path / "run/thermo.csv")["temperature_k"]
    assert kelvin[-60:].mean() == pytest.approx(190, abs=4 * 190 * sqrt(2 / 96 / 10))
    assert kelvin[250:350].mean() == pytest.approx(110, abs=4 * 110 * sqrt(2 / 96 / 10))
    assert summary.mean_temperature_k_std is None


@pytest.mark.parametrize("thermostat", ["langevin", "csvr", "nhc"])
def test_fixed_atoms_never_move_and_the_others_are_thermal(thermostat: str, tmp_path: Path) -> None:
    """Half of the atoms hold a lattice, so momentum is not conserved: three degrees of freedom for each of the others."""
    atoms = argon() * (2, 2, 2)
    atoms.set_constraint(FixAtoms(range(0, 32, 2)))
    values: dict[str, Any] = {"ensemble": "nvt", "temperature_k": 30.0, "thermostat": thermostat, "steps": 400}
    values |= {"friction_per_fs": 0.02} if thermostat == "langevin" else {"thermostat_time_fs": 50.0}
    summary = run(tmp_path / "run", atoms, output={"log_every": 2}, **values)
    last = read_trajectory(tmp_path / "run/trajectory.h5")[-1]
    np.testing.assert_array_equal(last.positions[::2], atoms.positions[::2])
    assert np.abs(last.positions[1::2] - atoms.positions[1::2]).min(1).max() > 0.01
    assert summary.degrees_of_freedom == 48
    kelvin = read_log(tmp_path / "run/thermo.csv")["temperature_k"][50:]
    # at once 30 K sqrt(2 / 48); some 20 independent values in 1.2 ps of a relaxation time of 25 to 50 fs
    assert kelvin.mean() == pytest.approx(30, abs=4 * 30 * sqrt(2 / 48 / 15))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ensemble": "npt", "temperature_k": 100.0}, "npt needs a pressure"),
        ({"ensemble": "nvt", "temperature_k": 100.0, "pressure_gpa": 0.0}, "has no effect in nvt"),
        ({"ensemble": "nvt", "temperature_k": "-5:10"}, "greater than or equal to 0"),
        ({"ensemble": "nvt", "temperature_k": "300:nan"}, "finite"),
        ({"ensemble": "nvt", "temperature_k": "hot"}, "300:1500"),
        ({"ensemble": "nve", "temperature_k": "300:600"}, "a ramp has no effect in nve"),
        (NVT | {"thermostat": "csvr", "thermostat_time_fs": 3.0}, "not shorter than the time step, 4 fs"),
        (NVT | {"thermostat": "langevin"}, "has no effect with langevin"),
        ({"ensemble": "nvt", "temperature_k": 9.0, "friction_per_fs": 0.3}, "not shorter than the time step"),
        (NPT | {"barostat_time_fs": 3.9}, "not shorter than the time step"),
        (NPT | {"thermostat": "nhc", "compressibility_per_gpa": 0.1}, "has no effect with nhc"),
        (NPT | {"thermostat": "berendsen"}, "'langevin', 'csvr' or 'nhc'"),
        (NPT | {"temperature_k": "100,200", "replicas": 3}, "as many as there are temperatures"),
        (NPT | {"temperature_k": "100,200", "pressure_gpa": "0,1,2"}, "as many as there are temperatures"),
        (NPT | {"replicas": 2, "adaptive": {}}, "one structure at a time"),
        (NVT | {"thermostat": "nhc", "temperature_k": 0.0}, "above 0"),
        ({"ensemble": "nvt", "temperature_k": 9.0, "uncertain_every": 5}, "has no effect without on_uncertain"),
    ],
)
def test_settings_that_make_no_sense_or_have_no_effect_are_refused(values: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run(tmp_path / "run", **values)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("atoms", "said"),
    [
        (Atoms("Ar2", positions=[[0, 0, 0], [3.8, 0, 0]]), "a barostat changes a cell"),
        (argon(pbc=(True, True, False)), "a barostat changes a cell"),
        (argon(constraints=[FixAtoms([0])]), "a barostat moves all atoms with the cell"),
        (argon(constraints=[FixedLine(0, [1, 0, 0])]), "FixedLine"),
    ],
)
@pytest.mark.parametrize("thermostat", ["csvr", "nhc"])
def test_structures_that_a_barostat_cannot_have_are_refused(
    atoms: Atoms, said: str, thermostat: str, tmp_path: Path
) -> None:
    estimate: dict[str, Any] = {"compressibility_per_gpa": 0.1} if thermostat == "csvr" else {}
    with pytest.raises(AdiabatError, match=said) as caught:
        run(tmp_path / "run", atoms, **{**NPT, "thermostat": thermostat, **estimate})
    assert isinstance(caught.value, StructureError)
    assert not (tmp_path / "run").exists()


def test_a_cell_that_becomes_thinner_than_twice_the_skin_stops_the_run(tmp_path: Path) -> None:
    atoms = Atoms("Ar", cell=[3.7, 3.7, 40], pbc=True)
    values: dict[str, Any] = NPT | {"pressure_gpa": 3000.0, "compressibility_per_gpa": 1e-3, "temperature_k": 1.0}
    with pytest.raises(SimulationError, match=r"the cell of structure 0 is 1.* Å thick"):
        run(tmp_path / "run", atoms, steps=4000, **values)
    assert (tmp_path / "run/last_frame.xyz").exists()


def test_a_barostat_that_is_overrun_stops_the_run(tmp_path: Path) -> None:
    values: dict[str, Any] = NPT | {"pressure_gpa": 1e4, "compressibility_per_gpa": 0.5}
    with pytest.raises(SimulationError, match="strained by"):
        run(tmp_path / "run", **values)


def test_several_replicas_are_not_one_run(tmp_path: Path) -> None:
    config = SimulationConfig.parse(NVT | {"thermostat": "csvr", "steps": 2, "timestep_fs": 1.0, "replicas": 2})
    with pytest.raises(ConfigurationError, match="simulate_batch"):
        simulate(argon(), rare_gas_potential(), config, folder=tmp_path / "run", quiet=True)
    with pytest.raises(ConfigurationError, match="replicas are of one structure"):
        simulate_batch([argon(), argon()], rare_gas_potential(), config, folder=tmp_path / "run", quiet=True)


def test_the_clock_on_the_wall_ends_a_run_that_goes_on_later(tmp_path: Path) -> None:
    config = SimulationConfig.parse(NVT | {"thermostat": "csvr", "steps": 40, "timestep_fs": 4.0, "output": EVERY})
    common: dict[str, Any] = {"folder": tmp_path / "run", "quiet": True}
    short = simulate(argon(), rare_gas_potential(), config, wall_time_s=1e-9, **common)
    assert not short.finished
    assert simulate(argon(), rare_gas_potential(), config, resume=True, wall_time_s=1e9, **common).finished
    run(tmp_path / "whole", **ENSEMBLES["csvr"])
    same_runs(tmp_path / "whole", tmp_path / "run")
