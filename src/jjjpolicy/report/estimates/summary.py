"""An estimate as text for a terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.results import fits_ahead
from jjjpolicy.report.tables.cells import decimals, format_number, format_pvalue
from jjjpolicy.sensitivity.effect_range import undecided_range
from jjjpolicy.sensitivity.pretrends import pretrend_test

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from numpy.typing import NDArray

    from jjjpolicy.design.ledger import Ledger
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.estimation.results import InferenceResult
    from jjjpolicy.synth.weights.nested_search import VSearch

DIGITS = 4
LEVEL = 0.95
WIDTH = 100
INDENT = " " * 15
EFFECTS = ("estimate", "se", "lower", "upper", "uniform_lower", "uniform_upper")
"""Columns in the unit of the outcome, which share their number of decimals."""
# Local minima listed, and the share of weight from which donors count as different.
MINIMA, SAME = 3, 0.01


def summary(estimate: Estimate) -> str:
    """What a referee looks for: estimand, effect, inference, sample, effects by event time."""
    return "\n".join(_lines(estimate))


def _lines(estimate: Estimate) -> Iterator[str]:
    design, result = estimate.design, estimate.inference
    title = f"{estimate.estimator.label}: effect on {design.labels.outcome_in('en')}"
    yield title
    yield "─" * len(title)
    source = None if result is None else result.bounds
    waiting = fits_ahead(source, LEVEL)
    ends = () if source is None or waiting else source(LEVEL)
    digits = decimals([estimate.att, estimate.se, *ends], DIGITS)
    yield f"ATT            {format_number(estimate.att, digits)}   ({estimate.estimand})"
    if result is None:
        yield "inference      none attached; use .with_inference(…)"
    else:
        if result.se is not None:
            yield f"std. error     {format_number(result.se, digits)}"
        if result.pvalue is not None:
            smallest = (
                ""
                if result.smallest_pvalue is None
                else f"   (smallest attainable {format_pvalue(result.smallest_pvalue)})"
            )
            yield f"p-value        {format_pvalue(result.pvalue)}{smallest}"
        if ends:
            low, high = (format_number(end, digits) for end in ends)
            yield f"95% interval   [{low}, {high}]"
        elif waiting:
            yield f"95% interval   takes about {waiting:,} fits: ask for it with .interval()"
        yield from _ratio_of_errors(result)
        yield f"inference      {result.name}"
        for note in result.notes:
            yield from wrap(note, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
    yield from _pretrends(estimate)
    yield from _weights_undecided(estimate)
    yield from _local_minima(estimate)
    treated = [str(unit) for unit in design.units[design.treated]]
    shown = ", ".join(treated[:6]) + (", …" if len(treated) > 6 else "")
    names = f" ({shown})" if design.stands_for is None else ""
    cohorts = ", ".join(f"{cohort:.0f}" for cohort in design.cohorts[:6])
    yield (
        f"sample         {design.count()} units × {design.n_periods} periods "
        f"({design.periods[0]}–{design.periods[-1]}), {design.n_observations} observations"
    )
    yield f"treated        {design.count(design.treated)}{names}, first treated in {cohorts}"
    yield f"controls       {design.count(~design.treated)} never treated"
    if design.assigned_at != design.labels.unit:
        groups, own = (
            design.count_clusters(design.assignment, *chosen) for chosen in ((), (design.treated,))
        )
        yield f"assigned at    {design.assigned_at}: {groups}, of which {own} treated"
    if design.covariates:
        unused = estimate.estimator.unused_covariates(design)
        told = [f"{name} (not used)" if name in unused else name for name in design.covariates]
        yield f"covariates     {', '.join(told)}"
    yield from _options(estimate)
    yield f"ledger         {_counted(design.left_out)}"
    if estimate.unit_effects is not None and len(estimate.unit_effects) <= 15:
        yield from _block("By treated unit", estimate.unit_effects)
    if estimate.cohort_effects is not None and 1 < len(estimate.cohort_effects) <= 15:
        waits = result is not None and fits_ahead(result.cohorts, LEVEL)
        table = estimate.cohort_effects if waits else estimate.by_cohort
        yield from _block("By adoption cohort", table.dropna(axis=1, how="all"))
    waits = result is not None and fits_ahead(result.effects, LEVEL)
    effects = (replace(estimate, inference=None) if waits else estimate).effects
    if len(effects) <= 40:
        heading = "By event time (intervals with .effects)" if waits else "By event time"
        yield from _block(heading, effects.dropna(axis=1, how="all"))


def _ratio_of_errors(result: InferenceResult) -> Iterator[str]:
    """Where the ratio of errors after and before treatment stands among those of placebos."""
    if "rmspe_pvalue" not in result.details:
        return
    ratio, before = result.details["rmspe_ratio"], result.details["placebo_pre_rmspe"]
    if np.isinf(ratio):
        alike = int((before == 0).sum())
        told = f"exact fit before treatment, as of {alike} of {len(before)} placebos"
        yield f"RMSPE ratio    {told}: the ratio says nothing"
        return
    pvalue = format_pvalue(result.details["rmspe_pvalue"])
    yield (
        f"RMSPE ratio    {format_number(ratio, DIGITS)}   (rank p-value {pvalue}: the effect "
        f"relative to the fit before treatment)"
    )


def _pretrends(estimate: Estimate) -> Iterator[str]:
    """The joint test of effects before treatment, where the attached covariance allows one."""
    try:
        found = pretrend_test(estimate)
    except InferenceError:
        return
    pvalue = format_pvalue(found.pvalue)
    df = "∞" if np.isinf(found.denominator_df) else f"{found.denominator_df:.0f}"
    yield (
        f"pre-trends     all {found.numerator_df} effects before treatment zero: "
        f"F({found.numerator_df}, {df}) = {format_number(found.statistic, 2)}, "
        f"p {pvalue if pvalue.startswith('<') else f'= {pvalue}'}"
    )


def _options(estimate: Estimate) -> Iterator[str]:
    """Options of the estimator that are plain values."""
    plain = {
        name: value
        for name, value in estimate.estimator.specification().items()
        if name != "name" and isinstance(value, str | int | float | tuple)
    }
    if plain:
        text = ", ".join(f"{name}={value!r}" for name, value in plain.items())
        yield from wrap(text, WIDTH, initial_indent="options        ", subsequent_indent=INDENT)


def _counted(ledger: Ledger) -> str:
    numbers = Counter(item for item, *_ in ledger.entries)
    flags = numbers.pop("flag", 0)
    listed = ", ".join(
        f"{number} {item}{'' if number == 1 else 's'}" for item, number in numbers.items()
    )
    told = [f"left out: {listed}" if listed else "nothing left out"]
    if flags:
        told.append(f"{flags} flagged figure{'' if flags == 1 else 's'} kept")
    return "; ".join([*told, *(["see design.ledger"] if listed or flags else [])])


def _weights_undecided(estimate: Estimate) -> Iterator[str]:
    """The range of effects under weights that fit alike, where the data leave a choice."""
    found = undecided_range(estimate)
    if found is None:
        return
    values = (found.lower, found.upper, found.closest)
    digits = decimals(values, DIGITS)
    low, high, closest = (format_number(value, digits) for value in values)
    perfect = bool(found.units["perfect_fit"].all())
    yield f"other weights  effects from {low} to {high} fit the periods before treatment"
    yield (
        "               just as perfectly;"
        if perfect
        else f"               about as well (RMSPE at most {found.tolerance:.0%} larger);"
    )
    yield f"               on the closest donors, as a tie-break: {closest}"


def _local_minima(estimate: Estimate) -> Iterator[str]:
    """Where the search for predictor weights ended, and how donors differ at other local minima."""
    searches: dict[Hashable, VSearch] = estimate.details.get("search", {})
    for unit, search in list(searches.items())[:MINIMA]:
        if not len(search.donors):
            continue
        name = f"{unit}: " if len(searches) > 1 else ""
        digits = decimals([search.loss], DIGITS)
        loss, bound = (format_number(v, digits) for v in (search.loss, search.lower_bound))
        yield f"search for V   {name}loss {loss}, none can be below {bound}"
        if not search.unique:
            yield f"{INDENT}several predictor weights lead to the same donors"
        for line in _others(search):
            yield from wrap(line, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def _others(search: VSearch) -> Iterator[str]:
    """The best local minima with other donors."""
    shown: list[NDArray[np.float64]] = []
    donors = search.donors
    for k, (loss, distance) in enumerate(search.starts[["loss", "distance"]].to_numpy()):
        row = donors.iloc[k]
        known = any(np.abs(row - other).sum() < 2 * SAME for other in shown)
        if distance < SAME or known or len(shown) == MINIMA:
            continue
        shown.append(row.to_numpy())
        parts = row[row >= SAME].sort_values(ascending=False)
        listed = ", ".join(f"{donor} {weight:.2f}" for donor, weight in parts.iloc[:6].items())
        yield (
            f"a local minimum with loss {format_number(loss, decimals([loss], DIGITS))} has "
            f"{distance:.0%} of the weight on other donors: {listed}"
        )


def _block(heading: str, table: pd.DataFrame) -> Iterator[str]:
    yield ""
    yield heading
    floats = [name for name in table if pd.api.types.is_float_dtype(table[name])]
    effects = [name for name in floats if name in EFFECTS]
    shared = decimals(table[effects].to_numpy(dtype=float).ravel().tolist(), DIGITS)
    places = dict.fromkeys(effects, shared) | dict.fromkeys(set(floats) & {"pvalue"}, DIGITS)

    def shown(name: Hashable) -> Callable[[float], str]:
        digits = places.get(name) or decimals(table[name].tolist(), DIGITS)
        return lambda value: "" if np.isnan(value) else format_number(value, digits)

    yield table.to_string(
        index=False, na_rep="", formatters={str(name): shown(name) for name in floats}
    )
