"""read: labelled structures from any file that ASE reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from adiabat.data.extract import extract_labels, forget, named_values
from adiabat.data.frames import iterate_frames, place_of
from adiabat.data.keys import LabelKeys
from adiabat.data.lookalikes import LABEL_KINDS, LabelKind, lookalikes
from adiabat.errors import AdiabatError, DataError, LabelsNotFound
from adiabat.runs import track
from adiabat.system import Labelled, require_valid

PER_LABEL = {"energy": ("energy",), "forces": ("forces",), "stress": ("stress", "virial")}
"""The keys under which each kind of label may stand."""
PARTS_OF_NAMES = {"virial": "virial", "stress": "stress", "force": "forces", "energy": "energy"}
"""What `lookalikes` have in their names, and the key that they would be read under."""
PER_ATOM_RESULTS = ("forces", "energies", "stresses", "charges", "magmoms")
"""What ASE moves from the columns of a file into a calculator."""


def read(
    file: Path | str,
    *,
    keys: LabelKeys | None = None,
    index: str | int | slice = ":",
    labels_required: bool = True,
    quiet: bool = False,
) -> list[Labelled]:
    """Read labelled structures; a structure without one of the labels is fine.

    Args:
        file: Whatever ASE reads, compressed or not.
        keys: Under which names the labels stand (default: `LabelKeys()`).
        index: Which structures of the file.
        labels_required: Refuse a file without any label; else it is refused only where a key of a label was set.
        quiet: Show no progress.

    Returns:
        The structures in the file's order, each with a place "FILE, structure N", N counted from 0 in the file. Read
        labels are taken off ``atoms``; other values that came with it stay.

    Raises:
        DataError: The file, a frame or a label cannot be used.
        LabelsNotFound: A label is absent under its key while the file holds one under another name, or although the key
            was set; no label at all.
        StructureError: Positions or a cell that are not finite, or a periodic cell without volume.
    """
    file, keys = Path(file), keys or LabelKeys()
    names, structures, problems = _Names(), list[Labelled](), list[AdiabatError]()
    for number, atoms in track(iterate_frames(file, index), f"reading {file.name}", quiet=quiet):
        place = place_of(file, number)
        names.see(atoms)
        try:
            structures.append(_labelled(atoms, keys, place))
        except AdiabatError as problem:
            problems.append(problem)
    if problems:
        raise _first_of(problems)
    if not structures:
        raise DataError(
            "holds no structures",
            place=str(file),
            rule="a data set has one structure or more",
            mend="name another file, or another index",
        )
    is_set = any(
        getattr(keys, name) is not None and name in keys.model_fields_set
        for kind in LABEL_KINDS
        for name in PER_LABEL[kind]
    )
    if labels_required or is_set or any(structure.labels.any for structure in structures):
        _require_labels(structures, keys, names, file)
    return structures


@dataclass
class _Names:
    """The names of all that the structures of a file came with."""

    per_structure: set[str] = field(default_factory=set)
    per_atom: set[str] = field(default_factory=set)
    like: dict[LabelKind, list[str]] = field(default_factory=lambda: {kind: [] for kind in LABEL_KINDS})

    def see(self, atoms: Atoms) -> None:
        values = named_values(atoms)
        for name in values:
            by_atom = name in atoms.arrays or name in PER_ATOM_RESULTS
            (self.per_atom if by_atom else self.per_structure).add(name)
        for kind in LABEL_KINDS:
            self.like[kind] += [name for name in lookalikes(values, kind) if name not in self.like[kind]]

    def __contains__(self, name: str) -> bool:
        return name in self.per_structure or name in self.per_atom

    def described(self) -> str:
        parts = (("per structure", self.per_structure), ("per atom", self.per_atom))
        return "; ".join(f"{where}: {', '.join(sorted(names)) or 'nothing'}" for where, names in parts)


def _labelled(atoms: Atoms, keys: LabelKeys, place: str) -> Labelled:
    if (atoms.numbers < 1).any():
        atom = int(np.flatnonzero(atoms.numbers < 1)[0])
        raise DataError(
            f"atom {atom} is '{atoms.symbols[atom]}'",
            place=place,
            rule="every atom is of an element",
            mend="give it its chemical symbol, or remove the structure",
        )
    require_valid(atoms, place=place)
    labels = extract_labels(atoms, keys, place=place)
    config_type, group, level = (_text(atoms, key) for key in (keys.config_type, keys.group, keys.level))
    forget(atoms, (keys.energy, keys.forces, keys.stress, keys.virial, keys.hessian))
    return Labelled(atoms, labels, config_type=config_type or "default", group=group, place=place, level=level)


def _text(atoms: Atoms, key: str | None) -> str | None:
    value: Any = atoms.info.get(key) if key is not None else None
    return None if value is None else str(value)


def _first_of(problems: list[AdiabatError]) -> AdiabatError:
    """The first problem, and how many structures have one."""
    first = problems[0]
    if len(problems) == 1:
        return first
    others = ", ".join(str(problem.place).rsplit(" ", 1)[-1] for problem in problems[1:6])
    more = f"{len(problems) - 1} more structures cannot be used: {others}{', ...' if len(problems) > 6 else ''}"
    return type(first)(f"{first.what}; {more}", place=first.place, rule=first.rule, mend=first.mend)


def _require_labels(structures: list[Labelled], keys: LabelKeys, names: _Names, file: Path) -> None:
    rule = "labels are read from under the configured keys alone, never guessed"
    if not any(structure.labels.any for structure in structures):
        wanted = ", ".join(key for key in (keys.energy, keys.forces, keys.stress, keys.virial) if key)
        why = f"none of {wanted}" if wanted else "every key is switched off"
        raise LabelsNotFound(
            f"holds no usable label: {why}. It holds {names.described()}",
            place=str(file),
            rule=rule,
            mend=_settings(names),
        )
    for kind in LABEL_KINDS:
        is_read = any(getattr(structure.labels, kind) is not None for structure in structures)
        for name in PER_LABEL[kind]:
            key = getattr(keys, name)
            is_declared = name in keys.model_fields_set and key not in names
            is_overlooked = not is_read and any(_key_for(like) == name for like in names.like[kind])
            if key is not None and (is_declared or is_overlooked):
                others = () if is_read else names.like[kind]
                raise _absent(key, names, file, rule=rule, mend=_mend(name, names.like[kind], others))
    for name in ("hessian", "config_type", "group", "level"):
        key = getattr(keys, name)
        if key is not None and name in keys.model_fields_set and key not in names.per_structure:
            mend = f"name another key, or take data.keys.{name} out"
            raise _absent(key, names, file, rule="a key that is set is in the file", mend=mend)


def _absent(key: str, names: _Names, file: Path, *, rule: str, mend: str) -> LabelsNotFound:
    what = f"no structure has {key}. The file holds {names.described()}"
    return LabelsNotFound(what, place=str(file), rule=rule, mend=mend)


def _mend(name: str, like: Sequence[str], unread: Sequence[str]) -> str:
    """How to get by without what should stand under one of our keys.

    Args:
        name: Our key.
        like: Values of the file that look like this kind of label.
        unread: Those of them that could be read, under whichever key.
    """
    own = [value for value in like if _key_for(value) == name]
    if own:
        return f"--set data.keys.{name}={own[0]}; to leave it unread on purpose, --set data.keys.{name}=null"
    if unread:
        return f"--set data.keys.{_key_for(unread[0])}={unread[0]} instead of data.keys.{name}"
    return f"name another key, or take data.keys.{name} out: no value of the file looks like it"


def _settings(names: _Names) -> str:
    """Which settings would read what looks like labels."""
    likeliest = [like[0] for like in names.like.values() if like]
    settings = " ".join(f"--set data.keys.{_key_for(name)}={name}" for name in likeliest)
    return settings or "name the keys that hold labels with --set data.keys.energy=..., .forces=..., .stress=..."


def _key_for(name: str) -> str:
    """Under which of our keys a value that looks like a label would be read."""
    lower = name.lower()
    return next(key for part, key in PARTS_OF_NAMES.items() if part in lower)
