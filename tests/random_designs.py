"""Random panels for property tests, and every estimator and inference method of the package.

Panels are simulated. Estimators and methods come from the registries of the package, with each
option of few values (a ``Literal`` or a bool) turned once, so that a new one is tested without a
change here; only what cannot be made without arguments is listed.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from inspect import get_annotations
from typing import Any, Literal, TypeVar, get_args, get_origin

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimator, Inference
from jjjpolicy.replication.provenance.specification import estimators, inferences

Made = TypeVar("Made")


def few(examples: int) -> settings:
    """Settings with so many examples, or EXAMPLES times as many where this variable is set."""
    return settings(max_examples=examples * int(os.environ.get("EXAMPLES", "1")))


NEEDED: dict[str, dict[str, Any]] = {
    "ContinuousTreatment": {"dose": "dose", "degree": 1},
    "TripleDifference": {"eligible": "eligible", "group": "place"},
    "MultipleOutcomeSyntheticControl": {"outcomes": ("other",)},
    "HeldWeights": {"estimator": jp.synth.DemeanedSyntheticControl(), "variable": "other"},
    "InclusiveSyntheticControl": {"affected": jp.synth.Rings((300.0,))},
    "SpilloverSyntheticControl": {"structure": jp.synth.DistanceDecay(300.0)},
    "EffectOn": {"system": jp.synth.SpilloverSyntheticControl(jp.synth.DistanceDecay(300.0))},
    "SpilloverExposure": {"exposure": jp.did.InverseDistance(cutoff=200.0)},
    "ConditionalRandomization": {"beyond": 100.0},
    "Conley": {"cutoff_km": 500.0},
}
"""Arguments of the classes that cannot be made without."""

COVARIATES = {
    "SyntheticControl": ["other"],
    "ContinuousTreatment": ["dose"],
    "TripleDifference": ["eligible"],
    "MultipleOutcomeSyntheticControl": ["other"],
    "HeldWeights": ["other"],
}
"""Covariates that these estimators ask the design for."""

FURTHER: dict[str, list[dict[str, Any]]] = {
    "EventStudy": [{"bins": (-2, 1)}, {"reference": -2}],
    "CallawaySantAnna": [{"anticipation": 1}],
    "Imputation": [{"pretrends": 1}, {"pretrends": 2}],
    "LocalProjections": [{"pre_window": 1, "post_window": 0}],
    "SpilloverExposure": [{"exposure": jp.did.ExponentialDecay(scale=100.0, cutoff=300.0)}],
    "Stacked": [{"kappa_pre": 1, "kappa_post": 0}],
    "ChaisemartinDHaultfoeuille": [{"effects": 1, "placebos": 1}],
    "ContinuousTreatment": [{"degree": 2, "knots": 1}],
    "SyntheticControl": [
        {"predictors": (jp.synth.Predictor("other"),), "predictor_weights": weights}
        for weights in (
            jp.synth.InverseVariance(),
            jp.synth.RegressionBased(),
            jp.synth.NestedSearch(),
            jp.synth.CrossValidated((jp.synth.Predictor("other", 2001),), (2002, 2002)),
        )
    ],
    "AugmentedSyntheticControl": [{"penalty": 0.0}, {"penalty": 1.0}],
    "ElasticNetSyntheticControl": [{"penalty": 0.1}],
    "GeneralizedSyntheticControl": [{"rank": 0}, {"rank": 1}],
    "MatrixCompletion": [{"penalty": 0.5}],
    "PanelDataApproach": [{"selection": jp.synth.Lasso()}],
    "PartiallyPooledSyntheticControl": [{"pooling": 0.0}, {"pooling": 1.0}],
    "PenalizedSyntheticControl": [{"penalty": 0.1}],
    "InclusiveSyntheticControl": [
        {"first_stage": jp.synth.SyntheticControl()},
        {"first_stage": jp.synth.AugmentedSyntheticControl(penalty=1.0)},
    ],
    "SpilloverSyntheticControl": [{"structure": jp.synth.Rings((250.0, 500.0))}],
    "SyntheticDiD": [{"zeta_omega": 0.0, "zeta_lambda": 0.0}, {"solver": jp.synth.FrankWolfe()}],
    "Clustered": [{"level": "region"}, {"level": ("unit", "period")}],
    "Conley": [{"lags": 1}],
    "DriscollKraay": [{"lags": 0}],
    "Jackknife": [{"level": "region"}],
    "PlaceboUnits": [{"pre_fit_cutoff": 2.0}],
    "RandomizationInference": [{"replications": 9}],
    "WildClusterBootstrap": [{"level": "region"}, {"replications": 999}],
}
"""Options of more values than few."""

SMALL = {"replications": 19, "simulations": 10}
"""Draws in tests."""


@dataclass(frozen=True)
class Panel:
    """Options of a simulated panel; :meth:`frame` makes it."""

    units: int = 8
    periods: int = 6
    cohorts: tuple[int, ...] = (1,)
    never: bool = True
    noise: Literal["normal", "ties", "none", "constant"] = "normal"
    scale: float = 1.0
    missing: float = 0.0
    covariates: tuple[str, ...] = ()
    weighted: bool = False
    grouped: bool = False
    labels: Literal["int", "str", "date"] = "int"
    gaps: bool = False
    seed: int = 0

    def frame(self) -> pd.DataFrame:
        """The panel, sorted by unit and period.

        Cohorts are numbers of treated places; each adopts a period later than the one before, and
        the last ones never.
        """
        rng = np.random.default_rng(self.seed)
        n, t = self.units, self.periods
        years = 2001 + np.arange(t)
        if self.gaps:
            years = years + (np.arange(t) >= t // 2)
        place = np.arange(n) // 2 if self.grouped else np.arange(n)
        first = np.full(int(place.max()) + 1, np.inf)
        start, g = max(1, t // 2), 0
        for size in self.cohorts:
            first[g : g + size] = years[min(start, t - 1)]
            g, start = g + size, start + 1
        if not self.never:
            first[g:] = years[-1]
        adoption = first[place]
        draws = rng.normal(size=(n, t))
        effect = rng.normal()
        y = {
            "normal": rng.normal(size=(n, 1)) + rng.normal(size=(1, t)) + draws,
            "ties": np.round(draws),
            "none": rng.normal(size=(n, 1)) + rng.normal(size=(1, t)),
            "constant": np.zeros((n, t)),
        }[self.noise]
        y = self.scale * (y + effect * (years >= adoption[:, None]) * (self.noise == "normal"))
        unit: Any = np.arange(n)
        if self.labels == "str":
            unit = np.array([f"u{i:02d}" for i in range(n)])
        elif self.labels == "date":
            unit = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(n), unit="D")
        fixed = np.repeat(rng.normal(size=n), t)
        moving = rng.normal(size=n * t)
        table = pd.DataFrame(
            {
                "unit": np.repeat(np.asarray(unit), t),
                "period": np.tile(years, n),
                "y": y.ravel(),
                "first": np.repeat(adoption, t),
                "fixed": fixed,
                "moving": moving,
                "copy": 2 * fixed,
                "flat": 1.0,
                "other": moving + y.ravel() / self.scale,
                "dose": np.repeat(1.0 + np.arange(n) % 3, t),
                "eligible": np.repeat(np.arange(n) % 2, t),
                "weight": np.repeat(rng.uniform(0.5, 2, size=n), t),
                "place": np.repeat(place, t),
                "region": np.repeat(np.arange(n) % 3, t),
                "latitude": np.repeat(30 + rng.uniform(0, 9, size=n), t),
                "longitude": np.repeat(110 + rng.uniform(0, 9, size=n), t),
            }
        )
        return table[rng.uniform(size=len(table)) >= self.missing].reset_index(drop=True)

    def arguments(self, estimator: str = "") -> dict[str, Any]:
        """Keywords of ``Design.from_frame`` for an estimator."""
        asked = [*self.covariates, *COVARIATES.get(estimator, ())]
        return {
            "unit": "unit",
            "time": "period",
            "outcome": "y",
            "adoption": "first",
            "covariates": list(dict.fromkeys(asked)),
            "weights": "weight" if self.weighted else None,
            "assigned_at": "place" if self.grouped else None,
            "clusters": ["place", "region"] if estimator == "TripleDifference" else ["region"],
            "coordinates": ("latitude", "longitude"),
        }

    def design(self, estimator: str = "") -> jp.Design:
        """The design; raises `DesignError` where the panel allows none."""
        return jp.Design.from_frame(self.frame(), **self.arguments(estimator))


odd_panels = st.builds(
    Panel,
    units=st.integers(2, 12),
    periods=st.integers(2, 8),
    cohorts=st.sampled_from([(1,), (1, 1), (2, 1), (3,), (2, 2, 1), (1, 1, 1, 1)]),
    never=st.sampled_from([True, True, False]),
    noise=st.sampled_from(["normal", "normal", "normal", "ties", "none", "constant"]),
    scale=st.sampled_from([1.0, 1.0, 1e-9, 1e9]),
    missing=st.sampled_from([0.0, 0.0, 0.1, 0.4]),
    covariates=st.sampled_from(
        [(), (), (), ("fixed",), ("moving",), ("fixed", "moving"), ("fixed", "copy"), ("flat",)]
    ),
    weighted=st.sampled_from([False, False, True]),
    grouped=st.sampled_from([False, False, True]),
    labels=st.sampled_from(["int", "str", "date"]),
    gaps=st.booleans(),
    seed=st.integers(0, 99),
)
"""Small panels of every kind, many of them with too little to estimate from."""

sound_panels = st.builds(
    Panel,
    units=st.integers(6, 12),
    periods=st.integers(6, 13),
    cohorts=st.sampled_from([(1,), (1, 1), (2, 1), (3,)]),
    noise=st.sampled_from(["normal", "normal", "ties", "none"]),
    scale=st.sampled_from([1.0, 1e-9, 1e9]),
    covariates=st.sampled_from([(), (), (), ("moving",)]),
    grouped=st.sampled_from([False, False, True]),
    gaps=st.booleans(),
    seed=st.integers(0, 99),
)
"""Balanced panels with never-treated units, from which most methods can estimate."""


def every_estimator() -> dict[str, Estimator]:
    """Every estimator, and every turn of an option of few values, by name."""
    return dict(_turned(estimators()))


def every_inference() -> dict[str, Inference]:
    """Every inference method, and every turn of an option of few values, by name."""
    return dict(_turned(inferences()))


def plain(classes: dict[str, type[Made]]) -> dict[str, Made]:
    """One object of each class, with as few draws as tests need."""
    return {name: made(name, cls) for name, cls in classes.items()}


def made(name: str, cls: type[Made], **changed: Any) -> Made:
    """An object of a class with few draws, what it needs, and options of one's own."""
    known = {item.name for item in fields(cls)}  # type: ignore[arg-type]
    small = {key: value for key, value in SMALL.items() if key in known}
    missing = [
        item.name
        for item in fields(cls)  # type: ignore[arg-type]
        if item.default is MISSING and item.default_factory is MISSING
    ]
    given = NEEDED.get(name, {})
    assert set(missing) <= set(given), f"NEEDED has no {missing} of {name}"
    return cls(**{**small, **given, **changed})


def _turned(classes: dict[str, type[Made]]) -> Iterator[tuple[str, Made]]:
    for name, cls in classes.items():
        yield name, made(name, cls)
        for item in fields(cls):  # type: ignore[arg-type]
            for value in _few_values(cls, item.name):
                if value != item.default:
                    yield f"{name}({item.name}={value!r})", made(name, cls, **{item.name: value})
        for options in FURTHER.get(name, ()):
            shown = ", ".join(f"{key}={value!r}" for key, value in options.items())
            yield f"{name}({shown})", made(name, cls, **options)


def attempted(work: Callable[[], Made]) -> Made | jp.JJJPolicyError:
    """What the work gives, or the error of the package that it ends in.

    Any other error, and any warning that is not the package's own, is raised.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", jp.JJJPolicyWarning)
        try:
            return work()
        except jp.JJJPolicyError as error:
            return error


def _few_values(cls: type, option: str) -> list[Any]:
    """Values of an option that is a bool or a ``Literal``; none for others."""
    owner = next(c for c in cls.__mro__ if option in get_annotations(c))
    names = vars(sys.modules[owner.__module__])
    try:
        kind = eval(get_annotations(owner)[option], names)
    except NameError:  # imported for type checking alone
        return []
    if kind is bool:
        return [True, False]
    return list(get_args(kind)) if get_origin(kind) is Literal else []
