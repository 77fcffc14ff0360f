"""Options that belong together, as one argument of a command."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, get_type_hints


def grouped(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator: show the fields of dataclasses as options of a command, which gets them as one argument each.

    Args:
        groups: By the name of the command's argument, a dataclass whose fields are annotated as options.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        shown: list[inspect.Parameter] = []
        for name, parameter in inspect.signature(command).parameters.items():
            shown += _options(groups[name]) if name in groups else [parameter]

        def called(**values: Any) -> None:
            arguments = {name: _take(group, values) for name, group in groups.items()}
            command(**values, **arguments)

        called.__doc__, called.__name__ = command.__doc__, command.__name__
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
        called.__signature__ = inspect.Signature(shown)
        return called

    return decorate


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


def _take(group: type, values: dict[str, Any]) -> Any:
    return group(**{field.name: values.pop(field.name) for field in fields(group)})
