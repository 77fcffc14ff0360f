"""Monte Carlo over which atom stands on which site: exchanges, transmutations, and vibrations of all atoms in between.

Canonical: two atoms of different elements change places; semi-grand: an atom becomes another element, at given differences of
chemical potential. Both by N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953). Between them positions are moved by hybrid Monte Carlo,
S. Duane et al., Phys. Lett. B 195, 216 (1987), so that the ensemble is that of the vibrating crystal at its cell: nothing is relaxed, and no
time step biases it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers
from torch import Tensor

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import Potential
from adiabat.runs import track
from adiabat.sampling.vibrate import Vibrations
from adiabat.simulate import Streams
from adiabat.system import Batch
from adiabat.typing import FloatArray
from adiabat.units import BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class ExchangeSettings:
    """How the ensemble is sampled.

    Attributes:
        temperature_k: Of the ensemble.
        sweeps: That are kept, each with one frame.
        equilibration_sweeps: That are not, before them; the time step of vibrations is found in them.
        moves_per_sweep: Exchanges or transmutations; None for one a site.
        vibrations_per_sweep: Short trajectories, each accepted or not; 0 leaves atoms where they stand.
        seed: Of the random numbers.

    Raises:
        ConfigurationError: A value out of its range.
    """

    temperature_k: float
    sweeps: int = 100
    equilibration_sweeps: int = 50
    moves_per_sweep: int | None = None
    vibrations_per_sweep: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"temperature_k": 0.0, "sweeps": 1, "equilibration_sweeps": 0, "vibrations_per_sweep": 0}
        for name, bound in least.items():
            value = getattr(self, name)
            if not (bound <= value < math.inf) or (name == "temperature_k" and value == 0):
                raise ConfigurationError(
                    f"{value} was given",
                    place=name,
                    rule=f"it is {bound or 'more than 0'} or more",
                    mend="give another",
                )


@dataclass(frozen=True)
class Samples:
    """Frames of chains that sample one ensemble.

    Attributes:
        frames: One batch of all chains for each sweep that was kept.
        energies_ev: (T, S).
        accepted: Share of the exchanges.
        accepted_vibrations: Share of the short trajectories; None where there were none.
        timestep_fs: Of these, as it was found.
    """

    frames: tuple[Batch, ...]
    energies_ev: FloatArray
    accepted: float
    accepted_vibrations: float | None
    timestep_fs: float


def sample_exchanges(
    structures: Sequence[Atoms],
    potential: Potential,
    settings: ExchangeSettings,
    *,
    sites: Sequence[int] | None = None,
    differences_ev: Mapping[str, float] | None = None,
    quiet: bool = False,
) -> Samples:
    """Sample the places of elements in several independent chains, all evaluated together.

    Args:
        structures: Where chains begin: one cell, each with its own arrangement of elements.
        potential: Whose ensemble it is.
        settings: Temperature and length.
        sites: Whose elements are exchanged; all by default.
        differences_ev: By element its chemical potential, counted from any zero: the semi-grand ensemble, in which a site takes one of
            these elements; None for exchanges, which keep the composition.
        quiet: Show no progress.

    Raises:
        StructureError: Chains differ in their cell; or all sites hold one element, so that nothing can be exchanged.
        ConfigurationError: Fewer than two elements in the semi-grand ensemble.
        UnknownSpecies: As of the potential.
    """
    _require_alike(structures)
    chosen = np.arange(len(structures[0])) if sites is None else np.asarray(sites, dtype=np.int64)
    _require_choice(structures, chosen, differences_ev)
    chains = _Chains(Batch.from_atoms(structures), potential, settings, chosen, differences_ev)
    frames: list[Batch] = []
    energies: list[FloatArray] = []
    total = settings.equilibration_sweeps + settings.sweeps
    for sweep in track(range(total), "Monte Carlo sweeps", quiet=quiet):
        chains.sweep(sweep, kept=sweep >= settings.equilibration_sweeps)
        if sweep >= settings.equilibration_sweeps:
            frames.append(chains.batch)
            energies.append(chains.energy.copy())
    return Samples(
        frames=tuple(frames),
        energies_ev=np.stack(energies),
        accepted=chains.accepted / max(chains.tried, 1),
        accepted_vibrations=chains.vibrations.share,
        timestep_fs=chains.vibrations.timestep_fs,
    )


class _Chains:
    """The chains where they stand."""

    def __init__(
        self,
        batch: Batch,
        potential: Potential,
        settings: ExchangeSettings,
        sites: np.ndarray,
        differences_ev: Mapping[str, float] | None,
    ) -> None:
        self.batch, self._potential, self._settings, self._sites = batch, potential, settings, sites
        self._beta = 1 / (BOLTZMANN_EV_PER_K * settings.temperature_k)
        self._moves = settings.moves_per_sweep or len(sites)
        self._worth = None
        if differences_ev is not None:
            self._worth = {atomic_numbers[symbol]: value for symbol, value in differences_ev.items()}
        self._streams = Streams.of(batch, settings.seed)
        self.vibrations = Vibrations(potential, settings.temperature_k, self._streams)
        self.energy = energies_of(batch, potential)
        self.accepted = self.tried = 0

    def sweep(self, number: int, *, kept: bool) -> None:
        """Exchanges, then short trajectories."""
        drawn = self._streams.uniform_per_system(3 * self._moves, "exchange", step=number)
        chains = self.batch.n_systems
        for u in drawn.reshape(chains, self._moves, 3).transpose(1, 0, 2):
            self._exchange(u)
        for place in range(self._settings.vibrations_per_sweep):
            step = number * self._settings.vibrations_per_sweep + place
            self.batch, self.energy = self.vibrations.move(self.batch, self.energy, step=step, adapt=not kept)

    def _exchange(self, u: FloatArray) -> None:
        """One try in each chain, with random numbers (S, 3)."""
        numbers = self.batch.numbers.numpy().reshape(self.batch.n_systems, -1)
        tried, gain = numbers.copy(), np.zeros(len(numbers))
        for chain, row in enumerate(tried):
            gain[chain] = self._swap(row, u[chain]) if self._worth is None else self._transmute(row, u[chain])
        batch = self.batch.replace(numbers=torch.from_numpy(tried.ravel()))
        found = energies_of(batch, self._potential)
        accepted = np.log1p(-u[:, 2]) < self._beta * (gain - (found - self.energy))
        after = np.where(accepted[:, None], tried, numbers)
        self.batch = self.batch.replace(numbers=torch.from_numpy(after.ravel()))
        self.energy = np.where(accepted, found, self.energy)
        self.accepted += int(accepted.sum())
        self.tried += len(accepted)

    def _swap(self, row: np.ndarray, u: FloatArray) -> float:
        """Exchange two unlike atoms: the first any, the second any unlike it, as likely forwards as backwards."""
        sites = self._sites
        first = sites[int(u[0] * len(sites))]
        others = sites[row[sites] != row[first]]
        second = others[int(u[1] * len(others))]
        row[[first, second]] = row[[second, first]]
        return 0.0

    def _transmute(self, row: np.ndarray, u: FloatArray) -> float:
        """Make an atom another element; what its chemical potential gains."""
        assert self._worth is not None  # the caller looked
        site = self._sites[int(u[0] * len(self._sites))]
        others = [number for number in self._worth if number != row[site]]
        taken = others[int(u[1] * len(others))]
        gain = self._worth[taken] - self._worth[int(row[site])]
        row[site] = taken
        return gain


def energies_of(batch: Batch, potential: Potential) -> FloatArray:
    """(S,) eV, in float64 whatever the potential evaluates in."""
    found = potential(batch.to(dtype=potential.dtype, device=potential.device), want=("energy",))
    energy: Tensor | None = found.energy
    assert energy is not None  # it was asked for
    return energy.double().cpu().numpy()


def _require_alike(structures: Sequence[Atoms]) -> None:
    first = structures[0]
    for place, atoms in enumerate(structures):
        if len(atoms) != len(first) or not np.allclose(atoms.cell.array, first.cell.array):
            raise StructureError(
                f"chain {place} has {len(atoms)} atoms in the cell {np.round(atoms.cell.array, 3).tolist()}",
                place="Monte Carlo",
                rule="all chains have the sites and the cell of the first",
                mend="begin all chains from one cell, with its elements shuffled",
            )


def _require_choice(structures: Sequence[Atoms], sites: np.ndarray, differences_ev: Mapping[str, float] | None) -> None:
    symbols = sorted({str(symbol) for atoms in structures for symbol in np.array(atoms.get_chemical_symbols())[sites]})
    if differences_ev is None and len(symbols) < 2:
        raise StructureError(
            f"all sites hold {', '.join(symbols)}",
            place="Monte Carlo",
            rule="exchanges are of two elements or more",
            mend="put a second element on some sites, or give chemical potentials (the semi-grand ensemble)",
        )
    if differences_ev is not None and (len(differences_ev) < 2 or not set(symbols) <= set(differences_ev)):
        raise ConfigurationError(
            f"chemical potentials of {', '.join(differences_ev) or 'nothing'} for sites of {', '.join(symbols)}",
            place="chemical potentials",
            rule="the semi-grand ensemble takes one for each element on the sites, of two elements or more",
            mend="name all of them; only their differences count",
        )
