"""Relaxation of many structures at once, against closed forms, finite differences and ASE's own optimisers."""

import numpy as np
import pytest
import torch
from analytic_models import PairModel, argon_and_krypton, rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixBondLength
from ase.filters import FrechetCellFilter
from ase.optimize import LBFGS
from scipy.optimize import brentq
from test_properties import lattice_energy, rest

from adiabat.errors import ConfigurationError, PropertyUnavailable, SimulationError, StructureError
from adiabat.potential import FromASE, Potential
from adiabat.properties import RelaxationSettings, relax, relaxed, relaxed_crystal
from adiabat.properties.arrays import evaluated
from adiabat.properties.relaxation.coordinates import Cell, Coordinates
from adiabat.properties.relaxation.minimize import evaluated_slope
from adiabat.properties.relaxation.settings import Method
from adiabat.properties.symmetry import Symmetry
from adiabat.system import Batch

GPA = 160.2176634
TIGHT = RelaxationSettings(cell="free", force_tolerance_ev_per_angstrom=1e-6, stress_tolerance_gpa=1e-5, steps=2000)


def argon(edge: float = 5.2, *, seed: int | None = None, cubic: bool = True) -> Atoms:
    atoms = bulk("Ar", cubic=cubic, a=edge)
    if seed is not None:
        rng = np.random.default_rng(seed)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.uniform(-0.04, 0.04, (3, 3))), scale_atoms=True)
        atoms.positions += rng.normal(scale=0.1, size=(len(atoms), 3))
    return atoms


@pytest.mark.parametrize("method", ["lbfgs", "fire"])
def test_crystals_of_different_sizes_come_to_the_edge_of_the_lattice_sum(method: Method) -> None:
    model = argon_and_krypton()
    settings = RelaxationSettings(cell="free", method=method, stress_tolerance_gpa=1e-5, steps=2000)
    found = relax(
        [argon(seed=1), argon(5.6, cubic=False), argon(seed=2).repeat((2, 1, 1))], Potential([model]), settings
    )

    assert all(one.converged and one.advice is None for one in found)
    for one in found:
        assert one.volume_cubic_angstrom is not None
        assert (4 * one.volume_cubic_angstrom / len(one.atoms)) ** (1 / 3) == pytest.approx(rest(model), abs=2e-4)
        assert one.space_group == "Fm-3m (225)"


def test_under_pressure_the_energys_slope_balances_it() -> None:
    model, pressure = argon_and_krypton(), 2.0
    settings = RelaxationSettings(cell="free", pressure_gpa=pressure, stress_tolerance_gpa=1e-5)
    [found] = relax([argon()], Potential([model]), settings)

    def unbalanced(edge: float) -> float:
        step = 1e-4
        slope = (lattice_energy(model, edge + step) - lattice_energy(model, edge - step)) / (2 * step)
        return slope / (3 * edge**2 / 4) * GPA + pressure

    edge = float(np.asarray(brentq(unbalanced, 4.5, 5.3)))
    assert found.cell_lengths_angstrom == pytest.approx([edge] * 3, abs=1e-4)
    assert found.enthalpy_ev_per_atom == pytest.approx(
        lattice_energy(model, edge) + pressure / GPA * edge**3 / 4, abs=1e-8
    )


@pytest.mark.parametrize("cell", ["fixed", "free", "shape"])
def test_the_gradient_is_the_slope_of_the_enthalpy(cell: Cell) -> None:
    potential = rare_gas_potential()
    batch = Batch.from_atoms([argon(seed=3), argon(seed=4, cubic=False)])
    space = Coordinates.of(
        batch, cell=cell, moves=torch.ones(batch.n_atoms, dtype=torch.bool), pressure=0.01 if cell == "free" else 0.0
    )
    generator = torch.Generator().manual_seed(0)
    rows = space.start
    away, along = (torch.randn(rows.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    for one in (away, along):  # a cell is strained and not turned
        strains = one[batch.n_atoms :].reshape(-1, 3, 3)
        one[batch.n_atoms :] = (strains + strains.transpose(1, 2)).reshape(-1, 3)
    rows = rows + 0.05 * away

    def enthalpy(shift: float) -> torch.Tensor:
        moved = rows + shift * along
        return evaluated_slope(potential, space, moved).enthalpy

    slope = evaluated_slope(potential, space, rows)
    step = 1e-4
    numeric = (enthalpy(step) - enthalpy(-step)) / (2 * step)
    torch.testing.assert_close(space.dot(slope.gradient, along), numeric, rtol=1e-5, atol=1e-7)


def test_a_batch_comes_to_what_each_comes_to_alone() -> None:
    potential = rare_gas_potential()
    structures = [argon(seed=seed) for seed in range(4)]
    together = relax(structures, potential, TIGHT)

    for one, atoms in zip(together, structures, strict=True):
        [alone] = relax([atoms], potential, TIGHT)
        assert one.steps == alone.steps
        assert one.energy_ev == pytest.approx(alone.energy_ev, abs=1e-12)
        np.testing.assert_allclose(one.atoms.positions, alone.atoms.positions, atol=1e-8)


def test_ases_optimiser_comes_to_the_same_minimum() -> None:
    atoms = bulk("Cu", cubic=True, a=3.5)
    atoms.numbers[0] = 79
    atoms.rattle(0.05, seed=0)
    theirs = atoms.copy()
    theirs.calc = EMT()
    LBFGS(FrechetCellFilter(theirs), logfile=None).run(fmax=1e-6, steps=500)  # type: ignore[arg-type]
    [ours] = relax([atoms], FromASE(EMT()), TIGHT)

    assert ours.converged
    assert ours.energy_ev == pytest.approx(theirs.get_potential_energy(), abs=1e-7)
    np.testing.assert_allclose(ours.atoms.cell.cellpar(), theirs.cell.cellpar(), atol=1e-3)


def test_energies_as_coarse_as_those_of_outside_codes_do_not_stop_it() -> None:
    class Coarse(EMT):
        def calculate(self, *args: object, **kwargs: object) -> None:
            super().calculate(*args, **kwargs)
            self.results["free_energy"] = round(self.results["free_energy"], 4)

    atoms = bulk("Cu", cubic=True, a=3.5)
    atoms.rattle(0.1, seed=0)
    [coarse] = relax([atoms], FromASE(Coarse()), RelaxationSettings(cell="free"))
    [fine] = relax([atoms], FromASE(EMT()), RelaxationSettings(cell="free"))

    assert coarse.converged
    assert coarse.steps <= fine.steps + 3
    np.testing.assert_allclose(coarse.atoms.cell.cellpar(), fine.atoms.cell.cellpar(), atol=2e-3)


def test_a_cell_is_strained_and_not_turned() -> None:
    atoms = argon(seed=5)
    [found] = relax([atoms], rare_gas_potential(), TIGHT)
    deformation = np.linalg.solve(atoms.cell.array, found.atoms.cell.array)

    np.testing.assert_allclose(deformation, deformation.T, atol=1e-10)


def test_a_shape_relaxes_at_its_volume() -> None:
    atoms = argon()
    atoms.set_cell(atoms.cell.array * [1.05, 1.0, 0.97], scale_atoms=True)
    [found] = relax([atoms], rare_gas_potential(), RelaxationSettings(cell="shape", stress_tolerance_gpa=1e-5))

    assert found.converged
    assert found.volume_cubic_angstrom == pytest.approx(atoms.get_volume(), rel=1e-12)
    assert found.cell_lengths_angstrom == pytest.approx([atoms.get_volume() ** (1 / 3)] * 3, abs=1e-4)


def test_a_symmetry_is_kept_where_a_free_relaxation_leaves_it() -> None:
    simple = Atoms(
        "Ar4", scaled_positions=[[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0.5, 0.5, 0]], cell=[7.0, 7.0, 3.5], pbc=True
    )
    nudged = simple.copy()
    nudged.positions[0] += [1e-4, 0, 2e-4]
    kept = RelaxationSettings(cell="free", keep_symmetry=True, steps=300)
    [held] = relax([nudged], rare_gas_potential(), kept)
    [free] = relax([nudged], rare_gas_potential(), TIGHT)

    assert held.converged
    assert held.space_group == "Pm-3m (221)"
    assert free.space_group != "Pm-3m (221)"
    assert free.energy_ev < held.energy_ev - 0.01


def test_symmetry_refines_what_is_off_by_less_than_its_tolerance() -> None:
    crystal = bulk("Si", cubic=True)
    off = crystal.copy()
    off.rattle(1e-4, seed=0)
    off.set_cell(off.cell.array * [1.00001, 1.0, 1.0], scale_atoms=True)
    refined = Symmetry.of(off).refined(off)

    assert Symmetry.of(refined, tolerance_angstrom=1e-9).name == "Fd-3m (227)"
    np.testing.assert_allclose(
        refined.positions - refined.positions.mean(0), off.positions - off.positions.mean(0), atol=1e-3
    )


def test_what_is_not_at_rest_says_so_with_advice() -> None:
    settings = RelaxationSettings(cell="free", steps=1)
    [found] = relax([argon(seed=1)], rare_gas_potential(), settings)

    assert not found.converged
    assert found.steps == 1
    assert found.advice is not None
    assert "after 1 steps" in found.advice
    with pytest.raises(SimulationError, match="after 1 steps"):
        relaxed(argon(seed=1), rare_gas_potential(), settings=settings)


def test_what_evaporates_is_let_go_and_named_while_others_come_to_rest() -> None:
    gas, solid = argon(9.0), argon()
    settings = RelaxationSettings(cell="free", pressure_gpa=-0.05)
    lost, found = relax([gas, solid], rare_gas_potential(), settings)

    assert found.converged
    assert not lost.converged
    assert lost.advice is not None
    assert "times what it was" in lost.advice


def test_what_coincides_from_the_start_is_refused_by_its_place() -> None:
    doubled = argon()
    doubled.positions[1] = doubled.positions[0]

    with pytest.raises(StructureError, match=r"structure 1, Ar4: cannot be evaluated"):
        relax([argon(), doubled], rare_gas_potential())


def test_held_atoms_stay() -> None:
    atoms = argon(seed=1)
    atoms.set_constraint(FixAtoms([0, 2]))
    [found] = relax([atoms], rare_gas_potential())

    assert found.converged
    np.testing.assert_array_equal(found.atoms.positions[[0, 2]], atoms.positions[[0, 2]])
    assert np.abs(found.atoms.positions[[1, 3]] - atoms.positions[[1, 3]]).max() > 1e-3


def test_constraints_that_have_no_effect_here_are_refused() -> None:
    held, bound = argon(), argon()
    held.set_constraint(FixAtoms([0]))
    bound.set_constraint(FixBondLength(0, 1))

    with pytest.raises(StructureError, match="are held"):
        relax([held], rare_gas_potential(), RelaxationSettings(cell="free"))
    with pytest.raises(StructureError, match="FixBondLength"):
        relax([bound], rare_gas_potential())


def test_a_molecule_relaxes_in_no_cell_and_has_none_to_free() -> None:
    model = PairModel(epsilon_ev={18: 0.5}, sigma={18: 3.4}, cutoff=7.0)
    pair = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.5]])
    [found] = relax([pair], Potential([model]), RelaxationSettings(force_tolerance_ev_per_angstrom=1e-7))

    distance = found.atoms.get_distance(0, 1)
    assert model.pair_energy(distance, 18, 18) <= min(model.pair_energy(distance + d, 18, 18) for d in (-1e-3, 1e-3))
    assert found.volume_cubic_angstrom is None
    assert found.space_group is None
    with pytest.raises(PropertyUnavailable, match="no stress"):
        relax([pair], Potential([model]), RelaxationSettings(cell="free"))


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"steps": 0}, "steps"),
        ({"force_tolerance_ev_per_angstrom": -1.0}, "force_tolerance"),
        ({"pressure_gpa": 1.0}, "pressure_gpa"),
        ({"pressure_gpa": float("nan"), "cell": "free"}, "pressure_gpa"),
    ],
)
def test_settings_out_of_range_or_without_effect_are_refused(wrong: dict, place: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RelaxationSettings(**wrong)
    assert place in (caught.value.place or "")


def test_a_crystal_for_derivatives_is_at_rest_tightly() -> None:
    crystal = relaxed_crystal(argon(seed=6), rare_gas_potential(), pressure_gpa=1.0)
    found = rare_gas_potential()(crystal, want=("forces", "stress"))

    assert found.forces is not None
    assert found.stress is not None
    assert float(found.forces.abs().max()) < 1e-5
    np.testing.assert_allclose(found.stress[0].numpy() * GPA, -np.eye(3), atol=1e-3)


def test_what_is_no_crystal_is_not_relaxed_as_one() -> None:
    with pytest.raises(StructureError, match="is periodic along") as caught:
        relaxed_crystal(Atoms("Ar2", positions=[[0, 0, 0], [3.8, 0, 0]]), rare_gas_potential())
    assert "a crystal is periodic" in str(caught.value)


def test_a_cell_that_moves_along_its_height_keeps_the_rest_and_ends_without_stress_along_it() -> None:
    crystal = bulk("Ar", cubic=True, a=5.2)
    tilted = crystal.copy()
    tilted.set_cell([[5.2, 0, 0], [0, 5.2, 0], [0.4, 0.2, 5.2]])
    settings = RelaxationSettings(cell="height", stress_tolerance_gpa=1e-4)
    for atoms in (crystal, tilted):
        [found] = relax([atoms], rare_gas_potential(), settings)
        change = found.atoms.cell.array - atoms.cell.array

        assert found.converged
        assert np.abs(change[:2]).max() < 1e-12
        assert np.abs(change[2, :2]).max() < 1e-9
        assert abs(change[2, 2]) > 1e-3
        assert abs(evaluated(rare_gas_potential(), [found.atoms], "stress")[0][0, 2, 2]) < 1e-6
