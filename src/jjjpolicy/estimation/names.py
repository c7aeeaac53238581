"""Several things by name, where they are given with names, in a list, or alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from jjjpolicy.design.design import Design
from jjjpolicy.errors import InferenceError, JJJPolicyError
from jjjpolicy.estimation.estimate import Estimate

Thing = TypeVar("Thing")

Named: TypeAlias = Mapping[str, Thing] | Iterable[Thing] | Thing
"""Things with names of one's own, in a list, or one alone."""


def by_name(
    given: Named[Thing],
    kind: type[Any],
    option: str,
    refusal: type[JJJPolicyError] = InferenceError,
) -> dict[str, Thing]:
    """Things by name; those of a list are called after what they are.

    Where the name of the estimator or of the method does not tell them apart, what does is added:
    the outcome, the inference method, the options, and in the end a number.

    Parameters
    ----------
    given : mapping of str to thing, list of things, or thing
    kind : type
        Of the things: Design, Estimate, Estimator or Inference.
    option : str
        What they are given as, for messages.
    refusal : type
        Of the error.

    Raises
    ------
    JJJPolicyError
        There is none, or something else among them.
    """
    listed = [given] if isinstance(given, kind) else given
    article = "an" if kind.__name__[0] in "EI" else "a"
    if isinstance(listed, str) or not isinstance(listed, Iterable):
        raise refusal(
            f"{option} is {type(listed).__name__}; give {article} {kind.__name__}, several in a "
            f"list, or several by name: {{'first': a, 'second': b}}."
        )
    things = list(listed.values() if isinstance(listed, Mapping) else listed)
    if not things:
        raise refusal(f"{option} is empty; name at least one.")
    for thing in things:
        if not isinstance(thing, kind):
            made = f"; write {thing.__name__}()" if isinstance(thing, type) else ""
            what = "a class" if isinstance(thing, type) else type(thing).__name__
            raise refusal(f"{option} holds {what}, not {article} {kind.__name__}{made}.")
    names = list(map(str, listed)) if isinstance(listed, Mapping) else _distinct(things)
    return dict(zip(names, things, strict=True))


def _distinct(things: list[Any]) -> list[str]:
    names = [_NAMES[0](thing) for thing in things]
    for further in [list(map(name, things)) for name in _NAMES[1:]]:
        if len(set(names)) == len(names):
            return names
        if len(set(further)) > 1:
            names = [f"{name}, {more}" for name, more in zip(names, further, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{name}, {number}" for number, name in enumerate(names, start=1)]
    return names


def _kind(thing: Any) -> str:
    if isinstance(thing, Design):
        return thing.labels.outcome
    label: str = (thing.estimator if isinstance(thing, Estimate) else thing).label
    return label


def _outcome(thing: Any) -> str:
    return thing.design.labels.outcome if isinstance(thing, Estimate) else ""


def _inference(thing: Any) -> str:
    if not isinstance(thing, Estimate):
        return ""
    return "no inference" if thing.inference is None else thing.inference.name


def _options(thing: Any) -> str:
    method = thing.estimator if isinstance(thing, Estimate) else thing
    if isinstance(method, Design):
        return ""
    options = method.specification().items()
    return ", ".join(f"{name}={value}" for name, value in options if name != "name")


_NAMES: tuple[Callable[[Any], str], ...] = (_kind, _outcome, _inference, _options)
"""What tells things apart, in the order in which it is used."""
