"""Trajectories on disk: what goes in comes out, whoever opens the file."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from ase import units
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import present, read_all

from adiabat.errors import CheckpointError, DataError, OutputError
from adiabat.simulate import iterate_trajectory, read_trajectory, trajectory_to_xyz
from adiabat.simulate.frame import Frame, Species
from adiabat.simulate.trajectory import LOOKED_AT, TrajectoryWriter, count_frames


def frame(step: int, atoms: int, *, forces: bool = True) -> Frame:
    rng = np.random.default_rng(step)
    return Frame(
        step=step,
        time_fs=0.5 * step,
        positions=rng.normal(0, 100, (atoms, 3)),
        velocities=rng.normal(0, 0.01, (atoms, 3)),
        cell=rng.normal(0, 10, (3, 3)),
        energy_ev=float(rng.normal(0, 1e5)),
        forces=rng.normal(size=(atoms, 3)) if forces else None,
    )


def species(atoms: int) -> Species:
    return Species(
        numbers=np.resize([14, 1, 8], atoms),
        masses=np.resize([28.085, 2.0, 15.999], atoms),
        pbc=np.array([True, False, True]),
    )


def write_frames(file: Path, steps: range, atoms: int = 3, *, forces: bool = True) -> TrajectoryWriter:
    writer = TrajectoryWriter.create(file, species(atoms), forces=forces)
    for step in steps:
        writer.append(frame(step, atoms, forces=forces))
    writer.flush()
    return writer


@settings(deadline=None, max_examples=20, derandomize=True)
@given(atoms=st.integers(1, 40), frames=st.integers(0, 130), forces=st.booleans(), flushed=st.integers(1, 50))
def test_what_is_written_is_read(
    atoms: int, frames: int, forces: bool, flushed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("trajectory") / "t.h5"
    writer = TrajectoryWriter.create(file, species(atoms), forces=forces)
    for step in range(frames):
        writer.append(frame(step, atoms, forces=forces))
        if step % flushed == 0:
            writer.flush()
    writer.flush()
    found = read_trajectory(file)

    assert len(found) == count_frames(file) == writer.frames == frames
    for step, atoms_read in enumerate(found):
        expected = frame(step, atoms, forces=forces)
        assert atoms_read.info == {"step": step, "time_fs": 0.5 * step}
        np.testing.assert_array_equal(atoms_read.positions, expected.positions)
        np.testing.assert_array_equal(atoms_read.cell.array, expected.cell)
        np.testing.assert_array_equal(atoms_read.numbers, species(atoms).numbers)
        np.testing.assert_array_equal(atoms_read.get_masses(), species(atoms).masses)
        np.testing.assert_array_equal(atoms_read.pbc, [True, False, True])
        np.testing.assert_allclose(atoms_read.get_velocities() * units.fs, expected.velocities, rtol=1e-14)
        assert atoms_read.get_potential_energy() == expected.energy_ev
        assert ("forces" in present(atoms_read.calc).results) == forces
        if forces:
            np.testing.assert_array_equal(atoms_read.get_forces(), expected.forces)


def test_frames_that_wait_are_written_when_there_are_enough(tmp_path: Path) -> None:
    writer = TrajectoryWriter.create(tmp_path / "t.h5", species(10000), forces=False)
    for step in range(9):
        writer.append(frame(step, 10000, forces=False))
    assert count_frames(tmp_path / "t.h5") == 8  # a megabyte holds 4 frames of 10,000 positions


def test_frames_that_wait_are_written_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiabat.simulate.trajectory.SECONDS_PER_WRITE", 0.0)
    writer = TrajectoryWriter.create(tmp_path / "t.h5", species(3), forces=False)
    writer.append(frame(0, 3, forces=False))
    assert count_frames(tmp_path / "t.h5") == 1


@pytest.mark.parametrize("kept", [0, 1, 57, 120])
def test_a_resumed_trajectory_goes_on_from_the_frames_that_are_kept(kept: int, tmp_path: Path) -> None:
    write_frames(tmp_path / "t.h5", range(120))
    writer = TrajectoryWriter.resume(tmp_path / "t.h5", frames=kept)
    writer.append(frame(1000, 3))
    writer.flush()
    assert [atoms.info["step"] for atoms in iterate_trajectory(tmp_path / "t.h5")] == [*range(kept), 1000]


def test_more_frames_than_there_are_cannot_be_kept(tmp_path: Path) -> None:
    write_frames(tmp_path / "t.h5", range(5))
    with pytest.raises(CheckpointError, match="holds 5 frames, the checkpoint counts 6"):
        TrajectoryWriter.resume(tmp_path / "t.h5", frames=6)


def test_a_reader_neither_stops_the_writer_nor_sees_half_a_frame(tmp_path: Path) -> None:
    writer = write_frames(tmp_path / "t.h5", range(150))
    reading = iterate_trajectory(tmp_path / "t.h5")
    assert next(reading).info["step"] == 0
    writer.append(frame(150, 3))
    writer.flush()
    assert [atoms.info["step"] for atoms in reading] == list(range(1, 150))
    assert count_frames(tmp_path / "t.h5") == 151


def test_another_process_that_holds_the_file_open_does_not_stop_the_writer(tmp_path: Path) -> None:
    writer = write_frames(tmp_path / "t.h5", range(5))
    program = "import h5py, sys; handle = h5py.File(sys.argv[1], 'r'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(tmp_path / "t.h5")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert present(reader.stdout).readline() == "open\n"
        writer.append(frame(5, 3))
        writer.flush()
        present(reader.stdin).close()
    assert count_frames(tmp_path / "t.h5") == 6


def attribute(handle: h5py.File, place: str, name: str) -> Any:
    return handle[place].attrs[name]


def dataset(handle: h5py.File, place: str) -> h5py.Dataset:
    found = handle[place]
    assert isinstance(found, h5py.Dataset)
    return found


def test_the_file_is_laid_out_as_h5md(tmp_path: Path) -> None:
    write_frames(tmp_path / "t.h5", range(4))
    with h5py.File(tmp_path / "t.h5", "r") as handle:
        assert np.array_equal(attribute(handle, "h5md", "version"), [1, 1])
        assert attribute(handle, "h5md/creator", "name") == "adiabat"
        assert "name" in handle["h5md/author"].attrs
        group = "particles/trajectory"
        assert attribute(handle, f"{group}/box", "dimension") == 3
        assert list(attribute(handle, f"{group}/box", "boundary")) == ["periodic", "none", "periodic"]
        for name in ("position", "velocity", "force", "box/edges"):
            for values in ("value", "step", "time"):
                assert dataset(handle, f"{group}/{name}/{values}").shape[0] == 4
        assert attribute(handle, f"{group}/position/value", "unit") == "Angstrom"
        assert attribute(handle, f"{group}/position/time", "unit") == "fs"
        assert attribute(handle, "observables/potential_energy/value", "unit") == "eV"
        assert dataset(handle, f"{group}/species")[:].tolist() == [14, 1, 8]


def test_a_trajectory_becomes_extended_xyz(tmp_path: Path) -> None:
    write_frames(tmp_path / "t.h5", range(3))
    trajectory_to_xyz(tmp_path / "t.h5", tmp_path / "t.xyz")
    found = read_all(tmp_path / "t.xyz")
    assert [atoms.info["step"] for atoms in found] == [0, 1, 2]
    for step, atoms in enumerate(found):
        expected = frame(step, 3)
        np.testing.assert_allclose(atoms.positions, expected.positions, atol=1e-8)
        np.testing.assert_allclose(atoms.get_velocities() * units.fs, expected.velocities, atol=1e-8)
        np.testing.assert_allclose(atoms.get_forces(), present(expected.forces), atol=1e-8)
        assert atoms.get_potential_energy() == pytest.approx(expected.energy_ev, rel=1e-12)


def test_what_is_no_trajectory_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no trajectory")
    h5py.File(tmp_path / "other.h5", "w").close()
    for name in ("absent.h5", "text.h5", "other.h5"):
        with pytest.raises(DataError, match=name):
            read_trajectory(tmp_path / name)
        with pytest.raises(DataError, match=name):
            trajectory_to_xyz(tmp_path / name, tmp_path / "t.xyz")
    assert not (tmp_path / "t.xyz").exists()


def test_a_folder_that_went_away_is_named(tmp_path: Path) -> None:
    writer = write_frames(tmp_path / "t.h5", range(2))
    (tmp_path / "t.h5").unlink()
    writer.append(frame(2, 3))
    with pytest.raises(OutputError, match=r"t\.h5"):
        writer.flush()


@pytest.mark.parametrize("share", [0.999, 0.6, 0.1, 0.001])
def test_a_trajectory_that_was_cut_short_is_read_up_to_the_cut(share: float, tmp_path: Path) -> None:
    file = tmp_path / "t.h5"
    write_frames(file, range(450), atoms=20)
    with file.open("r+b") as handle:
        handle.truncate(int(share * file.stat().st_size))
    if share < 0.01:
        with pytest.raises(DataError, match=r"t\.h5: is no trajectory, or is damaged"):
            read_trajectory(file)
        return
    found = read_trajectory(file)
    assert 450 * share - 110 < len(found) == count_frames(file) <= 450 * share
    for step, atoms in enumerate(found):
        np.testing.assert_array_equal(atoms.positions, frame(step, 20).positions)
        np.testing.assert_array_equal(atoms.cell.array, frame(step, 20).cell)


def test_stress_extrapolation_and_fixed_atoms_come_back(tmp_path: Path) -> None:
    held = Species(np.array([14, 14]), np.full(2, 28.085), np.ones(3, dtype=bool), fixed=np.array([True, False]))
    writer = TrajectoryWriter.create(tmp_path / "t.h5", held, forces=False, stress=True, looked_at=LOOKED_AT)
    stress = np.array([[1.0, 6, 5], [6, 2, 4], [5, 4, 3]])
    for step, extrapolation in enumerate((None, 2.5)):
        seen = {} if extrapolation is None else {"energy_std_ev": 0.3, "energies_std_ev": np.array([0.1, 0.2])}
        writer.append(replace(frame(step, 2, forces=False), stress=stress, extrapolation=extrapolation, **seen))
    writer.flush()
    first, second = read_trajectory(tmp_path / "t.h5")
    np.testing.assert_array_equal(second.get_stress(apply_constraint=False), [1, 2, 3, 4, 5, 6])
    assert np.isnan(first.info["extrapolation"])
    assert second.info["extrapolation"] == 2.5
    assert np.isnan(first.info["energy_std"])
    assert np.isnan(first.arrays["energies_std"]).all()
    assert second.info["energy_std"] == 0.3
    assert second.arrays["energies_std"].tolist() == [0.1, 0.2]
    assert second.constraints[0].get_indices().tolist() == [0]
