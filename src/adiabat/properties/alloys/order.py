"""The order of an alloy at a temperature: which elements stand next to which, by Monte Carlo."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from adiabat.potential import Potential
from adiabat.properties.alloys.composition import shuffled
from adiabat.properties.alloys.shells import Shells, short_range_order
from adiabat.properties.measured import Measured
from adiabat.properties.sampled import (
    DRIFTING,
    chain_average,
    drift_of,
    energies_per_atom,
    measured_samples,
    require_chains,
)
from adiabat.results import EXACT, IN_MEMORY, Figure, Line, Result
from adiabat.sampling import ExchangeSettings, Samples, sample_exchanges
from adiabat.typing import FloatArray


@dataclass(frozen=True)
class AlloyOrder(Result):
    """Averages of the canonical ensemble of an alloy on its lattice, at a fixed cell.

    Attributes:
        formula: Of the cell.
        temperature_k: Of the ensemble.
        elements: (k).
        shell_distances_angstrom: (m).
        short_range_order: (m, k, k) Warren and Cowley's parameters: zero is random, negative likes unlike neighbours.
        short_range_order_std_sampling: (m, k, k).
        energy_ev_per_atom: Potential energy, vibrations in it.
        energy_ev_per_atom_std_sampling: Its standard error.
        chains: That were independent.
        sweeps: Of each, behind those of equilibration.
        accepted: Share of the exchanges.
        accepted_vibrations: Share of the short trajectories; None where there were none.
        drift_ev_per_atom: Of the energy, second half less first half.
        drift_ev_per_atom_std_sampling: Its standard error; where the drift is many of them, the chains were too short.
        energies_ev_per_atom: (T) over the chains, after each sweep.
        cells: (chains) as they ended.
    """

    formula: str
    temperature_k: float = field(metadata=EXACT)
    elements: tuple[str, ...]
    shell_distances_angstrom: FloatArray = field(metadata=EXACT)
    short_range_order: FloatArray
    short_range_order_std_sampling: FloatArray = field(metadata=EXACT)
    energy_ev_per_atom: float
    energy_ev_per_atom_std_sampling: float = field(metadata=EXACT)
    chains: int
    sweeps: int
    accepted: float = field(metadata=EXACT)
    accepted_vibrations: float | None = field(metadata=EXACT)
    drift_ev_per_atom: float = field(metadata=EXACT)
    drift_ev_per_atom_std_sampling: float = field(metadata=EXACT)
    energies_ev_per_atom: FloatArray = field(metadata=EXACT)
    cells: tuple[Atoms, ...] = field(metadata=IN_MEMORY)

    @property
    def drifts(self) -> bool:
        """Whether the chains had not come to equilibrium."""
        return abs(self.drift_ev_per_atom) > DRIFTING * self.drift_ev_per_atom_std_sampling


def alloy_order(
    cell: Atoms,
    potential: Potential,
    settings: ExchangeSettings,
    *,
    chains: int = 8,
    shells: int = 3,
    members: int | None = None,
    error_bars: bool = True,
    quiet: bool = False,
) -> Measured[AlloyOrder]:
    """Sample the places of the elements of an alloy; each chain begins at random.

    Args:
        cell: Atoms on the sites of a crystal; its composition stays.
        potential: Whose ensemble it is.
        settings: Temperature and length.
        chains: Independent ones, whose spread is the error of the sampling.
        shells: Of neighbours, the nearest first.
        members: Of the error bars of the potential.
        error_bars: Whether these are wanted.
        quiet: Show no progress.

    Raises:
        ConfigurationError: Too few chains.
        StructureError: One element, or no crystal.
    """
    require_chains(chains)
    around = Shells.of(cell, shells)
    numbers = sorted(set(cell.numbers.tolist()))
    counts = {chemical_symbols[number]: int((cell.numbers == number).sum()) for number in numbers}
    begun = [shuffled(cell, counts, settings.seed + chain) for chain in range(chains)]
    samples = sample_exchanges(begun, potential, settings, quiet=quiet)
    series = {
        "short_range_order": np.stack(
            [_orders(frame.numbers.numpy(), around, numbers, chains) for frame in samples.frames]
        ),
        "energy_ev_per_atom": energies_per_atom(samples),
    }
    result = _result(cell, settings, samples, series, around, tuple(counts))
    return measured_samples(
        result,
        samples,
        series,
        potential,
        temperature_k=settings.temperature_k,
        members=members,
        error_bars=error_bars,
        quiet=quiet,
    )


def _orders(numbers: np.ndarray, around: Shells, elements: Sequence[int], chains: int) -> FloatArray:
    """(S, m, k, k)."""
    return np.stack([short_range_order(row, around, elements) for row in numbers.reshape(chains, -1)])


def _result(
    cell: Atoms,
    settings: ExchangeSettings,
    samples: Samples,
    series: dict[str, FloatArray],
    around: Shells,
    elements: tuple[str, ...],
) -> AlloyOrder:
    order, order_error = chain_average(series["short_range_order"])
    energy, energy_error = chain_average(series["energy_ev_per_atom"])
    drift, drift_error = drift_of(series["energy_ev_per_atom"])
    return AlloyOrder(
        formula=cell.get_chemical_formula(),
        temperature_k=settings.temperature_k,
        elements=elements,
        shell_distances_angstrom=around.distances,
        short_range_order=order,
        short_range_order_std_sampling=order_error,
        energy_ev_per_atom=float(energy),
        energy_ev_per_atom_std_sampling=float(energy_error),
        chains=samples.frames[0].n_systems,
        sweeps=len(samples.frames),
        accepted=samples.accepted,
        accepted_vibrations=samples.accepted_vibrations,
        drift_ev_per_atom=drift,
        drift_ev_per_atom_std_sampling=drift_error,
        energies_ev_per_atom=series["energy_ev_per_atom"].mean(1),
        cells=tuple(samples.frames[-1].to_atoms()),
    )


def drift_figure(found: AlloyOrder) -> Figure:
    """Whether the chains have come to equilibrium."""
    sweeps = np.arange(len(found.energies_ev_per_atom), dtype=np.float64)
    line = Line(sweeps, found.energies_ev_per_atom, "mean over the chains")
    return Figure("drift", "Energy over the sweeps that count", "sweep", "energy (eV/atom)", (line,))


def order_sentences(found: AlloyOrder) -> tuple[str, ...]:
    """How it was sampled."""
    vibrations = "atoms stay" if found.accepted_vibrations is None else f"of vibrations {found.accepted_vibrations:.0%}"
    said = (
        f"{found.formula} at {found.temperature_k:g} K: {found.chains} chains of {found.sweeps} sweeps; accepted: "
        f"{found.accepted:.1%} of the exchanges, {vibrations}",
    )
    if found.drifts:
        said += (
            f"NOT IN EQUILIBRIUM: the energy still drifts, by {found.drift_ev_per_atom:.2g} eV/atom between the halves: take more "
            "sweeps of equilibration",
        )
    return said
