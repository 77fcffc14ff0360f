"""The labels of one structure, taken from under their keys and looked at."""

from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress, voigt_6_to_full_3x3_stress

from adiabat.data.keys import LabelKeys
from adiabat.errors import DataError
from adiabat.system import Labels
from adiabat.typing import FloatArray

ASYMMETRY = 1e-3
"""Of the largest component: more than rounding in any code, less than a component in the wrong place."""
NEGLIGIBLE_STRESS = 1e-5
"""eV/Å³ (0.0016 GPa), below which asymmetry and disagreement are rounding."""


def named_values(atoms: Atoms) -> dict[str, Any]:
    """All that a structure came with, by name: per structure and per atom, in a calculator or not."""
    results = atoms.calc.results if atoms.calc is not None else {}
    arrays = {name: array for name, array in atoms.arrays.items() if name not in ("numbers", "positions")}
    return {name: value for name, value in {**results, **atoms.info, **arrays}.items() if value is not None}


def forget(atoms: Atoms, keys: tuple[str | None, ...]) -> None:
    """Take the named values off a structure, so that no stale label travels with it."""
    for key in keys:
        if key is None:
            continue
        atoms.info.pop(key, None)
        atoms.arrays.pop(key, None)
        if atoms.calc is not None:
            atoms.calc.results.pop(key, None)
    if atoms.calc is not None and not atoms.calc.results:
        atoms.calc = None


ASYMMETRIC = 0.02
"""Of the largest second derivative: differences of forces leave as much."""


def extract_labels(atoms: Atoms, keys: LabelKeys, *, place: str) -> Labels:
    """The labels of a structure.

    Raises:
        DataError: A label of the wrong shape, not finite, not symmetric, or without the volume that it needs.
    """
    values = named_values(atoms)
    return Labels(
        energy=_energy(values, keys.energy, place),
        forces=_forces(values, keys.forces, atoms, place),
        stress=_stress(values, keys, atoms, place),
        hessian=_hessian(values, keys.hessian, atoms, place),
    )


def _numbers(values: dict[str, Any], key: str | None, place: str, rule: str) -> FloatArray | None:
    if key is None or key not in values:
        return None
    array = np.asarray(values[key])
    if array.dtype.kind not in "if":
        raise DataError(
            f"{key} is {_short(values[key])}", place=place, rule=rule, mend=f"mend {key}, or name another key"
        )
    return array.astype(np.float64)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _energy(values: dict[str, Any], key: str | None, place: str) -> float | None:
    rule = "an energy is one number, in eV"
    energy = _numbers(values, key, place, rule)
    if energy is None:
        return None
    if energy.size != 1:
        raise DataError(f"{key} holds {energy.size} numbers", place=place, rule=rule, mend="name the key of the energy")
    value = float(energy.reshape(()))
    if not np.isfinite(value):
        raise DataError(
            f"{key} is {value}",
            place=place,
            rule="a label is finite",
            mend=f"take {key} off the structure: a missing key means that there is no reference",
        )
    return value


def _forces(values: dict[str, Any], key: str | None, atoms: Atoms, place: str) -> FloatArray | None:
    rule = "forces are three numbers per atom, in eV/Å"
    forces = _numbers(values, key, place, rule)
    if forces is None:
        return None
    if forces.shape != (len(atoms), 3):
        raise DataError(
            f"{key} has the shape {forces.shape} for {len(atoms)} atoms",
            place=place,
            rule=rule,
            mend="name the key of the forces",
        )
    _require_all_forces(forces, str(key), atoms, place)
    return forces


def _require_all_forces(forces: FloatArray, key: str, atoms: Atoms, place: str) -> None:
    finite = np.isfinite(forces)
    if finite.all():
        return
    atom, component = np.argwhere(~finite)[0]
    without = int((~finite.all(axis=1)).sum())
    raise DataError(
        f"{key} of atom {atom} ({atoms.symbols[atom]}), component {'xyz'[component]}, is {forces[atom, component]}"
        f" ({without} of {len(atoms)} atoms are without forces)",
        place=place,
        rule="forces are finite, and all atoms of a structure have them or none has",
        mend=f"label the structure again, or take {key} off it",
    )


def _hessian(values: dict[str, Any], key: str | None, atoms: Atoms, place: str) -> FloatArray | None:
    rule = "second derivatives are a symmetric (3n)x(3n) matrix of finite numbers, in eV/Å²"
    hessian = _numbers(values, key, place, rule)
    if hessian is None:
        return None
    width = 3 * len(atoms)
    if hessian.size != width**2 or not np.isfinite(hessian).all():
        what = f"the shape {hessian.shape}" if hessian.size != width**2 else "numbers that are not finite"
        raise DataError(f"{key} has {what} for {len(atoms)} atoms", place=place, rule=rule, mend=f"take {key} off it")
    square = hessian.reshape(width, width)
    asymmetry, size = float(np.abs(square - square.T).max()), float(np.abs(square).max())
    if asymmetry > ASYMMETRIC * size:
        raise DataError(
            f"{key} and its transpose differ by up to {asymmetry:.3g} eV/Å²",
            place=place,
            rule=rule,
            mend="see how it was computed: by differences of forces that are not converged, or in other units for its two indices",
        )
    return 0.5 * (square + square.T)


def _stress(values: dict[str, Any], keys: LabelKeys, atoms: Atoms, place: str) -> FloatArray | None:
    stress = _tensor(values, keys.stress, atoms, place)
    virial = _tensor(values, keys.virial, atoms, place)
    if virial is None:
        return stress
    from_virial = -virial / atoms.cell.volume
    if stress is None:
        return from_virial
    if not _agree(stress, from_virial):
        ours, theirs = (np.array2string(full_3x3_to_voigt_6_stress(s), precision=5) for s in (stress, from_virial))
        raise DataError(
            f"{keys.stress} is {ours} and {keys.virial} means {theirs} eV/Å³ (xx yy zz yz xz xy)",
            place=place,
            rule="stress and virial of a structure say the same: W = -V σ",
            mend="find which is right (sign, unit), and switch the other off: --set data.keys.virial=null",
        )
    return stress


def _agree(first: FloatArray, second: FloatArray) -> bool:
    scale = max(np.abs(first).max(), np.abs(second).max())
    return bool(np.abs(first - second).max() <= ASYMMETRY * scale + NEGLIGIBLE_STRESS)


def _tensor(values: dict[str, Any], key: str | None, atoms: Atoms, place: str) -> FloatArray | None:
    rule = "a stress or virial is 3x3, 9 numbers, or Voigt's 6 (xx yy zz yz xz xy)"
    numbers = _numbers(values, key, place, rule)
    if numbers is None:
        return None
    if numbers.shape not in ((3, 3), (9,), (6,)):
        raise DataError(f"{key} has the shape {numbers.shape}", place=place, rule=rule, mend="name the right key")
    if not np.isfinite(numbers).all():
        raise DataError(
            f"{key} is {numbers.tolist()}",
            place=place,
            rule="a label is finite",
            mend=f"take {key} off the structure: a missing key means that there is no reference",
        )
    if not (atoms.pbc.all() and atoms.cell.volume > 0):
        raise DataError(
            f"{key} is given, and the periodic directions are {atoms.pbc.tolist()}, the volume {atoms.cell.volume:g} Å³",
            place=place,
            rule="a stress exists only with three periodic directions and a volume",
            mend=f"take {key} off the structure, or mend its Lattice and pbc",
        )
    tensor = voigt_6_to_full_3x3_stress(numbers) if numbers.shape == (6,) else numbers.reshape(3, 3)
    if not _agree(tensor, tensor.T):
        raise DataError(
            f"{key} is {tensor.tolist()}", place=place, rule="a stress is symmetric", mend="see how it was converted"
        )
    return 0.5 * (tensor + tensor.T)
