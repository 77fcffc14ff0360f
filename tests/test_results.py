"""Results: numbers with their names, as JSON that any reader accepts."""

import dataclasses
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from adiabat.errors import OutputError
from adiabat.results import Result, plain
from adiabat.results.base import IN_MEMORY


@dataclass(frozen=True)
class Shell:
    radius: float
    count: int


@dataclass(frozen=True)
class Measured(Result):
    schema_version: ClassVar[int] = 3
    volume: float
    stress_gpa: np.ndarray
    shells: tuple[Shell, ...] = ()
    band_gap_ev: float | None = None
    by_kind: dict[str, float] = field(default_factory=dict)
    samples: np.ndarray = field(default_factory=lambda: np.zeros(3), metadata=IN_MEMORY)


def measured() -> Measured:
    return Measured(12.5, np.eye(2), (Shell(2.35, 4),), by_kind={"bulk": float("nan")})


def test_a_result_is_saved_as_json_with_the_versions_that_made_it(tmp_path: Path) -> None:
    measured().save(tmp_path / "measured.json")

    assert json.loads((tmp_path / "measured.json").read_text()) == {
        "schema_version": 3,
        "adiabat_version": version("adiabat"),
        "volume": 12.5,
        "stress_gpa": [[1.0, 0.0], [0.0, 1.0]],
        "shells": [{"radius": 2.35, "count": 4}],
        "band_gap_ev": None,
        "by_kind": {"bulk": None},
    }


def test_what_is_not_finite_is_null_and_never_an_invalid_word() -> None:
    values = {"a": np.array([1.0, np.inf]), "b": (float("nan"), -np.inf), "c": np.float64("nan"), "d": np.float32(0.5)}

    assert plain(values) == {"a": [1.0, None], "b": [None, None], "c": None, "d": 0.5}


def test_numbers_of_numpy_become_plain_ones() -> None:
    found = plain({"i": np.int64(3), "b": np.bool_(True), 5: np.arange(2), "empty": np.zeros((0, 3))})

    assert found == {"i": 3, "b": True, "5": [0, 1], "empty": []}
    assert json.loads(json.dumps(found)) == found


def test_a_result_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        measured().volume = 1.0  # pyright: ignore[reportAttributeAccessIssue]


def test_a_result_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        measured().save(tmp_path / "none" / "measured.json")

    assert list(tmp_path.iterdir()) == []
