"""How much each predictor counts: the diagonal of V in a synthetic control."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.errors import DesignError
from jjjpolicy.estimation.options import Options
from jjjpolicy.linalg.simplex import simplex_least_squares
from jjjpolicy.synth.weights.nested_search import VSearch, search
from jjjpolicy.synth.weights.predictors import Predictor, predictor_table

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True, eq=False)
class Matching:
    """One treated unit, its donors, and the predictors to match.

    Attributes
    ----------
    design : Design
    treated : int
        Row of the treated unit.
    donors : ndarray of bool, shape (units,)
    table : DataFrame
        Predictors × donors and treated unit.
    """

    design: Design
    treated: int
    donors: Booleans
    table: pd.DataFrame

    @classmethod
    def of(
        cls, design: Design, treated: int, donors: Booleans, predictors: tuple[Predictor, ...]
    ) -> Matching:
        """Look the predictors up."""
        units = donors.copy()
        units[treated] = True
        return cls(design, treated, donors, predictor_table(design, predictors, treated, units))

    @property
    def scaled(self) -> Floats:
        """Predictors over their standard deviation across all units; treated unit and donors."""
        spread = self.table.std(axis=1, ddof=1).to_numpy()
        scaled: Floats = self.table.to_numpy() / spread[:, None]
        return scaled

    @property
    def differences(self) -> Floats:
        """Scaled predictors of the donors less those of the treated unit, (predictors, donors)."""
        own = self.table.columns == self.design.units[self.treated]
        scaled = self.scaled
        difference: Floats = scaled[:, ~own] - scaled[:, own]
        return difference

    @property
    def donor_names(self) -> pd.Index:
        """Labels of the donors, in the order of the columns of :attr:`differences`."""
        return self.table.columns.drop(self.design.units[self.treated])

    def given(self, weights: Floats, periods: tuple[int, int] | None) -> VSearch:
        """Predictor weights that were not searched for."""
        fitted = self.outcome_differences(periods)
        return VSearch.given(weights, self.differences, fitted, self.donor_names)

    def outcome_differences(self, periods: tuple[int, int] | None) -> Floats:
        """Outcomes of the donors less that of the treated unit, (periods, donors)."""
        design = self.design
        before = design.periods < design.adoption[self.treated]
        if periods is not None:
            first, last = map(design.labels.clock.number, periods)
            inside = (design.periods >= first) & (design.periods <= last)
            if not inside.any() or (inside & ~before).any():
                raise DesignError(
                    f"periods={periods!r} over which the outcome is fitted must lie in the window "
                    f"and before {quoted(design.units[self.treated])} is treated in "
                    f"{design.labels.clock.name(design.adoption[self.treated])}."
                )
            before = inside
        pool: Floats = design.outcome[np.ix_(self.donors, before)]
        difference: Floats = (pool - design.outcome[self.treated, before]).T
        return difference


class PredictorWeights(Options, ABC):
    """Base class of the ways to weigh predictors; subclasses are frozen dataclasses."""

    @abstractmethod
    def choose(self, matching: Matching) -> VSearch:
        """Weights of the predictors, summing to one, and how they were found."""

    @property
    def trained_on(self) -> tuple[Predictor, ...]:
        """Predictors that the weights are learnt from beside those that are matched."""
        return ()


@dataclass(frozen=True)
class NestedSearch(PredictorWeights):
    """Weights whose synthetic control follows the outcome best before treatment.

    Minimises the mean squared gap of the outcome over ``periods`` (Abadie, Diamond and Hainmueller
    2010, section 2.3); see :func:`jjjpolicy.synth.weights.nested_search.search`.

    Parameters
    ----------
    periods : (int, int), optional
        First and last period, both included; all periods before treatment by default.
    """

    periods: tuple[int, int] | None = None

    def choose(self, matching: Matching) -> VSearch:
        """The best weights found."""
        fitted = matching.outcome_differences(self.periods)
        starts = {"regression": _regression_weights(matching)}
        return search(matching.differences, fitted, starts, matching.donor_names)


@dataclass(frozen=True)
class InverseVariance(PredictorWeights):
    """Every predictor counts the same after division by its standard deviation."""

    def choose(self, matching: Matching) -> VSearch:
        """Equal weights on scaled predictors."""
        count = len(matching.table)
        return matching.given(np.full(count, 1 / count), None)


@dataclass(frozen=True)
class RegressionBased(PredictorWeights):
    """Predictors count by the squares of their coefficients for the pre-treatment outcomes.

    Each pre-treatment outcome is regressed on the scaled predictors across units; the weight of a
    predictor is the sum of its squared coefficients (the starting value of the authors' software).

    Parameters
    ----------
    periods : (int, int), optional
        Periods of the outcomes; all before treatment by default.
    """

    periods: tuple[int, int] | None = None

    def choose(self, matching: Matching) -> VSearch:
        """Weights from regressions of the outcomes."""
        return matching.given(_regression_weights(matching, self.periods), self.periods)


@dataclass(frozen=True)
class CrossValidated(PredictorWeights):
    """Weights of earlier predictors that predict the outcome in a later validation period.

    A nested search on ``training`` predictors fits the outcome of the ``validation`` periods; its
    weights are then used with the predictors of the synthetic control itself (Abadie, Diamond and
    Hainmueller 2015, section 4). Where the weights are not unique, their central point is taken.

    Parameters
    ----------
    training : tuple of Predictor
        In the order of the synthetic control's own predictors.
    validation : (int, int)
        First and last period, both included.
    """

    training: tuple[Predictor, ...]
    validation: tuple[int, int]

    def choose(self, matching: Matching) -> VSearch:
        """Weights from the training step.

        Raises
        ------
        DesignError
            Training predictors are not as many as predictors.
        """
        if len(self.training) != len(matching.table):
            raise DesignError(
                f"CrossValidated has {len(self.training)} training predictors for "
                f"{len(matching.table)} predictors; give one for each, in the same order."
            )
        trained = Matching.of(matching.design, matching.treated, matching.donors, self.training)
        return NestedSearch(self.validation).choose(trained)

    @property
    def trained_on(self) -> tuple[Predictor, ...]:
        """The training predictors."""
        return self.training


@dataclass(frozen=True)
class GivenWeights(PredictorWeights):
    """Weights chosen by the user.

    Parameters
    ----------
    weights : mapping of str to float
        By label of the predictor (``"gdpcap 1960-1969"``) or by its variable, or a sequence in the
        order of the predictors. They apply to predictors divided by their standard deviation.
    """

    weights: Mapping[str, float] | tuple[float, ...]

    def choose(self, matching: Matching) -> VSearch:
        """The given weights, scaled to sum to one.

        Raises
        ------
        DesignError
            Weights do not fit the predictors.
        """
        labels = list(matching.table.index)
        if isinstance(self.weights, Mapping):
            if set(self.weights) != set(labels):
                raise DesignError(
                    f"GivenWeights names {sorted(self.weights)}, the predictors are {labels}; give "
                    f"one weight for each."
                )
            values = np.array([self.weights[label] for label in labels], dtype=float)
        else:
            values = np.asarray(self.weights, dtype=float)
        if len(values) != len(labels) or (values < 0).any() or not values.sum() > 0:
            raise DesignError(
                f"GivenWeights needs {len(labels)} non-negative weights with a positive sum, in the"
                f" order {labels}."
            )
        return matching.given(values / values.sum(), None)


def donor_weights(matching: Matching, weights: Floats) -> tuple[Floats, float]:
    """Donor weights given weights of the predictors, and the relative optimality gap."""
    rows = np.sqrt(weights)[:, None] * matching.differences
    solution = simplex_least_squares(rows, np.zeros(len(rows)))
    scale = float((rows**2).sum(axis=0).min()) or 1.0
    return solution.weights, solution.gap / scale


def _regression_weights(matching: Matching, periods: tuple[int, int] | None = None) -> Floats:
    scaled = matching.scaled
    design = matching.design
    units = matching.donors.copy()
    units[matching.treated] = True
    inside = design.periods < design.adoption[matching.treated]
    if periods is not None:
        first, last = map(design.labels.clock.number, periods)
        inside &= (design.periods >= first) & (design.periods <= last)
    regressors = np.column_stack([np.ones(scaled.shape[1]), scaled.T])
    outcome = design.outcome[np.ix_(units, inside)]
    coefficients = np.linalg.lstsq(regressors, outcome, rcond=None)[0][1:]
    squares = (coefficients**2).sum(axis=1)
    total = float(squares.sum())
    if total == 0:
        return np.full(len(squares), 1 / len(squares))
    return np.asarray(squares / total)
