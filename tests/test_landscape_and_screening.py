"""Random starts, spurious minima and holes; and a cheap pass over many paths."""

import numpy as np
import pytest
import torch
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from surfaces_in_the_plane import cosine, field, walker

from adiabat.errors import ConfigurationError, DataError
from adiabat.potential import Committee, Potential
from adiabat.properties.landscape import landscape, random_starts
from adiabat.properties.landscape.starts import shortest_distance
from adiabat.properties.paths.screening import pairs_of, screened

ARGON = PairModel({18: 0.5}, {18: 3.4}, cutoff=7.0)


class Hollow:
    """Lennard-Jones argon with a well of depth 20 eV at 1.5 Å added to each pair: a hole."""

    kind = "test_hollow"
    cutoff = 7.0
    interaction_range = 7.0
    species = (18,)

    def __init__(self) -> None:
        self._base = ARGON

    def atomic_energies(self, graph):
        lengths = graph.vectors().norm(dim=1)
        near = lengths < 3.0
        r = torch.where(near, lengths, 3.0)
        # In place of the wall below 3 Å, a hollow that joins it smoothly enough for a search.
        well = torch.where(near, -20.0 * torch.exp(-(((r - 1.5) / 0.4) ** 2)), 0.0)
        soft = torch.where(near, 1.0, 0.0)
        base = self._base.atomic_energies(graph)
        wall = 4 * 0.5 * ((3.4 / r) ** 12 - (3.4 / r) ** 6) * (1 - (r / 7.0) ** 2) ** 3
        pair = (
            well - soft * wall + soft * 4 * 0.5 * ((3.4 / 3.0) ** 12 - (3.4 / 3.0) ** 6) * (1 - (3.0 / 7.0) ** 2) ** 3
        )
        return base + torch.zeros_like(base).index_add(0, graph.center, 0.5 * pair)

    def to(self, **kwargs):
        return self

    def to_state(self):
        raise NotImplementedError


def cluster() -> Atoms:
    """Five atoms: the only minima are the bipyramid and nothing else (M. R. Hoare and P. Pal, Adv. Phys. 20, 161 (1971))."""
    return Atoms("Ar5", positions=[[0, 0, 0], [3.8, 0, 0], [1.9, 3.3, 0], [1.9, 1.1, 3.1], [1.9, 1.1, -3.1]])


def test_five_atoms_of_argon_have_one_compact_minimum() -> None:
    found = landscape(cluster(), Potential([ARGON]), starts=8)

    assert found.kinds[0] == "minimum"
    assert found.energies_ev_per_atom[0] == pytest.approx(0, abs=1e-4)
    assert found.found_times[0] >= 4
    assert found.suspicious == []
    assert found.lost == 0
    assert found.starts == 8


def test_holes_and_spurious_minima_are_named_with_their_structures() -> None:
    hollow = Potential([Hollow()])  # type: ignore[list-item]
    found = landscape(cluster(), hollow, starts=12, reference=Potential([ARGON]), seed=2)

    assert "hole" in found.kinds or found.lost > 0
    for place in found.suspicious:
        if found.kinds[place] == "hole":
            assert shortest_distance(found.structures[place]) < 0.7 * 3.7
            assert found.compared is not None
            assert found.compared.spurious[place]
            assert found.compared.falls_ev_per_atom[place] > 1.0


def test_saddles_between_minima_are_searched_and_compared() -> None:
    found = landscape(cluster(), Potential([ARGON]), starts=3, saddle_searches=4, reference=Potential([ARGON]))

    assert found.compared is not None
    assert found.compared.falls_ev_per_atom == pytest.approx(np.zeros(len(found.structures)), abs=1e-3)
    assert not any(found.compared.spurious)
    if len(found.saddle_barriers_ev):
        assert found.saddles_compared == pytest.approx(found.saddle_barriers_ev, abs=1e-3)


def test_random_starts_have_the_atoms_and_about_the_density_of_a_crystal() -> None:
    crystal = bulk("Ar", cubic=True, a=5.3)
    starts = random_starts(crystal, 6, seed=4)

    for atoms in starts:
        assert atoms.get_chemical_formula() == "Ar4"
        assert 0.74 < atoms.get_volume() / crystal.get_volume() < 1.26
        assert shortest_distance(atoms) > 0.4 * shortest_distance(crystal)
    assert np.allclose(random_starts(crystal, 2, seed=4)[1].positions, starts[1].positions)
    for wrong in (
        Atoms("Ar"),
        Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3]], cell=[9, 9, 9], pbc=(True, False, False)),
    ):
        with pytest.raises(ConfigurationError):
            random_starts(wrong, 1)


def test_the_promising_and_the_least_certain_paths_are_chosen_and_failures_are_named() -> None:
    factors = (0.8, 1.2)
    committee = Committee([field(cosine(0.4 * factor, 3.0, 2.0)) for factor in factors])
    good = (walker(0.0, 0.0), walker(3.0, 0.0))
    pairs = [good, (walker(0.1, 0.0), walker(0.2, 0.0)), (walker(3.0, 0.1), walker(6.0, 0.1))]
    found = screened(pairs, committee, promising=1, least_certain=1, quiet=True)

    assert found.result.places == (0, 2)
    assert found.result.failed == (1,)
    assert "no atom moves" in found.result.failures[0]
    assert found.result.barrier_ev == pytest.approx([0.4, 0.4], abs=0.01)
    assert found.std("barrier_ev") == pytest.approx([0.08, 0.08], rel=0.02)
    assert len(found.result.chosen) >= 1
    assert len(found.result.promising) == len(found.result.least_certain) == 1


def test_what_cannot_be_screened_is_refused() -> None:
    potential = field(cosine(0.4, 3.0, 2.0))
    with pytest.raises(DataError, match="holds 3 structures"):
        pairs_of([walker(0, 0)] * 3)
    with pytest.raises(DataError, match="none of 1 paths has a barrier"):
        screened([(walker(0.1, 0), walker(0.2, 0))], potential, quiet=True)
    with pytest.raises(ConfigurationError, match="-1 promising"):
        screened([(walker(0, 0), walker(3, 0))], potential, promising=-1)
