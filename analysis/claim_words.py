"""What the review article claims, in our own words, and what its recommendations ask for."""

from __future__ import annotations

from jjjpolicy.report import Text

PROGRESS = {
    "P1": Text(
        "National policies came into being in 2014-2015: Outline (June 2015), 50:50 tax rule (June "
        "2015), transfer plan with five districts, belts and chains (November 2015).",
        "2014—2015 年形成国家层面政策体系：规划纲要（2015 年 6 月）、"
        "税收五五分享办法（2015 年 6 月）、"
        "“五区五带五链”产业转移规划（2015 年 11 月）。",
    ),
    "P2": Text(
        "The three governments aligned their rules: four agreements on zones in 2014, the opinion "
        "on platforms of 2017, agreements on science 2018-2020.",
        "三地政策对接：2014 年四项共建协议、2017 年承接平台意见、2018—2020 年科技合作协议。",
    ),
    "P3": Text(
        "Beijing controlled growth: catalogues of 2014, 2015 and 2018; 23,400 registrations "
        "refused in 2014-2020.",
        "北京严控增量：2014、2015、2018 年版禁限目录；2014—2020 年不予办理登记 2.34 万件。",
    ),
    "P4": Text(
        "Beijing relieved stock: campaign of 2017-2020; nearly 3,000 general manufacturers out and "
        "about 1,000 markets relieved by 2020.",
        "北京疏解存量：2017—2020 年专项行动；截至 2020 年退出一般制造业企业近 3000 家、"
        "疏解提升市场和物流中心约 1000 个。",
    ),
    "P5": Text(
        "Tianjin receives: 1+16 platforms; 28.96 billion yuan from Beijing and Hebei in the first "
        "quarter of 2021, over 30% of its domestic capital.",
        "天津承接：“1+16”平台；2021 年一季度京冀投资 289.6 亿元，占引进内资的 30% 以上。",
    ),
    "P6": Text(
        "Hebei receives: 1+5+4+33 platforms; 24,800 legal entities, 165 innovation platforms and "
        "95 alliances by 2020.",
        "河北承接：“1+5+4+33”平台；截至 2020 年承接法人单位 2.48 万个、"
        "共建创新平台 165 家、产业技术联盟 95 家。",
    ),
    "P7": Text(
        "Xiong'an: over 3,000 firms by 2020, 83.96% with Beijing investment; Langfang's north and "
        "Tongzhou: over 120 projects, 80 billion yuan.",
        "雄安新区：截至 2020 年本级注册企业 3000 余家，83.96% 有北京投资背景；"
        "北三县与通州：签约项目 120 余个，总投资 800 亿元。",
    ),
    "P8": Text(
        "The spatial layout improved: one core, two cities, three axes, four zones, nodes; two "
        "pairs of wings became engines.",
        "空间布局优化：“一核、双城、三轴、四区、多节点”；两对“两翼”成为新动力源。",
    ),
    "P9": Text(
        "From late-middle industrial to post-industrial: 5.2:41.3:53.5 (2014) to 4.8:28.0:67.2 "
        "(2020).",
        "由工业化中后期迈入后工业化阶段：三次产业结构由 5.2∶41.3∶53.5（2014 年）"
        "变为 4.8∶28.0∶67.2（2020 年）。",
    ),
    "P10": Text(
        "2020: Beijing 83.8% tertiary, high-tech 25.6% and strategic emerging industry 24.8% of "
        "product; Tianjin's high-tech value added +4.6%; Hebei 10.7:37.6:51.7.",
        "2020 年：北京第三产业占 83.8%，高技术产业、战略性新兴产业分别占 25.6%、24.8%；"
        "天津高技术产业增加值增长 4.6%；河北产业结构 10.7∶37.6∶51.7。",
    ),
    "P11": Text(
        "Four models of relocation: Zhongguancun (8,800 branches), remote supervision (98 drug "
        "firms in Cangzhou), enclaves, tax split 40/40/20 (over 100 firms in Qinhuangdao).",
        "四种转移模式：中关村模式（分支机构 8800 家）、异地监管（沧州北京药企 98 家）、"
        "飞地经济、税收分成 4∶4∶2（秦皇岛 100 余家）。",
    ),
}
PROBLEMS = {
    "Q1": Text(
        "Mismatch: of the functions that Beijing wants to shed only wholesale and logistics moves "
        "easily; services and headquarters are wanted but blocked.",
        "供需错配：北京拟疏解功能中仅批发物流易于转移；公共服务和总部机构为津冀所需却难以转出。",
    ),
    "Q2": Text(
        "Platforms are many, scattered and alike (2+4+46, 1+16, 1+5+4+33); agglomeration is weak.",
        "承接平台数量多、布局散、同质化（“2+4+46”“1+16”“1+5+4+33”），集聚效应弱。",
    ),
    "Q3": Text(
        "Division of labour stays vertical between industries; Hebei is locked in at the low end.",
        "分工仍以产业间垂直分工为主，河北被锁定于低端环节。",
    ),
    "Q4": Text(
        "Innovation and industry chains do not meet: R&D intensity 2019 of 6.3, 3.3 and 1.6; 47.9% "
        "of Beijing's R&D funds are the government's; it sells about four times as much technology "
        "to the Yangtze belt as to Tianjin and Hebei.",
        "创新链与产业链脱节：2019 年研发强度为 6.3、3.3、1.6；北京研发经费中政府资金占 47.9%；"
        "北京流向长江经济带的技术约为流向津冀的 4 倍。",
    ),
    "Q5": Text(
        "Sharing tax alone, at one ratio and one scope, is too narrow; conflicts remain.",
        "仅分享税收，且比例、范围单一，利益共享面过窄，增量利益矛盾依然存在。",
    ),
    "Q6": Text(
        "Factors do not flow freely; Beijing sheds low-end factors and keeps high-end ones.",
        "要素流动不畅；北京疏解低端要素、保留高端要素。",
    ),
    "Q7": Text(
        "Research resources are not shared; Beijing's science platforms spill over little.",
        "科研资源跨区域共享不足，北京科技平台外溢有限。",
    ),
}
RECOMMENDATIONS = {
    "R1": Text("Let centres radiate.", "增强中心城市辐射带动作用。"),
    "R2": Text(
        "Manage platforms dynamically: merge weak ones, specialise.",
        "承接平台动态管理：整合弱小平台，推进专业化。",
    ),
    "R3": Text(
        "Build clusters across borders, led by chain leaders.", "以“链主”企业带动跨区域产业集群。"
    ),
    "R4": Text(
        "Tie innovation to industry; a Beijing-Tianjin-Xiong'an triangle.",
        "创新链与产业链融合，打造京津雄创新三角。",
    ),
    "R5": Text(
        "Build shared mechanisms: co-ordination, one market, wider sharing of benefits.",
        "完善共建共享机制：统筹协调、统一市场、拓宽利益分享。",
    ),
}
