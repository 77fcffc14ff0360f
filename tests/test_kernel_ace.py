"""The compiled walk against the readable reference: every kind of structure and expansion, every instruction set."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.data import chemical_symbols
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_potentials import RADII, made_potential
from random_expansions import random_expansion
from random_structures import structures

from adiabat.errors import PropertyUnavailable, StructureError
from adiabat.kernels.ace import INSTRUCTION_SET_VARIABLE, Want, instruction_sets
from adiabat.models import IsolatedAtoms
from adiabat.neighbors import neighbor_graph
from adiabat.physics import ZBL
from adiabat.potential import Potential
from adiabat.potential.compiled import CompiledSum
from adiabat.potential.derivatives import predict
from adiabat.potential.scales import energy_scales, force_scales, stress_scales
from adiabat.system import Batch, Graph, ListedEdges
from adiabat.testing.structures import contract_cases, default_length, packing
from adiabat.typing import Quantity

ROUNDING = 1e-12

THREE = (8, 14, 26)

POTENTIALS = {
    "two species with repulsion": made_potential(),
    "one species": Potential([random_expansion([14])]),
    "one species, six factors": Potential(
        [random_expansion([14], limits=(3, 4, 3, 3, 2, 2), l_limits=(0, 2, 2, 1, 1, 1))]
    ),
    "three species": Potential([random_expansion(THREE, limits=(4, 3, 2), l_limits=(0, 2, 1))]),
    "mixed channels, contracted": Potential([random_expansion(THREE, mixed=True, contracted=True)]),
    "one factor": Potential([random_expansion([14], limits=(6,), l_limits=(0,))]),
    "high degree": Potential([random_expansion([14], limits=(2, 9), l_limits=(0, 9))]),
    "two expansions and two constants": Potential(
        [
            random_expansion([8, 14], limits=(4, 3, 2), l_limits=(0, 2, 1)),
            random_expansion([8, 14], limits=(3, 3), l_limits=(0, 1), cutoff=3.0, seed=1),
            IsolatedAtoms({8: 1.5, 14: -2.5}, "data", 4.0),
            ZBL(RADII),
        ]
    ),
    "repulsion beyond the expansion": Potential(
        [random_expansion([14], limits=(3, 3), l_limits=(0, 1), cutoff=2.5), ZBL({(14, 14): (1.0, 3.5)})]
    ),
}


def compiled(potential: Potential) -> CompiledSum:
    found = CompiledSum.of(potential.parts)
    assert found is not None
    return found


def require_agreement(potential: Potential, graph: Graph, *, tolerance: float = ROUNDING) -> None:
    """Kernel and reference on the scales of the contracts; no stress unless all structures have one."""
    has_stress = bool(graph.batch.pbc.all()) and bool((graph.batch.volume > 0).all())
    want: tuple[Quantity, ...] = ("energy", "energies", "forces", "stress") if has_stress else ("energies", "forces")
    expected = predict(potential.atomic_energies, graph, want)
    found = compiled(potential).predict(graph, want)
    scale = energy_scales(potential.parts, graph)
    assert expected.energies is not None
    assert found.energies is not None
    assert expected.forces is not None
    assert found.forces is not None
    assert ((found.energies - expected.energies).abs() <= tolerance * scale[graph.batch.system]).all()
    allowed = tolerance * force_scales(expected.forces, graph.batch)[graph.batch.system]
    assert ((found.forces - expected.forces).abs() <= allowed[:, None]).all()
    assert (found.stress is None) == (expected.stress is None) == (not has_stress)
    if found.stress is not None and expected.stress is not None:
        difference = (found.stress - expected.stress).abs().amax((1, 2))
        assert (difference <= tolerance * stress_scales(expected.stress)).all()


def cases(species: Sequence[int]) -> list[Atoms]:
    return [case.atoms for case in contract_cases(species, length=default_length(species))]


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("potential", POTENTIALS.values(), ids=POTENTIALS)
def test_every_kind_of_structure_agrees_with_the_reference(
    potential: Potential, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, name)

    for atoms in cases(potential.species):
        require_agreement(potential, neighbor_graph(Batch.from_atoms(atoms), potential.cutoff))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", instruction_sets())
def test_energies_alone_are_those_that_come_with_forces(name: str, dtype: torch.dtype) -> None:
    tolerance = ROUNDING if dtype == torch.float64 else 2e-6
    for potential in POTENTIALS.values():
        for atoms in cases(potential.species):
            exact = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)
            scale = float(energy_scales(potential.parts, exact)[0])
            graph = exact.on(exact.batch.to(dtype=dtype))
            alone = compiled(potential).evaluate(graph, Want(), instruction_set=name)
            with_forces = compiled(potential).evaluate(graph, Want(forces=True), instruction_set=name)
            for one, other in zip(alone, with_forces, strict=True):
                assert one.forces is None
                assert np.abs(one.energies - other.energies).max() <= tolerance * scale


@settings(deadline=None, max_examples=60, derandomize=True)
@given(atoms=structures(atoms=12), skin=st.sampled_from([0.0, 0.7]), seed=st.integers(0, 2**32 - 1))
def test_any_cell_agrees_with_the_reference(atoms: Atoms, skin: float, seed: int) -> None:
    potential = POTENTIALS["two species with repulsion"]
    atoms.numbers = np.random.default_rng(seed).choice(potential.species, len(atoms))
    batch = Batch.from_atoms(atoms)
    try:
        graph = neighbor_graph(batch, potential.cutoff + skin)
    except StructureError:
        assume(False)
    assume(len(graph.center) > 0)
    distances = graph.vectors().square().sum(-1).sqrt()
    assume(bool((distances > 0.3).all()))
    assume(bool((torch.bincount(graph.within(potential.cutoff).center, minlength=len(atoms)) > 0).all()))

    require_agreement(potential, graph)


def test_a_potential_is_evaluated_by_the_kernel() -> None:
    atoms, potential = packing([8, 14], (2, 2, 2), length=2.4, seed=3), made_potential()
    graph = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)

    by_potential, by_kernel = potential(graph, want=("forces",)), compiled(potential).predict(graph, ("forces",))

    assert torch.equal(by_potential.forces, by_kernel.forces)  # pyright: ignore[reportArgumentType]


def test_a_sum_with_an_unknown_part_or_without_an_expansion_is_left_to_the_reference() -> None:
    class Other(IsolatedAtoms):
        pass

    expansion = random_expansion([14], limits=(2,), l_limits=(0,))

    assert CompiledSum.of([expansion, Other({14: 0.0}, "data", 1.0)]) is None
    assert CompiledSum.of([ZBL({(14, 14): (1.0, 2.0)})]) is None
    assert CompiledSum.of([expansion]) is not None


@pytest.mark.parametrize("name", instruction_sets())
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_results_do_not_depend_on_the_number_of_threads(
    name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTRUCTION_SET_VARIABLE, name)
    atoms = packing([8, 14], (6, 6, 6), length=2.4, seed=1)
    potential = made_potential()
    graph = neighbor_graph(Batch.from_atoms(atoms, dtype=dtype), potential.cutoff)
    want = Want(forces=True, virial=True, atomic_virials=True)
    found = []
    for threads in (1, 2, 3, 8):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(compiled(potential).evaluate(graph, want)[0])

    for other in found[1:]:
        for field in ("energies", "nearest_squared", "energy", "forces", "virial", "atomic_virials"):
            assert np.array_equal(getattr(found[0], field), getattr(other, field)), field


def test_a_structure_gives_the_same_bits_alone_and_among_others() -> None:
    potential = POTENTIALS["three species"]
    several = cases(potential.species)
    kernel = compiled(potential)
    together = kernel.predict(neighbor_graph(Batch.from_atoms(several), potential.cutoff), ("energies", "forces"))
    start = 0
    for atoms in several:
        alone = kernel.predict(neighbor_graph(Batch.from_atoms(atoms), potential.cutoff), ("energies", "forces"))
        stop = start + len(atoms)
        assert torch.equal(alone.energies, together.energies[start:stop])  # pyright: ignore
        assert torch.equal(alone.forces, together.forces[start:stop])  # pyright: ignore
        start = stop


def test_single_precision_is_close_and_single() -> None:
    for potential in POTENTIALS.values():
        for atoms in cases(potential.species):
            graph = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)
            narrow = graph.on(graph.batch.to(dtype=torch.float32))
            exact = compiled(potential).predict(graph, ("energies", "forces"))
            single = compiled(potential).predict(narrow, ("energies", "forces"))
            assert single.energies is not None
            assert single.energies.dtype == torch.float32
            assert single.forces is not None
            assert exact.energies is not None
            assert exact.forces is not None
            scale = float(energy_scales(potential.parts, graph)[0])
            assert (single.energies - exact.energies).abs().max() <= 2e-6 * scale
            allowed = 2e-5 * float(force_scales(exact.forces, graph.batch)[0])
            assert (single.forces - exact.forces).abs().max() <= allowed


def test_atomic_virials_are_those_of_the_heat_flux() -> None:
    """W_i = Σ_j r_ij ⊗ ∂E_j/∂r_ji; in a cluster ∂E_j/∂r_ji is the derivative of E_j by the position of i."""
    potential = POTENTIALS["two species with repulsion"]
    atoms = packing(potential.species, (2, 2, 2), length=2.2, seed=4)
    atoms.pbc = False
    graph = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)
    positions = graph.batch.positions

    def energies(moved: torch.Tensor) -> torch.Tensor:
        return potential.atomic_energies(graph.on(graph.batch.replace(positions=moved)))

    jacobian = torch.autograd.functional.jacobian(energies, positions)  # (j, i, 3)
    assert isinstance(jacobian, torch.Tensor)
    towards = positions[None, :] - positions[:, None]  # (i, j, 3): r_j - r_i
    expected = torch.einsum("ija,jib->iab", towards, jacobian)

    found = compiled(potential).evaluate(graph, Want(atomic_virials=True))[0].atomic_virials

    assert found is not None
    assert np.abs(found - expected.numpy()).max() <= ROUNDING * float(expected.abs().max())
    assert np.abs(found - found.transpose(0, 2, 1)).max() > 1e-3, "a virial of an atom is not symmetric"


def test_atomic_virials_sum_to_minus_volume_times_stress() -> None:
    potential = POTENTIALS["two species with repulsion"]
    for atoms in cases(potential.species):
        if not atoms.pbc.all():
            continue
        graph = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)
        stress = predict(potential.atomic_energies, graph, ("stress",)).stress
        found = compiled(potential).evaluate(graph, Want(atomic_virials=True))[0].atomic_virials
        assert stress is not None
        assert found is not None
        expected = -atoms.cell.volume * stress[0].numpy()
        assert np.abs(found.sum(0) - expected).max() <= 1e-11 * (np.abs(found).sum(0).max() + 1e-3)


def test_energies_and_virials_of_structures_are_sums_over_their_atoms() -> None:
    potential = POTENTIALS["two species with repulsion"]
    large = packing(potential.species, (17, 17, 17), length=2.4, seed=7)
    several = [*cases(potential.species)[:3], large, packing(potential.species, (2, 2, 2), length=2.2, seed=8)]
    graph = neighbor_graph(Batch.from_atoms(several), potential.cutoff)

    found = compiled(potential).evaluate(graph, Want(virial=True, atomic_virials=True))[0]

    assert found.virial is not None
    assert found.atomic_virials is not None
    starts = np.cumsum([0] + [len(atoms) for atoms in several])
    for s, (first, last) in enumerate(pairwise(starts)):
        energies, virials = found.energies[first:last], found.atomic_virials[first:last]
        assert abs(found.energy[s] - energies.sum()) <= ROUNDING * np.abs(energies).sum()
        assert np.abs(found.virial[s] + virials.sum(0)).max() <= 1e-11 * np.abs(virials).sum(0).max()
        assert np.array_equal(found.virial[s], found.virial[s].T)


def test_many_neighbours_are_no_limit() -> None:
    potential = POTENTIALS["one species"]
    atoms = packing([14], (8, 8, 8), length=0.9, seed=2)
    graph = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff)
    assert torch.bincount(graph.center).min() > 250

    require_agreement(potential, graph)


def test_lone_atoms_have_no_force_and_few_atoms_fill_no_block() -> None:
    potential = Potential([random_expansion([8, 14])])
    for count in (1, 2, 7, 8, 9, 17):
        atoms = Atoms(np.resize([14, 8], count), positions=10.0 * np.arange(count)[:, None] * [1, 0, 0])
        found = potential(atoms, want=("energies", "forces"))
        assert found.forces is not None
        assert found.energies is not None
        assert (found.forces == 0).all()
        assert (found.energies == 0).all()


def test_atoms_without_neighbours_and_without_an_energy_are_named() -> None:
    atoms = Atoms([14, 8, 14], positions=[[0, 0, 0], [0, 0, 2.0], [30, 0, 0]])

    with pytest.raises(PropertyUnavailable, match=r"atom 2 \(Si\) has no neighbour"):
        made_potential()(atoms)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_positions_that_are_not_finite_are_refused(value: float) -> None:
    potential = made_potential()
    batch = Batch.from_atoms(packing([8, 14], (2, 2, 2), length=2.4, seed=3))
    graph = neighbor_graph(batch, potential.cutoff)
    positions = batch.positions.clone()
    positions[3, 1] = value

    with pytest.raises(StructureError, match="atom 3 of the batch is at"):
        potential(graph.on(batch.replace(positions=positions)))


def test_listed_edges_give_what_searched_ones_give() -> None:
    potential = POTENTIALS["two species with repulsion"]
    for atoms in cases(potential.species):
        searched = neighbor_graph(Batch.from_atoms(atoms), potential.cutoff + 0.5)
        listed = replace(searched, edges=ListedEdges(searched.center, searched.neighbor, searched.shift))
        want = Want(forces=True, virial=True, atomic_virials=True)
        one, other = (compiled(potential).evaluate(graph, want)[0] for graph in (searched, listed))
        for field in ("energies", "forces", "virial", "atomic_virials"):
            expected = getattr(one, field)
            assert np.abs(getattr(other, field) - expected).max() <= 1e-11 * (np.abs(expected).max() + 0.1), field


def test_elements_that_one_part_does_not_know_are_refused_before_the_kernel() -> None:
    potential = Potential([random_expansion([8, 14]), ZBL({(14, 14): (1.0, 2.0)})])

    assert [chemical_symbols[number] for number in potential.species] == ["Si"]
    require_agreement(potential, neighbor_graph(Batch.from_atoms(packing([14], (2, 2, 2), length=2.2, seed=5)), 4.0))
