"""What reaches the command line as a finished message, in Chinese: errors and warnings.

Such messages are made where no language is known: in the rooms below, and in the library that reads
the command line. Each is known by its form, in which names in braces stand for any words. What has
no form here stays in English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter

FORMS = {
    # How a command was written
    "Usage: {usage}": "用法：{usage}",
    "Missing command.": "缺少命令。",
    "Missing option {name}.": "缺少选项 {name}。",
    "Missing argument {name}.": "缺少参数 {name}。",
    "No such command {name}. Did you mean {close}?": "没有命令 {name}。是否想用 {close}？",
    "No such command {name}.": "没有命令 {name}。",
    "No such option: {name} (Possible options: {close})": "没有选项 {name}。相近的选项：{close}。",
    "No such option: {name}": "没有选项 {name}。",
    "No such option {name}. Did you mean {close}?": "没有选项 {name}。是否想用 {close}？",
    "No such option {name}. (Did you mean one of: {close}?)": (
        "没有选项 {name}。相近的选项：{close}。"
    ),
    "No such option {name}.": "没有选项 {name}。",
    "Option {name} does not take a value.": "选项 {name} 不带取值。",
    "Option {name} requires an argument.": "选项 {name} 后面缺少取值。",
    "Option {name} requires {count} arguments.": "选项 {name} 后面应有 {count} 个取值。",
    "Got unexpected extra argument{s} ({names})": "多余的参数：{names}。",
    "Invalid value for {name}: {message}": "{name} 的取值无效：{message}",
    "--language {language}: choose en or zh.": "--language {language}：请选 en 或 zh。",
    "option {option}: write key=value.": "选项 {option}：请写作 键=值。",
    "--inference-option needs --inference.": "--inference-option 须与 --inference 合用。",
    "--exclude {unit} is no {column} of the file.": "--exclude：文件的 {column} 列中没有 {unit}。",
    "unknown {kind} '{name}'. Did you mean {close}? Choices: {names}.": (
        "没有名为 '{name}' 的{kind}。是否想用 {close}？可选：{names}。"
    ),
    "unknown {kind} '{name}'. Choices: {names}.": "没有名为 '{name}' 的{kind}。可选：{names}。",
    "{method}: unknown option of {same} '{name}'. Did you mean {close}? Choices: {names}.": (
        "{method} 没有选项 '{name}'。是否想用 {close}？可选：{names}。"
    ),
    "{method}: unknown option of {same} '{name}'. Choices: {names}.": (
        "{method} 没有选项 '{name}'。可选：{names}。"
    ),
    # The file and its columns
    "there is no file '{name}' in '{folder}'.": "文件夹 '{folder}' 中没有文件 '{name}'。",
    "{file}: cannot read {kind}; use {kinds}.": "{file}：不能读取 {kind} 文件，请改用 {kinds}。",
    "{file} holds no rows.": "{file} 中没有数据行。",
    "{file} has two columns {name}; rename one.": "{file} 中有两列都叫 {name}，请给其中一列改名。",
    "column {name} is not in the table; did you mean {close}? It has: {names}.": (
        "表中没有名为 {name} 的列。是否想用 {close}？现有的列：{names}。"
    ),
    "column {name} is not in the table. It has: {names}.": (
        "表中没有名为 {name} 的列。现有的列：{names}。"
    ),
    "give exactly one of treatment= (a 0/1 column) and adoption= (a column with the first treated "
    "period).": "treatment=（0/1 列）与 adoption=（首个处理时期所在的列）须给出且只给出一个。",
    # Its rows
    "{count} (unit, period) pairs occur more than once: {cell}. Keep one row each; which of them "
    "is right the data cannot tell.": (
        "有 {count} 组“个体×时期”重复出现：{cell}。每组只保留一行；哪一行正确，数据本身无从判断。"
    ),
    "column {name} is missing for {cell}; drop these rows yourself if an unbalanced panel is what "
    "you want.": "列 {name} 有缺失：{cell}。如确需使用非平衡面板，请自行删除这些行。",
    "column {name} is infinite for {cell}; a logarithm of zero, perhaps: transform or drop these "
    "rows.": "列 {name} 为无穷大：{cell}。或许是对零取了对数，请变换该变量或删除这些行。",
    "column {name} is missing in row {row}; fill it or drop the row. A name such as 'NA' is read "
    "as missing unless pandas is told keep_default_na=False.": (
        "列 {name} 在第 {row} 行缺失，请补上或删除该行。除非令 pandas 的 keep_default_na=False，"
        "'NA' 之类的名称会被读作缺失。"
    ),
    "column {name} is {value} for {cell}, which is no number; {advice}": (
        "列 {name} 中的 {value} 不是数值：{cell}。{advice}"
    ),
    "time column {name} holds text or objects (row {row}: {value}); periods must be integers, "
    "dates, or quarters and months such as 2019Q4 and 2019-11: {advice}.": (
        "时期列 {name} 中有文字（第 {row} 行：{value}）；时期须为整数、日期，"
        "或 2019Q4、2019-11 这样的季度和月份：{advice}。"
    ),
    # Treatment, and who can be compared
    "treatment column {name} is {value} for {cell}; it must be 0 or 1. A first treated period goes "
    "into adoption=.": (
        "处理变量列 {name} 中有 {value}：{cell}。取值只能是 0 或 1；首个处理时期请用 adoption=。"
    ),
    "treatment column {name} switches off: {unit} is treated in {on} and untreated in {off}. Code "
    "it as staying on, or pass absorbing=False and use an estimator that allows it.": (
        "处理变量列 {name} 中途取消：{unit} 在 {on} 受处理，在 {off} 又未受处理。"
        "请改为处理后一直为 1；或设 absorbing=False，并选用允许处理取消的估计方法。"
    ),
    "no {unit} is treated within {time} {first}-{last}: check the treatment column, window= and "
    "exclude=.": (
        "在 {time} {first}-{last} 内没有受处理的 {unit}：请检查处理变量列、window= 和 exclude=。"
    ),
    "no pre-period for treated {units}: treated in every observed period, and no other {unit} is "
    "treated. Begin earlier, or check the treatment column.": (
        "受处理的 {units} 没有处理前时期：凡有观测的时期均已受处理，且没有其他受处理的 {unit}。"
        "请提前样本起点，或检查处理变量列。"
    ),
    "no control unit: from {time} on every {unit} is treated, so that there is nothing to compare "
    "with. Keep untreated or later-treated units.": (
        "没有对照：自 {time} 起每个 {unit} 均已受处理，无从比较。请保留未受处理或较晚受处理的个体。"
    ),
    "{method} needs at least {least} never-treated {unit}(s), the panel has {count}: keep more "
    "units in the donor pool (fewer in exclude=…).": (
        "{method} 至少需要 {least} 个从未受处理的 {unit}，面板中有 {count} 个："
        "请在对照组中多保留一些（减少 exclude=…）。"
    ),
    "{method} needs every unit in every period, but {count} cells have no row: {cells}. Leave "
    "these units out with exclude=[…], or choose a window=(first, last) in which they are "
    "complete.": (
        "{method} 要求每个个体在每个时期都有观测，但缺少 {count} 行：{cells}。请用 exclude=[…] 剔除"
        "这些个体，或用 window=(起, 止) 选择其数据完整的时段。"
    ),
    "window={window} holds no period; {time} runs from {first} to {last}.": (
        "window={window} 内没有任何时期；{time} 从 {first} 到 {last}。"
    ),
    "window={window} ends before it begins.": "window={window} 的终点早于起点。",
    # Warnings
    "{unit} lies far outside the convex hull of its donors: the closest average of donors misses "
    "it by {distance} ({spread} standard deviations of the donors) on average over the periods "
    "before treatment. Differences in level remain in the effects; consider "
    "DemeanedSyntheticControl or SyntheticDiD.": (
        "{unit} 远在对照单元的凸包之外：处理前各期，对照单元最接近的加权平均与它平均相差 {distance}"
        "（对照单元标准差的 {spread} 倍）。水平差异会留在效应之中；"
        "可考虑 DemeanedSyntheticControl 或 SyntheticDiD。"
    ),
    "{units} left out, no pre-period: treated in every observed period. design.ledger lists them. "
    "Begin earlier if there is data.": (
        "已剔除 {units}，因其没有处理前时期：凡有观测的时期均已受处理。名单见 design.ledger。"
        "如有更早的数据，请提前样本起点。"
    ),
}
"""Whole messages."""

PARTS = {
    "kind": {"estimator": "估计方法", "inference method": "推断方法"},
    "message": {
        "Input should be a valid integer, unable to parse string as an integer": "应为整数。",
        "Input should be a valid number, unable to parse string as a number": "应为数值。",
        "Input should be greater than or equal to {least}": "不得小于 {least}。",
        "{value} is not a valid integer.": "{value} 不是整数。",
        "{value} is not a valid float.": "{value} 不是数值。",
        "{value} is not in the range {range}.": "{value} 不在 {range} 的范围内。",
    },
    "advice": {
        "correct it, or write {code}.": "请更正，或写 {code}。",
        "correct row {row}, or drop it": "请更正或删除第 {row} 行",
    },
    "cell": {
        "{unit} in {time} {period} (and {count} more missing or infinite cells)": (
            "{unit}、{time} {period}（另有 {count} 处缺失或无穷大）"
        ),
        "{unit} in {time} {period} (and {count} more cells)": (
            "{unit}、{time} {period}（另有 {count} 处）"
        ),
        "{unit} in {time} {period} (rows {rows})": "{unit}、{time} {period}（第 {rows} 行）",
        "{unit} in {time} {period}": "{unit}、{time} {period}",
    },
}
"""What stands in their braces, by the name of the place."""


def in_chinese(message: str) -> str:
    """The message in Chinese where its form is known, otherwise as it is."""
    return _fitted(message, FORMS)


def _fitted(text: str, forms: Mapping[str, str]) -> str:
    for form, chinese in forms.items():
        found = _pattern(form).fullmatch(text)
        if found:
            values = found.groupdict()
            return chinese.format(
                **{name: _fitted(value, PARTS.get(name, {})) for name, value in values.items()}
            )
    return text


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = [
        re.escape(text) + (f"(?P<{name}>.*?)" if name else "")
        for text, name, _, _ in Formatter().parse(form)
    ]
    return re.compile("".join(parts), re.DOTALL)
