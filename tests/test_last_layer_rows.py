"""Rows of what networks are linear in: the last layer, and an expansion beside it."""

from collections.abc import Callable

import pytest
import torch
from ase import Atoms
from made_messages import LENGTH, SPECIES, made_messages
from made_networks import drawn_network, made_network
from made_potentials import made_ace

from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.linear_terms import LinearTerms
from adiabat.system import Batch, EnergyModel, Graph, LinearModel
from adiabat.testing.structures import contract_cases

MODELS: dict[str, Callable[[], list[EnergyModel]]] = {
    "network": lambda: [made_network()],
    "network of other widths": lambda: [drawn_network(hidden=(4,)).requires_grad_(False)],
    "messages": lambda: [made_messages().requires_grad_(False)],
    "expansion and network": lambda: [made_ace(), made_network()],
    "expansion and messages": lambda: [made_ace(), made_messages().requires_grad_(False)],
}


@pytest.fixture(params=MODELS)
def parts(request: pytest.FixtureRequest) -> list[EnergyModel]:
    return MODELS[request.param]()


def crystal(cutoff: float) -> Graph:
    """A structure of both species with a stress."""
    [atoms] = [case.atoms for case in contract_cases(SPECIES, length=LENGTH) if case.name == "triclinic cell"]
    atoms.numbers[: len(atoms) // 2] = SPECIES[0]
    return neighbor_graph(Batch.from_atoms(atoms), cutoff)


def changed(terms: LinearTerms) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(terms.coefficients), generator=generator, dtype=torch.float64)


def test_rows_are_what_energies_forces_and_stress_change_by_with_the_coefficients(parts: list[EnergyModel]) -> None:
    terms = LinearTerms.of(parts)
    assert terms is not None
    graph, change = crystal(terms.cutoff), changed(terms)
    want = ("energy", "energies", "forces", "stress")
    before = Potential(parts)(graph, want=want)
    after = Potential(terms.with_coefficients(parts, terms.coefficients + change))(graph, want=want)
    rows = terms.design_rows(graph)
    volume = graph.batch.volume[0]
    expected = {
        "energy": rows.energy[None] @ change,
        "energies": rows.features @ change,
        "forces": (rows.forces @ change).reshape(-1, 3),
        "stress": (rows.virial @ change)[None] / volume,
    }
    for name, by_rows in expected.items():
        found = getattr(after, name) - getattr(before, name)
        assert float(found.abs().max()) > 1e-4
        torch.testing.assert_close(by_rows, found, rtol=1e-9, atol=1e-9 * float(found.abs().max()))
    torch.testing.assert_close(terms.atom_rows(graph), rows.features, rtol=1e-10, atol=1e-10)


def test_the_force_rows_of_several_structures_are_those_of_each(parts: list[EnergyModel]) -> None:
    terms = LinearTerms.of(parts)
    assert terms is not None
    cases = [case.atoms for case in contract_cases(SPECIES, length=LENGTH)][:3]
    together = terms.design_rows(neighbor_graph(Batch.from_atoms(cases), terms.cutoff))
    alone = [terms.design_rows(neighbor_graph(Batch.from_atoms(atoms), terms.cutoff)) for atoms in cases]
    torch.testing.assert_close(together.forces, torch.cat([rows.forces for rows in alone]), rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(together.energy, sum(rows.energy for rows in alone), rtol=1e-9, atol=1e-10)


def test_an_atom_without_neighbours_keeps_its_energy_whatever_the_last_layer_is(parts: list[EnergyModel]) -> None:
    terms = LinearTerms.of(parts)
    assert terms is not None
    other = Potential(terms.with_coefficients(parts, terms.coefficients + changed(terms)))
    lone = Atoms("Si", [[0.0, 0.0, 0.0]])
    found = other(lone, want=("energy",)).energy
    assert found is not None
    assert abs(float(found[0])) < 1e-12


def test_networks_and_message_passing_are_linear_models_of_their_last_layer(parts: list[EnergyModel]) -> None:
    for part in parts:
        assert isinstance(part, LinearModel)
        graph = crystal(part.cutoff)
        by_species = part.coefficients.expand(len(part.species), -1)
        index = torch.searchsorted(torch.tensor(part.species), graph.batch.numbers)
        linear = (part.features(graph) * by_species[index]).sum(-1)
        fixed = part.atomic_energies(graph) - linear
        other = part.with_coefficients(2 * part.coefficients.flatten())
        torch.testing.assert_close(other.atomic_energies(graph), fixed + 2 * linear, rtol=1e-10, atol=1e-10)
        if isinstance(part, LinearACE):
            assert float(fixed.abs().max()) < 1e-10
