"""Honest difference-in-differences (Rambachan and Roth 2023, Review of Economic Studies)."""

from jjjpolicy.sensitivity.honest.honest_did import honest_did
from jjjpolicy.sensitivity.honest.methods import (
    Conditional,
    ConfidenceSet,
    FixedLength,
    HybridFixedLength,
    HybridLeastFavorable,
)
from jjjpolicy.sensitivity.honest.restrictions import (
    RelativeMagnitudes,
    Restriction,
    Smoothness,
    SmoothnessRelative,
)
from jjjpolicy.sensitivity.honest.results import HonestIntervals

__all__ = [
    "Conditional",
    "ConfidenceSet",
    "FixedLength",
    "HonestIntervals",
    "HybridFixedLength",
    "HybridLeastFavorable",
    "RelativeMagnitudes",
    "Restriction",
    "Smoothness",
    "SmoothnessRelative",
    "honest_did",
]
