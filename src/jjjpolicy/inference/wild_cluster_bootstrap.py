"""Wild cluster bootstrap of regression estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.draws import MOST, require_few, seeded
from jjjpolicy.estimation.estimate import Estimate, Inference
from jjjpolicy.estimation.repeated import RepeatedTests
from jjjpolicy.estimation.results import InvertedTest
from jjjpolicy.estimation.rounding import LEVEL, cleared, resolution
from jjjpolicy.estimation.variance import few_treated_note
from jjjpolicy.inference.permutation.inversion import outermost
from jjjpolicy.inference.permutation.ranks import at_least, studentised
from jjjpolicy.inference.regression.clusters import ClusterProducts, cluster_products, named_members
from jjjpolicy.inference.regression.parts import regression_of

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimator
    from jjjpolicy.linalg.types import Floats, Integers

Variant = Literal["11", "13", "31", "33"]
Weights = Literal["rademacher", "webb", "mammen"]

WEIGHTS = 50_000_000
"""Random weights that are held at once."""

TOGETHER = 500
"""Bootstrap samples that are worked on at a time: what stays in the processor's cache."""


@dataclass(frozen=True)
class WildClusterBootstrap(Inference):
    r"""Wild cluster bootstrap-t, with the null imposed (WCR) or not (WCU).

    Residuals of each cluster are multiplied by one random weight, the regression is run again, and
    the t statistic is compared with those of the bootstrap samples (Cameron, Gelbach and Miller
    2008). Everything reduces to G × G matrices (MacKinnon 2023), so that no sample is ever formed;
    the interval inverts the test (or, without the null imposed, the same statistic).

    With few treated clusters the restricted bootstrap hardly ever rejects and the unrestricted one
    rejects far too often (MacKinnon and Webb 2017). The subcluster bootstrap helps only if clusters
    are alike (MacKinnon and Webb 2018).

    Parameters
    ----------
    level : str, optional
        Clusters; the level of assignment by default.
    replications : int
        Bootstrap samples. With Rademacher weights all :math:`2^G` of them are used instead when
        they are no more than this.
    seed : int
    impose_null : bool
    variant : {"11", "13", "31", "33"}
        First digit: variance in the t statistic, CRV1 or CRV3. Second: residuals of the bootstrap
        samples, ordinary (1) or those of a fit without the cluster (3). The names of MacKinnon,
        Nielsen and Webb (2023).
    weights : {"rademacher", "webb", "mammen"}
    subclusters : str, optional
        Level of the random weights, if finer than the clusters of the variance.

    Notes
    -----
    The p-value counts the estimate itself: :math:`(1 + \#\{|t^*| \ge |t|\}) / (1 + B)` for sampled
    weights, the share of :math:`|t^*| \ge |t|` where all weights are enumerated. ``se`` is the
    analytic standard error in the t statistic.
    """

    by_group: ClassVar[bool] = True
    level: str | None = None
    replications: int = 9_999
    seed: int = 0
    impose_null: bool = True
    variant: Variant = "11"
    weights: Weights = "rademacher"
    subclusters: str | None = None

    def infer(self, estimate: Estimate) -> Estimate:
        """Attach p-value and interval.

        Raises
        ------
        InferenceError
            The estimate is not a regression with unit and period effects; unknown options;
            subclusters that cross clusters; a variant with CRV3 where the estimate rests on one
            cluster.
        """
        self._check()
        design = estimate.design
        fit, contrasts = regression_of(
            estimate, self.label, "MultiplierBootstrap, ClusterBootstrap or RandomizationInference"
        )
        level = self.level or design.assigned_at
        codes = np.unique(design.cluster_codes(level), return_inverse=True)[1].astype(np.int64)
        if codes.max() < 1:
            raise InferenceError(f"there is only one cluster at level {level!r}; two are needed.")
        clusters = cluster_products(fit, contrasts[:1], codes)
        fine, owner = clusters, np.arange(clusters.groups)
        if self.subclusters is not None:
            finer = np.unique(design.cluster_codes(self.subclusters), return_inverse=True)[1]
            owner = codes[np.unique(finer, return_index=True)[1]]
            if (owner[finer] != codes).any():
                raise InferenceError(
                    f"subclusters={self.subclusters!r} cross the clusters at level {level!r}; name "
                    f"a level whose groups lie within them."
                )
            fine = cluster_products(fit, contrasts[:1], finer.astype(np.int64))
        counted = (fit.observations - 1) / (fit.observations - fit.parameters)
        noise = resolution(design.outcome)
        test = _Test.prepare(clusters, fine, owner, self, counted, noise, design)
        if not test.se > noise:
            raise InferenceError(
                f"the standard error by {level} is {test.se:g}, so that there is no t statistic; "
                f"look at the outcome column, or use RandomizationInference."
            )
        enumerated = self.weights == "rademacher" and 2**fine.groups <= min(self.replications, MOST)
        if not enumerated:
            require_few("replications", self.replications, min(MOST, WEIGHTS // fine.groups))
        test.draw(self._weights(fine.groups, enumerated))
        draws = test.draws

        def pvalue(effect: float) -> float:
            statistic, reference = test.statistics(estimate.att, effect)
            beyond = int(at_least(np.abs(reference), abs(statistic)).sum())
            return beyond / draws if enumerated else (1 + beyond) / (1 + draws)

        statistic, reference = test.statistics(estimate.att, 0.0)
        smallest = (2 if self.impose_null else 1) / draws if enumerated else 1 / (1 + draws)
        kind = "WCR" if self.impose_null else "WCU"
        how = f"all {draws:,} sign vectors" if enumerated else f"{draws:,} draws, seed {self.seed}"
        return estimate.with_result(
            InvertedTest(
                name=f"wild cluster bootstrap by {level} ({kind}-{self.variant}, {self.weights})",
                se=test.se,
                pvalue=pvalue(0.0),
                pvalue_of=pvalue,
                bounds=lambda level: outermost(pvalue, estimate.att, test.se, level),
                reference=reference,
                smallest_pvalue=smallest,
                exact=enumerated,
                notes=(
                    f"{how}; smallest attainable p-value {smallest:.3g}.",
                    *few_treated_note(design, codes),
                ),
                details={"statistic": statistic},
                specification=self.specification(),
            )
        )

    def repeated(
        self,
        estimator: Estimator,
        design: Design,
        adoptions: Floats,
        effects: Sequence[float] = (0.0,),
        first: int = 0,
    ) -> RepeatedTests:
        """p-values of no effect under many assignments; see :meth:`Inference.repeated`.

        An effect that is added moves the coefficient and no residual: that there is none is then
        the hypothesis that there is as much less in the outcome as it was.
        """
        found = []
        for row, method in zip(adoptions, self.in_turn(first, len(adoptions)), strict=True):
            result = method.infer(estimator.fit(design.reassigned(row))).inference
            assert isinstance(result, InvertedTest)
            assert result.pvalue_of is not None
            found.append([result.pvalue_of(-effect) for effect in effects])
        pvalues = np.array(found).reshape(len(adoptions), len(effects))
        return RepeatedTests(pvalues, pvalues.size)

    def _check(self) -> None:
        if self.replications < 1:
            raise InferenceError(f"replications={self.replications} must be at least 1.")

    def _weights(self, groups: int, enumerated: bool) -> Floats:
        """Random weights, shape (groups, draws)."""
        if enumerated:
            bits = (np.arange(2**groups) >> np.arange(groups)[:, None]) & 1
            signs: Floats = 2.0 * bits.astype(np.float64) - 1.0
            return signs
        rng = np.random.default_rng(seeded(self.seed))
        shape = (groups, self.replications)
        if self.weights == "rademacher":
            coins = np.unpackbits(np.frombuffer(rng.bytes(-(-groups * shape[1] // 8)), np.uint8))
            flips: Floats = coins[: groups * shape[1]].reshape(shape).astype(np.float64)
            flips *= 2.0
            flips -= 1.0
            return flips
        if self.weights == "webb":
            support = np.sqrt([0.5, 1.0, 1.5])
            points: Floats = np.concatenate([-support, support])[rng.integers(6, size=shape)]
            return points
        golden = (1 + np.sqrt(5)) / 2
        below = rng.random(shape) < golden / np.sqrt(5)
        mammen: Floats = np.where(below, 1 - golden, golden)
        return mammen


class _Test:
    r"""The t statistic of every bootstrap sample as a function of the effect under the null.

    With weight v, restricted residuals and :math:`\delta = (\hat\tau - \tau)/c'(Z'Z)^{-1}c`, the
    bootstrap estimate is :math:`N_0 + \delta N_1` and the cluster terms of its variance are
    :math:`P_0 + \delta P_1`, all linear in v.
    """

    def __init__(self, maps: tuple[Floats, ...], se: float, length: float, noise: float) -> None:
        self._maps, self.se, self._length, self._noise = maps, se, length, noise
        self.draws = 0

    @classmethod
    def prepare(
        cls,
        clusters: ClusterProducts,
        fine: ClusterProducts,
        owner: Integers,
        method: WildClusterBootstrap,
        counted: float,
        noise: float,
        design: Design,
    ) -> _Test:
        contrast = clusters.contrasts[0]
        groups = clusters.groups
        jackknife = method.variant[0] == "3"
        left = np.broadcast_to(contrast, (groups, len(contrast)))
        if jackknife:
            rows, lost = clusters.leverage_power(1.0)
            left = rows[:, 0]
            if lost[:, 0].any():
                raise InferenceError(
                    f"variant={method.variant!r} studentises with CRV3, and the estimate cannot be "
                    f"formed without the cluster of "
                    f"{named_members(design, clusters.codes, int(np.argmax(lost[:, 0])))}; use "
                    f"variant='11' or '13', or RandomizationInference."
                )
        factor = (groups - 1) / groups if jackknife else groups / (groups - 1) * counted
        length = float(contrast @ contrast)
        scores = [fine.scores, fine.gram @ contrast if method.impose_null else None]
        if method.variant[1] == "3":
            free = _orthogonal_complement(contrast) if method.impose_null else np.eye(len(contrast))
            inner = free.T @ fine.gram @ free
            inverse = np.linalg.pinv(np.eye(inner.shape[1]) - inner, rcond=1e-9, hermitian=True)
            change = np.eye(len(contrast)) + fine.gram @ (free @ inverse @ free.T)
            scores = [None if s is None else np.einsum("gkl,gl->gk", change, s) for s in scores]
        member = owner[None, :] == np.arange(groups)[:, None]
        spread = np.einsum("gk,gkl->gl", left, clusters.gram)
        maps: list[Floats] = []
        for part in scores:
            if part is None:
                continue
            maps.append((part @ contrast)[None, :])
            maps.append(np.sqrt(factor) * (member * (left @ part.T) - spread @ part.T))
        terms = np.einsum("gk,gk->g", left, clusters.scores)
        return cls(tuple(maps), float(np.sqrt(factor * (terms**2).sum())), length, noise)

    def draw(self, weights: Floats) -> None:
        """Apply the weights, shape (groups, draws)."""
        self.draws = weights.shape[1]
        shifts, terms = self._maps[0::2], self._maps[1::2]
        stacked, powers = np.concatenate([*shifts, *terms]), len(shifts)
        self._shift = np.empty((powers, self.draws))
        self._square = np.zeros((2 * powers - 1, self.draws))
        for start in range(0, self.draws, TOGETHER):
            block = slice(start, start + TOGETHER)
            drawn = stacked @ weights[:, block]
            self._shift[:, block] = drawn[:powers]
            parts = drawn[powers:].reshape(powers, -1, drawn.shape[1])
            for j, k in np.ndindex(powers, powers):
                self._square[j + k, block] += np.einsum("gd,gd->d", parts[j], parts[k])

    def statistics(self, estimate: float, effect: float) -> tuple[float, Floats]:
        """The t statistic of the hypothesis and those of the bootstrap samples."""
        delta = (estimate - effect) / self._length
        powers = delta ** np.arange(len(self._square))
        shift = powers[: len(self._shift)] @ self._shift
        terms = self._square * powers[:, None]
        square = cleared(terms.sum(axis=0), LEVEL * np.abs(terms).sum(axis=0))
        errors = np.sqrt(np.clip(square, 0, None))
        return (estimate - effect) / self.se, studentised(shift, errors, self._noise)


def _orthogonal_complement(vector: Floats) -> Floats:
    """Orthonormal basis of the space orthogonal to a vector, shape (rank, rank - 1)."""
    basis: Floats = np.linalg.svd(vector[None, :])[2][1:].T
    return basis
