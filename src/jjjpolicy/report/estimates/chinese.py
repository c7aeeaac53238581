"""Names of methods, and what these say of an estimate, in Chinese.

Sentences that are not listed stay in English.
"""

from __future__ import annotations

import re

METHODS = {
    "AugmentedSyntheticControl": "增广合成控制法",
    "CallawaySantAnna": "Callaway–Sant'Anna 双重差分法",
    "ChaisemartinDHaultfoeuille": "de Chaisemartin–D'Haultfœuille 双重差分法",
    "ContinuousTreatment": "连续处理双重差分法",
    "DemeanedSyntheticControl": "去均值合成控制法",
    "ElasticNetSyntheticControl": "弹性网合成控制法",
    "EventStudy": "事件研究法",
    "ExtendedTWFE": "扩展双向固定效应模型",
    "GeneralizedSyntheticControl": "广义合成控制法",
    "Imputation": "插补估计法",
    "LocalProjections": "局部投影双重差分法",
    "MatrixCompletion": "矩阵补全法",
    "MultipleOutcomeSyntheticControl": "多结果合成控制法",
    "PanelDataApproach": "面板数据反事实法",
    "PartiallyPooledSyntheticControl": "部分合并合成控制法",
    "PenalizedSyntheticControl": "惩罚合成控制法",
    "SpilloverRings": "溢出圈层双重差分法",
    "Stacked": "堆叠双重差分法",
    "SunAbraham": "Sun–Abraham 事件研究法",
    "SyntheticControl": "合成控制法",
    "SyntheticDiD": "合成双重差分法",
    "TripleDifference": "三重差分法",
    "TwoStage": "两阶段双重差分法",
    "TwoWayFixedEffects": "双向固定效应模型",
}

_SENTENCES = {
    # estimands
    "two-way fixed effects coefficient of treatment": "处理变量的双向固定效应系数",
    "average effect over treated cells": "全部受处理地区—时期的平均效应",
    "average effect over treated cells that can be estimated": (
        "全部可估计的受处理地区—时期的平均效应"
    ),
    "average effect over treated cells, with neighbours set aside": (
        "剔除邻近地区后全部受处理地区—时期的平均效应"
    ),
    "average of post-treatment group-time effects, weighted by cohort size": (
        "处理后各批次各时期效应按批次规模加权的平均"
    ),
    "average over treated units of their cohort's mean effect": (
        "处理组各地区所属批次平均效应的平均"
    ),
    "average over treated units of their cohort's mean effect, at their own dose": (
        "处理组各地区在自身处理强度下所属批次平均效应的平均"
    ),
    "average over treated periods of the mean effect in the period": "各处理时期平均效应的平均",
    "average over event times from 0 on of the mean effect at the event time": (
        "事件时间 0 及以后各期平均效应的平均"
    ),
    "mean event-study coefficient from event time 0 on, weighted by observations": (
        "事件时间 0 及以后各期系数按观测值加权的平均"
    ),
    "DID_M: average effect on switchers in the period of the switch": (
        "DID_M：处理状态改变者在改变当期的平均效应"
    ),
    "average total effect per unit of treatment": "每单位处理的平均总效应",
    # inference methods
    "placebo over units": "地区安慰剂检验",
    "placebo over units (one-sided, greater)": "地区安慰剂检验（单侧，大于）",
    "placebo over units (one-sided, less)": "地区安慰剂检验（单侧，小于）",
    "placebo dates": "时间安慰剂检验",
    "Conley-Taber": "Conley–Taber 推断",
    "Ferman-Pinto": "Ferman–Pinto 推断",
    "debiased t-test": "去偏 t 检验",
    "prediction intervals": "预测区间",
    "conformal, moving block permutations": "共形推断（移动区块置换）",
    "conformal, iid permutations": "共形推断（独立同分布置换）",
    "influence function (units independent)": "影响函数（地区相互独立）",
    # notes
    "Placebo dates give no interval.": "时间安慰剂检验不给出区间。",
    "Covariates and predictors are taken as unaffected by treatment.": (
        "假定协变量与预测变量不受处理影响。"
    ),
    "The interval holds the constant effects that are not rejected.": (
        "区间由未被拒绝的常数效应组成。"
    ),
}

_PATTERNS = {
    r"mean over event times of the effect on the cohorts in the stack, event times (.+) to (.+)": (
        r"堆叠样本各批次在事件时间 \1 至 \2 的效应的平均"
    ),
    r"pooled effect over event times (.+), equally weighted": r"事件时间 \1 的合并效应，等权",
    r"pooled effect over event times (.+), variance-weighted": r"事件时间 \1 的合并效应，方差加权",
    r"clustered by (.+) and (.+) \((.+)\)": r"按 \1 与 \2 双向聚类（\3）",
    r"clustered by (.+) \((.+)\)": r"按 \1 聚类（\2）",
    r"Borusyak-Jaravel-Spiess, clustered by (.+)": r"Borusyak–Jaravel–Spiess，按 \1 聚类",
    r"(?:two-stage GMM|influence functions), clustered by (.+)": r"按 \1 聚类",
    r"de Chaisemartin-D'Haultfœuille, clustered by (.+)": (
        r"de Chaisemartin–D'Haultfœuille，按 \1 聚类"
    ),
    r"cluster bootstrap by (.+)": r"按 \1 的聚类自助法",
    r"wild cluster bootstrap by (.+) \((.+)\)": r"按 \1 的 野蛮聚类自助法（\2）",
    r"jackknife by (.+) \((.+)\)": r"按 \1 的刀切法（\2）",
    r"randomisation \((.+)\)": r"随机化推断（\1）",
    r"Conley \((.+) km, (.+)\)": r"Conley 空间标准误（\1 公里，\2）",
    r"Driscoll-Kraay \((.+) lags\)": r"Driscoll–Kraay 标准误（滞后 \1 期）",
    r"all (\S+) placebo assignments at the level '(.+)'; smallest attainable p-value (\S+)\.": (
        r"按“\2”层级的全部 \1 种安慰剂分配；可达到的最小 p 值为 \3。"
    ),
    r"a sample of (\S+) placebo assignments at the level '(.+)'; smallest attainable p-value "
    r"(\S+)\.": r"按“\2”层级抽取 \1 种安慰剂分配；可达到的最小 p 值为 \3。",
    r"(\S+) of (\S+) placebos left out: pre-treatment RMSPE above (\S+) times that of the "
    r"treated\.": r"剔除 \2 个安慰剂中的 \1 个：其处理前 RMSPE 超过处理组的 \3 倍。",
    r"(\S+) placebo dates, (\S+) to (\S+); smallest attainable p-value (\S+)\.": (
        r"\2 至 \3 共 \1 个安慰剂时点；可达到的最小 p 值为 \4。"
    ),
    r"Smallest attainable p-value (\S+)\.": r"可达到的最小 p 值为 \1。",
    r"(\S+) draws, seed (\d+); smallest attainable p-value (\S+)\.": (
        r"\1 次抽样，随机种子 \2；可达到的最小 p 值为 \3。"
    ),
    r"all (\S+) sign vectors; smallest attainable p-value (\S+)\.": (
        r"全部 \1 种符号向量；可达到的最小 p 值为 \2。"
    ),
    r"cohort (\S+) is a single (.+): its own variation cannot be estimated, and standard errors "
    r"with it are too small\. Use randomisation inference\.": (
        r"\1 批次仅一个 \2：其自身变异无法估计，所得标准误偏小；请用随机化推断。"
    ),
    r"(\S+) periods are too few for a 95% interval\.": r"\1 个时期不足以给出 95% 区间。",
    r"seed (\d+)\.": r"随机种子 \1。",
    r"p-values: (.+)\.": r"p 值：\1。",
    r"(\S+) draws, seed (\d+)\.": r"\1 次抽样，随机种子 \2。",
    r"(\S+) clusters, t distribution with (\S+) degrees of freedom\.": (
        r"\1 个聚类，自由度为 \2 的 t 分布。"
    ),
    r"Only (\d+) of (\d+) clusters (?:is|are) treated: clustered errors are then too small and "
    r"this p-value rejects too often; use RandomizationInference for the headline\.": (
        r"\2 个聚类中仅 \1 个受处理：聚类标准误因而偏小，该 p 值拒绝过度；"
        r"主要结论请用 RandomizationInference。"
    ),
    r"Averages of similar effects \(averaging='(.+)'\) for (.+) rest on a single (.+): their "
    r"effects do not contribute to this standard error, which is then too small; choose a coarser "
    r"averaging\.": (
        r"\2 的同类效应平均（averaging='\1'）仅依赖一个 \3：其效应不计入标准误，标准误因而偏小；"
        r"请选择更粗的平均方式。"
    ),
    r"(\S+) groups left out in turn\.": r"逐一剔除 \1 个组。",
    r"all (\S+) (?:given )?assignments at the level '(.+)', the actual one included; smallest "
    r"attainable p-value (\S+)\.": (
        r"按“\2”层级的全部 \1 种分配（含实际分配）；可达到的最小 p 值为 \3。"
    ),
    r"a sample of (\S+) of (.+) assignments at the level '(.+)', the actual one included; smallest "
    r"attainable p-value (\S+)\.": (
        r"按“\3”层级从 \2 种分配中抽取 \1 种（含实际分配）；可达到的最小 p 值为 \4。"
    ),
    r"Set aside with the treated, as treatment may affect them: (.+)\.": (
        r"与受处理地区一并剔除（可能受处理影响）：\1。"
    ),
    r"Named as affected, and never treated in another's place: (.+)\.": (
        r"已列明受影响，不充当安慰剂处理单元：\1。"
    ),
    r"An interval would take a hypothesised effect off the treated units and leave all others as "
    r"they are, while (.+) lets treatment affect them; use EndOfSample or PlaceboUnits\.": (
        r"不给出区间：求区间时只从受处理地区扣除假设的效应，而 \1 允许处理影响其他地区；"
        r"请用 EndOfSample 或 PlaceboUnits。"
    ),
}


def in_chinese(text: str) -> str:
    """A name or sentence of a method in Chinese; as it is where none is known."""
    if text in _SENTENCES:
        return _SENTENCES[text]
    for form, words in _PATTERNS.items():
        found = re.fullmatch(form, text)
        if found:
            return found.expand(words)
    return text


def method_in_chinese(label: str) -> str:
    """The name of an estimator in Chinese, beside the one that users write."""
    for name, words in METHODS.items():
        if label == name or label.startswith(f"{name} "):
            return f"{words}（{label}）"
    return label
