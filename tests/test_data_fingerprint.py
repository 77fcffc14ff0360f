"""The fingerprint of a data set: equal for equal data, another one for any change that matters."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from labelled_structures import STRESS, frame, relabelled, sound_silicon, write
from narrowing import present

from adiabat.data import fingerprint, read


def test_it_is_that_of_the_content_whatever_the_file_is_called(tmp_path: Path) -> None:
    comment = f'REF_energy=-9.0 REF_stress="{STRESS}"'
    first = fingerprint(read(write(tmp_path, frame(comment), name="a.xyz")))
    assert first == fingerprint(read(write(tmp_path, frame(f"config_type=hot {comment}"), name="b.xyz")))
    assert len(first) == 64


def test_differences_below_the_eighth_decimal_and_the_sign_of_zero_do_not_count() -> None:
    data = sound_silicon(3)
    atoms = data[0].atoms.copy()
    atoms.positions = atoms.positions.round(4) + 1e-11
    near = replace(data[0], atoms=atoms)
    atoms = atoms.copy()
    atoms.positions = atoms.positions.round(4)
    exact = replace(data[0], atoms=atoms)
    assert fingerprint([near]) == fingerprint([exact])
    zero = relabelled(exact, stress=np.zeros((3, 3)))
    assert fingerprint([zero]) == fingerprint([relabelled(exact, stress=-np.zeros((3, 3)))])


def test_any_change_of_structure_label_or_order_counts() -> None:
    data = sound_silicon(3)
    first = data[0]
    moved, numbered, strained, opened = (first.atoms.copy() for _ in range(4))
    moved.positions[0, 0] += 1e-7
    numbered.numbers[0] = 6
    strained.set_cell(strained.cell.array * (1 + 1e-7))
    opened.pbc = (True, True, False)
    changes = [
        *(replace(first, atoms=atoms) for atoms in (moved, numbered, strained, opened)),
        relabelled(first, energy=None),
        relabelled(first, energy=present(first.labels.energy) + 1e-7),
        relabelled(first, forces=present(first.labels.forces) + 1e-7),
        relabelled(first, forces=None),
        relabelled(first, stress=None),
    ]
    prints = {fingerprint([changed, *data[1:]]) for changed in changes}
    prints |= {fingerprint(data), fingerprint(data[::-1]), fingerprint(data[:2]), fingerprint([*data, first])}
    assert len(prints) == len(changes) + 4


def test_it_is_the_hash_of_the_documented_bytes() -> None:
    data = sound_silicon(1)
    atoms = data[0].atoms.copy()
    atoms.positions, atoms.cell = np.arange(24.0).reshape(8, 3), np.eye(3) * 30
    fixed = replace(data[0], atoms=atoms)
    fixed = relabelled(fixed, energy=-1.5, forces=None, stress=None)
    digest = hashlib.sha256()
    digest.update((8).to_bytes(8, "little") + np.full(8, 14, "<i8").tobytes() + b"\x01\x01\x01")
    digest.update(b"+" + np.arange(24.0).tobytes() + b"+" + (np.eye(3) * 30).tobytes())
    digest.update(b"+" + np.float64(-1.5).tobytes() + b"--")
    assert fingerprint([fixed]) == digest.hexdigest()
