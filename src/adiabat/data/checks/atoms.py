"""Checks of isolated atoms and their energies."""

import numpy as np
from ase.data import chemical_symbols

from adiabat.data.findings import Finding
from adiabat.data.isolated import AtomicReference
from adiabat.data.survey import Survey
from adiabat.typing import FloatArray

MOST_BOUND_EV = 15.0
"""Per atom. The strongest cohesion known is tungsten's 8.9 eV; atoms labelled without spin add up to about 5."""
UNBOUND_EV = 0.01
"""Per atom, above the isolated atoms: more than a functional's error for noble gases."""
LONE_FORCE = 1e-3
"""eV/Å on an isolated atom that is noise."""


def isolated_atom_energies(survey: Survey) -> list[Finding]:
    """Isolated-atom energies against which the structures are bound too strongly, or not at all."""
    reference = survey.reference
    if reference is None:
        return []
    known = [number for number, source in reference.sources.items() if source != "fitted"]
    wrong: dict[str, FloatArray] = {}
    for number in known:
        binding = _binding_with(survey, number, known)
        if len(binding) and (np.median(binding) > MOST_BOUND_EV or binding.max() < -UNBOUND_EV):
            wrong[chemical_symbols[number]] = binding
    return [_energy_finding(reference, wrong)] if wrong else []


def _binding_with(survey: Survey, number: int, known: list[int]) -> FloatArray:
    """EV per atom by which the structures that hold this element lie below their isolated atoms, all known."""
    chosen = [
        index
        for index, structure in enumerate(survey.structures)
        if number in structure.atoms.numbers
        and not structure.is_isolated_atom
        and np.isin(structure.atoms.numbers, known).all()
    ]
    binding = -survey.relative_energy[chosen]
    return binding[np.isfinite(binding)]


def _energy_finding(reference: AtomicReference, wrong: dict[str, FloatArray]) -> Finding:
    places = tuple(
        f"isolated {chemical_symbols[number]} ({energy:.4f} eV, from the {reference.sources[number]})"
        for number, energy in reference.energies_ev.items()
        if chemical_symbols[number] in wrong
    )
    bindings = "; ".join(
        f"with {symbol} {binding.min():.2f} to {binding.max():.2f} eV/atom" for symbol, binding in wrong.items()
    )
    return Finding(
        "isolated-atom-energy",
        "error",
        f"structures are bound against their isolated atoms by impossible energies: {bindings}",
        places,
        f"isolated atoms lie above the most bound structure and at most {MOST_BOUND_EV:g} eV/atom above the median one",
        "take isolated atoms from the same code, pseudopotentials and kind of energy as the data, in eV; or leave them out, "
        "and they are fitted",
    )


def isolated_atom_forces(survey: Survey) -> list[Finding]:
    """Isolated atoms with forces on them."""
    largest = survey.largest_force()
    wrong = np.flatnonzero(~survey.not_isolated & (largest > LONE_FORCE))
    if not len(wrong):
        return []
    return [
        Finding(
            "isolated-atom-forces",
            "error",
            f"{len(wrong)} isolated atoms have forces on them, up to {largest[wrong].max():.3g} eV/Å",
            survey.places(wrong),
            "an atom alone feels no force",
            "see whether these are isolated atoms and whether their box is large enough",
        )
    ]


def unnamed_isolated_atoms(survey: Survey) -> list[Finding]:
    """Single atoms in large periodic boxes that do not say that they are isolated atoms."""
    unnamed = [
        index
        for index, structure in enumerate(survey.structures)
        if len(structure.atoms) == 1
        and not structure.is_isolated_atom
        and not np.isfinite(survey.distances.nearest[index][0])
    ]
    if not unnamed:
        return []
    return [
        Finding(
            "unnamed-isolated-atom",
            "warning",
            f"{len(unnamed)} structures are single atoms far from their images and not named as isolated atoms",
            survey.places(unnamed),
            "an isolated atom has no periodic direction, or the config_type IsolatedAtom",
            "set config_type=IsolatedAtom or pbc='F F F' in the file, so that their energies serve as references",
        )
    ]
