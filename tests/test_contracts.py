"""The contracts pass what is right, and fail on each thing that is wrong."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch
from analytic_models import PairModel, argon_and_krypton
from ase.build import bulk
from made_potentials import INNER_RADII, made_ace, made_potential
from torch import Tensor

from adiabat.errors import PropertyUnavailable
from adiabat.models import IsolatedAtoms
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential
from adiabat.potential.scales import energy_scales
from adiabat.system import Batch, Graph, PartState, register
from adiabat.testing import ContractViolation, check_energy_model, check_potential
from adiabat.testing.data import reference_data
from adiabat.testing.smoothness import check_smooth
from adiabat.testing.structures import contract_cases

LENGTH = 3.6
SILICA = ZBL({(8, 8): (0.5, 2.2), (8, 14): (0.7, 2.5), (14, 14): (1.0, 2.9)})


@pytest.mark.parametrize(
    ("model", "length", "radii"),
    [
        (argon_and_krypton(), LENGTH, ()),
        (SILICA, None, (0.5, 0.7, 1.0, 2.2, 2.5)),
        (IsolatedAtoms({8: -432.0, 14: -158.5}, "data", 3.0), None, ()),
        (IsolatedAtoms({8: -432.0, 14: -158.5}, "fitted", 3.0), None, ()),
    ],
    ids=["pair", "zbl", "isolated atoms", "fitted shifts"],
)
def test_what_is_shipped_keeps_the_contract_of_an_energy_model(model: Any, length: float | None, radii: tuple) -> None:
    check_energy_model(model, length=length, radii=radii)


def test_a_sum_keeps_the_contract_of_a_potential() -> None:
    check_potential(Potential([IsolatedAtoms({8: -432.0, 14: -158.5}, "data", 3.0), SILICA]))


def test_the_expansion_with_repulsion_keeps_the_contract_of_a_potential() -> None:
    check_potential(made_potential(), radii=INNER_RADII)


def test_the_expansion_keeps_the_contract_of_an_energy_model() -> None:
    check_energy_model(made_ace(), radii=INNER_RADII)


def test_the_structures_of_a_contract_hold_every_species_and_every_kind_of_cell() -> None:
    species = (1, 6, 7, 8, 14, 26, 79)

    cases = {case.name: case.atoms for case in contract_cases(species, length=2.0)}

    assert set(cases["cell of every species"].numbers) == set(species)
    assert np.linalg.det(cases["left-handed cell"].cell.array) < 0 < np.linalg.det(cases["triclinic cell"].cell.array)
    assert len(cases["cell of one atom"]) == 1
    assert {tuple(atoms.pbc.tolist()) for atoms in cases.values()} >= {(True,) * 3, (False,) * 3, (True, True, False)}
    fractions = cases["atoms outside their cell"].cell.scaled_positions(cases["atoms outside their cell"].positions)
    assert np.abs(fractions).max() > 2


def test_the_scale_of_a_sum_is_that_of_its_terms_also_where_they_cancel() -> None:
    graph = neighbor_graph(Batch.from_atoms(bulk("Si")), 4.5)
    ace = made_ace()
    features, coefficients = ace.features(graph)[0], ace.coefficients[1]

    expected = float((features * coefficients).abs().sum())

    assert float(energy_scales([ace], graph)[0]) == pytest.approx(2 * expected)
    assert expected > abs(float(ace.atomic_energies(graph)[0]))


# Models that are wrong in one way each.


@register
@dataclass(frozen=True)
class Wrong:
    """A right pair model whose energies are then spoilt."""

    spoil: Callable[[Graph, Tensor], Tensor]
    right: PairModel = field(default_factory=argon_and_krypton)
    kind: ClassVar[str] = "test_wrong"

    @property
    def cutoff(self) -> float:
        return self.right.cutoff

    @property
    def interaction_range(self) -> float:
        return self.right.cutoff

    @property
    def species(self) -> tuple[int, ...]:
        return self.right.species

    def atomic_energies(self, graph: Graph) -> Tensor:
        return self.spoil(graph, self.right.atomic_energies(graph))

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        return PartState(self.kind, {}, {})

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        return cls(lambda graph, energies: energies)


def pair_sum(graph: Graph, pair: Callable[[Tensor], Tensor], cutoff: float = 7.0) -> Tensor:
    """A further energy, summed over the edges within the cutoff."""
    graph = graph.within(cutoff)
    energies = graph.batch.positions.new_zeros(graph.batch.n_atoms)
    return energies.index_add(0, graph.center, pair(graph.vectors()))


def lengths(vectors: Tensor) -> Tensor:
    return vectors.square().sum(-1).sqrt()


def detached_part(graph: Graph, energies: Tensor) -> Tensor:
    return energies + 1e-4 * pair_sum(graph, fading).detach()


def fading(vectors: Tensor) -> Tensor:
    return (1 - lengths(vectors) / 7.0).clamp(min=0) ** 4


def without_images(graph: Graph, energies: Tensor) -> Tensor:
    inside = (graph.shift == 0).all(-1)
    chosen = graph.selected(inside)
    return argon_and_krypton().atomic_energies(chosen)


def by_order(graph: Graph, energies: Tensor) -> Tensor:
    order = torch.arange(len(energies), dtype=energies.dtype)
    return energies * (1 + 1e-6 * (order - graph.batch.counts.cumsum(0)[graph.batch.system]))


def whole_batch(graph: Graph, energies: Tensor) -> Tensor:
    return energies + 1e-6 * energies.mean()


def longest_edge(graph: Graph, energies: Tensor) -> Tensor:
    return energies + 1e-6 * pair_sum(graph, lambda v: torch.exp(-lengths(v)), cutoff=graph.cutoff)


def hard_cutoff(graph: Graph, energies: Tensor) -> Tensor:
    return energies + 1e-6 * pair_sum(graph, lambda v: 1 / lengths(v) ** 2)


def kink_at_the_cutoff(graph: Graph, energies: Tensor) -> Tensor:
    return energies + 1e-4 * pair_sum(graph, lambda v: 1 - lengths(v) / 7.0)


def curvature_ends_at_the_cutoff(graph: Graph, energies: Tensor) -> Tensor:
    return energies + 1e-4 * pair_sum(graph, lambda v: (1 - lengths(v) / 7.0) ** 2)


WRONG = {
    "hard cutoff": (hard_cutoff, "continuous through every radius"),
    "kink at the cutoff": (kink_at_the_cutoff, "continuous through every radius"),
    "curvature ends at the cutoff": (curvature_ends_at_the_cutoff, "second derivatives.*\n.*continuous"),
    "a part without gradient": (detached_part, "minus the derivative of the energy"),
    "no gradient at all": (lambda graph, energies: energies.detach(), "minus the derivative of the energy"),
    "direction matters": (
        lambda graph, energies: energies + 1e-6 * pair_sum(graph, lambda v: v[:, 0] ** 2 * fading(v)),
        "(?s)rotated.*does not change under rotation",
    ),
    "handedness matters": (
        lambda graph, energies: energies + 1e-6 * torch.linalg.det(graph.batch.cell).sign()[graph.batch.system],
        "(?s)reflected.*does not change under rotation",
    ),
    "place matters": (lambda graph, energies: energies + 1e-6 * graph.batch.positions[:, 2], "rotated|translated"),
    "order matters": (by_order, "(?s)permuted.*does not change"),
    "images are ignored": (without_images, "periodic images|repeated cell"),
    "structures feel each other": (whole_batch, "structures in a batch do not feel each other"),
    "edges beyond the cutoff count": (longest_edge, "edges beyond the cutoff change nothing"),
    "an energy that is not a number": (lambda graph, energies: energies * torch.nan, "finite"),
    "one energy for all": (lambda graph, energies: energies.sum()[None], "one energy per atom"),
    "single precision becomes double": (lambda graph, energies: energies.double(), "float32 stays float32"),
    "what is restored is another": (lambda graph, energies: 1.001 * energies, "what is stored is restored"),
}


@pytest.mark.parametrize(("spoil", "rule"), WRONG.values(), ids=WRONG)
def test_a_model_that_is_wrong_in_one_way_breaks_its_contract(
    spoil: Callable[[Graph, Tensor], Tensor], rule: str
) -> None:
    with pytest.raises(ContractViolation, match=rule):
        check_energy_model(Wrong(spoil), length=LENGTH, stored="restored" in rule)


def test_the_model_that_is_spoilt_in_no_way_keeps_the_contract() -> None:
    check_energy_model(Wrong(lambda graph, energies: energies), length=LENGTH)


def test_fragments_that_feel_each_other_from_afar_break_the_contract() -> None:
    reaching = replace(argon_and_krypton(), cutoff=11.0)

    @dataclass(frozen=True)
    class Understated(Wrong):
        @property
        def cutoff(self) -> float:
            return 11.0

        @property
        def interaction_range(self) -> float:
            return 7.0

    with pytest.raises(ContractViolation, match=r"(?s)two far fragments.*further apart than the interaction range"):
        check_energy_model(Understated(lambda graph, energies: energies, right=reaching), length=LENGTH, stored=False)


class Tolerant(Potential):
    """Answers where it should refuse."""

    def __call__(self, structures: Any, *, want: Any = ("energy", "forces")) -> Any:
        try:
            return super().__call__(structures, want=want)
        except PropertyUnavailable:
            return super().__call__(structures, want=())


def test_a_stress_without_three_periodic_directions_breaks_the_contract() -> None:
    with pytest.raises(ContractViolation, match=r"(?s)slab: stress.*is refused"):
        check_potential(Tolerant([argon_and_krypton()]), length=LENGTH)


class Omniscient(Potential):
    """Claims no limits to its species when it is called."""

    def _require_known(self, batch: Any) -> None:
        return


def test_an_energy_for_an_unknown_element_breaks_the_contract() -> None:
    with pytest.raises(ContractViolation, match=r"(?s)an atom of the number 1: energy.*an unknown element is refused"):
        check_potential(Omniscient([argon_and_krypton()]), length=LENGTH)


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ({"cutoff": 0.0}, "cutoff is a positive length"),
        ({"cutoff": float("inf")}, "cutoff is a positive length"),
        ({"species": ()}, "species are one or more, ascending"),
        ({"species": (36, 18)}, "species are one or more, ascending"),
        ({"interaction_range": -1.0}, "interaction range is not negative"),
        ({"kind": ""}, "kind is a short name"),
    ],
)
def test_declarations_that_make_no_sense_break_the_contract(declared: dict[str, Any], rule: str) -> None:
    spoilt = type("Spoilt", (Wrong,), declared)

    with pytest.raises(ContractViolation, match=rule):
        check_energy_model(spoilt(lambda graph, energies: energies), length=LENGTH)


def test_a_class_without_the_methods_of_a_model_breaks_the_contract() -> None:
    with pytest.raises(ContractViolation, match="methods and properties of EnergyModel"):
        check_energy_model(Potential([argon_and_krypton()]), length=LENGTH)  # pyright: ignore[reportArgumentType]


def test_a_jump_at_an_inner_radius_is_found_when_the_radius_is_named() -> None:
    def step(graph: Graph, energies: Tensor) -> Tensor:
        return energies + pair_sum(graph, lambda v: (3.0 - lengths(v)).clamp(min=0) ** 2 * 1e-2)

    potential = Potential([Wrong(step)])

    check_smooth(potential, (7.0, 4.5), length=LENGTH)
    with pytest.raises(ContractViolation, match=r"18 and 18 at 3\.0 Å: second derivatives"):
        check_smooth(potential, (3.0,), length=LENGTH)


def test_reference_data_that_are_missing_skip_a_test_and_fail_it_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADIABAT_DATA", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"{tmp_path}.*ADIABAT_DATA"):
        reference_data("mlearn/Si_train.xyz")

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Si_train"):
        reference_data("mlearn/Si_train.xyz")

    (tmp_path / "mlearn").mkdir()
    (tmp_path / "mlearn" / "Si_train.xyz").touch()
    assert reference_data("mlearn/Si_train.xyz") == tmp_path / "mlearn" / "Si_train.xyz"
    assert os.environ["CI"] == "true"
