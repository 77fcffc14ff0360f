"""An error says what is wrong, where, by which rule, and how to mend it."""

import pickle

import pytest

from adiabat import errors
from adiabat.errors import AdiabatError, DataError

CLASSES = [value for value in vars(errors).values() if isinstance(value, type)]


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
