"""Numbers in tables."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adiabat.report.numbers import ABSENT, column_texts, is_numeric


def test_a_column_has_one_number_of_decimals_and_a_typical_value_three_digits() -> None:
    assert column_texts([2.2083, 12.9, 0.61]) == ["2.21", "12.90", "0.61"]
    assert column_texts([0.0602, 0.1352, 1.2]) == ["0.060", "0.135", "1.200"]


def test_what_is_absent_is_a_dash_not_a_zero() -> None:
    assert column_texts([None, 0.0, 1.5]) == [ABSENT, "0.00", "1.50"]


def test_magnitudes_too_far_apart_have_digits_of_their_own() -> None:
    assert column_texts([1e-9, 123456.0]) == ["1e-09", "1.23e+05"]


def test_integers_are_grouped_and_texts_left_alone() -> None:
    assert column_texts([1234567, 3]) == ["1,234,567", "3"]
    assert column_texts(["1234567"]) == ["1234567"]


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12), min_size=1))
def test_no_number_is_shown_as_zero_unless_it_is_zero(values: list[float]) -> None:
    for value, text in zip(values, column_texts(values), strict=True):
        assert (float(text.replace(",", "")) == 0) == (value == 0)


@pytest.mark.parametrize(
    ("cells", "numeric"), [([1, None], True), ([1.5], True), ([None], True), (["a", 1], False), ([], False)]
)
def test_a_column_of_numbers_is_known_as_one(cells: list[str | float | int | None], numeric: bool) -> None:
    assert is_numeric(cells) is numeric
