"""Atomic virials through the potential: the heat flux that they make is the one that energy conservation asks for."""

from typing import Any

import numpy as np
import pytest
import torch
from analytic_models import PairModel
from ase import Atoms
from made_potentials import made_potential

from adiabat.errors import PropertyUnavailable
from adiabat.models import IsolatedAtoms
from adiabat.neighbors import neighbor_graph
from adiabat.potential import Potential
from adiabat.potential.derivatives import predict
from adiabat.system import Batch, Graph
from adiabat.testing.structures import contract_cases, default_length, packing
from adiabat.typing import FloatArray


class ByReference(IsolatedAtoms):
    """Of a class that the kernel does not know, so that the whole sum is left to the reference."""


NOTHING = ByReference({8: 0.0, 14: 0.0}, "configuration", 4.0)

POTENTIALS = {
    "by the kernel": made_potential(),
    "by the reference": Potential([*made_potential().parts, NOTHING]),
    "a pair potential": Potential([PairModel({8: 0.2, 14: 0.5}, {8: 1.9, 14: 2.1}, 4.5)]),
}


def cluster(seed: int) -> Atoms:
    atoms = packing([8, 14], (2, 2, 3), length=2.2, seed=seed)
    atoms.pbc = False
    return atoms


def virials(potential: Potential, atoms: Atoms) -> FloatArray:
    found = potential(atoms, want=("atomic_virials",)).atomic_virials
    assert found is not None
    return found.numpy()


@pytest.mark.parametrize("potential", POTENTIALS.values(), ids=POTENTIALS)
def test_the_heat_flux_is_the_rate_at_which_energy_moves(potential: Potential) -> None:
    """d/dt Σ r_i ε_i = Σ v_i ε_i + Σ W_i·v_i, with ε_i the kinetic and potential energy of atom i.

    So Σ W_i·v_i = Σ r_i (F_i·v_i + dE_i/dt): what the kinetic energy of each atom gains, and its potential energy, the latter
    by a difference over a short way along the velocities.
    """
    atoms = cluster(seed=4)
    velocities = np.random.default_rng(0).normal(size=(len(atoms), 3))
    step = 1e-4
    there, back = (atoms.copy() for _ in range(2))
    there.positions += step * velocities
    back.positions -= step * velocities
    forward, backward = (potential(one, want=("energies",)).energies for one in (there, back))
    forces = potential(atoms, want=("forces",)).forces
    assert forward is not None
    assert backward is not None
    assert forces is not None
    gain = (forward - backward).numpy() / (2 * step) + np.einsum("ia,ia->i", forces.numpy(), velocities)

    flux = np.einsum("iab,ib->a", virials(potential, atoms), velocities)

    expected = gain @ atoms.positions
    assert np.abs(expected).max() > 0.1
    assert np.abs(flux - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("potential", POTENTIALS.values(), ids=POTENTIALS)
def test_atomic_virials_sum_to_minus_volume_times_stress(potential: Potential) -> None:
    for case in contract_cases((8, 14), length=default_length((8, 14))):
        atoms = case.atoms
        if not atoms.pbc.all():
            continue
        stress = potential(atoms, want=("stress",)).stress
        assert stress is not None
        found = virials(potential, atoms)
        difference = found.sum(0) + atoms.cell.volume * stress[0].numpy()
        assert np.abs(difference).max() <= 1e-10 * (np.abs(found).sum(0).max() + 1e-3)


def test_a_pair_shares_the_virial_of_its_bond() -> None:
    pair = Potential([PairModel({14: 0.5}, {14: 2.1}, 4.5)])
    atoms = Atoms("Si2", positions=[[0, 0, 0], [2.2, 0, 0]])
    slope = -float(pair(atoms, want=("forces",)).forces[1, 0])  # pyright: ignore[reportOptionalSubscript]

    found = virials(pair, atoms)

    # W_i = r_ij ∂E_j/∂r_ji: r_ij and the derivative point against each other, and half of the bond's energy is each atom's.
    expected = np.zeros((2, 3, 3))
    expected[:, 0, 0] = -0.5 * 2.2 * slope
    assert np.abs(found - expected).max() <= 1e-13


def test_kernel_and_reference_agree_on_every_kind_of_structure() -> None:
    potential = POTENTIALS["by the kernel"]
    for case in contract_cases((8, 14), length=default_length((8, 14))):
        graph = neighbor_graph(Batch.from_atoms(case.atoms), potential.cutoff + 0.4)
        expected = predict(potential.atomic_energies, graph, ("atomic_virials",)).atomic_virials
        found = potential(graph, want=("atomic_virials",)).atomic_virials
        assert expected is not None
        assert found is not None
        assert float((found - expected).abs().max()) <= 1e-12 * (float(expected.abs().max()) + 1.0)


def test_what_is_not_asked_for_is_none() -> None:
    for potential in POTENTIALS.values():
        assert potential(cluster(seed=1)).atomic_virials is None
        assert potential(cluster(seed=1), want=("atomic_virials",)).forces is None


class Layered(PairModel):
    """Says that atoms further than its edges matter."""

    @property
    def interaction_range(self) -> float:
        return 2 * self.cutoff


def test_a_potential_that_reaches_beyond_its_edges_has_no_atomic_virials() -> None:
    potential = Potential([Layered({14: 0.5}, {14: 2.1}, 4.5)])

    with pytest.raises(PropertyUnavailable, match=r"reaches 9 Å over edges of 4\.5 Å"):
        potential(Atoms("Si2", positions=[[0, 0, 0], [2.2, 0, 0]]), want=("atomic_virials",))


def by_positions(graph: Graph) -> torch.Tensor:
    """A bond whose length is not taken from the graph's edge vectors."""
    first, second = graph.batch.positions
    bond = (first - second).square().sum() / 2
    return torch.stack([bond, bond])


def test_energies_that_do_not_go_through_edges_have_no_atomic_virials() -> None:
    graph = neighbor_graph(Batch.from_atoms(Atoms("Si2", positions=[[0, 0, 0], [2.2, 0, 0]])), 4.0)
    wanted: Any = ("atomic_virials",)

    with pytest.raises(PropertyUnavailable, match="not functions of the graph's edge vectors"):
        predict(by_positions, graph, wanted)


def test_whoever_asks_for_what_there_is_not_is_told_what_there_is() -> None:
    wanted: Any = ("atomic_virial",)

    with pytest.raises(PropertyUnavailable, match="energy, energies, forces, stress, atomic_virials"):
        made_potential()(cluster(seed=1), want=wanted)
