"""Options and tables with odd content end in an error that says what is odd."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_designs import (
    NEEDED,
    Panel,
    attempted,
    every_estimator,
    every_inference,
    few,
)

import jjjpolicy as jp
from jjjpolicy.design.intake.files import read_table
from jjjpolicy.replication.artefacts.settle import settle
from jjjpolicy.replication.provenance.specification import (
    estimators,
    inferences,
    make,
    make_from_texts,
)

ODD_TEXTS = ["abc", "1.5", "(1, 2)", "none", "nan", "true", "", "__import__('os')"]
PANEL = Panel(units=9, periods=14, cohorts=(2,), seed=1)
CLASSES = {**estimators(), **inferences()}
OPTIONS = [(name, item.name) for name, cls in CLASSES.items() for item in fields(cls)]


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_odd_options_are_used_or_named(name: str, option: str) -> None:
    needed = {key: str(value) for key, value in NEEDED.get(name, {}).items()}
    fit = jp.did.TwoWayFixedEffects().fit(PANEL.design())
    for text in ODD_TEXTS:

        def work(given: dict[str, str] = {**needed, option: text}) -> Any:  # noqa: B006
            if name in estimators():
                made = make_from_texts("estimator", estimators(), name, given)
                return made.fit(PANEL.design(name))
            return make_from_texts("inference method", inferences(), name, given).infer(fit)

        result = attempted(work)
        if isinstance(result, jp.DataError):
            assert option in str(result) or text in str(result)


@pytest.mark.parametrize("name", [*every_estimator(), *every_inference()])
def test_recorded_options_make_the_same_method_again(name: str) -> None:
    methods: dict[str, Any] = {**every_estimator(), **every_inference()}
    method = methods[name]
    recorded = json.loads(json.dumps(settle(method.specification())))
    kind = "estimator" if recorded["name"] in estimators() else "inference method"
    again = make(kind, CLASSES, recorded.pop("name"), recorded)
    assert again.specification() == method.specification()


ODD_CELLS = [
    "",
    "NA",
    "inf",
    "-inf",
    "1e400",
    "abc",
    "2005-01-01",
    "TRUE",
    "北京",
    '"',
    "1,5",
    "0x1",
]
ODD_CELLS += ["99999999999999999999", "2005.5", "nan", "None", "=1+1", " 2005", "\t", "-1"]
TABLE = pd.DataFrame(
    [
        {"unit": f"u{u}", "year": t, "y": float(np.sin(u * t)), "d": int(u == 0 and t >= 2005)}
        for u in range(8)
        for t in range(2000, 2008)
    ]
).assign(first=lambda table: np.where(table["unit"] == "u0", 2005, 0), w=1.0, g=lambda t: t["unit"])

changes = st.tuples(
    st.sampled_from(["cell", "column", "twice", "drop", "part"]),
    st.sampled_from(list(TABLE.columns)),
    st.integers(0, len(TABLE) - 1),
    st.sampled_from(ODD_CELLS),
)


def changed(frame: pd.DataFrame, change: tuple[str, str, int, str]) -> pd.DataFrame:
    """A table with an odd cell or column, a row that occurs twice, or without some part."""
    kind, column, row, text = change
    frame = frame.astype(object)
    if kind == "cell" and column in frame and row < len(frame):
        frame.loc[row, column] = text
    elif kind == "column":
        frame[column] = text
    elif kind == "twice":
        frame = pd.concat([frame, frame.iloc[[row % len(frame)]]])
    elif kind == "drop":
        frame = frame.drop(columns=column, errors="ignore")
    elif kind == "part":
        frame = frame.iloc[: row + 1]
    return frame.reset_index(drop=True)


@few(60)
@given(
    todo=st.lists(changes, min_size=1, max_size=3),
    arguments=st.sampled_from(
        [
            {"treatment": "d"},
            {"adoption": "first"},
            {"adoption": "first", "weights": "w", "assigned_at": "g"},
            {"treatment": "d", "covariates": ["w"], "clusters": "g"},
            {"treatment": "d", "window": (2001, 2006)},
            {"adoption": "first", "exclude": ["u3"]},
        ]
    ),
)
def test_odd_tables_are_estimated_or_refused(
    todo: list[tuple[str, str, int, str]],
    arguments: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    frame = TABLE
    for change in todo:
        frame = changed(frame, change)
    path: Path = tmp_path_factory.getbasetemp() / "odd.csv"
    frame.to_csv(path, index=False)

    def work() -> str:
        design = jp.Design.from_frame(
            read_table(path), unit="unit", time="year", outcome="y", **arguments
        )
        return jp.did.TwoWayFixedEffects().fit(design).summary()

    result = attempted(work)
    if isinstance(result, jp.JJJPolicyError):
        assert len(str(result)) > 20
