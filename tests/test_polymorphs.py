"""Ranking of polymorphs, against enthalpies in closed form."""

import numpy as np
import pytest
from analytic_models import argon_and_krypton, rare_gas_potential
from ase import Atoms
from ase.build import bulk
from test_propagate import pair_potential
from test_properties import lattice_energy, rest

from adiabat.errors import StructureError
from adiabat.potential import Committee, Potential
from adiabat.properties.polymorphs import (
    Enthalpies,
    crossings,
    polymorph_figures,
    polymorph_tables,
    polymorphs,
    transitions,
)

GPA = 160.2176634


def crystals() -> list[Atoms]:
    return [bulk("Ar", "bcc", a=4.2, cubic=True), bulk("Ar", "fcc", a=5.3)]


def springs(energies: list[float], volumes: list[float], pressures: np.ndarray) -> Enthalpies:
    """Incompressible phases: H = E + pV."""
    values = np.array(energies)[:, None] + np.array(volumes)[:, None] * pressures / GPA
    return Enthalpies(values, np.repeat(np.array(volumes)[:, None], len(pressures), axis=1), ())


def test_the_lowest_comes_first_with_the_energy_of_its_lattice_sum() -> None:
    model = argon_and_krypton()
    found = polymorphs(crystals(), Potential([model]), names=["bcc", "fcc"], pressures_gpa=[0.0, 1.0])

    assert found.order == ("fcc", "bcc")
    assert found.space_groups == ("Im-3m (229)", "Fm-3m (225)")
    assert found.enthalpies_ev_per_atom[1] == pytest.approx([0, 0])
    assert found.volumes_cubic_angstrom_per_atom[1, 0] == pytest.approx(rest(model) ** 3 / 4, rel=1e-4)
    assert found.enthalpies_ev_per_atom[0, 0] > 0
    assert lattice_energy(model, rest(model)) < 0
    assert found.enthalpies_ev_per_atom_std is None
    assert found.probability_lowest is None


def test_incompressible_phases_change_places_where_their_enthalpies_cross() -> None:
    pressures = np.linspace(0, 20, 5)
    found = springs([0.0, 0.1, 0.3], [20.0, 18.0, 16.0], pressures)
    pairs, at = transitions(found, pressures)

    assert pairs == [(0, 1), (1, 2)]
    assert at == pytest.approx([0.1 / 2 * GPA, 0.2 / 2 * GPA])
    assert crossings(found, pressures, 0, 2) == pytest.approx(
        [0.3 / 4 * GPA]
    )  # below neither is the lowest: no transition


def test_a_phase_that_is_never_lowest_has_no_transition() -> None:
    pressures = np.linspace(0, 20, 5)
    pairs, at = transitions(springs([0.0, 0.1, 0.21], [20.0, 18.0, 17.9], pressures), pressures)

    assert pairs == [(0, 1)]
    assert at == pytest.approx([0.05 * GPA])


def test_errors_in_common_cancel_and_probabilities_are_shares_of_members() -> None:
    committee = Committee([pair_potential(factor) for factor in (0.9, 1.0, 1.1)])
    found = polymorphs(crystals(), committee, pressures_gpa=[0.0, 1.0])

    assert found.enthalpies_ev_per_atom_std is not None
    assert found.probability_lowest is not None
    # All energies scale alike, and so does their difference.
    expected = found.enthalpies_ev_per_atom[0, 0] * 0.1 * np.sqrt(2 / 3)
    assert found.enthalpies_ev_per_atom_std[0, 0] == pytest.approx(expected, rel=1e-3)
    assert found.enthalpies_ev_per_atom_std[1] == pytest.approx([0, 0])
    assert found.probability_lowest.tolist() == [[0, 0], [1, 1]]


def test_what_cannot_be_ranked_is_refused() -> None:
    krypton = bulk("Kr", "fcc", a=5.7)
    with pytest.raises(StructureError, match="the compositions are Ar, Kr"):
        polymorphs([*crystals(), krypton], rare_gas_potential())
    with pytest.raises(StructureError, match="1 structures"):
        polymorphs(crystals()[:1], rare_gas_potential())


def test_tables_and_picture_show_each_polymorph_at_each_pressure() -> None:
    found = polymorphs(crystals(), rare_gas_potential(), pressures_gpa=[0.0, 1.0])
    ranking, changes = polymorph_tables(found)

    assert len(ranking.rows) == 4
    assert changes.rows == ()
    assert len(polymorph_figures(found)[0].marks) == 2
