"""Of weights that fit equally well the most even ones: a function of the data alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from jjjpolicy.linalg.choice import first_smallest
from jjjpolicy.linalg.even_weights import most_even, most_even_exact, most_even_together
from jjjpolicy.linalg.simplex import simplex_least_squares, simplex_weights
from jjjpolicy.synth.penalized import penalized_weights


def inside_the_hull(rows: int, columns: int, seed: int) -> np.ndarray:
    """Columns less a target that some average of them meets exactly."""
    rng = np.random.default_rng(seed)
    columns_ = rng.normal(size=(rows, columns))
    return columns_ - (columns_ @ rng.dirichlet(np.ones(columns)))[:, None]


def with_repeated_columns(rows: int, columns: int, seed: int) -> np.ndarray:
    """A target outside the hull of columns that occur several times."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, columns))[:, rng.integers(0, max(2, columns // 2), columns)]


PROBLEMS = st.tuples(
    st.sampled_from([inside_the_hull, with_repeated_columns]),
    st.integers(2, 8),
    st.integers(6, 25),
    st.integers(0, 10_000),
)


@settings(deadline=None, max_examples=60)
@given(PROBLEMS)
def test_no_weights_that_fit_as_well_are_more_even(problem: tuple) -> None:
    make, rows, columns, seed = problem
    difference = make(rows, columns, seed)
    weights = simplex_weights(difference)
    fit = difference @ weights
    other = minimize(
        lambda w: w @ w,
        weights,
        jac=lambda w: 2 * w,
        method="SLSQP",
        bounds=[(0, 1)] * columns,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1},
            {"type": "eq", "fun": lambda w: difference @ w - fit},
        ],
        options={"maxiter": 500},
    )
    assert weights @ weights <= other.fun + 1e-7
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(PROBLEMS, st.floats(0.01, 1000))
def test_weights_do_not_depend_on_order_or_unit_of_measure(problem: tuple, factor: float) -> None:
    make, rows, columns, seed = problem
    difference = make(rows, columns, seed)
    order = np.random.default_rng(seed).permutation(columns)
    shuffled = simplex_weights(factor * difference[:, order])
    assert shuffled == pytest.approx(simplex_weights(difference)[order], abs=1e-9)


def test_the_tie_break_costs_no_fit() -> None:
    difference = inside_the_hull(6, 20, seed=1)
    solution = simplex_least_squares(difference, np.zeros(6))
    assert np.abs(difference @ solution.weights).max() <= 1e-13
    assert solution.gap <= 1e-12


def test_columns_that_are_alike_get_the_same_weight() -> None:
    near, far = np.array([1.0, 0.0]), np.array([0.0, 3.0])
    difference = np.column_stack([near, far, near, near])
    weights = simplex_weights(difference)
    # By hand: ||(a, 3 (1 - a))||² is smallest at a = 9/10, in three equal parts.
    assert weights == pytest.approx([0.3, 0.1, 0.3, 0.3], abs=1e-12)


def test_a_unique_solution_is_left_alone() -> None:
    difference = np.random.default_rng(2).normal(size=(12, 5)) + 1.0
    weights = simplex_weights(difference)
    assert most_even(difference, weights) is weights


def test_without_differences_all_weights_are_equal() -> None:
    assert simplex_weights(np.zeros((3, 4))) == pytest.approx(np.full(4, 0.25))


@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_penalised_weights_of_donors_that_are_alike_are_equal(penalty: float) -> None:
    rng = np.random.default_rng(3)
    pool = rng.normal(size=(6, 5))[:, [0, 1, 2, 2, 3, 4, 0]]
    weights = penalized_weights(pool, pool @ np.array([0.3, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1]), penalty)
    assert weights[0] == pytest.approx(weights[6], abs=1e-10)
    assert weights[2] == pytest.approx(weights[3], abs=1e-10)
    assert weights.sum() == pytest.approx(1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_the_limit_of_small_penalties_is_the_most_even_fit(seed: int) -> None:
    difference = inside_the_hull(4, 12, seed)
    small = simplex_weights(difference, 1e-3 * float((difference**2).mean()))
    smaller = simplex_weights(difference, 1e-6 * float((difference**2).mean()))
    limit = simplex_weights(difference)
    assert np.abs(smaller - limit).max() <= 1e-2 * np.abs(small - limit).max() + 1e-4


def test_the_first_of_errors_that_tie_up_to_rounding_is_chosen() -> None:
    assert first_smallest(np.array([3.0, 1.0 + 1e-12, 1.0, 2.0])) == 1
    assert first_smallest(np.array([3.0, 1e-17, 0.0, 1e-16])) == 1
    assert first_smallest(np.array([3.0, 1.0 + 1e-6, 1.0])) == 2
    assert first_smallest(np.array([np.inf, 2.0, 1.0])) == 2


@pytest.mark.parametrize("seed", [1, 194])
def test_a_target_that_is_a_donor_gets_that_donor_alone_in_equal_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 437, 437)
    columns = rng.normal(size=(13, 437))[:, drawn]
    weights = simplex_weights(columns - columns[:, [0]])
    alike = drawn == drawn[0]
    assert weights == pytest.approx(alike / alike.sum(), abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_weights_of_several_units_together_are_the_most_even_with_their_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    differences = rng.normal(size=(3, 4, 8))
    weights = rng.dirichlet(np.ones(8), size=3)
    differences -= np.einsum("jrc,jc->r", differences, weights)[:, None] / 3
    even = most_even_together(differences, weights)
    side_by_side = np.hstack([*differences])
    other = minimize(
        lambda w: w @ w,
        weights.ravel(),
        jac=lambda w: 2 * w,
        method="SLSQP",
        bounds=[(0, 1)] * 24,
        constraints=[
            {"type": "eq", "fun": lambda w: w.reshape(3, 8).sum(axis=1) - 1},
            {"type": "eq", "fun": lambda w: side_by_side @ w},
        ],
        options={"maxiter": 500},
    )
    assert (even**2).sum() == pytest.approx(other.fun, abs=1e-6)
    assert np.abs(side_by_side @ even.ravel()).max() <= 1e-11
    assert even.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-11)
    assert even.min() >= 0


@pytest.mark.parametrize("dependent", [False, True])
def test_many_exact_fits_at_once_are_those_of_single_problems(dependent: bool) -> None:
    rng = np.random.default_rng(4)
    differences = rng.normal(size=(60, 4, 20)) + 0.6
    if dependent:
        differences -= differences.mean(axis=1, keepdims=True)
    allowed = rng.random((60, 20)) < 0.7
    weights, solved = most_even_exact(differences, allowed)
    singles = np.zeros((60, 20))
    for row, (difference, own) in enumerate(zip(differences, allowed, strict=True)):
        singles[row, own] = simplex_weights(difference[:, own])
    exact = np.abs(np.einsum("prc,pc->pr", differences, singles)).max(axis=1) < 1e-9
    assert 5 < exact.sum() < 61
    assert solved.tolist() == exact.tolist()
    assert weights[solved] == pytest.approx(singles[solved], abs=1e-10)
    assert not weights[~allowed].any()
