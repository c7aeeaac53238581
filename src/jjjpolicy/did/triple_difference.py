"""Triple differences: a second group in treated places takes out what hits the places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.design.intake import quoted
from jjjpolicy.did.group_time.cells import effects_of_cells
from jjjpolicy.did.group_time.comparisons import (
    Base,
    Comparison,
    Control,
    plan_comparisons,
    require_anticipation,
)
from jjjpolicy.did.group_time.effects import GroupTimeEffects
from jjjpolicy.did.group_time.estimate import GroupTimeEstimator
from jjjpolicy.did.group_time.samples import Sample, sample_of
from jjjpolicy.did.group_time.scores import Method, NotEstimable, Scores
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.variance import SINGULAR

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True)
class TripleDifference(GroupTimeEstimator):
    r"""Effects by cohort and period on eligible units, net of what moves ineligible ones.

    A policy comes into force in some places at period g and touches only some units there. With
    :math:`S` the adoption period of the unit's place and :math:`Q` its eligibility, eligible units
    of cohort g are compared with three groups,

    .. math:: ATT(g, t) = DiD(Q{=}0, S{=}g) + DiD(Q{=}1, S{=}c) - DiD(Q{=}0, S{=}c),

    each a difference in differences of the eligible units of cohort g with that group (Olden and
    Moen 2022; with covariates Ortiz-Villavicencio and Sant'Anna 2025). Without
    covariates it is the difference between eligible and ineligible units of their differences in
    differences. Trends may differ between places and between kinds of units, as long as the
    difference between kinds would have moved alike.

    Parameters
    ----------
    eligible : str
        A covariate of the design, 0 or 1 and constant within units. Other covariates adjust the
        comparisons.
    group : str, optional
        By default the adoption period of the design is that of the unit's place, given to eligible
        and ineligible units alike. Where the design marks eligible units only, name the column of
        the place (one of ``clusters``): its ineligible units then get the place's period.
    control : {"never", "not_yet"}
        Places that never adopt; or all that have not adopted by then, each cohort by itself,
        combined with the weights of smallest variance (pooling them is
        inconsistent, since the shares of eligible units differ).
    method : {"dr", "ipw", "or"}
        As in :class:`CallawaySantAnna`. They coincide without covariates.
    base : {"varying", "universal"}
    anticipation : int

    Notes
    -----
    ``att`` is the average of the effects from adoption on, weighted by the cohorts' eligible units;
    :meth:`GroupTimeEstimate.aggregate` gives others. (The R package triplediff weighs by all units
    of a cohort.) Standard errors are clustered at the level of assignment; build the design with
    ``assigned_at`` or cluster by place. The influence functions take the weights of control cohorts
    as given.
    """

    eligible: str
    group: str | None = None
    control: Control = "never"
    method: Method = "dr"
    base: Base = "varying"
    anticipation: int = 0

    def __post_init__(self) -> None:
        require_anticipation(self.anticipation)

    def comparable(self, design: Design) -> Design:
        """The whole design: levels are compared, so that no row needs another of its unit."""
        return design

    def group_time_effects(self, design: Design) -> GroupTimeEffects:
        """Effects ATT(g, t) with influence functions.

        Raises
        ------
        DesignError
            Eligibility is not a covariate, not 0 or 1, varies within a unit or does not vary
            between units; eligible units of one place adopt at different times; no place that never
            adopts for ``control="never"``; nothing can be estimated (the message says why);
            treatment switches off.
        """
        design.require_absorbing(self.label)
        eligible = self._eligibility(design)
        others = {k: v for k, v in design.covariates.items() if k != self.eligible}
        inner = replace(design, adoption=self._places(design, eligible), covariates=others)
        cells, skipped = plan_comparisons(inner, self.control, self.base, self.anticipation)
        sample = sample_of(inner, self.method)
        everybody = np.arange(design.n_units, dtype=np.int64)
        effects, _ = effects_of_cells(
            sample,
            cells,
            skipped,
            lambda batch: (everybody, _combined(sample, batch, eligible)),
            # averages weigh cohorts by their eligible units; ineligible ones count as never treated
            np.where(eligible, sample.codes, len(sample.cohorts) - 1),
            self.anticipation,
        )
        return effects

    def _eligibility(self, design: Design) -> Booleans:
        if self.eligible not in design.covariates:
            raise DesignError(
                f"eligible={self.eligible!r} is not a covariate of the design; pass "
                f"covariates=[{self.eligible!r}] when building it."
            )
        values = design.covariates[self.eligible]
        first = np.nanmax(np.where(design.observed, values, np.nan), axis=1)
        varies = (design.observed & (values != first[:, None])).any(axis=1)
        if varies.any():
            unit = design.units[int(np.argmax(varies))]
            raise DesignError(
                f"{self.eligible!r} varies over time within {design.labels.unit} {quoted(unit)}; "
                f"eligibility must be constant."
            )
        wrong = (first != 0) & (first != 1)
        if wrong.any():
            raise DesignError(
                f"{self.eligible!r} is {first[wrong][0]:g} for {design.labels.unit} "
                f"{quoted(design.units[int(np.argmax(wrong))])}; it must be 0 or 1."
            )
        eligible: Booleans = first == 1
        if eligible.all() or not eligible.any():
            kind = "eligible" if eligible.all() else "ineligible"
            raise DesignError(
                f"every {design.labels.unit} is {kind} by {self.eligible!r}: there is no third "
                f"difference. Keep both kinds, or use CallawaySantAnna."
            )
        return eligible

    def _places(self, design: Design, eligible: Booleans) -> Floats:
        """First period of the policy in the unit's place."""
        if self.group is None:
            return design.adoption
        codes = np.unique(design.cluster_codes(self.group), return_inverse=True)[1]
        first = np.full(int(codes.max()) + 1, np.inf)
        np.minimum.at(first, codes, design.adoption)
        places: Floats = first[codes]
        differs = eligible & (design.adoption != places)
        if differs.any():
            unit = design.units[int(np.argmax(differs))]
            raise DesignError(
                f"eligible {design.labels.unit} {quoted(unit)} is not treated from "
                f"{design.labels.clock.name(places[differs][0])} on, when others of its "
                f"{self.group} are; eligible units of one {self.group} must be treated together."
            )
        return places


def _combined(sample: Sample, cells: list[Comparison], eligible: Booleans) -> Scores:
    """Effects of cells with the same cohorts: shape (cells,), and influence (units, cells)."""
    cell = cells[0]
    positions = [c for c in range(cell.first_control, len(sample.cohorts)) if c != cell.cohort]
    parts = [_triple(sample, cells, eligible, position) for position in positions]
    if len(parts) == 1:
        return parts[0]
    estimates = np.stack([part.att for part in parts])
    influence = np.stack([part.influence for part in parts])
    combined, own = np.empty(len(cells)), np.empty((influence.shape[1], len(cells)))
    for k in range(len(cells)):
        covariance = np.cov(influence[:, :, k])
        weights = np.linalg.pinv(covariance, rcond=SINGULAR, hermitian=True).sum(axis=1)
        total = weights.sum()
        weights = weights / total if total > 0 else np.full(len(parts), 1 / len(parts))
        combined[k], own[:, k] = weights @ estimates[:, k], weights @ influence[:, :, k]
    return Scores.of(combined, own)


def _triple(sample: Sample, cells: list[Comparison], eligible: Booleans, control: int) -> Scores:
    """Triple difference with one control cohort."""
    own, other = sample.codes == cells[0].cohort, sample.codes == control
    target = own & eligible
    estimates = np.zeros(len(cells))
    influence = np.zeros((len(own), len(cells)))
    against = {
        "no ineligible unit in the cohort": (1, own & ~eligible),
        "no eligible unit among the controls": (1, other & eligible),
        "no ineligible unit among the controls": (-1, other & ~eligible),
    }
    if not target.any():
        raise NotEstimable("no eligible unit in the cohort")
    for lacking, (sign, versus) in against.items():
        if not versus.any():
            raise NotEstimable(lacking)
        rows = np.flatnonzero(target | versus)
        scores = sample.scores(cells, rows, target[rows])
        estimates += sign * scores.att
        influence[rows] += sign * scores.influence
    return Scores.of(estimates, influence)
