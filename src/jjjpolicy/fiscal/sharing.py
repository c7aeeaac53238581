"""Who receives what each year when firms move under a sharing rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jjjpolicy.errors import DataError
from jjjpolicy.fiscal.rule import SharingRule
from jjjpolicy.fiscal.tax_paths import TaxPaths, read_tax_paths
from jjjpolicy.linalg.brief import brief

Name = TypeVar("Name")
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Sharing:
    """Receipts of a set of moves under one rule, in million yuan.

    Attributes
    ----------
    rule : SharingRule
    flows : DataFrame
        One row for each firm and year: firm, year, origin_region, destination_region, phase
        (``"before move"``, ``"before start"``, ``"shared"``, ``"after sharing"``,
        ``"not shared"``), local_tax, shared_tax (the part that is divided), and a column for each
        recipient. Recipients sum to local_tax.
    firms : DataFrame
        One row for each firm: eligible, reason; base_average (million yuan a year) and cap (NaN
        where the rule looks at neither, or has none); origin_shared (what sharing gave the origin);
        cap_year and cap_moment (year in which the cap was reached, and the part of that year's tax
        with which it was); outcome (``"cap reached"``, ``"years over"``, ``"data end"``,
        ``"not eligible"``); shortfall to the cap when the years are over; central_subsidy (NaN:
        promised, size unknown) and subsidy_year.
    """

    rule: SharingRule
    flows: pd.DataFrame = field(repr=False)
    firms: pd.DataFrame = field(repr=False)

    __repr__ = brief

    def totals(self) -> pd.DataFrame:
        """Receipts by region, year and role.

        Returns
        -------
        DataFrame
            Columns region, year, role (a recipient of the rule, or ``"central_subsidy"``), amount.
            A fund of two regions has both names, joined by a plus sign. The amount of a subsidy is
            NaN where one of its parts is unknown.
        """
        parts = []
        for recipient in self.rule.recipients:
            if recipient in ("origin", "destination"):
                region = self.flows[f"{recipient}_region"]
            else:
                region = self.flows["origin_region"] + "+" + self.flows["destination_region"]
            parts.append(
                pd.DataFrame(
                    {
                        "region": region,
                        "year": self.flows["year"],
                        "role": recipient,
                        "amount": self.flows[recipient],
                    }
                )
            )
        paid = self.firms[self.firms["subsidy_year"].notna()]
        subsidy = pd.DataFrame(
            {
                "region": paid["origin_region"],
                "year": paid["subsidy_year"].astype(int),
                "role": "central_subsidy",
                "amount": paid["central_subsidy"],
            }
        )
        if len(subsidy):
            parts.append(subsidy)
        sums = pd.concat(parts, ignore_index=True).groupby(["region", "year", "role"])["amount"]
        # An unknown part makes the sum unknown, not smaller.
        return sums.sum().where(sums.count() == sums.size()).reset_index()


def share(taxes: pd.DataFrame, moves: pd.DataFrame, rule: SharingRule) -> Sharing:
    """Divide the local tax of moved firms.

    Before the move the origin receives all local tax, after it the destination, except for what the
    rule shares: in each year of sharing the tax in scope is divided until the origin has received
    the cap; the tax beyond that moment, and all tax out of scope, is the destination's.

    Parameters
    ----------
    taxes : DataFrame
        Columns firm, year, tax (see ``TAXES``), local (what local governments receive of it) and
        paid (all that the firm paid; needed if threshold and cap are measured on it); million yuan.
        Years from ``rule.base_years`` before the move on, without gaps.
    moves : DataFrame
        Columns firm, origin, destination (region codes or names), moved (year), started (year in
        which registration is complete and production has started), origin_led (whether the origin
        led the move), fits_plan (whether the move fits the destination's industrial plan).
    rule : SharingRule

    Returns
    -------
    Sharing

    Raises
    ------
    DataError
        Missing columns, firms or years; duplicates; negative or missing amounts; unknown taxes.

    Examples
    --------
    A firm that paid 30 million yuan a year moves in 2016 and pays the same afterwards, all of it
    local to keep the example short. The origin receives 15 million a year; the cap of 90 million is
    not reached in three years, nor in the two further ones.

    >>> import pandas as pd
    >>> from jjjpolicy.fiscal import RULE_2015, share
    >>> years = range(2013, 2024)
    >>> taxes = pd.DataFrame(
    ...     {"firm": "A", "year": years, "tax": "value_added_tax", "local": 30.0, "paid": 30.0}
    ... )
    >>> moves = pd.DataFrame(
    ...     {"firm": ["A"], "origin": ["110000"], "destination": ["130000"], "moved": [2016],
    ...      "started": [2016], "origin_led": [True], "fits_plan": [True]}
    ... )
    >>> result = share(taxes, moves, RULE_2015)
    >>> flows = result.flows.set_index("year")
    >>> flows.loc[[2015, 2016, 2020, 2021], ["origin", "destination"]].values.tolist()
    [[30.0, 0.0], [15.0, 15.0], [15.0, 15.0], [0.0, 30.0]]
    >>> result.firms[["outcome", "shortfall", "central_subsidy"]].values.tolist()
    [['years over', 15.0, nan]]
    """
    paths = read_tax_paths(taxes, moves, rule)
    terms = terms_of(paths, rule)
    divided = divide(paths.shared, terms, rule.shares["origin"])
    return Sharing(rule, _flows(paths, terms, divided, rule), _firms(paths, terms, divided, rule))


def compare_rules(
    taxes: pd.DataFrame, moves: pd.DataFrame, rules: Mapping[Name, SharingRule]
) -> pd.DataFrame:
    """Receipts under several rules, from the first move on.

    Parameters
    ----------
    taxes, moves : DataFrame
        As for :func:`share`.
    rules : mapping of str to SharingRule
        Rules by the name they have in the result.

    Returns
    -------
    DataFrame
        Columns rule (key of ``rules``), year, recipient, amount (million yuan, all firms). Central
        subsidies are not in it.

    Raises
    ------
    DataError
        As :func:`share`, or no rule is given.
    """
    if not rules:
        raise DataError("there is no rule to compare.")
    parts = []
    for name, rule in rules.items():
        flows = share(taxes, moves, rule).flows
        after = flows[flows["phase"] != "before move"]
        sums = after.groupby("year")[list(rule.recipients)].sum()
        long = sums.melt(ignore_index=False, var_name="recipient", value_name="amount")
        long = long.reset_index()
        long["rule"] = pd.Series([name] * len(long), dtype=object)
        parts.append(long)
    return pd.concat(parts, ignore_index=True)[["rule", "year", "recipient", "amount"]]


@dataclass(frozen=True, eq=False)
class Terms:
    """What a rule means for each firm: eligibility, window of sharing and cap."""

    eligible: NDArray[np.bool_]
    reason: NDArray[np.str_]
    average: NDArray[np.float64]
    cap: NDArray[np.float64]
    window: NDArray[np.bool_]
    last_year: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Divided:
    """Tax that is divided (firms, years), and where the origin reached its cap."""

    base: NDArray[np.float64]
    reached: NDArray[np.bool_]


def terms_of(paths: TaxPaths, rule: SharingRule) -> Terms:
    """Terms of a rule for each firm."""
    moves, years = paths.moves, paths.years
    before = (years >= paths.moved - rule.base_years) & (years < paths.moved)
    total = np.where(before, paths.measure, 0.0).sum(axis=1)
    looks = rule.threshold > 0 or rule.cap is not None
    average = total / rule.base_years if looks else np.full(len(moves), np.nan)
    obstacles = [
        ~moves["origin_led"].to_numpy() & (not rule.market_moves),
        ~moves["fits_plan"].to_numpy(),
        (average < rule.threshold * (1 - _ROUNDING))
        if rule.threshold > 0
        else np.zeros(len(moves)),
    ]
    reasons = ["moved on market grounds", "not in the destination's plan", "below the threshold"]
    reason = np.select([np.asarray(each, dtype=bool) for each in obstacles], reasons, "eligible")
    eligible = reason == "eligible"
    cap = np.full(len(moves), np.inf) if rule.cap is None else rule.cap * total
    duration = np.inf if rule.years is None else rule.years
    # Without a cap there is nothing that the first years could leave unreached.
    extension = 0 if rule.cap is None else rule.extension
    last_year = (paths.started[:, 0] + duration + extension - 1).astype(np.float64)
    window = (years >= paths.started) & (years <= last_year[:, None]) & eligible[:, None]
    return Terms(eligible, reason, average, cap, window & paths.present, last_year)


def divide(
    shared: NDArray[np.float64], terms: Terms, origin_share: float | NDArray[np.float64]
) -> Divided:
    """Tax that is divided each year, until the origin has received its cap.

    Parameters
    ----------
    shared : ndarray, shape (firms, years)
        Local tax in scope.
    terms : Terms
    origin_share : float or ndarray of shape (firms,)
    """
    part = np.broadcast_to(np.asarray(origin_share, dtype=float), terms.cap.shape)
    with np.errstate(divide="ignore"):
        # Tax whose division gives the origin exactly its cap.
        room = np.where(part > 0, terms.cap / np.where(part > 0, part, 1.0), np.inf)[:, None]
    open_tax = np.where(terms.window, shared, 0.0)
    upto = np.cumsum(open_tax, axis=1)
    base = np.clip(np.minimum(upto, room) - np.minimum(upto - open_tax, room), 0.0, None)
    begun = np.logical_or.accumulate(terms.window, axis=1)
    return Divided(base, begun & (upto >= room * (1 - _ROUNDING)) & np.isfinite(room))


def _flows(paths: TaxPaths, terms: Terms, divided: Divided, rule: SharingRule) -> pd.DataFrame:
    before = paths.years < paths.moved
    local = paths.shared + paths.unshared
    receipts = {name: part * divided.base for name, part in rule.shares.items()}
    others = sum(amount for name, amount in receipts.items() if name != "destination")
    receipts["origin"] = np.where(before, local, receipts["origin"])
    receipts["destination"] = np.where(before, 0.0, local - others)
    phase = np.select(
        [
            before,
            np.broadcast_to(~terms.eligible[:, None], before.shape),
            paths.years < paths.started,
            divided.base > 0,
            terms.window & ~divided.reached,
        ],
        ["before move", "not shared", "before start", "shared", "shared"],
        "after sharing",
    )
    rows, columns = np.nonzero(paths.present)
    frame = pd.DataFrame(
        {
            "firm": paths.moves["firm"].to_numpy()[rows],
            "year": paths.years[columns],
            "origin_region": paths.moves["origin"].to_numpy()[rows],
            "destination_region": paths.moves["destination"].to_numpy()[rows],
            "phase": phase[rows, columns],
            "local_tax": local[rows, columns],
            "shared_tax": divided.base[rows, columns],
        }
    )
    for name in rule.recipients:
        frame[name] = receipts[name][rows, columns]
    return frame


def _firms(paths: TaxPaths, terms: Terms, divided: Divided, rule: SharingRule) -> pd.DataFrame:
    received = rule.shares["origin"] * divided.base.sum(axis=1)
    reached: NDArray[np.bool_] = np.any(divided.reached, axis=1)
    column = divided.reached.argmax(axis=1)
    each = np.arange(len(reached))
    tax = paths.shared[each, column]
    moment = np.divide(divided.base[each, column], tax, out=np.zeros_like(tax), where=tax > 0)
    data_end = paths.years[paths.years.size - 1 - paths.present[:, ::-1].argmax(axis=1)]
    over = terms.eligible & ~reached & (data_end >= terms.last_year)
    outcome = np.select(
        [~terms.eligible, reached, over], ["not eligible", "cap reached", "years over"], "data end"
    )
    capped = rule.cap is not None
    shortfall = np.where(over & capped, terms.cap - received, np.nan)
    part = rule.subsidised_shortfall
    subsidised = over & capped & (part is None or part > 0)
    subsidy = np.where(subsidised, np.nan if part is None else np.nan_to_num(shortfall) * part, 0.0)
    # Whether there will be a subsidy is open while the sharing goes on.
    if capped and (part is None or part > 0):
        subsidy = np.where(outcome == "data end", np.nan, subsidy)
    return pd.DataFrame(
        {
            "firm": paths.moves["firm"],
            "origin_region": paths.moves["origin"],
            "destination_region": paths.moves["destination"],
            "eligible": terms.eligible,
            "reason": terms.reason,
            "base_average": terms.average,
            "cap": np.where(np.isfinite(terms.cap), terms.cap, np.nan),
            "origin_shared": received,
            "cap_year": np.where(reached, paths.years[column], np.nan),
            "cap_moment": np.where(reached, moment, np.nan),
            "outcome": outcome,
            "shortfall": shortfall,
            "central_subsidy": subsidy,
            "subsidy_year": np.where(subsidised, terms.last_year + 1, np.nan),
        }
    )
