"""The base of all configuration: unknown keys are refused with the nearest known one, values with the rule they break."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from adiabat.errors import ConfigurationError


class Config(BaseModel):
    """Base of every configuration class; each stands beside what it configures."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def parse(cls, values: Mapping[str, Any], *, place: str = "configuration") -> Self:
        """Build from nested mappings.

        Args:
            values: Keys and values, nested as the configuration is.
            place: Where the values come from, for the error.

        Raises:
            ConfigurationError: An unknown key (the nearest known one is named) or a value out of its range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _readable(cls, error, place) from None

    @classmethod
    def load(cls, file: Path | None = None, overrides: Iterable[str] = ()) -> Self:
        """Build from a YAML file and ``key.subkey=value`` overrides, which win.

        Raises:
            ConfigurationError: The file is missing or no mapping, or an override has no ``=``; else as in `parse`.
        """
        values = {} if file is None else _read_yaml(file)
        for override in overrides:
            key, equals, text = override.partition("=")
            if not equals:
                raise ConfigurationError(
                    f"'{override}' has no '='",
                    place="--set",
                    rule="an override is key=value",
                    mend=f"write {key}=VALUE",
                )
            _put(values, key.strip().split("."), yaml.safe_load(text))
        return cls.parse(values, place=str(file) if file is not None else "--set")


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text())
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", place=str(file)) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"is not YAML: {error}", place=str(file)) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(
            "holds no keys", place=str(file), rule="a configuration is a mapping of keys to values"
        )
    return values


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        nested = values.setdefault(key, {})
        if not isinstance(nested, dict):
            raise ConfigurationError(f"'{key}' is a value, not a group of keys", place=f"--set {'.'.join(path)}")
        values = nested
    values[path[-1]] = value


def _readable(config: type[BaseModel], error: ValidationError, place: str) -> ConfigurationError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    where = f"{place}, {'.'.join(path)}" if path else place
    if first["type"] == "extra_forbidden":
        known = sorted(_fields_at(config, path[:-1]))
        nearest = difflib.get_close_matches(path[-1], known, n=1)
        mend = f"did you mean '{nearest[0]}'?" if nearest else f"known keys: {', '.join(known)}"
        return ConfigurationError(f"unknown key '{path[-1]}'", place=where, mend=mend)
    message = first["msg"].removeprefix("Value error, ")
    return ConfigurationError(f"{message}; got {first['input']!r}", place=where)


def _fields_at(config: type[BaseModel], path: list[str]) -> set[str]:
    for key in path:
        field = config.model_fields.get(key)
        nested = _nested_config(field.annotation) if field is not None else None
        if nested is None:
            return set()
        config = nested
    return set(config.model_fields)


def _nested_config(annotation: Any) -> type[BaseModel] | None:
    """The configuration class that a field holds, also where it may be None."""
    candidates = (annotation, *get_args(annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
