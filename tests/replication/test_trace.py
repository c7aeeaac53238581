"""Trace leads from print to data, and says where the way ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jjjpolicy as jp
from jjjpolicy.errors import DataError
from jjjpolicy.registry.lookup import data_directory
from jjjpolicy.replication.artefacts.settle import settle
from jjjpolicy.replication.artefacts.sidecars import read_sidecar
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.provenance.branch import Branch
from jjjpolicy.replication.provenance.origins import Origins
from jjjpolicy.replication.provenance.rows import rows_behind
from jjjpolicy.replication.provenance.specification import design_of, estimate_of, estimators, make
from jjjpolicy.replication.trace import trace


def test_a_number_leads_to_paper_cell_estimate_and_script_line(finished: Study) -> None:
    text = "\n".join(trace(finished, "effect:did/att").lines())
    value = json.loads((finished.output / "results/effect.json").read_text())["did"]["att"]
    assert text.startswith(f"effect:did/att = {value}")
    assert "paper.md:5" in text
    assert "table:effect[1,1]  unit 0 · Estimate" in text
    assert "estimate did: TwoWayFixedEffects" in text
    assert "made by analysis/effect.py line 14" in text
    assert 'artefacts.numbers("effect"' in text
    assert "analysis/shared.py sha256" in text
    assert "pandas" in text


@pytest.mark.parametrize("wanted", ["table:effect[1,1]", "table:effect[unit 0,Estimate]"])
def test_a_cell_leads_to_its_number(finished: Study, wanted: str) -> None:
    lines = trace(finished, wanted).lines()
    assert lines[0].startswith("table:effect[1,1]")
    assert lines[1].strip().startswith("effect:did/att = ")


def test_a_line_of_the_paper_leads_to_what_it_quotes(finished: Study) -> None:
    lines = trace(finished, "paper.md:6").lines()
    assert any("'7' ← other:seven = 7" in line for line in lines)
    assert any("@tbl:effect → table:effect" in line for line in lines)


def test_artefacts_list_what_they_hold(finished: Study) -> None:
    assert "1 cells" in "\n".join(trace(finished, "table:effect").lines())
    assert "other:seven = 7" in "\n".join(trace(finished, "numbers:other").lines())


def test_rows_of_a_file_of_ones_own_are_found_by_its_columns(
    finished: Study, tmp_path: Path
) -> None:
    (tmp_path / "panel.csv").write_text("unit,period,y\nA,1999,1\nA,2000,2\nB,2007,3\n")
    (tmp_path / "other.csv").write_text("a,source\n1,yearbook; census\n2,yearbook\n")
    (tmp_path / "broken.csv").write_bytes(b"\xff\xfe\x00")
    sidecar = read_sidecar(finished.output / "provenance/numbers-effect.json")
    inputs = dict.fromkeys(["broken.csv", "other.csv", "panel.csv"], "0" * 64)
    sidecar["inputs"] |= inputs
    tree = Branch("top")
    Origins(Study(tmp_path), rows=1).add_estimates(tree, sidecar, ["did"])
    text = "\n".join(tree.lines())
    assert "data rows: 2 of panel.csv with the columns unit, period, y, lines 3-4" in text
    assert "line 3: A, 2000, 2" in text
    tree = Branch("top")
    Origins(Study(tmp_path), rows=0).add_estimates(tree, sidecar, [])
    text = "\n".join(tree.lines())
    assert "other.csv: 2 rows" in text
    assert "sources: yearbook, census" in text
    assert "broken.csv: cannot be read now" in text


def test_the_source_of_the_package_is_compared(copy: Study) -> None:
    assert ", unchanged" in str(trace(copy, "other:seven").lines()[-1])
    path = copy.output / "provenance/numbers-other.json"
    sidecar = read_sidecar(path)
    sidecar["made"]["code"] = "0" * 64
    path.write_text(json.dumps(sidecar), encoding="utf-8")
    assert "CHANGED since" in str(trace(copy, "other:seven").lines()[-1])


def test_changed_inputs_and_edited_results_are_pointed_out(copy: Study) -> None:
    script = copy.root / "analysis/other.py"
    script.write_text(script.read_text() + "#\n")
    (copy.output / "results/other.json").write_text('{"seven": 9}')
    text = "\n".join(trace(copy, "other:seven").lines())
    assert "analysis/other.py sha256" in text
    assert "CHANGED since" in text
    assert "EDITED since it was written" in text


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("effect:did/nothing", "no 'did/nothing'"),
        ("nothing:at/all", "no script makes numbers:nothing"),
        ("table:effect[9,9]", "no cell fits"),
        ("paper.md:1", "quotes nothing"),
        ("paper.fr.md:1", "there is no paper.fr.md"),
        ("nonsense", "names no single number"),
        ("effect", "names no single number"),
        ("table:", "names no artefact"),
    ],
)
def test_what_does_not_exist_is_answered_with_what_does(
    finished: Study, wanted: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        trace(finished, wanted)


def test_provenance_gives_the_same_design_rows_and_estimate_again() -> None:
    panel = jp.load("provinces", vintage="nbs_2024")
    design = jp.Design.from_policy(
        panel,
        jp.policies["tax-sharing-2015"],
        outcome="log_gdp",
        window=(2010, 2018),
        exclude=["120000", "130000"],
    )
    method = jp.inference.PlaceboUnits(seed=3)
    estimate = jp.synth.SyntheticDiD().fit(design).with_inference(method)
    specification = json.loads(json.dumps(settle(estimate.provenance)))
    behind = rows_behind(specification)
    assert behind.verified
    assert len(behind.frame) == 29 * 9
    assert set(behind.frame["variable"]) == {"gdp"}
    assert set(behind.frame["vintage"]) == {"nbs_2024"}
    again = estimate_of(specification, behind.design)
    assert (again.att, again.pvalue) == (estimate.att, estimate.pvalue)
    line = Path(data_directory() / "provinces.csv").read_text().splitlines()
    first = behind.frame.iloc[0]
    assert line[first["line"] - 1].split(",")[4] == first["value"]


def test_the_design_can_be_had_under_another_vintage() -> None:
    panel = jp.load("provinces", vintage="nbs_2024")
    policy = jp.policies["tax-sharing-2015"]
    design = jp.Design.from_policy(panel, policy, outcome="log_gdp", window=(2008, 2018))
    specification = settle(jp.did.TwoWayFixedEffects().fit(design).provenance)
    other = design_of(specification, "before_2018_census")
    assert other.source["vintage"] == "before_2018_census"
    assert (other.adoption == design.adoption).all()
    assert (other.outcome != design.outcome).any()


def test_options_with_parameters_of_their_own_come_back() -> None:
    panel = jp.load("provinces", vintage="nbs_2024")
    policy = jp.policies["tax-sharing-2015"].treating(["120000"])
    exclude = ["110000", "130000"]
    design = jp.Design.from_policy(
        panel, policy, outcome="log_gdp", window=(2010, 2018), exclude=exclude
    )
    estimate = jp.synth.SyntheticControl(predictor_weights=jp.synth.NestedSearch((2012, 2012)))
    specification = settle(estimate.fit(design).provenance)
    assert estimate_of(specification, design).estimator == estimate


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "open('x')", "().__class__", "NestedSearch(open('x'))"],
)
def test_nothing_in_provenance_is_executed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins
    import os

    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("executed")

    known = estimators()
    monkeypatch.setattr(builtins, "open", never)
    monkeypatch.setattr(os, "system", never)
    with pytest.raises(DataError, match="must be NestedSearch"):
        make("estimator", known, "SyntheticControl", {"predictor_weights": text})
