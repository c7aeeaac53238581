"""What each published finding is set beside, and why the two differ, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from jjjpolicy.report import Text


@dataclass(frozen=True)
class Comparison:
    """One published finding.

    Attributes
    ----------
    place, finding : Text
        Where, and what the study states; the English words are those of the registry.
    nearest : str
        Key of our nearest estimate; empty where there is none.
    reason : Text
        Why the two differ, or why nothing can be set beside it.
    """

    place: str
    finding: str
    nearest: str
    reason: Text


NEAREST = {
    "tertiary_hebei": Text(
        "Tertiary share of Hebei, points, demeaned SC", "河北第三产业占比（百分点），去均值合成控制"
    ),
    "product_beijing": Text("Log product of Beijing, SC", "北京生产总值（对数），合成控制"),
    "product_hebei": Text("Log product of Hebei, SC", "河北生产总值（对数），合成控制"),
    "product_region": Text(
        "Log product of the region, demeaned SC", "京津冀生产总值（对数），去均值合成控制"
    ),
    "sulphur_beijing": Text(
        "Log industrial SO2 of Beijing, synthetic DiD", "北京工业二氧化硫（对数），合成双重差分"
    ),
    "product_cities": Text(
        "Log product of Hebei's cities, synthetic DiD", "河北各市生产总值（对数），合成双重差分"
    ),
    "investment_cities": Text(
        "Log foreign investment in Hebei's cities, synthetic DiD",
        "河北各市实际使用外资（对数），合成双重差分",
    ),
    "technology": Text(
        "Log technology bought, three together, SC", "三地合并吸纳技术合同（对数），合成控制"
    ),
}
AVERAGE_GAP = Text(
    "Theirs is a gain by year; ours is the average gap from 2015 on, to be read with its p-value.",
    "原研究为逐年增量，本文为 2015 年起的平均差距，应结合 p 值解读。",
)
NO_DATA = Text(
    "No comparable series here: fine particles begin in 2017.",
    "本文无可比数据：细颗粒物数据始于 2017 年。",
)
COMPARISONS = (
    Comparison(
        "河北", "第三产业占比每年提高 2.53 个百分点（2014—2018 年）", "tertiary_hebei", AVERAGE_GAP
    ),
    Comparison("河北", "PM2.5 每年下降 11.1（2014—2017 年；摘要写作百分点）", "", NO_DATA),
    Comparison(
        "河北", "对生产总值增速无显著影响", "product_hebei", Text("They agree.", "两者一致。")
    ),
    Comparison(
        "北京、河北、天津",
        "北京为正，河北为负，天津先正后负（摘要未给出数值）",
        "product_beijing",
        Text(
            "Theirs ends in 2018, before the census revision; no number to compare.",
            "原研究止于 2018 年，使用普查修订前数据，且无数值可比。",
        ),
    ),
    Comparison(
        "区域整体",
        "人均生产总值增速：早期平均 −15% 至 −16%（最大 −21.06%），协同发展后 +3% 至 +4%"
        "（最大 +8.6%）",
        "product_region",
        Text(
            "Theirs is growth per head and dated by two turns of policy; ours is the level of "
            "product after 2015.",
            "原研究为人均增速，以两次政策转向断代；本文为 2015 年后总量水平。",
        ),
    ),
    Comparison(
        "距北京 200 公里内的河北县",
        "政策贡献 40.74%，核心区通过第三产业发挥作用",
        "product_cities",
        Text(
            "Their controls lie in the same province, where the policy acts too; ours lie outside.",
            "原研究的对照县同在河北，亦受政策影响；本文对照组在区域之外。",
        ),
    ),
    Comparison(
        "河北",
        "对人均生产总值和城镇居民收入的贡献分别为 50.6% 和 67.4%",
        "product_hebei",
        Text(
            "A break in time has no controls: whatever else changed in that year is in it.",
            "时间断点没有对照组，同期其他变化均被计入。",
        ),
    ),
    Comparison(
        "北京、天津；河北",
        "绿色发展：北京、天津为正，河北不显著",
        "sulphur_beijing",
        Text(
            "Theirs is an index; emissions also fell with the clean-air campaign.",
            "原研究为综合指数；排放下降亦受大气污染防治行动影响。",
        ),
    ),
    Comparison(
        "各城市",
        "要素流动强度和全要素生产率均为正，中心城市和功能承接城市更强（摘要无系数）",
        "investment_cities",
        Text(
            "Other outcomes, and no coefficient to compare; the policy reached whole provinces.",
            "结果变量不同，且无系数可比；政策覆盖的是整个省级地区。",
        ),
    ),
    Comparison(
        "三地",
        "科技创新为正，北京最强，河北滞后",
        "technology",
        Text(
            "Beijing has no comparable province in research, so that its control does not fit.",
            "北京科研水平无可比省份，合成控制难以拟合。",
        ),
    ),
    Comparison(
        "区域",
        "技术转移效率（数据包络分析）为正",
        "technology",
        Text("Theirs is an efficiency score, ours a value.", "原研究为效率值，本文为成交额。"),
    ),
    Comparison(
        "边界两侧企业",
        "企业创新为正",
        "",
        Text("No firm records here.", "本文无企业微观数据。"),
    ),
    Comparison(
        "家庭",
        "经济风险下降，农村和中低收入家庭更明显",
        "",
        Text("No household records here.", "本文无家庭微观数据。"),
    ),
    Comparison(
        "13 个城市",
        "PM2.5 下降 1.951 微克/立方米（PM10 3.872、SO2 1.902 微克/立方米，"
        "CO 0.014 毫克/立方米），NO2 上升",
        "sulphur_beijing",
        Text(
            "Concentrations in 2018 under another policy; ours are emissions of industry.",
            "原研究为 2018 年另一政策下的浓度，本文为工业排放量。",
        ),
    ),
    Comparison(
        "河北",
        "人均生产总值（结果不在所见部分）",
        "product_hebei",
        Text("The stored part gives no result.", "所见部分未给出结果。"),
    ),
    Comparison(
        "三地",
        "商品市场一体化程度高且稳定，要素市场低且波动大（2001—2013 年）",
        "",
        Text("Ends before the policies.", "样本止于政策之前。"),
    ),
)
