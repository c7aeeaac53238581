"""Formulas of derived variables: arithmetic on columns, as written in the data dictionary.

A formula knows numbers, names of variables, ``+ - * /``, parentheses, ``log(x)`` (natural),
``total(x)`` (the sum of all units in the period), ``otherwise(x, y)`` (x, and y where x is missing)
and ``chained(x, 2015)`` (the level that is 1 in 2015 and whose value in each period is x per cent
of the period before). Nothing else is understood, and nothing is run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_OPERATORS: dict[type[ast.operator], Callable[..., NDArray[np.float64]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_ARGUMENTS = {"log": 1, "total": 1, "otherwise": 2, "chained": 2}


@dataclass(frozen=True)
class Formula:
    """A formula for one derived variable.

    Parameters
    ----------
    text : str
        For example ``100 * rd_expenditure / gdp``.

    Raises
    ------
    DataError
        The text is not a formula of the kind described above.
    """

    text: str

    def __post_init__(self) -> None:
        for node in ast.walk(self._tree):
            known = (
                isinstance(node, ast.BinOp | ast.Name | ast.Call | ast.Load)
                or type(node) in _OPERATORS
                or (isinstance(node, ast.Constant) and type(node.value) in (int, float))
            )
            if isinstance(node, ast.Call):
                known = (
                    isinstance(node.func, ast.Name)
                    and len(node.args) == _ARGUMENTS.get(node.func.id)
                    and not node.keywords
                )
            if not known:
                raise DataError(
                    f"cannot read the formula {self.text!r}; it may hold numbers, variables, "
                    f"+ - * /, parentheses, log(x), total(x), otherwise(x, y) and chained(x, year)."
                )

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError:
            raise DataError(f"cannot read the formula {self.text!r}.") from None

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The variables that the formula uses, in order of appearance."""
        nodes = [node for node in ast.walk(self._tree) if isinstance(node, ast.Name)]
        names = [node.id for node in sorted(nodes, key=lambda node: node.col_offset)]
        return tuple(dict.fromkeys(name for name in names if name not in _ARGUMENTS))

    def values(self, frame: pd.DataFrame, unit: str, time: str) -> NDArray[np.float64]:
        """Value of the formula in each row; ``nan`` where an input is missing.

        Parameters
        ----------
        frame : DataFrame
            Holds the inputs, one row per unit and period.
        unit, time : str
            Columns with the unit and the period.

        Returns
        -------
        ndarray, shape (rows,)

        Raises
        ------
        DataError
            A missing input column, the logarithm of a value that is not positive, or a division
            by zero; the message names unit and period.
        """
        absent = [name for name in self.inputs if name not in frame.columns]
        if absent:
            raise DataError(
                f"the formula {self.text!r} needs {', '.join(map(repr, absent))}, which the panel "
                f"does not hold; load it too."
            )

        def refuse(where: NDArray[np.bool_], problem: str) -> None:
            if where.any():
                row = frame.iloc[int(np.argmax(where))]
                raise DataError(
                    f"{self.text!r}: {problem} for {unit} {row[unit]!r} in {row[time]}; "
                    f"leave it out with select(…) or use another variable."
                )

        def value(node: ast.expr) -> NDArray[np.float64]:
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
                return np.full(len(frame), float(node.value))
            if isinstance(node, ast.Name):
                return frame[node.id].to_numpy(dtype=float)
            if isinstance(node, ast.BinOp):
                left, right = value(node.left), value(node.right)
                if isinstance(node.op, ast.Div):
                    refuse(right == 0, "division by zero")
                return _OPERATORS[type(node.op)](left, right)
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Name)
            argument = value(node.args[0])
            if node.func.id == "log":
                refuse(argument <= 0, "logarithm of a value that is not positive")
                return np.log(argument)
            if node.func.id == "otherwise":
                return np.where(np.isnan(argument), value(node.args[1]), argument)
            if node.func.id == "chained":
                refuse(argument <= 0, "no level follows from a change that is not positive")
                return _chained(frame, unit, time, argument, value(node.args[1]))
            _, codes = np.unique(frame[time].to_numpy(), return_inverse=True)
            return np.asarray(np.bincount(codes, weights=argument)[codes], dtype=float)

        return value(self._tree)


def _chained(
    frame: pd.DataFrame,
    unit: str,
    time: str,
    change: NDArray[np.float64],
    base: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Level from yearly changes (period before = 100), 1 in the base period; ``nan`` past a gap."""
    periods = frame[time].to_numpy()
    first = int(periods.min(initial=int(base[0]))) if len(base) else 0
    units, rows = np.unique(frame[unit].to_numpy(), return_inverse=True)
    if not len(units):
        return change
    logs = np.full((len(units), int(max(periods.max(), base[0])) - first + 1), np.nan)
    logs[rows, periods - first] = np.log(change / 100)
    start = int(base[0]) - first
    after = np.cumsum(logs[:, start + 1 :], axis=1)
    before = -np.cumsum(logs[:, start:0:-1], axis=1)[:, ::-1]
    level = np.hstack([before, np.zeros((len(units), 1)), after])
    return np.asarray(np.exp(level[rows, periods - first]), dtype=float)
