"""Configuration: what is unknown, misplaced or without effect is named."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, field_validator

from adiabat.config import Config
from adiabat.errors import ConfigurationError
from adiabat.simulate import SimulationConfig
from adiabat.training import TrainConfig


class Basis(Config):
    size: str = "medium"
    cutoff: float = Field(default=5.0, gt=0)


class Member(Config):
    weight: float


class Training(Config):
    basis: Basis = Basis()
    spare: Basis | None = None
    members: tuple[Member, ...] = ()
    by_name: dict[str, Member] = Field(default_factory=dict)
    seed: int = 0

    @field_validator("seed")
    @classmethod
    def _even(cls, seed: int) -> int:
        if seed % 2:
            raise ValueError("a seed is even")
        return seed


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "train.yaml"
    file.write_text(text)
    return file


def test_values_come_from_the_file_and_overrides_win(tmp_path: Path) -> None:
    file = written(tmp_path, "basis: {size: large, cutoff: 4.5}\nseed: 2\n")

    config = Training.load(file, ["basis.size=small", "seed = 4", "spare.cutoff=1e-1"])

    assert config == Training(basis=Basis(size="small", cutoff=4.5), seed=4, spare=Basis(cutoff=0.1))


def test_without_a_file_and_with_an_empty_one_the_defaults_stand(tmp_path: Path) -> None:
    assert Training.load() == Training.load(written(tmp_path, "# nothing\n")) == Training()


def test_a_configuration_round_trips_through_its_own_values() -> None:
    config = Training(basis=Basis(size="large"), members=(Member(weight=2.0),), by_name={"a": Member(weight=1.0)})

    assert Training.parse(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("values", "place", "mend"),
    [
        ({"sead": 1}, "sead", "did you mean 'seed'?"),
        ({"basis": {"ctoff": 1}}, "basis.ctoff", "did you mean 'cutoff'?"),
        ({"spare": {"siz": 1}}, "spare.siz", "did you mean 'size'?"),
        ({"members": [{"weight": 1}, {"wait": 1, "weight": 1}]}, "members.1.wait", "did you mean 'weight'?"),
        ({"by_name": {"a": {"weigth": 1, "weight": 1}}}, "by_name.a.weigth", "did you mean 'weight'?"),
        ({"basis": {"xyz": 1}}, "basis.xyz", "known keys: cutoff, size"),
        ({"cutoff": 1}, "cutoff", "did you mean 'basis.cutoff'?"),
        ({"basis": {"seed": 1}}, "basis.seed", "did you mean 'seed'?"),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_nearest_known_one(
    values: dict[str, Any], place: str, mend: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Training.parse(values, place="train.yaml")

    assert caught.value.place == f"train.yaml, {place}"
    assert caught.value.mend == mend
    assert str(caught.value).startswith(f"train.yaml, {place}: unknown key ")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"basis": {"cutoff": -1}}, r"basis\.cutoff: is -1\n  rule: greater than 0"),
        ({"basis": {"cutoff": "wide"}}, r"basis\.cutoff: is 'wide'\n  rule: a valid number"),
        ({"seed": 3}, "seed: is 3\n  rule: a seed is even"),
        ({"basis": 3}, r"basis: is 3\n  rule: a group of the keys cutoff, size"),
        ({"basis": {"cutoff": {"x": 1}}}, r"basis\.cutoff: is {'x': 1}\n  rule: a valid number"),
        ({"by_name": {"a": 3}}, r"by_name\.a: is 3\n  rule: a group of the keys weight"),
        ({"members": [{}]}, r"members\.0\.weight: the key 'weight' is missing"),
        ({1: 2}, "Keys should be strings"),
    ],
)
def test_a_value_out_of_its_range_is_named_with_its_rule(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s)configuration, .*{message}"):
        Training.parse(values)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", r"--set: 'seed' has no '='.*write seed=VALUE"),
        ("seed=", r"--set: 'seed' has no value.*write seed=VALUE, or seed=null"),
        ("seed= ", r"--set: 'seed' has no value"),
        ("=3", "unknown key ''"),
        ("seed.x=3", "seed"),
        ("basis.size=[1", r"--set basis\.size=\[1: is not YAML"),
        ("sead=1", "did you mean 'seed'"),
    ],
)
def test_an_override_that_makes_no_sense_is_named(override: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){message}"):
        Training.load(None, [override])


def test_an_override_below_a_value_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'seed' is a value, not a group"):
        Training.load(None, ["seed=2", "seed.x=3"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("basis: [1, 2", "is not YAML"),
        ("- 1\n- 2\n", "holds no keys"),
        ("just words", "holds no keys"),
        ("seed: 2\nbasis: {size: small}\nseed: 4\n", "'seed' stands twice"),
        ("basis: {size: small, size: large}\n", "'size' stands twice"),
        ("seed: !!python/object/apply:os.getcwd []\n", "is not YAML"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"(?s)train\.yaml: .*{message}"):
        Training.load(written(tmp_path, text))


def test_a_missing_file_a_folder_and_a_binary_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))

    for name, message in (("none.yaml", "No such file"), ("", "directory"), ("binary.yaml", "is not text")):
        with pytest.raises(ConfigurationError, match=message):
            Training.load(tmp_path / name)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Training().seed = 2


def test_what_was_dumped_is_restored_with_only_what_differs_counting_as_set() -> None:
    config = Training.parse({"basis": {"size": "large"}, "spare": {}, "seed": 4})

    restored = Training.restore(config.model_dump(mode="json"))

    assert restored == config
    assert restored.basis.model_fields_set == {"size"}
    assert restored.spare == Basis()
    assert "members" not in restored.model_fields_set
    assert Training.restore(Training().model_dump(mode="json")) == Training()
    with pytest.raises(ConfigurationError, match="old file, sead: unknown key"):
        Training.restore({"sead": 1}, place="old file")


def test_a_value_that_is_needed_is_not_said_to_be_left_out() -> None:
    class Needed(Config):
        weight: float = Field(gt=0)
        label: str | None = Field(default=None, validate_default=True)

        @field_validator("label")
        @classmethod
        def _given(cls, label: str | None) -> str:
            if label is None:
                raise ValueError("a weight has a label")
            return label

    with pytest.raises(ConfigurationError) as caught:
        Needed.parse({"weight": -1.0, "label": "a"})
    assert caught.value.mend == "give another value"
    with pytest.raises(ConfigurationError, match="is not given") as caught:
        Needed.parse({"weight": 1.0})
    assert caught.value.mend == "give label a value"
    with pytest.raises(ConfigurationError) as caught:
        Training.parse({"basis": {"cutoff": -1.0}})
    assert caught.value.mend == "give another value, or leave cutoff out"
    with pytest.raises(ConfigurationError) as caught:
        Training.parse({"by_name": {"a": {"weight": "heavy"}}})
    assert caught.value.mend == "give another value"


def test_every_configuration_is_restored_from_what_is_stored_of_it() -> None:
    """Groups that have no effect with others count as not set, and what has no default is kept."""
    for config in (
        TrainConfig(),
        TrainConfig.parse({"model": "network", "network": {"start": "random"}}),
        SimulationConfig.parse(
            {"ensemble": "npt", "steps": 9, "timestep_fs": 1, "temperature_k": 300, "pressure_gpa": 0}
        ),
    ):
        assert type(config).restore(config.model_dump(mode="json")) == config
