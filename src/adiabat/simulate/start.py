"""Where a simulation starts: the structure, its masses and velocities."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from ase import Atoms, units
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.data.frames import iterate_frames
from adiabat.errors import AdiabatError, ConfigurationError, DataError, StructureError
from adiabat.neighbors import pair_vectors
from adiabat.simulate.config import SimulationConfig
from adiabat.simulate.follower import Follower
from adiabat.simulate.integrator import Integrator
from adiabat.simulate.state import State
from adiabat.simulate.streams import Streams
from adiabat.simulate.velocities import maxwell_boltzmann
from adiabat.simulate.watch import require_finite
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
    path, at, number = str(file).rpartition("@")
    chosen = at != "" and not Path(file).exists()
    if not chosen:
        path, number = str(file), ":"
    try:
        frames = list(iterate_frames(Path(path), number))
    except ConfigurationError as error:
        error.place = str(file)
        raise
    if len(frames) != 1:
        found = f"{len(frames)} structures" if frames else "no such structure" if chosen else "no structure"
        raise DataError(
            f"holds {found}",
            place=str(file),
            rule=rule,
            mend=f"name one: {path}@0 is the first, {path}@-1 the last" if frames or chosen else "name another file",
        )
    return frames[0][1]


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
        return f"velocities are drawn at {config.temperature_k:g} K with the seed {config.seed or 0}{replaced}"
    if not has_velocities(atoms):
        raise ConfigurationError(
            "no temperature, and the start structure holds no velocities",
            place="temperature_k",
            rule="nve needs velocities to start with",
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


def first_state(
    atoms: Atoms, follower: Follower, integrator: Integrator, config: SimulationConfig, *, place: str
) -> State:
    """The state before the first step.

    Raises:
        StructureError: What cannot be simulated: atoms within 0.3 Å of each other, constraints, a cell without volume ...
        UnknownSpecies: An element that the potential does not know.
        SimulationError: The potential gives no finite energy or forces.
        AdiabatError: Whatever else the potential has against the structure. All of them name `place`.
    """
    try:
        _require_simulable(atoms)
        batch = Batch.from_atoms(atoms)
        masses = torch.from_numpy(atoms.get_masses())
        streams = Streams.of(batch, config.seed or 0)
        velocities = _velocities(atoms, batch, masses, streams, config)
        state = integrator.init(batch, follower, velocities=velocities, masses=masses, streams=streams)
        require_finite(state)
        return state
    except AdiabatError as error:
        error.place = place
        raise


def structure_fingerprint(atoms: Atoms) -> str:
    """SHA-256 of all of a start structure that a simulation depends on."""
    digest = hashlib.sha256()
    for array in (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, atoms.get_masses(), atoms.get_momenta()):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _draws(atoms: Atoms, config: SimulationConfig) -> bool:
    if config.ensemble == "nve":
        return config.temperature_k is not None
    return not has_velocities(atoms)


def _velocities(atoms: Atoms, batch: Batch, masses: Tensor, streams: Streams, config: SimulationConfig) -> Tensor:
    if not _draws(atoms, config) or config.temperature_k is None:
        return torch.from_numpy(atoms.get_velocities() * units.fs)
    return maxwell_boltzmann(
        batch, masses, streams, temperature_k=config.temperature_k, at_rest=config.ensemble == "nve"
    )


def _require_simulable(atoms: Atoms) -> None:
    if len(atoms) == 0:
        raise StructureError("holds no atom", rule="a simulation has one atom or more", mend="name another structure")
    if atoms.constraints:
        kinds = ", ".join(sorted({type(constraint).__name__ for constraint in atoms.constraints}))
        raise StructureError(
            f"holds constraints ({kinds})",
            rule="every atom moves: constraints are not part of this simulation",
            mend="remove them: atoms.set_constraint(), or the move_mask column of the file",
        )
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
