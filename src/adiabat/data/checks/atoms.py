"""Checks of isolated atoms and their energies."""

import numpy as np
from ase.data import chemical_symbols

from adiabat.data.composition import fit_atomic_energies
from adiabat.data.findings import Finding
from adiabat.data.survey import Survey

MOST_BOUND_EV = 15.0
"""Per atom. The strongest cohesion known is tungsten's 8.9 eV; atoms labelled without spin add up to about 5."""
MOST_UNBOUND_SHARE_EV = 5.0
"""Below zero: an element that weakens its surroundings has a negative share of the binding, but no larger one."""
UNBOUND_EV = 0.01
"""Per atom, above the isolated atoms: more than a functional's error for noble gases."""
LONE_FORCE = 1e-3
"""eV/Å on an isolated atom that is noise."""


def isolated_atom_energies(survey: Survey) -> list[Finding]:
    """Isolated-atom energies against which the structures are bound too strongly, or not at all."""
    reference = survey.reference
    if reference is None:
        return []
    known = [number for number in reference.sources if number not in reference.shifts]
    places = []
    for number in known:
        said = _impossible_binding(survey, number, known) or _impossible_share(survey, number, known)
        if said:
            symbol, source = chemical_symbols[number], reference.sources[number]
            places.append(f"isolated {symbol} ({reference.energies_ev[number]:.4f} eV, from the {source}): {said}")
    if not places:
        return []
    return [
        Finding(
            "isolated-atom-energy",
            "error",
            f"{len(places)} isolated-atom energies do not go with the energies of the structures",
            tuple(places),
            "isolated atoms lie above the most bound structure, and on average no more than "
            f"{MOST_BOUND_EV:g} eV/atom above structures that hold them",
            "take isolated atoms from the same code, pseudopotentials and kind of energy as the data, in eV; or leave them "
            "out, and they are fitted",
        )
    ]


def _among(survey: Survey, known: list[int]) -> list[int]:
    """Structures with an energy, more than an isolated atom, all of whose species have a known isolated-atom energy."""
    return [
        index
        for index, structure in enumerate(survey.structures)
        if structure.labels.energy is not None
        and not structure.is_isolated_atom
        and np.isin(structure.atoms.numbers, known).all()
    ]


def _impossible_binding(survey: Survey, number: int, known: list[int]) -> str:
    """What is wrong with the binding of the structures that hold this element; empty where nothing is."""
    holding = [index for index in _among(survey, known) if number in survey.structures[index].atoms.numbers]
    if not holding:
        return ""
    binding = -survey.relative_energy[holding]
    if np.median(binding) > MOST_BOUND_EV or binding.max() < -UNBOUND_EV:
        return f"structures with it are bound by {binding.min():.2f} to {binding.max():.2f} eV/atom"
    return ""


def _impossible_share(survey: Survey, number: int, known: list[int]) -> str:
    """The same of the element's own share of the binding, where the compositions determine it."""
    structures = [survey.structures[index] for index in _among(survey, known)]
    species = sorted({int(z) for structure in structures for z in structure.atoms.numbers})
    if number not in species or survey.reference is None:
        return ""
    energies, undetermined = fit_atomic_energies(structures, species, {})
    share = survey.reference.energies_ev[number] - energies[number]
    if undetermined or -MOST_UNBOUND_SHARE_EV < share < MOST_BOUND_EV:
        return ""
    return f"its atoms have {share:.2f} eV each of the binding, by least squares over compositions"


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
