"""Placebos of one treated group at a time, and averages of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import streams
from jjjpolicy.estimation.refits import Refits
from jjjpolicy.estimation.rounding import resolution
from jjjpolicy.inference.permutation.ranks import rank_pvalue
from jjjpolicy.inference.permutation.reached import over_all
from jjjpolicy.synth.counterfactual.gaps import Gaps

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.linalg.types import Booleans, Floats, Integers


@dataclass(frozen=True, eq=False)
class UnitPlacebos:
    """Every control group under the adoption period of every treated group.

    Attributes
    ----------
    estimate : Estimate
    own : list of Gaps
        Of the units of each treated group.
    names : list of str
        Treated groups.
    control_names : Index
        First unit of each control group.
    refits : Refits
        Treated groups × control groups, one after the other.
    """

    estimate: Estimate
    own: list[Gaps]
    names: list[str]
    control_names: pd.Index
    refits: Refits

    @classmethod
    def of(
        cls,
        estimate: Estimate,
        controls: Design,
        positions: Integers,
        free: Booleans,
        groups: Integers,
        jobs: int,
    ) -> UnitPlacebos:
        """Fit all of them.

        Parameters
        ----------
        estimate : Estimate
        controls : Design
        positions : ndarray of int, shape (controls,)
            Position of each control's group.
        free : ndarray of bool, shape (groups,)
            Groups that may play the treated.
        groups : ndarray of int, shape (units,)
            Position of the group of each unit of the design.
        jobs : int

        Raises
        ------
        InferenceError
            The estimator has no counterfactual paths.
        """
        gaps = estimate.details.get("gaps")
        if not isinstance(gaps, Gaps):
            raise InferenceError(
                f"separate=True needs the counterfactual paths of each treated unit, which "
                f"{estimate.estimator.label} does not have."
            )
        design = estimate.design
        treated = groups[design.treated]
        order = np.unique(treated)
        units = design.units[design.treated]
        own = [
            replace(gaps, values=gaps.values[treated == g], adoption=gaps.adoption[treated == g])
            for g in order
        ]
        dates, codes = np.unique([part.adoption[0] for part in own], return_inverse=True)
        count = int(free.sum())
        table = np.full((len(dates), count, count), np.inf)
        table[:, np.arange(count), np.arange(count)] = dates[:, None]
        refits = estimate.estimator.refit_many(
            controls, over_all(table.reshape(-1, count), free)[:, positions], jobs=jobs
        )
        if refits.effects is None or refits.pre_rmspe is None:
            raise InferenceError(
                f"{estimate.estimator.label} gives no paths when it is fitted again; "
                f"separate=True needs them."
            )
        rows = (codes[:, None] * count + np.arange(count)).ravel()
        first = np.unique(positions, return_index=True)[1][free]
        return cls(
            estimate,
            own,
            [str(units[np.flatnonzero(treated == g)[0]]) for g in order],
            controls.units[first],
            refits.at(rows),
        )

    @property
    def own_pre_rmspe(self) -> Floats:
        """Pre-treatment RMSPE of the treated group behind each placebo."""
        return np.repeat([part.pooled_rmspe[0] for part in self.own], len(self.control_names))

    def averages(self, kept: Booleans, limit: int, draws: int, seed: int) -> tuple[bool, Refits]:
        """Averages of one placebo per treated group; whether these are all of them.

        Weights are the treated groups' numbers of treated cells, as in the estimate.
        """
        groups, controls = len(self.own), len(self.control_names)
        choices = [np.flatnonzero(row) for row in kept.reshape(groups, controls)]
        if any(len(row) == 0 for row in choices):
            lost = self.names[[len(row) for row in choices].index(0)]
            raise InferenceError(
                f"no placebo of {lost} fits well enough before treatment; raise pre_fit_cutoff=."
            )
        exact = prod(len(row) for row in choices) <= limit
        if exact:
            picked = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, groups)
        else:
            picked = np.array(
                [
                    [rng.choice(row) for row in choices]
                    for rng in map(np.random.default_rng, streams(seed, draws))
                ]
            )
        cells = np.array([part.post.sum() for part in self.own])
        shares = cells / cells.sum()
        index = np.arange(groups) * controls + picked
        att = self.refits.att[index] @ shares
        return exact, Refits(att=att, effects=self._effects(index), cohorts=self._cohorts(index))

    def _effects(self, index: Integers) -> Floats:
        """Average placebo effects by event time of the estimate, shape (averages, event times)."""
        assert self.refits.effects is not None
        times = self.estimate.effects["event_time"].to_numpy()
        total = np.zeros((len(index), len(times)))
        weight = np.zeros(len(times))
        for g, part in enumerate(self.own):
            mine = part.by_event_time()[0]
            where = np.searchsorted(times, mine)
            total[:, where] += len(part.values) * self.refits.effects[index[:, g]]
            weight[where] += len(part.values)
        averaged: Floats = total / weight
        return averaged

    def _cohorts(self, index: Integers) -> Floats:
        """Average placebo effects by adoption period, shape (averages, adoption periods)."""
        dates = np.array([part.adoption[0] for part in self.own])
        cells = np.array([float(part.post.sum()) for part in self.own])
        shares = (dates[:, None] == np.unique(dates)) * cells[:, None]
        averaged: Floats = self.refits.att[index] @ (shares / shares.sum(axis=0))
        return averaged

    def table(self, kept: Booleans) -> pd.DataFrame:
        """Effect and rank of each treated group among its placebos."""
        rows = []
        noise = resolution(self.estimate.design.outcome)
        for g, part in enumerate(self.own):
            mine = self._rows(g, kept)
            before, after = part.pooled_rmspe
            ratio = after / before if before > 0 else np.inf
            placebos = self.refits.att[mine]
            assert self.refits.rmspe_ratio is not None
            ratios = self.refits.rmspe_ratio[mine]
            rows.append(
                {
                    "unit": self.names[g],
                    "adoption": int(part.adoption[0]),
                    "att": part.att,
                    "se": float(placebos.std()),
                    "pvalue": rank_pvalue(part.att, placebos, noise=noise),
                    "pre_rmspe": before,
                    "rmspe_ratio": ratio,
                    "rmspe_pvalue": rank_pvalue(ratio, ratios, "greater"),
                    "placebos": len(mine),
                }
            )
        return self.estimate.design.labels.clock.named(pd.DataFrame(rows))

    def placebo_table(self, kept: Booleans) -> pd.DataFrame:
        """Every placebo: treated group, control group, effect, fit and ratio of fits."""
        groups, controls = len(self.own), len(self.control_names)
        table = pd.DataFrame(
            {
                "unit": np.repeat(self.names, controls),
                "placebo": np.tile(np.asarray(self.control_names), groups),
                "att": self.refits.att,
                "pre_rmspe": self.refits.pre_rmspe,
                "rmspe_ratio": self.refits.rmspe_ratio,
            }
        )
        return table[kept].reset_index(drop=True)

    def _rows(self, group: int, kept: Booleans) -> Integers:
        controls = len(self.control_names)
        rows = np.arange(group * controls, (group + 1) * controls)
        return rows[kept[rows]]
