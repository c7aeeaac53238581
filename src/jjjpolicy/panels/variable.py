"""Variables: what a column of a panel holds, and what it is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from jjjpolicy.errors import DataError
from jjjpolicy.panels.formulas import Formula
from jjjpolicy.registry.lookup import unknown_name
from jjjpolicy.registry.regions import in_language


@dataclass(frozen=True)
class Break:
    """A period from which on a series follows another definition.

    Attributes
    ----------
    year : int
        The first period of the new definition.
    reason_en, reason_zh : str
    """

    year: int
    reason_en: str
    reason_zh: str


@dataclass(frozen=True)
class Variable:
    """What a column of a panel holds.

    Attributes
    ----------
    name : str
        The column.
    label_en, label_zh : str
        Names for tables and figures.
    unit, unit_en, unit_zh : str
        Unit of measure: an identifier, and how it is written.
    definition : str
    formula : str
        How the variable is computed from others; empty for published figures.
    additive : bool
        Whether the value of several units together is the sum of theirs.
    source, vintage : str
    breaks : tuple of Break
        Where the definition changes; figures on two sides of a break do not compare.
    """

    name: str
    label_en: str = ""
    label_zh: str = ""
    unit: str = ""
    unit_en: str = ""
    unit_zh: str = ""
    definition: str = ""
    formula: str = ""
    additive: bool = False
    source: str = ""
    vintage: str = ""
    breaks: tuple[Break, ...] = ()

    def label(self, language: str, *, with_unit: bool = False) -> str:
        """Name in ``"en"`` or ``"zh"``, with the unit of measure in brackets if asked for.

        Parameters
        ----------
        language : {"en", "zh"}
        with_unit : bool

        Returns
        -------
        str
        """
        label = in_language(language, self.label_en, self.label_zh) or self.name
        measure = in_language(language, self.unit_en, self.unit_zh) if with_unit else ""
        if not measure:
            return label
        return f"{label}（{measure}）" if language == "zh" else f"{label} ({measure})"


def with_inputs(names: Iterable[str], variables: Mapping[str, Variable]) -> set[str]:
    """The names and, for derived variables, everything that they are computed from.

    Raises
    ------
    DataError
        A name is not among the variables.
    """
    kept: set[str] = set()
    queue = [names] if isinstance(names, str) else list(names)
    while queue:
        name = queue.pop()
        if name not in variables:
            raise unknown_name("variable", name, variables)
        if name not in kept:
            kept.add(name)
            if variables[name].formula:
                queue += Formula(variables[name].formula).inputs
    return kept


def completed(variable: Variable, described: Mapping[str, Variable]) -> Variable:
    """A derived variable with the vintage, source and breaks of its inputs.

    Raises
    ------
    DataError
        An input is not described; or two vintages would be joined in one series.
    """
    names = Formula(variable.formula).inputs
    for name in names:
        if name not in described:
            raise unknown_name("variable", name, described)
    inputs = [described[name] for name in names]
    vintages = dict.fromkeys(v.vintage for v in inputs)
    if "otherwise(" in variable.formula and len(vintages) > 1:
        raise DataError(
            f"{variable.formula!r} joins figures of {len(vintages)} vintages "
            f"({', '.join(vintages)}) in one series, {variable.name!r}; a series has one vintage: "
            f"build one panel for each and compare the results."
        )
    breaks = dict.fromkeys(each for v in inputs for each in v.breaks)
    return replace(
        variable,
        breaks=variable.breaks or tuple(sorted(breaks, key=lambda each: each.year)),
        vintage=variable.vintage or "; ".join(vintages),
        source=variable.source or "; ".join(dict.fromkeys(v.source for v in inputs)),
    )
