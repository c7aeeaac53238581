"""Estimates without labels, under many assignments of treatment on one panel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jjjpolicy.estimation.method import Method
from jjjpolicy.estimation.parallel import run
from jjjpolicy.linalg.brief import brief

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

BLOCK = 256
"""Assignments that share their work in one piece."""


@dataclass(frozen=True, eq=False)
class Refits:
    """Numbers of one estimator under many assignments of treatment.

    Attributes
    ----------
    att : ndarray, shape (assignments,)
    se : ndarray, shape (assignments,), optional
        Analytic standard errors, for studentised reference distributions.
    effects : ndarray, shape (assignments, event times), optional
        Effects by event time, in the order of the estimate's own.
    rmspe_ratio : ndarray, shape (assignments,), optional
        Post- over pre-treatment root mean squared prediction error.
    pre_rmspe : ndarray, shape (assignments,), optional
    cohorts : ndarray, shape (assignments, adoption periods), optional
        Average effect of each adoption cohort, in order of adoption.
    """

    att: Floats
    se: Floats | None = None
    effects: Floats | None = None
    rmspe_ratio: Floats | None = None
    pre_rmspe: Floats | None = None
    cohorts: Floats | None = None

    __repr__ = brief

    def at(self, rows: NDArray[Any]) -> Refits:
        """The refits at some positions, or those that a mask keeps."""
        columns: dict[str, Any] = {}
        for item in fields(self):
            values = getattr(self, item.name)
            columns[item.name] = None if values is None else values[rows]
        return Refits(**columns)

    def mapped(self, change: Callable[..., Floats], *others: Refits) -> Refits:
        """A linear map of the effects of these and of other refits; without errors of fit."""
        columns: dict[str, Any] = {}
        for name in ("att", "effects", "cohorts"):
            values = [getattr(each, name) for each in (self, *others)]
            columns[name] = None if values[0] is None else change(*values)
        return Refits(**columns)

    @classmethod
    def stack(cls, parts: Iterable[Refits]) -> Refits:
        """Join the refits of several batches, in order; without what not all have alike."""
        listed = list(parts)
        columns: dict[str, Any] = {}
        for item in fields(cls):
            values = [getattr(part, item.name) for part in listed]
            alike = all(v is not None and v.shape[1:] == values[0].shape[1:] for v in values)
            columns[item.name] = np.concatenate(values, axis=0) if alike else None
        return cls(**columns)


class Refittable(Method, ABC):
    """What resampling asks of an estimator.

    ``refit_many`` and ``refit_groups`` fit one assignment after the other; an estimator that can
    share work between assignments overrides them.
    """

    computing: ClassVar[frozenset[str]] = frozenset(
        {"refit", "refit_many", "refit_groups", "refit_counted"}
    )

    def unused_predictors(self, design: Design) -> list[str]:
        """Predictors of the design that the estimator does not match on."""
        return list(design.predictors)

    @property
    def chosen_before_treatment(self) -> bool:
        """Whether all that is fitted rests on the outcomes before treatment.

        Those of each treated unit before its own adoption and of never-treated units before that of
        the treated unit; effects are then linear in all later outcomes.
        """
        return False

    @abstractmethod
    def refit(self, design: Design) -> Refits:
        """Numbers of a single fit, without labels; shape (1,) arrays."""

    def refit_many(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under each assignment.

        Parameters
        ----------
        design : Design
            Its outcome, weights and covariates are used; its own adoption is not.
        adoptions : ndarray, shape (assignments, units)
            First treated period of each unit, ``inf`` for never.
        jobs : int
            Worker processes; the numbers do not depend on it.
        """
        tasks = [(self, design, adoption) for adoption in adoptions]
        return Refits.stack(run(_refit, tasks, jobs, self.label))

    def refit_groups(
        self, design: Design, adoptions: Floats, groups: Integers, jobs: int = 1
    ) -> Refits:
        """Refit under assignments of treatment to groups of units.

        Parameters
        ----------
        design : Design
        adoptions : ndarray, shape (assignments, groups)
            First treated period of each group, ``inf`` for never.
        groups : ndarray of int, shape (units,)
            Position of each unit's group.
        jobs : int
        """
        return self.refit_many(design, adoptions[:, groups], jobs)

    def refit_counted(self, design: Design, groups: Integers, counts: Floats) -> Refits | None:
        """Refit with groups of units left out or taken several times, from what samples share.

        Parameters
        ----------
        design : Design
        groups : ndarray of int, shape (units,)
            Position of each unit's group.
        counts : ndarray, shape (samples, groups)
            How often each group is in a sample; copies are groups of their own.

        Returns
        -------
        Refits or None
            Overall effects, ``nan`` for samples that are to be fitted by themselves; None where
            samples share no work.
        """
        return None


def refit_blocks(
    refit: Callable[[Design, Floats], Refits],
    design: Design,
    adoptions: Floats,
    jobs: int,
    description: str,
) -> Refits:
    """Refits whose assignments share work, block by block.

    Blocks have one size for any number of workers: what is shared decides the last bits of the
    numbers, and these must not depend on ``jobs``.

    Parameters
    ----------
    refit : callable
        Refits of a block; a function of a module or the method of an estimator.
    design : Design
    adoptions : ndarray, shape (assignments, units)
    jobs : int
    description : str
    """
    starts = range(0, len(adoptions), BLOCK)
    tasks = [(design, adoptions[start : start + BLOCK]) for start in starts]
    return Refits.stack(run(refit, tasks, jobs, description, at_once=1))


def _refit(estimator: Refittable, design: Design, adoption: Floats) -> Refits:
    return estimator.refit(design.reassigned(adoption))
