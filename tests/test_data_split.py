"""Splits: what stands on which side, reproducibly, and only for the data they were made from."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_structures import labelled

from adiabat.data import DataConfig, Split, SplitConfig, split
from adiabat.errors import ConfigurationError, DataError
from adiabat.system import Labelled


def dimers(*config_types: str, isolated: int = 0) -> list[Labelled]:
    """Dimers of these kinds, all different, then isolated atoms."""
    pairs = [
        labelled(Atoms("Si2", [[0, 0, 0], [2.0 + 0.01 * i, 0, 0]]), config_type=kind, energy=-float(i))
        for i, kind in enumerate(config_types)
    ]
    return pairs + [labelled(Atoms("Si"), config_type="IsolatedAtom", energy=-1.0)] * isolated


def grouped(*groups: str | None) -> list[Labelled]:
    return [replace(s, group=g) for s, g in zip(dimers(*["a"] * len(groups)), groups, strict=True)]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), fraction=st.floats(0.05, 0.6), seed=st.integers(0, 99)
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_a_fraction_is_taken_of_every_kind(sizes: list[int], fraction: float, seed: int) -> None:
    kinds = [f"kind{i}" for i, size in enumerate(sizes) for _ in range(size)]
    data = dimers(*kinds, isolated=2)
    config = SplitConfig(test_fraction=fraction, seed=seed)
    if round(fraction * len(kinds)) == 0 or max(sizes) == 1:
        with pytest.raises(DataError):
            split(data, config)
        return
    made = split(data, config)
    assert sorted([*made.train, *made.test]) == list(range(len(data)))
    counts = Counter(data[index].config_type for index in made.test)
    cannot_give = sum(size == 1 for size in sizes)  # their part falls to others
    for i, size in enumerate(sizes):
        assert counts[f"kind{i}"] < size
        assert -1 < counts[f"kind{i}"] - fraction * size < 1 + cannot_give
    if not cannot_give:
        assert sum(counts.values()) == round(fraction * len(kinds))
    assert not any(data[index].is_isolated_atom for index in made.test)


def test_the_same_seed_gives_the_same_split_and_another_one_another() -> None:
    data = dimers(*["a"] * 50)
    assert split(data, SplitConfig(seed=3)) == split(data, SplitConfig(seed=3))
    assert split(data, SplitConfig(seed=3)).test != split(data, SplitConfig(seed=4)).test


def test_whole_kinds_can_be_held_out() -> None:
    data = dimers("bulk", "surface", "bulk", "liquid", isolated=1)
    made = split(data, SplitConfig(by="config_type", hold_out=("surface", "liquid")))
    assert (made.train, made.test) == ((0, 2, 4), (1, 3))


def test_holding_out_a_kind_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)hold no config_type 'surfaces'.*did you mean 'surface'"):
        split(dimers("bulk", "surface"), SplitConfig(by="config_type", hold_out=("surfaces",)))


@given(groups=st.lists(st.sampled_from("abcdefg"), min_size=4, max_size=60), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_no_group_stands_on_both_sides(groups: list[str], seed: int) -> None:
    data = grouped(*groups)
    config = SplitConfig(by="group", test_fraction=0.3, seed=seed)
    if len(set(groups)) == 1:
        with pytest.raises(DataError):
            split(data, config)
        return
    made = split(data, config)
    train, test = ({data[index].group for index in part} for part in (made.train, made.test))
    assert not train & test
    assert train
    assert test


def test_a_structure_without_a_group_is_named_when_groups_are_asked_for() -> None:
    with pytest.raises(DataError, match=r"(?s)structure: has no group.*data\.keys\.group"):
        split(grouped("a", None, "b"), SplitConfig(by="group"))


@pytest.mark.parametrize(
    "values",
    [
        {"by": "config_type"},
        {"by": "config_type", "hold_out": ["a"], "test_fraction": 0.2},
        {"by": "config_type", "hold_out": ["a"], "seed": 1},
        {"hold_out": ["a"]},
        {"by": "group", "hold_out": ["a"]},
        {"test_fraction": 1.0},
        {"test_fraction": 0.0},
        {"by": "colour"},
    ],
)
def test_options_that_make_no_sense_together_are_refused(values: dict) -> None:
    with pytest.raises(ConfigurationError):
        SplitConfig.parse(values)


def test_an_unknown_key_of_the_optional_split_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'seed'"):
        DataConfig.parse({"split": {"sed": 1}})


@pytest.mark.parametrize(
    "config", [SplitConfig(seed=5), SplitConfig(by="config_type", hold_out=("b",)), SplitConfig(by="group")]
)
def test_a_stored_split_gives_the_same_parts(tmp_path: Path, config: SplitConfig) -> None:
    data = [replace(s, group=str(i // 4)) for i, s in enumerate(dimers(*["a", "b"] * 20))]
    made = split(data, config)
    made.save(tmp_path / "split.json")
    loaded = Split.load(tmp_path / "split.json")
    assert loaded == made
    train, test = loaded.apply(data)
    assert [s.labels.energy for s in test] == [-float(index) for index in made.test]
    assert len(train) + len(test) == len(data)


def test_a_stored_split_may_leave_structures_out(tmp_path: Path) -> None:
    data = dimers(*["a"] * 6)
    replace(split(data), train=(0, 2), test=(5,)).save(tmp_path / "split.json")
    train, test = Split.load(tmp_path / "split.json").apply(data)
    assert [len(train), len(test)] == [2, 1]


def test_a_stored_split_is_refused_on_other_data() -> None:
    data = dimers(*["a"] * 20)
    made = split(data)
    for other in (data[:-1], data[::-1], dimers(*["a"] * 19, "b")[:19] + dimers("b")):
        with pytest.raises(DataError, match="the split was made for other data"):
            made.apply(other)


def test_what_is_no_split_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    with pytest.raises(DataError, match=r"split\.json: cannot be read"):
        Split.load(file)
    for text in ("hello", "[]", '{"schema_version": 1}'):
        file.write_text(text)
        with pytest.raises(DataError, match=r"split\.json: is no split"):
            Split.load(file)
    made = split(dimers(*["a"] * 20)).to_dict()
    file.write_text(json.dumps(made | {"schema_version": 9}))
    with pytest.raises(DataError, match="has the schema version 9"):
        Split.load(file)
    for wrong in ([0, 0], [0, 20], [made["test"][0]]):
        file.write_text(json.dumps(made | {"train": wrong}))
        with pytest.raises(DataError, match="names a structure twice, or one that the data do not hold"):
            Split.load(file)
