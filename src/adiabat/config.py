"""The base of all configuration: unknown keys are refused with the nearest known one, values with the rule they break."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

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
            ConfigurationError: The file is missing, no mapping or has a key twice, or an override has no ``=`` or no
                value; else as in `parse`.
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
            if not text.strip():
                raise ConfigurationError(
                    f"'{key}' has no value",
                    place="--set",
                    rule="an override is key=value",
                    mend=f"write {key}=VALUE, or {key}=null for none",
                )
            _put(values, key.strip().split("."), _parse_yaml(text, f"--set {override}"))
        return cls.parse(values, place=str(file) if file is not None else "--set")

    @classmethod
    def restore(cls, values: Mapping[str, Any], *, place: str = "configuration") -> Self:
        """The inverse of ``model_dump(mode="json")``: what has its default counts as not set.

        Raises:
            ConfigurationError: As in `parse`.
        """
        return cls.parse(_without_defaults(cls, values), place=place)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping: one of its values would have no effect. 300:30 is text, no number to base 60."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_NO_BASE_60 = ("tag:yaml.org,2002:str", re.compile(r"^[-+]?[0-9][0-9_]*:[0-9_:.]*$"))
_Loader.yaml_implicit_resolvers = {
    first: [_NO_BASE_60, *resolvers] if first in tuple("-+0123456789") else resolvers
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _parse_yaml(text: str, place: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigurationError(
            f"is not YAML: {error}",
            place=place,
            rule="a configuration is YAML, and so is what --set gives",
            mend="mend it there; text with a special character stands in quotes",
        ) from None


def _read_yaml(file: Path) -> dict[str, Any]:
    rule = "a configuration is a file of YAML in UTF-8"
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", place=str(file), rule=rule, mend="name a file of YAML"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError("is not text", place=str(file), rule=rule, mend="name a file of YAML") from None
    values = _parse_yaml(text, str(file))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(
            "holds no keys",
            place=str(file),
            rule="a configuration is a mapping of keys to values",
            mend="write one key a line, as seed: 1",
        )
    return values


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        nested = values.setdefault(key, {})
        if not isinstance(nested, dict):
            raise ConfigurationError(
                f"'{key}' is a value, not a group of keys",
                place=f"--set {'.'.join(path)}",
                rule="a key holds a value, or a group of keys",
                mend="give one of the two",
            )
        values = nested
    values[path[-1]] = value


def _without_defaults(config: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, value in values.items():
        field = config.model_fields.get(key)
        if field is not None and _is_default(field, value):
            continue
        group = next(_groups_in(field.annotation), None) if field is not None else None
        if group is not None and isinstance(value, Mapping):
            kept[key] = _without_defaults(group, value)
        else:
            kept[key] = value
    return kept


def _is_default(field: FieldInfo, value: Any) -> bool:
    return not field.is_required() and value == to_jsonable_python(field.get_default(call_default_factory=True))


def _readable(config: type[BaseModel], error: ValidationError, place: str) -> ConfigurationError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    where = f"{place}, {'.'.join(path)}" if path else place
    if first["type"] == "extra_forbidden":
        known = sorted(_fields_at(config, path[:-1]))
        nearest = [*_paths_to(config, path[-1]), *difflib.get_close_matches(path[-1], known, n=1)]
        mend = f"did you mean '{nearest[0]}'?" if nearest else f"known keys: {', '.join(known)}"
        return ConfigurationError(f"unknown key '{path[-1]}'", place=where, rule="a key is a known one", mend=mend)
    if first["type"] == "missing":
        return ConfigurationError(
            f"the key '{path[-1]}' is missing", place=where, rule="it has no default", mend=f"give {path[-1]} a value"
        )
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if first["type"] == "model_type":
        message = f"a group of the keys {', '.join(sorted(_fields_at(config, path)))}"
    elif first["type"] == "value_error" and isinstance(first["input"], Mapping):  # a group of keys: no value to show
        return ConfigurationError(
            message, place=where, rule="keys of a group go together", mend="change one of them, or take it out"
        )
    if path and first["input"] is None:
        return ConfigurationError("is not given", place=where, rule=message, mend=f"give {path[-1]} a value")
    mend = "give another value" if path else "give other values"
    if path and not _is_required(config, path):
        mend += f", or leave {path[-1]} out"
    return ConfigurationError(f"is {first['input']!r}", place=where, rule=message, mend=mend)


def _is_required(config: type[BaseModel], path: list[str]) -> bool:
    """Whether the key at `path` has no default; what is no key of a group, an entry of a list or a mapping, may go."""
    for key in path[:-1]:
        field = config.model_fields.get(key)
        if field is not None:
            config = next(_groups_in(field.annotation), config)
    field = config.model_fields.get(path[-1])
    return field is not None and field.is_required()


def _paths_to(config: type[BaseModel], key: str) -> Iterator[str]:
    """Where a key of this name stands, however deep."""
    for name, field in config.model_fields.items():
        if name == key:
            yield name
        for group in _groups_in(field.annotation):
            yield from (f"{name}.{path}" for path in _paths_to(group, key))


def _fields_at(config: type[BaseModel], path: list[str]) -> set[str]:
    """The keys of the group at `path`; within a list or a mapping of groups, those of each of them."""
    for key in path:
        field = config.model_fields.get(key)
        if field is not None:
            config = next(_groups_in(field.annotation), config)
    return set(config.model_fields)


def _groups_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _groups_in(argument)
