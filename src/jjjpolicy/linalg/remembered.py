"""Results of a function of arrays, kept while they take little room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = TypeVar("Array", bound=NDArray[Any])
Argument = NDArray[Any] | float

ROOM = 2**27
"""Bytes of results and arguments that a function keeps."""


def remembered(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function of arrays and numbers that does not compute the same twice in a row.

    Where a search tries many outcomes that are alike before treatment, what rests on the periods
    before treatment is the same for all of them. The results that were used longest ago are
    forgotten first.
    """
    kept: OrderedDict[tuple[object, ...], Array] = OrderedDict()
    room = 0

    @wraps(function)
    def once(*arguments: Argument) -> Array:
        nonlocal room
        key = tuple(_key(argument) for argument in arguments)
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
        found = function(*arguments)
        found.setflags(write=False)
        kept[key] = found
        room += _size(key, found)
        while room > ROOM:
            room -= _size(*kept.popitem(last=False))
        return found

    return once


def _key(argument: Argument) -> object:
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.tobytes()
    return argument


def _size(key: tuple[object, ...], found: NDArray[Any]) -> int:
    return found.nbytes + sum(len(part[1]) for part in key if isinstance(part, tuple))
