"""The potential file: what goes in comes out, and what is wrong with a file is said."""

import errno
import os
import resource
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import safetensors.torch
import torch
from analytic_models import PairModel, argon_and_krypton, rare_gas_potential
from ase import Atoms
from ase.build import bulk
from narrowing import present
from torch import Tensor

import adiabat
from adiabat.errors import OutputError, PotentialFileError, UnknownSpecies
from adiabat.models import IsolatedAtoms
from adiabat.physics import ZBL
from adiabat.potential import Potential, fingerprint, load_potential, save_potential
from adiabat.potential.document import FORMAT_VERSION, Document, decode, encode
from adiabat.system import Graph, PartState, register

STORED_EXAMPLE = Path(__file__).parent / "data" / "silica_repulsion_format_1.adiabat"


@register
@dataclass(frozen=True)
class Statistics:
    """Something to attach."""

    mean: Tensor
    count: int
    kind: ClassVar[str] = "test_statistics"

    def to_state(self) -> PartState:
        return PartState(self.kind, {"count": self.count}, {"mean": self.mean})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        return cls(state.tensors["mean"], state.values["count"])


@dataclass(frozen=True)
class OutsideCode(PairModel):
    """A part that no class is registered for."""

    kind: ClassVar[str] = "test_outside_code"


def silica_repulsion() -> Potential:
    """What the stored example holds."""
    radii = {(8, 8): (0.4, 0.9), (8, 14): (0.6, 1.4), (14, 14): (1.0, 2.2)}
    return Potential(
        [IsolatedAtoms({8: -2.5, 14: -1.25}, "configuration", 3.0), ZBL(radii)],
        metadata={"note": "made by tests/test_potential_file.py"},
    )


def two_cells() -> list[Atoms]:
    crystal = bulk("Ar", "fcc", a=5.2, cubic=True)
    crystal.rattle(0.1, seed=1)
    return [crystal, Atoms("ArKr", positions=[[0, 0, 0], [0, 2.5, 2.5]])]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    file = tmp_path / "rare.adiabat"
    save_potential(rare_gas_potential(), file, canaries=two_cells())
    return file


def altered(file: Path, change: Callable[[dict[str, Any], dict[str, Tensor]], object]) -> Path:
    """The file with its content changed under a right checksum."""
    document = decode(file.read_bytes(), place="")
    change(document.values, document.tensors)
    file.write_bytes(encode(Document(document.values, document.tensors)))
    return file


def test_a_stored_potential_gives_the_same_numbers_to_the_last_bit(stored: Path) -> None:
    structures = [*two_cells(), bulk("Kr", "fcc", a=5.6)]
    periodic = [atoms for atoms in structures if atoms.pbc.all()]

    before, after = rare_gas_potential(), adiabat.load(stored)

    for name in ("energy", "energies", "forces"):
        values = [getattr(potential(structures, want=(name,)), name) for potential in (before, after)]
        assert torch.equal(*values)
    one, other = (present(potential(periodic, want=("stress",)).stress) for potential in (before, after))
    assert torch.equal(one, other)


def test_everything_that_belongs_to_a_potential_comes_back(tmp_path: Path) -> None:
    attached = Statistics(torch.tensor([1.0, 2.5], dtype=torch.float64), 7)
    metadata = {"seed": 3, "summary": {"energy_mae_mev": 1.5, "sources": ["a.xyz"]}, "none": None}
    potential = Potential([argon_and_krypton()], attachments={"statistics": attached}, metadata=metadata)

    potential.save(tmp_path / "p.adiabat", canaries=two_cells())
    loaded = adiabat.load(str(tmp_path / "p.adiabat"))

    assert loaded.parts == potential.parts
    assert loaded.metadata == metadata
    statistics = loaded.attachments["statistics"]
    assert isinstance(statistics, Statistics)
    assert statistics.count == 7
    assert torch.equal(statistics.mean, attached.mean)
    assert list(loaded.canaries) == two_cells()


def test_the_same_potential_gives_the_same_bytes_also_after_a_round_trip(stored: Path, tmp_path: Path) -> None:
    save_potential(rare_gas_potential(), tmp_path / "again.adiabat", canaries=two_cells())
    adiabat.load(stored).save(tmp_path / "round.adiabat")

    assert stored.read_bytes() == (tmp_path / "again.adiabat").read_bytes() == (tmp_path / "round.adiabat").read_bytes()


def test_a_potential_without_canaries_gets_some_that_hold_all_its_species(tmp_path: Path) -> None:
    rare_gas_potential().save(tmp_path / "p.adiabat")

    canaries = adiabat.load(tmp_path / "p.adiabat").canaries

    assert all(set(atoms.numbers) == {18, 36} and atoms.pbc.all() for atoms in canaries)


def test_a_sum_of_potentials_is_stored_with_the_canaries_it_can_evaluate(tmp_path: Path) -> None:
    argon = Potential([PairModel({18: 0.01}, {18: 3.4}, 6.0)], canaries=[bulk("Ar")])
    both = Potential([argon_and_krypton()], canaries=two_cells())

    (argon + both).save(tmp_path / "sum.adiabat")

    loaded = adiabat.load(tmp_path / "sum.adiabat")
    assert [atoms.get_chemical_formula() for atoms in loaded.canaries] == ["Ar", "Ar4"]


def test_a_potential_loaded_in_single_precision_passes_its_canaries(stored: Path) -> None:
    assert load_potential(stored, dtype=torch.float32).cutoff == 7.0


def test_another_precision_than_float64_or_float32_is_refused(stored: Path) -> None:
    with pytest.raises(PotentialFileError, match="float64 or float32"):
        load_potential(stored, dtype=torch.float16)


def test_the_stored_example_of_format_version_1_stays_loadable() -> None:
    loaded = adiabat.load(STORED_EXAMPLE)

    assert loaded.parts == silica_repulsion().parts
    assert loaded.metadata == silica_repulsion().metadata
    # -1.25 eV for each atom, and LAMMPS's energy of this pair (tests/test_zbl.py)
    silicon = Atoms("Si2", positions=[[0, 0, 0], [0, 0, 1.4]])
    assert float(present(loaded(silicon).energy)[0]) == pytest.approx(-2.5 + 8.603516029295738, rel=1e-10)


def test_a_fingerprint_is_of_what_is_computed_and_not_of_the_time(stored: Path) -> None:
    first = fingerprint(rare_gas_potential())
    later = Potential(rare_gas_potential().parts, metadata={"created": "2031-01-01"}, canaries=two_cells())
    other = Potential([replace(argon_and_krypton(), cutoff=6.999)])

    assert first == fingerprint(later) == fingerprint(adiabat.load(stored))
    assert first != fingerprint(other)


# What is wrong with a file.


def test_any_changed_byte_is_found(stored: Path) -> None:
    content = bytearray(stored.read_bytes())
    for index in range(len(content)):
        content[index] ^= 1 << (index % 8)
        with pytest.raises(PotentialFileError, match=r"damaged|format version"):
            decode(bytes(content), place="file")
        content[index] ^= 1 << (index % 8)


@pytest.mark.parametrize("length", [1, 8, 100, -8, -1])
def test_a_truncated_file_is_refused(stored: Path, length: int) -> None:
    stored.write_bytes(stored.read_bytes()[:length])

    with pytest.raises(PotentialFileError, match="damaged"):
        adiabat.load(stored)


def test_a_file_with_something_behind_its_end_is_refused(stored: Path) -> None:
    stored.write_bytes(stored.read_bytes() + b"\0")

    with pytest.raises(PotentialFileError, match="damaged"):
        adiabat.load(stored)


def write_text(file: Path) -> None:
    file.write_text("energy forces stress\n" * 100)


def write_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", "no")


def write_safetensors(file: Path) -> None:
    safetensors.torch.save_file({"weight": torch.ones(3)}, file, metadata={"format": "pt"})


def write_deep_json(file: Path) -> None:
    header = b"[" * 100_000
    file.write_bytes(len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("write", [write_text, write_zip, write_safetensors, write_deep_json])
def test_a_foreign_file_is_refused(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "foreign.adiabat")

    with pytest.raises(PotentialFileError, match=r"foreign\.adiabat: holds no adiabat potential"):
        adiabat.load(tmp_path / "foreign.adiabat")


def test_a_missing_file_a_folder_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.adiabat").touch()

    for name, message in (("none.adiabat", "No such file"), ("", "directory"), ("empty.adiabat", "is empty")):
        with pytest.raises(PotentialFileError, match=message):
            adiabat.load(tmp_path / name)


@pytest.mark.parametrize(("found", "message"), [(FORMAT_VERSION + 1, "use a newer adiabat"), (0, "version 0")])
def test_another_format_version_is_refused(stored: Path, found: int, message: str) -> None:
    old, new = (rf"\"format_version\": {version}".encode() for version in (FORMAT_VERSION, found))
    stored.write_bytes(stored.read_bytes().replace(old, new, 1))

    with pytest.raises(PotentialFileError, match=message):
        adiabat.load(stored)


def test_a_part_of_an_unknown_kind_is_refused_with_the_known_ones(stored: Path) -> None:
    altered(stored, lambda values, _: values["parts"][0].update(kind="from_the_future"))

    with pytest.raises(PotentialFileError, match=r"(?s)rare\.adiabat.*'from_the_future'.*known kinds: .*zbl"):
        adiabat.load(stored)


@pytest.mark.parametrize(
    "values", [{}, {"epsilon_ev": {"x": 1}, "sigma": {}, "cutoff": 1}, {"epsilon_ev": 3, "sigma": {}, "cutoff": 1}]
)
def test_a_part_that_cannot_be_restored_is_refused(stored: Path, values: dict[str, Any]) -> None:
    altered(stored, lambda document, _: document["parts"][0].update(values=values))

    with pytest.raises(PotentialFileError, match=r"rare\.adiabat: its parts cannot be restored"):
        adiabat.load(stored)


def test_parts_that_contradict_the_file_are_refused(stored: Path) -> None:
    altered(stored, lambda document, _: document.update(cutoff=5.0))

    with pytest.raises(PotentialFileError, match=r"cutoff 7\.0, the file says 5\.0"):
        adiabat.load(stored)


@pytest.mark.parametrize(("quantity", "scale"), [("energy", 1.0), ("forces", 1.0), ("stress", 0.1)])
def test_a_canary_that_differs_is_named_with_its_quantity_and_difference(
    stored: Path, quantity: str, scale: float
) -> None:
    altered(stored, lambda _, tensors: tensors[f"canary.0.{quantity}"].view(-1)[:1].add_(2e-7 * scale))

    with pytest.raises(PotentialFileError, match=rf"canary 0 \(Ar4\): the {quantity} differs by 2\.0e-0"):
        adiabat.load(stored)


def test_a_canary_that_differs_within_rounding_passes(stored: Path) -> None:
    altered(stored, lambda _, tensors: tensors["canary.1.forces"].view(-1)[:1].add_(1e-11))

    assert adiabat.load(stored).species == rare_gas_potential().species


def test_a_canary_of_not_a_number_does_not_pass(stored: Path) -> None:
    altered(stored, lambda _, tensors: tensors["canary.0.energy"].fill_(torch.nan))

    with pytest.raises(PotentialFileError, match="energy differs by nan"):
        adiabat.load(stored)


# What is refused when saving: nothing is written then.


class WithoutState:
    """An energy from outside."""

    kind: ClassVar[str] = "test_without_state"
    cutoff = interaction_range = 3.0
    species = (18,)

    def atomic_energies(self, graph: Graph) -> Tensor:
        return graph.batch.positions.sum(-1) * 0

    def to(self, **kwargs: Any) -> Self:
        return self


@dataclass(frozen=True)
class WithState(WithoutState):
    """The same, with a state."""

    values: dict[str, Any]
    tensors: dict[str, Any]
    kind: ClassVar[str] = "test_pair"

    def to_state(self) -> PartState:
        return PartState(self.kind, self.values, self.tensors)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (WithoutState(), "WithoutState.* cannot be stored"),
        (OutsideCode({18: 0.01}, {18: 3.4}, 6.0), "'test_outside_code'"),
        (WithState({"function": print}, {}), "cannot be stored.*not JSON serializable"),
        (WithState({"number": float("nan")}, {}), "cannot be stored.*not JSON compliant"),
        (WithState({}, {"weights": [1, 2]}), "cannot be stored"),
    ],
    ids=["no state", "not registered", "no JSON", "not a number", "no tensor"],
)
def test_a_part_that_cannot_be_stored_is_refused_and_nothing_is_written(
    tmp_path: Path, part: Any, message: str
) -> None:
    with pytest.raises(PotentialFileError, match=f"(?s){message}"):
        save_potential(Potential([part]), tmp_path / "p.adiabat", canaries=[bulk("Ar")])

    assert list(tmp_path.iterdir()) == []


def test_canaries_that_cannot_serve_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    infinite = Potential([replace(argon_and_krypton(), epsilon_ev={18: np.inf, 36: 0.01})])
    for potential, canaries, error, message in (
        (rare_gas_potential(), [], PotentialFileError, "one canary or more"),
        (rare_gas_potential(), [bulk("Si")], UnknownSpecies, "Si"),
        (infinite, [bulk("Ar")], PotentialFileError, "not finite"),
    ):
        with pytest.raises(error, match=message):
            save_potential(potential, tmp_path / "p.adiabat", canaries=canaries)

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        rare_gas_potential().save(tmp_path / "none" / "p.adiabat")


def test_a_full_disk_leaves_the_old_file_whole(stored: Path) -> None:
    old, limits = stored.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    changed = Potential([replace(argon_and_krypton(), cutoff=6.0)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="free some space"):
            changed.save(stored)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert stored.read_bytes() == old
    assert list(stored.parent.iterdir()) == [stored]


def test_a_disk_that_fills_up_at_the_last_moment_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OutputError, match="No space left"):
        rare_gas_potential().save(tmp_path / "p.adiabat")
    assert list(tmp_path.iterdir()) == []
