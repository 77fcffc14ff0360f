"""What lies beyond a cutoff, where it is known."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from analytic_models import rare_gas_potential
from ase.build import bulk
from torch import Tensor

from adiabat.potential import Potential
from adiabat.system import Graph, PartState
from adiabat.validation import ValidateConfig, validate
from adiabat.validation.checks.cutoff import CutoffCheck, Tail, fitted_tail, responses
from adiabat.validation.checks.locality import widened


@dataclass(frozen=True)
class Power:
    """Each pair has the energy C r^-s up to the cutoff, where it ends with a jump."""

    exponent: float
    cutoff: float
    coefficient: float = 50.0
    kind: ClassVar[str] = "test_power"

    @property
    def species(self) -> tuple[int, ...]:
        return (18,)

    @property
    def interaction_range(self) -> float:
        return self.cutoff

    def atomic_energies(self, graph: Graph) -> Tensor:
        graph = graph.within(self.cutoff)
        pair = self.coefficient * graph.vectors().square().sum(-1) ** (-0.5 * self.exponent)
        return pair.new_zeros(graph.batch.n_atoms).index_add(0, graph.center, 0.5 * pair)

    def to(self, **kwargs: Any) -> Self:
        return self

    def to_state(self) -> PartState:
        return PartState(self.kind, {}, {})


def energy_per_atom(exponent: float, cutoff: float) -> float:
    energy = Potential([Power(exponent, cutoff)])(bulk("Ar", "fcc", a=5.3), want=("energy",)).energy
    assert energy is not None
    return float(energy[0])


@pytest.mark.parametrize("exponent", [6.0, 8.0])
def test_the_energy_beyond_the_cutoff_is_that_of_a_sum_far_beyond_it(exponent: float) -> None:
    density, cutoff = 4 / 5.3**3, 9.0
    missing = energy_per_atom(exponent, 40.0) + Tail(50.0, exponent).missing_ev_per_atom(40.0, density)
    missing -= energy_per_atom(exponent, cutoff)
    assert Tail(50.0, exponent).missing_ev_per_atom(cutoff, density) == pytest.approx(missing, rel=0.15)


@pytest.mark.parametrize("exponent", [4.0, 6.0, 9.0])
def test_exponent_and_strength_are_read_off_the_forces(exponent: float) -> None:
    wide = widened(bulk("Ar", "fcc", a=5.3, cubic=True), 9.0)
    assert wide is not None
    found = fitted_tail(*responses(Potential([Power(exponent, 9.0)]), wide), 9.0)
    assert found is not None
    assert found.exponent == pytest.approx(exponent, abs=0.05)
    assert found.missing_ev_per_atom(9.0, 0.027) == pytest.approx(
        Tail(50.0, exponent).missing_ev_per_atom(9.0, 0.027), rel=0.05
    )


def test_what_decays_too_slowly_cannot_be_cut_off() -> None:
    crystal = bulk("Ar", "fcc", a=5.3, cubic=True)
    verdicts = []
    for potential in (Potential([Power(1.0, 9.0)]), Potential([Power(6.0, 9.0, 5.0)]), rare_gas_potential()):
        [one] = validate(potential, crystal, checks=[CutoffCheck()], config=ValidateConfig(), quiet=True).checks
        verdicts.append(one.passed)
    assert verdicts == [False, True, None]  # of the last three shells lie where the decay is read off


def test_what_does_not_decay_as_a_power_has_no_tail() -> None:
    distances = np.linspace(4, 9, 60)
    assert fitted_tail(distances, np.exp(2 * np.sin(5 * distances)) / distances**6, 9.0) is None


def test_where_nothing_answers_there_is_no_tail() -> None:
    assert fitted_tail(np.linspace(4, 9, 20), np.zeros(20), 9.0) is None
