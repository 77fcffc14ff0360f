"""Several coefficient vectors in one walk against one walk for each."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from made_plans import WRONG_TABLES, smallest_plan, smallest_table
from made_potentials import made_ace
from random_expansions import random_expansion

from adiabat.errors import PropertyUnavailable, StructureError
from adiabat.kernels import _core
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE as VARIABLE
from adiabat.kernels.ace import instruction_sets
from adiabat.kernels.ace_invariants import compiled_table
from adiabat.models import IsolatedAtoms, LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential.compiled import CompiledSum
from adiabat.potential.compiled_committee import CompiledCommittee, CompiledProjection
from adiabat.potential.prediction import Prediction
from adiabat.system import Batch, EnergyModel, Graph
from adiabat.testing.structures import contract_cases, default_length, packing
from adiabat.typing import Quantity

THREE = (8, 14, 26)
FIELDS: tuple[Quantity, ...] = ("energies", "energy", "forces", "atomic_virials")
SINGLE = 3e-6  # of the largest value: rounding of the sums in single precision

EXPANSIONS = {
    "two species": made_ace(),
    "six factors": random_expansion([14], limits=(3, 4, 3, 3, 2, 2), l_limits=(0, 2, 2, 1, 1, 1)),
    "mixed channels, contracted": random_expansion(THREE, mixed=True, contracted=True, limits=(4, 4, 3)),
    "one factor": random_expansion([14], limits=(6,), l_limits=(0,)),
}


def drawn(model: LinearACE, members: int) -> torch.Tensor:
    """(members, species, functions): around the model's own; the second lacks every third function."""
    noise = torch.from_numpy(np.random.default_rng(1).normal(size=(members, *model.coefficients.shape)))
    found = model.coefficients * (1 + 0.3 * noise)
    found[1:2, :, ::3] = 0.0
    return found


def shared(model: LinearACE) -> list[EnergyModel]:
    """A repulsion and isolated atoms."""
    pairs = {(a, b): (1.0, 2.6) for a in model.species for b in model.species if a <= b}
    energies = {number: -0.1 * number for number in model.species}
    return [ZBL(pairs), IsolatedAtoms(energies, "data", 4.0)]


def members_of(model: LinearACE, members: int) -> list[list[EnergyModel]]:
    others = shared(model)
    return [[*others, LinearACE(model.basis, one)] for one in drawn(model, members)]


def committee(model: LinearACE, members: int) -> CompiledCommittee:
    found = CompiledCommittee.of(members_of(model, members))
    assert found is not None
    return found


def alone(parts: list[EnergyModel]) -> CompiledSum:
    found = CompiledSum.of(parts)
    assert found is not None
    return found


def graphs(model: LinearACE) -> list[Graph]:
    cases = contract_cases(model.species, length=default_length(model.species))
    return [neighbor_graph(Batch.from_atoms(case.atoms), model.cutoff + 0.3) for case in cases]


def periodic(graph: Graph) -> bool:
    return bool(graph.batch.pbc.all())


def assert_close(found: Prediction, expected: Prediction, *, tolerance: float = 1e-12) -> None:
    for name, right in vars(expected).items():
        value = getattr(found, name)
        assert (value is None) == (right is None), name
        if right is not None:
            assert value.shape == right.shape
            scale = right.abs().max().item() if right.numel() else 0.0
            assert (value - right).abs().max() <= tolerance * (scale + 0.1), name


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("members", [2, 3, 8, 13])
@pytest.mark.parametrize("model", EXPANSIONS.values(), ids=EXPANSIONS)
def test_each_member_is_what_it_is_alone(
    model: LinearACE, members: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    together, singles = committee(model, members), [alone(parts) for parts in members_of(model, members)]
    for graph in graphs(model)[::2]:
        want: tuple[Quantity, ...] = (*FIELDS, "stress") if periodic(graph) else FIELDS
        for found, single in zip(together.each(graph, want), singles, strict=True):
            assert_close(found, single.predict(graph, want))


def test_energies_alone_are_those_that_come_with_forces() -> None:
    found = committee(EXPANSIONS["two species"], 5)
    for graph in graphs(EXPANSIONS["two species"]):
        with_forces = found.each(graph, ("energies", "forces"))
        for few, all_of in zip(found.each(graph, ("energies",)), with_forces, strict=True):
            assert few.forces is None
            assert_close(few, replace(all_of, forces=None))


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("model", EXPANSIONS.values(), ids=EXPANSIONS)
def test_beside_the_first_member_stands_by_how_much_the_energies_of_the_others_differ(
    model: LinearACE, dtype: torch.dtype, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    found, parts = committee(model, 6), members_of(model, 6)
    own = alone(parts[0])
    for graph in graphs(model):
        want: tuple[Quantity, ...] = (*FIELDS, "stress") if periodic(graph) else FIELDS
        given = graph.on(graph.batch.to(dtype=dtype))
        first, differences = found.first(given, want)
        exact = [alone(one).predict(graph, ("energies",)).energies for one in parts]

        assert_close(first, own.predict(given, want), tolerance=0.0)
        right = torch.stack([one - exact[0] for one in exact[1:] if one is not None and exact[0] is not None], dim=1)
        features = model.features(graph).abs()
        index = torch.searchsorted(torch.tensor(model.species), graph.batch.numbers)
        summed = (features[:, None] * drawn(model, 6)[:, index].transpose(0, 1).abs()).sum(-1).max()
        assert differences.dtype == torch.float64
        assert differences.shape == right.shape
        assert (differences - right).abs().max() <= (SINGLE if dtype == torch.float64 else 30 * SINGLE) * summed


def test_a_projection_is_the_product_of_features_and_directions() -> None:
    model = EXPANSIONS["mixed channels, contracted"]
    directions = torch.from_numpy(np.random.default_rng(3).normal(size=(11, *model.coefficients.shape)))
    projection = CompiledProjection.of([*shared(model), model], directions)
    assert projection is not None
    for graph in graphs(model):
        index = torch.searchsorted(torch.tensor(model.species), graph.batch.numbers)
        features = model.features(graph)
        expected = torch.einsum("nf,nrf->nr", features, directions.transpose(0, 1)[index])
        summed = torch.einsum("nf,nrf->nr", features.abs(), directions.transpose(0, 1)[index].abs())

        _, values = projection.predict(graph, ("energy",))

        assert ((values - expected).abs() <= SINGLE * summed + 1e-30).all()


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_members_do_not_depend_on_the_number_of_threads(
    name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, name)
    model = EXPANSIONS["two species"]
    graph = neighbor_graph(Batch.from_atoms(packing([8, 14], (5, 5, 5), length=2.4, seed=1), dtype=dtype), model.cutoff)
    found = committee(model, 4)
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        each = found.each(graph, (*FIELDS, "stress"))
        first, differences = found.first(graph, (*FIELDS, "stress"))
        values = [value for one in (*each, first) for value in vars(one).values() if value is not None]
        results.append([*values, differences])

    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_single_precision_is_close() -> None:
    model = EXPANSIONS["two species"]
    found = committee(model, 3)
    for graph in graphs(model):
        single = found.each(graph.on(graph.batch.to(dtype=torch.float32)), ("energies", "forces"))
        for one, exact in zip(single, found.each(graph, ("energies", "forces")), strict=True):
            assert one.forces is not None
            assert one.forces.dtype == torch.float32
            assert_close(one, exact, tolerance=1e-4)


def test_members_that_share_less_than_all_but_coefficients_are_left_to_others() -> None:
    model = EXPANSIONS["two species"]
    one, other = members_of(model, 2)
    without_repulsion = [part for part in other if not isinstance(part, ZBL)]
    elsewhere = LinearACE(replace(model.basis, cutoff=model.cutoff + 0.1), model.coefficients)
    two = [*other, model]

    assert CompiledCommittee.of([one, other]) is not None
    assert CompiledCommittee.of([one, [model.to(), *shared(model)]]) is not None, (
        "equal terms need not be the same objects"
    )
    assert CompiledCommittee.of([one, without_repulsion]) is None
    assert CompiledCommittee.of([one, [*shared(model), elsewhere]]) is None
    assert CompiledCommittee.of([one, two]) is None
    assert CompiledProjection.of(two, drawn(model, 2)) is None


def test_errors_are_those_of_one_potential() -> None:
    model = EXPANSIONS["two species"]
    atoms = packing([8, 14], (2, 2, 2), length=2.4, seed=1)
    graph = neighbor_graph(Batch.from_atoms(atoms), model.cutoff)
    lost = graph.on(graph.batch.replace(positions=torch.full_like(graph.batch.positions, torch.nan)))
    open_atoms = atoms.copy()
    open_atoms.pbc = False
    open_graph = neighbor_graph(Batch.from_atoms(open_atoms), model.cutoff)
    found = committee(model, 2)

    for call in (found.each, found.first):
        with pytest.raises(StructureError, match="atom 0 of the batch"):
            call(lost, ("energy",))
        with pytest.raises(PropertyUnavailable, match="stress"):
            call(open_graph, ("stress",))


def evaluator(coefficients: Any = None, members: int = 1, **changes: Any) -> _core.CommitteeEvaluator:
    given = [np.ones(members)] if coefficients is None else coefficients
    return _core.CommitteeEvaluator(smallest_plan(), compiled_table(smallest_table(**changes)), members, given)


def test_what_is_refused_here_is_accepted_when_it_is_right() -> None:
    assert isinstance(evaluator(), _core.CommitteeEvaluator)


@pytest.mark.parametrize("change", WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_tables_that_lead_out_of_memory_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        evaluator(**change)


WRONG_COEFFICIENTS = {
    "of no member": ([np.zeros(0)], 0, "between 1 and 1024"),
    "of too many": ([np.ones(2000)], 2000, "between 1 and 1024"),
    "of another number of members": ([np.ones(2)], 3, "a coefficient for each function"),
    "of another number of species": ([np.ones(2), np.ones(2)], 2, "every species has coefficients"),
    "that are no numbers": ([np.array([np.nan])], 1, "finite"),
}


@pytest.mark.parametrize(("coefficients", "members", "message"), WRONG_COEFFICIENTS.values(), ids=WRONG_COEFFICIENTS)
def test_coefficients_that_do_not_fit_are_refused(coefficients: list[Any], members: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluator(coefficients, members)
