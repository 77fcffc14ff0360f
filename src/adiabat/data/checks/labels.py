"""Checks of which labels are there, and whether they are labels at all."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from adiabat.data.extract import named_values
from adiabat.data.findings import Finding
from adiabat.data.lookalikes import LABEL_KINDS, LabelKind, lookalikes
from adiabat.data.survey import Survey
from adiabat.system import Labelled

REPEATED = 0.1
"""Of all energies: the same value this often in different structures is no result of a calculation."""


def no_labels(survey: Survey) -> list[Finding]:
    """Structures without any label."""
    bare = [index for index, structure in enumerate(survey.structures) if not structure.labels.any]
    if not bare:
        return []
    return [
        Finding(
            "no-labels",
            "warning",
            f"{len(bare)} of {len(survey.structures)} structures have no label at all",
            survey.places(bare),
            "a structure that is trained or tested on has a label",
            "label or remove them",
        )
    ]


def mixed_labels(survey: Survey) -> list[Finding]:
    """Labels that only some of the structures of one config_type have."""
    by_type: dict[str, list[Labelled]] = {}
    for structure in survey.structures:
        if structure.labels.any and not structure.is_isolated_atom:
            by_type.setdefault(structure.config_type, []).append(structure)
    parts, places = [], []
    for config_type, structures in by_type.items():
        for kind in LABEL_KINDS:
            without = _without(structures, kind)
            if without:
                parts.append(f"{len(without)} structures of '{config_type}' have no {kind}")
                places += [f"{structure.place} (no {kind})" for structure in without]
    if not parts:
        return []
    return [
        Finding(
            "mixed-labels",
            "warning",
            f"{'; '.join(parts)}, unlike others of the same config_type",
            tuple(places),
            "structures of one config_type carry the same labels",
            "see whether labels were lost; if not, give the structures a config_type of their own",
        )
    ]


def _without(structures: Sequence[Labelled], kind: LabelKind) -> list[Labelled]:
    """The structures without this label, if others have it; stress is expected of crystals alone."""
    able = [s for s in structures if kind != "stress" or s.atoms.pbc.all()]
    without = [s for s in able if getattr(s.labels, kind) is None]
    return without if len(without) < len(able) else []


def unread_labels(survey: Survey) -> list[Finding]:
    """Structures without a label under its key that hold what looks like it under another name."""
    places, names = [], Counter[str]()
    present: list[LabelKind] = [
        kind for kind in LABEL_KINDS if any(getattr(s.labels, kind) is not None for s in survey.structures)
    ]
    for structure in survey.structures:
        values = named_values(structure.atoms)
        for kind in present:
            like = lookalikes(values, kind) if getattr(structure.labels, kind) is None else ()
            if like:
                places.append(f"{structure.place} ({like[0]})")
                names[like[0]] += 1
    if not places:
        return []
    return [
        Finding(
            "unread-labels",
            "error",
            f"values that look like labels were not read: {', '.join(f'{n} x {name}' for name, n in names.items())}",
            tuple(places),
            "all structures of a file hold a label under the same key",
            "rename the keys in the file so that they agree",
        )
    ]


def zero_stress(survey: Survey) -> list[Finding]:
    """Stresses that are exactly zero: what was not there, written as zeros."""
    zero = [
        index
        for index, structure in enumerate(survey.structures)
        if structure.labels.stress is not None and not structure.labels.stress.any() and not structure.is_isolated_atom
    ]
    if not zero:
        return []
    return [
        Finding(
            "zero-stress",
            "error",
            f"the stress of {len(zero)} structures is exactly zero",
            survey.places(zero),
            "a missing label is absent, never zero",
            "take the stress off the structures that have none",
        )
    ]


def constant_energy(survey: Survey) -> list[Finding]:
    """One and the same energy for many different structures."""
    energies = np.array([np.nan if s.labels.energy is None else s.labels.energy for s in survey.structures])
    energies = np.where(survey.not_isolated, energies, np.nan)
    values, counts = np.unique(energies[np.isfinite(energies)], return_counts=True)
    for value, count in zip(values, counts, strict=True):
        if count <= REPEATED * counts.sum():
            continue
        same = np.flatnonzero(energies == value)
        different = len({round(float(survey.distances.crowding[index].sum()), 6) for index in same})
        if different >= 3:
            return [
                Finding(
                    "constant-energy",
                    "error",
                    f"{count} structures ({different} different ones) have the energy {value} eV",
                    survey.places(same),
                    "different structures have different energies; a missing label is absent, never a constant",
                    "name the right key, or take the energy off the structures that have none",
                )
            ]
    return []
