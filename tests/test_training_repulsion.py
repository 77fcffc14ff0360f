"""Where the learned functions end, something holds atoms apart."""

import pytest
import torch

from adiabat.errors import ConfigurationError
from adiabat.training.repulsion import RepulsionConfig, RepulsionRadii, repulsion_radii

SHORTEST = {(1, 1): 1.58, (1, 14): 1.45, (14, 14): 1.83}


def heights_ev(found: RepulsionRadii) -> dict[tuple[int, int], float]:
    at = {pair: torch.tensor([inner.radius - inner.width]).double() for pair, inner in found.inner.items()}
    return {pair: float(found.zbl.pair_energy(r, *pair)[0]) for pair, r in at.items()}


def test_atoms_of_every_pair_stand_before_a_wall_where_the_learned_functions_end() -> None:
    heights = heights_ev(repulsion_radii((1, 14), SHORTEST, RepulsionConfig(wall_ev=10.0)))

    assert heights[1, 1] == pytest.approx(10.0, rel=1e-6)
    assert heights[1, 14] == pytest.approx(10.0, rel=1e-6)
    assert heights[14, 14] > 15


def test_nuclei_that_repel_enough_keep_their_charges() -> None:
    found = repulsion_radii((1, 14), SHORTEST, RepulsionConfig(wall_ev=10.0))

    assert set(found.zbl.charge_factors) == {(1, 1), (1, 14)}
    assert any("charges are multiplied: H-H" in note and "Si-Si" not in note for note in found.notes)
    assert not repulsion_radii((1, 14), SHORTEST, RepulsionConfig(wall_ev=0.0)).zbl.charge_factors


def test_a_wall_that_no_charge_gives_is_as_high_as_it_can_be_and_said() -> None:
    found = repulsion_radii((55,), {(55, 55): 4.4}, RepulsionConfig(wall_ev=10.0))

    height = heights_ev(found)[55, 55]
    assert height > heights_ev(repulsion_radii((55,), {(55, 55): 4.4}, RepulsionConfig(wall_ev=0.0)))[55, 55]
    assert found.notes == (
        f"repulsion: nuclei alone give no wall of 10 eV, charges are multiplied: "
        f"Cs-Cs {found.zbl.charge_factors[55, 55]:.3g} ({height:.1f} eV)",
    )


def test_radii_of_an_absent_pair_come_from_covalent_ones_and_are_said() -> None:
    found = repulsion_radii((1, 14), {(14, 14): 1.83}, RepulsionConfig())

    assert any(note.startswith("no two atoms of H-H, H-Si come near") for note in found.notes)
    assert found.inner[1, 14].radius == pytest.approx(0.98 * (0.31 + 1.11))


def test_in_molecules_the_repulsion_ends_and_the_learned_functions_are_whole_before_the_shortest_bond() -> None:
    found = repulsion_radii((1, 14), SHORTEST, RepulsionConfig(), molecules=True)

    for pair, shortest in SHORTEST.items():
        just_shorter = torch.tensor([0.96 * shortest]).double()
        assert float(found.zbl.pair_energy(just_shorter, *pair)[0]) == 0.0
        assert found.inner[pair].radius < 0.9 * shortest
        assert found.inner[pair].radius - found.inner[pair].width > 0.5 * shortest
    assert min(heights_ev(found).values()) > 9.9


def test_what_the_user_sets_counts_for_molecules_too() -> None:
    config = RepulsionConfig(outer_factor=1.1, inner_factor=0.9, width_factor=0.2)

    of_solids, of_molecules = (repulsion_radii((14,), SHORTEST, config, molecules=m) for m in (False, True))

    assert of_solids.inner == of_molecules.inner
    assert of_solids.zbl.radii == of_molecules.zbl.radii


@pytest.mark.parametrize(
    "config", [RepulsionConfig(outer_factor=0.6), RepulsionConfig(inner_factor=0.4, width_factor=0.5)]
)
def test_a_repulsion_without_room_is_refused(config: RepulsionConfig) -> None:
    with pytest.raises(ConfigurationError, match="shortest distances"):
        repulsion_radii((14,), SHORTEST, config)
