"""Effects of the policies of 2015 on three outcomes: two estimators, honest p-values."""

from __future__ import annotations

import study
import wording as words

import jjjpolicy as jp
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.report import Column, Panel, Row, Table, Text

MAKES = ("numbers:effects", "table:effects")

DID = (words.ESTIMATE, words.PLACEBO_P, words.CLUSTERED_P)
SC = (words.ESTIMATE, words.PLACEBO_P, words.RATIO_P, words.PRE_RMSPE)
COLUMNS = tuple(
    Column(heading, words.METHODS[method])
    for method, headings in (("did", DID), ("sc", SC))
    for heading in headings
)


def main() -> None:
    """Estimate, save the numbers, save the table."""
    nested = {
        outcome: {group: study.estimates(study.design(outcome, group)) for group in study.GROUPS}
        for outcome in study.OUTCOMES
    }
    behind = dict(study.flat(nested))
    together = nested["log_gdp"]["together"]["sc"].design
    gaps = [e.details["relative_gap"].max() for path, e in behind.items() if path.endswith("/sc")]
    sample = {
        "provinces": len(jp.load("provinces", vintage=study.VINTAGE).units),
        "donors": int((~together.treated).sum()),
        "first_treated": int(together.cohorts[0]),
        "relative_gap_below_1e-10": bool(max(gaps) < 1e-10),
    }
    with Artefacts(__file__, MAKES) as artefacts:
        content = {**study.quoted(nested), "sample": sample}
        numbers = artefacts.numbers("effects", content, behind)
        panels = []
        for letter, outcome in zip("ABC", study.OUTCOMES, strict=True):
            rows = []
            for group, name in words.GROUPS.items():
                did, sc = f"{outcome}/{group}/did", f"{outcome}/{group}/sc"
                did_cells = [
                    numbers.pvalue(f"{did}/{key}") for key in ("pvalue", "clustered_pvalue")
                ]
                sc_cells = [numbers.pvalue(f"{sc}/pvalue"), study.ratio_cell(numbers, sc)]
                error = numbers.number(f"{sc}/pre_rmspe")
                att = [numbers.number(f"{path}/att") for path in (did, sc)]
                rows.append(Row(name, (att[0], *did_cells, att[1], *sc_cells, error)))
            panels.append(Panel(words.lettered(letter, study.label(outcome)), tuple(rows)))
        caption = Text("Effects of the policies of 2015", "2015 年政策的效应")
        notes = (words.PLACEBO, words.RMSPE, *study.exact_fits(panels), words.NOMINAL)
        table = Table("effects", caption, COLUMNS, tuple(panels), words.TREATED, notes)
        artefacts.table(table, behind)


if __name__ == "__main__":
    main()
