"""Chemical potentials of elements: what an atom costs where it comes from, or earns where it goes."""

from collections.abc import Mapping

from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers, reference_states

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import Potential
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation import relaxed_crystal

BUILT = ("fcc", "bcc", "hcp", "diamond", "sc")
"""Crystals of elements that are built here."""


def elemental_crystal(symbol: str) -> Atoms:
    """The crystal of an element at room temperature, with its experimental size (C. Kittel, Introduction to Solid State Physics).

    Raises:
        StructureError: Its ground state is none of fcc, bcc, hcp, diamond and simple cubic.
    """
    state = reference_states[atomic_numbers[symbol]]
    if state is None or state["symmetry"] not in BUILT:
        found = "not known" if state is None else state["symmetry"]
        raise StructureError(
            f"the ground state of {symbol} is {found}",
            place=f"chemical potential of {symbol}",
            rule=f"elements that are {', '.join(BUILT)} have theirs by default",
            mend=f"give it: --chemical-potential {symbol}=... in eV, as the potential counts energies",
        )
    return bulk(symbol)


def chemical_potentials(
    crystal: Atoms, potential: Potential, *, given: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Of each element of a crystal, in eV: what is given; that of the crystal itself, where it is an element; its ground state.

    Args:
        crystal: At rest.
        potential: By which crystals are relaxed.
        given: By symbol.

    Raises:
        ConfigurationError: An element is given that the crystal does not hold.
        StructureError: As `elemental_crystal`.
        SimulationError: A ground state does not come to rest.
    """
    symbols = sorted(set(crystal.get_chemical_symbols()))
    given = dict(given or {})
    _require_known(given, symbols)
    return {
        symbol: given[symbol] if symbol in given else _of_element(symbol, symbols, crystal, potential)
        for symbol in symbols
    }


def _require_known(given: Mapping[str, float], symbols: list[str]) -> None:
    for symbol in given:
        if symbol not in symbols:
            raise ConfigurationError(
                f"'{symbol}' is given, and the crystal holds {', '.join(symbols)}",
                place="chemical potentials",
                rule="they are of elements of the crystal",
                mend="leave it out",
            )


def _of_element(symbol: str, symbols: list[str], crystal: Atoms, potential: Potential) -> float:
    alone = crystal if len(symbols) == 1 else relaxed_crystal(elemental_crystal(symbol), potential)
    return float(evaluated(potential, [alone], "energy")[0][0]) / len(alone)


def reservoir(symbol: str, crystal: Atoms, potential: Potential, given: Mapping[str, float] | None = None) -> float:
    """The chemical potential of one element, in eV, which the crystal may hold or not; errors as of `chemical_potentials`."""
    symbols = sorted({symbol, *crystal.get_chemical_symbols()})
    known = dict(given or {})
    _require_known(known, symbols)
    return known[symbol] if symbol in known else _of_element(symbol, symbols, crystal, potential)
