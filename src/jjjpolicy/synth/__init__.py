"""Synthetic-control estimators, one per module."""

from jjjpolicy.synth.synthetic_control import SyntheticControl

__all__ = ["SyntheticControl"]
