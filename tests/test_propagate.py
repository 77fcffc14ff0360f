"""Error bars of properties: what members of a committee give, less what the potential gives."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from analytic_models import PairModel
from ase import Atoms
from ase.build import bulk
from narrowing import present
from training_structures import CONFIG, cells, isolated_silicon, labelled_cells, noisy

from adiabat.errors import ConfigurationError, PropertyUnavailable, SimulationError, StructureError
from adiabat.potential import Committee, Potential, Prediction
from adiabat.properties import Estimate, FixedStructures, cubic_elasticity, propagate
from adiabat.properties.estimate import decimals_of, unit_of
from adiabat.results import Result
from adiabat.system import Batch, Graph
from adiabat.training.train import fit
from adiabat.typing import FloatArray, Quantity
from adiabat.uncertainty import Part

PARAMETRIC = (1.01, 0.99, 1.03, 0.97, 1.02, 1.0, 1.0, 1.0)
MISFIT = (1.1, 1.1, 1.1, 1.1, 1.0, 1.0, 1.0, 1.0)


def pair_potential(factor: float) -> Potential:
    return Potential([PairModel(epsilon_ev={18: 0.5 * factor}, sigma={18: 3.40}, cutoff=7.0)])


def depth(potential: Potential) -> float:
    model = potential.parts[0]
    assert isinstance(model, PairModel)
    return model.epsilon_ev[18]


class Counted(Committee):
    """A committee that counts how often its members are evaluated together."""

    evaluations = 0

    def each(
        self, structures: Batch | Graph | Atoms | Sequence[Atoms], *, want: Collection[Quantity] = ("energy", "forces")
    ) -> tuple[Prediction, ...]:
        self.evaluations += 1
        return super().each(structures, want=want)


class Uncertain(Potential):
    """A potential whose members differ from it by a factor of the energy."""

    def __init__(self) -> None:
        super().__init__(pair_potential(1.0).parts)
        self.committees = {
            "parametric": Counted([pair_potential(factor) for factor in PARAMETRIC]),
            "misfit": Counted([pair_potential(factor) for factor in MISFIT]),
        }
        self.asked: list[tuple[str, int, int]] = []

    def committee(self, part: Part, size: int = 16, seed: int = 0) -> Committee:
        self.asked.append((part, size, seed))
        return self.committees[part]


def spread(factors: Sequence[float]) -> float:
    return float(np.sqrt(np.mean((np.array(factors) - 1) ** 2)))


def run(property: Callable[[Potential], Any]) -> Any:
    return propagate(property, Uncertain(), members=8, seed=3, quiet=True)


@dataclass(frozen=True)
class Sampled(Result):
    diffusion_k: float
    diffusion_k_std_sampling: float
    pressure_gpa: float
    pressure_gpa_std: float
    steps: int
    name: str


def test_the_deviation_is_around_the_potential_and_not_around_the_members_mean() -> None:
    found = run(depth)["value"]

    assert found.value == 0.5
    assert found.std_misfit == pytest.approx(0.5 * spread(MISFIT))
    assert found.std_misfit > 1.3 * 0.5 * np.std(MISFIT)
    assert found.std_parametric == pytest.approx(0.5 * spread(PARAMETRIC))
    assert found.std == pytest.approx(np.hypot(found.std_parametric, found.std_misfit))


def test_members_are_drawn_for_each_part_with_the_size_and_seed_asked_for() -> None:
    potential = Uncertain()
    propagate(depth, potential, members=8, seed=3, quiet=True)

    assert potential.asked == [("parametric", 8, 3), ("misfit", 8, 3)]


def test_elastic_constants_scale_with_the_energy_and_so_do_their_error_bars() -> None:
    found = run(lambda potential: cubic_elasticity(bulk("Ar", cubic=True, a=5.3), potential))

    for name in ("c11_gpa", "c12_gpa", "c44_gpa", "bulk_modulus_gpa"):
        assert found[name].std_parametric == pytest.approx(found[name].value * spread(PARAMETRIC), rel=1e-4)
        assert found[name].unit == "GPa"


def test_arrays_and_mappings_are_propagated_number_by_number() -> None:
    found = run(lambda potential: {"curve_ev": depth(potential) * np.array([[1.0, 2.0, 0.0]]), "edge_angstrom": 5.0})

    np.testing.assert_allclose(found["curve_ev"].std_parametric, spread(PARAMETRIC) * np.array([[0.5, 1.0, 0.0]]))
    assert found["edge_angstrom"].std == 0
    assert "curve_ev[0, 1]: 1.00" in str(found)


def test_counts_and_names_have_no_error_bar() -> None:
    found = run(lambda potential: Sampled(depth(potential), 0.1, 2.0, 0.2, 7, "argon"))

    assert set(found.estimates) == {"diffusion_k", "pressure_gpa"}


def test_sampling_stands_apart_and_adds_up_in_print() -> None:
    found = run(lambda potential: Sampled(depth(potential), 0.03, 2.0, 0.2, 7, "argon"))
    estimate = found["diffusion_k"]

    assert estimate.std_sampling == 0.03
    assert estimate.std == pytest.approx(0.5 * np.hypot(spread(PARAMETRIC), spread(MISFIT)))
    assert estimate.total == pytest.approx(np.hypot(estimate.std, 0.03))
    assert str(estimate) == "0.50 ± 0.05 K (sampling 0.03, misfit 0.04, parametric 0.01)"
    assert str(found["pressure_gpa"]) == "2.00 ± 0.20 GPa (sampling 0.20, misfit 0.00, parametric 0.00)"


def test_the_printed_form() -> None:
    estimate = Estimate(5.46912, np.hypot(0.003, 0.002), 0.002, 0.003, None, "Å")

    assert str(estimate) == "5.469 ± 0.004 Å (misfit 0.003, parametric 0.002)"


@pytest.mark.parametrize(
    ("bar", "decimals"), [(0.004, 3), (0.0014, 4), (0.25, 2), (0.4, 1), (1.7, 1), (31.0, 0), (250.0, 0)]
)
def test_error_bars_have_one_digit_or_two(bar: float, decimals: int) -> None:
    assert decimals_of(bar) == decimals


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("c44_gpa", "GPa"),
        ("energy_ev_per_atom", "eV/atom"),
        ("formation_energy_ev", "eV"),
        ("volume_cubic_angstrom_per_atom", "Å³/atom"),
        ("lattice_constant_angstrom", "Å"),
        ("bulk_modulus_derivative", ""),
        ("value", ""),
    ],
)
def test_the_unit_is_read_from_the_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_a_member_that_fails_is_left_out_and_named() -> None:
    def property(potential: Potential) -> float:
        if depth(potential) == pytest.approx(0.5 * 1.03):
            raise StructureError("the cell has fallen in")
        return depth(potential)

    found = run(property)
    others = [factor for factor in PARAMETRIC if factor != 1.03]
    assert found["value"].std_parametric == pytest.approx(0.5 * spread(others))
    assert found.failures == ("parametric member 2: StructureError: the cell has fallen in",)
    assert "left out: parametric member 2" in str(found)


def test_a_number_that_is_not_finite_is_a_failure() -> None:
    found = run(lambda potential: float("nan") if depth(potential) > 0.512 and depth(potential) < 0.52 else 1.0)

    assert "not finite" in found.failures[0]


def test_when_many_members_fail_there_is_no_error_bar() -> None:
    def property(potential: Potential) -> float:
        if depth(potential) > 0.54:
            raise StructureError("the cell has fallen in")
        return 1.0

    with pytest.raises(SimulationError, match=r"fails for 4 of 8 misfit members; the first: misfit member 0"):
        run(property)


def test_what_is_wrong_with_the_property_itself_is_not_a_failure_of_a_member() -> None:
    def property(potential: Potential) -> float:
        if depth(potential) != 0.5:
            raise TypeError("a mistake in the property")
        return 1.0

    with pytest.raises(TypeError, match="a mistake"):
        run(property)


def test_an_error_of_the_potential_itself_is_the_propertys_own() -> None:
    def property(potential: Potential) -> float:
        raise StructureError("no such crystal")

    with pytest.raises(StructureError, match="no such crystal"):
        run(property)


def test_fixed_structures_are_evaluated_once_for_all_members() -> None:
    pair = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.9]])
    potential = Uncertain()
    energy = FixedStructures(
        [pair, pair], ("energy",), lambda found: {"energy_ev": present(found.energy).numpy().copy()}
    )
    at_once = propagate(energy, potential, members=8, quiet=True)
    one_by_one = propagate(energy.__call__, potential, members=8, quiet=True)

    assert potential.committees["misfit"].evaluations == 1
    np.testing.assert_allclose(at_once["energy_ev"].std, one_by_one["energy_ev"].std)


def test_members_of_a_trained_potential_give_the_exact_parametric_deviations() -> None:
    potential = fit([*noisy(labelled_cells(12)), isolated_silicon()], CONFIG, quiet=True)
    [atoms] = cells(1, first_seed=50)

    def forces(found: Prediction) -> FloatArray:
        return np.asarray(found.forces)

    found = propagate(FixedStructures([atoms], ("forces",), forces), potential, members=200, quiet=True)["value"]
    exact = np.asarray(potential(atoms, want=("forces_std_parametric",)).forces_std_parametric)
    assert found.std_parametric is not None
    np.testing.assert_allclose(found.std_parametric, exact, rtol=0.25)  # each is known to 5 %
    assert np.median(found.std_parametric / exact) == pytest.approx(1, abs=0.05)


def test_the_error_of_the_error_bar_is_what_finite_samples_show() -> None:
    drawn = np.random.default_rng(0).normal(size=(2000, 16))
    deviations = np.sqrt(np.mean(drawn**2, axis=1))

    assert run(depth).std_relative_error == pytest.approx(1 / 4)
    assert deviations.std() == pytest.approx(1 / np.sqrt(2 * 16), rel=0.05)


def test_the_result_is_json_with_each_part() -> None:
    written = run(depth).to_dict()

    assert set(written["estimates"]["value"]) == {
        "value",
        "std",
        "std_parametric",
        "std_misfit",
        "std_sampling",
        "unit",
    }
    assert written["estimates"]["value"]["std_sampling"] is None


def test_a_property_without_a_number_is_refused() -> None:
    with pytest.raises(SimulationError, match="without a number"):
        run(lambda potential: {"name": "argon"})


def test_too_few_members_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="2 members"):
        propagate(depth, Uncertain(), members=2)


def test_the_members_of_a_committee_are_its_error_bar() -> None:
    committee = Committee([pair_potential(factor) for factor in (0.9, 1.0, 1.1)])
    pair = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.9]])
    energy = propagate(lambda member: float(present(member(pair, want=("energy",)).energy)[0]), committee, quiet=True)[
        "value"
    ]

    assert energy.std == pytest.approx(abs(energy.value) * 0.1 * np.sqrt(2 / 3))
    assert energy.std_parametric is None
    assert "(" not in str(energy)


def test_what_a_committee_has_already_cannot_be_asked_for() -> None:
    committee = Committee([pair_potential(0.9), pair_potential(1.1)])
    with pytest.raises(ConfigurationError, match="for a committee"):
        propagate(lambda member: 1.0, committee, members=8)


def test_a_potential_without_a_posterior_says_so() -> None:
    with pytest.raises(PropertyUnavailable):
        propagate(depth, pair_potential(1.0), members=8, quiet=True)
