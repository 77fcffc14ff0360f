"""The minimum-energy path between two minima, its saddle, and the rate across it."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from adiabat.errors import ConfigurationError, SimulationError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.paths.band import Band, BandSettings, Surface, relax_band
from adiabat.properties.paths.ends import Ends, nearest_images
from adiabat.properties.paths.guess import bent
from adiabat.properties.paths.modes import Modes, modes
from adiabat.properties.paths.rates import eckart, log10_prefactor, log10_rate, wigner
from adiabat.properties.relaxation import RelaxationSettings, relax
from adiabat.results import EXACT, IN_MEMORY, Result
from adiabat.system import Batch
from adiabat.typing import FloatArray

TEMPERATURES_K = np.array([300.0, 500.0, 700.0, 1000.0])
DEFAULT = BandSettings()
CLIMB_FROM = 10.0
"""Times the tolerance: what is left of the forces when the highest image begins to climb."""

OFF_SADDLE_ANGSTROM = 0.1
"""The farthest moved atom, along the unstable mode either way, before the sides are relaxed."""

SAME_ANGSTROM = 0.3
"""Within which every atom is, where a side has come to an end of the path."""

DIP_EV = 0.01
"""A minimum between the ends that is deeper is one to split the path at."""


@dataclass(frozen=True)
class MinimumEnergyPath(Result):
    """A path, its barrier, and what was verified of its saddle.

    Attributes:
        formula: Of the structure.
        converged: Whether the band is at rest.
        advice: What to do where it is not; None where it is.
        steps: That were made.
        largest_force_ev_per_angstrom: That the band leaves.
        path_angstrom: (M,) length along the path, over all atoms.
        energies_ev: (M,) above the first end.
        barrier_ev: From the first end to the highest image, which has climbed to the saddle.
        reverse_barrier_ev: From the last end.
        reaction_energy_ev: Of the last end, above the first.
        dips: Images that are minima between the ends.
        negative_modes: Of the saddle: one; None where it was not looked for, as what follows.
        leads_to_ends: Whether the two sides of the saddle come to the two ends.
        unstable_frequency_thz: Of the saddle, as a positive number.
        log10_prefactor_per_s: Of Vineyard's prefactor, from the first end.
        temperatures_k: (T,).
        log10_rate_per_s: (T,) of ν exp(-E/kT), without tunnelling.
        wigner_factor: (T,) by how much tunnelling speeds it up, to first order.
        rate_per_s: (T,) without tunnelling.
        members_without_barrier: Of the error bars, how many see none; None where there are no error bars.
        rate_low_95_per_s: (T,) lower end of the 95 % interval; None where there are no error bars.
        rate_high_95_per_s: (T,) upper end.
        images: (M) structures.
        eckart_factor: (T,) by how much tunnelling through Eckart's barrier speeds it up.
    """

    formula: str
    converged: bool
    advice: str | None
    steps: int
    largest_force_ev_per_angstrom: float = field(metadata=EXACT)
    path_angstrom: FloatArray
    energies_ev: FloatArray
    barrier_ev: float
    reverse_barrier_ev: float
    reaction_energy_ev: float
    dips: tuple[int, ...]
    negative_modes: int | None
    leads_to_ends: bool | None
    unstable_frequency_thz: float | None
    log10_prefactor_per_s: float | None
    temperatures_k: FloatArray = field(metadata=EXACT)
    log10_rate_per_s: FloatArray | None
    wigner_factor: FloatArray | None
    rate_per_s: FloatArray | None = field(metadata=EXACT)
    rate_low_95_per_s: FloatArray | None = field(metadata=EXACT)
    rate_high_95_per_s: FloatArray | None = field(metadata=EXACT)
    members_without_barrier: int | None
    images: tuple[Atoms, ...] = field(metadata=IN_MEMORY)
    eckart_factor: FloatArray | None = field(default=None, metadata=EXACT)


def minimum_energy_path(
    ends: Ends,
    potential: Potential,
    *,
    images: int = 7,
    how: BandSettings = DEFAULT,
    guess: Tensor | None = None,
    vibrations: bool = True,
    temperatures_k: FloatArray = TEMPERATURES_K,
) -> MinimumEnergyPath:
    """A nudged elastic band whose highest image climbs; all images are evaluated together.

    Args:
        ends: As `path_ends` makes them.
        potential: On whose surface the path lies.
        images: Between the ends.
        how: Springs, and when it is enough; the highest image climbs in any case.
        guess: (M, N, 3) Å, ends among them, in place of the line that keeps atoms apart.
        vibrations: Verify the saddle and take its rate; 6 N evaluations of N atoms, twice.
        temperatures_k: (T,) of the rates.

    Raises:
        ConfigurationError: Too few images.
        SimulationError: The energy rises all the way to one of the ends: there is no barrier between them.
    """
    found = relaxed_path(ends, potential, images=images, how=how, temperatures_k=temperatures_k, guess=guess)
    _require_barrier(found)
    return with_vibrations(found, ends, potential) if vibrations and found.converged else found


def relaxed_path(
    ends: Ends,
    potential: Potential,
    *,
    images: int,
    how: BandSettings,
    temperatures_k: FloatArray,
    guess: Tensor | None = None,
) -> MinimumEnergyPath:
    """The band alone, its saddle not verified, whether there is a barrier or not.

    Args:
        ends: As of `minimum_energy_path`, and what follows.
        potential: Likewise.
        images: Likewise.
        how: Likewise.
        temperatures_k: Likewise.
        guess: Likewise.

    Raises:
        ConfigurationError: Too few images.
    """
    _require_images(images)
    moves = torch.from_numpy(ends.moves)
    begin = bent(ends, images) if guess is None else guess
    surface = energy_surface(ends.first, potential)
    at_ends = torch.from_numpy(evaluated(potential, [ends.first, ends.last], "energy")[0])
    rough = relax_band(surface, begin, at_ends, moves, replace(how, tolerance=CLIMB_FROM * how.tolerance, climb=False))
    band = relax_band(surface, rough.images, at_ends, moves, replace(how, climb=True))
    return _path(band, ends, how, rough.steps + band.steps, temperatures_k)


def energy_surface(atoms: Atoms, potential: Potential) -> Surface:
    """Energies and forces of images of a structure, all in one evaluation."""
    one = Batch.from_atoms(atoms)

    def surface(images: Tensor) -> tuple[Tensor, Tensor]:
        count = len(images)
        batch = Batch(
            positions=images.reshape(-1, 3),
            cell=one.cell.repeat(count, 1, 1),
            pbc=one.pbc.repeat(count, 1),
            numbers=one.numbers.repeat(count),
            system=torch.arange(count).repeat_interleave(one.n_atoms),
        )
        found = potential(batch.to(dtype=potential.dtype, device=potential.device), want=("energy", "forces"))
        found = found.to(dtype=torch.float64, device="cpu")
        assert found.energy is not None  # they were asked for
        assert found.forces is not None
        return found.energy, found.forces.reshape(images.shape)

    return surface


def _require_images(images: int) -> None:
    if images < 3:
        raise ConfigurationError(
            f"{images} images were asked for",
            place="images",
            rule="a path has three or more between its ends",
            mend="ask for 5 to 9",
        )


def has_barrier(found: MinimumEnergyPath) -> bool:
    """Whether the highest image lies between the ends."""
    return 0 < int(found.energies_ev.argmax()) < len(found.energies_ev) - 1


def _require_barrier(found: MinimumEnergyPath) -> None:
    if not has_barrier(found):
        raise SimulationError(
            f"the energy is highest at the {'last' if found.energies_ev.argmax() else 'first'} end",
            place=f"path of {found.formula}",
            rule="a barrier lies between the ends",
            mend="more images may find a low one; or that end is no minimum of its own: see where it slides to",
        )


def _path(band: Band, ends: Ends, how: BandSettings, steps: int, temperatures_k: FloatArray) -> MinimumEnergyPath:
    energies = (band.energies - band.energies[0]).numpy()
    lengths = torch.linalg.vector_norm(band.images[1:] - band.images[:-1], dim=(1, 2)).numpy()
    converged = band.largest_force <= how.tolerance
    left = f"forces up to {band.largest_force:.2g} eV/Å are left after {steps} steps"
    return MinimumEnergyPath(
        formula=ends.first.get_chemical_formula(),
        converged=converged,
        advice=None if converged else f"{left}: allow more steps, or split the path at a minimum between the ends",
        steps=steps,
        largest_force_ev_per_angstrom=band.largest_force,
        path_angstrom=np.concatenate([[0.0], lengths.cumsum()]),
        energies_ev=energies,
        barrier_ev=float(energies.max()),
        reverse_barrier_ev=float(energies.max() - energies[-1]),
        reaction_energy_ev=float(energies[-1]),
        dips=_dips(energies),
        negative_modes=None,
        leads_to_ends=None,
        unstable_frequency_thz=None,
        log10_prefactor_per_s=None,
        temperatures_k=temperatures_k,
        log10_rate_per_s=None,
        wigner_factor=None,
        rate_per_s=None,
        rate_low_95_per_s=None,
        rate_high_95_per_s=None,
        members_without_barrier=None,
        images=tuple(_structure(ends.first, image) for image in band.images),
    )


def _dips(energies: FloatArray) -> tuple[int, ...]:
    """Images that lie deeper than the tops on either side of them."""
    found = []
    for place in range(1, len(energies) - 1):
        top = min(energies[:place].max(), energies[place + 1 :].max())
        lower = energies[place] <= min(energies[place - 1], energies[place + 1])
        if lower and top - energies[place] > DIP_EV:
            found.append(place)
    return tuple(found)


def _structure(first: Atoms, image: Tensor) -> Atoms:
    atoms = first.copy()
    atoms.set_positions(image.numpy(), apply_constraint=False)
    return atoms


def with_vibrations(found: MinimumEnergyPath, ends: Ends, potential: Potential) -> MinimumEnergyPath:
    """A path that has come to rest, with its saddle verified, and rates where it is one."""
    saddle = found.images[int(found.energies_ev.argmax())]
    at_saddle = modes(saddle, potential, ends.moves)
    verified = replace(
        found,
        negative_modes=at_saddle.negative,
        leads_to_ends=_leads_to_ends(saddle, at_saddle, ends, potential),
    )
    at_first = modes(ends.first, potential, ends.moves)
    if at_saddle.negative != 1 or at_first.negative:
        return verified
    prefactor, temperatures = log10_prefactor(at_first, at_saddle), found.temperatures_k
    unstable = float(-at_saddle.frequencies_thz[0])
    rates = log10_rate(prefactor, found.barrier_ev, temperatures)
    return replace(
        verified,
        unstable_frequency_thz=unstable,
        log10_prefactor_per_s=prefactor,
        log10_rate_per_s=rates,
        wigner_factor=wigner(unstable, temperatures),
        eckart_factor=eckart(unstable, found.barrier_ev, found.reverse_barrier_ev, temperatures),
        rate_per_s=10.0**rates,
    )


def _leads_to_ends(saddle: Atoms, at_saddle: Modes, ends: Ends, potential: Potential) -> bool:
    sides = []
    for sign in (1.0, -1.0):
        side = saddle.copy()
        side.set_positions(saddle.positions + sign * OFF_SADDLE_ANGSTROM * at_saddle.lowest, apply_constraint=False)
        sides.append(side)
    one, other = (
        found.atoms for found in relax(sides, potential, RelaxationSettings(force_tolerance_ev_per_angstrom=0.01))
    )
    straight = _same(one, ends.first) and _same(other, ends.last)
    return straight or (_same(one, ends.last) and _same(other, ends.first))


def _same(atoms: Atoms, end: Atoms) -> bool:
    moved = atoms.positions - end.positions
    moved -= moved.mean(0) if end.pbc.all() and not end.constraints else 0.0
    return bool(np.linalg.norm(nearest_images(moved, end), axis=1).max() < SAME_ANGSTROM)
