"""Which estimates moved between two sets of results, and which conclusions changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jjjpolicy.replication.artefacts.leaves import Change, changes, is_number, leaves

LEVEL = 0.05
"""Level of the tests that conclusions refer to."""


@dataclass(frozen=True)
class Movement:
    """An estimate that is not the same before and after.

    Attributes
    ----------
    name : str
        As in ``effects:log_gdp/tianjin/did``.
    before, after : float or None
        The estimate.
    standard_errors : float or None
        The move in standard errors of the estimate before.
    interval_share : float or None
        The move as a share of the width of the 95% interval before.
    sign_changed : bool
    significance : tuple of str
        The p-values that crossed 5%, as ``pvalue 0.041 → 0.062``.
    further : tuple of Change
        Everything else of the estimate that changed.
    """

    name: str
    before: float | None
    after: float | None
    standard_errors: float | None
    interval_share: float | None
    sign_changed: bool
    significance: tuple[str, ...]
    further: tuple[Change, ...]

    @property
    def changes_a_conclusion(self) -> bool:
        """Whether the sign or the significance at 5% is another."""
        return self.sign_changed or bool(self.significance)


def estimates_in(result: str, content: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Estimates among nested numbers: parts with an ``att``, a p-value or an interval.

    Yields
    ------
    (str, dict)
        Name, and its values by path below it; parts of it that are estimates themselves come apart.
    """
    if not isinstance(content, Mapping):
        return
    name = f"{result}:{path}" if path else result
    parts = {key: each for key, each in content.items() if _is_estimate(each)}
    if _is_estimate(content):
        own = {key: each for key, each in content.items() if key not in parts}
        yield name, dict(leaves(own))
    for key, each in (parts if _is_estimate(content) else content).items():
        yield from estimates_in(result, each, f"{path}/{key}" if path else str(key))


def _is_estimate(content: Any) -> bool:
    return isinstance(content, Mapping) and any(
        (key == "att" or str(key).endswith("pvalue")) and is_number(each)
        for key, each in content.items()
    )


def movement(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Movement | None:
    """How one estimate moved; None where nothing changed.

    Parameters
    ----------
    name : str
    before, after : mapping of path to value
        ``att``, ``se``, ``interval/low``, ``interval/high``, and any p-values.
    """
    different = changes(before, after)
    if not different:
        return None
    old, new = (_number(values, "att") for values in (before, after))
    moved = None if old is None or new is None else new - old
    se = _number(before, "se")
    low, high = _number(before, "interval/low"), _number(before, "interval/high")
    width = None if low is None or high is None else high - low
    crossed = [
        f"{change.path} {change.before:.3f} → {change.after:.3f}"
        for change in different
        if change.path.endswith("pvalue")
        and is_number(change.before)
        and is_number(change.after)
        and (change.before < LEVEL) != (change.after < LEVEL)
    ]
    return Movement(
        name=name,
        before=old,
        after=new,
        standard_errors=moved / se if moved is not None and se else None,
        interval_share=moved / width if moved is not None and width else None,
        sign_changed=old is not None and new is not None and old * new < 0,
        significance=tuple(crossed),
        further=tuple(change for change in different if change.path != "att"),
    )


def _number(values: Mapping[str, Any], key: str) -> float | None:
    found = values.get(key)
    return float(found) if found is not None and is_number(found) else None
