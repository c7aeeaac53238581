"""What advice holds, and its text for a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jjjpolicy.advice.evidence import (
    KEEPS,
    LEVEL,
    NONE,
    NOT_HERE,
    OFTEN,
    PERIODS,
    SELDOM,
    UNKNOWN,
    largest_kept,
)
from jjjpolicy.errors import DataError
from jjjpolicy.report.tables.layout import text_width
from jjjpolicy.report.text import LANGUAGES, Language, Text, words

if TYPE_CHECKING:
    from jjjpolicy.advice.case import Case

WIDTH = 100
HEADINGS = {
    KEEPS: Text("Reject a true hypothesis at 5% about as often as they should", "检验水平可靠"),
    OFTEN: Text("Reject too often", "拒绝过于频繁"),
    SELDOM: Text(
        "Reject too seldom: safe, and with little power", "拒绝过少：稳妥，但检验功效很低"
    ),
    NONE: Text("Give no p-value in such a case", "此情形下不给出 p 值"),
    UNKNOWN: Text("Nothing is known of these in such a case", "此情形下尚无依据的方法"),
    NOT_HERE: Text("Are not for this design", "不适用于此设计的方法"),
}


@dataclass(frozen=True, eq=False)
class Advice:
    """What a design allows.

    Attributes
    ----------
    case : Case
        Treated groups, dates, periods, donors.
    methods : DataFrame
        One row per pair of estimator and inference method: estimator, inference, verdict
        (``"keeps"``, ``"too often"``, ``"too seldom"``: how often a true hypothesis is rejected at
        5% against 5%; ``"no p-value"``; ``"no evidence"``; ``"not here"``: the design does not have
        what the method needs), least and largest (rejection rates over
        outcomes), draws (pseudo-policies behind them), panels (outcomes), treated (groups behind
        the evidence), smallest_pvalue (that ranks can give in this design).
    calibrated : bool
        Whether ``methods`` rests on the user's own panel, and not on the shipped table.
    report, limits : tuple of Text
        What to report, and what cannot be had.
    """

    case: Case
    methods: pd.DataFrame
    calibrated: bool
    report: tuple[Text, ...]
    limits: tuple[Text, ...]

    def __repr__(self) -> str:
        keeping = int((self.methods["verdict"] == "keeps").sum())
        return (
            f"<Advice: {self.case.treated} of {self.case.groups} {self.case.level} treated; "
            f"{keeping} of {len(self.methods)} methods keep their size; {len(self.limits)} limits>"
        )

    def summary(self, language: Language = "en") -> str:
        """The case, the methods, what to report, what cannot be had, as text for a terminal.

        Raises
        ------
        DataError
            Another language than ``"en"`` and ``"zh"``.
        """
        if language not in LANGUAGES:
            raise DataError(f"language={language!r}: choose 'en' or 'zh'.")
        return "\n".join(_lines(self, language))

    def to_frame(self) -> pd.DataFrame:
        """The methods, as in :attr:`methods`."""
        return self.methods.copy()


def _lines(advice: Advice, language: Language) -> Iterator[str]:
    case = advice.case
    title = words(Text(f"Before estimating {case.outcome}", f"估计 {case.outcome} 之前"), language)
    yield title
    yield "─" * text_width(title)
    for text in _case(case):
        yield from _wrapped(words(text, language), "", language)
    yield ""
    yield from _wrapped(words(_grounds(advice), language), "", language)
    for verdict, heading in HEADINGS.items():
        rows = advice.methods[advice.methods["verdict"] == verdict]
        if len(rows):
            yield words(heading, language) + words(Text(":", "："), language)
            yield from (_method(row, language) for row in rows.to_dict("records"))
    for heading, texts in (
        (Text("What to report", "应报告的内容"), advice.report),
        (Text("What cannot be had", "无法得到的内容"), advice.limits),
    ):
        if texts:
            yield ""
            yield words(heading, language)
            for text in texts:
                yield from _wrapped(words(text, language), "- ", language)


def _case(case: Case) -> Iterator[Text]:
    dates = sorted(set(case.dates))
    shown = ", ".join(map(str, case.clock.names(dates[:6]))) + (", …" if len(dates) > 6 else "")
    coarser = case.level != case.unit
    yield Text(
        f"{case.treated} of {case.groups} {case.level} treated, from {shown} on; "
        f"{case.never} never treated"
        + (f" ({case.units} {case.unit}, {case.donors} of them donors)." if coarser else "."),
        f"{case.groups} 个 {case.level} 中 {case.treated} 个受处理（起始时点：{shown}），"
        f"{case.never} 个从未受处理"
        + (
            f"（共 {case.units} 个 {case.unit}，其中 {case.donors} 个可作对照）。"
            if coarser
            else "。"
        ),
    )
    least, most = case.before
    before = str(least) if least == most else f"{least} to {most}"
    more = " or more" if case.staggered else ""
    yield Text(
        f"{case.periods} periods: {before} before adoption, {case.after}{more} from it on"
        f"{'' if case.balanced else '; some cells have no row'}"
        f"{'' if case.absorbing else '; treatment switches off again'}.",
        f"共 {case.periods} 期：实施前 {before.replace(' to ', ' 至 ')} 期，"
        f"实施后{'至少' if case.staggered else ''} {case.after} 期"
        f"{'' if case.balanced else '；部分单元格无观测值'}"
        f"{'' if case.absorbing else '；处理状态可逆'}。",
    )


def _grounds(advice: Advice) -> Text:
    """What the verdicts rest on."""
    draws = int(advice.methods["draws"].max())
    treated = advice.methods["treated"].max()
    if advice.calibrated:
        bound = f"{100 * largest_kept(draws, LEVEL):.1f}%"
        return Text(
            f"Methods, tried on pseudo-policies among your own {advice.case.never} untreated "
            f"{advice.case.level} ({draws} pseudo-policies, {treated:.0f} treated at a time); "
            f"share of true hypotheses rejected at 5%. With so many a test that keeps its size may "
            f"show up to {bound}:",
            f"以您数据中 {advice.case.never} 个未处理的 {advice.case.level} 模拟伪政策"
            f"（{draws} 个伪政策，每次 {treated:.0f} 个处理组），各方法在 5% "
            f"水平下拒绝真实原假设的比例。在此模拟次数下，水平可靠的检验也可能达到 {bound}：",
        )
    if np.isnan(treated):
        return Text(
            "Methods: the shipped evidence is on few treated groups. With as many as here errors "
            "clustered at the level of assignment are the usual choice where many others are "
            "untreated; calibrate=True tries them on your own panel.",
            "方法：随附的模拟依据只涉及少数处理组。处理组达到此处的数目、且仍有大量未处理组时，"
            "通常按政策实施层级聚类；用 calibrate=True 可在您自己的数据上检验。",
        )
    return Text(
        f"Methods, as pseudo-policies found them on Chinese provinces (28 untreated, 32 large "
        f"cities for one outcome; {PERIODS} years; {treated:.0f} treated at a time; up to {draws} "
        f"pseudo-policies on four outcomes); share of true hypotheses rejected at 5%. Your panel "
        f"may differ: calibrate=True tries them on it.",
        f"各方法在中国省级数据伪政策模拟中的表现（28 个未处理省份，其中一项结果变量用 32 "
        f"个大城市；{PERIODS} 年；每次 {treated:.0f} 个处理组；四项结果变量，至多 {draws} "
        f"个伪政策）：在 5% 水平下拒绝真实原假设的比例。您的数据可能不同，"
        f"可用 calibrate=True 在其上检验。",
    )


def _method(row: Mapping[Hashable, Any], language: Language) -> str:
    name = f"  {row['estimator']} × {row['inference']}"
    parts = []
    if pd.notna(row["largest"]):
        least, largest = (f"{100 * row[end]:.1f}%" for end in ("least", "largest"))
        parts.append(least if least == largest else f"{least}–{largest}")
    if pd.notna(row["smallest_pvalue"]):
        count = f"1/{round(1 / row['smallest_pvalue']):,}"
        parts.append(words(Text(f"smallest p {count}", f"最小 p 值 {count}"), language))
    return f"{name:<54}{words(Text('; ', '；'), language).join(parts)}".rstrip()


def _wrapped(text: str, bullet: str, language: Language) -> list[str]:
    """Lines of a paragraph; Chinese breaks anywhere, at half the number of characters."""
    indent = " " * len(bullet)
    if language == "en":
        return wrap(text, WIDTH, initial_indent=bullet, subsequent_indent=indent)
    lines, line = [], bullet
    for part in _breakable(text):
        if text_width(line + part) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent + part.lstrip()
        else:
            line += part
    return [*lines, line.rstrip()]


def _breakable(text: str) -> Iterator[str]:
    """Pieces between which a Chinese line may break: never before a stop, never within a word."""
    piece = ""
    for character in text:
        wide = text_width(character) == 2
        closing = character in "，。：；、）”"
        before = piece[-1:]
        apart = wide or before == " " or text_width(before) == 2
        if apart and before and not closing and before not in "（“":
            yield piece
            piece = ""
        piece += character
    yield piece
