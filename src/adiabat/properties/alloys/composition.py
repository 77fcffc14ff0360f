"""Compositions of alloys: shares by element, and whole atoms on a number of sites."""

from collections.abc import Mapping

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.formula import Formula

from adiabat.errors import ConfigurationError


def composition_of(text: str) -> dict[str, float]:
    """``NbMoTaW``, ``W3Ta`` or ``W=0.9,Ta=0.1`` as shares that sum to one.

    Raises:
        ConfigurationError: It is neither, an element is unknown, or a share is not positive.
    """
    try:
        if "=" in text:
            pairs = [word.partition("=") for word in text.split(",")]
            given = {symbol.strip(): float(number) for symbol, _, number in pairs}
            if len(given) < len(pairs):
                raise ValueError
        else:
            given = {symbol: float(number) for symbol, number in Formula(text).count().items()}
    except ValueError:
        given = {}
    if not given or any(symbol not in atomic_numbers or not 0 < share < np.inf for symbol, share in given.items()):
        raise ConfigurationError(
            f"'{text}' was given",
            place="composition",
            rule="a formula, or a positive share for each element",
            mend="NbMoTaW, or W=0.9,Ta=0.1",
        )
    total = sum(given.values())
    return {symbol: share / total for symbol, share in given.items()}


def counts_of(composition: Mapping[str, float], sites: int) -> dict[str, int]:
    """Whole atoms on so many sites: what is left over after rounding down goes to the largest remainders.

    Raises:
        ConfigurationError: There are too few sites for one atom of each element.
    """
    exact = {symbol: share * sites for symbol, share in composition.items()}
    counts = {symbol: int(number + 1e-9) for symbol, number in exact.items()}
    by_remainder = sorted(exact, key=lambda symbol: counts[symbol] - exact[symbol])
    for symbol in by_remainder[: sites - sum(counts.values())]:
        counts[symbol] += 1
    if min(counts.values()) < 1 or len(counts) < 2:
        rarest = min(counts, key=lambda symbol: counts[symbol])
        raise ConfigurationError(
            f"{sites} sites hold {counts[rarest]} atoms of {rarest}"
            if len(counts) > 1
            else f"{rarest} alone on {sites} sites",
            place="composition",
            rule="an alloy cell holds atoms of two elements or more",
            mend="take a larger cell (--repeats), or another composition",
        )
    return counts


def shuffled(sites: Atoms, counts: Mapping[str, int], seed: int) -> Atoms:
    """A copy whose elements stand at random."""
    symbols = [symbol for symbol, number in counts.items() for _ in range(number)]
    cell = sites.copy()
    cell.set_chemical_symbols(list(np.random.default_rng(seed).permutation(symbols)))
    return cell
