"""A field of a dataclass whose value may be formed when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats


class FormedArray:
    """A field that takes an array, None (its default), or a function that forms the array."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object | None, owner: type | None = None) -> Floats | None:
        if instance is None:
            return None
        held: Floats | Callable[[], Floats] | None = vars(instance)[self._name]
        if callable(held):
            held = vars(instance)[self._name] = held()
        return held

    def __set__(self, instance: object, value: Floats | Callable[[], Floats] | None) -> None:
        vars(instance)[self._name] = value
