"""The three nouns that every method is written in: Estimator, Estimate and Inference.

An estimator is a small frozen dataclass holding its options; ``fit`` returns a labelled
:class:`Estimate`. An inference method is one too; ``infer`` returns the estimate with an
:class:`~jjjpolicy.estimation.results.InferenceResult`. Each of the three speaks of the others, so
that they share a file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError, JJJPolicyError, warn_user
from jjjpolicy.estimation.formed import Formed
from jjjpolicy.estimation.refits import Refits, Refittable
from jjjpolicy.estimation.repeated import Repeatable
from jjjpolicy.estimation.results import InferenceResult, with_uncertainty
from jjjpolicy.estimation.shown import Shown
from jjjpolicy.estimation.tidied import Tidied
from jjjpolicy.linalg.threads import one_thread

if TYPE_CHECKING:
    from jjjpolicy.design.clock import Clock
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


class Estimator(Refittable, ABC):
    """Base class of all estimators; subclasses are frozen dataclasses of options."""

    computing: ClassVar[frozenset[str]] = Refittable.computing | {"fit"}

    takes_sums: ClassVar[bool] = False
    """Whether influence functions are affine in a unit's outcomes; see `Design.from_parquet`."""

    takes_covariates: ClassVar[bool] = True
    """Whether the covariates of a design enter the estimate."""

    leaks: ClassVar[bool] = False
    """Whether treatment may affect other units than the treated ones."""

    @property
    def named(self) -> tuple[Hashable, ...]:
        """Units that the options name as affected, whoever is treated."""
        return ()

    def reached(self, design: Design) -> Booleans:
        """Untreated units that treatment may affect, shape (units,); none unless it leaks."""
        return np.zeros(design.n_units, dtype=bool)

    def unused_covariates(self, design: Design) -> list[str]:
        """Covariates of the design that do not enter the estimate."""
        return [] if self.takes_covariates else list(design.covariates)

    def unused_predictors(self, design: Design) -> list[str]:
        """Predictors of the design that the estimator does not match on."""
        return list(design.predictors)

    def __init_subclass__(cls, **options: Any) -> None:
        if "fit" in vars(cls):
            cls.fit = _of_comparable(cls.fit)  # type: ignore[method-assign]
        super().__init_subclass__(**options)

    def comparable(self, design: Design) -> Design:
        """The design as ``fit`` takes it: by default without units that have no pre-period.

        An estimator that compares levels rather than changes of units overrides this.
        """
        return design.followed()

    @abstractmethod
    def fit(self, design: Design) -> Estimate:
        """Estimate the effect of treatment in ``design``."""

    def influence_by(
        self, estimate: Estimate, codes: Integers, level: str
    ) -> tuple[Floats | None, tuple[str, ...]]:
        """Influence functions for errors clustered at a level, and what to say about them.

        They are those of the estimate, unless the estimator centres them within groups of clusters.

        Parameters
        ----------
        estimate : Estimate
            Of this estimator.
        codes : ndarray of int, shape (units,)
            Clusters, without gaps.
        level : str
            What they are called.
        """
        return estimate.influence, ()

    def regression(self, estimate: Estimate) -> Any:
        """The regression behind an estimate; see :meth:`Estimate.regression`."""
        raise InferenceError(
            f"{self.label} is no single regression. Those that are: TwoWayFixedEffects, "
            f"EventStudy, SunAbraham, ExtendedTWFE, Stacked, and LocalProjections by horizon."
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels; shape (1,) arrays."""
        estimate = self.fit(design)
        se = estimate.se
        return Refits(
            att=np.array([estimate.att]), se=None if se is None else np.array([float(se)])
        )


@dataclass(frozen=True, eq=False)
class Estimate(Tidied, Shown):
    """An estimated effect. One class for all estimators.

    Attributes
    ----------
    estimator, design : Estimator, Design
    att : float
        The overall effect, in units of the outcome.
    estimand : str
        What ``att`` is an estimate of.
    event_effects : DataFrame
        Columns event_time and estimate; may be computed on first use (a callable is accepted).
    calendar_effects : DataFrame or None
        Columns period and estimate.
    cohort_effects : DataFrame or None
        Columns adoption and estimate.
    unit_effects : DataFrame or None
        One row per treated unit. May be formed on first use (a callable is accepted).
    counterfactual : DataFrame or None
        Treated units × periods: the outcome without treatment. May be formed on first use.
    weights : DataFrame or None
        Donors × treated units.
    influence : ndarray or None, shape (units, 1 + event times)
        Influence functions: estimate − estimand ≈ mean over units. First column: ``att``. May be
        formed on first use (a callable is accepted).
    details : mapping
        What one estimator alone has.
    inference : InferenceResult or None
    """

    estimator: Estimator
    design: Design
    att: float
    estimand: str
    event_effects: pd.DataFrame | Callable[[], pd.DataFrame]
    calendar_effects: pd.DataFrame | None = None
    cohort_effects: pd.DataFrame | None = None
    unit_effects: Formed[pd.DataFrame] = Formed()
    counterfactual: Formed[pd.DataFrame] = Formed()
    weights: pd.DataFrame | None = None
    influence: Formed[Floats] = Formed()
    details: Mapping[str, Any] = field(default_factory=dict)
    inference: InferenceResult | None = None

    def __post_init__(self) -> None:
        if not self.estimator.takes_sums:
            self.design.require_units(self.estimator.label)
        clock = self.design.labels.clock
        for name in ("calendar_effects", "cohort_effects", "unit_effects", "counterfactual"):
            held = vars(self)[name]
            table = partial(_named, clock, held) if callable(held) else _named(clock, held)
            object.__setattr__(self, name, table)
        named = {
            name: clock.named(thing) if isinstance(thing, pd.DataFrame) else thing
            for name, thing in self.details.items()
        }
        object.__setattr__(self, "details", named)

    def __repr__(self) -> str:
        error = "" if self.se is None else f", se={self.se:.6g} ({self.inference.name})"  # type: ignore[union-attr]
        return f"Estimate({self.estimator.label}: att={self.att:.6g}{error}; {self.design!r})"

    # ------------------------------------------------------------------ uncertainty
    @property
    def se(self) -> float | None:
        """Standard error of ``att``; None until an inference method supplies one."""
        return None if self.inference is None else self.inference.se

    @property
    def pvalue(self) -> float | None:
        """p-value of the hypothesis of no effect; None until an inference method supplies one."""
        return None if self.inference is None else self.inference.pvalue

    @one_thread
    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of ``att``.

        Raises
        ------
        InferenceError
            No inference method is attached, or the attached one gives no interval.
        """
        _check_level(level)
        if self.inference is None:
            raise InferenceError(
                f"{self.estimator.label} has no analytic variance here; attach a method with "
                f".with_inference(…), e.g. jp.inference.PlaceboUnits()."
            )
        if self.inference.bounds is None:
            reasons = " ".join(self.inference.notes)
            raise InferenceError(f"{self.inference.name} gives no interval. {reasons}".strip())
        return self.inference.bounds(level)

    def with_inference(self, method: Inference) -> Estimate:
        """The same estimate under another inference method.

        Raises
        ------
        InferenceError
            The estimate does not offer what the method needs.
        """
        if not method.takes(self.design):
            raise InferenceError(
                f"{method.label} needs the {self.design.labels.unit}s one by one, and the rows of "
                f"this design stand for many of them. The estimate has its standard error already; "
                f"for another one build the design with Design.from_frame."
            )
        return method.infer(self)

    def with_result(self, result: InferenceResult | None) -> Estimate:
        """The same estimate with an inference result attached, or with none."""
        held = {each.name: vars(self)[each.name] for each in fields(self)}
        return type(self)(**held | {"inference": result})

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Effects by event time: event_time, estimate, se, lower, upper (95%)."""
        return self.effects_at(0.95)

    @one_thread
    def effects_at(self, level: float) -> pd.DataFrame:
        """The effects by event time with intervals of another level than 95%."""
        _check_level(level)
        source = None if self.inference is None else self.inference.effects
        return with_uncertainty(_now(self.event_effects), source, "event_time", level)

    @cached_property
    def by_cohort(self) -> pd.DataFrame:
        """Average effect of each adoption cohort: adoption, estimate, se, lower, upper (95%).

        Raises
        ------
        InferenceError
            The estimator has none.
        """
        return self.by_cohort_at(0.95)

    @one_thread
    def by_cohort_at(self, level: float) -> pd.DataFrame:
        """The effects by adoption cohort with intervals of another level; or `InferenceError`."""
        _check_level(level)
        if self.cohort_effects is None:
            raise InferenceError(
                f"{self.estimator.label} gives no effects by adoption cohort here; estimators with "
                f"counterfactual paths do, and did.CallawaySantAnna by aggregate('group')."
            )
        source = None if self.inference is None else self.inference.cohorts
        return with_uncertainty(self.cohort_effects, source, "adoption", level)

    @one_thread
    def regression(self) -> Any:
        r"""The same regression as ``linearmodels`` fits it, with all that it reports.

        Coefficients of covariates, R², F statistics and a printable ``summary``, for the estimators
        that are one regression.

        Returns
        -------
        linearmodels.panel.results.PanelEffectsResults
            For ``LocalProjections`` a dict of these by event time, and ``"pooled"``. Standard
            errors are clustered at the level of assignment with the factor
            :math:`\frac{G}{G-1}\frac{N-1}{N-K}`, where K counts the regressors of the table. Those
            of the estimate count period effects in K as well, and are larger by the root of the
            ratio of the factors.

        Raises
        ------
        InferenceError
            The estimator is no single regression; the message says which are.
        DesignError
            The rows of the design stand for many units (:meth:`Design.from_parquet`).
        """
        self.design.require_units(f"{self.estimator.label}.regression")
        return self.estimator.regression(self)

    # ------------------------------------------------------------------ provenance
    @property
    def provenance(self) -> dict[str, Any]:
        """Data, specification and package version behind this estimate."""
        from jjjpolicy import __version__

        labels = self.design.labels
        columns = {"unit": labels.unit, "time": labels.time, "outcome": labels.outcome}
        return {
            "package": __version__,
            "estimator": self.estimator.specification(),
            "inference": None if self.inference is None else dict(self.inference.specification),
            "estimand": self.estimand,
            "outcome": labels.outcome,
            "data": {
                **(self.design.source or {"columns": columns}),
                "fingerprint": self.design.fingerprint,
                "units": self.design.count(),
                "periods": [self.design.period_names[0], self.design.period_names[-1]],
                "observations": self.design.n_observations,
                "treated": [str(unit) for unit in self.design.units[self.design.treated]],
                "left_out": self.design.left_out.left_out,
            },
        }

    def to_frame(self) -> pd.DataFrame:
        """One row: estimator, estimand, att, se, p-value, interval, inference, sample."""
        low, high = (np.nan, np.nan)
        if self.inference is not None and self.inference.bounds is not None:
            low, high = self.inference.bounds(0.95)
        row = {
            "estimator": self.estimator.label,
            "estimand": self.estimand,
            "outcome": self.design.labels.outcome,
            "att": self.att,
            "se": self.se,
            "pvalue": self.pvalue,
            "lower": low,
            "upper": high,
            "inference": None if self.inference is None else self.inference.name,
            "units": self.design.count(),
            "treated_units": self.design.count(self.design.treated),
            "periods": self.design.n_periods,
            "observations": self.design.n_observations,
        }
        return pd.DataFrame([row])


def _named(
    clock: Clock, table: pd.DataFrame | Callable[[], pd.DataFrame | None] | None
) -> pd.DataFrame | None:
    """The table with names in place of the numbers of periods."""
    formed = table() if callable(table) else table
    return None if formed is None else clock.headed(clock.named(formed))


def _now(table: pd.DataFrame | Callable[[], pd.DataFrame]) -> pd.DataFrame:
    return table() if callable(table) else table


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InferenceError(f"level={level} must lie between 0 and 1, e.g. 0.95.")


class Inference(Repeatable, ABC):
    """Base class of inference methods; subclasses are frozen dataclasses of options."""

    refusal: ClassVar[type[JJJPolicyError]] = InferenceError

    by_group: ClassVar[bool] = False
    """Whether groups of the level of assignment enter only as wholes; see `Design.from_parquet`."""

    def takes(self, design: Design) -> bool:
        """Whether the method is right for the rows of a design, which may stand for many units."""
        return design.stands_for is None or (self.by_group and design.influence_scale is None)

    @abstractmethod
    def infer(self, estimate: Estimate) -> Estimate:
        """The estimate with an :class:`InferenceResult` attached.

        Raises
        ------
        InferenceError
            The estimate does not offer what the method needs.
        """


def _of_comparable(fit: Callable[..., Any]) -> Callable[..., Any]:
    """A ``fit`` that leaves out what the estimator cannot compare, and tells what it ignores."""

    @wraps(fit)
    def fit_comparable(self: Estimator, design: Design) -> Any:
        unused = {
            "covariates": self.unused_covariates(design),
            "predictors": self.unused_predictors(design),
        }
        for role, names in unused.items():
            if names:
                warn_user(
                    f"{self.label} does not use the {role} {', '.join(map(repr, names))} of the "
                    f"design: the estimate is the same without."
                )
        return fit(self, self.comparable(design))

    return fit_comparable
