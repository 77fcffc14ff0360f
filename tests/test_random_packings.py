"""Random packings, how near their atoms are, and where they come to rest."""

import os
from itertools import combinations_with_replacement

import numpy as np
import pytest
from analytic_models import argon_and_krypton
from ase import Atoms
from ase.build import bulk, molecule
from ase.optimize import FIRE
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import present

from adiabat.errors import DataError
from adiabat.holes import (
    PackingRule,
    contact_distances,
    nearest_approach,
    packings_like,
    random_packing,
    relax,
    relaxed_packings,
)
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.system import Batch, Labelled, Labels

VOLUME = (5.0, 50.0)
ARGON = [Labelled(bulk("Ar", "fcc", a=edge, cubic=True), Labels(energy=-0.3)) for edge in (5.3, 5.4)]


def rule(shortest: float = 1.5) -> PackingRule:
    """Two species, of which structures hold the first alone or both."""
    pairs = combinations_with_replacement((14, 32), 2)
    distances: dict[tuple[int, int], float] = {pair: shortest + 0.1 * i for i, pair in enumerate(pairs)}
    return PackingRule([np.array([14] * 4), np.array([14, 32])], 0.5, (6, 14), VOLUME, distances)


def packings(asked: PackingRule, count: int, seed: int = 0) -> list[Atoms]:
    rng = np.random.default_rng(seed)
    return [random_packing(asked, rng) for _ in range(count)]


def nearest(packing: Atoms, pair: tuple[int, int]) -> float:
    """Å, the shortest distance of a pair of species, own images left out as they are as far apart as the edge."""
    distances = packing.get_all_distances(mic=True)
    numbers = packing.numbers
    of_pair = [
        distances[i, j]
        for i in range(len(packing))
        for j in range(i)
        if (min(numbers[i], numbers[j]), max(numbers[i], numbers[j])) == pair
    ]
    return min(of_pair, default=np.inf)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.integers(0, 1000), st.floats(0.8, 1.9))
def test_no_two_atoms_of_a_packing_are_nearer_than_their_species_may(seed: int, shortest: float) -> None:
    asked = rule(shortest)
    for packing in packings(asked, 6, seed):
        assert packing.cell.lengths().min() >= max(asked.shortest.values())
        for pair, distance in asked.shortest.items():
            assert nearest(packing, pair) >= distance


def test_packings_are_of_all_compositions_sizes_and_volumes() -> None:
    found = packings(rule(0.9), 200)
    volumes = np.array([p.get_volume() / len(p) for p in found])

    assert volumes.min() < 1.3 * VOLUME[0]
    assert volumes.max() > 0.7 * VOLUME[1]
    assert {len(packing) for packing in found} == set(range(6, 14))
    assert {frozenset(packing.numbers.tolist()) for packing in found} >= {frozenset({14}), frozenset({14, 32})}


def test_a_seed_gives_the_same_packings() -> None:
    first, again, other = (packings(rule(), 5, seed) for seed in (1, 1, 2))

    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].positions, other[0].positions)


def test_packings_like_data_have_their_densities_and_begin_apart() -> None:
    contacts = {(18, 18): 3.4}
    found = packings_like(ARGON, contacts, 40, seed=3)
    volume = np.median([s.atoms.get_volume() / 4 for s in ARGON])

    densities = np.array([volume * len(atoms) / atoms.get_volume() for atoms in found])

    assert {len(atoms) for atoms in found} <= set(range(8, 21))
    assert densities.min() < 0.7
    assert densities.max() > 1.3
    assert (np.abs(densities - 1) <= 0.5 + 1e-9).all()
    for atoms in found:
        approach = nearest_approach(atoms, contacts)
        assert approach is None or approach.ratio >= 0.5
    assert all(a == b for a, b in zip(packings_like(ARGON, contacts, 3, seed=3), found, strict=False))


def test_molecules_without_a_cell_are_packed_about_as_in_a_liquid() -> None:
    acetone = Labelled(molecule("CH3COCH3"), Labels(energy=-1.0))
    contacts = {(1, 1): 0.7, (1, 6): 1.0, (1, 8): 1.0, (6, 6): 1.4, (6, 8): 1.2, (8, 8): 1.4}
    liquid = 73.4 / 0.6022 / 10  # Å³ per atom: 73.4 cm³/mol, ten atoms

    volumes = [atoms.get_volume() / len(atoms) for atoms in packings_like([acetone], contacts, 60, seed=0)]

    assert 0.5 * liquid < np.median(volumes) < 1.5 * liquid


def test_data_that_packings_cannot_be_like_are_refused() -> None:
    lone = Labelled(Atoms("Ar"), Labels(energy=0.0))
    merged = Labelled(Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 0.2]]), Labels(energy=0.0))

    with pytest.raises(DataError, match="isolated atoms alone"):
        packings_like([lone], {(18, 18): 3.0}, 1, seed=0)
    with pytest.raises(DataError, match=r"0\.200 Å apart"):
        contact_distances([merged], (18,))
    with pytest.raises(DataError, match="two atoms do not fit"):
        packings_like(ARGON, {(18, 18): 30.0}, 1, seed=0)


def test_contacts_are_the_shortest_distances_of_the_data() -> None:
    pair = Labelled(Atoms("Si2", positions=[[0, 0, 0], [0, 0, 2.1]]), Labels(energy=-1.0))

    assert contact_distances([pair], (14,)) == {(14, 14): pytest.approx(2.1)}
    approach = nearest_approach(Atoms("Si2", positions=[[0, 0, 0], [0, 0, 1.05]]), {(14, 14): 2.1})
    assert approach is not None
    assert (approach.pair, approach.ratio) == ((14, 14), pytest.approx(0.5))
    assert nearest_approach(pair.atoms, {(14, 14): 2.0}) is None


def test_structures_relax_together_as_they_do_in_another_code() -> None:
    potential = Potential([argon_and_krypton()])
    starts = [
        bulk("Ar", "fcc", a=5.3, cubic=True),
        bulk("Kr", "fcc", a=5.6) * (2, 2, 2),
        Atoms("Ar3", positions=np.eye(3) * 3.0),
    ]
    for seed, atoms in enumerate(starts):
        atoms.rattle(0.15, seed=seed)

    found = relax(potential, Batch.from_atoms(starts), force_tolerance=1e-4)

    for atoms, energy, force in zip(starts, found.energy_ev, found.largest_force, strict=True):
        atoms.calc = potential.calculator()
        FIRE(atoms, logfile=os.devnull).run(fmax=1e-4, steps=2000)
        assert float(energy) == pytest.approx(atoms.get_potential_energy(), abs=1e-5)
        assert float(force) <= 1e-4


def test_a_packing_goes_downhill_on_its_way() -> None:
    contacts = contact_distances(ARGON, (18,))
    potential = Potential([argon_and_krypton()])

    found = relaxed_packings(potential, packings_like(ARGON, contacts, 4, seed=1), contacts, quiet=True)

    assert max(len(packing.way) for packing in found) >= 2
    for packing in found:
        way = [*packing.way, packing.end]
        energies = present(potential(way, want=("energy",)).energy).numpy()
        assert len(packing.way) == packing.steps // 30
        assert energies[-1] == pytest.approx(len(packing.end) * packing.energy_ev_per_atom)
        assert energies[-1] <= energies.min() + 1e-9


def test_packings_count_energies_without_the_shifts_of_isolated_atoms() -> None:
    contacts = contact_distances(ARGON, (18,))
    thrown = packings_like(ARGON, contacts, 1, seed=0)
    with_shift = Potential([IsolatedAtoms({18: -500.0}, "fitted", 7.0), argon_and_krypton()])

    (shifted,) = relaxed_packings(with_shift, thrown, contacts, quiet=True)
    (plain,) = relaxed_packings(Potential([argon_and_krypton()]), thrown, contacts, quiet=True)

    assert shifted.energy_ev_per_atom == pytest.approx(plain.energy_ev_per_atom)
