"""Errors and warnings that reach the command line are Chinese where their form is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from cli.test_language import run

import jjjpolicy as jp
from jjjpolicy.cli import app, columns, estimate
from jjjpolicy.cli.messages import FORMS, PARTS, in_chinese
from jjjpolicy.replication.provenance.specification import estimators, inferences, make_from_texts

PANEL = pd.DataFrame(
    [
        {"unit": f"u{u}", "year": t, "y": float(u * t % 7 + u), "d": int(u == 0 and t >= 2005)}
        for u in range(4)
        for t in range(2000, 2008)
    ]
)
EARLY = PANEL["unit"].eq("u1") | PANEL["d"].eq(1)
LATE = PANEL["year"].ge(2005)
NAMES = {"unit": "unit", "time": "year", "outcome": "y", "treatment": "d"}


def design(frame: pd.DataFrame = PANEL, **changes: Any) -> jp.Design:
    return jp.Design.from_frame(frame, **(NAMES | changes))


def control(frame: pd.DataFrame) -> None:
    jp.synth.SyntheticControl().fit(design(frame))


def treated(rows: Any) -> pd.DataFrame:
    return PANEL.assign(d=rows.astype(int))


def changed(column: str, value: object) -> pd.DataFrame:
    """The panel with another value in row 2: unit u0 in 2002."""
    frame = PANEL.astype({column: object})
    frame.loc[2, column] = value
    return frame.infer_objects()


def method(name: str, **options: str) -> None:
    make_from_texts("estimator", estimators(), name, options)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "estimator": (lambda: method("SyntheticDid2"), "没有名为 'SyntheticDid2' 的估计方法。是否想用"),
    "inference": (
        lambda: make_from_texts("inference method", inferences(), "zzz", {}),
        "没有名为 'zzz' 的推断方法。可选：",
    ),
    "option": (
        lambda: method("SyntheticDiD", zeta_omegas="1"),
        "SyntheticDiD 没有选项 'zeta_omegas'。是否想用 'zeta_omega'",
    ),
    "other option": (lambda: method("SyntheticDiD", x="1"), "SyntheticDiD 没有选项 'x'。可选："),
    "no value": (lambda: estimate._options(["seed"]), "选项 'seed'：请写作 键=值。"),
    "language": (lambda: columns.require_language("fr"), "--language 'fr'：请选 en 或 zh。"),
    "exclude": (lambda: columns._units(PANEL, "unit", ["u9"]), "的 unit 列中没有 'u9'。"),
    "no file": (lambda: jp.read_table("no.csv"), "文件夹 '.' 中没有文件 'no.csv'。"),
    "column": (
        lambda: design(outcome="yy"),
        "表中没有名为 'yy' 的列。是否想用 'y'？现有的列：'unit'",
    ),
    "other column": (lambda: design(outcome="wage"), "表中没有名为 'wage' 的列。现有的列：'unit'"),
    "treatment": (lambda: design(treatment=None), "须给出且只给出一个。"),
    "duplicates": (
        lambda: design(pd.concat([PANEL, PANEL.iloc[[3]]])),
        "有 1 组“个体×时期”重复出现：unit 'u0'、year 2003（第 3, 32 行）。",
    ),
    "missing": (
        lambda: design(changed("y", np.nan)),
        "列 'y' 有缺失：unit 'u0'、year 2002。如确需",
    ),
    "many missing": (
        lambda: design(PANEL.assign(y=PANEL["y"].where(PANEL.index > 2))),
        "列 'y' 有缺失：unit 'u0'、year 2000（另有 2 处缺失或无穷大）。",
    ),
    "infinite": (
        lambda: design(changed("y", np.inf)),
        "列 'y' 为无穷大：unit 'u0'、year 2002。或许",
    ),
    "no unit": (lambda: design(changed("unit", None)), "列 'unit' 在第 2 行缺失，"),
    "text": (
        lambda: design(changed("y", "?")),
        "列 'y' 中的 '?' 不是数值：unit 'u0'、year 2002。请更正，或写 df['y'] = pd.to_numeric(",
    ),
    "time": (
        lambda: design(changed("year", "spring")),
        "时期列 'year' 中有文字（第 2 行：'spring'）；时期须为整数、日期，或 2019Q4、2019-11 "
        "这样的季度和月份：请更正或删除第 2 行。",
    ),
    "dose": (lambda: design(changed("d", 2)), "处理变量列 'd' 中有 2：unit 'u0'、year 2002。"),
    "off": (
        lambda: design(treated(PANEL["d"].eq(1) & PANEL["year"].ne(2006))),
        "处理变量列 'd' 中途取消：unit 'u0' 在 2005 受处理，在 2006 又未受处理。",
    ),
    "nobody": (lambda: design(window=(2000, 2003)), "在 year 2000-2003 内没有受处理的 unit："),
    "always": (
        lambda: design(treated(PANEL["unit"].eq("u0"))),
        "受处理的 unit 'u0' 没有处理前时期",
    ),
    "everybody": (lambda: design(treated(LATE)), "没有对照：自 year 2005 起每个 unit 均已受处理"),
    "no donor": (
        lambda: control(treated(LATE & (PANEL["unit"].ne("u3") | PANEL["year"].gt(2006)))),
        "SyntheticControl 至少需要 1 个从未受处理的 unit，面板中有 0 个：",
    ),
    "gap": (
        lambda: control(PANEL.drop(index=12)),
        "SyntheticControl 要求每个个体在每个时期都有观测，但缺少 1 行：unit 'u1' in 2004。",
    ),
    "window": (
        lambda: design(window=(1990, 1995)),
        "window=(1990, 1995) 内没有任何时期；'year' 从 2000 到 2007。",
    ),
    "turned": (lambda: design(window=(2005, 2001)), "window=(2005, 2001) 的终点早于起点。"),
    "hull": (
        lambda: control(PANEL.assign(y=PANEL["y"] + 100 * PANEL["unit"].eq("u0"))),
        "unit 'u0' 远在对照单元的凸包之外：",
    ),
    "left out": (lambda: design(treated(EARLY)), "已剔除 unit 'u1'，因其没有处理前时期："),
}
WRONG_USE = {
    "foo": "没有命令 'foo'。",
    "estimat": "没有命令 'estimat'。是否想用 'estimate'？",
    "estimate": "缺少选项 '--data'。",
    "estimate --data": "选项 '--data' 后面缺少取值。",
    "estimate --window 1": "选项 '--window' 后面应有 2 个取值。",
    "reproduce --force=1": "选项 '--force' 不带取值。",
    "package x": "多余的参数：x。",
    "trace": "缺少参数 ",
    "verify --no-such": "没有选项 ",
    "estimate --data x --tim y": "没有选项 ",
    "reproduce --jobs some": "'--jobs' 的取值无效：",
    "reproduce --jobs 0": "'--jobs' 的取值无效：",
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", REFUSED)
def test_what_the_intake_says_is_chinese(case: str) -> None:
    act, expected = REFUSED[case]
    with pytest.raises((jp.JJJPolicyError, jp.JJJPolicyWarning)) as said:
        act()
    words = in_chinese(str(said.value))
    assert expected in words
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", words)


@pytest.mark.parametrize("arguments", WRONG_USE)
def test_what_is_said_of_wrong_use_is_chinese(arguments: str) -> None:
    with pytest.raises(Exception, match=".") as said:
        typer.main.get_command(app)(arguments.split(), standalone_mode=False)
    message = said.value.format_message()  # type: ignore[attr-defined]
    assert in_chinese(message).startswith(WRONG_USE[arguments])
    assert not re.search("[a-z]+ [a-z]+", in_chinese(message))


def test_usage_errors_are_printed_in_chinese(tmp_path: Any) -> None:
    wrong = run("--language", "zh", "estimate", folder=tmp_path)
    assert wrong.returncode == 2
    assert "缺少选项 '--data'。" in wrong.stderr
    assert "用法：" in run("--language", "zh", "estimate", "--help", folder=tmp_path).stdout
    assert "Missing option '--data'." in run("estimate", folder=tmp_path).stderr


def test_words_of_the_user_stay_and_so_does_what_has_no_form() -> None:
    assert in_chinese("Nobody translated this.") == "Nobody translated this."
    assert in_chinese("there is no file 'share in total gdp.csv' in 'estimator'.") == (
        "文件夹 'estimator' 中没有文件 'share in total gdp.csv'。"
    )
    assert in_chinese("option '{x}': write key=value.") == "选项 '{x}'：请写作 键=值。"


def test_forms_keep_the_words_that_they_name() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for forms in (FORMS, *PARTS.values()):
        for english, chinese in forms.items():
            assert names(chinese) <= names(english)
    places = set().union(*map(names, FORMS))
    assert PARTS.keys() <= places
