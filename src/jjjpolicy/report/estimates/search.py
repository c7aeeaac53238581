"""Where the search for predictor weights ended, and what other local minima there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.report.estimates.digest import DIGITS, Line
from jjjpolicy.report.tables.cells import decimals, format_number
from jjjpolicy.report.text import Language, Text, words

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.synth.weights.nested_search import VSearch

# Local minima listed, and the share of weight from which donors count as different.
MINIMA, SAME = 3, 0.01


def search_lines(estimate: Estimate, language: Language) -> Iterator[Line]:
    """Where the search for predictor weights ended, and how donors differ at other local minima."""
    searches: dict[Hashable, VSearch] = estimate.details.get("search", {})
    for unit, search in list(searches.items())[:MINIMA]:
        if not len(search.donors):
            continue
        name = f"{unit}: " if len(searches) > 1 else ""
        digits = decimals([search.loss], DIGITS)
        loss, bound = (format_number(v, digits) for v in (search.loss, search.lower_bound))
        texts = [
            Text(
                f"{name}loss {loss}, none can be below {bound}",
                f"{name}损失 {loss}，下界为 {bound}",
            )
        ]
        if not search.unique:
            texts.append(
                Text(
                    "several predictor weights lead to the same donors",
                    "多组预测变量权重给出相同的对照地区",
                )
            )
        texts += _others(search)
        label = words(Text("search for V", "V 的搜索"), language)
        yield Line(label, tuple(words(text, language) for text in texts))


def _others(search: VSearch) -> Iterator[Text]:
    """The best local minima with other donors."""
    shown: list[NDArray[np.float64]] = []
    donors = search.donors
    for k, (loss, distance) in enumerate(search.starts[["loss", "distance"]].to_numpy()):
        row = donors.iloc[k]
        known = any(np.abs(row - other).sum() < 2 * SAME for other in shown)
        if distance < SAME or known or len(shown) == MINIMA:
            continue
        shown.append(row.to_numpy())
        parts = row[row >= SAME].sort_values(ascending=False)
        listed = ", ".join(f"{donor} {weight:.2f}" for donor, weight in parts.iloc[:6].items())
        printed = format_number(loss, decimals([loss], DIGITS))
        yield Text(
            f"a local minimum with loss {printed} has {distance:.0%} of the weight on other "
            f"donors: {listed}",
            f"损失为 {printed} 的局部极小值有 {distance:.0%} 的权重落在其他对照地区：{listed}",
        )
