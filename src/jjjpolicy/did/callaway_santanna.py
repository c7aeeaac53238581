"""Group-time average treatment effects of Callaway and Sant'Anna."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from jjjpolicy.did.group_time.cells import effects_of_cells, mean_effects, require_effects
from jjjpolicy.did.group_time.comparisons import (
    Base,
    Comparison,
    Control,
    plan_comparisons,
    require_anticipation,
)
from jjjpolicy.did.group_time.effects import GroupTimeEffects
from jjjpolicy.did.group_time.estimate import GroupTimeEstimator
from jjjpolicy.did.group_time.refits import (
    means_suffice,
    refits_from_means,
    samples_from_means,
)
from jjjpolicy.did.group_time.samples import sample_of
from jjjpolicy.did.group_time.scores import Method, Scores
from jjjpolicy.estimation.refits import Refits, counts_of_clusters, refit_blocks

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.did.group_time.aggregation import Kind, Window
    from jjjpolicy.did.group_time.estimate import GroupTimeAverage
    from jjjpolicy.linalg.types import Floats, Integers


@dataclass(frozen=True)
class CallawaySantAnna(GroupTimeEstimator):
    r"""Effects by cohort and period, each from a comparison with units not (yet) treated.

    .. math:: ATT(g, t) = E[Y_t - Y_b \mid G = g] - E[Y_t - Y_b \mid \text{controls}]

    with base period :math:`b`, the last one before :math:`g` minus ``anticipation``; with
    covariates, the cohort is compared with controls of equal covariates (Callaway and Sant'Anna
    2021, equations 2.4 to 2.6).

    Parameters
    ----------
    control : {"never", "not_yet"}
        Never-treated units, or all units still untreated at ``t`` plus ``anticipation``. Without
        never-treated units the cohort treated last serves as control only, and the periods from
        its adoption on are not estimated.
    method : {"dr", "ipw", "or"}
        Doubly robust, inverse probability weighting (weights normalised to one), or outcome
        regression. They coincide without covariates.
    base : {"varying", "universal"}
        Base period of the effects before adoption: the period before, or the same as after.
    anticipation : int
        Periods before adoption in which units may already respond. They are compared with the last
        period before all of them, and are no part of the pre-test.

    Notes
    -----
    Conventions are those of the R packages did and DRDID. Covariates are taken from the earlier of
    the two periods compared; controls with a propensity score above 0.995 get no weight; standard
    errors divide by the number of units and are clustered at the level of assignment. A panel with
    absent cells is read as repeated cross-sections whose influence functions are summed within
    units (``allow_unbalanced_panel = TRUE``): every row counts, levels are compared rather than
    changes, and covariates are each row's own. Repeated cross-sections are designs in which every
    unit is observed once. Cohorts and cells that cannot be estimated are listed in
    ``details["not_estimable"]``, in the ledger and in a warning; the averages leave them out.

    ``att`` is the average of the effects from adoption on, weighted by cohort size; see
    :meth:`GroupTimeEstimate.aggregate` for others.
    """

    takes_sums: ClassVar[bool] = True
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
            No never-treated units for ``control="never"``; no cohort with a period before
            anticipated adoption; no effect from adoption on can be estimated (the message names
            covariates, units or periods); treatment switches off.
        """
        design.require_absorbing(self.label)
        cells, skipped = plan_comparisons(design, self.control, self.base, self.anticipation)
        if design.balanced and not design.covariates:
            return mean_effects(design, cells, skipped, self.anticipation)
        sample = sample_of(design, self.method)

        def compare(batch: list[Comparison]) -> tuple[Integers, Scores]:
            rows, treated = batch[0].members(sample.codes)
            return rows, sample.scores(batch, rows, treated)

        effects, trimmed = effects_of_cells(
            sample, cells, skipped, compare, sample.codes, self.anticipation
        )
        return replace(effects, notes=tuple(_notes(design, trimmed)))

    def shared_refits(
        self, design: Design, adoptions: Floats, of: GroupTimeAverage, jobs: int, errors: bool
    ) -> Refits | None:
        """An average under each assignment, from sums of clusters that all of them share."""
        if not means_suffice(design, adoptions):
            return None
        refit = partial(_refits, self, of.kind, of.window, errors)
        return refit_blocks(refit, design, adoptions, jobs, self.label)

    def shared_samples(
        self, design: Design, groups: Integers, counts: Floats, kind: Kind, window: Window
    ) -> list[Refits | None]:
        """An average in each sample of groups, from sums of clusters that all of them share."""
        drawn = counts_of_clusters(design, groups, counts)
        if drawn is None or not means_suffice(design, design.adoption[None]):
            return [None] * len(counts)
        return samples_from_means(self.cells, design, drawn, kind, window)

    def cells(self, design: Design) -> list[Comparison]:
        """The group-time cells with an estimate, on a balanced panel without covariates."""
        cells, skipped = plan_comparisons(design, self.control, self.base, self.anticipation)
        known = {cell.cohort for cell in cells if not cell.reference}
        kept = [cell for cell in cells if cell.cohort in known]
        require_effects(
            any(design.periods[cell.period] >= cell.group for cell in kept),
            skipped,
            design.labels.clock,
        )
        return kept


def _refits(
    estimator: CallawaySantAnna,
    kind: Kind,
    window: Window,
    errors: bool,
    design: Design,
    adoptions: Floats,
) -> Refits:
    return refits_from_means(estimator.cells, design, adoptions, kind, window, errors=errors)


def _notes(design: Design, trimmed: int) -> Iterator[str]:
    if design.repeated_cross_sections:
        yield "repeated cross-sections: every row is an observation of its own."
    elif not design.balanced:
        yield (
            "unbalanced panel: read as repeated cross-sections, with influence functions summed "
            "within units."
        )
    if trimmed:
        yield f"{trimmed} times a control got no weight: its propensity score is above 0.995."
