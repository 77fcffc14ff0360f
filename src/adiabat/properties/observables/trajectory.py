"""Trajectory: what analyses read, as arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError

from adiabat.errors import DataError, PropertyUnavailable
from adiabat.properties.observables.ensemble import Ensemble
from adiabat.simulate import iterate_trajectory, read_log
from adiabat.simulate.folder import RunFolder
from adiabat.typing import FloatArray, IntArray

FEWEST_FRAMES = 2
EQUAL = 1e-6
"""Of the interval between frames: intervals that differ by less are equal."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """N atoms at T instants, equally spaced in time.

    Attributes:
        place: Where it comes from, for messages.
        numbers: (N,) atomic numbers.
        masses: (N,) amu.
        pbc: (3,) bool.
        times_fs: (T,).
        positions: (T, N, 3) Å, never wrapped.
        cells: (T, 3, 3) Å, rows are vectors.
        ensemble: How the atoms were moved.
        velocities: (T, N, 3) Å/fs; None where they were not kept.
        energies_ev: (T,) potential energy; None likewise.
        log: Columns of the thermodynamic log by name, from the time of the first frame on; empty where there is none.
    """

    place: str
    numbers: IntArray
    masses: FloatArray
    pbc: np.ndarray
    times_fs: FloatArray
    positions: FloatArray
    cells: FloatArray
    ensemble: Ensemble = field(default_factory=Ensemble)
    velocities: FloatArray | None = None
    energies_ev: FloatArray | None = None
    log: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.times_fs) < FEWEST_FRAMES:
            raise DataError(
                f"holds {len(self.times_fs)} frames",
                place=self.place,
                rule=f"an analysis takes {FEWEST_FRAMES} frames or more",
                mend="run for longer, write frames more often, or skip less",
            )

    @classmethod
    def read(cls, folder: Path | str) -> Self:
        """Of a run; one that was cut short is read up to the cut.

        Args:
            folder: The folder of the run.

        Raises:
            DataError: It holds no trajectory, or those of several replicas.
        """
        files = RunFolder(Path(folder))
        _require_one(files)
        trajectory = cls.from_atoms(
            iterate_trajectory(files.trajectory),
            place=str(files.trajectory),
            ensemble=Ensemble.of_run(files.description),
        )
        return replace(trajectory, log=read_log(files.log) if files.log.exists() else {})

    @classmethod
    def from_atoms(
        cls,
        frames: Iterable[Atoms],
        *,
        place: str = "frames",
        interval_fs: float | None = None,
        ensemble: Ensemble | None = None,
        wrapped: bool = False,
    ) -> Self:
        """Of ASE structures.

        Args:
            frames: One after the other.
            place: What messages call them.
            interval_fs: From frame to frame; None where each has its ``info["time_fs"]``.
            ensemble: How they were made; not known where it is left out.
            wrapped: Whether positions were put back into the cell: they are unwrapped, no atom having moved by more than
                half of it from frame to frame.

        Raises:
            DataError: Frames of different atoms, or without a time.
        """
        collected = _Collected(place, interval_fs)
        for atoms in frames:
            collected.add(atoms)
        first = collected.first
        positions, cells = np.array(collected.positions), np.array(collected.cells)
        times_fs = np.array(collected.times_fs)
        whole = _equally_spaced(times_fs, place)
        return cls(
            place=place,
            numbers=first.numbers.astype(np.int64),
            masses=first.get_masses(),
            pbc=first.pbc.copy(),
            times_fs=times_fs[:whole],
            positions=(_unwrapped(positions, cells, first.pbc) if wrapped else positions)[:whole],
            cells=cells[:whole],
            ensemble=ensemble or Ensemble(),
            velocities=np.array(collected.velocities)[:whole] if collected.velocities else None,
            energies_ev=np.array(collected.energies_ev)[:whole] if collected.energies_ev else None,
        )

    @property
    def n_frames(self) -> int:
        """T."""
        return len(self.times_fs)

    @property
    def n_atoms(self) -> int:
        """N."""
        return len(self.numbers)

    @property
    def interval_fs(self) -> float:
        """From frame to frame."""
        return float(self.times_fs[-1] - self.times_fs[0]) / (self.n_frames - 1)

    @property
    def duration_ps(self) -> float:
        """From the first frame to the last."""
        return float(self.times_fs[-1] - self.times_fs[0]) / 1000

    @cached_property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers, ascending."""
        return tuple(int(number) for number in np.unique(self.numbers))

    @cached_property
    def volumes(self) -> FloatArray:
        """(T,) Å³."""
        return np.abs(np.linalg.det(self.cells))

    def since(self, skip_ps: float) -> Self:
        """Without what came before this time after the first frame: the way to equilibrium.

        Raises:
            DataError: Too little is left.
        """
        kept = self.times_fs >= self.times_fs[0] + 1000 * skip_ps - EQUAL * self.interval_fs
        return self._selected(kept)

    def frame(self, index: int) -> Atoms:
        """One instant as a structure, with velocities where they are known."""
        atoms = Atoms(
            self.numbers, positions=self.positions[index], cell=self.cells[index], pbc=self.pbc, masses=self.masses
        )
        if self.velocities is not None:
            atoms.set_velocities(self.velocities[index] / units.fs)
        return atoms

    def logged(self, column: str, what: str) -> FloatArray:
        """A column of the log over the time of the frames.

        Raises:
            PropertyUnavailable: There is no log, or it does not know this of the structure.
        """
        values = self.log.get(column)
        if values is None or not len(values):
            raise PropertyUnavailable(
                f"{what}: there is no thermodynamic log",
                place=self.place,
                rule=f"{what} is taken from the log of a run",
                mend="name the folder of a run, with its thermo.csv",
            )
        margin = EQUAL * self.interval_fs
        times_fs = self.log["time_fs"]
        within = (times_fs >= self.times_fs[0] - margin) & (times_fs <= self.times_fs[-1] + margin)
        chosen = values[within]
        if not np.isfinite(chosen).all():
            raise PropertyUnavailable(
                f"{what}: the log has no {column}",
                place=self.place,
                rule="a stress is there with three periodic directions and a volume",
                mend="leave it out",
            )
        return chosen

    def require_velocities(self, what: str) -> FloatArray:
        """The velocities; raises PropertyUnavailable where they were not kept."""
        if self.velocities is None:
            raise PropertyUnavailable(
                f"{what}: the frames have no velocities",
                place=self.place,
                rule=f"{what} is read off velocities",
                mend="give frames with velocities, as `adiabat md` writes them",
            )
        return self.velocities

    def require_volume(self, what: str) -> FloatArray:
        """(T,) Å³; raises PropertyUnavailable where the structure is not periodic in three directions."""
        if not (self.pbc.all() and self.volumes.min() > 0):
            raise PropertyUnavailable(
                f"{what}: the structure is periodic along {self.pbc.tolist()}",
                place=self.place,
                rule=f"{what} refers to a density, which takes three periodic directions",
                mend="leave it out",
            )
        return self.volumes

    def require_constant_cell(self, what: str) -> FloatArray:
        """(3, 3) Å, the cell of all frames; raises PropertyUnavailable where it changes."""
        if not np.allclose(self.cells, self.cells[0], rtol=0, atol=1e-9):
            raise PropertyUnavailable(
                f"{what}: the cell changes",
                place=self.place,
                rule=f"{what} is read off atoms that move in a cell that does not",
                mend="equilibrate the cell in npt, then run nve in its mean",
            )
        return self.cells[0]

    def _selected(self, kept: np.ndarray) -> Self:
        return replace(
            self,
            times_fs=self.times_fs[kept],
            positions=self.positions[kept],
            cells=self.cells[kept],
            velocities=None if self.velocities is None else self.velocities[kept],
            energies_ev=None if self.energies_ev is None else self.energies_ev[kept],
        )


class _Collected:
    """Frames as they come."""

    def __init__(self, place: str, interval_fs: float | None) -> None:
        self.place, self.interval_fs = place, interval_fs
        self.positions: list[FloatArray] = []
        self.cells: list[FloatArray] = []
        self.velocities: list[FloatArray] = []
        self.energies_ev: list[float] = []
        self.times_fs: list[float] = []
        self._first: Atoms | None = None

    @property
    def first(self) -> Atoms:
        if self._first is None:
            raise DataError("holds no frame", place=self.place, rule="an analysis takes frames", mend="name another")
        return self._first

    def add(self, atoms: Atoms) -> None:
        count = len(self.positions)
        if self._first is None:
            self._first = atoms
        elif not np.array_equal(atoms.numbers, self._first.numbers) or not np.array_equal(atoms.pbc, self._first.pbc):
            raise DataError(
                f"frame {count} has other atoms or other periodic directions than the first",
                place=self.place,
                rule="a trajectory is of the same atoms, in the same order",
                mend="give the frames of one run",
            )
        self.positions.append(atoms.positions.copy())
        self.cells.append(atoms.cell.array.copy())
        self.times_fs.append(self._time(atoms, count))
        if atoms.has("momenta") and len(self.velocities) == count:
            self.velocities.append(atoms.get_velocities() * units.fs)
        else:
            self.velocities.clear()
        energy = _energy(atoms)
        if energy is not None and len(self.energies_ev) == count:
            self.energies_ev.append(energy)
        else:
            self.energies_ev.clear()

    def _time(self, atoms: Atoms, count: int) -> float:
        if self.interval_fs is not None:
            return count * self.interval_fs
        time_fs = atoms.info.get("time_fs")
        if time_fs is None:
            raise DataError(
                f"frame {count} has no time",
                place=self.place,
                rule="frames are equally spaced in time",
                mend="say by how much: interval_fs",
            )
        return float(time_fs)


def _require_one(files: RunFolder) -> None:
    parts = sorted(path.parent.name for path in files.path.glob("*/trajectory.h5"))
    if parts and not files.trajectory.exists():
        raise DataError(
            f"holds {len(parts)} trajectories: {', '.join(parts)}",
            place=str(files.path),
            rule="an analysis is of one trajectory",
            mend=f"name one: {files.path / parts[0]}",
        )


def _energy(atoms: Atoms) -> float | None:
    if atoms.calc is None:
        return None
    try:
        return float(atoms.get_potential_energy())
    except PropertyNotImplementedError:
        return None


def _equally_spaced(times_fs: FloatArray, place: str) -> int:
    """How many frames are; all, but for the last of a run that went wrong, which comes early.

    Raises:
        DataError: Others are not, as of a run whose time step followed its state.
    """
    steps = np.diff(times_fs)
    other = np.flatnonzero(np.abs(steps - steps[0]) > EQUAL * abs(steps[0])) if len(steps) else steps
    if not len(other):
        return len(times_fs)
    if len(other) == 1 and other[0] == len(steps) - 1 and steps[-1] < steps[0]:
        return len(times_fs) - 1
    first = int(other[0])
    raise DataError(
        f"frames {first} and {first + 1} are {steps[first]:g} fs apart, the first two {steps[0]:g} fs",
        place=place,
        rule="error bars and spectra take frames that are equally spaced in time",
        mend="run with a constant time step",
    )


def _unwrapped(positions: FloatArray, cells: FloatArray, pbc: np.ndarray) -> FloatArray:
    """Positions such that no atom moves by more than half a cell from frame to frame."""
    if not pbc.all():
        raise DataError(
            f"is periodic along {pbc.tolist()} and wrapped",
            place="frames",
            rule="frames are unwrapped with three periodic directions",
            mend="give positions that were not wrapped",
        )
    fractional = np.linalg.solve(cells.transpose(0, 2, 1), positions.transpose(0, 2, 1)).transpose(0, 2, 1)
    jumps = np.diff(fractional, axis=0)
    steps = jumps - np.round(jumps)
    whole = np.concatenate([fractional[:1], fractional[:1] + np.cumsum(steps, axis=0)])
    return np.einsum("tna,tab->tnb", whole, cells)
