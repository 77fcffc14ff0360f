"""What `validate` says of potentials that are right, and of ones that are wrong on purpose."""

import json
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from made_subjects import mixture, start, subject
from scipy.signal import lfilter

from adiabat.errors import ConfigurationError, StructureError, UnknownSpecies
from adiabat.properties.observables import Trajectory
from adiabat.system import Labelled, Labels
from adiabat.validation import Check, CheckResult, Subject, ValidateConfig, Validation, validate
from adiabat.validation.check import Case, Clock
from adiabat.validation.checks.constant_energy import ConstantEnergyCheck
from adiabat.validation.checks.dimers import DimerCheck, repelled_from
from adiabat.validation.checks.hot_run import HotRunCheck
from adiabat.validation.checks.kinetic_energy import KineticEnergyCheck
from adiabat.validation.checks.labelled_data import LabelledDataCheck
from adiabat.validation.checks.locality import LocalityCheck, widened
from adiabat.validation.checks.paths import PathCheck
from adiabat.validation.checks.pressure import PressureCheck, independent_squares
from adiabat.validation.checks.pushes import PushCheck
from adiabat.validation.checks.spectrum import SpectrumCheck, moving
from adiabat.validation.checks.stress import StressCheck
from adiabat.validation.checks.structure import StructureCheck, sampled
from adiabat.validation.checks.volume import VolumeCheck, deepest_other_minimum
from adiabat.validation.thinning import effective_count, statistical_inefficiency, thinned

SHORT = {"timestep_fs": 4.0, "replicas": 4, "settle_ps": 0.4, "nvt_ps": 2.5, "nve_ps": 0.4, "hot_ps": 0.4}


def checked(checked_subject: Subject, *checks: Check, atoms: Atoms | None = None, **settings: float) -> Validation:
    config = ValidateConfig.parse(SHORT | settings)
    atoms = atoms or start()
    return validate(checked_subject, atoms, temperature_k=40.0, config=config, checks=checks, quiet=True)


def only(found: Validation) -> CheckResult:
    [one] = found.checks
    return one


def test_a_right_potential_passes_everything() -> None:
    config = ValidateConfig.parse(SHORT)
    found = validate(subject(cutoff=4.6), squeezed(), temperature_k=40.0, config=config, quiet=True)
    assert found.passed, [one.reason for one in found.failed]
    assert found.sentences() == ("15 of 15 checks passed, 6 could not be made.",)
    not_made = {one.name for one in found.checks if one.passed is None}
    assert not_made == {
        "test set",
        "locality",
        "what lies beyond the cutoff",
        "structure against the reference",
        "vibrations against the reference",
        "hot run is known to the potential",
    }
    assert all(one.reason for one in found.checks)


def test_a_stress_of_the_wrong_sign_is_found_and_called_so() -> None:
    found = checked(subject(stress_sign=-1.0), StressCheck())
    assert [one.passed for one in found.checks] == [True, False]
    assert "it has the wrong sign" in found.failed[0].reason


def test_a_stress_that_is_a_multiple_is_called_so() -> None:
    found = checked(subject(stress_sign=0.5), StressCheck())
    assert "it is 0.5 times that" in found.failed[0].reason


def test_a_hole_at_short_distance_is_found_with_its_place() -> None:
    repulsive, _ = checked(subject(hole_ev=60.0), DimerCheck()).checks
    assert repulsive.passed is False
    assert repulsive.value is not None
    assert repulsive.value > 1.0
    assert "the energy falls by" in repulsive.reason


def test_an_atom_that_falls_into_others_in_matter_is_found_with_its_way() -> None:
    found = only(checked(subject(cutoff=4.6, hole_ev=60.0), PushCheck()))
    assert found.passed is False
    assert "Ar-Ar, atom" in found.reason
    assert "the energy falls by" in found.reason
    assert only(checked(subject(cutoff=4.6), PushCheck())).passed


def test_where_there_are_too_few_ways_onto_others_none_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adiabat.validation.checks.pushes.DIRECTIONS", 10**6)
    molecule = Atoms("Ar2", positions=[[0, 0, 0], [3.8, 0, 0]])
    found = only(checked(subject(cutoff=4.6), PushCheck(), atoms=molecule))
    assert found.passed is None
    assert "no straight ways" in found.reason


def test_the_bond_of_two_atoms_alone_may_be_shorter_than_in_matter_but_not_by_much() -> None:
    distances = np.linspace(3.0, 1.0, 201)
    assert repelled_from(distances, (distances - 2.2) ** 2, 2.5) == pytest.approx(2.2)
    assert repelled_from(distances, (distances - 2.8) ** 2, 2.5) == 2.5
    assert repelled_from(distances, (distances - 1.2) ** 2, 2.5) == pytest.approx(1.88)


def test_what_jumps_at_the_cutoff_is_not_smooth_and_does_not_keep_its_energy() -> None:
    found = checked(subject(smooth=False), DimerCheck(), PathCheck(), ConstantEnergyCheck())
    verdicts = {one.name: one.passed for one in found.checks}
    assert verdicts["dimer Ar-Ar is repulsive"]
    assert verdicts["dimer Ar-Ar is smooth"] is False
    assert verdicts["energy changes by the work of the forces"] is False
    assert verdicts["nve: order of the energy error"] is False


def test_forces_that_are_no_gradient_heat() -> None:
    found = checked(subject(swirl=0.05), ConstantEnergyCheck(), KineticEnergyCheck(), nvt_ps=4.0)
    failed = {one.name for one in found.failed}
    assert "nve: order of the energy error" in failed
    assert "nve: drift of the energy" in failed


def test_species_share_the_kinetic_energy_alike() -> None:
    found = checked(subject(), KineticEnergyCheck(), atoms=mixture())
    names = [one.name for one in found.checks]
    assert names[3:] == ["nvt: temperature of Ar", "nvt: temperature of Kr"]
    assert found.passed


def squeezed() -> Atoms:
    atoms = start()
    atoms.set_cell(atoms.cell.array * 0.97, scale_atoms=True)
    return atoms


def test_volumes_fluctuate_as_the_compressibility_has_it() -> None:
    found = checked(subject(cutoff=4.6), PressureCheck(), atoms=squeezed(), settle_ps=0.6, nvt_ps=2.0)
    assert [one.passed for one in found.checks] == [True, True]
    assert "by the pressures of three volumes" in found.checks[1].reason


def test_volumes_are_worth_no_more_than_the_barostat_lets_them_change() -> None:
    """Every 20 fs with a time constant of 200: squares forget as exp(-t / 100 fs), so that 800 of them count as 80, whatever they look like."""
    case = Case(subject(), start(), 40.0, ValidateConfig.parse(SHORT), (), None, Clock(0, quiet=True))
    without_memory = np.random.default_rng(0).normal(1000.0, 1.0, size=(4, 200))
    assert independent_squares(case, without_memory) == pytest.approx(800 * np.tanh(0.1), rel=1e-9)


def test_a_potential_whose_pressure_falls_when_it_is_squeezed_fails() -> None:
    found = checked(subject(cutoff=4.6, stress_sign=-1.0), PressureCheck(), atoms=squeezed(), nvt_ps=1.0)
    assert "squeezed, the pressure falls" in found.failed[0].reason


def test_a_time_step_that_is_too_long_fails() -> None:
    found = checked(subject(), ConstantEnergyCheck(), timestep_fs=100.0, settle_ps=2.0, nve_ps=10.0)
    assert not found.passed


def test_too_short_a_run_is_no_verdict() -> None:
    found = checked(subject(), KineticEnergyCheck(), nvt_ps=0.05, replicas=1)
    assert [one.passed for one in found.checks] == [None] * 3
    assert found.passed


def test_a_run_in_which_atoms_fall_into_one_another_is_broken() -> None:
    one = only(checked(subject(hole_ev=2e4), HotRunCheck()))
    assert one.passed is False
    assert one.reason.startswith("after ")


def test_a_second_minimum_is_found_wherever_it_is() -> None:
    energies = np.array([9.0, 5.0, 6.0, 2.0, 0.0, 1.0, 3.0, 2.5, 4.0])
    assert deepest_other_minimum(energies) == (1.0, 1)
    assert deepest_other_minimum(energies[2:]) == (0.5, 5)
    assert deepest_other_minimum(energies[2:7]) == (0.0, None)


def test_a_start_far_from_equilibrium_is_called_so() -> None:
    wide = start()
    wide.set_cell(wide.cell.array * 1.25, scale_atoms=True)
    one = only(checked(subject(cutoff=5.2), VolumeCheck(), atoms=wide))
    assert one.passed is False
    assert "far from where the start is" in one.reason


def test_structures_are_repeated_until_some_atom_is_out_of_reach() -> None:
    wide = widened(start(), 7.0)
    assert wide is not None
    assert wide.get_distances(0, range(len(wide)), mic=True).max() > 7.0
    assert widened(start(), 100.0) is None


def test_test_errors_are_held_against_their_limits() -> None:
    made, right = start(), subject()
    data = []
    for seed in range(4):
        atoms = made.copy()
        atoms.rattle(0.2, seed=seed)
        values = right.values(atoms, stress=True)
        data.append(Labelled(atoms, Labels(values.energy_ev, values.forces, values.stress)))
    opposite = [replace(one, labels=replace(one.labels, stress=-one.labels.stress)) for one in data]
    for labelled, expected in ((data, [True, True, True]), (opposite, [True, True, False])):
        found = validate(right, made, data=labelled, checks=[LabelledDataCheck()], quiet=True)
        assert [one.passed for one in found.checks] == expected
    assert "They have the wrong sign." in found.failed[0].reason


def reference(kelvin: float, *, ensemble: str) -> Trajectory:
    """A run of the right potential with other random numbers."""
    config = ValidateConfig.parse(SHORT | {"seed": 77, "nvt_ps": 1.0, "nve_ps": 2.5})
    case = Case(subject(), start(), kelvin, config, (), None, Clock(0, quiet=True))
    return sampled(case) if ensemble == "nvt" else moving(case)


def against(other: Trajectory, check: Check) -> list[bool | None]:
    config = ValidateConfig.parse(SHORT | {"nvt_ps": 1.0, "nve_ps": 2.5})
    found = validate(subject(), start(), temperature_k=40.0, reference=other, config=config, checks=[check], quiet=True)
    return [one.passed for one in found.checks]


def test_structure_is_that_of_a_reference_at_the_same_temperature_and_no_other() -> None:
    assert against(reference(40.0, ensemble="nvt"), StructureCheck()) == [True, True]
    assert against(reference(10.0, ensemble="nvt"), StructureCheck()) == [False, False]


def test_vibrations_are_those_of_a_reference_or_not() -> None:
    right = reference(40.0, ensemble="nve")
    assert against(right, SpectrumCheck()) == [True]
    assert against(replace(right, times_fs=1.5 * right.times_fs), SpectrumCheck()) == [False]
    assert against(replace(right, velocities=None), SpectrumCheck()) == [None]


def test_a_reference_of_another_system_is_not_compared() -> None:
    other = Trajectory.from_atoms([mixture()] * 2, interval_fs=1.0)
    assert against(other, StructureCheck()) == [None]
    wide = start()
    wide.set_cell(wide.cell.array * 1.1, scale_atoms=True)
    assert against(Trajectory.from_atoms([wide] * 2, interval_fs=1.0), StructureCheck()) == [None]


def test_any_calculator_is_validated() -> None:
    calculator = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.2, smooth=True)
    checks = [StressCheck(), DimerCheck(), VolumeCheck(), LocalityCheck()]
    found = validate(calculator, start(), config=ValidateConfig.parse(SHORT), checks=checks, quiet=True)
    assert found.subject == "LennardJones"
    verdicts = {one.name: one.passed for one in found.checks}
    assert verdicts["locality"] is None
    assert verdicts["stress is the derivative of the energy"]
    assert verdicts["dimer Ar-Ar is repulsive"]


def test_a_molecule_has_no_stress_and_no_volume() -> None:
    molecule = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.8]])
    found = checked(subject(), StressCheck(), VolumeCheck(), atoms=molecule)
    assert [one.passed for one in found.checks] == [None, None]


def test_what_breaks_off_fails_with_its_reason() -> None:
    class Breaking:
        name: ClassVar[str] = "breaking"

        def evaluations(self, case: object) -> int:
            return 1

        def run(self, case: object) -> list[CheckResult]:
            raise StructureError("two atoms coincide")

    one = only(checked(subject(), Breaking()))
    assert (one.name, one.passed, one.reason) == ("breaking", False, "broke off: two atoms coincide")


def test_a_validation_is_written_with_all_that_was_asked_for(tmp_path: Path) -> None:
    found = checked(subject(stress_sign=-1.0), StressCheck())
    found.save(tmp_path / "validate.json")
    values = json.loads((tmp_path / "validate.json").read_text())
    assert values["passed"] is False
    assert set(values["checks"][1]) == {"name", "passed", "value", "limit", "unit", "reason"}
    assert found.page(title="here").tables[0].rows[1][1] == "FAILED"


def test_a_verdict_is_pythons_whatever_it_was_made_of() -> None:
    one = CheckResult("made", np.False_, np.float64(2), np.float64(1), "", "")  # pyright: ignore[reportArgumentType]
    assert one.passed is False
    assert type(one.value) is float
    assert CheckResult("made", None, None, None, "", "").passed is None


def test_structures_without_an_energy_are_left_out_and_counted() -> None:
    from made_potentials import made_potential

    molecule = Atoms("SiO", positions=[[0, 0, 0], [0, 0, 1.7]])
    alone = Atoms("Si")
    data = [Labelled(molecule, Labels(energy=-590.5)), Labelled(alone, Labels(energy=-158.0))]
    found = validate(made_potential(), molecule, data=data, checks=[LabelledDataCheck()], quiet=True)
    assert found.checks[0].reason.endswith("Left out: 1, of which it has no energy.")


def test_what_cannot_be_validated_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="temperature_k"):
        validate(subject(), start(), temperature_k=-1.0)
    with pytest.raises(StructureError, match="holds one atom"):
        validate(subject(), Atoms("Ar"))
    from analytic_models import rare_gas_potential

    with pytest.raises(UnknownSpecies, match="holds Xe"):
        validate(rare_gas_potential(), Atoms("Xe2", positions=[[0, 0, 0], [0, 0, 4]]))
    with pytest.raises(UnknownSpecies, match="holds Xe"):
        validate(rare_gas_potential(), start(), data=[Labelled(Atoms("Xe"))])


@pytest.mark.parametrize("times", [1.0, 10.0])
def test_the_inefficiency_of_an_exponential_correlation_is_that_of_theory(times: float) -> None:
    decay, rng = np.exp(-1 / times), np.random.default_rng(0)
    noise = rng.normal(size=(4, 20000))
    noise[:, 1:] *= np.sqrt(1 - decay**2)
    series = np.asarray(lfilter([1.0], [1.0, -decay], noise, axis=1))
    expected = (1 + decay) / (1 - decay)
    assert statistical_inefficiency(series) == pytest.approx(expected, rel=0.2)
    assert effective_count(series) == pytest.approx(80000 / expected, rel=0.2)
    assert len(thinned(series)) == 4 * -(-20000 // int(np.ceil(statistical_inefficiency(series))))


def test_a_constant_series_is_its_own_sample() -> None:
    assert statistical_inefficiency(np.ones((2, 10))) == 1.0
