"""A path and its error bars: the paths of a committee's members, each between its own minima."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from adiabat.potential import Potential
from adiabat.properties.measured import Measured, measured
from adiabat.properties.paths.band import BandSettings
from adiabat.properties.paths.ends import Ends, OneMinimum, path_ends
from adiabat.properties.paths.neb import MinimumEnergyPath, has_barrier, relaxed_path, with_vibrations
from adiabat.properties.paths.rates import log10_rate

NORMAL_95 = 1.96


@dataclass
class MemberPaths:
    """The path of a potential, and that of any member: a property that `measured` takes.

    A member that sees no barrier is not left out, for that would make the barrier's error bar too small: it counts with the energy that it
    has to climb (none, where it goes down or where both ends slide into one), and with the potential's own prefactor.

    Attributes:
        ends: Of the potential's path.
        potential: It.
        own: Its path.
        how: Springs, and when it is enough.
        without_barrier: Members so far that saw none.
    """

    ends: Ends
    potential: Potential
    own: MinimumEnergyPath
    how: BandSettings
    without_barrier: int = field(default=0, init=False)

    def __call__(self, member: Potential) -> MinimumEnergyPath:
        """Of one of them."""
        if member is self.potential:
            return self.own
        try:
            ends = path_ends(self.ends.first, self.ends.last, member)
        except OneMinimum:
            self.without_barrier += 1
            return self._flat(self.own, np.zeros_like(self.own.energies_ev))
        guess = torch.from_numpy(np.stack([atoms.positions for atoms in self.own.images]))
        found = relaxed_path(
            ends, member, images=len(guess) - 2, how=self.how, guess=guess, temperatures_k=self.own.temperatures_k
        )
        if has_barrier(found):
            verified = self.own.negative_modes is not None and found.converged
            return with_vibrations(found, ends, member) if verified else found
        self.without_barrier += 1
        return self._flat(found, found.energies_ev)

    def _flat(self, found: MinimumEnergyPath, energies_ev: np.ndarray) -> MinimumEnergyPath:
        climbed, prefactor = float(energies_ev.max()), self.own.log10_prefactor_per_s
        found = replace(
            found,
            energies_ev=energies_ev,
            barrier_ev=climbed,
            reverse_barrier_ev=climbed - float(energies_ev[-1]),
            reaction_energy_ev=float(energies_ev[-1]),
        )
        if prefactor is None:
            return found
        return replace(
            found,
            unstable_frequency_thz=0.0,
            log10_prefactor_per_s=prefactor,
            log10_rate_per_s=log10_rate(prefactor, climbed, found.temperatures_k),
            wigner_factor=np.ones_like(found.temperatures_k),
        )


def measured_path(
    paths: MemberPaths, *, members: int | None = None, error_bars: bool = True, quiet: bool = False
) -> Measured[MinimumEnergyPath]:
    """A path with its error bars, and the 95 % interval of each rate.

    The interval is symmetric in the rate's logarithm, so that it reaches farther up than down.

    Args:
        paths: Of the potential.
        members: As `measured` takes them, and what follows.
        error_bars: Whether they are wanted.
        quiet: Show no progress.
    """
    found = measured(paths, paths.potential, members=members, error_bars=error_bars, quiet=quiet)
    if found.error_bars is None:
        return found
    result = replace(found.result, members_without_barrier=paths.without_barrier)
    if result.log10_rate_per_s is not None:
        bars = NORMAL_95 * np.asarray(found.error_bars["log10_rate_per_s"].std)
        low, high = 10.0 ** (result.log10_rate_per_s - bars), 10.0 ** (result.log10_rate_per_s + bars)
        result = replace(result, rate_low_95_per_s=low, rate_high_95_per_s=high)
    return replace(found, result=result)
