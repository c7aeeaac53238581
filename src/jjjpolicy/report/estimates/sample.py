"""The lines of a summary that tell of the design: sample, treated, controls, what was left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from jjjpolicy.report.estimates.digest import Digest, Line, table_of
from jjjpolicy.report.text import Language, Text, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jjjpolicy.design.design import Design
    from jjjpolicy.design.ledger import Ledger

MOST_NAMES = 6
MOST_ENTRIES = 15
"""Names in a line, and entries of the ledger in a table."""
_ITEMS = {
    "unit": "个地区",
    "period": "个时期",
    "cell": "个观测",
    "effect": "个效应",
    "note": "条说明",
}


def design_digest(design: Design, language: Language) -> Digest:
    """A design as it shows itself in a notebook."""
    outcome = design.labels.outcome_in(language)
    table = design.ledger.dropna(axis=1, how="all").fillna("")
    ledger = words(Text("Ledger", "剔除记录"), language)
    shown = table.iloc[:MOST_ENTRIES].reset_index(drop=True)
    return Digest(
        words(Text(f"Design: {outcome}", f"研究设计：{outcome}"), language),
        design.labels.outcome,
        tuple(sample_lines(design, language)),
        (table_of(ledger, shown, language),) if len(shown) else (),
        language,
    )


def sample_lines(
    design: Design, language: Language, unused: Sequence[str] = (), options: str = ""
) -> Iterator[Line]:
    """Sample, treated and control units, level of assignment, covariates and ledger.

    Parameters
    ----------
    design : Design
    language : "en" or "zh"
    unused : sequence of str
        Covariates that do not enter the estimate.
    options : str
        Of the estimator.
    """

    def line(en: str, zh: str, english: str, chinese: str) -> Line:
        chosen = (zh, chinese) if language == "zh" else (en, english)
        return Line(chosen[0], (chosen[1],))

    first, last = design.period_names[0], design.period_names[-1]
    units, observations = design.count(), design.n_observations
    yield line(
        "sample",
        "样本",
        f"{units} units × {design.n_periods} periods ({first}–{last}), {observations} observations",
        f"{units} 个地区 × {design.n_periods} 个时期（{first}–{last}），{observations} 个观测",
    )
    treated, more = design.units[design.treated], design.count(design.treated)
    shown = [design.labels.unit_in(unit, language) for unit in treated[:MOST_NAMES]]
    listed = ("、" if language == "zh" else ", ").join(shown)
    listed += ", …" if len(treated) > MOST_NAMES else ""
    cohorts = ", ".join(map(str, design.labels.clock.names(design.cohorts[:MOST_NAMES])))
    known = design.stands_for is None
    yield line(
        "treated",
        "处理组",
        f"{more}{f' ({listed})' if known else ''}, first treated in {cohorts}",
        f"{more} 个{f'（{listed}）' if known else ''}，首次处理于 {cohorts}",
    )
    never = design.count(~design.treated)
    yield line("controls", "对照组", f"{never} never treated", f"{never} 个从未受处理")
    if design.assigned_at != design.labels.unit:
        groups, own = (
            design.count_clusters(design.assignment, *chosen) for chosen in ((), (design.treated,))
        )
        level = design.assigned_at
        yield line(
            "assigned at",
            "分配层级",
            f"{level}: {groups}, of which {own} treated",
            f"{level}：{groups} 个，其中 {own} 个受处理",
        )
    if design.covariates:
        yield line(
            "covariates",
            "协变量",
            ", ".join(f"{n} (not used)" if n in unused else n for n in design.covariates),
            "、".join(f"{n}（未使用）" if n in unused else n for n in design.covariates),
        )
    if options:
        yield line("options", "选项", options, options)
    yield line("ledger", "剔除记录", *_counted(design.left_out))


def _counted(ledger: Ledger) -> tuple[str, str]:
    """Entries of the ledger by kind, in English and in Chinese."""
    numbers = Counter(item for item, *_ in ledger.entries)
    flags = numbers.pop("flag", 0)
    english = ", ".join(
        f"{number} {item}{'' if number == 1 else 's'}" for item, number in numbers.items()
    )
    chinese = "、".join(f"{number} {_ITEMS.get(item, item)}" for item, number in numbers.items())
    told = [f"left out: {english}" if english else "nothing left out"]
    written = [f"剔除 {chinese}" if chinese else "无剔除"]
    if flags:
        told.append(f"{flags} flagged figure{'' if flags == 1 else 's'} kept")
        written.append(f"保留 {flags} 个存疑数值")
    if english or flags:
        told.append("see design.ledger")
        written.append("见 design.ledger")
    return "; ".join(told), "；".join(written)
