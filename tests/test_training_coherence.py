"""Labels that do not fit together are found and named: units and signs of energies, forces and stresses, whole or in part."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from training_structures import labelled_cells, training_data

from adiabat.data import Finding, read
from adiabat.models import LinearACE
from adiabat.system import DesignRows, Graph, Labelled, Labels
from adiabat.testing.data import reference_data
from adiabat.training import check_coherence
from adiabat.training.coherence.check import comparable_sample
from adiabat.training.coherence.component_order import ShearOrder, shear_order
from adiabat.training.coherence.force_comparison import ForceSlopes, Kind, compare_with_forces
from adiabat.training.coherence.slopes import Slope
from adiabat.training.coherence.unit_factors import explain

HARTREE, BOHR, KCAL, GPA = 27.211386, 0.529177, 23.060548, 160.21766
"""Written out here, so that the package's own constants are tested too."""
ENERGY, STRESS, ORDER = "energy-force-mismatch", "stress-force-mismatch", "stress-component-order"


class _Rows:
    """Rows depend on geometries alone, and these are the same in all tests: they are made once."""

    def __init__(self) -> None:
        self.made: dict[tuple[int, bytes], DesignRows] = {}

    def get(self, make: Callable[[LinearACE, Graph], DesignRows], model: LinearACE, graph: Graph) -> DesignRows:
        key = model.basis.n_functions, graph.batch.positions.numpy().tobytes()
        if key not in self.made:
            self.made[key] = make(model, graph)
        return self.made[key]


ROWS = _Rows()


@pytest.fixture(autouse=True)
def rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make = LinearACE.design_rows
    monkeypatch.setattr(LinearACE, "design_rows", lambda self, graph: ROWS.get(make, self, graph))


def known() -> tuple[Labelled, ...]:
    """Strained and rattled cells with labels of one known potential: these fit together exactly."""
    return labelled_cells(16)


@cache
def published(file: str, step: int) -> tuple[Labelled, ...]:
    return tuple(read(reference_data(file), quiet=True)[::step])


def scaled(
    structures: Sequence[Labelled], *, energy: float = 1.0, forces: float = 1.0, stress: float = 1.0
) -> list[Labelled]:
    """The structures, their labels multiplied by factors."""
    found = []
    for structure in structures:
        old = structure.labels
        labels = Labels(
            None if old.energy is None else old.energy * energy,
            None if old.forces is None else old.forces * forces,
            None if old.stress is None else old.stress * stress,
        )
        found.append(replace(structure, labels=labels))
    return found


def of_type(structures: Sequence[Labelled], config_type: str) -> list[Labelled]:
    return [replace(structure, config_type=config_type) for structure in structures]


def raised(structure: Labelled, by: float) -> Labelled:
    """The structure with an energy per atom that is higher."""
    energy = structure.labels.energy
    assert energy is not None
    return replace(structure, labels=replace(structure.labels, energy=energy + by * len(structure.atoms)))


def reordered(structure: Labelled, order: tuple[int, int, int]) -> Labelled:
    """The structure with these components of its stress in the places of yz, xz, xy."""
    stress = structure.labels.stress
    assert stress is not None
    places = [(1, 2), (0, 2), (0, 1)]
    changed = np.diag(np.diag(stress))
    for place, source in zip(places, order, strict=True):
        changed[place] = changed[place[::-1]] = stress[places[source]]
    return replace(structure, labels=replace(structure.labels, stress=changed))


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def whole(structures: Sequence[Labelled], kind: Kind) -> Slope:
    return compare_with_forces(comparable_sample(structures), quiet=True).slopes[kind].whole


@pytest.mark.parametrize("kind", ["energy", "stress"])
def test_labels_of_one_potential_have_slopes_of_one(kind: Kind) -> None:
    slope = whole(known(), kind)
    assert slope.value == pytest.approx(1.0, abs=0.01)
    assert slope.std < 0.01


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("mlearn/Si_train.xyz", 6),
        ("mlearn/Mo_train.xyz", 8),
        ("carbon/C_GAP17_sub100.xyz", 2),
        ("snap/Li3N_train.xyz", 2),
    ],
)
def test_published_data_have_slopes_of_one_within_a_tenth(file: str, step: int) -> None:
    for found in compare_with_forces(published(file, step), quiet=True).slopes.values():
        assert found.whole.tells
        assert found.whole.value == pytest.approx(1.0, abs=0.1)
        assert not found.is_off
        assert not found.types_apart


def test_published_gradients_under_the_name_of_forces_are_found() -> None:
    found = by_name(check_coherence(published("photochem/cis-butene_SA3CASSCF22.xyz", 2), quiet=True))
    assert "gradients?" in found[ENERGY].mend


FACTORS = [
    ({"energy": 1 / HARTREE}, "energies in Hartree", None),
    ({"energy": 2 / HARTREE}, "energies in Rydberg", None),
    ({"energy": KCAL}, "energies in kcal/mol", None),
    ({"energy": 96.485332}, "energies in kJ/mol", None),
    ({"energy": 1000.0}, "energies in meV", None),
    ({"forces": BOHR / HARTREE}, "forces in Hartree/Bohr", "forces in Hartree/Bohr"),
    ({"forces": 2 * BOHR / HARTREE}, "forces in Rydberg/Bohr", "forces in Rydberg/Bohr"),
    ({"forces": BOHR}, "forces in eV/Bohr", "forces in eV/Bohr"),
    ({"forces": KCAL}, "forces in kcal/mol/Å", "forces in kcal/mol/Å"),
    ({"forces": 96.485332}, "forces in kJ/mol/Å", "forces in kJ/mol/Å"),
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
    ({"stress": BOHR**3 / HARTREE}, None, "stresses in Hartree/Bohr³"),
]


@pytest.mark.parametrize(
    ("factors", "energy_says", "stress_says"),
    FACTORS,
    ids=lambda value: "-".join(f"{k}*{v:.3g}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_units_and_signs_that_do_not_fit_are_errors_that_name_them(
    factors: dict[str, float], energy_says: str | None, stress_says: str | None
) -> None:
    found = by_name(check_coherence(scaled(known(), **factors), quiet=True))
    for name, says in ((ENERGY, energy_says), (STRESS, stress_says)):
        assert (name in found) == (says is not None)
        if says is not None:
            assert found[name].severity == "error"
            assert says in found[name].mend


def test_units_are_named_in_published_data() -> None:
    """Slopes go with the factors exactly, so that one comparison tells of all of them."""
    slopes = compare_with_forces(published("mlearn/Mo_train.xyz", 8), quiet=True).slopes
    for factors, *all_say in FACTORS:
        for (kind, found), says in zip(slopes.items(), all_say, strict=True):
            if says is not None:
                changed = found.whole.divided(factors.get("forces", 1.0) / factors.get(kind, 1.0))
                assert not changed.fits
                assert says in str(explain(kind, changed))


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_a_slope_beyond_a_tenth_of_one_is_an_error(factor: float) -> None:
    found = by_name(check_coherence(scaled(known(), energy=factor, stress=factor), quiet=True))
    assert {found[ENERGY].severity, found[STRESS].severity} == {"error"}
    assert f"{factor:.2g}"[:3] in found[ENERGY].what
    assert found[ENERGY].mend.startswith("check units and signs")


@pytest.mark.parametrize("factor", [0.93, 1.07])
def test_a_slope_within_a_tenth_of_one_passes(factor: float) -> None:
    assert check_coherence(scaled(known(), energy=factor, stress=factor), quiet=True) == []


def test_the_names_of_units_do_not_cross() -> None:
    mend = by_name(check_coherence(scaled(known(), energy=1 / HARTREE), quiet=True))[ENERGY].mend
    assert "kcal" not in mend
    assert "Rydberg" not in mend


@pytest.mark.parametrize(
    ("factors", "finding", "says"),
    [
        ({"energy": 1 / HARTREE}, ENERGY, "energies in Hartree"),
        ({"stress": -1.0}, STRESS, "the sign is opposite"),
        ({"forces": BOHR / HARTREE}, ENERGY, "forces in Hartree/Bohr"),
        ({"forces": -1.0}, STRESS, "the sign is opposite"),
    ],
)
def test_a_config_type_that_does_not_fit_among_others_that_do_is_named(
    factors: dict[str, float], finding: str, says: str
) -> None:
    mixed = [
        *of_type(labelled_cells(10), "sound"),
        *of_type(scaled(labelled_cells(10, first_seed=50), **factors), "odd"),
    ]
    found = by_name(check_coherence(mixed, quiet=True))[finding]
    assert "config_type 'odd'" in found.what
    assert "sound" not in found.what
    assert found.places[0].startswith("'odd': 10 structures")
    assert says in found.mend


@pytest.mark.parametrize(
    ("factors", "finding"),
    [({"energy": 1 / HARTREE}, ENERGY), ({"energy": 1.02}, ENERGY), ({"stress": 10 * GPA}, STRESS)],
)
def test_a_config_type_without_which_the_rest_fits_is_named(factors: dict[str, float], finding: str) -> None:
    """Its structures are too few for a slope of their own; the second is of another reference, 2 % of the total energy."""
    odd = of_type(scaled(labelled_cells(4, first_seed=50), **factors), "odd")
    found = by_name(check_coherence([*of_type(labelled_cells(10), "sound"), *odd], quiet=True))
    assert list(found) == [finding]
    assert "what the forces say without config_type 'odd'" in found[finding].what
    assert found[finding].places[0].startswith("'odd': 4 structures")
    assert "another reference" in found[finding].mend


@pytest.mark.parametrize("order", [order for order in permutations(range(3)) if order != (0, 1, 2)])
@pytest.mark.parametrize("factor", [1.0, -10 * GPA])
def test_shear_stresses_in_another_order_are_named(order: tuple[int, int, int], factor: float) -> None:
    """Those of VASP among them, read as Voigt's."""
    names = [("yz", "xz", "xy")[k] for k in order]
    found = by_name(check_coherence(scaled([reordered(s, order) for s in known()], stress=factor), quiet=True))
    assert found[ORDER].severity == "warning"
    assert f"'cell' goes with {', '.join(names)} (" in found[ORDER].what


def test_shear_stresses_of_one_config_type_in_another_order_are_named() -> None:
    odd = [reordered(s, (1, 0, 2)) for s in labelled_cells(6, first_seed=50)]
    found = by_name(check_coherence([*of_type(labelled_cells(10), "sound"), *of_type(odd, "odd")], quiet=True))
    assert [place.split(":")[0] for place in found[ORDER].places] == ["'odd'"]


def test_published_shear_stresses_whose_order_is_exchanged_are_found() -> None:
    found = by_name(check_coherence(published("mlearn/Si_train.xyz", 6), quiet=True))[ORDER]
    assert "in config_type 'AIMD-NVT' goes with xz, yz, xy" in found.what
    assert "Elastic" not in found.what
    assert ORDER not in by_name(check_coherence(published("mlearn/Mo_train.xyz", 8), quiet=True))


def test_an_exchanged_order_is_no_mismatch_of_its_own() -> None:
    """A part of the same data, of which the sound config_type used to be blamed for what the others' order did to the slope."""
    structures = published("mlearn/Si_train.xyz", 1)
    drawn = [structures[k] for k in np.sort(np.random.default_rng(0).permutation(len(structures))[:30])]
    assert set(by_name(check_coherence(drawn, quiet=True))) == {ORDER}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_stresses_are_put_into_the_order_that_was_found(order: tuple[int, int, int]) -> None:
    stress = np.arange(1.0, 7.0)
    names = [("yz", "xz", "xy")[k] for k in order]
    read = np.concatenate([stress[:3], stress[[3 + k for k in order]]])
    assert (
        ShearOrder((names[0], names[1], names[2]), as_read=0.5, reordered=1.0).mended(read).tolist() == stress.tolist()
    )


def test_shear_stresses_that_say_nothing_have_no_order() -> None:
    draw = np.random.default_rng(0).normal(size=(40, 3))
    assert shear_order(draw[:4], draw[:4]) is None
    assert shear_order(np.zeros((8, 3)), draw[:8]) is None
    noise = shear_order(np.random.default_rng(1).normal(size=(40, 3)), draw)
    assert noise is not None
    assert not noise.is_wrong


def test_energies_may_be_counted_from_anywhere() -> None:
    shifted = [raised(s, 1000.0) for s in known()]
    assert whole(shifted, "energy").value == pytest.approx(1.0, abs=0.01)


def test_a_mean_pressure_that_forces_cannot_know_is_no_misfit() -> None:
    pressed = []
    for structure in known():
        assert structure.labels.stress is not None
        stress = structure.labels.stress + 0.5 * np.eye(3)
        pressed.append(replace(structure, labels=replace(structure.labels, stress=stress)))
    assert whole(pressed, "stress").value == pytest.approx(1.0, abs=0.01)


def test_stresses_in_cells_of_one_size_are_known_less_closely() -> None:
    data = published("phonon/Si-rd.xyz", 1)
    slope = whole(data, "stress")
    assert slope.std > 0.1 * slope.value
    assert check_coherence(data, quiet=True) == []
    assert STRESS in by_name(check_coherence(scaled(data, stress=-1.0), quiet=True))


def test_labels_that_cannot_be_compared_say_nothing() -> None:
    assert check_coherence(training_data(), quiet=True) == []
    no_forces = [replace(s, labels=Labels(energy=s.labels.energy)) for s in labelled_cells(12)]
    assert check_coherence(no_forces, quiet=True) == []


def test_forces_that_are_all_zero_say_nothing() -> None:
    zero = [replace(s, labels=replace(s.labels, forces=np.zeros((8, 3)))) for s in labelled_cells(8)]
    assert check_coherence(zero, quiet=True) == []


@pytest.mark.parametrize(
    ("kind", "slope", "says"),
    [
        ("energy", Slope(-1.02, 0.01, -1.0, 40), "the sign of the forces is opposite (gradients?)"),
        ("stress", Slope(-0.9, 0.05, -0.9, 40), "the sign is opposite"),
        ("energy", Slope(1 / HARTREE, 0.0001, 1.0, 40), "energies in Hartree"),
        ("energy", Slope(1 / HARTREE, 0.006, 0.9, 40), "energies in Hartree or forces in kcal/mol/Å"),
        ("stress", Slope(1500.0, 50.0, 0.95, 40), "stresses in kbar"),
        ("energy", Slope(5.0, 0.1, 1.0, 40), None),
        ("energy", Slope(-5.0, 0.1, -1.0, 40), None),
    ],
)
def test_units_are_named_as_closely_as_the_slope_is_known(kind: Kind, slope: Slope, says: str | None) -> None:
    assert explain(kind, slope) == says


def test_structures_with_atoms_on_top_of_each_other_are_left_to_the_check_of_distances() -> None:
    sound = labelled_cells(12)
    doubled = sound[3].atoms.copy()
    doubled.positions[1] = doubled.positions[0]
    structures = [*sound[:3], replace(sound[3], atoms=doubled), *sound[4:]]
    assert len(comparable_sample(structures)) == len(structures) - 1
    assert check_coherence(structures, quiet=True) == []


def test_only_one_config_type_can_be_what_disturbs_the_rest() -> None:
    """Of a part of sound alloy data forces said so little that sparing any of eleven types made the slope far better known."""
    vague, sound = Slope(1.05, 0.25, 0.96, 170), Slope(1.05, 0.03, 0.96, 150)

    one = ForceSlopes(vague, without={"bad": sound, "good": vague})
    several = ForceSlopes(vague, without={"this": sound, "that": sound, "good": vague})

    assert one.type_that_disturbs == ("bad", sound)
    assert several.type_that_disturbs is None
