"""What every estimator and every estimate share."""
