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
from jjjpolicy.linalg.positions import equal_rows

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.linalg.types import Floats, Integers

BLOCK = 256
"""Assignments that share their work in one piece, at most."""

SMALL_BLOCK = 32
"""Assignments of which fewer are not made a piece of their own."""

TOGETHER = 4
"""Pieces of equal size come in multiples of this, so that no worker waits for the last one."""


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
    event_times : ndarray of int, shape (assignments, event times), optional
        Of the effects.
    rmspe_ratio : ndarray, shape (assignments,), optional
        Post- over pre-treatment root mean squared prediction error.
    pre_rmspe : ndarray, shape (assignments,), optional
    cohorts : ndarray, shape (assignments, adoption periods), optional
        Average effect of each adoption cohort, in order of adoption.
    """

    att: Floats
    se: Floats | None = None
    effects: Floats | None = None
    event_times: Integers | None = None
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

    def singly(self) -> list[Refits]:
        """The refits of each assignment."""
        return [self.at(np.array([row])) for row in range(len(self.att))]

    def mapped(self, change: Callable[..., Floats], *others: Refits) -> Refits:
        """A linear map of the effects of these and of other refits; without errors of fit."""
        columns: dict[str, Any] = {"event_times": self.event_times}
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

    ``refit_many`` and ``refit_groups`` fit one assignment after the other, and ``refit_among`` one
    sample after the other; an estimator that can share work between them overrides them.
    """

    computing: ClassVar[frozenset[str]] = frozenset(
        {"refit", "refit_many", "refit_groups", "refit_among", "refit_counted"}
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

    def refit_among(self, design: Design, adoptions: Floats, jobs: int = 1) -> Refits:
        """Refit under assignments that leave out some units, each its own.

        What comparisons of estimates need: standard errors may be absent.

        Parameters
        ----------
        design : Design
        adoptions : ndarray, shape (assignments, units)
            First treated period of each unit, ``inf`` for never, ``nan`` for those left out.
        jobs : int
        """
        absent = np.isnan(adoptions)
        samples = equal_rows(absent)
        parts = []
        for rows in samples:
            kept = ~absent[rows[0]]
            sample = design.keep_units(kept, "left out of the sample")
            parts.append(self.refit_many(sample, adoptions[rows][:, kept], jobs))
        return Refits.stack(parts).at(np.argsort(np.concatenate(samples)))

    def refit_counted(
        self, design: Design, groups: Integers, counts: Floats
    ) -> list[Refits | None]:
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
        list of Refits or None
            Of each sample; None for those that are to be fitted by themselves.
        """
        return [None] * len(counts)


def refit_blocks(
    refit: Callable[[Design, Floats], Refits],
    design: Design,
    adoptions: Floats,
    jobs: int,
    description: str,
    size: int | None = None,
) -> Refits:
    """Refits whose assignments share work, block by block.

    Blocks are the same for any number of workers: what is shared decides the last bits of the
    numbers, and these must not depend on ``jobs``.

    Parameters
    ----------
    refit : callable
        Refits of a block; a function of a module or the method of an estimator.
    design : Design
    adoptions : ndarray, shape (assignments, units)
    jobs : int
    description : str
    size : int
        Assignments of a block; by default blocks are equal and not too large.
    """
    count = len(adoptions)
    if size is None:
        even = TOGETHER * -(-count // (TOGETHER * BLOCK))
        size = -(-count // max(1, min(even, count // SMALL_BLOCK)))
    tasks = [(design, adoptions[start : start + size]) for start in range(0, count, size)]
    return Refits.stack(run(refit, tasks, jobs, description, at_once=1))


def counts_of_clusters(design: Design, groups: Integers, counts: Floats) -> Floats | None:
    """How often samples of groups have each cluster; None where groups divide clusters.

    Parameters
    ----------
    design : Design
    groups : ndarray of int, shape (units,)
    counts : ndarray, shape (samples, groups)

    Returns
    -------
    ndarray, shape (samples, clusters), or None
    """
    _, first, codes = np.unique(design.assignment, return_index=True, return_inverse=True)
    whole = (groups[first][codes] == groups).all()
    return counts[:, groups[first]] if whole else None


def _refit(estimator: Refittable, design: Design, adoption: Floats) -> Refits:
    return estimator.refit(design.reassigned(adoption))
