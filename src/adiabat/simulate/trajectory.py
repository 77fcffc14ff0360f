"""Trajectories: HDF5, laid out after H5MD 1.1, readable at any moment, even after the run was killed.

    particles/trajectory/{position, velocity, force, box/edges}/{value, step, time}
    particles/trajectory/{mass, species, fixed}: what does not change; fixed only where atoms never move
    observables/{potential_energy, stress, extrapolation}/{value, step, time}
    adiabat/frames: how many frames are whole

force, stress and extrapolation are there where they were asked for.

H5MD: de Buyl, Colberg and Höfling, Comput. Phys. Commun. 185, 1546 (2014). The file is open only while frames are added,
and then in HDF5's single-writer-multiple-reader mode, in which neither a reader nor a kill meets a half-written structure;
the number of whole frames is written last.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, cast

import h5py
import numpy as np
from ase import Atoms
from ase.io import write

from adiabat.errors import CheckpointError, DataError, OutputError
from adiabat.runs import atomic_path, atomic_write_bytes
from adiabat.simulate.cut import frames_before, whole_or_mended
from adiabat.simulate.frame import Frame, Species

GROUP = "particles/trajectory"
WHOLE_FRAMES = "adiabat/frames"
STEP, TIME = f"{GROUP}/position/step", f"{GROUP}/position/time"
PLACES = {  # field of a frame: where, and in which unit
    "positions": (f"{GROUP}/position", "Angstrom"),
    "velocities": (f"{GROUP}/velocity", "Angstrom fs-1"),
    "forces": (f"{GROUP}/force", "eV Angstrom-1"),
    "cell": (f"{GROUP}/box/edges", "Angstrom"),
    "energy_ev": ("observables/potential_energy", "eV"),
    "stress": ("observables/stress", "eV Angstrom-3"),
    "extrapolation": ("observables/extrapolation", ""),
    "energy_std_ev": ("observables/potential_energy_std", "eV"),
    "energies_std_ev": (f"{GROUP}/energy_std", "eV"),
}
LOOKED_AT = ("extrapolation", "energy_std_ev", "energies_std_ev")
"""What is known of the frames that were looked at alone."""
OPTIONAL = ("forces", "stress", *LOOKED_AT)
BYTES_PER_WRITE = 2**20
MOST_FRAMES_PER_WRITE = 100
SECONDS_PER_WRITE = 10.0
METADATA_BYTES = 2**17
"""More than HDF5 needs for its own book-keeping of one write."""


class TrajectoryWriter:
    """Adds frames to a trajectory, several at a time: when there is a megabyte of them, or every 10 s.

    Attributes:
        file: The HDF5 file.
        frames: How many there are, those not yet written among them.
    """

    def __init__(self, file: Path, *, frames: int, fields: tuple[str, ...], atoms: int) -> None:
        self.file, self.frames = file, frames
        self._fields, self._per_write = fields, _frames_per_write(atoms)
        self._waiting: list[Frame] = []
        self._written = time.monotonic()

    @classmethod
    def create(
        cls, file: Path, species: Species, *, forces: bool, stress: bool = False, looked_at: Collection[str] = ()
    ) -> Self:
        """A new trajectory without frames; an old one is written over.

        Args:
            file: The HDF5 file.
            species: What does not change.
            forces: Whether frames keep their forces.
            stress: Whether they keep their stress.
            looked_at: What else they keep, of `LOOKED_AT`.
        """
        kept = {"forces": forces, "stress": stress}
        fields = _fields({name for name, wanted in kept.items() if wanted} | set(looked_at))
        atomic_write_bytes(file, _empty(species, fields))
        return cls(file, frames=0, fields=fields, atoms=len(species.numbers))

    @classmethod
    def resume(cls, file: Path, *, frames: int) -> Self:
        """The trajectory as it was when it had `frames` frames.

        Raises:
            CheckpointError: It is missing or has fewer.
        """
        try:
            with _readable(file) as (_, found, species, fields):
                pass
        except DataError as error:
            raise CheckpointError(error.what, place=error.place, rule=error.rule, mend=error.mend) from error
        if found < frames:
            raise CheckpointError(
                f"holds {found} frames, the checkpoint counts {frames}",
                place=str(file),
                rule="a run is resumed with the files that it wrote",
                mend="put the file back, or start a new run in another folder",
            )
        if found > frames or not _closed(file):
            _keep(file, frames, species, fields)
        return cls(file, frames=frames, fields=fields, atoms=len(species.numbers))

    def append(self, frame: Frame) -> None:
        """Take a frame, and write those that wait when there are enough; raises as `flush`."""
        self._waiting.append(frame)
        self.frames += 1
        if len(self._waiting) >= self._per_write or time.monotonic() - self._written > SECONDS_PER_WRITE:
            self.flush()

    def flush(self) -> None:
        """Write the frames that wait.

        Raises:
            OutputError: The disk is full, or the file has gone. The frames written before can still be read.
        """
        if not self._waiting:
            return
        values = {name: np.array([_value(frame, name) for frame in self._waiting]) for name in self._fields}
        try:
            _append(self.file, values, start=self.frames - len(self._waiting))
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error}",
                place=str(self.file),
                rule="a run goes on while it can be written down",
                mend="free some space, then --resume",
            ) from error
        self._waiting = []
        self._written = time.monotonic()


def iterate_trajectory(file: Path | str) -> Iterator[Atoms]:
    """The frames of a trajectory one by one, with velocities and energy, forces and stress where they are kept.

    `info` has step and time_fs and, where they are kept, extrapolation and energy_std (see `Observation`), the array energies_std those of
    the atoms' energies (NaN where nobody looked). Fixed atoms are held by a constraint. Of a file that was cut short, the frames before the cut are read.

    Raises:
        DataError: The file is missing or no trajectory.
    """
    with _readable(Path(file)) as (path, frames, species, fields):
        per_read = _frames_per_write(len(species.numbers))
        for start in range(0, frames, per_read):
            with h5py.File(path, "r", libver="latest", swmr=True) as handle:  # not open while the caller thinks
                values = _slice(handle, slice(start, min(start + per_read, frames)), fields)
            for index in range(len(values["step"])):
                yield _frame({name: array[index] for name, array in values.items()}).to_atoms(species)


def count_frames(file: Path | str) -> int:
    """How many whole frames a trajectory holds; raises as `iterate_trajectory`."""
    with _readable(Path(file)) as (_, frames, _, _):
        return frames


def read_trajectory(file: Path | str) -> list[Atoms]:
    """All frames of a trajectory; see `iterate_trajectory`, which does not hold them all in memory."""
    return list(iterate_trajectory(file))


def trajectory_to_xyz(trajectory: Path | str, file: Path | str) -> None:
    """Write a trajectory as extended XYZ.

    Raises:
        DataError: There is no such trajectory.
        OutputError: The file cannot be written.
    """
    with atomic_path(Path(file)) as temporary, temporary.open("w") as handle:
        for atoms in iterate_trajectory(trajectory):
            write(handle, atoms, format="extxyz")


def _value(frame: Frame, name: str) -> Any:
    value = getattr(frame, name)
    if value is not None or name not in LOOKED_AT:
        return value
    return np.full(len(frame.positions), np.nan) if name == "energies_std_ev" else np.nan


def _fields(optional: Collection[str]) -> tuple[str, ...]:
    kept = [name for name in PLACES if name in optional or name not in OPTIONAL]
    return ("step", "time_fs", *kept)


def _place(name: str) -> str:
    return {"step": STEP, "time_fs": TIME}.get(name) or f"{PLACES[name][0]}/value"


def _frames_per_write(atoms: int) -> int:
    return max(1, min(MOST_FRAMES_PER_WRITE, BYTES_PER_WRITE // (3 * 8 * atoms)))


def _lay_out(handle: h5py.File, species: Species, fields: tuple[str, ...]) -> None:
    atoms = len(species.numbers)
    numbers = ("energy_ev", "extrapolation", "energy_std_ev", "step", "time_fs")
    shapes = {"cell": (3, 3), "stress": (3, 3), "energies_std_ev": (atoms,)} | dict.fromkeys(numbers, ())
    for name in fields:
        shape = shapes.get(name, (atoms, 3))
        dataset = handle.create_dataset(
            _place(name),
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(_frames_per_write(atoms), *shape),
            dtype="i8" if name == "step" else "f8",
        )
        if name != "step":
            dataset.attrs["unit"] = "fs" if name == "time_fs" else PLACES[name][1]
    for name in fields[2:]:  # H5MD wants them beside each value; they are the same for all
        for shared in (STEP, TIME):
            link = f"{PLACES[name][0]}/{shared.rsplit('/', 1)[1]}"
            if link not in handle:
                handle[link] = handle[shared]
    handle.create_dataset(WHOLE_FRAMES, data=np.zeros(1, dtype=np.int64), maxshape=(1,), chunks=(1,))
    group = cast(h5py.Group, handle[GROUP])
    group["species"], group["mass"] = species.numbers, species.masses
    if species.fixed is not None:
        group["fixed"] = species.fixed
    box = cast(h5py.Group, group["box"])
    box.attrs["dimension"] = 3
    box.attrs["boundary"] = ["periodic" if periodic else "none" for periodic in species.pbc]
    about = handle.create_group("h5md")
    about.attrs["version"] = np.array([1, 1])
    about.create_group("creator").attrs.update({"name": "adiabat", "version": version("adiabat")})
    about.create_group("author").attrs["name"] = "not given"


def _empty(species: Species, fields: tuple[str, ...]) -> bytes:
    """The bytes of a trajectory without frames."""
    with h5py.File("in memory", "w", libver="latest", driver="core", backing_store=False) as handle:
        _lay_out(handle, species, fields)
        handle.flush()
        return handle.id.get_file_image()


def _append(file: Path, values: dict[str, np.ndarray], *, start: int) -> None:
    """Write frames at the end.

    The space is taken beforehand, for HDF5 does not survive a disk that fills up while it writes (it ends the process).
    Closing the file gives back what was too much.
    """
    frames, atoms = values["positions"].shape[:2]
    per_write = _frames_per_write(atoms)
    chunks = -(-(start + frames) // per_write) + start // -per_write  # those to be, less those that are there
    chunk_bytes = per_write * sum(array[0].nbytes for array in values.values())
    with file.open("ab") as raw:
        raw.write(bytes(chunks * chunk_bytes + METADATA_BYTES))
    with _appending(file) as handle:
        _extend(handle, values, start=start)


@contextmanager
def _appending(file: Path) -> Iterator[h5py.File]:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    access.set_file_locking(False, True)  # a reader that holds the file open must not stop the run
    mode = h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE
    with h5py.File(h5py.h5f.open(bytes(file), mode, fapl=access)) as handle:
        yield handle


def _extend(handle: h5py.File, values: dict[str, np.ndarray], *, start: int) -> None:
    stop = start + len(values["step"])
    for name, array in values.items():
        dataset = _dataset(handle, _place(name))
        dataset.resize(stop, axis=0)
        dataset[start:stop] = array
        dataset.flush()
    whole = _dataset(handle, WHOLE_FRAMES)
    whole[0] = stop
    whole.flush()


@contextmanager
def _readable(file: Path) -> Iterator[tuple[Path, int, Species, tuple[str, ...]]]:
    """The file, or a copy of one that was cut short; whole frames, what does not change, and the fields that frames keep."""
    if not file.is_file():
        raise _no_trajectory(file, "there is no such file")
    with whole_or_mended(file) as (path, length):
        try:
            frames, species, fields = _describe(path, growing=length is None)
            if length is not None:
                names = [_place(name) for name in fields]
                with h5py.File(path, "r") as handle:
                    frames = frames_before(handle, names, frames=frames, length=length)
        except DataError as error:
            error.place = str(file)
            raise
        yield path, frames, species, fields


def _describe(file: Path, *, growing: bool) -> tuple[int, Species, tuple[str, ...]]:
    """Whole frames, what does not change, and the fields that frames keep."""
    try:
        with h5py.File(
            file, "r", libver="latest", swmr=growing
        ) as handle:  # HDF5 rereads what is damaged for long if it may grow
            boundary = cast(Sequence[str], handle[f"{GROUP}/box"].attrs["boundary"])
            species = Species(
                numbers=_dataset(handle, f"{GROUP}/species")[:],
                masses=_dataset(handle, f"{GROUP}/mass")[:],
                pbc=np.array([kind == "periodic" for kind in boundary]),
                fixed=_dataset(handle, f"{GROUP}/fixed")[:] if f"{GROUP}/fixed" in handle else None,
            )
            fields = _fields({name for name in OPTIONAL if PLACES[name][0] in handle})
            return int(_dataset(handle, WHOLE_FRAMES)[0]), species, fields
    except (OSError, KeyError, RuntimeError) as error:
        raise _no_trajectory(file, str(error)) from error


def _no_trajectory(file: Path, why: str) -> DataError:
    return DataError(
        f"is no trajectory, or is damaged: {why}",
        place=str(file),
        rule="a trajectory is what `adiabat md` writes",
        mend="name the trajectory.h5 of a run",
    )


def _closed(file: Path) -> bool:
    """Whether the writer came to close it; HDF5 refuses to open the file for writing before its contents were copied."""
    try:
        with h5py.File(file, "r"):
            return True
    except OSError:
        return False


def _keep(file: Path, frames: int, species: Species, fields: tuple[str, ...]) -> None:
    """Copy the first frames to a file that takes the old one's place."""
    with h5py.File(file, "r", libver="latest", swmr=True) as old, atomic_path(file) as temporary:
        temporary.write_bytes(_empty(species, fields))
        per_write = _frames_per_write(len(species.numbers))
        for start in range(0, frames, per_write):
            values = _slice(old, slice(start, min(start + per_write, frames)), fields)
            _append(temporary, values, start=start)


def _slice(handle: h5py.File, chosen: slice, fields: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {name: _dataset(handle, _place(name))[chosen] for name in fields}


def _dataset(handle: h5py.File, name: str) -> h5py.Dataset:
    return cast(h5py.Dataset, handle[name])


def _frame(values: dict[str, Any]) -> Frame:
    return Frame(
        step=int(values["step"]),
        time_fs=float(values["time_fs"]),
        positions=values["positions"],
        velocities=values["velocities"],
        cell=values["cell"],
        energy_ev=float(values["energy_ev"]),
        forces=values.get("forces"),
        stress=values.get("stress"),
        extrapolation=float(values["extrapolation"]) if "extrapolation" in values else None,
        energy_std_ev=float(values["energy_std_ev"]) if "energy_std_ev" in values else None,
        energies_std_ev=values.get("energies_std_ev"),
    )
