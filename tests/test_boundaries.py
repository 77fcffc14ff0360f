"""Grain boundaries against lattices counted and bonds counted; segregation against McLean's isotherm."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from site_models import on_sites
from test_properties import NEAREST_ONLY

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import Committee, Potential
from adiabat.properties import measured, relaxed_crystal
from adiabat.properties.boundaries import Bicrystal, coincidence, grain_boundary, segregation
from adiabat.properties.boundaries.energy import boundary_of_member
from adiabat.properties.boundaries.segregation import bins_of
from adiabat.sampling import ExchangeSettings
from adiabat.units import BOLTZMANN_EV_PER_K


def coincident_share(crystal: Atoms, plane: tuple[int, int, int]) -> float:
    """Of lattice points about the origin that the mirror image of the lattice has too, counted."""
    reach = range(-12, 13)
    points = np.array([(i, j, k) for i in reach for j in reach for k in reach]) @ crystal.cell.array
    points = points[np.linalg.norm(points, axis=1) < 14]
    normal = np.array(plane) / np.linalg.norm(plane)
    mirrored = points - 2 * (points @ normal)[:, None] * normal
    shares = mirrored @ np.linalg.inv(crystal.cell.array)
    return float((np.abs(shares - np.round(shares)).max(1) < 1e-6).mean())


@pytest.mark.parametrize(
    ("structure", "plane", "sigma"),
    [("bcc", (1, 1, 2), 3), ("bcc", (2, 1, 0), 5), ("bcc", (3, 1, 0), 5), ("fcc", (1, 1, 1), 3), ("fcc", (1, 2, 2), 9)],
)
def test_sigma_is_the_inverse_share_of_coincident_points(
    structure: str, plane: tuple[int, int, int], sigma: int
) -> None:
    crystal = bulk("W", structure, a=3.2)

    assert coincidence(crystal, plane) == sigma
    assert 1 / coincident_share(crystal, plane) == pytest.approx(sigma, rel=0.15)


def test_the_grains_of_a_bicrystal_have_the_density_of_the_crystal() -> None:
    crystal = bulk("W", a=3.2)
    found = Bicrystal.of(crystal, (2, 1, 0), thickness_angstrom=10.0)

    assert found.atoms.get_volume() / len(found.atoms) == pytest.approx(crystal.get_volume())
    assert found.lower * 2 == len(found.atoms)
    assert abs(found.atoms.cell.array[2] @ found.atoms.cell.array[0]) < 1e-9
    assert found.area == pytest.approx(3.2**2 * np.sqrt(5) / (1 if found.area > 20 else 2), rel=1e-6)


def test_a_coherent_twin_breaks_no_bond_between_neighbours() -> None:
    potential = Potential([NEAREST_ONLY])
    rest = relaxed_crystal(bulk("Ar", a=5.3), potential)
    found = grain_boundary(rest, potential, (1, 1, 1), thickness_angstrom=9.0, shifts=3, relaxed_shifts=3)

    assert found.sigma == 3
    assert found.boundary_energy_j_per_m2 == pytest.approx(0, abs=1e-5)
    assert found.excess_volume_angstrom == pytest.approx(0, abs=1e-3)
    assert found.candidate_energies_j_per_m2.max() >= found.boundary_energy_j_per_m2


def test_members_take_the_boundary_at_their_own_lattice_constant() -> None:
    weak, strong = (
        Potential([NEAREST_ONLY.__class__({18: factor}, NEAREST_ONLY.sigma, NEAREST_ONLY.cutoff)])
        for factor in (0.04, 0.05)
    )
    committee = Committee([weak, strong])
    rest = relaxed_crystal(bulk("Ar", a=5.3), committee)
    own = grain_boundary(rest, committee, (2, 1, 0), thickness_angstrom=7.0, shifts=2, relaxed_shifts=2)
    found = measured(
        lambda member: own if member is committee else boundary_of_member(own, rest, member), committee, quiet=True
    )

    assert own.sigma == 5
    assert own.boundary_energy_j_per_m2 > 0
    assert own.boundary_energy_j_per_m2 <= own.rigid_energy_j_per_m2 + 1e-9
    # Both members have one lattice constant and energies in proportion to their depth, 4 % either side of the mean's.
    assert found.std("boundary_energy_j_per_m2") == pytest.approx(own.boundary_energy_j_per_m2 / 9, rel=0.02)


def test_planes_that_make_no_boundary_are_refused() -> None:
    crystal = bulk("W", a=3.2)
    for plane, said in (((1, 0, 0), "mirror plane"), ((0, 0, 0), "the plane"), ((2, 2, 4), "the plane")):
        with pytest.raises(StructureError, match=said):
            Bicrystal.of(crystal, plane, thickness_angstrom=8.0)
    with pytest.raises(StructureError, match="cut 7"):
        Bicrystal.of(crystal, (1, 1, 2), thickness_angstrom=8.0, cut=7)
    with pytest.raises(ConfigurationError, match="0 shifts"):
        grain_boundary(crystal, Potential([NEAREST_ONLY]), (1, 1, 1), shifts=0)


def layered() -> tuple[Atoms, list[float]]:
    """Sites in six layers, those next to the two boundaries cheaper for krypton."""
    heights = np.array([1.0, 4.0, 7.0, 11.0, 14.0, 17.0])
    positions = [[5.0 * i, 5.0 * j, z] for z in heights for i in range(2) for j in range(2)]
    costs = [-0.1 if min(z % 9, 9 - z % 9) < 2.5 else 0.0 for z in heights for _ in range(4)]
    return Atoms("Ar24", positions=positions, cell=[10, 10, 18], pbc=True), costs


def test_the_profile_of_the_semi_grand_ensemble_is_mcleans() -> None:
    boundary, costs = layered()
    kelvin, difference = 1000.0, -0.1
    settings = ExchangeSettings(kelvin, sweeps=40, equilibration_sweeps=8, vibrations_per_sweep=0)
    found = segregation(
        boundary, on_sites(boundary, costs), "Kr", settings, difference_ev=difference, chains=8, quiet=True
    ).result
    thermal = BOLTZMANN_EV_PER_K * kelvin
    expected = 1 / (1 + np.exp((np.array([-0.1, 0.0]) - difference) / thermal))
    near = found.distances_angstrom < 2.5

    assert bins_of(boundary)[1] == pytest.approx([1.0, 2.0, 4.0])
    for share, bar, at_boundary in zip(found.profile, found.profile_std_sampling, near, strict=True):
        assert abs(share - expected[0 if at_boundary else 1]) < 4 * max(bar, 0.01)
    excess = (expected[0] - expected[1]) * 16 / 2  # of sixteen cheap sites, per boundary of a square nanometer
    assert abs(found.excess_per_square_nanometer - excess) < 4 * found.excess_per_square_nanometer_std_sampling


def test_the_canonical_ensemble_keeps_the_composition() -> None:
    boundary, costs = layered()
    settings = ExchangeSettings(1000.0, sweeps=20, equilibration_sweeps=5, vibrations_per_sweep=0)
    found = segregation(boundary, on_sites(boundary, costs), "Kr", settings, share=0.25, chains=4, quiet=True).result

    assert found.share == pytest.approx(0.25)
    assert found.share_std_sampling == 0
    assert found.excess_per_square_nanometer > 0


def test_segregation_asks_for_one_of_two_ensembles_and_another_element() -> None:
    boundary, costs = layered()
    potential, settings = on_sites(boundary, costs), ExchangeSettings(1000.0, sweeps=2)
    for given in ({}, {"share": 0.1, "difference_ev": 0.0}, {"share": 1.5}):
        with pytest.raises(ConfigurationError, match="difference of chemical"):
            segregation(boundary, potential, "Kr", settings, **given)  # type: ignore[arg-type]
    with pytest.raises(StructureError, match="'Ar' in a bicrystal of Ar"):
        segregation(boundary, potential, "Ar", settings, share=0.1)
    with pytest.raises(ConfigurationError, match="24 sites hold 0 atoms"):
        segregation(boundary, potential, "Kr", settings, share=0.001)
