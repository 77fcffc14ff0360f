"""Surfaces, against bonds counted and shapes known."""

from math import sqrt

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.units import _e
from test_properties import NEAREST_ONLY, deepest

from adiabat.errors import StructureError
from adiabat.potential import Potential
from adiabat.properties import relaxed_crystal
from adiabat.properties.surfaces import Surfaces, distinct_planes, slabs_of, surfaces, wulff
from adiabat.properties.surfaces.energies import surface_figures, surface_table
from adiabat.properties.symmetry import Symmetry

J_PER_M2 = _e * 1e20


@pytest.fixture(scope="module")
def argon() -> Surfaces:
    potential = Potential([NEAREST_ONLY])
    return surfaces(
        relaxed_crystal(bulk("Ar", a=5.3), potential), potential, thickness_angstrom=14.0, vacuum_angstrom=8.0
    )


def test_a_surface_costs_the_bonds_that_it_breaks(argon: Surfaces) -> None:
    distance, depth = deepest(NEAREST_ONLY)
    # Broken bonds and area of a surface atom of an fcc crystal: J. K. Mackenzie et al., J. Phys. Chem. Solids 23, 185 (1962).
    broken = {(1, 0, 0): (4, 1.0), (1, 1, 0): (6, sqrt(2)), (1, 1, 1): (3, sqrt(3) / 2)}

    assert set(argon.miller_indices) == set(broken)
    for miller, energy in zip(argon.miller_indices, argon.surface_energy_j_per_m2, strict=True):
        bonds, area = broken[miller]
        assert energy == pytest.approx(bonds / 2 * depth / (area * distance**2) * J_PER_M2, rel=1e-3)
    assert argon.thickness_error_j_per_m2.max() < 1e-6
    assert argon.cuts == (0, 0, 0)


def test_the_shape_of_broken_bonds_is_the_truncated_octahedron(argon: Surfaces) -> None:
    # γ100 / γ111 = 2/√3 for nearest neighbours alone: facets 100 and 111, none of 110, which lie on the edges.
    shares = dict(zip(argon.miller_indices, argon.wulff_area_shares, strict=True))

    assert shares[(1, 1, 0)] == pytest.approx(0, abs=1e-3)
    # Eight hexagons and six squares of one edge: 12√3 : 6.
    assert shares[(1, 1, 1)] == pytest.approx(12 * sqrt(3) / (12 * sqrt(3) + 6), abs=5e-3)


def test_a_single_family_makes_a_cube() -> None:
    turns = Symmetry.of(bulk("Ar", cubic=True)).point_group
    found = wulff(np.array([[1.0, 0, 0], [1.0, 1.0, 0]]), np.array([1.0, 1.5]), turns)

    assert found.area_shares == pytest.approx([1, 0])
    assert sorted(np.abs(found.vertices).ravel()) == pytest.approx([1.0] * found.vertices.size)
    assert (found.mean_energy, found.anisotropy) == pytest.approx((1.0, 0.0))


def test_a_dodecahedron_cuts_the_edges_of_a_cube() -> None:
    turns = Symmetry.of(bulk("Ar", cubic=True)).point_group
    ratio = 1.2
    found = wulff(np.array([[1.0, 0, 0], [1.0, 1.0, 0]]), np.array([1.0, ratio]), turns)
    half = sqrt(2) * ratio - 1  # of a square facet's edge

    square = 6 * (2 * half) ** 2
    assert found.area_shares[0] == pytest.approx(square / (square + _chamfers(half)), rel=1e-6)


def _chamfers(half: float) -> float:
    """Area of the twelve hexagons between the squares of a chamfered cube of unit inner radius; those meet in its corners."""
    corner = (1 + half) / 2  # where three chamfers meet: x = y = z with x + y = 1 + half
    width = sqrt(2) * (1 - half)  # across, from square to square
    return 12 * (2 * half * width + (2 * corner - 2 * half) * width / 2)


def test_planes_of_a_cubic_and_of_a_hexagonal_crystal() -> None:
    cubic = {tuple(sorted(map(abs, miller), reverse=True)) for miller in distinct_planes(bulk("Cu"), 2)}

    assert cubic == {(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1), (2, 2, 1)}
    assert len(distinct_planes(bulk("Cu"), 3)) == 13
    assert len(distinct_planes(bulk("Mg"), 1)) == 5  # 0001, 10-10, 11-20, 10-11, 11-21
    with pytest.raises(StructureError, match="index 0"):
        distinct_planes(bulk("Cu"), 0)


@pytest.mark.parametrize("miller", [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 1), (3, 1, 0)])
def test_a_slab_has_the_density_of_its_crystal_and_the_smallest_cell(miller: tuple[int, int, int]) -> None:
    crystal = bulk("Cu", cubic=True, a=3.6)
    [slab] = slabs_of(crystal, miller, thickness_angstrom=8.0, vacuum_angstrom=10.0)
    normal = np.array(miller) / np.linalg.norm(miller)
    cell = slab.atoms.cell.array

    assert len(slab.atoms) / (slab.area * slab.thickness) == pytest.approx(4 / 3.6**3)
    assert slab.thickness >= 8.0
    np.testing.assert_allclose(cell[:2] @ normal, 0, atol=1e-9)
    np.testing.assert_allclose(cell[2], np.linalg.norm(cell[2]) * normal, atol=1e-9)
    heights = slab.atoms.positions @ normal
    assert np.linalg.norm(cell[2]) - np.ptp(heights) == pytest.approx(10.0)
    assert slab.area * slab.thickness == pytest.approx(len(slab.atoms) * 3.6**3 / 4)


def test_a_slab_can_be_cut_in_each_kind_of_gap() -> None:
    diamond = bulk("Si", a=5.431)

    assert len(slabs_of(diamond, (1, 1, 1), thickness_angstrom=8.0, vacuum_angstrom=10.0)) == 2
    assert len(slabs_of(diamond, (1, 1, 0), thickness_angstrom=8.0, vacuum_angstrom=10.0)) == 1
    wide, narrow = slabs_of(diamond, (1, 1, 1), thickness_angstrom=8.0, vacuum_angstrom=10.0)
    gaps = [np.diff(np.sort(one.atoms.positions @ np.ones(3) / sqrt(3)))[0] for one in (wide, narrow)]
    assert gaps == pytest.approx([5.431 * sqrt(3) / 12, 5.431 * sqrt(3) / 4])  # a double layer outside, or half of one


def test_what_is_no_crystal_is_refused() -> None:
    slab = Atoms("Ar", positions=[[0, 0, 0]], cell=[3.7, 3.7, 20], pbc=(True, True, False))
    with pytest.raises(StructureError, match="periodic"):
        slabs_of(slab, (1, 0, 0), thickness_angstrom=8.0, vacuum_angstrom=10.0)


def test_table_and_pictures_have_a_place_for_each_surface(argon: Surfaces) -> None:
    assert [row[0] for row in surface_table(argon, None).rows] == ["(1 0 0)", "(1 1 0)", "(1 1 1)"]
    assert [figure.name for figure in surface_figures(argon)] == ["surface-energies", "wulff"]
