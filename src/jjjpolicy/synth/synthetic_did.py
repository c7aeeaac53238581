"""Synthetic difference-in-differences."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.estimate import Estimator
from jjjpolicy.estimation.refits import Refits, refit_blocks
from jjjpolicy.linalg.frank_wolfe import FrankWolfe
from jjjpolicy.linalg.twoway import two_way_demean
from jjjpolicy.synth.counterfactual.gaps import (
    estimate_from_counterfactual,
    scale_of,
    stacked_refits,
)
from jjjpolicy.synth.counterfactual.requirements import (
    require_panel,
    require_penalty,
    require_pre_periods,
    require_varying_covariates,
)
from jjjpolicy.synth.weights.difference import (
    DifferenceWeights,
    PrePeriods,
    Rules,
    optimized_coefficients,
)

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Floats, Integers

Weighting = Literal["estimated", "uniform"]


@dataclass(frozen=True)
class SyntheticDiD(Estimator):
    r"""Difference-in-differences with weights on donors and on pre-treatment periods.

    For each adoption cohort with :math:`N_1` treated units, :math:`N_0` never-treated donors,
    :math:`T_0` periods before and :math:`T_1` periods after adoption, the weights solve

    .. math:: \min_{\omega_0, \omega} \frac1{T_0} \sum_{t \le T_0} \Bigl(\omega_0 +
              \sum_j \omega_j y_{jt} - \bar y_{1t}\Bigr)^2 + \zeta_\omega^2 \|\omega\|^2, \qquad
              \min_{\lambda_0, \lambda} \frac1{N_0} \sum_j \Bigl(\lambda_0 +
              \sum_{t \le T_0} \lambda_t y_{jt} - \bar y_{j,post}\Bigr)^2
              + \zeta_\lambda^2 \|\lambda\|^2

    over the simplex, and the effect is the difference of weighted differences (Arkhangelsky, Athey,
    Hirshberg, Imbens and Wager 2021, equations 4 to 6 and algorithm 1). With :math:`\sigma` the
    standard deviation of the donors' first differences before adoption, :math:`\zeta_\omega =
    (N_1 T_1)^{1/4} \sigma` and :math:`\zeta_\lambda = 10^{-6} \sigma`. Under staggered adoption the
    cohorts are estimated one by one, and ``att`` averages over treated cells (Clarke, Pailañir,
    Athey and Imbens 2023, section 2.2).

    Parameters
    ----------
    covariates : {"projected", "optimized"}
        What to do with the covariates of the design. ``"projected"`` takes their coefficients from
        a regression with unit and period effects on all untreated cells and works on what is left
        of the outcome (Kranz 2022); ``"optimized"`` chooses for each cohort the coefficients that
        make both weight problems fit best (Arkhangelsky et al. 2021, footnote 4).
    zeta_omega, zeta_lambda : float, optional
        Penalties in units of the outcome; the paper's by default.
    unit_weights, time_weights : {"estimated", "uniform"}
        With both uniform the estimator is difference-in-differences of each cohort against the
        never-treated units.
    solver : FrankWolfe, optional
        Weights are exact by default. ``FrankWolfe()`` stops as the authors' software does and
        reproduces its numbers.

    Notes
    -----
    ``details`` holds ``omega`` (donors × cohorts), ``lambda`` (periods × cohorts) and ``cohorts``:
    for each cohort the effect, its share of treated cells, penalties, objectives as above, bounds
    on their distance to the optimum (``omega_gap``, ``lambda_gap``) and coefficients of covariates.
    Gaps before adoption are differences from the ``lambda``-weighted average gap. There is no
    analytic variance: attach :class:`jjjpolicy.inference.PlaceboUnits` or another method.
    """

    covariates: Literal["projected", "optimized"] = "projected"
    zeta_omega: float | None = None
    zeta_lambda: float | None = None
    unit_weights: Weighting = "estimated"
    time_weights: Weighting = "estimated"
    solver: FrankWolfe | None = None

    def __post_init__(self) -> None:
        require_penalty("zeta_omega", self.zeta_omega)
        require_penalty("zeta_lambda", self.zeta_lambda)

    def fit(self, design: Design) -> Estimate:
        """Weights and effects of every cohort.

        Raises
        ------
        DesignError
            Absent cells, treatment that switches off, observation weights, fewer than two
            never-treated units or two periods before adoption, donors whose outcome changes by the
            same amount everywhere, an unknown option.
        """
        self._require(design)
        donors = design.units[~design.treated]
        periods = pd.Index(design.period_names, name=design.labels.time)
        names = list(design.covariates)
        omega = pd.DataFrame(index=pd.Index(donors, name="donor"))
        lambda_ = pd.DataFrame(index=periods)
        table: list[dict[str, Any]] = []
        weights: dict[Hashable, Floats] = {}
        gaps = np.empty((int(design.treated.sum()), design.n_periods))
        row_of = np.cumsum(design.treated) - 1
        for piece in self._pieces(design, design.adoption):
            cohort = periods[piece.before]
            rows = piece.gaps()
            gaps[row_of[piece.treated]] = rows
            omega[cohort] = piece.found.omega
            lambda_[cohort] = pd.Series(piece.found.lambda_, index=periods[: piece.before])
            weights |= {design.units[i]: piece.found.omega for i in piece.treated}
            fit = piece.shared.fit(piece.donors, piece.treated, piece.found)
            table.append(
                {
                    "cohort": cohort,
                    "att": float(rows[:, piece.before :].mean()),
                    "treated_units": len(piece.treated),
                    "treated_cells": rows[:, piece.before :].size,
                    "zeta_omega": piece.found.zeta_omega,
                    "zeta_lambda": piece.found.zeta_lambda,
                    **asdict(fit),
                    **dict(zip(names, piece.coefficients, strict=True)),
                }
            )
        cohorts = pd.DataFrame(table)
        cohorts["share"] = cohorts["treated_cells"] / cohorts["treated_cells"].sum()
        treated = design.treated
        return estimate_from_counterfactual(
            self,
            design,
            design.outcome[treated] - gaps,
            weights=pd.DataFrame(weights, index=omega.index)[list(design.units[treated])],
            details={"omega": omega, "lambda": lambda_.fillna(0.0), "cohorts": cohorts},
        )

    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels."""
        return self.refit_many(design, design.adoption[None])

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; assignments with a common date share their preparation."""
        self._require(design)
        return refit_blocks(self._refit_block, design, adoptions, jobs, self.label)

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment; see :meth:`Estimator.refit_among`."""
        if design.covariates:
            return super().refit_among(design, adoptions, jobs)
        return self.refit_many(design, adoptions, jobs)

    def _refit_block(self, design: Design, adoptions: Floats) -> Refits:
        if design.covariates:
            pieces = [list(self._pieces(design, adoption)) for adoption in adoptions]
            values = [np.concatenate([piece.gaps() for piece in own]) for own in pieces]
        else:
            values = self._gaps_together(design, adoptions)
        dates = [np.sort(adoption[np.isfinite(adoption)]) for adoption in adoptions]
        return stacked_refits(values, dates, design.periods, scale_of(design))

    def _gaps_together(self, design: Design, adoptions: Floats) -> list[Floats]:
        """Gaps of the treated of each assignment, in order of adoption."""
        donors = np.isinf(adoptions)
        self._require_donors(design, int(donors.sum(axis=1).min()))
        rows, units = np.nonzero(np.isfinite(adoptions))
        own = adoptions[rows, units]
        gaps = np.empty((len(rows), design.n_periods))
        for date in np.unique(own):
            part = self._before(design, date, int(units[own == date][0]))
            some = np.flatnonzero((adoptions == date).any(axis=1))
            pools, treated = donors[some], adoptions[some] == date
            noise = part.noises(pools)
            self._require_noise(design, float(noise.min()), date)
            found = part.together(pools, treated, self._rules, noise)
            paths = found.omega @ design.outcome
            mine = own == date
            of = np.searchsorted(some, rows[mine])
            difference = design.outcome[units[mine]] - paths[of]
            level = (difference[:, : part.before] * found.lambda_[of]).sum(axis=1)
            gaps[mine] = difference - level[:, None]
        order = np.lexsort((own, rows))
        return np.split(gaps[order], np.flatnonzero(np.diff(rows)) + 1)

    @property
    def _rules(self) -> Rules:
        return Rules(
            self.zeta_omega,
            self.zeta_lambda,
            self.unit_weights == "uniform",
            self.time_weights == "uniform",
            self.solver,
        )

    # ------------------------------------------------------------------ one assignment
    def _pieces(self, design: Design, adoption: Floats) -> Iterator[_Piece]:
        donors = np.flatnonzero(np.isinf(adoption))
        rules = self._rules
        self._require_donors(design, len(donors))
        covariates = np.stack(list(design.covariates.values())) if design.covariates else None
        projected = None
        if covariates is not None and self.covariates == "projected":
            projected = _projected(design, adoption, covariates)
        for date in np.unique(adoption[np.isfinite(adoption)]):
            players = adoption == date
            treated = np.flatnonzero(players)
            raw = part = self._before(design, date, int(treated[0]))
            coefficients = np.empty(0)
            if covariates is not None:
                before = part.before
                coefficients = (
                    optimized_coefficients(
                        design.outcome, covariates, before, donors, treated, rules
                    )
                    if projected is None
                    else projected
                )
                part = PrePeriods(
                    design.outcome - np.tensordot(coefficients, covariates, 1), before
                )
            noise = (raw if projected is None else part).noise(donors)
            self._require_noise(design, noise, date)
            if covariates is None:
                never = np.isinf(adoption)[None]
                many = part.together(never, players[None], rules, np.array([noise]))
                found = many.only(donors)
            else:
                found = part.weights(donors, treated, rules, noise)
            yield _Piece(part, donors, treated, found, coefficients)

    def _before(self, design: Design, date: float, unit: int) -> PrePeriods:
        """What assignments that treat some unit from a date on share."""
        before = int(np.searchsorted(design.periods, date))
        uniform = self.unit_weights == self.time_weights == "uniform"
        require_pre_periods(design, self.label, unit, before, 1 if uniform else 2)
        return PrePeriods(design.outcome, before)

    # ------------------------------------------------------------------ requirements
    def _require(self, design: Design) -> None:
        require_panel(design, self.label, 0)

    def _require_donors(self, design: Design, donors: int) -> None:
        least = 1 if self.unit_weights == "uniform" else 2
        if donors < least:
            raise DesignError(
                f"{self.label} needs at least {least} never-treated {design.labels.unit}(s), there "
                f"are {donors}: keep more units in the donor pool (fewer in exclude=…)."
            )

    def _require_noise(self, design: Design, noise: float, date: float) -> None:
        if self.unit_weights == "uniform" or self.zeta_omega is not None:
            return
        if noise <= 1e-13 * float(np.abs(design.outcome).max()):
            raise DesignError(
                f"before {design.labels.clock.name(date)} {design.labels.outcome!r} changes by the "
                f"same amount in every donor and period, so that there is nothing to choose "
                f"weights by; look at the outcome column, or use unit_weights='uniform'."
            )


@dataclass(frozen=True, eq=False)
class _Piece:
    """One cohort: who is compared with whom, and how."""

    shared: PrePeriods
    donors: Integers
    treated: Integers
    found: DifferenceWeights
    coefficients: Floats

    @property
    def before(self) -> int:
        return self.shared.before

    def gaps(self) -> Floats:
        """Treated less weighted donors, less its time-weighted average before adoption."""
        outcome = self.shared.outcome
        gap = outcome[self.treated] - self.found.omega @ outcome[self.donors]
        level: Floats = gap[:, : self.before] @ self.found.lambda_
        difference: Floats = gap - level[:, None]
        return difference


def _projected(design: Design, adoption: Floats, covariates: Floats) -> Floats:
    """Coefficients from untreated cells, unit and period effects concentrated out."""
    untreated = design.periods[None, :] < adoption[:, None]
    stacked = np.concatenate([design.outcome[None], covariates]).transpose(1, 2, 0)
    residual = two_way_demean(np.where(untreated[:, :, None], stacked, np.nan))[untreated]
    require_varying_covariates(design, residual[:, 1:], stacked[untreated][:, 1:])
    gram = residual[:, 1:].T @ residual[:, 1:]
    return np.asarray(np.linalg.solve(gram, residual[:, 1:].T @ residual[:, 0]))
