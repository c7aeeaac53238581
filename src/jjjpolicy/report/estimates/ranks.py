"""Where an estimate stands among placebos: by the effect itself, and relative to the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.report.estimates.digest import DIGITS, Line
from jjjpolicy.report.tables.cells import format_number, format_pvalue
from jjjpolicy.report.text import Language, Text, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jjjpolicy.estimation.estimate import Estimate


def rank_lines(estimate: Estimate, language: Language) -> Iterator[Line]:
    """Ranks of the effect and of the ratio of errors after and before treatment, as read.

    Abadie (2021, Journal of Economic Literature 59, section 3.5): placebos that do not fit before
    treatment have large gaps after it, which says nothing of the treated unit; the ratio of RMSPEs
    is free of that.
    """
    result = estimate.inference
    if result is None or "rmspe_pvalue" not in result.details:
        return
    total = 1 + len(result.details["placebo_rmspe_ratios"])

    def rank(pvalue: float) -> int:
        return round(pvalue * total)

    single = estimate.design.count(estimate.design.treated) == 1
    if single and result.pvalue is not None:
        at = rank(result.pvalue)
        yield _line(
            Text("rank", "位次"),
            Text(
                f"effect: {at} of {total}; its size among placebo effects, those of units that fit "
                f"badly before treatment included",
                f"效应：第 {at} 位，共 {total} 个；即效应大小在全部安慰剂效应中的位次，"
                f"含处理前拟合不佳者",
            ),
            language,
        )
    label = Text("RMSPE ratio", "RMSPE 比")
    ratio, before = result.details["rmspe_ratio"], result.details["placebo_pre_rmspe"]
    if np.isinf(ratio):
        alike = int((before == 0).sum())
        yield _line(
            label,
            Text(
                f"exact fit before treatment, as of {alike} of {len(before)} placebos: the ratio "
                f"says nothing",
                f"处理前完全拟合，{len(before)} 个安慰剂中有 {alike} 个亦然：该比值不提供信息",
            ),
            language,
        )
        return
    shown = format_number(ratio, DIGITS)
    pvalue = result.details["rmspe_pvalue"]
    printed, at = format_pvalue(pvalue), rank(pvalue)
    where = (
        Text(f"rank {at} of {total}, ", f"第 {at} 位，共 {total} 个，") if single else Text("", "")
    )
    yield _line(
        label,
        Text(
            f"{shown}   ({where.en}rank p-value {printed}: the effect relative to the fit before "
            f"treatment)",
            f"{shown}   （{where.zh}位次 p 值 {printed}：效应相对于处理前拟合误差的大小）",
        ),
        language,
    )


def _line(label: Text, text: Text, language: Language) -> Line:
    return Line(words(label, language), (words(text, language),))
