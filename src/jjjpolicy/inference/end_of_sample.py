"""End-of-sample tests: effects against what the same estimate makes of untreated periods."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError, InferenceError
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.parallel import require_jobs, run
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.linear_hypothesis import LinearHypothesis
from jjjpolicy.inference.permutation.gap_refits import gaps
from jjjpolicy.inference.permutation.inversion import holding_zero
from jjjpolicy.inference.permutation.ranks import rank_pvalue, rank_pvalues, reach_of
from jjjpolicy.inference.reordered import reordered
from jjjpolicy.synth.counterfactual.joint import JointEstimator

if TYPE_CHECKING:
    from collections.abc import Callable

    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Floats

Fitted = TypeVar("Fitted")


@dataclass(frozen=True)
class EndOfSample(Inference):
    r"""Rank of an effect among the same average over blocks of periods before treatment.

    With m treated periods, each block of m consecutive periods before treatment (of half of them,
    where there are fewer than 2m) is taken out in turn, the estimator is fitted to the others, and
    the average gap in the block is what the estimate would be without an effect. The p-value is the
    rank of the estimate among these in magnitude, itself counted; the interval inverts the test
    (Andrews 2003, Econometrica 71; Cao and Dowd 2019, section 4). Effects by event time are ranked
    among single periods.

    It compares a unit with itself, and so it holds for spillovers, too, where placebos over units
    have none to show. It needs errors that are stationary over time and a fit that other periods
    would not change much; with n blocks no p-value is below 1 / (n + 1).

    Parameters
    ----------
    leave_out : bool
        False fits once and takes the residuals of that fit, as the program of Cao and Dowd does.
        They are too small where there are few periods for as many donors, and the test then rejects
        too often.
    jobs : int
        Worker processes; the numbers do not depend on it.
    """

    leave_out: bool = True
    jobs: int = 1

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value and interval of the average effect and of each event time.

        Raises
        ------
        InferenceError
            Several adoption dates, fewer than two periods before treatment, an exact fit, an
            estimator that cannot be fitted without a block; with ``leave_out=False`` one that fits
            no path.
        """
        design, estimator = estimate.design, estimate.estimator
        spans = _spans(design, self.label)
        noise = resolution(design.outcome)
        blocks = self._references(estimator, design, spans.length)
        pvalue = rank_pvalue(estimate.att, blocks, noise=noise)

        def bounds(level: float) -> tuple[float, float]:
            reach = reach_of(blocks, level)
            return holding_zero((estimate.att - reach, estimate.att + reach), pvalue, level)

        def effects(level: float) -> pd.DataFrame:
            known = estimate.effects
            points = known["estimate"].to_numpy(dtype=float)
            single = self._references(estimator, design, 1)
            reach = reach_of(single, level)
            reference = np.repeat(single[:, None], len(points), axis=1)
            return pd.DataFrame(
                {
                    "event_time": known["event_time"],
                    "se": float(single.std()),
                    "lower": points - reach,
                    "upper": points + reach,
                    "pvalue": rank_pvalues(points, reference, noise=noise),
                }
            )

        return estimate.with_result(
            InvertedTest(
                name="end-of-sample test",
                se=float(blocks.std()),
                pvalue=pvalue,
                bounds=bounds,
                effects=effects,
                reference=blocks,
                smallest_pvalue=1 / (1 + len(blocks)),
                assignments=len(blocks),
                exact=True,
                notes=(*spans.notes(len(blocks)), *self._notes()),
                specification=self.specification(),
            )
        )

    def test(
        self,
        estimate: Estimate,
        on: Sequence[Hashable] | Mapping[Hashable, float] | pd.DataFrame,
        equals: float = 0.0,
        weighting: Floats | None = None,
    ) -> LinearHypothesis:
        r"""Test :math:`C \alpha = d` for the effects on treated and affected units.

        The statistic is :math:`(C \hat\alpha - d)' W (C \hat\alpha - d)`, for each treated period
        and for their average (Cao and Dowd 2019, section 4).

        Parameters
        ----------
        estimate : Estimate
            Of InclusiveSyntheticControl or SpilloverSyntheticControl.
        on : sequence, mapping or DataFrame
            Units whose effects all equal d; or one combination, as coefficients by unit; or C,
            hypotheses × units.
        equals : float
            d, the same for all rows.
        weighting : ndarray, shape (hypotheses, hypotheses), optional
            W; the identity by default. The inverse of the covariance of ``reference`` makes rows
            with small errors count for more.

        Raises
        ------
        DesignError
            A unit without an estimated effect.
        InferenceError
            As :meth:`infer`; another estimator; a weighting of another shape.
        """
        system, design = estimate.estimator, estimate.design
        if not isinstance(system, JointEstimator):
            raise InferenceError(
                f"{system.label} estimates no effects on affected units; use "
                f"InclusiveSyntheticControl or SpilloverSyntheticControl."
            )
        spans = _spans(design, self.label)
        matrix = _combinations(on)
        found = estimate.details["joint"]
        rows = found.require(list(matrix.columns))
        factors = matrix.to_numpy(dtype=float)
        weights = np.eye(len(factors)) if weighting is None else np.asarray(weighting, dtype=float)
        if weights.shape != (len(factors), len(factors)):
            raise InferenceError(
                f"weighting= has the shape {weights.shape}; {len(factors)} hypotheses need "
                f"{(len(factors), len(factors))}."
            )

        def averages(length: int) -> Floats:
            values = self._joint_references(system, design, length)
            return np.stack([factors @ each[rows] for each in values])

        paths = factors @ found.values[rows][:, spans.before :]
        return LinearHypothesis(
            matrix,
            float(equals),
            weights,
            design.periods[spans.before :],
            paths,
            averages(spans.length),
            averages(1),
            resolution(design.outcome),
        )

    def _references(self, estimator: Estimator, design: Design, length: int) -> Floats:
        """Average gap in each block of periods before treatment; shape (blocks,)."""
        if self.leave_out:
            found = np.array(self._left_out(_left_out_att, estimator, design, length))
        else:
            path = gaps(estimator, design, "the end-of-sample test")
            found = _moving(path[None, : _spans(design, self.label).before], length)[:, 0]
        return _varying(found, design)

    def _joint_references(self, system: JointEstimator, design: Design, length: int) -> Floats:
        """Average paths in each block; shape (blocks, units)."""
        if self.leave_out:
            found = np.stack(self._left_out(_left_out_joint, system, design, length))
        else:
            paths = system.joint(design).values[:, : _spans(design, self.label).before]
            found = _moving(paths, length)
        return _varying(found, design)

    def _left_out(
        self, fit: Callable[..., Fitted], estimator: Estimator, design: Design, length: int
    ) -> list[Fitted]:
        require_jobs(self.jobs)
        before = _spans(design, self.label).before
        tasks = [(estimator, design, s, length, before) for s in range(before - length + 1)]
        return list(run(fit, tasks, self.jobs, self.label))

    def _notes(self) -> tuple[str, ...]:
        if self.leave_out:
            return ()
        return ("Residuals of one fit: too small with few periods for as many donors.",)


@dataclass(frozen=True)
class _Spans:
    """Numbers of periods before and from treatment on."""

    before: int
    after: int

    @property
    def length(self) -> int:
        """Of a block: as many periods as are treated, and at most half of those before."""
        return min(self.after, self.before // 2)

    def notes(self, blocks: int) -> tuple[str, ...]:
        said = (
            f"{blocks} blocks of {self.length} of the {self.before} periods before treatment; "
            f"smallest attainable p-value 1/{blocks + 1}."
        )
        if self.length == self.after:
            return (said,)
        return (
            said,
            f"Averages over {self.length} periods vary more than one over {self.after} treated "
            f"ones, unless errors are very persistent: conservative.",
        )


def _spans(design: Design, method: str) -> _Spans:
    if not design.absorbing or len(design.cohorts) != 1:
        raise InferenceError(
            f"{method} needs treatment to start once, on one date, and to stay on; use "
            f"RandomizationInference, or estimate each date on its own."
        )
    after = int((design.periods >= design.cohorts[0]).sum())
    before = design.n_periods - after
    if before < 2:
        raise InferenceError(
            f"{method} needs at least two periods before treatment to take turns in playing the "
            f"treated ones; there is {before}. Start the window earlier, or use PlaceboUnits."
        )
    return _Spans(before, after)


def _combinations(
    on: Sequence[Hashable] | Mapping[Hashable, float] | pd.DataFrame,
) -> pd.DataFrame:
    if isinstance(on, pd.DataFrame):
        return on
    if isinstance(on, Mapping):
        return pd.DataFrame([list(on.values())], columns=pd.Index(list(on), dtype=object))
    if isinstance(on, str) or not len(on):
        raise InferenceError(f"on={on!r} must be a list of units, a mapping or a DataFrame.")
    units = pd.Index(list(on), dtype=object)
    return pd.DataFrame(np.eye(len(units)), index=units, columns=units)


def _played(design: Design, start: int, length: int, before: int) -> Design:
    """The periods before treatment, a block of them moved to the end and treated."""
    order = np.arange(before)
    block = (order >= start) & (order < start + length)
    return reordered(design, np.concatenate([order[~block], order[block]]), before - length)


def _left_out_att(
    estimator: Estimator, design: Design, start: int, length: int, before: int
) -> float:
    try:
        return float(estimator.refit(_played(design, start, length, before)).att[0])
    except DesignError as error:
        raise _cannot(estimator, error) from error


def _left_out_joint(
    system: JointEstimator, design: Design, start: int, length: int, before: int
) -> Floats:
    try:
        values = system.joint(_played(design, start, length, before)).values
    except DesignError as error:
        raise _cannot(system, error) from error
    found: Floats = values[:, -length:].mean(axis=1)
    return found


def _cannot(estimator: Estimator, error: DesignError) -> InferenceError:
    return InferenceError(
        f"{estimator.label} cannot be fitted without blocks of periods: {error} Use "
        f"leave_out=False or PlaceboUnits."
    )


def _moving(paths: Floats, length: int) -> Floats:
    """Averages over consecutive periods; shape (blocks, paths)."""
    windows = np.lib.stride_tricks.sliding_window_view(paths, length, axis=1)
    found: Floats = windows.mean(axis=2).T
    return found


def _varying(reference: Floats, design: Design) -> Floats:
    """The reference, unless it is rounding."""
    if np.abs(reference).max() <= resolution(design.outcome):
        raise InferenceError(
            "the fit before treatment is exact, so that its residuals say nothing about errors "
            "after treatment; use PlaceboUnits, or keep fewer donors."
        )
    return reference
