"""A throw-away paper on simulated data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from jjjpolicy.report import (
    Column,
    Interval,
    Language,
    Number,
    Panel,
    PValue,
    Row,
    StandardError,
    Table,
    Text,
    words,
)
from jjjpolicy.report.figures.figure import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

ENGLISH = r"""---
title: A specimen on simulated data
author:
  - name: A. N. Author
    affiliation: Simulated University
date: 2026
abstract: |
  Everything here is simulated. The effect is {{ number("effects", "gdp/tianjin/att", ".3f") }}.

  **摘要**　本文全部数据均为模拟数据，仅用于检查排版。
---

# Introduction {#sec:introduction}

@tbl:effects shows SIMULATED effects; [-@fig:gaps] is the number of the figure. See also
[@tbl:effects; @fig:gaps] and @eq:twfe. The literature [@example2010; @sample2021] is cited, and
@example2010 in the text. Output
{% if value("effects", "gdp/tianjin/att") < 0 %}fell{% else %}rose{% endif %} by
{{ number("effects", "gdp/tianjin/att", ".1f", scale=-100) }} per cent
(p {{ pvalue("effects", "gdp/tianjin/p", relation=True) }}). An inline
formula, $\hat\tau_t = Y_{1t} - Y_{0t}$.

::: {#tbl:effects .table}
:::

::: {#eq:twfe .equation}
$$Y_{it} = \alpha_i + \lambda_t + \tau D_{it} + \varepsilon_{it}$$
:::

The text goes on after the equation, as text does, so that one sees how paragraphs are set in the
body of the paper and how wide a line is.

::: {#fig:gaps .figure}
:::

A second paragraph with 50% & more, a_b, #1 and 3 < 4.

# Conclusion

- one item
- another item
"""

CHINESE = r"""---
title: 模拟数据样稿
author:
  - name: 某某
    affiliation: 模拟大学
abstract: |
  本文全部数据均为模拟数据。效应为 {{ number("effects", "gdp/tianjin/att", ".3f") }}。
---

# 引言

@tbl:effects 给出模拟数据的估计结果，@fig:gaps 给出缺口，模型见 @eq:twfe。京津冀协同发展的政策效应
如何评估，是区域经济学的重要问题 [@example2010; @sample2021]，见 @many2022。

::: {#tbl:effects .table}
:::

::: {#eq:twfe .equation}
$$Y_{it} = \alpha_i + \lambda_t + \tau D_{it} + \varepsilon_{it}$$
:::

::: {#fig:gaps .figure}
:::
"""

BIBLIOGRAPHY = """@article{example2010,
  author = {Example, Ann and Other, Bob}, title = {A made-up article}, journal = {Journal of
  Specimens}, year = {2010}, volume = {1}, pages = {1--2}}
@article{sample2021,
  author = {Sample, Carl}, title = {Another made-up article}, journal = {Journal of Specimens},
  year = {2021}, volume = {2}, pages = {3--4}}
@article{many2022,
  author = {First, Ann B. and Second, Bo and Third, Cy and Fourth, Di}, title = {Many authors},
  journal = {Journal of Specimens}, year = {2022}, volume = {3}, number = {4}, pages = {5--6}}
"""

CHINESE_BIBLIOGRAPHY = """@book{sample2021,
  langid = {chinese}, author = {{甲研究所} and {乙研究所}}, title = {模拟年鉴}, date = {2019/2021},
  publisher = {示例出版社}, address = {北京}}
"""


def specimen_table() -> Table:
    """A table with spanning headings, panels, missing cells and awkward characters."""
    did, sc = Text("Difference-in-differences", "双重差分"), Text("Synthetic control", "合成控制")
    estimate = Text("Estimate", "估计值")
    return Table(
        id="effects",
        caption=Text("Simulated effects by region", "模拟数据的分地区效应"),
        columns=(
            Column(estimate, did),
            Column("p", did),
            Column(estimate, sc),
            Column("p", sc),
            Column(Text("95% interval", "95%置信区间")),
        ),
        panels=(
            Panel(
                Text("A. Log GDP", "A. 地区生产总值（对数）"),
                (
                    Row(
                        Text("Tianjin", "天津"),
                        (
                            Number(-0.1234),
                            PValue(0.00001),
                            Number(12.5),
                            PValue(0.25),
                            Interval(-0.3, 0.1),
                        ),
                    ),
                    Row("", (StandardError(0.0312), "", StandardError(1.2), "", "")),
                    Row(
                        Text("Hebei", "河北"),
                        (Number(0.05), PValue(0.5), None, None, Interval(-0.3, 0.1)),
                    ),
                ),
            ),
            Panel(
                "B. 50% & R_D #1 $x$ <script>alert(1)</script> |",
                (
                    Row(
                        "=cmd 中文",
                        (
                            Number(-0.0001),
                            PValue(0.032),
                            Number(1.5),
                            PValue(1.0),
                            Interval(-1.3, 10.1),
                        ),
                    ),
                ),
            ),
        ),
        stub=Text("Region", "地区"),
        notes=(
            Text("SIMULATED data. Standard errors in parentheses.", "模拟数据。括号内为标准误。"),
        ),
        missing=Text("not estimated, too few pre-periods.", "政策前时期过少，未估计。"),
    )


def specimen_figure() -> Figure:
    """A figure that needs Chinese glyphs in its Chinese version."""

    def draw(language: Language) -> Drawing:
        import matplotlib.pyplot as plt

        from jjjpolicy.report.figures.style import style

        with style(language):
            figure, axes = plt.subplots(figsize=(3.4, 2.2))
            axes.plot([2012, 2014, 2016], [0.0, 0.1, -0.2])
            axes.set_title(words(Text("Simulated gap", "模拟缺口"), language))
        return figure

    return Figure(
        id="gaps",
        caption=Text("Simulated gap", "模拟数据的缺口"),
        draw=draw,
        notes=(Text("SIMULATED data.", "模拟数据。"),),
    )


def write_specimen(folder: Path) -> None:
    """Write the paper's sources and artefacts."""
    specimen_table().save(folder / "tables")
    specimen_figure().save(folder / "figures")
    (folder / "results").mkdir()
    effects = {"gdp": {"tianjin": {"att": -0.1234, "p": 0.00001}}}
    (folder / "results" / "effects.json").write_text(json.dumps(effects))
    (folder / "references.bib").write_text(BIBLIOGRAPHY)
    (folder / "references.zh.bib").write_text(CHINESE_BIBLIOGRAPHY, encoding="utf-8")
    (folder / "paper.md").write_text(ENGLISH, encoding="utf-8")
    (folder / "paper.zh.md").write_text(CHINESE, encoding="utf-8")
