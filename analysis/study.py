"""What the scripts share: treated groups, outcomes, window, the two estimators, what is quoted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import wording as words

import jjjpolicy as jp
from jjjpolicy.registry.policy import Timing
from jjjpolicy.replication.artefacts.numbers import Numbers
from jjjpolicy.report import Panel, Text
from jjjpolicy.report.tables.cells import PValue

POLICY = "tax-sharing-2015"
VINTAGE = "nbs_2024"
WINDOW = (2005, 2019)
JING_JIN_JI = ("110000", "120000", "130000")
SINGLE = {"beijing": ("110000",), "tianjin": ("120000",), "hebei": ("130000",)}
GROUPS = {**SINGLE, "together": JING_JIN_JI}
CITIES = {"beijing": ("110000",), "tianjin": ("120000",), "shijiazhuang": ("130100",)}
OUTCOMES = ("log_gdp", "rd_intensity_single_vintage", "log_tech_contracts_bought")


def design(
    outcome: str,
    group: str,
    *,
    vintage: str = VINTAGE,
    window: tuple[int, int] = WINDOW,
    timing: Timing | None = None,
    exclude: tuple[str, ...] = (),
) -> jp.Design:
    """The design for one group of treated provinces; the others of the three are left out."""
    others = tuple(code for code in JING_JIN_JI if code not in GROUPS[group])
    return jp.Design.from_policy(
        jp.load("provinces", vintage=vintage),
        jp.policies[POLICY],
        outcome=outcome,
        window=window,
        exclude=(*others, *exclude),
        timing=timing,
    )


def label(outcome: str, *, with_unit: bool = True) -> Text:
    """Name of an outcome, with its unit of measure unless told otherwise."""
    panel = jp.load("provinces", vintage=VINTAGE)
    return Text(*(panel.label(outcome, tongue, with_unit=with_unit) for tongue in ("en", "zh")))


def policy_line(design: jp.Design) -> float:
    """Where figures mark the policy: between the last untreated and the first treated year."""
    return float(design.cohorts[0]) - 0.5


def estimates(design: jp.Design) -> dict[str, jp.Estimate]:
    """Difference-in-differences and synthetic control with placebo inference."""
    placebo = jp.inference.PlaceboUnits()
    return {
        "did": jp.did.TwoWayFixedEffects().fit(design).with_inference(placebo),
        "sc": jp.synth.SyntheticControl().fit(design).with_inference(placebo),
    }


def numbers(estimate: jp.Estimate) -> dict[str, Any]:
    """What the paper quotes of an estimate."""
    result = estimate.inference
    assert result is not None
    low, high = estimate.interval(0.95)
    content: dict[str, Any] = {
        "att": estimate.att,
        "se": estimate.se,
        "pvalue": estimate.pvalue,
        "interval": {"low": low, "high": high},
        "smallest_pvalue": result.smallest_pvalue,
        "assignments": result.assignments,
    }
    if estimate.influence is not None:
        content["clustered_pvalue"] = estimate.with_inference(jp.inference.Clustered()).pvalue
    if "rmspe_pvalue" in result.details:
        assert estimate.unit_effects is not None
        content["pre_rmspe"] = float(estimate.unit_effects["pre_rmspe"].max())
        content["rmspe_pvalue"] = result.details["rmspe_pvalue"]
    return content


def ratio_cell(numbers: Numbers, path: str) -> PValue | Text:
    """The rank of the ratio of errors of a synthetic control; words where the fit is exact."""
    if numbers.value(f"{path}/pre_rmspe") == 0:
        return words.EXACT
    return numbers.pvalue(f"{path}/rmspe_pvalue")


def exact_fits(panels: Iterable[Panel]) -> tuple[Text, ...]:
    """A note on exact fits where a table has any."""
    some = any(words.EXACT in row.cells for panel in panels for row in panel.rows)
    return (words.EXACT_FIT,) if some else ()


def flat(nested: dict[str, Any], path: str = "") -> Iterator[tuple[str, jp.Estimate]]:
    """Estimates of nested mappings with their paths, as results and provenance name them."""
    for key, value in nested.items():
        here = f"{path}/{key}" if path else str(key)
        if isinstance(value, jp.Estimate):
            yield here, value
        else:
            yield from flat(value, here)


def quoted(nested: dict[str, Any]) -> dict[str, Any]:
    """The numbers of nested estimates."""
    return {
        key: numbers(value) if isinstance(value, jp.Estimate) else quoted(value)
        for key, value in nested.items()
    }
