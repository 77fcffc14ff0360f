"""Energies of isolated atoms: from the data's isolated atoms, from the configuration, or fitted."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from adiabat.data.composition import fit_atomic_energies
from adiabat.errors import ConfigurationError, DataError
from adiabat.system import Labelled
from adiabat.typing import IntArray

Source = Literal["data", "configuration", "fitted", "shift"]
SHIFTS: tuple[Source, ...] = ("fitted", "shift")
"""Sources of what energies are counted from, but is not known to be the energy of an atom beside those of the structures."""
SAME_ENERGY_EV = 1e-3
"""Isolated-atom energies that differ by less are the same."""


@dataclass(frozen=True)
class AtomicReference:
    """What the energies of a data set are counted from.

    Attributes:
        energies_ev: By atomic number.
        sources: By atomic number. A "fitted" energy is a reference shift, not the energy of an atom; a "shift" is known
            or given, but no energy of a structure tells how far from it the others lie.
        notes: What a user should know of them.
    """

    energies_ev: dict[int, float]
    sources: dict[int, Source]
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> Source:
        """The weakest source of any species: "shift" if one is a shift, else "fitted" if one is fitted ..."""
        weakest: tuple[Source, ...] = ("shift", "fitted", "configuration", "data")
        return next(source for source in weakest if source in self.sources.values())

    @property
    def shifts(self) -> tuple[int, ...]:
        """Atomic numbers of the species whose energy is a shift, so that an atom alone has none that is known."""
        return tuple(number for number, source in self.sources.items() if source in SHIFTS)

    def sum_over(self, numbers: IntArray) -> float:
        """eV: the energy of these atoms (n,), each alone."""
        return sum(self.energies_ev[int(number)] for number in numbers)


def atomic_reference(structures: Sequence[Labelled], given: Mapping[str, float] | None = None) -> AtomicReference:
    """The isolated-atom energy of each species of the data.

    From the isolated atoms of the data (the lowest, where there are several), else from `given`, else by least squares
    over the compositions of all other structures with those known held fixed.

    Args:
        structures: The data.
        given: eV, by chemical symbol.

    Raises:
        ConfigurationError: `given` names what is no element or not in the data, or contradicts the data.
        DataError: An energy has to be fitted and no structure with an energy holds the element.
    """
    species = sorted({int(number) for structure in structures for number in structure.atoms.numbers})
    from_data, notes = _isolated_atoms(structures)
    configured = _configured(given or {}, species, from_data)
    known = configured | from_data
    missing = [number for number in species if number not in known]
    sources: dict[int, Source] = dict.fromkeys(configured, "configuration")
    sources |= dict.fromkeys(from_data, "data")
    adrift = [number for number in _without_energy(structures) if number in known]
    if adrift:
        sources |= dict.fromkeys(adrift, "shift")
        notes.append(_note(adrift))
    if missing:
        fitted, said = fit_atomic_energies(_bound(structures, missing), missing, known)
        known, notes = known | fitted, notes + said
        sources |= dict.fromkeys(missing, "fitted")
    return AtomicReference({z: known[z] for z in species}, {z: sources[z] for z in species}, tuple(notes))


def _isolated_atoms(structures: Sequence[Labelled]) -> tuple[dict[int, float], list[str]]:
    found: dict[int, list[float]] = {}
    for structure in structures:
        if structure.is_isolated_atom and structure.labels.energy is not None:
            found.setdefault(int(structure.atoms.numbers[0]), []).append(structure.labels.energy)
    notes = [
        f"{len(energies)} isolated atoms of {chemical_symbols[number]} have energies from {min(energies):.4f} to "
        f"{max(energies):.4f} eV: the lowest is taken"
        for number, energies in found.items()
        if max(energies) - min(energies) > SAME_ENERGY_EV
    ]
    return {number: min(energies) for number, energies in found.items()}, notes


def _without_energy(structures: Sequence[Labelled]) -> list[int]:
    """The species of structures with forces or stresses, of which no structure has an energy; isolated atoms do not count."""
    bound = [s for s in structures if s.labels.any and not s.is_isolated_atom]
    told = {int(number) for s in bound if s.labels.energy is not None for number in s.atoms.numbers}
    return sorted({int(number) for s in bound for number in s.atoms.numbers} - told)


def _note(adrift: Sequence[int]) -> str:
    symbols = ", ".join(chemical_symbols[number] for number in adrift)
    return (
        f"no structure with an energy holds {symbols}, isolated atoms aside: energies of {symbols} are known but for a "
        "constant per atom, and an atom alone has no energy of its own"
    )


def _configured(given: Mapping[str, float], species: Sequence[int], from_data: Mapping[int, float]) -> dict[int, float]:
    energies = {}
    for symbol, energy in given.items():
        place, number = f"data.isolated_atoms_ev.{symbol}", atomic_numbers.get(symbol)
        if number is None:
            nearest = difflib.get_close_matches(symbol.capitalize(), chemical_symbols[1:], n=1, cutoff=0.3)
            mend = f"did you mean '{nearest[0]}'?" if nearest else "take it out"
            raise ConfigurationError(
                f"'{symbol}' is no element", place=place, rule="energies stand by chemical symbol", mend=mend
            )
        if number not in species:
            there = ", ".join(chemical_symbols[z] for z in species)
            raise ConfigurationError(
                f"the data hold no {symbol}: they hold {there}",
                place=place,
                rule="an option has an effect",
                mend="take it out",
            )
        if abs(from_data.get(number, energy) - energy) > SAME_ENERGY_EV:
            raise ConfigurationError(
                f"is {energy} eV, and the isolated atom in the data has {from_data[number]} eV",
                place=place,
                rule="an element has one isolated-atom energy",
                mend="take the wrong one out",
            )
        energies[number] = energy
    return energies


def _bound(structures: Sequence[Labelled], missing: Sequence[int]) -> list[Labelled]:
    """The structures that say something of the missing energies."""
    bound = [s for s in structures if s.labels.energy is not None and np.isin(s.atoms.numbers, missing).any()]
    said_of = {int(number) for structure in bound for number in structure.atoms.numbers}
    silent = [chemical_symbols[number] for number in missing if number not in said_of]
    if silent:
        settings = " ".join(f"--set data.isolated_atoms_ev.{symbol}=0" for symbol in silent)
        raise DataError(
            f"no structure with an energy holds {', '.join(silent)}",
            place="data.isolated_atoms_ev",
            rule="what energies are counted from comes from isolated atoms, from the configuration, or from a fit to energies",
            mend=f"give the energy of one structure or more that holds it; or count from zero, {settings}: energies are then "
            "known but for a constant per atom",
        )
    return bound
