"""The learning curve of a trained potential: what it is made of, and that it is asked for on the command line."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from analytic_models import rare_gas_potential
from ase import Atoms
from training_structures import (
    CONFIG,
    ISOLATED_EV,
    isolated_silicon,
    labelled_cells,
    trained,
    training_data,
    truth,
    write_structures,
)

from adiabat.cli.app import run
from adiabat.data import DataConfig, SplitConfig, fingerprint, read, split
from adiabat.errors import ConfigurationError, DataError
from adiabat.evaluation import LearningCurve, evaluate
from adiabat.models import IsolatedAtoms
from adiabat.potential import Potential
from adiabat.system import Labelled, Labels
from adiabat.training import TrainConfig, learning_curve, measure_learning_curve, stored_basis, stored_configuration
from adiabat.training import training_data as read_training_data
from adiabat.training.hyperparameters import SearchConfig
from adiabat.training.learning_curve import growing_parts


def as_if_trained(structures: Sequence[Labelled], config: TrainConfig = CONFIG) -> Potential:
    """The potential that labelled the structures, with the records of a training on them."""
    data = {"fingerprint": fingerprint(structures), "structures": len(structures)}
    return Potential(truth().parts, metadata={"configuration": config.model_dump(mode="json"), "data": data})


def curve_of(
    data: Sequence[Labelled], config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> tuple[LearningCurve, list[tuple[Sequence[Labelled], TrainConfig]]]:
    """With a training that is off by 1 eV per atom over the number of structures; and what it was asked for."""
    potential, asked = as_if_trained(data, config), []

    def fit(part: Sequence[Labelled], config: TrainConfig, *, basis: Any, quiet: bool) -> Potential:
        asked.append((part, config))
        assert basis is stored_basis(potential)
        return truth() + Potential([IsolatedAtoms({14: 1 / len(part)}, "configuration", 4.0)])

    monkeypatch.setattr(learning_curve, "fit", fit)
    evaluation = evaluate(potential, labelled_cells(3, first_seed=100), quiet=True)
    return measure_learning_curve(potential, data, evaluation, evaluated_on="new cells"), asked


def test_each_point_is_a_training_on_a_part_of_the_data_and_the_last_is_the_potential(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = [*labelled_cells(16), isolated_silicon()]

    curve, asked = curve_of(data, CONFIG, monkeypatch)

    assert [part for part, _ in asked] == growing_parts(data)
    assert all(config == CONFIG for _, config in asked)
    assert (curve.size_name, curve.sizes, curve.evaluated_on) == ("training structures", (4, 8, 16), "new cells")
    assert curve.energy_mae_mev_per_atom == pytest.approx((1000 / 5, 1000 / 9, 0.0), abs=1e-9)
    assert curve.force_mae_ev_per_angstrom == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


def test_data_that_training_accepted_are_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in parts, where an accepted finding may be absent and a new one be due to chance."""
    cells = labelled_cells(8)
    twin = replace(cells[0], labels=replace(cells[0].labels, energy=8 * ISOLATED_EV + 1.0), place="its twin")
    data = [*cells, twin, isolated_silicon()]
    accepting = CONFIG.model_copy(update={"accept": ("conflicting-duplicates",)})
    potential = as_if_trained(data, accepting)
    evaluation = evaluate(potential, labelled_cells(1, first_seed=100), quiet=True)
    for name in ("check", "check_coherence"):
        monkeypatch.setattr(
            import_module("adiabat.training.train"),
            name,
            lambda *data, **named: pytest.fail("the data are checked again"),
        )

    curve = measure_learning_curve(potential, data, evaluation, evaluated_on="a new cell")

    assert curve.sizes == (4, 9)
    assert all(error is not None for error in curve.energy_mae_mev_per_atom)


def test_other_data_than_the_potential_was_trained_on_make_no_curve() -> None:
    potential = as_if_trained(labelled_cells(8))
    evaluation = evaluate(potential, labelled_cells(1, first_seed=100), quiet=True)
    with pytest.raises(DataError, match=r"training data: holds 9 .* the potential was trained on 8"):
        measure_learning_curve(potential, labelled_cells(9), evaluation, evaluated_on="a new cell")


def test_noise_per_config_type_is_asked_of_parts_that_have_several(monkeypatch: pytest.MonkeyPatch) -> None:
    per_config_type = CONFIG.model_copy(update={"search": SearchConfig(noise_per_config_type=True)})
    others = [replace(structure, config_type="other") for structure in labelled_cells(3, first_seed=90)]
    data = [*labelled_cells(29), *others, isolated_silicon()]

    _, asked = curve_of(data, per_config_type, monkeypatch)

    several = ["other" in {structure.config_type for structure in part} for part, _ in asked]
    assert [config.search.noise_per_config_type for _, config in asked] == several
    assert set(several) == {False, True}


def made(count: int, *config_types: str) -> list[Labelled]:
    return [
        Labelled(Atoms("Si2"), Labels(energy=float(k)), config_type=kind, place=f"{kind} {k}")
        for kind in config_types
        for k in range(count)
    ]


def test_parts_grow_each_holds_the_one_before_and_the_same_share_of_each_kind() -> None:
    data = [*made(40, "bulk", "surface"), *made(8, "hot"), isolated_silicon()]
    parts = growing_parts(data)
    assert [len(part) for part in parts] == [11 + 1, 22 + 1, 44 + 1]
    for part, larger in zip(parts, [*parts[1:], data], strict=True):
        assert [s for s in larger if s in part] == part
        kinds = [s.config_type for s in part]
        assert kinds.count("isolated_atom") == 1
        assert abs(kinds.count("bulk") - kinds.count("surface")) <= 1
        assert abs(kinds.count("hot") - len(part) / 11) <= 1
    assert growing_parts(data) == parts


def test_a_part_without_one_of_the_species_is_left_out() -> None:
    data = [replace(s, atoms=Atoms("SiGe")) if s.place == "bulk 7" else s for s in made(40, "bulk")]
    for part in growing_parts([*data, data[7]]):
        assert 32 in {int(n) for s in part for n in s.atoms.numbers}


def test_too_few_structures_make_no_curve() -> None:
    with pytest.raises(DataError, match="6 structures are too few"):
        growing_parts([*made(6, "bulk"), isolated_silicon()])


def test_a_potential_that_was_not_trained_has_no_curve() -> None:
    with pytest.raises(ConfigurationError, match="no configuration of a training"):
        stored_configuration(rare_gas_potential())
    with pytest.raises(ConfigurationError, match="no linear ACE"):
        stored_basis(rare_gas_potential())


def test_the_training_data_are_read_and_split_as_the_potential_says(tmp_path: Path) -> None:
    file = tmp_path / "all.xyz"
    write_structures(file, training_data())
    divided = CONFIG.model_copy(update={"data": DataConfig(split=SplitConfig(test_fraction=0.3))})
    structures = read(file, quiet=True)
    part, _ = split(structures, divided.data.split).apply(structures)
    potential = as_if_trained(part, divided)

    assert stored_configuration(potential) == divided
    assert [s.place for s in read_training_data(potential, file)] == [s.place for s in part]
    write_structures(file, labelled_cells())
    with pytest.raises(DataError, match=r"all\.xyz: holds .* the potential was trained on 6"):
        read_training_data(potential, file)


def test_a_report_shows_it_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained().save(tmp_path / "si.adiabat")
    write_structures(tmp_path / "train.xyz", training_data())
    write_structures(tmp_path / "test.xyz", labelled_cells(2, first_seed=100))
    command = ["evaluate", str(tmp_path / "si.adiabat"), str(tmp_path / "test.xyz")]
    report = ["--report", str(tmp_path / "r.html")]

    assert run([*command, "--learning-curve", str(tmp_path / "train.xyz"), *report]) == 0
    assert "training structures" in (tmp_path / "r.html").read_text()
    assert run([*command, *report]) == 0
    assert "training structures" not in (tmp_path / "r.html").read_text()

    (tmp_path / "r.html").unlink()
    for options, said in (
        (["--learning-curve", str(tmp_path / "train.xyz")], "--report"),
        (["--learning-curve", str(tmp_path / "test.xyz"), *report], "was trained on"),
        (["--learning-curve", str(tmp_path / "none.xyz"), *report], "does not exist"),
    ):
        capsys.readouterr()
        assert run([*command, *options]) == 2
        out, err = capsys.readouterr()
        assert said in err
        assert "mend:" in err
        assert out == ""
        assert not (tmp_path / "r.html").exists()
