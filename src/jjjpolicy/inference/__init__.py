"""Inference methods: each turns an estimate into standard errors, p-values and intervals."""

from jjjpolicy.inference.clustered import Clustered
from jjjpolicy.inference.placebo_periods import PlaceboPeriods
from jjjpolicy.inference.placebo_units import PlaceboUnits
from jjjpolicy.inference.randomization import RandomizationInference

__all__ = ["Clustered", "PlaceboPeriods", "PlaceboUnits", "RandomizationInference"]
