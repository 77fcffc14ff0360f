"""Potentials with a hole built in are refused by name; those without pass."""

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch
from analytic_models import argon_and_krypton
from ase import Atoms
from ase.build import bulk, molecule
from torch import Tensor

from adiabat.errors import DataError
from adiabat.holes import (
    EnergyCurve,
    HoleSurvey,
    contact_distances,
    crystals_of,
    deepest_hole,
    dimer_curves,
    host_of,
    packings_like,
    push_curves,
    relaxed_packings,
    squeeze_curves,
)
from adiabat.models import IsolatedAtoms
from adiabat.physics import ZBL
from adiabat.potential import Potential
from adiabat.system import Graph, Labelled, Labels, PartState, register
from adiabat.testing import ContractViolation, check_no_holes

RARE_GASES = {(18, 18): (1.2, 3.0), (18, 36): (1.2, 3.1), (36, 36): (1.2, 3.2)}
CONTACT = 1.2 * 2 * 1.06
"""Å, of argon: the atoms of the data below keep further apart than 1.2 times the sum of covalent radii."""


@register
@dataclass(frozen=True)
class Wells:
    """-½ D Σ_j w(r_ij) for each pair, less D' F_i G_i, which a dimer does not have: F counts atoms at 1.6 Å, G those of the bulk.

    Less also D'' for each atom that has more than two neighbours nearer than about 2.8 Å, as in a squeezed crystal.
    """

    pair_ev: float = 0.0
    triple_ev: float = 0.0
    squeezed_ev: float = 0.0
    kind: ClassVar[str] = "test_wells"

    @property
    def cutoff(self) -> float:
        return 6.0

    @property
    def interaction_range(self) -> float:
        return self.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        return (18, 36)

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        distances = graph.vectors().square().sum(-1).sqrt()
        bulk_like = 0.1 * self._count(graph, torch.exp(-(((distances - 3.8) / 0.5) ** 2)))
        near = self._count(graph, torch.exp(-(((distances - 1.6) / 0.15) ** 2)))
        crowd = self._count(graph, torch.sigmoid((2.8 - distances) / 0.05))
        squeezed = torch.sigmoid(10 * (crowd - 2))
        return -0.5 * self.pair_ev * near - self.triple_ev * near * bulk_like - self.squeezed_ev * squeezed

    @staticmethod
    def _count(graph: Graph, values: Tensor) -> Tensor:
        return values.new_zeros(graph.batch.n_atoms).index_add(0, graph.center, values)

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        return PartState(self.kind, {}, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        return cls()


def rare_gases(**wells: float) -> Potential:
    """ZBL, Lennard-Jones without its wall, so that a well of some eV is a hole; and a shift that is no atom's energy."""
    parts = [IsolatedAtoms({18: -5.0, 36: -7.0}, "fitted", 6.0), ZBL(RARE_GASES), Wells(**wells)]
    return Potential(parts)


def crystal(symbol: str, *, edge: float = 5.4, seed: int = 0, energy_ev: float = -0.3) -> Labelled:
    atoms = bulk(symbol, "fcc", a=edge, cubic=True)
    atoms.rattle(0.05, seed=seed)
    return Labelled(atoms, Labels(energy=energy_ev), config_type=symbol)


ARGON = [crystal("Ar"), crystal("Ar", edge=5.3, seed=1, energy_ev=-0.2)]


def argon(**wells: float) -> Potential:
    return Potential([ZBL({(18, 18): (1.2, 3.0)}), Wells(**wells)])


def test_lennard_jones_and_zbl_have_no_holes() -> None:
    mixed = crystal("Ar")
    mixed.atoms.numbers[0] = 36
    potential = Potential([IsolatedAtoms({18: -5.0, 36: -7.0}, "fitted", 7.0), ZBL(RARE_GASES), argon_and_krypton()])

    survey = check_no_holes(potential, [*ARGON, mixed], packings=5, directions=2, quiet=True)

    assert len(survey.curves) == 3 + 3 * 2 + 1
    assert len(survey.packings) == 5
    assert all(packing.largest_force < 0.1 for packing in survey.packings)


@pytest.mark.parametrize(("depth_ev", "falls"), [(0.004, 0), (0.006, 1)])
def test_a_fall_of_less_than_five_mev_is_no_hole(depth_ev: float, falls: int) -> None:
    energies = np.array([0.0, 1.0, 1.0 - depth_ev, 2.0])
    curve = EnergyCurve("a path", np.array([3.0, 2.0, 1.5, 1.0]), "Å", energies, [Atoms("Ar")] * 4)

    assert len(HoleSurvey((curve,), (), {}).falls) == falls


def test_a_well_between_two_atoms_is_named_with_its_distance() -> None:
    potential = argon(pair_ev=40.0)

    with pytest.raises(ContractViolation, match=r"dimer Ar-Ar: the energy falls by .* eV from \d") as raised:
        check_no_holes(potential, ARGON, packings=0, directions=1, quiet=True)

    (hole,) = [deepest_hole(curve) for curve in dimer_curves(potential, contact_distances(ARGON, (18,)))]
    assert hole is not None
    assert hole.top > 1.6 > hole.bottom - 0.1
    assert f"to {hole.bottom:.3f} Å" in str(raised.value)


def test_a_well_that_only_the_bulk_has_is_found_by_pushing_an_atom() -> None:
    potential, contacts = argon(triple_ev=40.0), {(18, 18): CONTACT}

    holes = [deepest_hole(curve) for curve in push_curves(potential, ARGON, contacts, directions=4, quiet=True)]

    assert deepest_hole(dimer_curves(potential, contacts)[0]) is None
    assert all(hole is not None and hole.depth_ev > 1 and hole.bottom == pytest.approx(1.6, abs=0.1) for hole in holes)


def test_a_second_minimum_under_compression_is_found_by_squeezing() -> None:
    contacts, crystals = {(18, 18): CONTACT}, {"fcc": bulk("Ar", "fcc", a=5.4)}

    (sound,) = squeeze_curves(argon(), crystals, contacts)
    (collapsing,) = squeeze_curves(argon(squeezed_ev=5.0), crystals, contacts)

    hole = deepest_hole(collapsing)
    assert deepest_hole(sound) is None
    assert sound.coordinate[-1] == pytest.approx(0.4)
    assert hole is not None
    assert hole.bottom == pytest.approx((2.8 * np.sqrt(2) / 5.4) ** 3, abs=0.06)


def test_a_crystal_may_begin_at_a_larger_volume_than_its_equilibrium() -> None:
    potential = Potential([argon_and_krypton()])

    (curve,) = squeeze_curves(potential, {"expanded": bulk("Ar", "fcc", a=5.8)}, {(18, 18): CONTACT})

    assert 0.6 < curve.coordinate[0] < 0.85
    assert deepest_hole(curve) is None


def test_a_crystal_that_falls_at_once_has_a_hole_where_its_atoms_are_nearer_than_in_the_data() -> None:
    crystals, potential = {"fcc": bulk("Ar", "fcc", a=4.09)}, argon(squeezed_ev=5.0)

    (within,) = squeeze_curves(potential, crystals, {(18, 18): 2.5})
    (beyond,) = squeeze_curves(potential, crystals, {(18, 18): 3.6})

    hole = deepest_hole(beyond)
    assert deepest_hole(within) is None
    assert hole is not None
    assert hole.top == 1.0


def test_packings_that_collapse_or_sink_are_named() -> None:
    with pytest.raises(ContractViolation) as raised:
        check_no_holes(argon(pair_ev=60.0), ARGON, packings=6, directions=1, quiet=True)

    assert "of the shortest distance in the data" in str(raised.value)
    assert "below all crystals of the data" in str(raised.value)


def made_curve(energies_ev: list[float]) -> EnergyCurve:
    """Along 0, 1, 2 ... Å, with argon of that many atoms less one."""
    places = np.arange(float(len(energies_ev)))
    structures = [Atoms(["Ar"] * (index + 1)) for index in range(len(places))]
    return EnergyCurve("path", places, "Å", np.array(energies_ev), structures)


def test_an_energy_that_is_no_number_is_a_hole() -> None:
    curve = made_curve([0.0, 1.0, nan])

    hole = deepest_hole(curve)

    assert hole is not None
    assert (hole.top, hole.bottom) == (1.0, 2.0)


def test_a_packing_without_an_energy_counts_as_sunk() -> None:
    contacts = {(18, 18): CONTACT}

    packings = relaxed_packings(argon(pair_ev=nan), packings_like(ARGON, contacts, 2, seed=0), contacts, quiet=True)

    assert set(HoleSurvey((), tuple(packings), {}).sunk()) == {0, 1}


def test_the_deepest_fall_is_measured_from_the_highest_point_before_it() -> None:
    curve = made_curve([0.0, 3.0, 1.0, 2.0, 0.5, 4.0])

    hole = deepest_hole(curve)

    assert hole is not None
    assert (hole.top, hole.bottom, hole.depth_ev) == (1.0, 4.0, 2.5)
    assert [len(atoms) for atoms in hole.between] == [2, 3, 4, 5]


def test_a_path_that_only_rises_has_no_hole_and_rounding_is_none() -> None:
    energies = [-1e6, -1e6 - 1e-7, 0.0, 1e12, 1e12 - 1.0]

    assert deepest_hole(made_curve(energies)) is None


def test_an_atom_is_pushed_from_the_contact_distance_down_to_the_nearest() -> None:
    curves = push_curves(argon(), ARGON, {(18, 18): CONTACT}, directions=6, quiet=True)

    for curve in curves:
        assert curve.coordinate[0] == pytest.approx(CONTACT, abs=0.01)
        assert (np.diff(curve.coordinate) < 0).all()
        assert deepest_hole(curve) is None
    assert curves[0].coordinate[-1] == pytest.approx(0.3, abs=0.01)
    assert len({curve.place for curve in curves}) == 6


def test_species_that_never_meet_in_the_data_are_pushed_onto_each_other_all_the_same() -> None:
    apart = [crystal("Ar"), crystal("Kr", edge=5.7, energy_ev=-0.4)]
    contacts = contact_distances(apart, (18, 36))

    curves = push_curves(rare_gases(), apart, contacts, directions=2, quiet=True)

    assert contacts[18, 36] == pytest.approx(1.06 + 1.16)
    assert [curve.place.split(",")[0] for curve in curves] == ["Ar-Ar"] * 2 + ["Ar-Kr"] * 2 + ["Kr-Kr"] * 2
    assert all("Kr pushed" in curve.place for curve in curves[2:4])


def test_atoms_of_molecules_are_pushed_within_them() -> None:
    water = molecule("H2O")
    data = [Labelled(water, Labels(energy=-14.0))]
    potential = Potential([ZBL({(1, 1): (0.5, 1.6), (1, 8): (0.5, 1.1), (8, 8): (0.6, 2.0)})])
    contacts = contact_distances(data, (1, 8))

    curves = push_curves(potential, data, contacts, directions=3, quiet=True)

    assert len(curves) == 9
    assert all(deepest_hole(curve) is None for curve in curves)


def test_data_that_cannot_be_judged_by_are_refused() -> None:
    lone = Labelled(Atoms("Ar"), Labels(energy=0.0))

    with pytest.raises(DataError, match="no structure holds"):
        host_of([lone], (18, 18))


def test_the_structure_of_lowest_energy_stands_for_the_rest_and_the_first_where_none_has_one() -> None:
    silent = [Labelled(structure.atoms) for structure in ARGON[::-1]]

    assert host_of(ARGON[::-1], (18, 18)) is ARGON[0].atoms
    assert crystals_of(ARGON[::-1]) == {"Ar": ARGON[0].atoms}
    assert host_of(silent, (18, 18)) is ARGON[1].atoms


def test_the_structure_that_is_richest_in_a_pair_stands_for_it_even_where_another_lies_lower() -> None:
    dilute, ordered = crystal("Ar", energy_ev=-9.0), crystal("Ar", energy_ev=-0.4)
    dilute.atoms.numbers[0], ordered.atoms.numbers[:2] = 36, 36
    pure = crystal("Kr", edge=5.7, energy_ev=-0.4)
    data = [dilute, ordered, pure, crystal("Ar", energy_ev=-0.1)]

    assert host_of(data, (18, 36)) is ordered.atoms
    assert host_of(data, (36, 36)) is pure.atoms
    assert host_of(data, (18, 18)) is data[3].atoms
