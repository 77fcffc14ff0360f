"""An error says what is wrong, where, by which rule, and how to mend it."""

import ast
import pickle
from pathlib import Path

import pytest

from adiabat import errors
from adiabat.errors import AdiabatError, DataError

CLASSES = [value for value in vars(errors).values() if isinstance(value, type)]
SOURCE = Path(__file__).parents[1] / "src" / "adiabat"
MODULES = [file for file in sorted(SOURCE.rglob("*.py")) if "testing" not in file.parts]
"""What users meet; the contracts of `testing` are for those who write models."""


def test_an_error_reads_as_place_value_rule_and_mend() -> None:
    error = DataError("energy is nan", place="a.xyz, structure 3", rule="a label is finite", mend="remove it")

    assert str(error) == "a.xyz, structure 3: energy is nan\n  rule: a label is finite\n  mend: remove it"


def test_what_is_not_said_leaves_no_trace() -> None:
    assert str(DataError("no structures")) == "no structures"
    assert str(DataError("no structures", mend="name another file")) == "no structures\n  mend: name another file"


def test_one_class_catches_every_error_of_a_user() -> None:
    assert len(CLASSES) >= 10
    assert all(issubclass(error, AdiabatError) for error in CLASSES)


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_passes_from_one_process_to_another_whole(error: type[AdiabatError]) -> None:
    raised = error("what", place="where", rule="rule", mend="mend")

    assert str(pickle.loads(pickle.dumps(raised))) == str(raised)


def raised_in(module: Path) -> list[ast.Call]:
    names = {error.__name__ for error in CLASSES}
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(SOURCE)))
def test_every_error_of_a_user_says_its_rule_and_its_mend(module: Path) -> None:
    for call in raised_in(module):
        said = {keyword.arg for keyword in call.keywords}
        assert {"rule", "mend"} <= said, f"{module.name}, line {call.lineno}"
