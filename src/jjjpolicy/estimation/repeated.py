"""p-values of one method under many assignments of treatment on one panel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.estimation.method import Method
from jjjpolicy.estimation.refits import Refits, Refittable
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats


SEEDS = 100
"""Seeds that assignments take in turn."""


@dataclass(frozen=True, eq=False)
class RepeatedTests:
    """p-values and what they took.

    Attributes
    ----------
    pvalues : ndarray, shape (assignments, effects)
    fits : int
        Number of estimates behind them.
    """

    pvalues: Floats
    fits: int

    __repr__ = brief


class Repeatable(Method, ABC):
    """What a calibration asks of an inference method.

    ``repeated`` infers from one estimate after the other; a method that can share work between
    assignments overrides it.
    """

    computing: ClassVar[frozenset[str]] = frozenset({"infer", "repeated"})

    @abstractmethod
    def infer(self, estimate: Any) -> Any:
        """The estimate with an inference result attached."""

    def repeated(
        self,
        estimator: Any,
        design: Design,
        adoptions: Floats,
        effects: Sequence[float] = (0.0,),
        first: int = 0,
    ) -> RepeatedTests:
        """p-values of no effect, as :meth:`infer` gives them one by one with seeds in turn.

        With one seed for all, rejection rates would hang on a single draw of placebos or of a
        bootstrap, however many the assignments.

        Parameters
        ----------
        estimator : Estimator
        design : Design
            Its own adoption is not used.
        adoptions : ndarray, shape (assignments, units)
            First treated period of each unit, ``inf`` for never.
        effects : sequence of float
            Constant effects that are added to the outcome in treated cells.
        first : int
            Number of the first assignment, by which it takes its seed.

        Raises
        ------
        InferenceError
            The method gives no p-value for this estimator.
        """
        found = [
            [method._pvalue(estimator, design.reassigned(row).with_effect(e)) for e in effects]
            for row, method in zip(adoptions, self.in_turn(first, len(adoptions)), strict=True)
        ]
        pvalues = np.array(found).reshape(len(adoptions), len(effects))
        return RepeatedTests(pvalues, pvalues.size)

    def in_turn(self, first: int, number: int) -> list[Self]:
        """The method with the seeds of so many assignments; itself where it draws nothing."""
        seed: int | None = getattr(self, "seed", None)
        if seed is None:
            return [self] * number
        seeds = [replace(self, seed=seed + k) for k in range(SEEDS)]  # type: ignore[type-var]
        return [seeds[(first + row) % SEEDS] for row in range(number)]

    def _pvalue(self, estimator: Any, design: Design) -> float:
        pvalue: float | None = self.infer(estimator.fit(design)).pvalue
        if pvalue is None or np.isnan(pvalue):
            raise InferenceError(f"{self.label} gives no p-value for {estimator.label} here.")
        return pvalue


def refits_with_effect(
    estimator: Refittable, design: Design, adoptions: Floats, effect: float
) -> Refits:
    """Refits under many assignments, each with the effect added in its own treated cells.

    Parameters
    ----------
    estimator : Refittable
    design : Design
    adoptions : ndarray, shape (assignments, units)
    effect : float
    """
    if effect == 0:
        return estimator.refit_many(design, adoptions)
    return Refits.stack(
        estimator.refit_many(design.reassigned(row).with_effect(effect), row[None])
        for row in adoptions
    )
