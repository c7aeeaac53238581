"""Ways to turn a restriction into a confidence set (Rambachan and Roth 2023, sections 3 and 4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from jjjpolicy.errors import InferenceError
from jjjpolicy.sensitivity.honest.conditional import FirstStage, accepted
from jjjpolicy.sensitivity.honest.fixed_length import ShortestIntervals
from jjjpolicy.sensitivity.honest.inversion import Test, outer_ends
from jjjpolicy.sensitivity.honest.least_favorable import least_favorable_value
from jjjpolicy.sensitivity.honest.moments import MomentBuilder, Moments
from jjjpolicy.sensitivity.honest.restrictions import Restriction, Smoothness

if TYPE_CHECKING:
    from jjjpolicy.linalg.types import Floats
    from jjjpolicy.sensitivity.honest.coefficients import Coefficients

Interval = Callable[[float], tuple[float, float]]
"""From a value of the bound to the ends of the interval."""


class ConfidenceSet(ABC):
    """Base class of methods; subclasses are frozen dataclasses of options."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Name in tables, as in the literature."""

    @abstractmethod
    def intervals(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Interval:
        """The interval of level 1 - size as a function of the bound.

        Raises
        ------
        InferenceError
            The method does not exist for this restriction.
        """


@dataclass(frozen=True)
class FixedLength(ConfidenceSet):
    """Shortest fixed-length interval around an affine estimator (FLCI); smoothness only.

    Near-optimal under smoothness (Rambachan and Roth 2023, section 4.1). It cannot use a sign or a
    direction, and its length would not adapt to the pre-periods under a relative restriction.
    """

    @property
    def label(self) -> str:
        """FLCI."""
        return "FLCI"

    def intervals(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Interval:
        """The interval as a function of M.

        Raises
        ------
        InferenceError
            The restriction is not smoothness alone.
        """
        if not isinstance(restriction, Smoothness) or restriction.shaped:
            raise InferenceError(
                f"a fixed-length interval does not use what {restriction.label} says beyond "
                f"smoothness; use HybridFixedLength for smoothness with a sign or direction, and "
                f"HybridLeastFavorable for relative restrictions."
            )
        shortest = ShortestIntervals(coefficients, target)

        def interval(value: float) -> tuple[float, float]:
            found = shortest.shortest(value, size)
            return found.point - found.half_length, found.point + found.half_length

        return interval


class _Inverted(ConfidenceSet):
    """Base class of the methods that collect what a test does not reject."""

    def intervals(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Interval:
        """The interval as a function of the bound.

        Raises
        ------
        InferenceError
            The method does not exist for this restriction.
        """
        make = self._tests(coefficients, restriction, target, size)
        builder = MomentBuilder(coefficients, target)
        pre, post = coefficients.pre, coefficients.post
        centre = float(target @ coefficients.estimates[pre:])
        reach = 12 * float(np.linalg.norm(target @ coefficients.root[pre:]))

        def interval(value: float) -> tuple[float, float]:
            polyhedra = restriction.polyhedra(value, pre, post)
            tests = make(value, [builder.build(polyhedron) for polyhedron in polyhedra])
            return outer_ends(tests, centre, reach)

        return interval

    @abstractmethod
    def _tests(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Callable[[float, list[Moments]], list[Test]]:
        """From a value of the bound and moments to one test for each polyhedron."""


@dataclass(frozen=True)
class Conditional(_Inverted):
    """The conditional test of Andrews, Roth and Pakes (2023) alone.

    Has no tuning parameter; can give long intervals where several inequalities nearly bind.
    """

    @property
    def label(self) -> str:
        """Conditional."""
        return "Conditional"

    def _tests(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Callable[[float, list[Moments]], list[Test]]:
        return lambda _, moments: [partial(accepted, part, size=size) for part in moments]


def _kappa(kappa: float | None, size: float) -> float:
    first = size / 10 if kappa is None else kappa
    if not 0 < first < size:
        raise InferenceError(f"kappa={kappa} must lie between 0 and 1 - level = {size:g}.")
    return first


@dataclass(frozen=True)
class HybridLeastFavorable(_Inverted):
    """A least-favourable test of size kappa, then the conditional test (C-LF).

    The default for relative restrictions and what the authors recommend there.

    Parameters
    ----------
    kappa : float, optional
        Size of the first test; a tenth of 1 - level by default.
    draws : int
        Simulated directions behind the critical value of the first test, each used with its
        opposite. The authors' R package uses 1,000 draws of the normal itself.
    seed : int
    """

    kappa: float | None = None
    draws: int = 1000
    seed: int = 0

    @property
    def label(self) -> str:
        """C-LF."""
        return "C-LF"

    def _tests(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Callable[[float, list[Moments]], list[Test]]:
        kappa = _kappa(self.kappa, size)
        second = (size - kappa) / (1 - kappa)

        def test(moments: Moments) -> Test:
            largest = least_favorable_value(moments.roots, kappa, self.draws, self.seed)
            return partial(accepted, moments, size=second, largest=largest)

        return lambda _, moments: [test(part) for part in moments]


@dataclass(frozen=True)
class HybridFixedLength(_Inverted):
    """A fixed-length interval of level 1 - kappa, then the conditional test (C-FLCI).

    The default for smoothness with a sign or direction and what the authors recommend there.

    Parameters
    ----------
    kappa : float, optional
        Size of the first test; a tenth of 1 - level by default.
    """

    kappa: float | None = None

    @property
    def label(self) -> str:
        """C-FLCI."""
        return "C-FLCI"

    def _tests(
        self, coefficients: Coefficients, restriction: Restriction, target: Floats, size: float
    ) -> Callable[[float, list[Moments]], list[Test]]:
        if not isinstance(restriction, Smoothness):
            raise InferenceError(
                f"a fixed-length first stage needs smoothness, not {restriction.label}; use "
                f"HybridLeastFavorable."
            )
        kappa = _kappa(self.kappa, size)
        second = (size - kappa) / (1 - kappa)
        shortest = ShortestIntervals(coefficients, target)

        def tests(value: float, moments: list[Moments]) -> list[Test]:
            found = shortest.shortest(value, kappa)
            stage = FirstStage(
                found.weights, found.point, found.half_length, found.weights @ coefficients.root
            )
            return [partial(accepted, part, size=second, first_stage=stage) for part in moments]

        return tests
