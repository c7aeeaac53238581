"""Variables: what a column of a panel holds, and what it is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jjjpolicy.panels.formulas import Formula
from jjjpolicy.registry.lookup import unknown_name
from jjjpolicy.registry.regions import in_language


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

    def label(self, language: str, *, with_unit: bool = False) -> str:
        """Name in ``"en"`` or ``"zh"``, with the unit of measure in brackets if asked for."""
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
