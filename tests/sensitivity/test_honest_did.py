"""Honest difference-in-differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import simulated_panel
from scipy.optimize import linprog, minimize
from scipy.stats import norm, truncnorm

import jjjpolicy as jp
from jjjpolicy.sensitivity import (
    RelativeMagnitudes,
    Smoothness,
    SmoothnessRelative,
    honest_did,
)
from jjjpolicy.sensitivity.honest import (
    Conditional,
    ConfidenceSet,
    FixedLength,
    HybridFixedLength,
    HybridLeastFavorable,
    Restriction,
)
from jjjpolicy.sensitivity.honest.coefficients import from_arrays
from jjjpolicy.sensitivity.honest.conditional import accepted, truncated_tail
from jjjpolicy.sensitivity.honest.extreme_rays import extreme_rays
from jjjpolicy.sensitivity.honest.fixed_length import ShortestIntervals, folded_normal_quantile
from jjjpolicy.sensitivity.honest.least_favorable import least_favorable_value
from jjjpolicy.sensitivity.honest.moments import MomentBuilder

RESTRICTIONS = [
    RelativeMagnitudes(1.0),
    RelativeMagnitudes(0.7, sign="positive", monotone="increasing"),
    Smoothness(0.01, monotone="decreasing"),
    SmoothnessRelative(1.0, sign="negative", monotone="increasing"),
]


@pytest.fixture(scope="module")
def medicaid(answers: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = answers["honest_did_medicaid"]
    return content


def interval(
    medicaid: dict[str, Any], restriction: Restriction, **options: Any
) -> tuple[float, float]:
    result = honest_did(
        medicaid["betahat"], medicaid["sigma"], 5, 2, restriction=restriction, **options
    )
    row = result.table.iloc[0]
    return float(row["lower"]), float(row["upper"])


def covariance_of(periods: int, seed: int = 0) -> np.ndarray:
    """A covariance of coefficients relative to one reference period, scaled to about one."""
    root = np.random.default_rng(seed).normal(size=(periods, 2 * periods))
    return root @ root.T / (2 * periods) + 0.5


# ---------------------------------------------------------------- numbers of other implementations
def test_relative_magnitudes_agree_with_r_to_its_grid_step(medicaid: dict[str, Any]) -> None:
    # 1,000 points over 40 standard errors are 0.00037 apart; R's critical value is simulated.
    published = medicaid["R_relative_magnitudes_C-LF"]
    second = medicaid["second_implementation_relative_magnitudes"]
    for bound, ends in published.items():
        found = interval(medicaid, RelativeMagnitudes(float(bound)))
        assert found == pytest.approx(ends, abs=5e-4)
        assert found == pytest.approx(second[bound], abs=5e-4)


def test_fixed_length_intervals_agree_with_r(medicaid: dict[str, Any]) -> None:
    # Three digits are printed, and R simulates the quantile of the folded normal.
    for bound, ends in medicaid["R_smoothness_FLCI"].items():
        assert interval(medicaid, Smoothness(float(bound))) == pytest.approx(ends, abs=1e-4)
    for bound, ends in medicaid["second_implementation_smoothness_FLCI"].items():
        assert interval(medicaid, Smoothness(float(bound))) == pytest.approx(ends, abs=2e-6)


@pytest.mark.parametrize(
    ("restriction", "method", "target", "ends"),
    [
        # moderndid 0.2.0 on the same coefficients, 500 points from -0.1 to 0.2.
        (RelativeMagnitudes(1.0), Conditional(), "first", (0.017234, 0.071944)),
        (RelativeMagnitudes(1.0), Conditional(), "average", (0.020240, 0.089980)),
        (RelativeMagnitudes(1.0), HybridLeastFavorable(), "average", (0.020240, 0.089980)),
        (SmoothnessRelative(1.0), Conditional(), "first", (0.000401, 0.090581)),
        (SmoothnessRelative(1.0, sign="negative"), Conditional(), "average", (0.029860, 0.127255)),
        (Smoothness(0.01), Conditional(), "average", (0.010621, 0.106212)),
        (Smoothness(0.01), HybridFixedLength(), "first", (0.011222, 0.081563)),
        (Smoothness(0.01, sign="positive"), HybridFixedLength(), "first", (0.011222, 0.064128)),
        (Smoothness(0.01, sign="positive"), HybridLeastFavorable(), "first", (0.011222, 0.063527)),
        (
            Smoothness(0.01, monotone="decreasing"),
            HybridFixedLength(),
            "average",
            (0.041283, 0.105611),
        ),
    ],
)
def test_every_restriction_and_test_agrees_with_a_second_implementation_to_its_grid_step(
    medicaid: dict[str, Any],
    restriction: Restriction,
    method: ConfidenceSet,
    target: str,
    ends: tuple[float, float],
) -> None:
    low, high = interval(medicaid, restriction, method=method, target=target)
    step = 0.3 / 499
    assert ends[0] - 1.2 * step <= low <= ends[0] + 0.2 * step
    assert ends[1] - 0.2 * step <= high <= ends[1] + 1.2 * step


def test_fixed_length_interval_of_the_average_agrees_with_a_second_implementation(
    medicaid: dict[str, Any],
) -> None:
    found = interval(medicaid, Smoothness(0.01), target="average")
    assert found == pytest.approx((0.0119569650, 0.1024476827), abs=2e-6)


def test_conditional_intervals_agree_with_a_second_implementation_on_a_fine_grid(
    medicaid: dict[str, Any],
) -> None:
    # StatsPAI 1.40.2, 3,000 points from -0.02 to 0.1: 0.00004 apart.
    for bound, ends in ((1.0, (0.017092364, 0.071990664)), (1.5, (0.00852951, 0.079473158))):
        found = interval(medicaid, RelativeMagnitudes(bound), method=Conditional())
        assert found == pytest.approx(ends, abs=4.1e-5)


# Benzarti and Carloni (2019), as shipped with the R package HonestDiD; four periods on either side.
PROFITS = [0.006696352, 0.029345034, -0.006472972, 0.07301499]
PROFITS += [0.195961118, 0.312063903, 0.239541546, 0.1260425]
PROFITS_COVARIANCE = """
 8.428358124 4.768686777 2.618051076 2.354220342 1.676371467 1.128707663 0.1992816215 -1.368265366
 4.768686777 6.425420288 3.987425007 2.435515198 2.201960306 1.804591157 0.384376508 -0.2960421989
 2.618051076 3.987425007 5.229949602 2.11768609 1.840722252 1.45852784 0.7005197403 0.5952994979
 2.354220342 2.435515198 2.11768609 3.089595411 1.197866077 1.334081317 1.016335009 1.079051726
 1.676371467 2.201960306 1.840722252 1.197866077 3.59970436 2.478818642 1.749579242 1.654256921
 1.128707663 1.804591157 1.45852784 1.334081317 2.478818642 4.263949813 2.171437809 2.892747871
 0.1992816215 0.384376508 0.7005197403 1.016335009 1.749579242 2.171437809 4.886697861 3.805322049
 -1.368265366 -0.2960421989 0.5952994979 1.079051726 1.654256921 2.892747871 3.805322049 7.61739444
"""


@pytest.mark.parametrize(
    ("restriction", "method", "target", "published", "step"),
    [
        # Printed by R HonestDiD; steps are those of its grid, or of its simulated quantile.
        (
            Smoothness((0.0, 0.1, 0.2)),
            FixedLength(),
            "first",
            [(0.131411, 0.216170), (0.119444, 0.418508), (0.019444, 0.518508)],
            1.5e-4,
        ),
        (
            Smoothness((0.0, 0.1, 0.2, 0.3)),
            FixedLength(),
            "average",
            [(0.133, 0.230), (-0.186, 0.988), (-0.686, 1.49), (-1.19, 1.99)],
            5e-3,
        ),
        (
            Smoothness((0.0, 0.1, 0.2)),
            Conditional(),
            "first",
            [(0.210050, 0.327800), (0.119504, 0.418026), (0.020301, 0.517974)],
            1e-3,
        ),
        (
            Smoothness((0.0, 0.1, 0.2, 0.3)),
            HybridFixedLength(),
            "first",
            [(0.206, 0.234), (0.120, 0.418), (0.0195, 0.518), (-0.0801, 0.618)],
            1e-3,
        ),
        (
            Smoothness((0.0, 0.1, 0.2, 0.3)),
            HybridLeastFavorable(),
            "first",
            [(0.210, 0.328), (0.119, 0.419), (0.0191, 0.519), (-0.0809, 0.618)],
            1.3e-3,
        ),
        (
            RelativeMagnitudes(tuple(np.arange(0, 8) * 2 / 9)),
            HybridLeastFavorable(),
            "first",
            [
                (0.159, 0.233),
                (0.143, 0.248),
                (0.123, 0.266),
                (0.102, 0.287),
                (0.0786, 0.308),
                (0.0551, 0.329),
                (0.0315, 0.352),
                (0.00722, 0.376),
            ],
            1.3e-3,
        ),
        (Smoothness(0.1, sign="positive"), Conditional(), "first", [(0.119, 0.2233)], 1e-2),
        (Smoothness(0.1, monotone="increasing"), Conditional(), "first", [(0.119, 0.2233)], 1e-2),
        (RelativeMagnitudes(1, sign="positive"), Conditional(), "first", [(0.0728, 0.3335)], 8e-3),
        (
            RelativeMagnitudes(1, monotone="increasing"),
            Conditional(),
            "first",
            [(0.0728, 0.3335)],
            8e-3,
        ),
    ],
)
def test_intervals_agree_with_r_on_profits_of_restaurants(
    restriction: Restriction,
    method: ConfidenceSet,
    target: str,
    published: list[tuple[float, float]],
    step: float,
) -> None:
    covariance = 1e-4 * np.array(PROFITS_COVARIANCE.split(), dtype=float).reshape(8, 8)
    result = honest_did(
        PROFITS, covariance, 4, 4, restriction=restriction, method=method, target=target
    )
    found = result.table[["lower", "upper"]].to_numpy()
    assert np.abs(found - np.array(published)).max() < step


# ------------------------------------------------------------------------ brute force
@pytest.mark.parametrize("restriction", RESTRICTIONS, ids=lambda r: r.label)
def test_the_test_at_vertices_is_the_test_by_linear_programming(restriction: Restriction) -> None:
    pre, weights = 3, np.array([0.5, 0.3, 0.2])
    covariance = covariance_of(6)
    coefficients = from_arrays(
        np.random.default_rng(4).normal(size=6), covariance, pre, len(weights)
    )
    builder = MomentBuilder(coefficients, weights)
    grid = np.array([-6.0, -1.0, 1.0, 6.0])
    polyhedron = restriction.polyhedra(restriction.values[0], pre, 3)[-1]
    found = accepted(builder.build(polyhedron), grid, size=0.05, largest=2.5)
    expected = [
        _accepted_by_linear_programming(coefficients, polyhedron, weights, theta, 2.5)
        for theta in grid
    ]
    assert found.tolist() == expected
    assert 0 < sum(expected) < len(grid)


def _accepted_by_linear_programming(
    coefficients: Any, polyhedron: Any, weights: np.ndarray, theta: float, largest: float
) -> bool:
    """One value, by the definitions: the statistic and its truncation points by bisection."""
    matrix, post = polyhedron.matrix, len(weights)
    variance = matrix @ coefficients.covariance @ matrix.T
    spread = np.sqrt(np.diag(variance))
    data = matrix @ coefficients.estimates - polyhedron.bound

    def solve(values: np.ndarray) -> Any:
        return linprog(
            np.r_[1.0, np.zeros(post)],
            A_ub=-np.column_stack([spread, matrix[:, -post:]]),
            b_ub=-values,
            A_eq=np.r_[0.0, weights][None],
            b_eq=[theta],
            bounds=[(None, None)] * (post + 1),
            method="highs",
        )

    solution = solve(data)
    statistic, multipliers = solution.fun, -solution.ineqlin.marginals
    if statistic > largest:
        return False
    own = multipliers @ variance @ multipliers
    direction = variance @ multipliers / own

    def stays(shift: float) -> bool:
        moved = solve(data + direction * shift).fun
        return bool(moved <= statistic + shift + 1e-9)

    def reach(sign: float) -> float:
        if stays(sign * 50):
            return float(np.inf)
        low, high = 0.0, 50.0
        for _ in range(22):
            middle = (low + high) / 2
            low, high = (middle, high) if stays(sign * middle) else (low, middle)
        return low

    scale = np.sqrt(own)
    low, high = statistic - reach(-1), min(statistic + reach(1), largest)
    critical = truncnorm.isf(0.05, low / scale, high / scale)
    return not statistic / scale > max(0.0, critical)


def test_fixed_length_interval_is_the_shortest_of_all_unbiased_for_a_line() -> None:
    pre, post, m, weights = 4, 3, 0.3, np.array([0.2, 0.0, 0.8])
    coefficients = from_arrays(np.zeros(7), covariance_of(7, 3), pre, post)
    found = ShortestIntervals(coefficients, weights).shortest(m, 0.05)
    times = np.concatenate([np.arange(-pre, 0), np.arange(1, post + 1)])
    assert found.weights @ times == pytest.approx(0, abs=1e-10)
    restriction = _all_second_differences(pre, post)
    assert found.bias == pytest.approx(_worst_bias(found.weights, restriction, m))
    assert norm.cdf(found.half_length / found.se - found.bias / found.se) - norm.cdf(
        -found.half_length / found.se - found.bias / found.se
    ) == pytest.approx(0.95)

    null = np.linalg.svd(times[None, :pre].astype(float))[2][1:]

    def half_length(free: np.ndarray) -> float:
        v = found.weights.copy()
        v[:pre] += free @ null
        se = np.sqrt(v @ coefficients.covariance @ v)
        return float(se * folded_normal_quantile(_worst_bias(v, restriction, m) / se, 0.05))

    searched = minimize(half_length, np.full(pre - 1, 0.1), method="Nelder-Mead", tol=1e-9)
    assert found.half_length <= searched.fun * (1 + 1e-9)
    assert found.half_length == pytest.approx(searched.fun, rel=1e-4)


def _all_second_differences(pre: int, post: int) -> np.ndarray:
    return np.delete(np.diff(np.eye(pre + post + 1), n=2, axis=0), pre, axis=1)


def _worst_bias(v: np.ndarray, second: np.ndarray, m: float) -> float:
    both = np.concatenate([second, -second])
    bounds = [(None, None)] * len(v)
    return float(-linprog(-v, A_ub=both, b_ub=np.full(len(both), m), bounds=bounds).fun)


def test_least_favorable_value_is_the_simulated_quantile() -> None:
    generator = np.random.default_rng(2)
    for shape in ((3, 7), (9, 4), (2, 2), (1, 5)):
        roots = generator.normal(size=shape)
        draws = roots @ generator.normal(size=(shape[1], 200_000))
        expected = np.quantile(draws.max(axis=0), 0.995)
        assert least_favorable_value(roots, 0.005, 1000, 0) == pytest.approx(expected, rel=0.03)


def test_extreme_rays_of_a_cone_span_it_and_have_minimal_support() -> None:
    equalities = np.random.default_rng(0).normal(size=(8, 3))
    rays = extreme_rays(equalities)
    assert (rays >= 0).all()
    assert rays @ equalities == pytest.approx(0, abs=1e-9)
    assert ((rays > 0).sum(axis=1) == 4).all()
    cost = np.random.default_rng(1).normal(size=8)
    best = linprog(
        cost,
        A_eq=np.column_stack([equalities, np.ones(8)]).T,
        b_eq=[0, 0, 0, 1],
    )
    assert (rays @ cost / rays.sum(axis=1)).min() == pytest.approx(best.fun)


def test_truncated_tail_is_exact_far_out() -> None:
    value, low, high = np.array([1.0, 40.2, -3.0]), np.array([0.5, 40.0, -np.inf]), np.inf
    found = truncated_tail(value, low, np.full(3, high))
    assert found == pytest.approx(
        [norm.sf(1) / norm.sf(0.5), np.exp(norm.logsf(40.2) - norm.logsf(40)), norm.sf(-3)]
    )


# ------------------------------------------------------------------------ coverage
def test_interval_covers_at_the_edge_of_the_set() -> None:
    rng = np.random.default_rng(7)
    covariance = 0.05**2 * (np.eye(4) + 1)
    trend = np.array([0.04, 0.02, -0.02, -0.04])  # zero in the reference period; Mbar = 1
    covered, draws = 0, 150
    for _ in range(draws):
        estimates = trend + rng.multivariate_normal(np.zeros(4), covariance)
        result = honest_did(estimates, covariance, 2, 2, restriction=RelativeMagnitudes(1.0))
        low, high = result.table[["lower", "upper"]].to_numpy()[0]
        covered += low <= 0 <= high
    assert covered / draws >= 0.92


def test_conditional_interval_of_one_unrestricted_coefficient_is_the_usual_one() -> None:
    # One post-period and Mbar = 0: two opposite inequalities, each conditional on the other.
    result = honest_did(
        [0.4, 1.3],
        [[1.0, 0.3], [0.3, 2.0]],
        1,
        1,
        restriction=RelativeMagnitudes(0.0),
        method=Conditional(),
    )
    assert result.table[["lower", "upper"]].to_numpy()[0] == pytest.approx(result.original)


# ------------------------------------------------------------------------ algebra
def test_no_difference_in_trends_gives_the_original_interval(medicaid: dict[str, Any]) -> None:
    result = honest_did(
        medicaid["betahat"], medicaid["sigma"], 5, 2, restriction=RelativeMagnitudes(0.0)
    )
    row = result.table.iloc[0]
    assert (row["lower"], row["upper"]) == pytest.approx(result.original, abs=2e-5)


def test_smoothness_of_zero_gives_the_best_extrapolation_of_a_line(
    medicaid: dict[str, Any],
) -> None:
    estimates, covariance = np.array(medicaid["betahat"]), np.array(medicaid["sigma"])
    design = np.column_stack([np.array([-5, -4, -3, -2, -1, 1, 2]), np.zeros((7, 2))])
    design[5, 1] = design[6, 2] = 1
    weight = np.linalg.inv(covariance)
    variance = np.linalg.inv(design.T @ weight @ design)
    effect = (variance @ design.T @ weight @ estimates)[1]
    reach = norm.ppf(0.975) * np.sqrt(variance[1, 1])
    found = interval(medicaid, Smoothness(0.0))
    assert found == pytest.approx((effect - reach, effect + reach))


@pytest.mark.parametrize(
    "restriction",
    [
        RelativeMagnitudes((0.0, 0.5, 1.0, 2.0)),
        RelativeMagnitudes((0.0, 0.5, 1.0, 2.0), monotone="increasing"),
        Smoothness((0.0, 0.01, 0.05)),
        Smoothness((0.0, 0.01, 0.05), sign="positive"),
        SmoothnessRelative((0.0, 1.0, 2.0)),
    ],
    ids=lambda r: r.label,
)
def test_intervals_grow_with_the_bound(medicaid: dict[str, Any], restriction: Restriction) -> None:
    table = honest_did(medicaid["betahat"], medicaid["sigma"], 5, 2, restriction=restriction).table
    assert (table["upper"] - table["lower"]).is_monotonic_increasing


def test_scaling_the_outcome_scales_the_interval_and_reversing_it_mirrors_it(
    medicaid: dict[str, Any],
) -> None:
    estimates, covariance = np.array(medicaid["betahat"]), np.array(medicaid["sigma"])
    for restriction, scaled in (
        (RelativeMagnitudes(1.0), RelativeMagnitudes(1.0)),
        (Smoothness(0.01), Smoothness(10.0)),
    ):
        low, high = interval(medicaid, restriction)
        large = honest_did(1000 * estimates, 1e6 * covariance, 5, 2, restriction=scaled)
        assert large.table[["lower", "upper"]].to_numpy()[0] / 1000 == pytest.approx([low, high])
        mirrored = honest_did(-estimates, covariance, 5, 2, restriction=restriction)
        assert -mirrored.table[["upper", "lower"]].to_numpy()[0] == pytest.approx([low, high])
    positive = interval(medicaid, Smoothness(0.01, sign="positive"))
    negative = honest_did(
        -estimates, covariance, 5, 2, restriction=Smoothness(0.01, sign="negative")
    )
    assert -negative.table[["upper", "lower"]].to_numpy()[0] == pytest.approx(positive)


def test_a_grid_too_narrow_is_widened_until_the_interval_closes(medicaid: dict[str, Any]) -> None:
    narrow = interval(medicaid, RelativeMagnitudes(2.0))
    wide = interval(medicaid, RelativeMagnitudes(100.0))
    assert np.isfinite(wide).all()
    assert wide[1] - wide[0] > 20 * (narrow[1] - narrow[0])


def test_a_restriction_that_the_data_contradict_gives_no_interval() -> None:
    # A steep rise before the policy and a line after it cannot have a negative bias.
    estimates = [-3.0, -2.0, -1.0, 1.0]
    result = honest_did(
        estimates,
        1e-4 * np.eye(4),
        3,
        1,
        restriction=Smoothness(0.0, sign="negative"),
        method=Conditional(),
    )
    assert result.table[["lower", "upper"]].isna().all(axis=None)


def test_breakdown_is_where_the_interval_reaches_zero(medicaid: dict[str, Any]) -> None:
    for restriction, published in ((RelativeMagnitudes(), (1.5, 2)), (Smoothness(0), (0.02, 0.03))):
        result = honest_did(medicaid["betahat"], medicaid["sigma"], 5, 2, restriction=restriction)
        assert published[0] < result.breakdown < published[1]
        at = type(restriction)(result.breakdown)
        assert interval(medicaid, at)[0] == pytest.approx(0, abs=1e-5)
    none = honest_did([0.0, 0.0], np.eye(2), 1, 1)
    assert none.breakdown == 0.0


def test_targets_are_linear_combinations_of_post_periods(medicaid: dict[str, Any]) -> None:
    average = interval(medicaid, RelativeMagnitudes(1.0), target="average")
    assert average == interval(medicaid, RelativeMagnitudes(1.0), target=[0.5, 0.5])
    assert average == interval(medicaid, RelativeMagnitudes(1.0), target={0: 0.5, 1: 0.5})
    twice = interval(medicaid, RelativeMagnitudes(1.0), target=[1.0, 1.0])
    assert np.array(twice) / 2 == pytest.approx(average)
    first = interval(medicaid, Smoothness(0.01), target={0: 1.0})
    assert first == interval(medicaid, Smoothness(0.01))


# ------------------------------------------------------------------------ estimates
def test_an_event_study_brings_its_own_coefficients_and_covariance() -> None:
    frame = simulated_panel(
        units=30, periods=8, adoption=dict.fromkeys(range(12), 2005), effect=1.0
    )
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    estimate = jp.did.EventStudy().fit(design)
    result = honest_did(estimate)
    effects = estimate.effects[estimate.effects["event_time"] != -1]
    assert estimate.inference is not None
    covariance = estimate.inference.details["covariance"][1:, 1:]
    by_hand = honest_did(effects["estimate"], covariance, 3, 4)
    assert result.table.equals(by_hand.table)
    assert result.target.index.tolist() == [0, 1, 2, 3]
    clustered = estimate.with_inference(jp.inference.Clustered(kind="CRV3"))
    assert honest_did(clustered).se > result.se
    summary = result.summary()
    assert "Breakdown Mbar" in summary
    assert "original" in summary
    frame_of_result = result.to_frame()
    assert np.isnan(frame_of_result["bound"][0])
    assert len(frame_of_result) == 5


def test_group_time_effects_need_a_common_base_period() -> None:
    adoption = {**dict.fromkeys(range(8), 2004), **dict.fromkeys(range(8, 16), 2006)}
    frame = simulated_panel(units=40, periods=8, adoption=adoption, effect=1.0)
    design = jp.Design.from_frame(
        frame, unit="unit", time="period", outcome="y", treatment="treated"
    )
    universal = jp.did.CallawaySantAnna(base="universal").fit(design).aggregate("event")
    result = honest_did(universal, target="average")
    after = universal.effects.query("event_time >= 0")
    assert result.estimate == pytest.approx(after["estimate"].mean())
    assert result.se == pytest.approx(universal.se)
    assert (result.table["lower"] < result.original[0]).all()
    varying = jp.did.CallawaySantAnna(base="varying").fit(design).aggregate("event")
    with pytest.raises(jp.InferenceError, match="base='universal'"):
        honest_did(varying)


def test_few_treated_clusters_are_said_beside_the_interval() -> None:
    design = jp.Design.from_frame(
        simulated_panel(units=31), unit="unit", time="period", outcome="y", treatment="treated"
    )
    notes = honest_did(jp.did.EventStudy().fit(design)).notes
    assert any("Few clusters are treated" in note for note in notes)


def test_clusters_that_are_all_treated_are_not_called_few() -> None:
    design = jp.Design.from_frame(
        simulated_panel(units=9, adoption={unit: 2003 + unit % 3 for unit in range(9)}),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
    )
    notes = honest_did(jp.did.EventStudy(bins=(-2, 1)).fit(design)).notes
    assert not any("treated" in note for note in notes)


# ------------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.2], np.eye(2), 0, 2), "pre_periods=0"),
        (([0.1, 0.2], np.eye(2), 2, 0), "post_periods=0"),
        (([0.1, 0.2, 0.3], np.eye(3), 1, 1), "Leave the reference period out"),
        (([0.1, 0.2], np.eye(3), 1, 1), r"shape \(3, 3\)"),
        (([0.1, 0.2], [[1.0, 2.0], [2.0, 1.0]], 1, 1), "not positive semidefinite"),
        (([0.1, 0.2], [[1.0, 0.2], [0.0, 1.0]], 1, 1), "not symmetric"),
        (([0.1, 0.2], np.diag([1.0, 0.0]), 1, 1), "no variance"),
        (([0.1, 0.2, 0.3], np.ones((3, 3)), 2, 1), "singular"),
        (([0.1, np.nan], np.eye(2), 1, 1), "finite"),
        (([0.1, 0.2],), "covariance="),
    ],
)
def test_arrays_that_do_not_fit_are_explained(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(jp.InferenceError, match=message):
        honest_did(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restriction": SmoothnessRelative(1.0)}, "needs 2 pre-periods"),
        ({"method": FixedLength()}, "use HybridFixedLength"),
        ({"method": HybridFixedLength()}, "needs smoothness"),
        ({"method": HybridLeastFavorable(kappa=0.2)}, "kappa=0.2"),
        ({"target": [1.0, 0.0]}, "2 weights"),
        ({"target": {3: 1.0}}, r"\[3\] are not post-periods"),
        ({"target": [0.0]}, "all zero"),
        ({"level": 95}, "level=95"),
    ],
)
def test_options_that_do_not_fit_are_explained(options: dict[str, Any], message: str) -> None:
    with pytest.raises(jp.InferenceError, match=message):
        honest_did([0.1, 0.2], np.eye(2), 1, 1, **options)


def test_bounds_and_shapes_are_checked() -> None:
    with pytest.raises(jp.InferenceError, match="0 or more"):
        RelativeMagnitudes(-1.0)
    with pytest.raises(jp.InferenceError, match="sign="):
        Smoothness(0.1, sign="up")  # type: ignore[arg-type]
    assert RelativeMagnitudes([1, 2]) == RelativeMagnitudes((1.0, 2.0))


def test_estimates_without_an_event_study_or_with_gaps_are_refused() -> None:
    design = jp.Design.from_frame(
        simulated_panel(units=12, periods=8),
        unit="unit",
        time="period",
        outcome="y",
        treatment="treated",
    )
    synthetic = jp.synth.SyntheticControl().fit(design)
    with pytest.raises(jp.InferenceError, match="event study"):
        honest_did(synthetic)
    with pytest.raises(jp.InferenceError, match="reference=0"):
        honest_did(jp.did.EventStudy(reference=0).fit(design))
    with pytest.raises(jp.InferenceError, match="with arrays only"):
        honest_did(jp.did.EventStudy().fit(design), np.eye(2))


def test_the_default_target_is_from_adoption_on_whatever_the_reference() -> None:
    frame = simulated_panel(units=30, periods=8, adoption=dict.fromkeys(range(9), 2005), effect=1.0)
    design = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", adoption="first")
    estimate = jp.did.EventStudy(reference=-3).fit(design)
    effects = estimate.effects.set_index("event_time")["estimate"]
    first = honest_did(estimate)
    assert first.table["estimate"].unique() == pytest.approx([effects[0]])
    assert first.target[first.target != 0].index.tolist() == [0]
    assert any("event times -2, -1" in note for note in first.notes)
    mean = honest_did(estimate, target="average")
    assert mean.estimate == pytest.approx(effects[effects.index >= 0].mean())
    anticipated = jp.did.CallawaySantAnna(base="universal", anticipation=1).fit(design)
    points = anticipated.effects.set_index("event_time")["estimate"]
    assert honest_did(anticipated).estimate == pytest.approx(points[0])


def test_a_biennial_panel_is_bounded_as_if_its_periods_were_numbered() -> None:
    frame = simulated_panel(units=30, periods=8, adoption=dict.fromkeys(range(9), 2005), effect=1.0)
    names = {"unit": "unit", "time": "period", "outcome": "y", "adoption": "first"}
    yearly = honest_did(jp.did.EventStudy().fit(jp.Design.from_frame(frame, **names)))
    frame[["period", "first"]] = 2000 + 2 * (frame[["period", "first"]] - 2001)
    every_two = honest_did(jp.did.EventStudy().fit(jp.Design.from_frame(frame, **names)))
    bounds = ["estimate", "lower", "upper"]
    assert every_two.table[bounds].to_numpy() == pytest.approx(yearly.table[bounds].to_numpy())
    uneven = frame.replace({"period": {2014: 2015}})
    with pytest.raises(jp.InferenceError, match="Number the periods 0, 1, 2"):
        honest_did(jp.did.EventStudy().fit(jp.Design.from_frame(uneven, **names)))
