"""Options of estimators and inference methods: understood, or refused when they are given.

What an option may be is what the annotation of its field says. A single value stands for a list of
one, a list for a tuple, and numbers of NumPy for plain ones; whatever else is of another kind is
refused in one line that names the option, the value and what to write.
"""

from __future__ import annotations

import ast
import reprlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, wraps
from inspect import isabstract
from operator import is_
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, JJJPolicyError
from jjjpolicy.registry.lookup import unknown_name

REFUSED: Any = object()
"""What a value of another kind is read as."""


class Options:
    """Base class of frozen dataclasses whose fields are options.

    Two are equal if they are of one class and their options are, tables and arrays by content.
    """

    refusal: ClassVar[type[JJJPolicyError]] = DesignError
    """The error that a wrong option raises."""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        known = getattr(cls, "__dataclass_fields__", given)
        for name in given:
            if name not in known:
                listed = [item.name for item in fields(cls)] or ["(it has none)"]  # type: ignore[arg-type]
                kind = f"option of {cls.__name__}"
                raise cls.refusal(str(unknown_name(kind, name, listed)))
        return super().__new__(cls)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.__eq__ = _alike  # type: ignore[method-assign]
        cls.__hash__ = _hashed  # type: ignore[method-assign, assignment]
        if "__post_init__" in vars(cls):
            cls.__post_init__ = _after_reading(cls.__post_init__)  # type: ignore[method-assign, assignment]

    def __post_init__(self) -> None:
        read_options(self)


def read_options(made: Options) -> None:
    """Put the options of a new object into the form that its annotations name.

    Raises
    ------
    JJJPolicyError
        ``made.refusal``, for the first option that is of another kind.
    """
    cls: Any = type(made)
    for name, kind in _kinds(cls).items():
        value = getattr(made, name)
        found = kind.read(value)
        if found is REFUSED:
            raise made.refusal(
                f"{cls.__name__}: {name}={_shown(value)} must be {kind.words}"
                f"{_advice(name, value, kind)}."
            )
        if found is not value:
            object.__setattr__(made, name, found)


def _after_reading(check: Callable[[Any], None]) -> Callable[[Any], None]:
    @wraps(check)
    def read_and_check(made: Any) -> None:
        read_options(made)
        check(made)

    return read_and_check


# ---------------------------------------------------------------------- comparison
def _alike(one: Any, other: Any) -> Any:
    if type(one) is not type(other):
        return NotImplemented
    return all(same_content(getattr(one, x.name), getattr(other, x.name)) for x in fields(one))


def _hashed(made: Any) -> int:
    return hash((type(made), *(_outline(getattr(made, item.name)) for item in fields(made))))


def same_content(one: Any, other: Any) -> bool:
    """Whether two values are equal; tables with their labels, ``nan`` as equal to itself."""
    if one is other:
        return True
    if isinstance(one, pd.DataFrame | pd.Series | pd.Index):
        table: Any = one
        return type(one) is type(other) and bool(table.equals(other))
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(
            one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f"
        )
    if isinstance(one, list | tuple):
        return (
            type(one) is type(other)
            and len(one) == len(other)
            and all(map(same_content, one, other))
        )
    if isinstance(one, Mapping):
        return (
            isinstance(other, Mapping)
            and one.keys() == other.keys()
            and all(same_content(value, other[key]) for key, value in one.items())
        )
    return not isinstance(other, pd.DataFrame | pd.Series | np.ndarray) and bool(one == other)


def _outline(value: Any) -> Any:
    """What equal values share and can be hashed: of tables and arrays their shape."""
    if isinstance(value, list | tuple):
        return tuple(map(_outline, value))
    if isinstance(value, Mapping):
        return frozenset(value)
    return getattr(value, "shape", None) or value


# ---------------------------------------------------------------------- kinds of values
@dataclass(frozen=True)
class Kind:
    """What an option may be, in words, and how a value is read: as itself, converted, `REFUSED`."""

    words: str
    read: Callable[[Any], Any]


@cache
def _kinds(cls: type[Any]) -> dict[str, Kind]:
    """The kinds of the options of a class; none where it is no dataclass."""
    if not is_dataclass(cls):
        return {}
    hints = get_type_hints(cls)
    return {item.name: _kind(hints[item.name]) for item in fields(cls)}


def _kind(hint: Any) -> Kind:
    """The kind of an annotation."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin in (Union, UnionType):
        return _any_of([_kind(each) for each in inner])
    if origin is Literal:
        return Kind(_choice(inner), lambda value: _named(value, inner))
    if origin is tuple and inner[-1] is not Ellipsis:
        return _tuple_of([_kind(each) for each in inner])
    if origin in (tuple, Sequence):
        return _list_of(_kind(inner[0]), least=1 if origin is tuple else 0)
    if origin is Mapping:
        return _mapping_of(_kind(inner[1]))
    if origin is np.ndarray:
        return Kind("an array of numbers", _array)
    if origin is Callable:
        return Kind("a function", lambda value: value if callable(value) else REFUSED)
    return Kind(_made(hint), lambda value: value if isinstance(value, hint) else REFUSED)


def _made(cls: type[Any]) -> str:
    """An object of a class in words; of parameters of methods, what makes one."""
    if not (issubclass(cls, Options) or isabstract(cls)) or len(cls.__subclasses__()) > 5:
        return f"{'an' if cls.__name__[0] in 'AEIO' else 'a'} {cls.__name__}"
    return " or ".join(f"{each.__name__}(…)" for each in cls.__subclasses__() or [cls])


def _whole(value: Any) -> Any:
    if type(value) is int:
        return value
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return int(value) if float(value).is_integer() else REFUSED
    return REFUSED


def _number(value: Any) -> Any:
    if type(value) is float or type(value) is int:
        return REFUSED if value != value else value
    if isinstance(value, np.integer | np.floating):
        return REFUSED if np.isnan(value) else value.item()
    return REFUSED


def _truth(value: Any) -> Any:
    return bool(value) if isinstance(value, bool | np.bool_) else REFUSED


_PLAIN = {
    int: Kind("a whole number", _whole),
    float: Kind("a number", _number),
    bool: Kind("True or False", _truth),
    str: Kind("one name", lambda value: value if isinstance(value, str) else REFUSED),
    NoneType: Kind("None", lambda value: value if value is None else REFUSED),
}


def _named(value: Any, choices: Sequence[Any]) -> Any:
    """The choice that a value names; a number stands for its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value in choices else REFUSED


def _choice(choices: Sequence[Any]) -> str:
    listed = [repr(each) for each in choices]
    return " or ".join(listed) if len(listed) == 2 else f"one of {', '.join(listed)}"


def _any_of(kinds: Sequence[Kind]) -> Kind:
    def read(value: Any) -> Any:
        for kind in kinds:
            found = kind.read(value)
            if found is not REFUSED:
                return found
        return REFUSED

    words = [kind.words for kind in kinds if kind.words != "None"]
    return Kind(", or ".join([" or ".join(words), *(["None"] * (len(words) < len(kinds)))]), read)


def _items(value: Any) -> list[Any] | None:
    """What is in an ordered collection; None for anything else."""
    if isinstance(value, list | tuple | range):
        return list(value)
    if isinstance(value, np.ndarray | pd.Index | pd.Series) and value.ndim == 1:
        return list(value)
    return None


def _read_all(kinds: Sequence[Kind], values: Sequence[Any], given: Any) -> Any:
    """A tuple of what values are read as; the one given where it is that."""
    found = tuple(kind.read(value) for kind, value in zip(kinds, values, strict=True))
    if any(each is REFUSED for each in found):
        return REFUSED
    same = isinstance(given, tuple) and all(map(is_, given, found))
    return given if same else found


def _list_of(kind: Kind, least: int) -> Kind:
    def read(value: Any) -> Any:
        values = _items(value)
        if values is None:
            values = [value]
        return REFUSED if len(values) < least else _read_all([kind] * len(values), values, value)

    return Kind(f"a list, each {kind.words}", read)


def _tuple_of(kinds: Sequence[Kind]) -> Kind:
    def read(value: Any) -> Any:
        values = _items(value)
        if values is None or len(values) != len(kinds):
            return REFUSED
        return _read_all(kinds, values, value)

    return Kind(f"({', '.join(kind.words for kind in kinds)})", read)


def _mapping_of(kind: Kind) -> Kind:
    def read(value: Any) -> Any:
        if not isinstance(value, Mapping | pd.Series):
            return REFUSED
        found = {key: kind.read(each) for key, each in value.items()}
        if any(each is REFUSED for each in found.values()):
            return REFUSED
        return value if isinstance(value, dict) and found == value else found

    return Kind(f"a mapping from names, each to {kind.words}", read)


def _array(value: Any) -> Any:
    if not isinstance(value, np.ndarray | list | tuple):
        return REFUSED
    with suppress(ValueError, TypeError):
        return np.asarray(value, dtype=float)
    return REFUSED


# ---------------------------------------------------------------------- what to write
def _shown(value: Any) -> str:
    text = value.__name__ if isinstance(value, type) else reprlib.repr(value)
    return " ".join(text.split())


def _advice(name: str, value: Any, kind: Kind) -> str:
    """What was meant, where the value tells."""
    if isinstance(value, type):
        with suppress(Exception):
            if kind.read(value()) is not REFUSED:
                return f"; write {name}={value.__name__}()"
        return ""
    meant: list[Any] = []
    if isinstance(value, str):
        with suppress(ValueError, SyntaxError):
            meant.append(ast.literal_eval(value))
    elif isinstance(value, list | tuple | set | frozenset | Mapping):
        meant += [list(value), *value] if len(value) == 1 else [list(value)]
    for each in meant:
        found = kind.read(each)
        if found is not REFUSED:
            return f"; write {name}={_shown(found)}"
    return ""
