"""Difference-in-differences with a dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.did.cohorts.event_window import EventClock
from jjjpolicy.did.cohorts.not_estimable import listed_as_not_estimable
from jjjpolicy.did.doses.basis import DoseBasis
from jjjpolicy.did.doses.response import DoseResponseEstimate, pointwise_curves
from jjjpolicy.did.group_time.comparisons import no_untreated
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.results import analytic_result
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.estimation.variance import clustered_covariance, few_treated_note, t_interval
from jjjpolicy.registry.policy import Policy

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers

TOO_CLOSE = 1e-7
"""Smallest over largest singular value below which doses do not tell the splines apart."""


@dataclass(frozen=True)
class ContinuousTreatment(Estimator):
    r"""Effects by dose, and of a little more dose (Callaway, Goodman-Bacon and Sant'Anna 2024).

    For each cohort g and period t the changes since the last period before adoption are regressed
    on B-splines :math:`\psi` of the dose, among the cohort's units only, and the mean change of the
    controls is taken off:

    .. math:: ATT(d) = \psi(d)'\hat\beta - \bar{\Delta y}_{controls}, \qquad
              ACRT(d) = \psi'(d)'\hat\beta

    as in their section on estimation. The overall effects average over the doses of treated units:
    :math:`ATT = E[ATT(D)|D>0]`, the difference in differences of treated and controls, and
    :math:`ACRT = E[ACRT(D)|D>0]`.

    Parameters
    ----------
    dose : str or Policy
        A covariate of the design that is constant within units and positive for treated ones (how
        many platforms a city has), or a policy whose doses the units have.
    degree : int
        Of the splines. 1 without knots: one slope for all doses.
    knots : int
        Number of interior knots, at equally spaced quantiles of the treated units' doses.
    control : {"never", "not_yet"}
        Never-treated units, or all units not treated by then.
    grid : sequence of float, optional
        Doses at which the curves are reported; by default the percentiles 10 to 99 of the treated
        units' doses.

    Notes
    -----
    Under parallel trends ATT(d) is the effect of dose d on the units that got it. Reading
    differences of ATT between doses, and hence ACRT, as effects of more dose takes strong parallel
    trends: that units of any dose would have had the same average response to dose d.
    Otherwise ACRT also holds selection of units into doses.

    ``att`` averages over cohorts, weighted by size, of their mean over periods from adoption on
    (the convention of the R package contdid). ``details["dose_response"]`` has dose, att, acrt and
    for both se, lower and upper (95%, pointwise); :meth:`DoseResponseEstimate.bands` makes
    simultaneous bands of them. ``details["acrt"]`` and ``details["acrt_se"]`` are the overall
    slope. Effects by event time are those of any dose. Standard errors come from
    influence functions, clustered at the level of assignment.
    """

    dose: str | Policy
    degree: int = 3
    knots: int = 0
    control: Literal["never", "not_yet"] = "never"
    grid: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.degree <= 20 and 0 <= self.knots <= 100):
            raise DesignError(
                f"degree={self.degree} must lie between 1 and 20, knots={self.knots} between 0 and "
                f"100."
            )

    def fit(self, design: Design) -> DoseResponseEstimate:
        """Estimate the curves and the overall effects.

        Raises
        ------
        DesignError
            The dose is not a covariate, varies within a unit, or is not positive for a treated
            unit; other covariates or weights were given; the panel is unbalanced; no never-treated
            unit for ``control="never"``; too few distinct doses in a cohort for the splines;
            treatment switches off.
        """
        doses = self._doses(design)
        treated = doses[design.treated]
        grid = (
            np.unique(np.quantile(treated, np.arange(0.1, 0.995, 0.01)))
            if self.grid is None
            else np.asarray(self.grid, dtype=float)
        )
        if (grid < treated.min()).any() or (grid > treated.max()).any():
            raise DesignError(
                f"grid= must lie within the doses of treated units, {treated.min():g} to "
                f"{treated.max():g}: a curve is not extended beyond the data."
            )
        found = _cells(self, design, doses, grid)
        design = listed_as_not_estimable(design, found.not_estimable, self.label)
        times, effects, by_time = found.by_event_time()
        overall, influence = found.overall()
        covariance = clustered_covariance(influence, design.assignment)
        errors = np.sqrt(np.diag(covariance))
        joint = np.column_stack([influence[:, :1], by_time])
        events = pd.DataFrame({"event_time": times, "estimate": effects})
        shown = pd.concat(
            [
                events,
                pd.DataFrame({"event_time": [EventClock(design).reference], "estimate": [0.0]}),
            ]
        )
        estimate = DoseResponseEstimate(
            estimator=self,
            design=design,
            att=float(overall[0]),
            estimand="average over treated units of their cohort's mean effect, at their own dose",
            event_effects=shown.sort_values("event_time", ignore_index=True),
            influence=joint,
            details={
                "acrt": float(overall[1]),
                "acrt_se": float(errors[1]),
                "acrt_interval": t_interval(float(overall[1]), float(errors[1]), np.inf, 0.95),
                "dose_response": pointwise_curves(grid, overall[2:], errors[2:]),
                "dose_influence": influence[:, 1:],
                "knots": tuple(found.basis.breaks[1:-1].tolist()),
                "event_times": times,
                "reference": -1,
                "not_estimable": found.not_estimable,
            },
        )
        return estimate.with_result(  # type: ignore[return-value]
            analytic_result(
                f"influence functions, clustered by {design.assigned_at}",
                estimate.att,
                events,
                clustered_covariance(joint, design.assignment),
                noise=resolution(design.outcome),
                specification={"name": "Clustered", "level": design.assigned_at},
                notes=few_treated_note(design, design.assignment),
                details={"acrt": float(overall[1]), "acrt_se": float(errors[1])},
            )
        )

    def refit(self, design: Design) -> Refits:
        """Overall effect and its standard error, without labels."""
        found = _cells(self, design, self._doses(design), np.empty(0))
        overall, influence = found.overall()
        variance = clustered_covariance(influence[:, :1], design.assignment)[0, 0]
        return Refits(att=overall[:1], se=np.sqrt(np.array([variance])))

    def specification(self) -> dict[str, Any]:
        """Name and options; a policy by its id."""
        dose = self.dose if isinstance(self.dose, str) else self.dose.id
        return {**super().specification(), "dose": dose}

    def _doses(self, design: Design) -> Floats:
        design.require_absorbing(self.label)
        design.require_balanced(self.label)
        design.require_unweighted(self.label)
        if self.control == "never":
            design.require_never_treated(self.label)
        if isinstance(self.dose, Policy):
            doses, name = self.dose.dose(list(design.units)), f"policy {self.dose.id!r}"
        else:
            doses, name = self._column(design), repr(self.dose)
        others = set(design.covariates) - {self.dose if isinstance(self.dose, str) else ""}
        if others:
            raise DesignError(
                f"{self.label} uses no covariates besides the dose; build the design without "
                f"{', '.join(map(repr, sorted(others)))}."
            )
        without = design.treated & ~(doses > 0)
        if without.any():
            unit = design.units[int(np.argmax(without))]
            raise DesignError(
                f"the dose {name} is {doses[without][0]:g} for treated {design.labels.unit} "
                f"{quoted(unit)}; treated units need a positive dose. (Methods that move treatment "
                f"to other units, such as RandomizationInference, cannot move doses; use Clustered "
                f"or ClusterBootstrap.)"
            )
        return doses

    def _column(self, design: Design) -> Floats:
        assert isinstance(self.dose, str)
        if self.dose not in design.covariates:
            raise DesignError(
                f"dose={self.dose!r} is not a covariate of the design; pass "
                f"covariates=[{self.dose!r}] when building it."
            )
        values = design.covariates[self.dose]
        varies = values.min(axis=1) != values.max(axis=1)
        if varies.any():
            unit = design.units[int(np.argmax(varies))]
            raise DesignError(
                f"the dose {self.dose!r} varies over time within {design.labels.unit} "
                f"{quoted(unit)}; give each unit one dose, e.g. its final one."
            )
        doses: Floats = values[:, 0]
        return doses


@dataclass(frozen=True, eq=False)
class _DoseCells:
    """Estimates by cohort and period: ATT, ACRT, then both curves on the grid.

    estimates : (cells, 2 + 2 grid); influence : (cells, units, 2 + 2 grid); not_estimable :
    columns group, time and reason
    """

    design: Design
    basis: DoseBasis
    groups: Floats
    periods: Integers
    estimates: Floats
    influence: Floats
    not_estimable: pd.DataFrame

    def overall(self) -> tuple[Floats, Floats]:
        """Averages over cohorts of their mean after adoption, and influence functions."""
        design = self.design
        after = self.periods >= self.groups
        total = int(design.treated.sum())
        weights = np.zeros(len(self.groups))
        means = np.zeros((design.n_units, self.estimates.shape[1]))
        for cohort in design.cohorts:
            mine = after & (self.groups == cohort)
            members = design.adoption == cohort
            if mine.any():
                weights[mine] = members.sum() / total / mine.sum()
                means[members] = self.estimates[mine].mean(axis=0)
        estimates = weights @ self.estimates
        influence = np.tensordot(weights, self.influence, axes=1)
        share = np.where(design.treated, design.n_units / total, 0.0)
        influence += share[:, None] * (means - estimates)
        return estimates, influence

    def by_event_time(self) -> tuple[Integers, Floats, Floats]:
        """ATT by event time, weighted by cohort size: times, estimates, influence functions."""
        design = self.design
        relative = (self.periods - self.groups).astype(np.int64)
        times = np.unique(relative)
        estimates = np.empty(len(times))
        influence = np.empty((design.n_units, len(times)))
        sizes = np.array([(design.adoption == g).sum() for g in self.groups], dtype=float)
        for k, time in enumerate(times):
            mine = relative == time
            weights = sizes * mine / sizes[mine].sum()
            estimates[k] = weights @ self.estimates[:, 0]
            influence[:, k] = weights @ self.influence[:, :, 0]
            for g, own in zip(self.groups[mine], self.estimates[mine, 0], strict=True):
                members = design.adoption == g
                influence[members, k] += design.n_units / sizes[mine].sum() * (own - estimates[k])
        return times, estimates, influence


def _cells(
    estimator: ContinuousTreatment, design: Design, doses: Floats, grid: Floats
) -> _DoseCells:
    basis = DoseBasis.at_quantiles(doses[design.treated], estimator.degree, estimator.knots)
    groups, periods, estimates, influence = [], [], [], []
    lost: list[tuple[int, int, str]] = []
    for cohort in design.cohorts:
        members = design.adoption == cohort
        spline = _Spline.of(estimator, design, basis, doses, members, grid)
        base = int(np.flatnonzero(design.periods < cohort)[-1])
        for t in range(design.n_periods):
            if t == base:
                continue
            until = max(float(design.periods[t]), float(design.periods[base]))
            controls = ~design.treated
            if estimator.control == "not_yet":
                controls = (design.adoption > until) & ~members
            if not controls.any():
                period = int(design.periods[t])
                lost.append(
                    (int(cohort), period, no_untreated(design.labels.clock.name(period), 0))
                )
                continue
            changes = design.outcome[:, t] - design.outcome[:, base]
            values, own = spline.compare(changes, members, controls)
            groups.append(cohort)
            periods.append(design.periods[t])
            estimates.append(values)
            influence.append(own)
    if not any(period >= group for period, group in zip(periods, groups, strict=True)):
        raise DesignError(
            f"{estimator.label} finds no period after adoption with units not yet treated; keep "
            f"more controls."
        )
    return _DoseCells(
        design=design,
        basis=basis,
        groups=np.array(groups),
        periods=np.array(periods, dtype=np.int64),
        estimates=np.array(estimates),
        influence=np.array(influence),
        not_estimable=pd.DataFrame(lost, columns=["group", "time", "reason"]),
    )


@dataclass(frozen=True, eq=False)
class _Spline:
    """What all regressions of one cohort's changes on its doses share.

    values, slopes : (members, splines); reported : (2 + 2 grid, splines), what is read off the
    coefficients: mean of the values and of the slopes, then both on the grid
    """

    values: Floats
    slopes: Floats
    inverse: Floats
    reported: Floats
    points: int

    @classmethod
    def of(
        cls,
        estimator: ContinuousTreatment,
        design: Design,
        basis: DoseBasis,
        doses: Floats,
        members: Booleans,
        grid: Floats,
    ) -> _Spline:
        distinct = len(np.unique(doses[members]))
        if distinct < basis.size or _rank(basis.values(doses[members])) < basis.size:
            cohort = design.labels.clock.name(design.adoption[members][0])
            raise DesignError(
                f"the {int(members.sum())} units treated from {cohort} on have {distinct} "
                f"distinct doses, too few or too close together for {basis.size} splines: lower "
                f"degree={estimator.degree} or knots={estimator.knots}."
            )
        values, slopes = basis.values(doses[members]), basis.slopes(doses[members])
        gram = values.T @ values
        reported = np.vstack(
            [values.mean(axis=0), slopes.mean(axis=0), basis.values(grid), basis.slopes(grid)]
        )
        inverse = np.asarray(np.linalg.inv(gram), dtype=np.float64)
        return cls(values, slopes, inverse, reported, len(grid))

    def compare(
        self, changes: Floats, members: Booleans, controls: Booleans
    ) -> tuple[Floats, Floats]:
        """Estimates (2 + 2 grid,) and influence functions (units, 2 + 2 grid)."""
        n, own, other = len(changes), changes[members], changes[controls]
        coefficients = self.inverse @ (self.values.T @ own)
        level = np.zeros(len(self.reported))
        level[0] = 1.0
        level[2 : 2 + self.points] = 1.0
        estimates = self.reported @ coefficients - level * other.mean()
        residuals = own - self.values @ coefficients
        influence = np.zeros((n, len(self.reported)))
        part = (self.values * residuals[:, None]) @ self.inverse @ self.reported.T
        # the overall effects also vary with the doses that happen to be drawn
        part[:, 0] += (self.values @ coefficients - self.reported[0] @ coefficients) / len(own)
        part[:, 1] += (self.slopes @ coefficients - estimates[1]) / len(own)
        influence[members] = n * part
        influence[controls] = -n / len(other) * np.outer(other - other.mean(), level)
        return estimates, influence


def _rank(values: Floats) -> int:
    return int(np.linalg.matrix_rank(values, rtol=TOO_CLOSE))
