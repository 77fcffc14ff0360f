"""Invariants and design rows of the linear expansion, against automatic differentiation and by linear algebra."""

import numpy as np
import pytest
import torch
from ase import Atoms
from made_potentials import made_ace
from narrowing import present

from adiabat.basis.mixing import chemical_channels
from adiabat.basis.presets import SIZES, BasisConfig, Environment, Size, choose_basis
from adiabat.basis.radial import InnerCutoff
from adiabat.models import LinearACE
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.system import Batch


def packing(numbers: list[int], *, seed: int = 0, spacing: float = 2.0, pbc: bool = True) -> Atoms:
    """A disordered triclinic cell, as many atoms as numbers."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(len(numbers) ** (1 / 3)))
    sites = np.stack(np.meshgrid(*3 * [np.arange(side)], indexing="ij"), -1).reshape(-1, 3)[: len(numbers)]
    cell = side * spacing * (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3)))
    return Atoms(numbers, scaled_positions=(sites + rng.uniform(-0.15, 0.15, sites.shape)) / side, cell=cell, pbc=pbc)


def alloy(species: tuple[int, ...], size: str = "small") -> LinearACE:
    pairs = {(a, b): InnerCutoff(1.1, 0.3) for a in species for b in species if a <= b}
    config = BasisConfig.parse({"size": size, "cutoff_angstrom": 4.0})
    basis = choose_basis(config, Environment(species, 2.0, {}), pairs)
    drawn = np.random.default_rng(1).normal(size=(len(species), basis.n_functions))
    return LinearACE(basis, torch.from_numpy(drawn))


@pytest.mark.parametrize(
    "model", [made_ace(), alloy((41, 42, 73, 74))], ids=["channels of their own", "mixed channels"]
)
def test_rows_times_coefficients_are_energy_forces_and_stress(model: LinearACE) -> None:
    atoms = packing(list(model.species) * 2)
    coefficients = model.coefficients.flatten()
    expected = Potential([model])(atoms, want=("energy", "forces", "stress"))

    rows = model.design_rows(neighbor_graph(Batch.from_atoms(atoms), model.cutoff))

    forces = present(expected.forces)
    scale = float(forces.abs().max())
    assert float(rows.energy @ coefficients) == pytest.approx(float(present(expected.energy)), rel=1e-11)
    np.testing.assert_allclose((rows.forces @ coefficients).reshape(-1, 3), forces, atol=1e-12 * scale)
    np.testing.assert_allclose(
        (rows.virial @ coefficients) / atoms.get_volume(), present(expected.stress)[0], atol=1e-12 * scale, rtol=1e-10
    )


def test_energies_from_products_are_energies_from_invariants() -> None:
    model = alloy((1, 6, 8))
    graph = neighbor_graph(Batch.from_atoms(packing([1, 6, 8, 6, 1, 8, 8])), model.cutoff)
    index = torch.searchsorted(torch.tensor(model.species), graph.batch.numbers)

    from_invariants = (model.features(graph) * model.coefficients[index]).sum(-1)

    np.testing.assert_allclose(model.atomic_energies(graph), from_invariants, rtol=1e-11)


@pytest.mark.parametrize("species", [(14,), (3, 7)])
def test_no_function_depends_linearly_on_the_others(species: tuple[int, ...]) -> None:
    model = alloy(species, "medium" if len(species) == 1 else "small")
    rng = np.random.default_rng(3)
    features = []
    for seed in range(2 + 2 * model.basis.n_functions // 27):
        atoms = packing(list(rng.choice(species, 27)), seed=seed, spacing=rng.uniform(1.5, 2.6))
        features.append(model.features(neighbor_graph(Batch.from_atoms(atoms), model.cutoff)))
    table = torch.cat(features)
    table = table / table.square().mean(0).sqrt()

    assert len(table) > 1.5 * model.basis.n_functions
    singular = torch.linalg.svdvals(table)
    assert float(singular[-1] / singular[0]) > 1e-12
    assert int(torch.linalg.matrix_rank(table, rtol=1e-12)) == model.basis.n_functions


def test_mixed_channels_are_an_exact_sum_over_elements() -> None:
    """The density of a mixed channel is the weighted sum of the densities of the species' own channels."""
    from adiabat.models.ace.density import atomic_density

    model = alloy((41, 42, 73, 74))
    graph = neighbor_graph(Batch.from_atoms(packing([41, 42, 73, 74, 74, 41, 42])), model.cutoff)

    density = atomic_density(graph, model.basis).reshape(graph.batch.n_atoms, len(model.basis.mixing), -1)

    weights = model.basis.mixing[4:]
    np.testing.assert_allclose(torch.einsum("cz,izv->icv", weights, density[:, :4]), density[:, 4:], atol=1e-12)


def test_channels_are_orthogonal_and_the_first_is_the_plain_sum() -> None:
    channels = chemical_channels((1, 6, 7, 8, 26), 3)

    np.testing.assert_allclose(channels @ channels.T, 5 * np.eye(3), atol=1e-12)
    np.testing.assert_allclose(channels[0], 1.0)


def test_the_number_of_functions_grows_gently_with_the_number_of_species() -> None:
    def count(species: tuple[int, ...]) -> int:
        return alloy(species).basis.n_functions

    assert count((41, 42, 73, 74)) <= 3 * count((42,))
    assert count((13, 22, 23, 24, 26, 27, 28, 29)) <= 6 * count((42,))


def test_the_presets_are_ordered() -> None:
    counts = [alloy((14,), size).basis.n_functions for size in SIZES]

    assert counts == sorted(counts)
    assert counts[2] > 2 * counts[1] > 4 * counts[0]


@pytest.mark.parametrize(("molecules", "size"), [(True, "molecule"), (False, "large")])
def test_molecules_have_a_preset_of_their_own(molecules: bool, size: Size) -> None:
    environment = Environment((1, 8), 1.0, {}, molecules)

    assert environment.size(BasisConfig()) == size
    assert environment.size(BasisConfig(size="small")) == "small"


def test_the_preset_of_molecules_tells_elements_apart_in_all_products() -> None:
    basis = choose_basis(BasisConfig(size="molecule", cutoff_angstrom=4.0), Environment((1, 6, 8), 1.0, {}), {})

    np.testing.assert_array_equal(basis.mixing.numpy(), np.eye(3))
    for order in (1, 2, 3, 4):
        used = {f[0] for function in basis.functions if len(function.factors) == order for f in function.factors}
        assert used == {0, 1, 2}


def test_an_atom_alone_has_no_energy() -> None:
    model = made_ace()

    assert float(present(Potential([model])(Atoms("Si")).energy)) == 0.0
