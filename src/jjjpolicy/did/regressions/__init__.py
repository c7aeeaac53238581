"""Least squares with unit and period effects."""
