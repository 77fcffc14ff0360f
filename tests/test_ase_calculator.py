"""The ASE calculator, and the contract for any ASE calculator: on ours, on others', and on broken ones.

What the contract finds in ASE's own calculators, with its defaults:
- LennardJones(smooth=False) shifts the energy to zero at the cutoff but not the force: the force jumps there.
- EMT(asap_cutoff=True) ends its neighbour list where its smoothing function is still 3e-3: energy and force jump.
- EMT(), LennardJones(smooth=True), MorsePotential and Tersoff keep the contract. EMT() jumps as well in principle, where
  its smoothing function is 7e-6, by less than any rule asks for.
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential
from ase.calculators.tersoff import Tersoff, TersoffParameters
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from narrowing import present

from adiabat.errors import PropertyUnavailable, StructureError
from adiabat.neighbors import skin
from adiabat.potential.ase import AdiabatCalculator
from adiabat.testing import ContractViolation
from adiabat.testing.ase_calculator import check_ase_calculator
from adiabat.testing.calculator_checks import CHECKS

ARGON = {"sigma": 3.4, "epsilon": 0.0104, "rc": 7.0}
SILICON_1988 = TersoffParameters(  # Tersoff, Phys. Rev. B 38, 9902 (1988), in LAMMPS's notation
    m=3.0,
    gamma=1.0,
    lambda3=1.3258,
    c=4.8381,
    d=2.0417,
    h=0.0,
    n=22.956,
    beta=0.33675,
    lambda2=1.3258,
    B=95.373,
    R=3.0,
    D=0.2,
    lambda1=3.2394,
    A=3264.7,
)


def ours() -> AdiabatCalculator:
    return AdiabatCalculator(rare_gas_potential())


def argon(pbc: bool | tuple[bool, bool, bool] = True) -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.numbers[1] = 36
    atoms.pbc = pbc
    atoms.rattle(0.1, seed=3)
    return atoms


def slab() -> Atoms:
    atoms = argon((True, True, False))
    atoms.cell.array[2] = 0
    return atoms


def cluster() -> Atoms:
    return Atoms("ArKrAr2", positions=[[0, 0, 0], [3.8, 0, 0], [0, 3.9, 0], [1, 1, 3.7]])


@pytest.mark.parametrize("structure", [argon, slab, cluster, lambda: bulk("Ar", "fcc", a=5.1)])
def test_our_calculator_keeps_the_contract(structure: Callable[[], Atoms]) -> None:
    report = check_ase_calculator(ours(), structure())

    periodic = structure().pbc
    expected = set(CHECKS) - ({"stress"} if not periodic.all() else set())
    expected -= {"periodic images", "supercell"} if not periodic.any() else set()
    assert set(report.kept) == expected
    assert set(report.skipped) == set(CHECKS) - expected


@pytest.mark.parametrize(
    ("calculator", "atoms"),
    [
        (EMT(), bulk("Cu", cubic=True)),
        (EMT(), bulk("Au")),
        (LennardJones(**ARGON, smooth=True, ro=6.0), bulk("Ar", "fcc", a=5.3)),
        (MorsePotential(epsilon=0.5, r0=2.6, rho0=4, rcut1=1.2, rcut2=1.6), bulk("Cu")),
        (Tersoff({("Si", "Si", "Si"): SILICON_1988}), bulk("Si")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Calculator) else "",
)
def test_calculators_of_ase_that_go_smoothly_to_zero_keep_the_contract(calculator: Calculator, atoms: Atoms) -> None:
    assert set(check_ase_calculator(calculator, atoms).kept) == set(CHECKS)


def test_a_force_that_is_cut_off_is_found() -> None:
    with pytest.raises(ContractViolation, match="1 of 10 checks failed") as caught:
        check_ase_calculator(LennardJones(**ARGON), bulk("Ar", "fcc", a=5.3, cubic=True))

    jump = float(str(caught.value).split("jumps by ")[1].split()[0])
    at_cutoff = 24 * 0.0104 / 7.0 * ((3.4 / 7) ** 6 - 2 * (3.4 / 7) ** 12)  # -dV/dr of 4 ε ((σ/r)¹² - (σ/r)⁶)
    assert 0.05 * at_cutoff < jump <= at_cutoff


def test_a_neighbour_list_that_ends_too_early_is_found() -> None:
    with pytest.raises(ContractViolation, match=r"the energy jumps by 3\.6"):
        check_ase_calculator(EMT(asap_cutoff=True), bulk("Cu", cubic=True))


class Broken(Calculator):
    """A calculator that is right but for what a test breaks."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress"]

    def __init__(self) -> None:
        super().__init__()
        self.sound = LennardJones(**ARGON, smooth=True, ro=6.0)

    def calculate(self, atoms: Atoms | None = None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.sound.calculate(atoms, properties, system_changes)
        self.results = dict(self.sound.results)
        self.spoil(present(atoms))

    def spoil(self, atoms: Atoms) -> None:
        pass


class WrongForce(Broken):
    def spoil(self, atoms: Atoms) -> None:
        self.results["forces"] = self.results["forces"] * 1.0001


class WrongSign(Broken):
    def spoil(self, atoms: Atoms) -> None:
        self.results["stress"] = -self.results["stress"]


class WrongOrder(Broken):
    def spoil(self, atoms: Atoms) -> None:
        self.results["stress"] = self.results["stress"][[0, 1, 2, 5, 4, 3]]


class Anchored(Broken):
    def spoil(self, atoms: Atoms) -> None:
        self.results["energy"] += 0.01 * np.sin(atoms.positions[0, 0])
        self.results["forces"] = self.results["forces"].copy()
        self.results["forces"][0, 0] -= 0.01 * np.cos(atoms.positions[0, 0])


class Directed(Broken):
    def spoil(self, atoms: Atoms) -> None:
        distances = atoms.get_all_distances(mic=False, vector=True)
        self.results["energy"] += 1e-4 * float((distances[..., 0] ** 2).sum())


class NearestImageOnly(Broken):
    """Only the first image of each neighbour: right in a large cell, wrong in a small one."""

    def spoil(self, atoms: Atoms) -> None:
        distances = atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)]
        self.results["energy"] = float(np.exp(-distances).sum())


class Forgetful(Broken):
    """Its first results, for ever."""

    first: dict | None = None

    def spoil(self, atoms: Atoms) -> None:
        self.first = self.first or self.results
        self.results = self.first


class BlindToTheCell(Broken):
    """Looks at the cell only when the number of atoms changes."""

    kept: Atoms | None = None

    def calculate(self, atoms: Atoms | None = None, properties=("energy",), system_changes=all_changes) -> None:
        atoms = present(atoms)
        if self.kept is None or len(self.kept) != len(atoms):
            self.kept = atoms.copy()
        blind = atoms.copy()
        blind.cell = self.kept.cell
        super().calculate(blind, properties, system_changes)
        self.atoms = atoms.copy()


class Meddling(Broken):
    def get_property(self, name, atoms=None, allow_calculation=True):
        value = super().get_property(name, atoms, allow_calculation)
        present(atoms).wrap()
        return value


class Lending(Broken):
    def get_property(self, name, atoms=None, allow_calculation=True):
        super().get_property(name, atoms, allow_calculation)
        return self.results[name]


def test_what_the_broken_ones_are_made_of_is_sound() -> None:
    check_ase_calculator(Broken(), bulk("Ar", "fcc", a=5.3, cubic=True))


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (WrongForce, "finite differences"),
        (WrongSign, "finite strains"),
        (WrongOrder, "finite strains"),
        (Anchored, "translated: energy"),
        (Directed, "rotated: energy"),
        (NearestImageOnly, "repeated"),
        (Forgetful, "finite differences"),
        (BlindToTheCell, "after stretching the cell alone: energy"),
        (Meddling, "positions changed"),
        (Lending, "results are copies"),
    ],
)
def test_a_broken_calculator_is_found(broken: type[Broken], found: str) -> None:
    with pytest.raises(ContractViolation, match=found):
        check_ase_calculator(broken(), bulk("Ar", "fcc", a=5.3, cubic=True))


def test_the_results_are_those_of_the_potential() -> None:
    atoms, potential = argon(), rare_gas_potential()
    atoms.calc = ours()
    expected = potential(atoms, want=("energy", "energies", "forces", "stress"))

    assert atoms.get_potential_energy() == pytest.approx(float(present(expected.energy)[0]), abs=1e-14)
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()
    np.testing.assert_allclose(atoms.get_potential_energies(), present(expected.energies).numpy(), atol=1e-14)
    np.testing.assert_allclose(atoms.get_forces(), present(expected.forces).numpy(), atol=1e-14)
    np.testing.assert_allclose(atoms.get_stress(voigt=False), present(expected.stress)[0].numpy(), atol=1e-15)


@pytest.mark.parametrize("structure", [slab, cluster])
def test_the_stress_of_what_has_none_is_refused_in_both_languages(structure: Callable[[], Atoms]) -> None:
    atoms = structure()
    atoms.calc = ours()

    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()
    with pytest.raises(PropertyUnavailable, match="three periodic directions"):
        atoms.get_stress()
    assert np.isfinite(atoms.get_forces()).all()


def test_changes_of_cell_pbc_species_and_number_of_atoms_are_all_seen() -> None:
    calculator, atoms = ours(), argon()
    changes: list[Callable[[Atoms], object]] = [
        lambda a: a.set_cell(0.9 * a.cell.array),
        lambda a: a.set_cell(a.cell.array @ [[1, 0.3, 0], [0, 1, 0], [0, 0, 1]], scale_atoms=True),
        lambda a: a.set_pbc((True, False, True)),
        lambda a: a.set_atomic_numbers([36, 18, 36, 18]),
        lambda a: a.append("Ar") or a.positions.__setitem__(-1, [2.0, 2.2, 9.0]),
        lambda a: a.pop(0),
        lambda a: a.set_pbc(False),
        lambda a: a.set_cell(None),
        lambda a: a.set_positions(a.positions + [[0.3, 0, 0]] + np.eye(4, 3) * 0.4),
    ]
    for change in changes:
        change(atoms)
        atoms.calc = calculator
        fresh = rare_gas_potential()(atoms)
        assert atoms.get_potential_energy() == pytest.approx(float(present(fresh.energy)[0]), rel=1e-13)
        np.testing.assert_allclose(atoms.get_forces(), present(fresh.forces).numpy(), atol=1e-13)


def test_a_structure_that_is_refused_leaves_no_result_and_no_neighbour_list_behind() -> None:
    calculator, atoms = ours(), cluster()
    atoms.calc = calculator
    atoms.get_forces()
    atoms.positions[:] = [[0, 0, 0], [20, 0, 0], [40, 0, 0], [40, 0, 0]]
    for _ in range(2):
        with pytest.raises(StructureError, match="apart"):
            atoms.get_potential_energy()
    with pytest.raises(StructureError):
        calculator.calculate(atoms, ["energy"])
    assert calculator.results == {}
    atoms.positions[3, 0] = 40.35  # near enough to the refused structure for a list with a skin to serve
    assert atoms.get_potential_energy() == pytest.approx(
        float(present(rare_gas_potential()(atoms).energy)[0]), rel=1e-13
    )


def test_positions_that_are_not_finite_are_refused() -> None:
    atoms = cluster()
    atoms.calc = ours()
    atoms.positions[2, 1] = np.nan
    with pytest.raises(StructureError, match="atom 2"):
        atoms.get_potential_energy()


def test_results_are_kept_until_the_structure_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    calculator, atoms, calls = ours(), argon(), []
    calculate = AdiabatCalculator.calculate
    monkeypatch.setattr(AdiabatCalculator, "calculate", lambda *args: calls.append(1) or calculate(*args))
    atoms.calc = calculator
    for _ in range(2):
        for ask in (atoms.get_potential_energy, atoms.get_forces, atoms.get_stress):
            ask()
    assert len(calls) == 1
    atoms.set_initial_charges([1, 0, 0, -1])
    atoms.get_forces()
    assert len(calls) == 1
    atoms.positions[0, 0] += 1e-10
    atoms.get_forces()
    assert len(calls) == 2


def test_dynamics_in_ase_conserve_energy_and_search_neighbours_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = []
    search = skin.neighbor_graph
    monkeypatch.setattr(skin, "neighbor_graph", lambda *args: searches.append(1) or search(*args))
    atoms = argon().repeat((2, 2, 1))
    atoms.calc = ours()
    atoms.set_velocities(np.random.default_rng(5).normal(0, 1e-3, (len(atoms), 3)) / units.fs)
    start = atoms.get_total_energy()

    VelocityVerlet(atoms, 2 * units.fs).run(100)

    assert abs(atoms.get_total_energy() - start) / len(atoms) < 2e-5
    assert 1 <= len(searches) <= 5


def test_a_relaxation_in_ase_finds_the_minimum() -> None:
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [3.3, 0.2, 0.1]], calculator=ours())
    BFGS(atoms, logfile=None).run(fmax=1e-5)
    r = np.linspace(3, 5, 200001)
    pair = 4 * 0.0104 * ((3.4 / r) ** 12 - (3.4 / r) ** 6) * (1 - (r / 7) ** 2) ** 3
    assert atoms.get_distance(0, 1) == pytest.approx(r[pair.argmin()], abs=1e-3)


def test_ase_knows_it_by_name() -> None:
    assert ours().name == "adiabat"
    assert rare_gas_potential().calculator().name == "adiabat"
