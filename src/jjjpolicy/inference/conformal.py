"""Conformal inference: residuals permuted over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import require_few, seeded
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.parallel import require_jobs, run
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.cohorts import cohort_designs
from jjjpolicy.inference.permutation.gap_refits import gaps
from jjjpolicy.inference.permutation.inversion import holding_zero
from jjjpolicy.inference.permutation.ranks import at_least, significant

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


CLOSER_LOOKS = 4


@dataclass(frozen=True)
class Conformal(Inference):
    r"""Permutation of residuals over time, the counterfactual re-estimated under the null.

    Under a hypothesised effect the treated outcomes are adjusted, the estimator is fitted to all
    periods and its residuals :math:`\hat u_t` are permuted over time. The statistic is the sum of
    :math:`|\hat u_t|` over post-treatment periods (Chernozhukov, Wüthrich and Zhu 2021, algorithm
    1, q = 1). The interval of the average effect inverts the test of an effect constant over time;
    the interval of one period uses the pre-treatment periods and that period (section 2.2).

    Treated units with one adoption period are averaged. With several adoption periods
    :math:`a_c`, each cohort of :math:`N_c` units is fitted on its own against the never-treated
    units and gives a path :math:`\hat u_{ct}` of average residuals:

    - the average effect is tested by :math:`\sum_c N_c \sum_{t \ge a_c} |\hat u_{ct}|`, one
      permutation of calendar time applied to all paths at once, so that whatever dependence there
      is between cohorts stays; the hypothesis is one effect for all treated cells;
    - the effect at event time e is tested by :math:`|\sum_c N_c \hat u_{c, a_c + e}|` over the
      cohorts observed at e, among the same sum at the event times before treatment that all of
      them have; iid permutations then ask for cohorts that are independent of each other;
    - the effect of a cohort is tested on its own path.

    The first is the paper's test of a vector of residuals that is exchangeable or stationary over
    time; with one adoption period all three are those of the paper.

    Parameters
    ----------
    permutations : {"moving_block", "iid"}
        Moving blocks allow serially dependent errors and give p-values in steps of 1 / periods;
        iid permutations need exchangeable errors.
    replications : int
        Number of iid permutations.
    seed : int
        Of the iid permutations.
    grid : int
        Hypothesised effects among which the ends of an interval are first looked for; they are then
        found by bisection.
    jobs : int
        Worker processes for intervals by event time and by cohort; the numbers do not depend on it.

    Notes
    -----
    Exact for estimators that use all periods alike (the paper's condition); those that match
    predictors in named periods do not. Covariates and predictors must not be affected by treatment.
    An interval is the whole line where its level asks for a p-value below the smallest attainable
    one, and ``nan`` where every effect is rejected. There is no standard error.
    """

    permutations: Literal["moving_block", "iid"] = "moving_block"
    replications: int = 1000
    seed: int = 0
    grid: int = 41
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value of no effect, interval of the average effect, per period and per cohort.

        Raises
        ------
        InferenceError
            An estimator whose refits carry no effects by event time; an unknown kind of
            permutation.
        """
        if self.grid < 3 or self.replications < 1:
            raise InferenceError("grid= must be at least 3, replications= at least 1.")
        require_few("grid", self.grid, 10_000)
        require_few("replications", self.replications, 100_000)
        require_jobs(self.jobs)
        if estimate.estimator.leaks:
            raise InferenceError(
                f"Conformal takes a hypothesised effect off the treated units and needs all others "
                f"without one, while {estimate.estimator.label} lets treatment affect them; use "
                f"EndOfSample, DebiasedTTest or PlaceboUnits."
            )
        parts = cohort_designs(estimate.design)
        spread = _spread(estimate)
        test = _average_test(self, estimate.estimator, parts)
        smallest = test.smallest
        notes = [f"Smallest attainable p-value {smallest:.3g}."]
        own = test.pvalue(estimate.att)
        if own <= 0.05:
            notes.append(
                "A constant effect of the size of the estimate is rejected at 5%: effects change "
                "over time or between treated units. The interval encloses the constant effects "
                "that are not rejected, if there are any, and need not contain the estimate."
            )
        else:
            notes.append("The interval holds the constant effects that are not rejected.")
            if own < 1:
                notes.append(
                    f"The estimate as a constant effect has a p-value of {own:.3g}: an interval "
                    f"with a level of {1 - own:.0%} or less need not contain the estimate."
                )
        if estimate.design.covariates or estimate.design.predictors:
            notes.append("Covariates and predictors are taken as unaffected by treatment.")
        if smallest > 0.05:
            notes.append(f"{test.periods} periods are too few for a 95% interval.")

        @cache
        def by_event() -> dict[int, ConstantEffectTest]:
            return dict(event_tests(self, estimate.estimator, parts))

        @cache
        def by_cohort() -> dict[int | str, ConstantEffectTest]:
            name = estimate.design.labels.clock.name
            return {
                name(part.cohorts[0]): _average_test(self, estimate.estimator, [part])
                for part in parts
            }

        def effects(level: float) -> pd.DataFrame:
            return self._table(by_event(), estimate.effects, "event_time", spread, level)

        def cohorts(level: float) -> pd.DataFrame:
            assert estimate.cohort_effects is not None
            return self._table(by_cohort(), estimate.cohort_effects, "adoption", spread, level)

        return estimate.with_result(
            InvertedTest(
                name=f"conformal, {self.permutations.replace('_', ' ')} permutations",
                pvalue=test.pvalue(0.0),
                bounds=lambda level: test.bounds(estimate.att, spread, level),
                effects=effects,
                cohorts=None if estimate.cohort_effects is None else cohorts,
                smallest_pvalue=smallest,
                notes=tuple(notes),
                specification=self.specification(),
            )
        )

    def pvalue(self, estimate: Estimate, effect: float = 0.0) -> float:
        """p-value of one effect in all treated cells.

        Parameters
        ----------
        estimate : Estimate
        effect : float
            In units of the outcome.

        Returns
        -------
        float
        """
        parts = cohort_designs(estimate.design)
        return _average_test(self, estimate.estimator, parts).pvalue(effect)

    def _table(
        self,
        tests: Mapping[int, ConstantEffectTest] | Mapping[int | str, ConstantEffectTest],
        known: pd.DataFrame,
        key: str,
        width: float,
        level: float,
    ) -> pd.DataFrame:
        """Intervals and p-values of the effects in a table that ``key`` names."""
        centres = known.set_index(key)["estimate"]
        tasks = [(test, float(centres.loc[at]), width, level) for at, test in tests.items()]
        rows = run(ConstantEffectTest.row, tasks, self.jobs, self.label)
        return pd.DataFrame(list(rows)).assign(**{key: list(tests)})

    def orders(self, periods: int) -> Integers:
        """Permutations of the periods, shape (permutations, periods); the first changes nothing."""
        natural = np.arange(periods)
        if self.permutations == "moving_block":
            shifts: Integers = (natural[:, None] + natural) % periods
            return shifts
        rng = np.random.default_rng(seeded(self.seed))
        drawn = rng.permuted(np.tile(natural, (self.replications, 1)), axis=1)
        return np.concatenate([natural[None], drawn])


def _spread(estimate: Estimate) -> float:
    """Where to look for the ends of an interval."""
    table = estimate.effects
    before = table.loc[table["event_time"] < 0, "estimate"].to_numpy()
    after = table.loc[table["event_time"] >= 0, "estimate"].to_numpy()
    reach = [part.std() * k for part, k in ((before, 3), (after, 2)) if len(part)]
    return float(max([*reach, 1e-9 + abs(estimate.att) * 0.1]))


@dataclass(frozen=True, eq=False)
class ConstantEffectTest:
    """Test of a constant effect on paths of residuals, and its inversion.

    Attributes
    ----------
    paths : callable
        Residuals under a hypothesised effect, shape (paths, periods).
    marks : ndarray, shape (paths, periods)
        Weight of each residual in the statistic, zero before treatment.
    orders : ndarray of int, shape (permutations, periods)
    grid : int
    noise : float
        Distance within which averages of residuals tie.
    """

    paths: Callable[[float], Floats]
    marks: Floats
    orders: Integers
    grid: int
    noise: float = 0.0
    known: dict[float, tuple[float, float]] = field(default_factory=dict)

    @property
    def periods(self) -> int:
        return int(self.marks.shape[1])

    @property
    def smallest(self) -> float:
        """Smallest attainable p-value."""
        return 1 / len(self.orders)

    def pvalue(self, effect: float) -> float:
        return self._support(effect)[0]

    def _support(self, effect: float) -> tuple[float, float]:
        """p-value of an effect, and the statistic with its sign reversed, to tell ties apart."""
        if effect not in self.known:
            magnitudes = np.abs(self.paths(effect))
            statistics = np.einsum("cpt,ct->p", magnitudes[:, self.orders], self.marks)
            noise = self.noise * float(self.marks.sum())
            share = float(at_least(statistics, statistics[0], noise).mean())
            self.known[effect] = share, -float(statistics[0])
        return self.known[effect]

    def bounds(self, centre: float, width: float, level: float) -> tuple[float, float]:
        """Ends of the set of effects that are not rejected."""
        if not significant(self.smallest, 1 - level):
            return -np.inf, np.inf
        return holding_zero(self._search(centre, width, level), self.pvalue(0.0), level)

    def _search(self, centre: float, width: float, level: float) -> tuple[float, float]:
        def kept(effect: float) -> bool:
            return not significant(self.pvalue(effect), 1 - level)

        for _ in range(12):
            values = np.linspace(centre - width, centre + width, self.grid)
            inside = np.flatnonzero([kept(float(value)) for value in values])
            if len(inside) == 0:
                return self._between(values, kept)
            first, last = int(inside[0]), int(inside[-1])
            if first > 0 and last < self.grid - 1:
                ends = values[[first, first - 1, last, last + 1]]
                return _edge(kept, ends[0], ends[1]), _edge(kept, ends[2], ends[3])
            width *= 2
        return -np.inf, np.inf

    def _between(self, values: Floats, kept: Callable[[float], bool]) -> tuple[float, float]:
        """Ends of a set that fits between rejected values; ``nan`` where there is none.

        The values around the best supported one are looked at more closely.
        """
        for _ in range(CLOSER_LOOKS):
            top = max(range(len(values)), key=lambda k: self._support(float(values[k])))
            low, high = values[max(top - 1, 0)], values[min(top + 1, len(values) - 1)]
            if kept(float(values[top])):
                return _edge(kept, values[top], low), _edge(kept, values[top], high)
            values = np.linspace(low, high, self.grid)
        return np.nan, np.nan

    def row(self, centre: float, width: float, level: float) -> dict[str, float]:
        """Columns of a table of effects: interval and p-value of no effect."""
        low, high = self.bounds(centre, width, level)
        return {"se": np.nan, "lower": low, "upper": high, "pvalue": self.pvalue(0.0)}


def _average_test(
    method: Conformal, estimator: Estimator, parts: list[Design]
) -> ConstantEffectTest:
    """Test of one effect in all treated cells; one path for each cohort."""
    post = [part.periods >= part.cohorts[0] for part in parts]
    sizes = [float(part.treated.sum()) for part in parts]

    def paths(effect: float) -> Floats:
        return np.stack(
            [
                null_residuals(estimator, part, marked, effect)
                for part, marked in zip(parts, post, strict=True)
            ]
        )

    marks = np.stack([size * marked for size, marked in zip(sizes, post, strict=True)])
    noise = max(resolution(part.outcome) for part in parts)
    return ConstantEffectTest(paths, marks, method.orders(marks.shape[1]), method.grid, noise)


def event_tests(
    method: Conformal, estimator: Estimator, parts: list[Design]
) -> Iterator[tuple[int, ConstantEffectTest]]:
    """Test of one effect at each event time; one path, the average of the cohorts observed then."""
    known = [part.periods - int(part.cohorts[0]) for part in parts]
    noise = max(resolution(part.outcome) for part in parts)
    for event in np.unique(np.concatenate(known)):
        if event < 0:
            continue
        own = [
            part.keep_periods((times < 0) | (times == event), "other treated periods set aside")
            for part, times in zip(parts, known, strict=True)
            if event in times
        ]
        length = min(part.n_periods for part in own)
        sizes = np.array([float(part.treated.sum()) for part in own])

        def paths(
            effect: float, own: list[Design] = own, length: int = length, sizes: Floats = sizes
        ) -> Floats:
            rows = [
                null_residuals(estimator, part, part.periods >= part.cohorts[0], effect)[-length:]
                for part in own
            ]
            averaged: Floats = (sizes @ np.stack(rows) / sizes.sum())[None]
            return averaged

        marks = (np.arange(length) == length - 1).astype(float)[None]
        orders = method.orders(length)
        yield int(event), ConstantEffectTest(paths, marks, orders, method.grid, noise)


def _edge(kept: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last effect that is kept on the way from one that is to one that is not."""
    for _ in range(20):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(middle) else (inside, middle)
    return float(inside)


def null_residuals(estimator: Estimator, design: Design, post: Booleans, effect: float) -> Floats:
    """Residuals of all periods when the estimator is fitted to all periods under the null.

    A period that equals each unit's average over time is appended and declared the treated one: it
    lies in the span of the unit effects, so that it leaves the fit of the others as it is.

    Parameters
    ----------
    estimator : Estimator
    design : Design
    post : ndarray of bool, shape (periods,)
    effect : float
        Hypothesised effect in these periods.

    Returns
    -------
    ndarray, shape (periods,)
    """
    adjusted = design.outcome - effect * (design.treated[:, None] & post[None, :])
    last = int(design.periods[-1]) + 1
    extended = replace(
        design,
        outcome=np.column_stack([adjusted, adjusted.mean(axis=1)]),
        periods=np.append(design.periods, last),
        covariates={
            name: np.column_stack([values, values.mean(axis=1)])
            for name, values in design.covariates.items()
        },
        predictors={
            name: np.column_stack([values, np.full(design.n_units, np.nan)])
            for name, values in design.predictors.items()
        },
        adoption=np.where(design.treated, float(last), np.inf),
    )
    return gaps(estimator, extended, "conformal inference")[:-1]
