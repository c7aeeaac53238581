"""What an estimator asks of a design, and what a counterfactual path gives."""
