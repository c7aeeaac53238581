"""The lasso for all penalties at once: its path is piecewise linear."""

from __future__ import annotations

import numpy as np

from jjjpolicy.linalg.types import Floats


def lasso_path(x: Floats, y: Floats, penalties: Floats) -> Floats:
    r"""Minimise ``||y - x b||² / (2 n) + penalty ||b||₁`` for each penalty, exactly.

    Follows the path from the penalty at which the first column enters down to the smallest one
    asked for, from one change of the active set to the next (Osborne, Presnell and Turlach 2000;
    Efron, Hastie, Johnstone and Tibshirani 2004, section 3.1). Below the penalty at which the fit
    is perfect or the active columns are collinear the coefficients stay as they are there.

    Parameters
    ----------
    x : ndarray, shape (rows, columns)
    y : ndarray, shape (rows,)
    penalties : ndarray, shape (penalties,)
        Positive, in any order.

    Returns
    -------
    ndarray, shape (penalties, columns)
    """
    rows, columns = x.shape
    gram = x.T @ x / rows
    correlation = x.T @ y / rows
    coefficients = np.zeros(columns)
    penalty = float(np.abs(correlation).max())
    floor = max(float(np.min(penalties)), 1e-10 * penalty)
    first = int(np.argmax(np.abs(correlation)))
    active, knots, values = [first], [penalty], [coefficients.copy()]
    left: int | None = None
    while penalty > floor and active:
        block = gram[np.ix_(active, active)]
        signs = np.sign(correlation[active])
        if np.linalg.cond(block) > 1e12:
            break
        direction = np.linalg.solve(block, signs)
        slope = gram[:, active] @ direction
        step, entering, leaving = penalty - floor, -1, -1
        others = np.setdiff1d(np.arange(columns), active)
        for j in others:
            for side in (1.0, -1.0):
                rate = 1.0 - side * slope[j]
                reach = (penalty - side * correlation[j]) / rate if rate > 1e-14 else np.inf
                # a column that has just left touches the bound and would come back at once
                if (j != left or reach > 1e-9 * penalty) and 0 <= reach < step:
                    step, entering, leaving = float(reach), int(j), -1
        with np.errstate(divide="ignore", invalid="ignore"):
            zeros = -coefficients[active] / direction
        for position, reach in enumerate(zeros):
            if 1e-12 * penalty < reach < step:
                step, entering, leaving = float(reach), -1, position
        coefficients = coefficients.copy()
        coefficients[active] += step * direction
        correlation = correlation - step * slope
        penalty -= step
        left = None
        if leaving >= 0:
            left = active.pop(leaving)
            coefficients[left] = 0.0
        elif entering >= 0:
            active.append(entering)
        knots.append(penalty)
        values.append(coefficients)
    path, table = np.array(knots[::-1]), np.array(values[::-1])
    return np.column_stack([np.interp(penalties, path, column) for column in table.T])
