"""Fluxes of heat, momentum and charge along a trajectory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from ase.data import chemical_symbols
from torch import Tensor

from adiabat.errors import ConfigurationError, UnknownSpecies
from adiabat.potential import Potential, Prediction
from adiabat.properties.observables.trajectory import Trajectory
from adiabat.runs import track
from adiabat.simulate.bodies import EV_PER_AMU_ANGSTROM_PER_FS_SQUARED
from adiabat.system import Batch
from adiabat.typing import FloatArray, Quantity
from adiabat.units import BOLTZMANN_EV_PER_K

ATOMS_AT_ONCE = 2048


@dataclass(frozen=True)
class Motion:
    """What fluxes are made of.

    Attributes:
        velocities: (T, N, 3) Å/fs, about the centre of mass.
        temperature_k: Mean of the kinetic energies, of 3N - 3 degrees of freedom.
        volume: Å³.
    """

    velocities: FloatArray
    temperature_k: float
    volume: float

    @classmethod
    def of(cls, trajectory: Trajectory, what: str) -> "Motion":
        """Of a trajectory that transport may be read off.

        Raises:
            PropertyUnavailable: A thermostat has made part of the motion, the cell changes, or there are no velocities.
        """
        trajectory.ensemble.require_own_dynamics(what)
        trajectory.require_volume(what)
        trajectory.require_constant_cell(what)
        velocities = trajectory.require_velocities(what)
        masses = trajectory.masses / trajectory.masses.sum()
        own = velocities - np.einsum("n,tna->ta", masses, velocities)[:, None]
        twice = EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * np.einsum("n,tna,tna->t", trajectory.masses, own, own)
        freedom = 3 * max(1, trajectory.n_atoms - 1)
        return cls(own, float(twice.mean()) / (freedom * BOLTZMANN_EV_PER_K), float(trajectory.volumes[0]))


def pressure_tensors(
    trajectory: Trajectory, motion: Motion, potential: Potential, *, quiet: bool = False
) -> FloatArray:
    """(T, 3, 3) eV/Å³: Σ m v ⊗ v / V - σ."""
    moving = EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * np.einsum(
        "n,tna,tnb->tab", trajectory.masses, motion.velocities, motion.velocities
    )
    stresses = [cast(Tensor, one.stress).numpy() for one in _predicted(trajectory, potential, ("stress",), quiet=quiet)]
    return moving / motion.volume - np.concatenate(stresses)


def heat_flux(trajectory: Trajectory, motion: Motion, potential: Potential, *, quiet: bool = False) -> FloatArray:
    """(T, 3) eV Å/fs: Σ_i (ε_i v_i + W_i·v_i), with the energy ε_i of each atom, its kinetic energy among it, and its virial W_i.

    Per-atom virials of many-body potentials are not symmetric: of the nine numbers it is those that say how the energies of
    others change with the place of atom i (Z. Fan et al., Phys. Rev. B 92, 094301 (2015), equation 27). Energies are counted from
    the mean of each species: where atoms flow against each other that takes off a share of the mass currents, else a constant.
    """
    atoms = trajectory.n_atoms
    want: tuple[Quantity, ...] = ("energies", "atomic_virials")
    energies, carried, start = [], [], 0
    for one in _predicted(trajectory, potential, want, quiet=quiet):
        energies.append(cast(Tensor, one.energies).numpy().reshape(-1, atoms))
        virials = cast(Tensor, one.atomic_virials).numpy().reshape(-1, atoms, 3, 3)
        own = motion.velocities[start : start + len(virials)]
        carried.append(np.einsum("tnab,tnb->ta", virials, own))
        start += len(virials)
    squares = (motion.velocities**2).sum(axis=-1)
    each = np.concatenate(energies) + 0.5 * EV_PER_AMU_ANGSTROM_PER_FS_SQUARED * trajectory.masses * squares
    for number in trajectory.species:
        own = trajectory.numbers == number
        each[:, own] -= each[:, own].mean()
    return np.einsum("tn,tna->ta", each, motion.velocities) + np.concatenate(carried)


def mass_currents(trajectory: Trajectory, motion: Motion) -> FloatArray | None:
    """(M, T, 3) amu Å/fs, of all species but one, which follows from the others; None of a single species."""
    if len(trajectory.species) == 1:
        return None
    currents = []
    for number in trajectory.species[:-1]:
        own = trajectory.numbers == number
        currents.append(np.einsum("n,tna->ta", trajectory.masses[own], motion.velocities[:, own]))
    return np.array(currents)


def charge_current(trajectory: Trajectory, motion: Motion, charges: Mapping[str, float]) -> FloatArray:
    """(T, 3) e Å/fs, with a charge for each species, by symbol.

    Raises:
        UnknownSpecies: A species without a charge.
        ConfigurationError: The structure is not neutral, so that its current depends on how its centre of mass moves.
    """
    symbols = [chemical_symbols[number] for number in trajectory.species]
    missing = [symbol for symbol in symbols if symbol not in charges]
    if missing:
        raise UnknownSpecies(
            f"no charge of {', '.join(missing)}",
            place="charges",
            rule="the current is a sum over charges",
            mend=f"give each: --set charges.{missing[0]}=1",
        )
    each = np.array([charges[chemical_symbols[number]] for number in trajectory.numbers])
    if abs(each.sum()) > 1e-6 * len(each):
        raise ConfigurationError(
            f"charges add up to {each.sum():g} e",
            place="charges",
            rule="the current of a neutral structure is its own, whatever its centre of mass does",
            mend="give charges that add up to zero",
        )
    return np.einsum("n,tna->ta", each, motion.velocities)


def _predicted(
    trajectory: Trajectory, potential: Potential, want: tuple[Quantity, ...], *, quiet: bool
) -> list[Prediction]:
    """A few frames at a time."""
    atoms, frames = trajectory.n_atoms, trajectory.n_frames
    at_once = max(1, ATOMS_AT_ONCE // atoms)
    starts = range(0, frames, at_once)
    found = []
    for start in track(starts, "evaluating frames", quiet=quiet):
        count = min(at_once, frames - start)
        batch = Batch(
            positions=torch.from_numpy(trajectory.positions[start : start + count].reshape(-1, 3)),
            cell=torch.from_numpy(trajectory.cells[start : start + count]),
            pbc=torch.from_numpy(trajectory.pbc).expand(count, 3),
            numbers=torch.from_numpy(np.tile(trajectory.numbers, count)),
            system=torch.repeat_interleave(torch.arange(count), atoms),
        ).to(dtype=potential.dtype, device=potential.device)
        found.append(potential(batch, want=want).to(dtype=torch.float64, device="cpu"))
    return found
