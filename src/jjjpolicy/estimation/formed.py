"""Fields of a dataclass whose value may be formed when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Formed(Generic[Value]):
    """A field that takes a value, None (its default), or a function that forms the value."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object | None, owner: type | None = None) -> Value | None:
        if instance is None:
            return None
        held: Value | Callable[[], Value] | None = vars(instance)[self._name]
        if callable(held):
            held = vars(instance)[self._name] = held()
        return held

    def __set__(self, instance: object, value: Value | Callable[[], Value | None] | None) -> None:
        vars(instance)[self._name] = cache(value) if callable(value) else value
