"""What to report in a case, and what cannot be had in it, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jjjpolicy.inference.few_treated import MANY_CONTROLS, enough_controls
from jjjpolicy.report.text import Text

if TYPE_CHECKING:
    from jjjpolicy.advice.case import Case


def to_report(case: Case) -> Iterator[Text]:
    """What a table or a text on such an estimate says, beside the estimate."""
    yield Text(
        f"The level at which treatment was assigned ({case.level}), {case.treated} treated of "
        f"{case.groups}, and the estimand by its name.",
        f"政策在哪一层级实施（{case.level}），该层级 {case.groups} 个单位中有 {case.treated} "
        f"个受处理，以及估计量所对应的参数名称。",
    )
    if case.few and case.absorbing:
        yield Text(
            "The p-value of randomisation or placebo inference as the headline, with the smallest "
            "one that it could have been; clustered errors beside it, without stars.",
            "以随机化推断或安慰剂检验的 p 值为主要结果，并注明可达到的最小 p 值；"
            "聚类标准误并列给出，不标星号。",
        )
    elif case.few:
        yield Text(
            "Standard errors of a bootstrap over groups, with the warning that they count on more "
            "treated groups than there are.",
            "给出按组自助法标准误，并说明其可靠性要求更多的处理组。",
        )
    elif case.groups > case.treated:
        yield Text(
            f"Errors clustered at {case.level} (CRV2, or the restricted wild cluster bootstrap), "
            "and randomisation beside them.",
            f"按 {case.level} 聚类的标准误（CRV2，或施加原假设的野蛮聚类自助法），"
            f"并列给出随机化推断。",
        )
    if case.staggered and case.absorbing:
        yield Text(
            f"Adoption at {len(set(case.dates))} dates: an average of effects by cohort and "
            f"period (CallawaySantAnna, Imputation, SunAbraham) rather than a single coefficient "
            f"of two-way fixed effects; where two disagree, say why.",
            f"政策分 {len(set(case.dates))} 个时点实施：报告按队列与时期估计再加总的效应"
            f"（CallawaySantAnna、Imputation、SunAbraham），而非单一的双向固定效应系数；"
            f"若结果不一致，说明原因。",
        )
    if case.before[0] > 1:
        yield Text(
            "Effects by event time with those before adoption, and how far a departure from "
            "parallel trends could go before the conclusion changes (honest_did).",
            "按事件时间列示效应（包括实施之前），并说明平行趋势偏离到何种程度结论才会改变"
            "（honest_did）。",
        )
    if case.treated <= 3:
        yield Text(
            "For synthetic controls the fit before adoption, the donors' weights, and the estimate "
            "without each donor (leave_one_out).",
            "合成控制法：报告实施前的拟合程度、对照单位权重，以及逐一剔除对照单位后的估计值"
            "（leave_one_out）。",
        )
    if case.few:
        yield Text(
            "The smallest effect that the design would have found (minimum_detectable_effect), "
            "before a p-value above 0.05 is read as no effect.",
            "在把大于 0.05 的 p 值解读为“无效应”之前，先报告该设计所能识别的最小效应"
            "（minimum_detectable_effect）。",
        )


def not_to_be_had(case: Case) -> Iterator[Text]:
    """What no method gives in such a case."""
    yield from _of_ranks(case)
    if case.treated == 1:
        yield Text(
            "An error from the variation among treated groups: there is one. CRV2, CRV3 and the "
            "jackknife do not exist, CRV1 is far too small.",
            "无法由处理组之间的差异得到标准误，因为处理组只有一个：CRV2、CRV3 "
            "与刀切法不存在，CRV1 严重偏小。",
        )
    elif case.few:
        yield Text(
            f"Clustered errors that can be trusted on their own: {case.treated} treated groups are "
            f"too few.",
            f"聚类标准误不能单独采信：{case.treated} 个处理组太少。",
        )
    if case.few and case.absorbing and not enough_controls(case.treated, case.never):
        needed = MANY_CONTROLS * (case.treated + 1)
        yield Text(
            f"Tests on the residuals of controls (ConleyTaber, FermanPinto): with {case.treated} "
            f"treated they keep their size from about {needed} untreated {case.level} on, and "
            f"there are {case.never}.",
            f"基于对照组残差的检验（ConleyTaber、FermanPinto）不可用：处理组为 {case.treated} "
            f"个时，约需 {needed} 个未处理的 {case.level} 才能保持检验水平，此处只有 "
            f"{case.never} 个。",
        )
    if case.before[0] == 1:
        yield Text(
            "A look at trends before adoption: some treated groups have a single period there.",
            "无法检查实施前的趋势：部分处理组在实施前只有一期。",
        )
    if case.never == 0:
        yield Text(
            f"Synthetic controls and placebos over units: every {case.level} is treated in the "
            f"end. Comparisons are with those treated later, and end when the last one is.",
            f"合成控制法与安慰剂检验不可用：所有 {case.level} "
            f"最终都受处理。只能与较晚受处理者比较，最后一组受处理后即无从比较。",
        )
    elif not case.balanced:
        yield Text(
            "Synthetic controls, which need every unit in every period, unless units with gaps are "
            "left out (exclude=) or the window is narrowed.",
            "合成控制法要求每个单位每期都有观测值；除非剔除有缺失的单位（exclude=）或缩短窗口。",
        )
    elif case.donors > case.before[0] and case.absorbing:
        yield Text(
            f"Weights of a synthetic control that the outcome alone decides: {case.donors} donors "
            f"and {case.before[0]} periods before adoption. The range of effects that fit as well "
            f"is in the summary of the estimate.",
            f"仅凭结果变量无法唯一确定合成控制的权重：对照单位 {case.donors} 个，实施前仅 "
            f"{case.before[0]} 期。同样拟合的各组权重所对应的效应区间见估计结果摘要。",
        )
    if not case.absorbing:
        yield Text(
            "Randomisation, placebos and synthetic controls, which hand out first treated periods: "
            "treatment switches off here. ChaisemartinDHaultfoeuille estimates such designs.",
            "随机化推断、安慰剂检验与合成控制法以首次受处理时点为准，而此处处理状态可逆；"
            "此类设计可用 ChaisemartinDHaultfoeuille 估计。",
        )


def _of_ranks(case: Case) -> Iterator[Text]:
    """The smallest p-value of ranks, where it is above one per cent."""
    for name, count in (
        (Text("randomisation", "随机化推断"), case.randomisations),
        (Text("placebo inference", "安慰剂检验"), case.placebos),
    ):
        if not 1 < count < 100:
            continue
        least = 1 / count
        if least <= 0.05:
            beyond = Text("1% cannot be reached", "无法达到 1% 的显著性水平")
        else:
            widest = f"{100 * (1 - least):.1f}%"
            beyond = Text(
                f"neither 5% nor a 95% interval can be reached, {widest} is the widest",
                f"既达不到 5% 的显著性水平，也没有 95% 置信区间，最宽为 {widest}",
            )
        yield Text(
            f"By {name.en} no p-value below 1/{count} = {least:.3f}: {beyond.en}.",
            f"{name.zh}的 p 值不可能小于 1/{count} = {least:.3f}：{beyond.zh}。",
        )
