"""Where a simulation starts: the structure, its masses and velocities."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ase import Atoms, units
from ase.constraints import FixAtoms
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.data.frames import iterate_frames
from adiabat.errors import AdiabatError, ConfigurationError, DataError, StructureError
from adiabat.neighbors import pair_vectors
from adiabat.potential import Potential
from adiabat.simulate.config import SimulationConfig
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.stability import stiffest_frequency
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.simulate.velocities import maxwell_boltzmann
from adiabat.simulate.watch import require_finite, require_finite_values
from adiabat.system import Batch, require_valid

NEAREST = 0.3
"""Å. No two nuclei in matter are closer; the shortest bond, H-H, has 0.74 Å."""


def read_start(file: Path | str, *, rule: str = "a simulation starts from one structure") -> Atoms:
    """The one structure of a file, or one of several as ``file@number`` (from 0; -1 is the last).

    Args:
        file: Its name.
        rule: By which there is one, in the error.

    Raises:
        DataError: The file is missing, empty or malformed, or holds several structures.
    """
    path, number = _file_and_number(file)
    frames = _frames(file, path, number or ":")
    if len(frames) != 1:
        found = f"{len(frames)} structures" if frames else "no such structure" if number else "no structure"
        raise DataError(
            f"holds {found}",
            place=str(file),
            rule=rule,
            mend=f"name one: {path}@0 is the first, {path}@-1 the last; {path}@: are all, each on its own"
            if frames or number
            else "name another file",
        )
    return frames[0]


def read_starts(file: Path | str) -> dict[str, Atoms]:
    """As `read_start`, or all structures of a file as ``file@:``; by what messages call them.

    Raises:
        DataError: As `read_start`.
    """
    path, number = _file_and_number(file)
    if number != ":":
        return {str(file): read_start(file)}
    return {f"{path}@{index}": atoms for index, atoms in enumerate(_frames(file, path, ":"))}


def _file_and_number(file: Path | str) -> tuple[Path, str | None]:
    path, at, number = str(file).rpartition("@")
    return (Path(path), number) if at and not Path(file).exists() else (Path(file), None)


def _frames(file: Path | str, path: Path, number: str) -> list[Atoms]:
    try:
        return [atoms for _, atoms in iterate_frames(path, number)]
    except ConfigurationError as error:
        error.place = str(file)
        raise


def has_velocities(atoms: Atoms) -> bool:
    """Whether the structure brings velocities with it."""
    return atoms.has("momenta")


def velocity_source(atoms: Atoms, config: SimulationConfig) -> str:
    """Where the first velocities come from, in words.

    Raises:
        ConfigurationError: There are none and no temperature to draw them at, or an option has no effect.
    """
    if _draws(atoms, config):
        replaced = "; those of the start structure are not used" if has_velocities(atoms) else ""
        kelvin = ", ".join(f"{course.start:g}" for course in config.temperatures)
        return f"velocities are drawn at {kelvin} K with the seed {config.seed or 0}{replaced}"
    if not has_velocities(atoms):
        raise ConfigurationError(
            "no temperature, and the start structure holds no velocities",
            place="temperature_k",
            rule="nve needs velocities to start with",
            mend="give a temperature to draw them at",
        )
    if config.ensemble == "nve" and config.n_replicas > 1:
        raise ConfigurationError(
            f"{config.n_replicas} replicas with the velocities of the start structure would be the same",
            place="replicas",
            rule="replicas in nve differ by their first velocities",
            mend="give a temperature to draw them at",
        )
    if config.ensemble == "nve" and config.seed is not None:
        raise ConfigurationError(
            "has no effect: the velocities come from the start structure",
            place="seed",
            rule="an option has an effect",
            mend="leave it out",
        )
    return "velocities are those of the start structure"


@dataclass(frozen=True)
class Start:
    """What a simulation starts from.

    Attributes:
        structures: One for each structure of the batch.
        places: What messages call them.
    """

    structures: tuple[Atoms, ...]
    places: tuple[str, ...]

    def state(self, follower: Follower, integrator: Integrator, config: SimulationConfig) -> State:
        """The state before the first step.

        Raises:
            StructureError: What cannot be simulated: atoms within 0.3 Å of each other, other constraints than fixed atoms, a cell
                without volume ...
            UnknownSpecies: An element that the potential does not know.
            SimulationError: The potential gives no finite energy or forces.
            AdiabatError: Whatever else the potential has against the structures. All of them name the place.
        """
        for atoms, place in zip(self.structures, self.places, strict=True):
            with _placed(place):
                require_simulable(atoms)
        with _placed(self.places[0] if len(set(self.places)) == 1 else ", ".join(self.places)):
            batch = Batch.from_atoms(self.structures)
            masses = torch.from_numpy(np.concatenate([atoms.get_masses() for atoms in self.structures]))
            streams = Streams.of(batch, config.seed or 0)
            fixed = self._fixed()
            velocities = self._velocities(batch, masses, streams, config, fixed)
            state = integrator.init(batch, follower, velocities=velocities, masses=masses, streams=streams, fixed=fixed)
            require_finite(state)
            return state

    def stiffest_frequency(self, potential: Potential) -> float:
        """rad/fs: the highest harmonic frequency of any of the structures; raises as `state` and `stiffest_frequency`."""
        for atoms, place in zip(self.structures, self.places, strict=True):
            with _placed(place):
                require_simulable(atoms)
        alike = len({structure_fingerprint(atoms) for atoms in self.structures}) == 1
        structures = self.structures[:1] if alike else self.structures
        with _placed(self.places[0] if alike else ", ".join(self.places), mistakes=(ConfigurationError,)):
            batch = Batch.from_atoms(structures)
            masses = torch.from_numpy(np.concatenate([atoms.get_masses() for atoms in structures]))
            fixed = np.concatenate([fixed_atoms(atoms) for atoms in structures])
            held = torch.from_numpy(fixed) if fixed.any() else None
            follower = Follower(potential)
            found = follower(batch, want=("energy", "forces"))
            if found.energy is not None and found.forces is not None:
                require_finite_values(batch, found.energy, found.forces)
            return stiffest_frequency(batch, follower, masses, fixed=held)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that a simulation depends on; of one structure, its `structure_fingerprint`."""
        each = [structure_fingerprint(atoms) for atoms in self.structures]
        return each[0] if len(set(each)) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()

    def _fixed(self) -> Tensor | None:
        masks = [fixed_atoms(atoms) for atoms in self.structures]
        together = np.concatenate(masks)
        return torch.from_numpy(together) if together.any() else None

    def _velocities(
        self, batch: Batch, masses: Tensor, streams: Streams, config: SimulationConfig, fixed: Tensor | None
    ) -> Tensor:
        if not _draws(self.structures[0], config):
            return torch.from_numpy(np.concatenate([atoms.get_velocities() * units.fs for atoms in self.structures]))
        kelvin = tuple(course.start for course in config.temperatures)
        return maxwell_boltzmann(
            batch,
            masses,
            streams,
            temperature_k=kelvin[0] if len(kelvin) == 1 else kelvin,
            at_rest=config.thermostat_kind != "langevin",
            fixed=fixed,
        )


@contextmanager
def _placed(place: str, *, mistakes: tuple[type[AdiabatError], ...] = ()) -> Iterator[None]:
    """Errors but for some name the place."""
    try:
        yield
    except AdiabatError as error:
        if not isinstance(error, mistakes):
            error.place = place
        raise


def structure_fingerprint(atoms: Atoms) -> str:
    """SHA-256 of all of a start structure that a simulation depends on."""
    digest = hashlib.sha256()
    fixed = fixed_atoms(atoms)
    arrays = [atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, atoms.get_masses(), atoms.get_momenta()]
    for array in [*arrays, *([fixed] if fixed.any() else [])]:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _draws(atoms: Atoms, config: SimulationConfig) -> bool:
    if config.ensemble == "nve":
        return config.temperature_k is not None
    return not has_velocities(atoms)


def fixed_atoms(atoms: Atoms) -> np.ndarray:
    """(n,) bool: those that ASE's FixAtoms holds."""
    mask = np.zeros(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        mask[constraint.get_indices()] = True
    return mask


def require_simulable(atoms: Atoms) -> None:
    """Refuse what no simulation can start from, but for what the potential has against it; raises StructureError."""
    if len(atoms) == 0:
        raise StructureError("holds no atom", rule="a simulation has one atom or more", mend="name another structure")
    _require_constraints(atoms)
    require_valid(atoms, place="start structure")
    masses, momenta = atoms.get_masses(), atoms.get_momenta()
    for name, bad in (("mass", ~(np.isfinite(masses) & (masses > 0))), ("momentum", ~np.isfinite(momenta).all(1))):
        if bad.any():
            atom = int(bad.argmax())
            value = masses[atom] if name == "mass" else momenta[atom].tolist()
            raise StructureError(
                f"atom {atom} has the {name} {value}",
                rule="masses are positive, momenta finite",
                mend=f"mend its {name}",
            )
    first, second, vectors = pair_vectors(atoms, NEAREST)
    distance = np.linalg.norm(vectors, axis=1)
    if len(distance):
        pair = int(distance.argmin())
        i, j = int(first[pair]), int(second[pair])
        names = [f"{atom} ({chemical_symbols[atoms.numbers[atom]]})" for atom in (i, j)]
        raise StructureError(
            f"atoms {names[0]} and {names[1]} are {distance[pair]:.3f} Å apart",
            rule=f"atoms are at least {NEAREST} Å apart",
            mend="remove the doubled atom, or mend the cell",
        )


def _require_constraints(atoms: Atoms) -> None:
    others = sorted({type(constraint).__name__ for constraint in atoms.constraints} - {FixAtoms.__name__})
    if others:
        raise StructureError(
            f"holds constraints ({', '.join(others)})",
            rule="atoms move, or are fixed (FixAtoms)",
            mend="remove them: atoms.set_constraint(), or the move_mask column of the file",
        )
    if fixed_atoms(atoms).all():
        raise StructureError(
            "FixAtoms holds all atoms", rule="one atom or more moves", mend="remove the constraint of one atom or more"
        )
