"""Advice on a design: methods that keep their size, what to report, what cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jjjpolicy.advice.case import Case
from jjjpolicy.advice.evidence import (
    LEVEL,
    NOT_HERE,
    PAIRS,
    SELDOM,
    UNKNOWN,
    Pair,
    evidence,
    verdict,
)
from jjjpolicy.advice.result import Advice
from jjjpolicy.advice.statements import not_to_be_had, to_report
from jjjpolicy.inference.conformal import Conformal
from jjjpolicy.inference.few_treated import ConleyTaber, FermanPinto, enough_controls
from jjjpolicy.inference.placebo_units import PlaceboUnits
from jjjpolicy.inference.randomization import RandomizationInference
from jjjpolicy.linalg.threads import one_thread
from jjjpolicy.sensitivity.calibration import calibrate as calibrate_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jjjpolicy.design.design import Design


@one_thread
def advise(
    design: Design,
    *,
    calibrate: bool = False,
    replications: int = 100,
    seed: int = 0,
    jobs: int = 1,
) -> Advice:
    """Say before anything is estimated which methods to trust in a design, and what it cannot give.

    Which methods keep their size is known from pseudo-policies on panels of Chinese provinces
    (:func:`jjjpolicy.advice.evidence.evidence`) with one and three treated; they stand for
    designs with one and with two to nine treated groups. What holds there need not hold here:
    with ``calibrate=True`` the same pseudo-policies are tried on the groups of the design itself
    that were never treated (:func:`jjjpolicy.sensitivity.calibrate`).

    Parameters
    ----------
    design : Design
    calibrate : bool
        Whether to try the methods on the design's own untreated groups.
    replications : int
        Pseudo-policies for each method and date, all where there are no more.
    seed : int
        Of the sampled pseudo-policies.
    jobs : int
        Worker processes; the numbers do not depend on it.

    Returns
    -------
    Advice

    Raises
    ------
    DesignError
        Rows of the design stand for many units; with ``calibrate=True`` also where treatment
        switches off or too few groups were never treated.
    InferenceError
        Fewer than two replications.

    Examples
    --------
    >>> import jjjpolicy as jp
    >>> panel = jp.load("provinces", vintage="nbs_2024")
    >>> policy = jp.policies["tax-sharing-2015"]
    >>> jp.advise(jp.Design.from_policy(panel, policy, outcome="log_gdp", window=(2005, 2019)))
    <Advice: 3 of 31 region_code treated; 1 of 12 methods keep their size; 3 limits>
    """
    case = Case.of(design)
    rates = _own(design, case, replications, seed, jobs) if calibrate else _shipped(case)
    methods = pd.DataFrame([_judged(pair, rates, case) for pair in PAIRS.values()])
    return Advice(
        case=case,
        methods=methods,
        calibrated=calibrate,
        report=tuple(to_report(case)),
        limits=tuple(not_to_be_had(case)),
    )


def _shipped(case: Case) -> pd.DataFrame:
    """Rows of the shipped table for cases like this one; none where many groups are treated."""
    table = evidence()
    alike = (table["level"] == LEVEL) & (table["treated"] == (1 if case.treated == 1 else 3))
    return table[alike & case.few]


def _own(design: Design, case: Case, replications: int, seed: int, jobs: int) -> pd.DataFrame:
    """Rates on the groups of the design that were never treated."""

    def tried() -> Iterator[pd.DataFrame]:
        for estimator in dict.fromkeys(pair.estimator for pair in PAIRS.values()):
            yield calibrate_methods(
                {case.outcome: design},
                {estimator.label: estimator},
                {
                    pair.names[1]: pair.inference
                    for pair in PAIRS.values()
                    if pair.estimator == estimator
                },
                treated=(case.treated,),
                draws=replications,
                levels=(LEVEL,),
                seed=seed,
                jobs=jobs,
            ).size

    return pd.concat(tried(), ignore_index=True)


def _judged(pair: Pair, rates: pd.DataFrame, case: Case) -> dict[str, object]:
    """A pair with what is known of its size, and the smallest p-value that it can give here."""
    estimator, inference = pair.names
    exists, smallest = _exists(pair, case), _smallest(pair, case)
    own = rates[(rates["estimator"] == estimator) & (rates["inference"] == inference) & exists]
    if not exists:
        said = NOT_HERE
    elif smallest > LEVEL:
        said = SELDOM
    else:
        said = verdict(own["rejection"], own["draws"], LEVEL) if len(own) else UNKNOWN
    return {
        "estimator": estimator,
        "inference": inference,
        "verdict": said,
        "least": own["rejection"].min(),
        "largest": own["rejection"].max(),
        "draws": int(own["draws"].sum()),
        "panels": own["outcome"].nunique(),
        "treated": own["treated"].iloc[0] if len(own) else np.nan,
        "smallest_pvalue": smallest,
    }


def _exists(pair: Pair, case: Case) -> bool:
    """Whether the design has what both methods need."""
    method = type(pair.inference)
    if not case.absorbing or (pair.estimator.label != "TwoWayFixedEffects" and not case.balanced):
        return False
    if method is RandomizationInference:
        return case.randomisations > 1
    if method is PlaceboUnits:
        return case.placebos > 1
    if method in (ConleyTaber, FermanPinto):
        return case.balanced and enough_controls(case.treated, case.never)
    return case.never > 0 or method is not Conformal


def _smallest(pair: Pair, case: Case) -> float:
    """The smallest p-value that ranks can give; missing where they give none."""
    count = {
        RandomizationInference: case.randomisations,
        PlaceboUnits: case.placebos,
        ConleyTaber: case.combinations,
        FermanPinto: case.combinations,
    }.get(type(pair.inference), 1)
    if isinstance(pair.inference, Conformal):
        count = case.periods
    return 1 / count if count > 1 else np.nan
