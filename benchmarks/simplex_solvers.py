"""Time of solvers for least squares on the simplex, at an optimality gap of 1e-10 (simulated).

Panels with three common factors; every unit in turn is the treated one and all others are its
donors, without a penalty (synthetic control) and with that of synthetic difference-in-differences.
The gap is the Frank-Wolfe duality gap over the objective of the best single donor. Tolerances of
iterative solvers are set so that they reach 1e-10 where they can; the table shows what they reach.
Solvers that are not installed are left out.

    python benchmarks/simplex_solvers.py --repeats 5
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from jjjpolicy.linalg.simplex import duality_gap, simplex_weights
from jjjpolicy.linalg.simplex_newton import ridge_weights
from jjjpolicy.synth.weights.quadratic import simplex_quadratic

SIZES = [(31, 15), (39, 19), (301, 60)]
GOAL = 1e-10
Batch = list[tuple[np.ndarray, float]]


def problems(units: int, periods: int, penalised: bool) -> Batch:
    """Differences between donors and treated unit (periods, donors), and the penalty."""
    rng = np.random.default_rng(units)
    paths = rng.normal(size=(units, 3)) @ rng.normal(size=(3, periods)).cumsum(axis=1)
    paths += 0.5 * rng.normal(size=(units, periods))
    zeta = np.diff(paths, axis=1).std() * 10**0.25
    if penalised:
        paths -= paths.mean(axis=1, keepdims=True)
    ridge = periods * zeta**2 if penalised else 0.0
    return [((np.delete(paths, i, axis=0) - paths[i]).T, ridge) for i in range(units)]


def hessian(difference: np.ndarray, ridge: float) -> np.ndarray:
    """Matrix of the quadratic form, scaled to a diagonal of about one."""
    gram = difference.T @ difference + ridge * np.eye(difference.shape[1])
    return gram / np.diag(gram).mean()


def with_nnls(batch: Batch) -> list[np.ndarray]:
    """The penalty as further rows, so that Newton's method is not called."""
    return [
        simplex_weights(
            np.concatenate([difference, np.sqrt(ridge) * np.eye(difference.shape[1])])
            if ridge
            else difference
        )
        for difference, ridge in batch
    ]


def with_newton(batch: Batch) -> list[np.ndarray]:
    if batch[0][1] == 0:
        raise NotImplementedError
    points = np.insert(batch[0][0].T, 0, 0.0, axis=0)  # all units less the first
    ridge = np.array([ridge for _, ridge in batch])
    others = ~np.eye(len(points), dtype=bool)
    weights, _ = ridge_weights(points, points, ridge, others)
    return [row[own] for row, own in zip(weights, others, strict=True)]


def with_own_active_set(batch: Batch) -> list[np.ndarray]:
    return [simplex_quadratic(hessian(d, r), np.zeros(d.shape[1])) for d, r in batch]


def with_projected_gradient(batch: Batch, steps: int = 20_000) -> list[np.ndarray]:
    """Accelerated projected gradient with restarts, all problems at once."""
    matrices = np.stack([hessian(d, r) for d, r in batch])
    count = matrices.shape[1]
    step = 1 / np.linalg.eigvalsh(matrices)[:, -1:]
    best = matrices.diagonal(axis1=1, axis2=2).min(axis=1)
    w = np.full(matrices.shape[:2], 1 / count)
    ahead, momentum = w.copy(), np.ones((len(w), 1))
    for k in range(steps):
        gradient = (matrices @ ahead[:, :, None])[:, :, 0]
        new = project(ahead - step * gradient)
        restart = ((ahead - new) * (new - w)).sum(axis=1, keepdims=True) > 0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = np.where(restart, new, new + (momentum - 1) / following * (new - w))
        momentum = np.where(restart, 1.0, following)
        w = new
        if k % 25 == 24:
            slope = 2 * (matrices @ w[:, :, None])[:, :, 0]
            if ((slope * w).sum(axis=1) - slope.min(axis=1) <= GOAL * best).all():
                break
    return list(w)


def project(points: np.ndarray) -> np.ndarray:
    """Nearest points on the simplex, row by row."""
    ordered = -np.sort(-points, axis=1)
    excess = (ordered.cumsum(axis=1) - 1) / np.arange(1, points.shape[1] + 1)
    last = (ordered > excess).sum(axis=1) - 1
    return np.maximum(points - excess[np.arange(len(points)), last][:, None], 0.0)


def with_quadprog(batch: Batch) -> list[np.ndarray]:
    quadprog = import_module("quadprog")
    solutions = []
    for difference, ridge in batch:
        n = difference.shape[1]
        matrix = hessian(difference, ridge) + 1e-10 * np.eye(n)
        constraints = np.column_stack([np.ones(n), np.eye(n)])
        bounds = np.append(1.0, np.zeros(n))
        solutions.append(quadprog.solve_qp(2 * matrix, np.zeros(n), constraints, bounds, 1)[0])
    return solutions


def with_clarabel(batch: Batch) -> list[np.ndarray]:
    clarabel, sparse = import_module("clarabel"), import_module("scipy.sparse")
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    solutions = []
    for difference, ridge in batch:
        n = difference.shape[1]
        matrix = sparse.csc_matrix(np.triu(2 * hessian(difference, ridge)))
        rows = sparse.csc_matrix(np.vstack([np.ones(n), -np.eye(n)]))
        cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(n)]
        solver = clarabel.DefaultSolver(
            matrix, np.zeros(n), rows, np.append(1.0, np.zeros(n)), cones, settings
        )
        solutions.append(np.array(solver.solve().x))
    return solutions


def with_daqp(batch: Batch) -> list[np.ndarray]:
    daqp = import_module("daqp")
    solutions = []
    for difference, ridge in batch:
        n = difference.shape[1]
        matrix = np.ascontiguousarray(2 * hessian(difference, ridge)) + 1e-10 * np.eye(n)
        upper, lower = np.append(np.ones(n), 1.0), np.append(np.zeros(n), 1.0)
        sense = np.zeros(n + 1, dtype=np.int32)
        sense[-1] = 5
        solutions.append(daqp.solve(matrix, np.zeros(n), np.ones((1, n)), upper, lower, sense)[0])
    return solutions


def with_piqp(batch: Batch) -> list[np.ndarray]:
    piqp = import_module("piqp")
    solutions = []
    for difference, ridge in batch:
        n = difference.shape[1]
        solver = piqp.DenseSolver()
        solver.settings.eps_abs = solver.settings.eps_rel = 1e-12
        solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = 1e-12
        solver.setup(
            2 * hessian(difference, ridge),
            np.zeros(n),
            np.ones((1, n)),
            np.ones(1),
            x_l=np.zeros(n),
            x_u=np.ones(n),
        )
        solver.solve()
        solutions.append(np.array(solver.result.x))
    return solutions


def with_proxsuite(batch: Batch) -> list[np.ndarray]:
    proxqp = import_module("proxsuite").proxqp
    solutions = []
    for difference, ridge in batch:
        n = difference.shape[1]
        solver = proxqp.dense.QP(n, 1, n)
        solver.settings.eps_abs, solver.settings.eps_rel = 1e-11, 0.0
        solver.init(
            2 * hessian(difference, ridge),
            np.zeros(n),
            np.ones((1, n)),
            np.ones(1),
            np.eye(n),
            np.zeros(n),
            np.ones(n),
        )
        solver.solve()
        solutions.append(np.array(solver.results.x))
    return solutions


SOLVERS: dict[str, tuple[Callable[[Batch], list[np.ndarray]], str | None]] = {
    "scipy nnls, sum-to-one row (adopted without ridge)": (with_nnls, None),
    "own Newton on the dual, batched (adopted with ridge)": (with_newton, None),
    "own primal active set": (with_own_active_set, None),
    "own accelerated projected gradient, batched": (with_projected_gradient, None),
    "quadprog": (with_quadprog, "quadprog"),
    "clarabel": (with_clarabel, "clarabel"),
    "daqp": (with_daqp, "daqp"),
    "piqp": (with_piqp, "piqp"),
    "proxsuite": (with_proxsuite, "proxsuite"),
}


def largest_gap(batch: Batch, solutions: list[np.ndarray]) -> float:
    """Largest relative gap, of the solutions made feasible."""
    gaps = []
    for (difference, ridge), raw in zip(batch, solutions, strict=True):
        w = np.maximum(raw, 0.0)
        w = w / w.sum()
        gram = difference.T @ difference + ridge * np.eye(len(w))
        gaps.append(duality_gap(gram, np.zeros(len(w)), w) / np.diag(gram).min())
    return float(max(gaps))


def measure(solver: Callable[[Batch], Any], batch: Batch, repeats: int) -> tuple[float, float]:
    """Milliseconds per problem (best of the repeats) and the largest relative gap."""
    best, solutions, spent = np.inf, [], 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        solutions = solver(batch)
        elapsed = time.perf_counter() - start
        best, spent = min(best, elapsed), spent + elapsed
        if spent > 20:
            break
    return 1000 * best / len(batch), largest_gap(batch, solutions)


def installed(module: str | None) -> bool:
    if module is None:
        return True
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="leave the largest size out")
    options = parser.parse_args()
    cases = [(u, t, p) for u, t in SIZES[: 2 if options.small else 3] for p in (False, True)]
    lines = [
        "# Solvers for least squares on the simplex (simulated)",
        "",
        "Milliseconds per problem, best of several passes over all units of a panel, each unit in "
        "turn against all others; in brackets the largest relative optimality gap. Goal 1e-10.",
        "",
        "| solver | "
        + " | ".join(f"{u - 1} × {t}{', ridge' if p else ''}" for u, t, p in cases)
        + " |",
        "|---" * (len(cases) + 1) + "|",
    ]
    for name, (solver, module) in SOLVERS.items():
        if not installed(module):
            continue
        cells = []
        for units, periods, penalised in cases:
            batch = problems(units, periods, penalised)
            if units > 100 and name.startswith(
                ("own a", "own p", "clarabel", "proxsuite", "quadprog", "piqp")
            ):
                batch = batch[:12]
            try:
                milliseconds, gap = measure(solver, batch, options.repeats)
                cells.append(f"{milliseconds:.3g} ({gap:.0e})")
            except NotImplementedError:
                cells.append("–")
            except Exception as error:  # a solver may give up on singular problems
                cells.append(type(error).__name__)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    lines += [
        "",
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        "one thread. Projected gradient stops at the goal or after 20,000 steps; it and the slower "
        "solvers run on 12 of the 301 problems of the largest size. "
        "Measured on a busy two-core machine.",
        "",
    ]
    target = Path(__file__).parent / "results" / "simplex_solvers.md"
    target.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
