"""Weights on donors: on outcomes, on predictors, by regression."""
