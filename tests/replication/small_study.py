"""A throw-away study on simulated data: two scripts, one shared module, a paper."""

from __future__ import annotations

from pathlib import Path

SHARED = '''
import numpy as np
import pandas as pd

import jjjpolicy as jp


def design():
    """Simulated: eight units, one treated."""
    rng = np.random.default_rng(5)
    rows = [
        {"unit": u, "period": t, "y": rng.normal(), "d": u == 0 and t >= 2005}
        for u in range(8)
        for t in range(2000, 2008)
    ]
    frame = pd.DataFrame(rows).astype({"d": int})
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="d")
'''

EFFECT = """
import shared

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:effect", "table:effect")


def main():
    estimate = jp.did.TwoWayFixedEffects().fit(shared.design())
    with Artefacts(__file__, MAKES) as artefacts:
        numbers = artefacts.numbers("effect", {"did": {"att": estimate.att}}, {"did": estimate})
        row = Row("unit 0", (numbers.number("did/att"),))
        caption = Text("A simulated effect", "模拟数据的效应")
        table = Table("effect", caption, (Column("Estimate"),), (Panel("", (row,)),))
        artefacts.table(table, {"did": estimate})


if __name__ == "__main__":
    main()
"""

OTHER = """
from jjjpolicy.replication.artefacts.artefacts import Artefacts

MAKES = ("numbers:other",)

with Artefacts(__file__, MAKES) as artefacts:
    artefacts.numbers("other", {"seven": 7})
"""

PAPER = """---
title: A simulated study
---

The effect is {{ number("effect", "did/att") }}, the other number
{{ number("other", "seven", "d") }}; see @tbl:effect.

::: {#tbl:effect .table}
:::
"""


def write_study(root: Path) -> Path:
    """Write the study into a directory."""
    for folder in ("analysis", "data", "paper"):
        (root / folder).mkdir(parents=True)
    (root / "analysis" / "shared.py").write_text(SHARED, encoding="utf-8")
    (root / "analysis" / "effect.py").write_text(EFFECT, encoding="utf-8")
    (root / "analysis" / "other.py").write_text(OTHER, encoding="utf-8")
    (root / "data" / "numbers.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (root / "paper" / "paper.md").write_text(PAPER, encoding="utf-8")
    (root / "README.md").write_text("<!-- artefacts -->\n<!-- /artefacts -->\n", encoding="utf-8")
    return root
