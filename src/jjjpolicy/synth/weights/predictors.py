"""Predictors that a synthetic control matches: averages of variables before treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.design.intake import quoted
from jjjpolicy.design.intake.columns import unknown_name
from jjjpolicy.errors import DesignError, warn_user
from jjjpolicy.estimation.options import Options

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Booleans, Floats


@dataclass(frozen=True)
class Predictor(Options):
    """The average of a variable over some periods before treatment.

    Parameters
    ----------
    variable : str
        A column given as ``predictors=`` or ``covariates=`` of the design, or its outcome.
    periods : (period, period) or period, optional
        First and last period, both included, or a single one, as numbers or by name
        (``("2017Q1", "2018Q4")``); by default all periods before
        treatment. Cells without a value are left out of the average; every unit needs at least one.
    """

    variable: str
    periods: tuple[int | str, int | str] | int | str | None = None

    @property
    def label(self) -> str:
        """Name in tables: variable and periods."""
        if self.periods is None:
            return self.variable
        if isinstance(self.periods, tuple | list):
            return f"{self.variable} {self.periods[0]}-{self.periods[1]}"
        return f"{self.variable} {self.periods}"

    def values(self, design: Design, treated: int, units: Booleans) -> Floats:
        """Averages of the marked units, ``nan`` elsewhere; shape (units,).

        Parameters
        ----------
        design : Design
        treated : int
            Row of the treated unit; only periods before its treatment may be used.
        units : ndarray of bool, shape (units,)
            Donors and the treated unit.

        Raises
        ------
        DesignError
            Unknown variable, no such period, a period under treatment, a unit without any value.
        """
        table = self._table(design)
        inside = self._periods(design, treated)
        cells = np.isfinite(table[:, inside])
        empty = units & ~cells.any(axis=1)
        names_inside = design.labels.clock.names(design.periods[inside])
        years = f"{names_inside[0]} to {names_inside[-1]}"
        if empty.any():
            names = ", ".join(quoted(unit) for unit in design.units[empty][:5])
            raise DesignError(
                f"predictor {self.variable!r} has no value from {years} for {design.labels.unit} "
                f"{names}{', …' if empty.sum() > 5 else ''}: choose periods in which every donor "
                f"has one, or leave these units out with exclude=[…]."
            )
        if (cells[units] != cells[treated]).any():
            differing = units & (cells != cells[treated]).any(axis=1)
            names = ", ".join(quoted(unit) for unit in design.units[differing][:5])
            warn_user(
                f"predictor {self.variable!r} from {years} is averaged over other periods for "
                f"{names} than for {quoted(design.units[treated])}, because cells are missing.",
            )
        averages = np.full(design.n_units, np.nan)
        averages[units] = np.nanmean(table[np.ix_(units, inside)], axis=1)
        return averages

    def _table(self, design: Design) -> Floats:
        if self.variable == design.labels.outcome:
            return design.outcome
        for source in (design.predictors, design.covariates):
            if self.variable in source:
                return source[self.variable]
        known = [design.labels.outcome, *design.predictors, *design.covariates]
        message = unknown_name("predictor", self.variable, known, "the design")
        raise DesignError(f"{message} Name it in predictors=[…] when building the design.")

    def _periods(self, design: Design, treated: int) -> Booleans:
        before: Booleans = design.periods < design.adoption[treated]
        if self.periods is None:
            return before
        clock, names = design.labels.clock, design.period_names
        ends = (
            self.periods if isinstance(self.periods, tuple | list) else (self.periods, self.periods)
        )
        first, last = map(clock.number, ends)
        inside: Booleans = (design.periods >= first) & (design.periods <= last)
        if not inside.any():
            raise DesignError(
                f"predictor {self.label!r}: the design has no such period; it runs from "
                f"{names[0]} to {names[-1]}."
            )
        if (inside & ~before).any():
            under = clock.name(design.periods[inside & ~before][0])
            raise DesignError(
                f"predictor {self.label!r} uses {under}, when "
                f"{quoted(design.units[treated])} is already treated; end it before "
                f"{clock.name(design.adoption[treated])}."
            )
        return inside


def predictor_table(
    design: Design, predictors: Sequence[Predictor], treated: int, units: Booleans
) -> pd.DataFrame:
    """Predictors × marked units, in their own units of measure.

    Raises
    ------
    DesignError
        As :meth:`Predictor.values`; also when a predictor is the same for all units.
    """
    table = pd.DataFrame(
        [predictor.values(design, treated, units)[units] for predictor in predictors],
        index=pd.Index([predictor.label for predictor in predictors], name="predictor"),
        columns=design.units[units],
    )
    spread = table.std(axis=1, ddof=1).to_numpy()
    flat = spread <= 1e-12 * np.abs(table.to_numpy()).max(axis=1)
    if flat.any():
        raise DesignError(
            f"predictor {table.index[int(np.argmax(flat))]!r} is the same for all units, so that "
            f"there is nothing to match; leave it out."
        )
    return table
