"""What the columns of a comparison are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jjjpolicy.errors import DataError
from jjjpolicy.estimation.estimate import Estimate

Estimates = Mapping[str, Estimate] | Iterable[Estimate] | Estimate
"""Estimates with names of one's own, in a list, or one alone."""


def named(estimates: Estimates) -> dict[str, Estimate]:
    """Estimates by name; those of a list are called after their estimators.

    Where that does not tell them apart, what does is added: the outcome, the inference method, and
    in the end a number.

    Raises
    ------
    DataError
        There is none, or something else than an estimate among them.
    """
    if isinstance(estimates, Estimate):
        estimates = [estimates]
    given = list(estimates.values() if isinstance(estimates, Mapping) else estimates)
    if not given:
        raise DataError("compare() needs at least one estimate.")
    for each in given:
        if not isinstance(each, Estimate):
            raise DataError(
                f"compare() takes estimates, in a list or by name, not {type(each).__name__}; "
                f"write compare([a, b]) or compare({{'first': a, 'second': b}})."
            )
    names = list(map(str, estimates)) if isinstance(estimates, Mapping) else _distinct(given)
    return dict(zip(names, given, strict=True))


def _distinct(estimates: list[Estimate]) -> list[str]:
    names = [each.estimator.label for each in estimates]
    for further in (
        [each.design.labels.outcome for each in estimates],
        ["no inference" if e.inference is None else e.inference.name for e in estimates],
        [str(number) for number in range(1, len(estimates) + 1)],
    ):
        if len(set(names)) == len(names):
            break
        if len(set(further)) > 1:
            names = [f"{name}, {more}" for name, more in zip(names, further, strict=True)]
    return names
