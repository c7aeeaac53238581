"""Difference-in-differences estimators, one per module."""

from jjjpolicy.did.event_study import EventStudy
from jjjpolicy.did.two_way_fixed_effects import TwoWayFixedEffects

__all__ = ["EventStudy", "TwoWayFixedEffects"]
