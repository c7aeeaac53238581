"""Panel: units × periods with labels, units of measure, sources and vintages."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from jjjpolicy.errors import DataError
from jjjpolicy.linalg.brief import ShownAsHTML
from jjjpolicy.panels.formulas import Formula
from jjjpolicy.panels.frames import as_frame
from jjjpolicy.panels.variable import Break, Variable, completed, with_inputs
from jjjpolicy.registry.lookup import unknown_name
from jjjpolicy.registry.regions import regions

__all__ = ["Break", "Panel", "Variable"]


@dataclass(frozen=True, eq=False)
class Panel(ShownAsHTML):
    """Observations of variables for units over periods.

    Attributes
    ----------
    frame : DataFrame
        One row per unit and period, in the order of units and periods (a table of Polars or Arrow
        becomes one); columns ``unit``, ``time``
        and one per variable. Missing values are ``nan``; nothing is filled.
    variables : dict of str to Variable
        One per column, in the same order.
    unit, time : str
        Columns with the unit and the period.
    name, vintage : str
        Which data these are.
    national : DataFrame
        The published national figures, with the columns of ``frame``; kept apart so that they are
        never taken for a unit.
    names_en, names_zh : dict of str to str
        Names of units.
    flags : DataFrame
        Figures that look odd and are kept as published: columns unit, time, variable and check.
    area_changes : DataFrame
        Units whose figures cover another area from some period on: columns unit, time and reason.

    Raises
    ------
    DataError
        A column without description, or the reverse; two rows for one unit and period; a missing
        unit, a period that is not an integer, a value that is not a finite number.
    """

    frame: pd.DataFrame
    variables: Mapping[str, Variable]
    unit: str = "region_code"
    time: str = "year"
    name: str = ""
    vintage: str = ""
    national: pd.DataFrame = field(default_factory=pd.DataFrame)
    names_en: Mapping[str, str] = field(default_factory=dict)
    names_zh: Mapping[str, str] = field(default_factory=dict)
    flags: pd.DataFrame = field(default_factory=pd.DataFrame)
    area_changes: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", as_frame(self.frame))
        columns = [self.unit, self.time, *self.variables]
        for name in columns:
            if name not in self.frame.columns:
                raise unknown_name("column", name, map(str, self.frame.columns))
        extra = [name for name in self.frame.columns if name not in columns]
        if extra:
            raise DataError(
                f"column {extra[0]!r} has no entry in variables=; describe it with Variable(…) or "
                f"leave it out."
            )
        frame = self.frame[columns]
        self._check(frame)
        if not frame.set_index([self.unit, self.time]).index.is_monotonic_increasing:
            frame = frame.sort_values([self.unit, self.time], kind="stable")
        frame = frame.reset_index(drop=True)
        object.__setattr__(self, "frame", frame)

    def _check(self, frame: pd.DataFrame) -> None:
        if not pd.api.types.is_integer_dtype(frame[self.time]):
            raise DataError(f"column {self.time!r} must hold integers, such as years.")
        if frame[self.unit].isna().any():
            row = frame.index[int(np.argmax(frame[self.unit].isna()))]
            raise DataError(f"row {row!r} has no value in column {self.unit!r}.")
        again = frame.duplicated([self.unit, self.time])
        if again.any():
            first = frame[again].iloc[0]
            same = (frame[self.unit] == first[self.unit]) & (frame[self.time] == first[self.time])
            rows = ", ".join(map(str, frame.index[same]))
            raise DataError(
                f"{self.unit} {first[self.unit]!r} has {int(same.sum())} rows for "
                f"{first[self.time]} (rows {rows}); keep one."
            )
        for name, dtype in frame.dtypes[list(self.variables)].items():
            if not pd.api.types.is_numeric_dtype(dtype):
                raise DataError(f"column {name!r} does not hold numbers.")
        infinite = np.isinf(frame[list(self.variables)].to_numpy(dtype=float))
        for i, k in np.argwhere(infinite)[:1]:
            row, name = frame.iloc[int(i)], list(self.variables)[int(k)]
            raise DataError(
                f"column {name!r} is infinite for {self.unit} {row[self.unit]!r} in "
                f"{row[self.time]}."
            )

    # ------------------------------------------------------------------ construction
    @classmethod
    def from_long(
        cls,
        long: pd.DataFrame,
        variables: Iterable[Variable],
        *,
        unit: str = "region_code",
        time: str = "year",
        nation: str = "",
        **attributes: Any,
    ) -> Panel:
        """Build a panel from one row per unit, period and variable.

        Parameters
        ----------
        long : DataFrame
            Columns ``unit``, ``time``, ``variable``, ``value`` and ``vintage``.
        variables : iterable of Variable
            The published variables to take.
        unit, time : str
            Names of the columns with the code of the unit and the period.
        nation : str
            Code of the national rows, which go to :attr:`national`.
        **attributes
            Further attributes of the panel.

        Raises
        ------
        DataError
            A series that mixes vintages, or two rows for one unit, period and variable.
        """
        described = {variable.name: variable for variable in variables}
        long = long[long["variable"].isin(list(described))]
        mixed = long.groupby("variable")["vintage"].unique()
        for name, found in mixed.items():
            if len(found) > 1:
                raise DataError(
                    f"variable {name!r} comes in {len(found)} vintages ({', '.join(found)}); a "
                    f"series has one vintage: build one panel for each and compare the results."
                )
        keys = [unit, time, "variable"]
        again = long.duplicated(keys)
        if again.any():
            first = long[again].iloc[0]
            raise DataError(
                f"variable {first['variable']!r} has two rows for {unit} {first[unit]!r} in "
                f"{first[time]} (the second is row {long.index[again][0]}); keep one."
            )
        wide = long.pivot(index=[unit, time], columns="variable", values="value")
        wide = wide.reindex(columns=list(described)).astype(float)
        wide.columns.name = None
        wide = wide.reset_index()
        is_nation = wide[unit] == nation
        return cls(
            frame=wide[~is_nation],
            variables=described,
            unit=unit,
            time=time,
            national=wide[is_nation].reset_index(drop=True),
            **attributes,
        )

    # ------------------------------------------------------------------ labels
    @property
    def units(self) -> tuple[str, ...]:
        """Units, in order."""
        return tuple(self.frame[self.unit].unique())

    @property
    def periods(self) -> tuple[int, ...]:
        """Periods, increasing."""
        return tuple(int(period) for period in np.unique(self.frame[self.time]))

    def label(self, name: str, language: str, *, with_unit: bool = False) -> str:
        """Name of a variable, with its unit of measure if asked for.

        Parameters
        ----------
        name, language, with_unit : str, {"en", "zh"}, bool
        """
        return self._variable(name).label(language, with_unit=with_unit)

    def unit_names(self, language: str) -> dict[Hashable, str]:
        """Names of the units in ``"en"`` or ``"zh"``, by code."""
        names = {"en": self.names_en, "zh": self.names_zh}
        if language not in names:
            raise unknown_name("language", language, names)
        return {unit: names[language].get(unit, str(unit)) for unit in self.units}

    def _variable(self, name: str) -> Variable:
        if name not in self.variables:
            raise unknown_name("variable", name, self.variables)
        return self.variables[name]

    def __repr__(self) -> str:
        title = " ".join(part for part in (self.name, self.vintage and f"({self.vintage})") if part)
        periods = self.periods
        span = f"{periods[0]}-{periods[-1]}" if periods else "none"
        return (
            f"<Panel {title or 'without name'}: {len(self.units)} units, periods {span}, "
            f"{len(self.variables)} variables: {', '.join(list(self.variables)[:6])}"
            f"{', …' if len(self.variables) > 6 else ''}>"
        )

    # ------------------------------------------------------------------ variations
    def select(
        self,
        *,
        units: Iterable[str] | None = None,
        periods: tuple[int, int] | None = None,
        variables: Iterable[str] | None = None,
    ) -> Panel:
        """The panel restricted to some units, periods or variables.

        Parameters
        ----------
        units : iterable of str, optional
        periods : (int, int), optional
            First and last, both included.
        variables : iterable of str, optional
            The variables from which derived ones are computed stay too.

        Raises
        ------
        DataError
            An unknown unit or variable, or no period left.
        """
        frame, national, described = self.frame, self.national, dict(self.variables)
        if units is not None:
            wanted = list(units)
            for unit in wanted:
                self._require_unit(unit)
            frame = frame[frame[self.unit].isin(wanted)]
        if periods is not None:
            first, last = periods
            frame = frame[frame[self.time].between(first, last)]
            if frame.empty:
                raise DataError(
                    f"no period from {first} to {last}; the panel has {self.periods[0]} to "
                    f"{self.periods[-1]}."
                )
            if not national.empty:
                national = national[national[self.time].between(first, last)]
        if variables is not None:
            kept = with_inputs(variables, described)
            described = {name: described[name] for name in described if name in kept}
            columns = [self.unit, self.time, *described]
            frame = frame[columns]
            national = national if national.empty else national[columns]
        return replace(self, frame=frame, national=national, variables=described)

    def with_variable(
        self, variable: Variable, values: pd.Series | Sequence[float] | None = None
    ) -> Panel:
        """The panel with one more variable.

        Parameters
        ----------
        variable : Variable
            With a formula, the values are computed from it, for the national figures too.
        values : Series or sequence, optional
            For a variable without formula: one value per row of ``frame``, in its order; a Series
            is matched by index.

        Raises
        ------
        DataError
            The name is taken, the number of values differs, both or neither of formula and values
            are given, or the formula cannot be computed.
        """
        if bool(variable.formula) == (values is not None):
            raise DataError(
                f"variable {variable.name!r} needs either a formula or values, and not both."
            )
        if values is None:
            return self.with_formulas([variable])
        self._require_new(variable.name, self.variables)
        if len(values) != len(self.frame):
            raise DataError(
                f"variable {variable.name!r} has {len(values)} values for {len(self.frame)} rows."
            )
        if isinstance(values, pd.Series) and not values.index.equals(self.frame.index):
            raise DataError(
                f"the index of variable {variable.name!r} is not that of the panel's frame."
            )
        national = self.national
        if not national.empty:
            national = national.assign(**{variable.name: np.nan})
        return replace(
            self,
            frame=self.frame.assign(**{variable.name: values}),
            national=national,
            variables={**self.variables, variable.name: variable},
        )

    def with_formulas(self, variables: Iterable[Variable]) -> Panel:
        """The panel with several derived variables; later ones may use earlier ones.

        Raises
        ------
        DataError
            A name is taken, or a formula cannot be computed.
        """
        described = dict(self.variables)
        frame, national = self.frame.copy(deep=False), self.national.copy(deep=False)
        for variable in variables:
            self._require_new(variable.name, described)
            described[variable.name] = completed(variable, described)
            for table in (frame, national):
                if table is frame or not table.empty:
                    table[variable.name] = self._computed(variable, table)
        return replace(self, frame=frame, national=national, variables=described)

    def aggregate(self, codes: Iterable[str], code: str, name_en: str, name_zh: str) -> Panel:
        """The panel with several units joined into one.

        Additive variables are summed; derived ones are computed anew from their formulas. A period
        in which a value of any member is missing stays missing.

        Parameters
        ----------
        codes : iterable of str
            Units to join; they leave the panel.
        code, name_en, name_zh : str
            Code and names of the new unit. A policy treats it as ``policy.treating([code])``.

        Raises
        ------
        DataError
            Fewer than two codes, an unknown code, a code that is taken, or a variable that is
            neither additive nor derived: such a figure cannot be had from those of the members.
        """
        members = list(dict.fromkeys(codes))
        for unit in members:
            self._require_unit(unit)
        if len(members) < 2:
            raise DataError(f"an aggregate needs at least two units, got {members!r}.")
        if code in self.units:
            raise DataError(f"the panel already has a unit {code!r}; use another code.")
        stuck = [v.name for v in self.variables.values() if not v.additive and not v.formula]
        if stuck:
            rest = [name for name in self.variables if name not in stuck]
            raise DataError(
                f"{', '.join(map(repr, stuck))} cannot be joined over units: a published ratio of "
                f"several units is not the sum of theirs, and no formula says how to compute it. "
                f"Leave it out first: panel.select(variables=[v for v in panel.variables if v not "
                f"in {stuck!r}]) keeps the other {len(rest)}."
            )
        inside = self.frame[self.unit].isin(members)
        additive = [v.name for v in self.variables.values() if v.additive]
        by_period = self.frame[inside].groupby(self.time)
        joined = by_period[additive].sum(min_count=len(members))
        joined = joined.reset_index().assign(**{self.unit: code})
        frame = pd.concat([self.frame[~inside], joined], ignore_index=True)
        is_joined = (frame[self.unit] == code).to_numpy()
        flags, area_changes = (
            listed if listed.empty else listed.replace({"unit": dict.fromkeys(members, code)})
            for listed in (self.flags, self.area_changes)
        )
        for variable in self.variables.values():
            if not variable.additive:
                frame.loc[is_joined, variable.name] = self._computed(variable, frame)[is_joined]
        return replace(
            self,
            frame=frame,
            names_en={**self.names_en, code: name_en},
            names_zh={**self.names_zh, code: name_zh},
            flags=flags,
            area_changes=area_changes,
        )

    # ------------------------------------------------------------------ parts
    def _require_unit(self, unit: str) -> None:
        if unit not in self.units:
            hint = regions.instead_of(str(unit), self.units)
            if hint:
                raise DataError(f"the panel does not hold {self.unit} {unit!r}. {hint}")
            known = [f"{code} ({name})" for code, name in self.unit_names("en").items()]
            raise unknown_name(self.unit, unit, known)

    def _computed(self, variable: Variable, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        return Formula(variable.formula).values(frame, self.unit, self.time)

    def _require_new(self, name: str, described: Mapping[str, Variable]) -> None:
        if name in (*described, self.unit, self.time):
            raise DataError(f"the panel already has a column {name!r}; use another name.")
