"""Words that several tables and figures of the paper print, in English and Chinese."""

from __future__ import annotations

from jjjpolicy.report import Text, format_number

ESTIMATE = Text("Estimate", "估计值")
STANDARD_ERROR = Text("Std. error", "标准误")
PVALUE = Text("p-value", "p 值")
PLACEBO_P = Text("Placebo p", "安慰剂 p 值")
CLUSTERED_P = Text("Clustered p", "聚类 p 值")
RATIO_P = Text("RMSPE-ratio p", "RMSPE 比 p 值")
PRE_RMSPE = Text("Pre-RMSPE", "政策前 RMSPE")
INTERVAL = Text("95% interval", "95% 置信区间")
TREATED = Text("Treated", "处理组")
METHODS = {
    "did": Text("Difference-in-differences", "双重差分"),
    "sdid": Text("Synthetic DiD", "合成双重差分"),
    "sc": Text("Synthetic control", "合成控制"),
    "dsc": Text("Demeaned SC", "去均值合成控制"),
    "asc": Text("Augmented SC", "增广合成控制"),
    "psc": Text("Penalized SC", "惩罚合成控制"),
    "elastic": Text("Elastic-net SC", "弹性网合成控制"),
    "gsc": Text("Generalized SC", "广义合成控制"),
    "mc": Text("Matrix completion", "矩阵补全"),
}
MAIN_METHODS = {key: METHODS[key] for key in ("did", "sc")}
SINGLE = {
    "beijing": Text("Beijing", "北京"),
    "tianjin": Text("Tianjin", "天津"),
    "hebei": Text("Hebei", "河北"),
}
GROUPS = {
    **SINGLE,
    "together": Text("The three together", "三地合并"),
}
CITIES = {
    "beijing": Text("Beijing", "北京"),
    "tianjin": Text("Tianjin", "天津"),
    "shijiazhuang": Text("Shijiazhuang", "石家庄"),
    "together": Text("The three cities together", "三市合并"),
}
REGION = Text("Jing-Jin-Ji", "京津冀")
VINTAGES = {
    "before_2018_census": Text("Before the 2018 census", "四经普修订前"),
    "after_2018_census": Text("After the 2018 census", "四经普修订后"),
    "nbs_2024": Text("Held in 2024", "2024 年口径"),
}
NOMINAL = Text(
    "Gross regional product is nominal; year effects absorb national prices only.",
    "地区生产总值为名义值，年份固定效应仅能吸收全国性价格变动。",
)
OLD_CITIES = Text(
    "Large cities: product and value added as published before the 2018 census revision; the "
    "series ends in 2017.",
    "大城市数据为第四次全国经济普查修订前的公布值，序列止于 2017 年。",
)
PLACEBO = Text(
    "Placebo p-values rank the estimate among those of all sets of as many untreated provinces, "
    "itself included; the treated provinces are never in each other's donor pool.",
    "安慰剂 p 值为估计值在全部同等数量的未处理省份组合的估计值（含其自身）中的位次；"
    "三个处理省份互不作为对照。",
)
PLACEBO_UNITS = Text(
    "Placebo p-values rank the estimate among those of all untreated units (or sets of as many "
    "units), itself included.",
    "安慰剂 p 值为估计值在全部未处理单元（或同等数量的单元组合）"
    "的安慰剂估计值（含其自身）中的位次。",
)
RMSPE = Text(
    "RMSPE is the root mean squared prediction error; the ratio divides that after treatment by "
    "that before. Where the error before treatment is large, as for R&D intensity in Beijing, no "
    "weighted average of provinces comes near the treated one and the placebo p-value says "
    "nothing; the RMSPE-ratio p-value allows for it. Clustered p-values (by province) are shown "
    "for comparison only: with so few treated clusters they are far too small.",
    "RMSPE 为均方根预测误差，RMSPE 比为政策后与政策前之比。政策前误差较大时（如北京的研发强度），"
    "任何省份加权均无法拟合处理省份，安慰剂 p 值不具参考意义，应以 RMSPE 比 p 值为准。"
    "聚类 p 值（按省份聚类）仅供对照：处理组聚类数过少时，该 p 值严重偏小。",
)
EXACT = Text("exact fit", "完全拟合")
EXACT_FIT = Text(
    "Exact fit: an average of donors meets the treated unit in every year before the policy, as it "
    "easily does where such years are few; the ratio of errors then says nothing.",
    "“完全拟合”指对照组加权平均与处理单元在政策前各年完全重合；政策前年份较少时极易出现这种情况，"
    "此时 RMSPE 比不提供任何信息。",
)


def lettered(letter: str, text: Text) -> Text:
    """Heading of a panel: ``A. Log gross regional product``."""
    return Text(f"{letter}. {text.en}", f"{letter}. {text.zh}")


def window(first: int, last: int) -> Text:
    """Note on the years of the sample."""
    return Text(f"Years {first} to {last}.", f"样本期为 {first} 至 {last} 年。")


def size(value: float) -> str:
    """A number inside a note."""
    return format_number(value)


def amount(value: float) -> str:
    """A whole number inside a note."""
    return format_number(value, 0, grouping=True)
