"""Contact distances: from the data as far as atoms touch there, from atomic radii elsewhere."""

import pytest
from ase.data import covalent_radii

from adiabat.data import contact_distance


def test_a_pair_that_touches_in_the_data_has_their_shortest_distance() -> None:
    assert contact_distance((14, 14), {(14, 14): 1.83}) == 1.83
    assert contact_distance((1, 1), {(1, 1): 1.58}) == 1.58  # of one carbon, not bonded to each other


def test_a_pair_that_is_only_far_apart_counts_as_touching_at_their_van_der_waals_radii() -> None:
    # 2.25 Å of krypton: S. Alvarez, Dalton Trans. 42, 8617 (2013), table 1
    assert contact_distance((36, 36), {(36, 36): 5.4}) == pytest.approx(0.8 * 2 * 2.25)


def test_a_pair_that_is_absent_has_the_sum_of_its_covalent_radii() -> None:
    assert contact_distance((1, 8), {(8, 8): 2.5}) == pytest.approx(covalent_radii[1] + covalent_radii[8])


def test_an_element_without_a_van_der_waals_radius_keeps_the_distance_of_the_data() -> None:
    assert contact_distance((61, 61), {(61, 61): 6.0}) == 6.0
