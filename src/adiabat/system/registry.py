"""Which class a stored part belongs to: by registered name, never by an import path."""

from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol, Self, TypeVar

from adiabat.errors import PotentialFileError
from adiabat.system.protocols import PartState


class Storable(Protocol):
    """What a potential file can hold."""

    kind: ClassVar[str]

    def to_state(self) -> PartState:
        """What is stored."""
        ...

    @classmethod
    def from_state(cls, state: PartState) -> Self:
        """The inverse of `to_state`."""
        ...


_KINDS: dict[str, Any] = {}
StorableT = TypeVar("StorableT")


def register(part: type[StorableT]) -> type[StorableT]:
    """Class decorator: make the class known by its `kind`."""
    kind = part.kind  # pyright: ignore[reportAttributeAccessIssue] (the protocol cannot be a bound of type[T])
    if kind in _KINDS and _KINDS[kind] is not part:
        raise TypeError(f"two classes are registered as '{kind}': {_KINDS[kind]} and {part}")
    _KINDS[kind] = part
    return part


def restore(state: PartState) -> Any:
    """The part that a state describes; plugins are found by the entry-point group ``adiabat.parts``.

    Raises:
        PotentialFileError: No class is registered under this kind.
    """
    if state.kind not in _KINDS:
        for plugin in entry_points(group="adiabat.parts", name=state.kind):
            register(plugin.load())
    if state.kind not in _KINDS:
        raise PotentialFileError(
            f"holds a part of the kind '{state.kind}'",
            rule=f"known kinds: {', '.join(sorted(_KINDS))}",
            mend="install the plugin that registers it, or a newer adiabat",
        )
    return _KINDS[state.kind].from_state(state)
