"""Labels that do not fit together are found and named: units and signs of energies, forces and stresses."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from training_structures import labelled_cells, training_data

from adiabat.data import Finding, read
from adiabat.models import LinearACE
from adiabat.models.ace import DesignRows
from adiabat.system import Graph, Labelled, Labels
from adiabat.testing.data import reference_data
from adiabat.training import check_coherence
from adiabat.training.coherence import Slope, force_slopes
from adiabat.typing import FloatArray

HARTREE, BOHR, KCAL, GPA = 27.211386, 0.529177, 23.060548, 160.21766
"""Written out here, so that the package's own constants are tested too."""


@cache
def silicon() -> tuple[Labelled, ...]:
    """Every tenth structure of a published set: AIMD, strained cells, vacancies, surfaces."""
    return tuple(read(reference_data("mlearn/Si_train.xyz"), quiet=True)[::10])


@pytest.fixture
def rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows depend on geometries alone, and these are the same in all tests: they are made once."""
    make = LinearACE.design_rows
    monkeypatch.setattr(LinearACE, "design_rows", lambda self, graph: ROWS.get(make, self, graph))


class _Rows:
    def __init__(self) -> None:
        self.made: dict[tuple[int, bytes], DesignRows] = {}

    def get(self, make: Callable[[LinearACE, Graph], DesignRows], model: LinearACE, graph: Graph) -> DesignRows:
        key = model.basis.n_functions, graph.batch.positions.numpy().tobytes()
        if key not in self.made:
            self.made[key] = make(model, graph)
        return self.made[key]


ROWS = _Rows()


def scaled(array: FloatArray | None, factor: float) -> FloatArray | None:
    return None if array is None else array * factor


def relabelled(*, energy: float = 1.0, forces: float = 1.0, stress: float = 1.0) -> list[Labelled]:
    """Silicon whose labels are multiplied by factors."""
    return [
        replace(
            s,
            labels=Labels(
                None if s.labels.energy is None else s.labels.energy * energy,
                scaled(s.labels.forces, forces),
                scaled(s.labels.stress, stress),
            ),
        )
        for s in silicon()
    ]


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


@pytest.mark.usefixtures("rows_once")
def test_sound_labels_give_no_finding_and_slopes_of_one() -> None:
    assert check_coherence(silicon(), quiet=True) == []
    slopes = force_slopes(silicon(), quiet=True)
    assert slopes["energy"].value == pytest.approx(1.0, abs=0.1)
    assert slopes["stress"].value == pytest.approx(1.0, abs=0.15)
    assert slopes["energy"].correlation > 0.99


@pytest.mark.usefixtures("rows_once")
@pytest.mark.parametrize(
    ("factors", "energy_says", "stress_says"),
    [
        ({"energy": 1 / HARTREE}, "energies in Hartree", None),
        ({"energy": 2 / HARTREE}, "energies in Rydberg", None),
        ({"energy": KCAL}, "energies in kcal/mol", None),
        ({"energy": 96.485332}, "energies in kJ/mol", None),
        ({"forces": BOHR / HARTREE}, "forces in Hartree/Bohr", "forces in Hartree/Bohr"),
        ({"forces": BOHR}, "forces in eV/Bohr", "forces in eV/Bohr"),
        ({"forces": KCAL}, "forces in kcal/mol/Å", "forces in kcal/mol/Å"),
        (
            {"energy": 1 / HARTREE, "forces": BOHR / HARTREE},
            "energies and forces in atomic units",
            "forces in Hartree/Bohr",
        ),
        ({"forces": -1.0}, "the sign of the forces is opposite (gradients?)", "the sign is opposite"),
        ({"forces": -BOHR / HARTREE}, "(gradients?); forces in Hartree/Bohr", "forces in Hartree/Bohr"),
        ({"stress": -1.0}, None, "the sign is opposite"),
        ({"stress": GPA}, None, "stresses in GPa"),
        ({"stress": 10 * GPA}, None, "stresses in kbar"),
        ({"stress": -10 * GPA}, None, "the sign is opposite; stresses in kbar"),
    ],
    ids=lambda value: "-".join(f"{k}*{v:.3g}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_units_and_signs_that_do_not_fit_are_errors_that_name_them(
    factors: dict[str, float], energy_says: str | None, stress_says: str | None
) -> None:
    found = by_name(check_coherence(relabelled(**factors), quiet=True))
    for name, says in (("energy-force-mismatch", energy_says), ("stress-force-mismatch", stress_says)):
        assert (name in found) == (says is not None)
        if says is not None:
            assert found[name].severity == "error"
            assert says in found[name].mend


@pytest.mark.usefixtures("rows_once")
def test_a_factor_that_is_no_unit_is_found_without_a_name() -> None:
    found = by_name(check_coherence(relabelled(energy=5.0), quiet=True))["energy-force-mismatch"]
    assert "5." in found.what
    assert found.mend.startswith("check units and signs")


@pytest.mark.usefixtures("rows_once")
def test_the_names_of_units_do_not_cross() -> None:
    found = by_name(check_coherence(relabelled(energy=1 / HARTREE), quiet=True))["energy-force-mismatch"]
    assert "kcal" not in found.mend
    assert "Rydberg" not in found.mend


@pytest.mark.usefixtures("rows_once")
def test_a_misfit_of_a_fifth_is_a_warning() -> None:
    found = by_name(check_coherence(relabelled(energy=1.25), quiet=True))["energy-force-mismatch"]
    assert found.severity == "warning"


@pytest.mark.usefixtures("rows_once")
def test_energies_may_be_counted_from_anywhere() -> None:
    shifted = [
        replace(s, labels=replace(s.labels, energy=s.labels.energy + 1000.0 * len(s.atoms)))
        for s in silicon()
        if s.labels.energy is not None
    ]
    assert check_coherence(shifted, quiet=True) == []


def test_labels_that_cannot_be_compared_say_nothing() -> None:
    assert check_coherence(training_data(), quiet=True) == []
    no_forces = [replace(s, labels=Labels(energy=s.labels.energy)) for s in labelled_cells(12)]
    assert check_coherence(no_forces, quiet=True) == []


def test_forces_that_are_all_zero_say_nothing() -> None:
    zero = [replace(s, labels=replace(s.labels, forces=np.zeros((8, 3)))) for s in labelled_cells(8)]
    assert check_coherence(zero, quiet=True) == []


@pytest.mark.parametrize(
    ("slope", "tells", "fits"),
    [
        (Slope(1.05, 0.01, 0.99, 40), True, True),
        (Slope(1.15, 0.01, 0.99, 40), True, False),
        (Slope(1.15, 0.02, 0.99, 40), True, True),
        (Slope(27.2, 0.5, 0.5, 40), False, False),
        (Slope(27.2, 6.0, 0.99, 40), False, False),
        (Slope(-1.0, 0.01, -0.99, 40), True, False),
        (Slope(-1.0, 0.15, -0.9, 12), True, False),
        (Slope(27.2, 3.0, 0.9, 12), True, False),
        (Slope(27.2, 3.0, 0.7, 12), False, False),
        (Slope(1.5, 0.15, 0.9, 12), False, True),
    ],
)
def test_a_slope_counts_where_it_is_certain(slope: Slope, tells: bool, fits: bool) -> None:
    assert (slope.tells, slope.fits) == (tells, fits)
