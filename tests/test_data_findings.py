"""Findings: what is refused, what can be accepted, by which name."""

import ast
from pathlib import Path

import pytest

import adiabat.data.checks
from adiabat.data import KNOWN_FINDINGS, Finding, require_sound
from adiabat.errors import ConfigurationError, DataError

ERROR = Finding("close-atoms", "error", "2 structures hold close atoms", ("a, structure 1",), "a rule", "mend it")
WARNING = Finding("net-force", "warning", "forces do not sum to zero", ("a, structure 2",), "a rule", "mend it")


def test_data_without_errors_are_sound() -> None:
    for findings in ([], [WARNING]):
        assert require_sound(findings) is None  # it raises otherwise


def test_an_error_is_refused_with_all_that_mends_it() -> None:
    with pytest.raises(DataError) as caught:
        require_sound([WARNING, ERROR])
    assert str(caught.value) == (
        "a, structure 1: close-atoms: 2 structures hold close atoms\n  rule: a rule\n"
        "  mend: mend it; or accept what you know and want: --accept close-atoms"
    )


def test_all_errors_are_named_in_the_refusal() -> None:
    other = Finding("zero-stress", "error", "zero", ("a, structure 3",), "a rule", "mend it")
    with pytest.raises(DataError, match=r"found besides: zero-stress(.|\n)*--accept close-atoms --accept zero-stress"):
        require_sound([ERROR, other])


def test_an_accepted_error_is_let_through_and_no_other() -> None:
    other = Finding("zero-stress", "error", "zero", ("a, structure 3",), "a rule", "mend it")
    require_sound([ERROR], accept=["close-atoms"])
    with pytest.raises(DataError, match="zero-stress: zero"):
        require_sound([ERROR, other], accept=["close-atoms"])


def test_accepting_what_was_not_found_is_an_option_without_effect() -> None:
    with pytest.raises(ConfigurationError, match=r"'net-force' was not found in these data(.|\n)*found: close-atoms"):
        require_sound([ERROR], accept=["close-atoms", "net-force"])


def test_accepting_a_name_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"no finding named 'close-atom'(.|\n)*did you mean 'close-atoms'"):
        require_sound([ERROR], accept=["close-atom"])


def test_many_places_are_shown_as_a_few_and_a_count() -> None:
    many = Finding("net-force", "warning", "", tuple(f"structure {i}" for i in range(9)), "", "")
    assert many.where == "structure 0; structure 1; structure 2; structure 3; structure 4; and 4 more"


def test_the_known_names_are_those_that_the_checks_give() -> None:
    given = set()
    for file in Path(adiabat.data.checks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                name = node.args[0]
                given |= {name.value} if isinstance(name, ast.Constant) else {"force-outliers", "stress-outliers"}
    assert given == set(KNOWN_FINDINGS)
    assert sorted(KNOWN_FINDINGS) == list(KNOWN_FINDINGS)
