"""Segregation to grain boundaries: where atoms of a second element stand, by Monte Carlo.

Canonical, at a share of the element; or semi-grand, at its chemical potential. D. McLean, Grain Boundaries in Metals (Oxford, 1957); B. Sadigh et
al., Phys. Rev. B 85, 184203 (2012).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.alloys.composition import counts_of, shuffled
from adiabat.properties.boundaries.bicrystal import area_of
from adiabat.properties.measured import Measured
from adiabat.properties.sampled import DRIFTING, chain_average, drift_of, measured_samples, require_chains
from adiabat.results import EXACT, IN_MEMORY, Figure, Line, Result
from adiabat.sampling import ExchangeSettings, Samples, sample_exchanges
from adiabat.typing import FloatArray, IntArray

BULK = 1 / 3
"""Of the sites, those farthest from the boundaries, by which the share in the grains is told."""

BIN_ANGSTROM = 0.8
"""Of the profile: about a plane."""

ANGSTROM_SQUARED_PER_NM_SQUARED = 100.0


@dataclass(frozen=True)
class Segregation(Result):
    """Averages of an ensemble of two elements on the sites of a bicrystal, its cell fixed.

    Attributes:
        formula: Of the bicrystal as the first chain ends.
        element: That segregates.
        host: In whose crystal.
        temperature_k: Of the ensemble.
        difference_ev: Of the chemical potentials, element less host, as the potential counts; None of the canonical ensemble.
        share: Of the element, over all sites.
        share_std_sampling: Its standard error.
        bulk_share: In the third of the sites that is farthest from the boundaries.
        bulk_share_std_sampling: Its standard error.
        excess_per_square_nanometer: Atoms at a boundary beyond those that the share in the bulk makes.
        excess_per_square_nanometer_std_sampling: Its standard error.
        distances_angstrom: (p) of the profile's bins from the nearest boundary.
        sites: (p) in each.
        profile: (p) share of the element.
        profile_std_sampling: (p).
        accepted: Share of the exchanges or transmutations.
        accepted_vibrations: Share of the short trajectories; None where there were none.
        chains: That were independent.
        sweeps: Of each that count.
        drift_of_excess: Second half less first half, in the unit of the excess.
        drift_of_excess_std_sampling: Its standard error.
        cells: (chains) as they ended.
    """

    formula: str
    element: str
    host: str
    temperature_k: float = field(metadata=EXACT)
    difference_ev: float | None = field(metadata=EXACT)
    share: float
    share_std_sampling: float = field(metadata=EXACT)
    bulk_share: float
    bulk_share_std_sampling: float = field(metadata=EXACT)
    excess_per_square_nanometer: float
    excess_per_square_nanometer_std_sampling: float = field(metadata=EXACT)
    distances_angstrom: FloatArray = field(metadata=EXACT)
    sites: tuple[int, ...]
    profile: FloatArray
    profile_std_sampling: FloatArray = field(metadata=EXACT)
    accepted: float = field(metadata=EXACT)
    accepted_vibrations: float | None = field(metadata=EXACT)
    chains: int
    sweeps: int
    drift_of_excess: float = field(metadata=EXACT)
    drift_of_excess_std_sampling: float = field(metadata=EXACT)
    cells: tuple[Atoms, ...] = field(metadata=IN_MEMORY)

    @property
    def drifts(self) -> bool:
        """Whether the chains had not come to equilibrium."""
        return abs(self.drift_of_excess) > DRIFTING * max(self.drift_of_excess_std_sampling, 1e-12)


def segregation(
    boundary: Atoms,
    potential: Potential,
    element: str,
    settings: ExchangeSettings,
    *,
    share: float | None = None,
    difference_ev: float | None = None,
    chains: int = 8,
    members: int | None = None,
    error_bars: bool = True,
    quiet: bool = False,
) -> Measured[Segregation]:
    """Where atoms of an element stand in a bicrystal of another.

    Args:
        boundary: Of one element, at rest, its boundaries at the bottom and in the middle of the cell along the third vector.
        potential: Whose ensemble it is.
        element: That segregates.
        settings: Temperature and length.
        share: Of the sites: the canonical ensemble; or
        difference_ev: Of the chemical potentials, element less host: the semi-grand one.
        chains: Independent ones.
        members: Of the error bars of the potential.
        error_bars: Whether these are wanted.
        quiet: Show no progress.

    Raises:
        StructureError: The bicrystal holds several elements, or the one that is to segregate.
        ConfigurationError: Both or neither of share and difference, too few chains, or a share without atoms.
    """
    require_chains(chains)
    host = _host(boundary, element)
    _require_one(share, difference_ev)
    if share is None:
        first = {element: 1, host: len(boundary) - 1}
        begun = [shuffled(boundary, first, settings.seed + chain) for chain in range(chains)]
        worth: Mapping[str, float] | None = {element: float(difference_ev or 0.0), host: 0.0}
    else:
        begun = [_some(boundary, host, element, share, settings.seed + chain) for chain in range(chains)]
        worth = None
    samples = sample_exchanges(begun, potential, settings, differences_ev=worth, quiet=quiet)
    bins, distances = bins_of(boundary)
    series = _series(samples, atomic_numbers[element], bins, 2 * area_of(boundary) / ANGSTROM_SQUARED_PER_NM_SQUARED)
    result = _result(
        samples,
        series,
        bins,
        distances,
        (element, host),
        temperature_k=settings.temperature_k,
        difference_ev=difference_ev,
    )
    if share is not None:  # the composition is chosen, not sampled
        series = {name: values for name, values in series.items() if name != "share"}
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


def bins_of(boundary: Atoms) -> tuple[IntArray, FloatArray]:
    """(N,) the bin of each site, by its distance from the nearest boundary; and (p,) mean distances in Å."""
    cell = boundary.cell.array
    normal = np.cross(cell[0], cell[1])
    normal /= np.linalg.norm(normal)
    half = float(cell[2] @ normal) / 2
    away = (boundary.positions @ normal) % half
    distance = np.minimum(away, half - away)
    _, bins = np.unique((distance / BIN_ANGSTROM).astype(int), return_inverse=True)
    return bins, np.bincount(bins, distance) / np.bincount(bins)


def _series(samples: Samples, number: int, bins: IntArray, area: float) -> dict[str, FloatArray]:
    """Of each frame and chain, by the name of the field that is its average."""
    chains = samples.frames[0].n_systems
    there = np.stack([frame.numbers.numpy().reshape(chains, -1) == number for frame in samples.frames]).astype(float)
    count = np.bincount(bins)
    member = (bins[:, None] == np.arange(len(count))).astype(float) / count
    bulk = there[..., _bulk(bins)].mean(-1)
    return {
        "share": there.mean(-1),
        "bulk_share": bulk,
        "excess_per_square_nanometer": (there.sum(-1) - bulk * len(bins)) / area,
        "profile": there @ member,
    }


def _bulk(bins: IntArray) -> IntArray:
    """Sites of the farthest bins that hold a third of all, or more."""
    count = np.bincount(bins)
    from_far = np.cumsum(count[::-1])
    first = len(count) - 1 - int(np.searchsorted(from_far, BULK * len(bins)))
    return np.flatnonzero(bins >= first)


def _result(
    samples: Samples,
    series: Mapping[str, FloatArray],
    bins: IntArray,
    distances: FloatArray,
    elements: tuple[str, str],
    *,
    temperature_k: float,
    difference_ev: float | None,
) -> Segregation:
    averages = {name: chain_average(values) for name, values in series.items()}
    numbers = {}
    for name in ("share", "bulk_share", "excess_per_square_nanometer"):
        numbers[name], numbers[f"{name}_std_sampling"] = (float(value) for value in averages[name])
    drift, drift_error = drift_of(series["excess_per_square_nanometer"])
    cells = tuple(samples.frames[-1].to_atoms())
    return Segregation(
        formula=cells[0].get_chemical_formula(),
        element=elements[0],
        host=elements[1],
        temperature_k=temperature_k,
        difference_ev=difference_ev,
        **numbers,
        distances_angstrom=distances,
        sites=tuple(np.bincount(bins).tolist()),
        profile=averages["profile"][0],
        profile_std_sampling=averages["profile"][1],
        accepted=samples.accepted,
        accepted_vibrations=samples.accepted_vibrations,
        chains=len(cells),
        sweeps=len(samples.frames),
        drift_of_excess=drift,
        drift_of_excess_std_sampling=drift_error,
        cells=cells,
    )


def _host(boundary: Atoms, element: str) -> str:
    symbols = sorted(set(boundary.get_chemical_symbols()))
    if element not in atomic_numbers or symbols == [element] or len(symbols) > 1:
        raise StructureError(
            f"'{element}' in a bicrystal of {', '.join(symbols)}",
            place="segregation",
            rule="another element segregates in a bicrystal of one",
            mend="give the bicrystal that `adiabat boundary --out` writes, and another element",
        )
    return symbols[0]


def _require_one(share: float | None, difference_ev: float | None) -> None:
    if (share is None) == (difference_ev is None) or (share is not None and not 0 < share < 1):
        raise ConfigurationError(
            f"share {share}, difference of chemical potentials {difference_ev}",
            place="segregation",
            rule="one of the two: a share between 0 and 1 (canonical), or a difference in eV (semi-grand)",
            mend="--share 0.05, or --difference-ev 0.1",
        )


def _some(boundary: Atoms, host: str, element: str, share: float, seed: int) -> Atoms:
    return shuffled(boundary, counts_of({element: share, host: 1 - share}, len(boundary)), seed)


def segregation_sentences(found: Segregation) -> tuple[str, ...]:
    """How it was sampled."""
    ensemble = "canonical" if found.difference_ev is None else f"semi-grand, μ difference {found.difference_ev:.4f} eV"
    vibrations = "atoms stay" if found.accepted_vibrations is None else f"of vibrations {found.accepted_vibrations:.0%}"
    said = (
        f"{found.element} in {found.host} at {found.temperature_k:g} K, {ensemble}: {found.chains} chains of {found.sweeps} sweeps; "
        f"accepted: {found.accepted:.1%} of the moves, {vibrations}",
    )
    if found.drifts:
        said += ("NOT IN EQUILIBRIUM: the excess still drifts between the halves: take more sweeps of equilibration",)
    return said


def segregation_figures(found: Measured[Segregation]) -> tuple[Figure, ...]:
    """The profile."""
    result, std = found.result, found.std("profile")
    band = result.profile_std_sampling if std is None else np.hypot(np.asarray(std), result.profile_std_sampling)
    line = Line(result.distances_angstrom, result.profile, result.element, band=band)
    flat = np.full(2, result.bulk_share)
    bulk = Line(result.distances_angstrom[[0, -1]], flat, "in the bulk", dashed=True)
    return (
        Figure(
            "profile",
            f"{result.element} by the distance from the boundary",
            "distance (Å)",
            "share of the sites",
            (line, bulk),
            note="The band is one standard deviation of the sampling wide either way"
            + ("." if std is None else ", and of the potential."),
        ),
    )
