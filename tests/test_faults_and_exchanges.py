"""Stacking faults, antisites and hops, against bonds counted, cells built otherwise, and ASE."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from test_properties import NEAREST_ONLY
from test_vacancies import ordered

from adiabat.errors import ConfigurationError, StructureError
from adiabat.potential import FromASE, Potential
from adiabat.properties import relaxed_crystal
from adiabat.properties.arrays import evaluated
from adiabat.properties.defects import antisites, migrations
from adiabat.properties.defects.migrations import migrations_of_member
from adiabat.properties.faults import stacking_faults
from adiabat.units import JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM


@pytest.fixture(scope="module")
def argon() -> tuple[Atoms, Potential]:
    potential = Potential([NEAREST_ONLY])
    return relaxed_crystal(bulk("Ar", a=5.3), potential), potential


def test_the_intrinsic_fault_of_neighbours_alone_costs_nothing(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    found = stacking_faults(rest, potential, (1, 1, 1), (1, 1, -2), length=1 / 6, points=5, thickness_angstrom=12.0)
    other = stacking_faults(rest, potential, (1, 1, 1), (-1, -1, 2), length=1 / 6, points=3, thickness_angstrom=12.0)

    # Either 1/6 [1 1 -2] or its opposite leads to the fault, the other one atom over atom: which one is the crystal's orientation.
    stable = min(found.end_energy_j_per_m2, other.end_energy_j_per_m2)
    assert stable == pytest.approx(0, abs=1e-4)
    assert max(found.unstable_energy_j_per_m2, other.unstable_energy_j_per_m2) > 0.005
    assert found.fault_energy_j_per_m2[0] == 0


def test_a_slide_by_a_lattice_vector_is_no_fault_and_relaxation_lowers_the_rest(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    found = stacking_faults(rest, potential, (1, 1, 1), (1, -1, 0), length=0.5, points=5, thickness_angstrom=12.0)

    assert found.end_energy_j_per_m2 == pytest.approx(0, abs=1e-5)
    assert (found.fault_energy_j_per_m2 <= found.rigid_fault_energy_j_per_m2 + 1e-6).all()
    assert found.unstable_energy_j_per_m2 == pytest.approx(found.fault_energy_j_per_m2[2], abs=1e-6)
    assert found.slides_angstrom[-1] == pytest.approx(rest.cell.lengths()[0], rel=1e-6)


def test_the_rigid_fault_is_that_of_a_slab_whose_upper_half_is_slid(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    a = float(rest.cell.lengths()[0] * np.sqrt(2))
    slab = fcc111("Ar", (1, 1, 10), a=a, vacuum=10.0, orthogonal=False)
    slid = slab.copy()
    slid.positions[5:] += 0.25 * slab.cell.array[0]
    energies = evaluated(potential, [slab, slid], "energy")[0]
    area = np.linalg.norm(np.cross(slab.cell.array[0], slab.cell.array[1]))
    expected = (energies[1] - energies[0]) / area * JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM
    found = stacking_faults(rest, potential, (1, 1, 1), (1, -1, 0), length=0.5, points=5, thickness_angstrom=12.0)

    assert found.rigid_fault_energy_j_per_m2[2] > 0
    assert found.rigid_fault_energy_j_per_m2[[1]] == pytest.approx([_slab_fault(slab, 0.25, potential)], rel=1e-5)
    assert expected == pytest.approx(_slab_fault(slab, 0.25, potential))


def _slab_fault(slab: Atoms, share: float, potential: Potential) -> float:
    slid = slab.copy()
    slid.positions[5:] += share * slab.cell.array[0]
    energies = evaluated(potential, [slab, slid], "energy")[0]
    area = np.linalg.norm(np.cross(slab.cell.array[0], slab.cell.array[1]))
    return float((energies[1] - energies[0]) / area * JOULE_PER_SQUARE_METER_PER_EV_PER_SQUARE_ANGSTROM)


def test_a_line_lies_in_its_plane_and_has_points(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    with pytest.raises(StructureError, match=r"the direction \[1, 1, 1\]"):
        stacking_faults(rest, potential, (1, 1, 1), (1, 1, 1))
    with pytest.raises(StructureError, match="cut 5"):
        stacking_faults(rest, potential, (1, 1, 1), (1, -1, 0), cut=5)
    with pytest.raises(ConfigurationError, match="2 points"):
        stacking_faults(rest, potential, (1, 1, 1), (1, -1, 0), points=2)


def test_antisites_of_a_compound_exchange_atoms_with_their_elements() -> None:
    potential = FromASE(EMT())
    rest = relaxed_crystal(ordered(), potential)
    given = {"Cu": -0.1, "Au": 0.2}
    found = antisites(rest, potential, repeats=(2, 2, 2), given_chemical_potentials=given)
    full = rest.repeat(2)
    other = full.copy()
    other.numbers[0] = 29
    energies = evaluated(potential, [full, other], "energy")[0]

    assert (found.removed, found.added) == (("Au", "Cu"), ("Cu", "Au"))
    assert found.unrelaxed_formation_energy_ev[0] == pytest.approx(energies[1] - energies[0] + 0.2 + 0.1)
    assert (found.formation_energy_ev < found.unrelaxed_formation_energy_ev).all()
    with pytest.raises(StructureError, match="'Ag' is given"):
        antisites(rest, potential, repeats=(2, 2, 2), given_chemical_potentials={"Ag": 1.0})


def test_an_element_has_no_antisites_of_its_own(argon: tuple[Atoms, Potential]) -> None:
    for element, said in ((None, "all sites of Ar hold Ar"), ("Qq", "'Qq' is no element")):
        with pytest.raises(StructureError, match=said):
            antisites(*argon, element=element)


def test_the_one_hop_of_fcc_is_symmetric_and_grows_with_the_bonds(argon: tuple[Atoms, Potential]) -> None:
    rest, potential = argon
    found = migrations(rest, potential, images=3)
    strong = Potential(
        [NEAREST_ONLY.__class__({18: 2 * NEAREST_ONLY.epsilon_ev[18]}, NEAREST_ONLY.sigma, NEAREST_ONLY.cutoff)]
    )
    twice = migrations_of_member(found, rest, strong)

    assert found.hops_angstrom == pytest.approx([rest.cell.lengths()[0]])
    assert found.barrier_ev == pytest.approx(found.reverse_barrier_ev, abs=1e-4)
    assert found.barrier_ev[0] > 0
    assert twice.barrier_ev == pytest.approx(2 * found.barrier_ev, rel=0.01)
