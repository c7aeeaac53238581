"""What changes no estimate and no rank: order, names, codes of never, constants, units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_designs import Panel, attempted, every_estimator, few

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimate, Estimator, Inference
from jjjpolicy.inference.families import romano_wolf
from jjjpolicy.sensitivity.calibration_cell import PseudoPolicies, pvalues

EVERY = every_estimator()

settled_panels = st.builds(
    Panel,
    units=st.integers(7, 8),
    periods=st.integers(15, 18),
    cohorts=st.sampled_from([(1,), (1, 1), (2,)]),
    covariates=st.sampled_from([(), ("moving",)]),
    gaps=st.booleans(),
    seed=st.integers(0, 999),
)
"""More periods before treatment than donors, so that weights are unique."""


def fit(name: str, panel: Panel, frame: pd.DataFrame) -> Estimate | jp.JJJPolicyError:
    """The estimate of a table that was derived from that of a panel."""
    base = name.partition("(")[0]
    arguments = panel.arguments(base)
    return attempted(lambda: EVERY[name].fit(jp.Design.from_frame(frame, **arguments)))


def assert_same(
    one: Estimate | jp.JJJPolicyError,
    other: Estimate | jp.JJJPolicyError,
    tolerance: float,
    factor: float = 1.0,
) -> None:
    """Equal estimates, errors and effects up to a share of the size of the numbers."""
    if isinstance(one, jp.JJJPolicyError) or isinstance(other, jp.JJJPolicyError):
        assert type(one) is type(other), (one, other)
        return
    spread = float(np.nanstd(one.design.outcome)) * factor
    assert other.att == pytest.approx(one.att * factor, rel=tolerance, abs=tolerance * spread)
    if one.se is not None:
        assert other.se == pytest.approx(one.se * factor, rel=tolerance, abs=tolerance * spread)
    left, right = one.effects, other.effects
    assert left["event_time"].tolist() == right["event_time"].tolist()
    assert right["estimate"].to_numpy() == pytest.approx(
        left["estimate"].to_numpy() * factor, rel=tolerance, abs=tolerance * spread
    )


# Estimators and options for which an invariance does not hold by definition.
MEASURED = {"penalty=": "in the unit of the outcome"}
NAMES_MATTER = {
    "MatrixCompletion": "folds are drawn by position",
    "SyntheticControl(predictors": "one predictor does not settle the weights",
}
PERIODS_MATTER = {
    "ElasticNetSyntheticControl": "weights do not sum to one",
    "PanelDataApproach": "weights do not sum to one",
    "MultipleOutcomeSyntheticControl": "outcomes are divided by their spread",
    "Stacked": "common shocks raise the errors",
    "SyntheticDiD": "the spread of changes sets the penalty",
}
UNITS_MATTER = {
    "AugmentedSyntheticControl": "levels are matched",
    "ExtendedTWFE(unit_effects=False)": "effects of cohorts",
    "InclusiveSyntheticControl(first_stage": "levels are matched",
    "MultipleOutcomeSyntheticControl(demeaned=False)": "levels are matched",
    "PartiallyPooledSyntheticControl(intercept=False)": "levels are matched",
    "PenalizedSyntheticControl": "levels are matched",
    "Stacked": "no effects of units",
    "SyntheticControl": "levels are matched",
}


def holds(name: str, exceptions: dict[str, str]) -> bool:
    """Whether the name of an estimator does not begin like one of the exceptions."""
    return not name.startswith(tuple(exceptions))


@pytest.mark.parametrize("name", EVERY)
@few(2)
@given(panel=settled_panels, missing=st.sampled_from([0.0, 0.1]))
def test_order_of_rows_codes_of_never_and_names_do_not_matter(
    name: str, panel: Panel, missing: float
) -> None:
    panel = replace(panel, missing=missing)
    frame = panel.frame()
    one = fit(name, panel, frame)
    shuffled = frame.sample(frac=1, random_state=panel.seed)
    recoded = shuffled.replace({"first": {np.inf: 0.0 if panel.seed % 2 else np.nan}})
    assert_same(one, fit(name, panel, recoded), 1e-10)
    named = replace(panel, labels="date" if panel.seed % 2 else "str").frame()
    assert_same(one, fit(name, panel, named), 1e-10)
    if holds(name, NAMES_MATTER):
        assert_same(one, fit(name, panel, frame.assign(unit=-frame["unit"])), 1e-7)


@pytest.mark.parametrize("name", EVERY)
@few(2)
@given(panel=settled_panels, factor=st.sampled_from([1e-6, 1e-3, 1e6]))
def test_units_of_measure_and_constants_do_not_matter(
    name: str, panel: Panel, factor: float
) -> None:
    frame = panel.frame()
    one = fit(name, panel, frame)
    if not any(option in name for option in MEASURED):
        assert_same(one, fit(name, panel, frame.assign(y=frame["y"] * factor)), 1e-6, factor)
    if holds(name, PERIODS_MATTER):
        moved = frame.assign(y=frame["y"] + 3 * np.sin(7.0 * frame["period"]))
        assert_same(one, fit(name, panel, moved), 1e-6)
    if holds(name, UNITS_MATTER):
        moved = frame.assign(y=frame["y"] + 3 * np.sin(7.0 * frame["unit"]))
        assert_same(one, fit(name, panel, moved), 1e-6)


# ------------------------------------------------------------------ ranks
ESTIMATORS: dict[str, Estimator] = {
    "TWFE": jp.did.TwoWayFixedEffects(),
    "CS": jp.did.CallawaySantAnna(),
    "SC": jp.synth.SyntheticControl(),
    "demeaned SC": jp.synth.DemeanedSyntheticControl(),
    "SDiD": jp.synth.SyntheticDiD(),
    "factors": jp.synth.GeneralizedSyntheticControl(rank=0),
}
METHODS: dict[str, tuple[Inference, tuple[str, ...]]] = {
    "randomisation": (jp.inference.RandomizationInference(), tuple(ESTIMATORS)[:5]),
    "studentised": (jp.inference.RandomizationInference(statistic="studentised"), ("TWFE", "CS")),
    "placebo units": (jp.inference.PlaceboUnits(), tuple(ESTIMATORS)[:5]),
    "one-sided": (jp.inference.PlaceboUnits(alternative="greater"), ("TWFE", "SC")),
    "cut-off": (jp.inference.PlaceboUnits(pre_fit_cutoff=1.0), ("SC", "demeaned SC")),
    "separate": (jp.inference.PlaceboUnits(separate=True), ("SC", "demeaned SC")),
    "placebo periods": (jp.inference.PlaceboPeriods(), tuple(ESTIMATORS)[:5]),
    "conformal": (jp.inference.Conformal(grid=5), ("SC", "demeaned SC")),
    "conformal, iid": (
        jp.inference.Conformal(permutations="iid", replications=50, grid=5),
        ("SC", "demeaned SC"),
    ),
    "rearrangement": (jp.inference.RearrangementTest(), ("TWFE",)),
    "Conley-Taber": (jp.inference.ConleyTaber(), ("TWFE",)),
    "Ferman-Pinto": (jp.inference.FermanPinto(), ("TWFE",)),
    "wild bootstrap": (jp.inference.WildClusterBootstrap(), ("TWFE",)),
    "wild bootstrap, CRV3": (
        jp.inference.WildClusterBootstrap(impose_null=False, variant="13"),
        ("TWFE",),
    ),
    "multipliers": (jp.inference.MultiplierBootstrap(replications=99), ("TWFE", "CS")),
    "cluster bootstrap": (jp.inference.ClusterBootstrap(replications=39), ("TWFE",)),
    "parametric": (jp.inference.ParametricBootstrap(replications=39), ("factors",)),
}
DRAWN_BY_POSITION = ("multipliers", "cluster bootstrap", "parametric")
CASES = [(method, name) for method, (_, names) in METHODS.items() for name in names]
TIED = ("mirrored", "twins", "rounded")
MEASURES = [(0.1, 0.0), (1.7, 0.3), (1 / 3, -71.1), (-0.1, 0.7)]


def tied_panel(kind: str, several: bool = False) -> pd.DataFrame:
    """Integers in which assignments tie: units with mirror images, with twins, or coarse ones."""
    rng = np.random.default_rng(11)
    half = rng.integers(-4, 5, (5, 14))
    outcomes = {
        "mirrored": np.stack([half, -half], axis=1).reshape(10, 14),
        "twins": np.repeat(half, 2, axis=0),
        "rounded": rng.integers(0, 2, (10, 14)),
    }[kind]
    years = 2001 + np.arange(14)
    first = np.where(np.arange(10) < (2 if several else 1), 2012.0, np.inf)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(10), 14),
            "period": np.tile(years, 10),
            "y": outcomes.ravel().astype(float),
            "first": np.repeat(first, 14),
        }
    )
    return frame.assign(treated=(frame["period"] >= frame["first"]).astype(int))


def tied_design(frame: pd.DataFrame) -> jp.Design:
    return jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="treated")


def every_rank(name: str, method: str, frame: pd.DataFrame) -> dict[str, float]:
    """All p-values of an estimate, and whether its intervals hold zero."""
    found = ESTIMATORS[name].fit(tied_design(frame)).with_inference(METHODS[method][0])
    result = found.inference
    assert result is not None
    assert found.pvalue is not None
    ranks = {"pvalue": found.pvalue, "smallest": result.smallest_pvalue or 0.0}
    ranks |= {f"pvalue, {kind}": value for kind, value in result.details.get("pvalues", {}).items()}
    if "rmspe_pvalue" in result.details:
        ranks["rmspe"] = result.details["rmspe_pvalue"]
    if "units" in result.details:
        units = result.details["units"]
        ranks |= {f"unit {u}": p for u, p in zip(units["unit"], units["pvalue"], strict=True)}
    effects = found.effects
    if "pvalue" in effects:
        ranks |= dict(zip(effects["event_time"].astype(str), effects["pvalue"], strict=True))
    if found.cohort_effects is not None and result.cohorts is not None:
        table = found.by_cohort
        if "pvalue" in table:
            ranks |= {f"cohort {k}": value for k, value in enumerate(table["pvalue"])}
    if result.bounds is not None and method != "one-sided":
        for level in (0.5, 0.8, 0.9):
            low, high = found.interval(level)
            inside = low <= 0 <= high
            ranks[f"zero at {level}"] = float(inside)
            assert inside or found.pvalue <= 1 - level + 1e-9, (level, found.pvalue, low, high)
    return ranks


@pytest.mark.parametrize("kind", TIED)
@pytest.mark.parametrize(("method", "name"), CASES)
def test_units_of_measure_constants_and_order_change_no_rank(
    method: str, name: str, kind: str
) -> None:
    frame = tied_panel(kind, several=method in ("separate", "cluster bootstrap"))
    expected = every_rank(name, method, frame)
    searched = method == "randomisation" and name in ("SC", "demeaned SC", "SDiD")
    for factor, constant in MEASURES[-1:] if searched else MEASURES:
        if method == "one-sided" and factor < 0:
            continue
        moved = frame.assign(y=frame["y"] * factor + constant)
        assert every_rank(name, method, moved) == pytest.approx(expected, abs=1e-9, nan_ok=True)
    if method not in DRAWN_BY_POSITION:
        turned = frame.assign(unit=-frame["unit"], y=frame["y"] * 0.1)
        again = every_rank(name, method, turned)
        assert sorted(again.values()) == pytest.approx(
            sorted(expected.values()), abs=1e-9, nan_ok=True
        )


@pytest.mark.parametrize("kind", TIED)
def test_they_change_no_rank_in_a_family(kind: str) -> None:
    def adjusted(change: Callable[[pd.Series], pd.Series]) -> list[float]:
        frames = [tied_panel(kind), tied_panel("rounded")]
        fits = {
            str(k): jp.did.TwoWayFixedEffects()
            .fit(tied_design(frame.assign(y=change(frame["y"]))))
            .with_inference(jp.inference.RandomizationInference())
            for k, frame in enumerate(frames)
        }
        return romano_wolf(fits)["adjusted"].tolist()

    for factor, constant in MEASURES:
        assert adjusted(lambda y, f=factor, c=constant: y * f + c) == adjusted(lambda y: y)


@pytest.mark.parametrize("kind", TIED)
@pytest.mark.parametrize("statistic", ["coefficient", "studentised"])
def test_they_change_no_rank_of_a_pseudo_policy(kind: str, statistic: str) -> None:
    method = jp.inference.RandomizationInference(statistic=statistic)  # type: ignore[arg-type]

    def ranks(factor: float, constant: float) -> list[float]:
        frame = tied_panel(kind)
        design = tied_design(frame.assign(y=frame["y"] * factor + constant))
        controls = design.keep_units(~design.treated, "treated")
        adoptions = np.where(np.eye(9, dtype=bool), 2012.0, np.inf)
        policies = PseudoPolicies(controls, adoptions, np.array([]), 0)
        return pvalues(policies, jp.did.TwoWayFixedEffects(), method).none.tolist()

    for factor, constant in MEASURES:
        assert ranks(factor, constant) == ranks(1.0, 0.0)
