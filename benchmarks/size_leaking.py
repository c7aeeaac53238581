"""How often tests reject a true null of no direct effect when treatment leaks (simulated).

Stationary factors as in Cao and Dowd (2019, section 6.1): one common factor and three with loadings
uniform on [0, 1], normal errors, one treated period. Treatment has no effect on the treated units
and raises the outcome of the affected ones by 3. First their own cells, 10 units, of which 3
(concentrated) or 6 (spread out) are affected; then 1, 3 and 13 treated units with 4 affected ones.

The fits without each period are computed together, from arrays, and shared by the tests on a draw;
``tests/inference/test_size_leaking.py`` holds that estimates and p-values are the package's.

    python benchmarks/size_leaking.py --draws 2000
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from jjjpolicy.linalg.types import Booleans, Floats, Integers

SPILLOVER = 3.0
AFFECTED = 4
STRUCTURE, IGNORED, INCLUSIVE = "structure", "spillover ignored", "inclusive"
CASES = ((1, 12), (3, 12), (13, 24))
KINDS = {"none": (3, 0.0), "concentrated": (3, SPILLOVER), "spread out": (6, SPILLOVER)}
"""Number of units that are taken for affected, and what they gain."""
MAX_STEPS = 50
SLACK = 1e-11
"""Gradient, relative to the matrix, up to which a column may as well stay out."""
QUOTED = {
    ("none", "structure, left out, quantile"): 4.9,
    ("concentrated", "structure, left out, quantile"): 5.0,
    ("spread out", "structure, left out, quantile"): 3.5,
    ("none", "spillover ignored, left out, quantile"): 6.1,
    ("concentrated", "spillover ignored, left out, quantile"): 20.7,
    ("spread out", "spillover ignored, left out, quantile"): 47.8,
}
"""Rates of the paper, 10 units and 50 periods, as the documentation of mlsynth quotes them."""


def outcomes(rng: np.random.Generator, units: int, periods: int) -> Floats:
    """Outcomes without treatment, shape (units, periods)."""
    burn = 20
    shocks = rng.normal(size=(4, periods + burn))
    factors = np.zeros_like(shocks)
    for t in range(1, periods + burn):
        factors[0, t] = 1 + 0.5 * factors[0, t - 1] + shocks[0, t]
        factors[1, t] = 0.5 * factors[1, t - 1] + shocks[1, t]
        factors[2, t] = 1 + shocks[2, t] + 0.5 * shocks[2, t - 1]
        factors[3, t] = 0.5 * factors[3, t - 1] + shocks[3, t] + 0.5 * shocks[3, t - 1]
    loadings = np.column_stack([np.ones(units), rng.uniform(size=(units, 3))])
    noise = rng.normal(size=(units, periods))
    return np.asarray(loadings @ factors[:, burn:] + noise)


def simplex_many(gram: Floats, allowed: Booleans, support: Booleans) -> Floats:
    """Weights on the simplex that minimise ``w'Gw``, for many matrices; shape (problems, columns).

    The support gains columns whose gradient is below the average and loses those whose weight would
    be negative, until there are none of either, which is optimal. Each matrix is to be regular on
    the columns that are allowed.

    Parameters
    ----------
    gram : ndarray, shape (problems, columns, columns)
    allowed, support : ndarray of bool, shape (problems, columns)
        Columns that may carry weight, and those that the search begins with.
    """
    found, support, rest = np.full(allowed.shape, np.nan), support.copy(), np.arange(len(gram))
    slack = SLACK * np.einsum("pii->pi", gram).max(axis=1)[:, None]
    for _ in range(MAX_STEPS):
        on = support[rest]
        weights = _on_support(gram, rest, on)
        gradient = (gram[rest] @ weights[..., None])[..., 0]
        least = (weights * gradient).sum(axis=1, keepdims=True)
        enters = allowed[rest] & ~on & (gradient < least - slack[rest])
        leaves = weights < 0
        done = ~(enters | leaves).any(axis=1)
        found[rest[done]] = weights[done]
        support[rest] = (on & ~leaves) | enters
        rest = rest[~done]
        if len(rest) == 0:
            return found
    raise RuntimeError(f"no optimal support in {MAX_STEPS} steps")


def _on_support(gram: Floats, rows: Integers, on: Booleans) -> Floats:
    """Weights that sum to one and minimise ``w'Gw`` on a support, of any sign."""
    columns = np.argsort(~on, axis=1, kind="stable")[:, : on.sum(axis=1).max()]
    inside = np.take_along_axis(on, columns, axis=1)
    held = gram[rows[:, None, None], columns[:, :, None], columns[:, None, :]]
    held *= inside[:, :, None] & inside[:, None, :]
    held += ~inside[:, :, None] * np.eye(columns.shape[1])
    solved = np.linalg.solve(held, inside[..., None].astype(float))[..., 0] * inside
    weights = np.zeros(on.shape)
    np.put_along_axis(weights, columns, solved / solved.sum(axis=1, keepdims=True), axis=1)
    return weights


@dataclass(frozen=True)
class Controls:
    """Demeaned synthetic controls of units, fitted without each of some periods.

    Attributes
    ----------
    levels : ndarray, shape (fits, units)
        Averages over the periods that are kept.
    weights : ndarray, shape (fits, units with a control, units)
    """

    levels: Floats
    weights: Floats

    @classmethod
    def of(cls, early: Floats, kept: Booleans, donors: Booleans) -> Controls:
        """Fit them.

        Parameters
        ----------
        early : ndarray, shape (units, periods)
        kept : ndarray of bool, shape (fits, periods)
        donors : ndarray of bool, shape (units with a control, units)
            The first units have controls.
        """
        rows, units = donors.shape
        levels = kept @ early.T / kept.sum(axis=1)[:, None]
        moments = np.einsum("ft,it,jt->fij", kept.astype(float), early, early, optimize=True)
        moments -= kept.sum(axis=1)[:, None, None] * levels[:, :, None] * levels[:, None, :]
        used = donors.any(axis=0)
        own, allowed = moments[:, :rows, used], donors[:, used]
        gram = moments[:, None, used][..., used] - own[:, :, :, None] - own[:, :, None, :]
        gram += np.einsum("fii->fi", moments[:, :rows, :rows])[:, :, None, None]
        begin = simplex_many(gram[-1], allowed, allowed) > 0
        weights = np.zeros((len(kept), rows, units))
        weights[:, :, used] = simplex_many(
            gram.reshape(-1, *gram.shape[2:]),
            np.tile(allowed, (len(kept), 1)),
            np.tile(begin, (len(kept), 1)),
        ).reshape(len(kept), rows, -1)
        return cls(levels, weights)

    def gaps(self, late: Floats) -> Floats:
        """Outcomes of one period for each fit, less those of the controls; shape (fits, units).

        Parameters
        ----------
        late : ndarray, shape (fits, units)
        """
        moved = late - self.levels
        found: Floats = (
            moved[:, : self.weights.shape[1]] - (self.weights @ moved[..., None])[..., 0]
        )
        return found


@dataclass(frozen=True)
class Simulated:
    """What a panel shows whose last period is treated: fits without each period, and the effects.

    Attributes
    ----------
    outcome : ndarray, shape (units, periods)
    treated : int
        The first units.
    """

    outcome: Floats
    treated: int

    @cached_property
    def everyone(self) -> Controls:
        """Of all other units, for each unit."""
        return self._controls(~np.eye(len(self.outcome), dtype=bool))

    @cached_property
    def from_untreated(self) -> Controls:
        """Of untreated units, for each treated one."""
        donors = np.tile(np.arange(len(self.outcome)) >= self.treated, (self.treated, 1))
        return self._controls(donors)

    def _controls(self, donors: Booleans) -> Controls:
        """Without each period before treatment, and last with all of them."""
        before = self.outcome.shape[1] - 1
        kept = np.vstack([~np.eye(before, dtype=bool), np.ones((1, before), dtype=bool)])
        return Controls.of(self.outcome[:, :-1], kept, donors)

    def errors(self, test: str, affected: int, spillover: float) -> Floats:
        """Average effects on the treated in the periods left out, and last that in the treated one.

        Parameters
        ----------
        test : str
        affected : int
            Units after the treated ones that are taken for affected.
        spillover : float
            Added to their outcome in the last period.
        """
        late = self.outcome.T.copy()
        late[-1, self.treated : self.treated + affected] += spillover
        if test == IGNORED:
            controls = self.everyone if self.treated == 1 else self.from_untreated
            gaps = controls.gaps(late)[:, : self.treated]
        else:
            gaps = self._solved(test, self.everyone.gaps(late), self.treated + affected)
        found: Floats = gaps[:, : self.treated].mean(axis=1)
        return found

    def _solved(self, test: str, gaps: Floats, involved: int) -> Floats:
        remainder = np.eye(gaps.shape[1]) - self.everyone.weights
        if test == STRUCTURE:
            inverse = np.linalg.pinv(remainder[:, :, :involved])
        else:
            inverse = np.linalg.inv(remainder[:, :involved, :involved])
        found: Floats = (inverse @ gaps[:, : inverse.shape[2], None])[..., 0]
        return found

    def residuals(self, test: str, affected: int) -> Floats:
        """Average effects before treatment by the fit to all these periods."""
        early = self.outcome[:, :-1].T
        last = Controls(self.everyone.levels[-1:], self.everyone.weights[-1:])
        gaps = np.concatenate([last.gaps(each[None]) for each in early])
        if test == IGNORED:
            return gaps[:, 0]
        remainder = np.eye(gaps.shape[1]) - last.weights[0]
        found: Floats = gaps @ np.linalg.pinv(remainder[:, : 1 + affected])[0]
        return found


def pvalue(errors: Floats) -> float:
    """Rank of the last error among all of them, as EndOfSample's."""
    sizes = np.abs(errors)
    return float((sizes >= sizes[-1]).mean())


def few_treated(draws: int, seed: int) -> pd.DataFrame:
    """Tests × numbers of treated units, with 4 affected units and 39 periods before treatment."""
    table = {}
    for treated, units in CASES:
        tests = [STRUCTURE, IGNORED] if treated == 13 else [STRUCTURE, IGNORED, INCLUSIVE]
        found: dict[str, list[bool]] = {test: [] for test in tests}
        for stream in np.random.SeedSequence([seed, treated]).spawn(draws):
            panel = Simulated(outcomes(np.random.default_rng(stream), units, 40), treated)
            for test in tests:
                errors = panel.errors(test, AFFECTED, SPILLOVER)
                found[test].append(pvalue(errors) <= 0.05 + 1e-12)
        table[f"{treated} of {units}"] = {test: 100 * np.mean(row) for test, row in found.items()}
    return pd.DataFrame(table)


def paper_cells(draws: int, seed: int) -> pd.DataFrame:
    """The paper's cells with 10 units and 50 periods: tests and rules × kinds of spillover."""
    found: dict[str, dict[str, list[bool]]] = {kind: {} for kind in KINDS}
    for stream in np.random.SeedSequence(seed).spawn(draws):
        panel = Simulated(outcomes(np.random.default_rng(stream), 10, 51), 1)
        for kind, (named, spillover) in KINDS.items():
            for test in (STRUCTURE, IGNORED):
                errors = panel.errors(test, named, spillover)
                sizes, residuals = np.abs(errors), np.abs(panel.residuals(test, named))
                rules = {
                    "left out, rank": pvalue(errors) <= 0.05,
                    "left out, quantile": sizes[-1] > np.quantile(sizes[:-1], 0.95, method="hazen"),
                    "one fit, quantile": sizes[-1] > np.quantile(residuals, 0.95, method="hazen"),
                }
                for rule, rejects in rules.items():
                    found[kind].setdefault(f"{test}, {rule}", []).append(bool(rejects))
    return pd.DataFrame(
        {
            kind: {name: 100 * np.mean(row) for name, row in rows.items()}
            for kind, rows in found.items()
        }
    )


def lines_of(table: pd.DataFrame) -> list[str]:
    """The table as Markdown, the paper's rates in brackets where a row is one of its tests."""
    lines = ["| | " + " | ".join(table.columns) + " |", "|---" * (1 + table.shape[1]) + "|"]
    for name, row in table.iterrows():
        cells = []
        for kind, value in row.items():
            known = f" ({QUOTED[kind, name]})" if (kind, name) in QUOTED else ""
            cells.append("–" if np.isnan(value) else f"{value:.1f}{known}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def page(few: pd.DataFrame, draws: int, paper: pd.DataFrame, paper_draws: int) -> list[str]:
    """Both tables and what they are."""

    def error(number: int) -> str:
        points = 100 * np.sqrt(0.05 * 0.95 / number)
        return f"{number:,} draws per cell: a rate of 5% has standard error {points:.1f} points."

    return [
        "# Rejections of a true null of no direct effect at 5% when treatment leaks (simulated)",
        "",
        "Per cent. Made by `python benchmarks/size_leaking.py --draws "
        f"{draws} --paper {paper_draws}`.",
        "",
        "## Few treated units, 4 affected, 39 periods before treatment",
        "",
        f"p-values of EndOfSample as it comes, periods left out one at a time. {error(draws)}",
        "",
        *lines_of(few),
        "",
        "## The simulation design of Cao and Dowd, 10 units, 50 periods before treatment",
        "",
        f"{error(paper_draws)} The effect is compared with the errors of periods that the fit "
        "leaves out one at a time, or with the residuals of one fit: by rank, as EndOfSample does, "
        "or with their 95% quantile, which of 50 is the third largest as MATLAB counts, the "
        "language of the paper's program. If all 51 errors were exchangeable the rank would reject "
        "in 2 of 51 draws, 3.9%, and the quantile in 3, 5.9%. In brackets the paper's rates, of "
        "1,000 draws, as the documentation of mlsynth quotes them (not checked against the paper). "
        "The paper draws loadings once for each cell, and they are not known; here each draw has "
        "its own.",
        "",
        *lines_of(paper),
    ]


def main() -> None:
    """Simulate, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--paper", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lines = page(
        few_treated(options.draws, options.seed),
        options.draws,
        paper_cells(options.paper, options.seed),
        options.paper,
    )
    target = Path(__file__).parent / "results" / "size_leaking.md"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
