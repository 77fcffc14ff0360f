"""Any ASE calculator as a potential."""

from pathlib import Path

import numpy as np
import pytest
import torch
from analytic_models import rare_gas_potential
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from adiabat.errors import ConfigurationError, PotentialFileError, PropertyUnavailable
from adiabat.potential import FromASE, Potential, named_calculator
from adiabat.properties.arrays import evaluated


def structures() -> list[Atoms]:
    found = []
    for seed, symbol in enumerate(("Cu", "Au")):
        atoms = bulk(symbol, cubic=True)
        rng = np.random.default_rng(seed)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.uniform(-0.05, 0.05, (3, 3))), scale_atoms=True)
        atoms.rattle(0.1, seed=seed)
        found.append(atoms)
    return found


def test_it_says_what_the_calculator_says() -> None:
    energies, forces, stresses = evaluated(FromASE(EMT()), structures(), "energy", "forces", "stress")

    for place, atoms in enumerate(structures()):
        atoms.calc = EMT()
        assert energies[place] == pytest.approx(atoms.get_potential_energy(), abs=1e-12)
        np.testing.assert_allclose(forces[4 * place : 4 * place + 4], atoms.get_forces(), atol=1e-12)
        np.testing.assert_allclose(stresses[place], atoms.get_stress(voigt=False), atol=1e-12)


def test_it_adds_to_other_potentials() -> None:
    atoms = bulk("Ar", cubic=True, a=5.3)
    atoms.rattle(0.1, seed=0)
    outside, ours = FromASE(LennardJones(sigma=3.4, epsilon=0.01, rc=7.0)), rare_gas_potential()
    both = evaluated(outside + ours, [atoms], "energy", "forces", "stress")
    apart = [evaluated(one, [atoms], "energy", "forces", "stress") for one in (outside, ours)]

    for value, *parts in zip(both, *apart, strict=True):
        np.testing.assert_allclose(value, sum(parts), atol=1e-12)


def test_a_calculator_without_stress_has_forces() -> None:
    class Forces(LennardJones):
        implemented_properties = ("energy", "forces")

        def calculate(self, *args: object, **kwargs: object) -> None:
            super().calculate(*args, **kwargs)
            self.results.pop("stress", None)

    atoms = bulk("Ar", cubic=True, a=5.3)
    outside = FromASE(Forces(sigma=3.4, epsilon=0.01))

    assert np.isfinite(evaluated(outside, [atoms], "forces")[0]).all()
    with pytest.raises(PropertyUnavailable, match="Forces fails"):
        outside(atoms, want=("stress",))


def test_what_the_calculator_does_not_know_is_said_in_its_own_words() -> None:
    with pytest.raises(PropertyUnavailable, match="No EMT-potential for Si"):
        FromASE(EMT())(bulk("Si"))


def test_it_has_no_error_bars_and_no_file(tmp_path: Path) -> None:
    outside = FromASE(EMT())

    assert not outside.has_uncertainty
    with pytest.raises(PropertyUnavailable):
        outside(bulk("Cu"), want=("energy_std",))
    with pytest.raises(PotentialFileError, match="cannot be stored"):
        outside.save(tmp_path / "emt.adiabat", canaries=[bulk("Cu")])
    with pytest.raises(PropertyUnavailable, match="computes where it computes"):
        outside.to(dtype=torch.float32)


def test_a_calculator_is_made_by_its_name() -> None:
    assert isinstance(named_calculator("ase.calculators.emt:EMT"), Potential)


@pytest.mark.parametrize(
    "name", ["ase.calculators.emt:ETM", "ase.calculators.etm:EMT", "ase.calculators.emt:", "builtins:list"]
)
def test_a_calculator_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no calculator is made"):
        named_calculator(name)


def test_with_smearing_the_energy_is_that_of_which_forces_are_derivatives() -> None:
    class Smeared(EMT):
        def calculate(self, *args: object, **kwargs: object) -> None:
            super().calculate(*args, **kwargs)
            self.results["energy"] = self.results["free_energy"] + 1.0

    atoms = bulk("Cu")
    assert evaluated(FromASE(Smeared()), [atoms], "energy") == evaluated(FromASE(EMT()), [atoms], "energy")
